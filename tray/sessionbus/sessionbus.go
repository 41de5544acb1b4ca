// Package sessionbus finds the D-Bus session bus of the person's desktop, and never starts one: with no bus address and
// no $XDG_RUNTIME_DIR/bus, libraries would launch daemons that stay for good.
package sessionbus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"
)

// ErrNone says that there is no session bus.
var ErrNone = errors.New("there is no session bus: neither DBUS_SESSION_BUS_ADDRESS nor $XDG_RUNTIME_DIR/bus")

const addressVar = "DBUS_SESSION_BUS_ADDRESS"

// Address returns the address of the session bus, or ErrNone.
func Address() (string, error) {
	if address := os.Getenv(addressVar); address != "" && address != "autolaunch:" {
		return address, nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		socket := filepath.Join(dir, "bus")
		if info, err := os.Stat(socket); err == nil && info.Mode().Type() == os.ModeSocket {
			return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
		}
	}
	return "", ErrNone
}

// Connect opens a connection of its own to the session bus, which closes when ctx ends. It also names the bus in this
// process's environment, for libraries that connect by themselves and would look in other places.
func Connect(ctx context.Context) (*dbus.Conn, error) {
	address, err := Address()
	if err != nil {
		return nil, err
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	if os.Getenv(addressVar) != address {
		if err := os.Setenv(addressVar, address); err != nil {
			return nil, errors.Join(fmt.Errorf("name the session bus: %w", err), conn.Close())
		}
	}
	return conn, nil
}

// HasOwner tells whether somebody owns a name on the bus.
func HasOwner(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	var owned bool
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
	if err != nil {
		return false, fmt.Errorf("ask the session bus for %s: %w", name, err)
	}
	return owned, nil
}
