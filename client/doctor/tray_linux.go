package doctor

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/internal/sessionbus"
)

const (
	watcherName       = "org.kde.StatusNotifierWatcher"
	notificationsName = "org.freedesktop.Notifications"
)

// ThisDesk asks the session bus that the environment names. It starts no bus and no service.
func ThisDesk(env map[string]string) TrayProbe {
	return func(ctx context.Context) (desk Desk, err error) {
		address, err := sessionbus.Address(func(name string) string { return env[name] })
		if err != nil {
			return Desk{}, err
		}
		conn, err := dbus.Connect(address, dbus.WithContext(ctx))
		if err != nil {
			return Desk{}, fmt.Errorf("connect to the session bus: %w", err)
		}
		defer func() { _ = conn.Close() }()
		if desk.Tray, err = sessionbus.HasOwner(ctx, conn, watcherName); err != nil {
			return Desk{}, err
		}
		desk.Tray = desk.Tray && hasHost(ctx, conn)
		desk.Notifications, err = sessionbus.Serves(ctx, conn, notificationsName)
		return desk, err
	}
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
