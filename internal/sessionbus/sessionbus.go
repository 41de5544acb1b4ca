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

// Address returns the address of the session bus that an environment leads to, or ErrNone. getenv is os.Getenv, or looks
// into somebody else's environment.
func Address(getenv func(string) string) (string, error) {
	if address := getenv(addressVar); address != "" && address != "autolaunch:" {
		return address, nil
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		socket := filepath.Join(dir, "bus")
		if info, err := os.Stat(socket); err == nil && info.Mode().Type() == os.ModeSocket {
			return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
		}
	}
	return "", ErrNone
}

// Connect opens a connection of its own to the session bus, which closes when ctx ends. It also names the bus in this
// process's environment, as Name does.
func Connect(ctx context.Context) (*dbus.Conn, error) {
	address, err := Address(os.Getenv)
	if err != nil {
		return nil, err
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	if err := setAddress(address); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
