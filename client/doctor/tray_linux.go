package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"
)

const (
	watcherName       = "org.kde.StatusNotifierWatcher"
	notificationsName = "org.freedesktop.Notifications"
)

// ThisDesk asks the session bus that the environment names. It starts no bus and no service.
func ThisDesk(env map[string]string) TrayProbe {
	return func(ctx context.Context) (desk Desk, err error) {
		address, err := busAddress(env)
		if err != nil {
			return Desk{}, err
		}
		conn, err := dbus.Connect(address, dbus.WithContext(ctx))
		if err != nil {
			return Desk{}, fmt.Errorf("connect to the session bus: %w", err)
		}
		defer func() { _ = conn.Close() }()
		if desk.Tray, err = owned(ctx, conn, watcherName); err != nil {
			return Desk{}, err
		}
		desk.Tray = desk.Tray && hasHost(ctx, conn)
		if desk.Notifications, err = owned(ctx, conn, notificationsName); err != nil || desk.Notifications {
			return desk, err
		}
		desk.Notifications, err = startable(ctx, conn, notificationsName)
		return desk, err
	}
}

// busAddress is where the bus is for sure. Asked for anything else, godbus would launch one that stays.
func busAddress(env map[string]string) (string, error) {
	if address := env["DBUS_SESSION_BUS_ADDRESS"]; address != "" && address != "autolaunch:" {
		return address, nil
	}
	if dir := env["XDG_RUNTIME_DIR"]; dir != "" {
		socket := filepath.Join(dir, "bus")
		if info, err := os.Stat(socket); err == nil && info.Mode().Type() == os.ModeSocket {
			return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
		}
	}
	return "", ErrNoBus
}

func owned(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	var has bool
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&has); err != nil {
		return false, fmt.Errorf("ask the session bus for %s: %w", name, err)
	}
	return has, nil
}

// hasHost tells whether a panel shows what the watcher knows of: some desktops have the one without the other.
func hasHost(ctx context.Context, conn *dbus.Conn) bool {
	var host bool
	call := conn.Object(watcherName, "/StatusNotifierWatcher").CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, watcherName, "IsStatusNotifierHostRegistered")
	if call.Store(&host) != nil {
		return true // a watcher that does not tell; icons register with it all the same
	}
	return host
}

// startable tells whether the bus would start a service when it is first used.
func startable(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	var names []string
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return false, fmt.Errorf("ask the session bus what it can start: %w", err)
	}
	for _, n := range names {
		if n == name {
			return true, nil
		}
	}
	return false, nil
}
