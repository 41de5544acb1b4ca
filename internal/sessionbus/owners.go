package sessionbus

import (
	"context"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

// HasOwner tells whether somebody owns a name on the bus.
func HasOwner(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	var owned bool
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
	if err != nil {
		return false, fmt.Errorf("ask the session bus for %s: %w", name, err)
	}
	return owned, nil
}

// CanStart tells whether the bus would start an owner for a name that has none.
func CanStart(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	var names []string
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return false, fmt.Errorf("ask the session bus what it can start: %w", err)
	}
	return slices.Contains(names, name), nil
}

// Serves tells whether a call to a name would be answered: somebody owns it, or the bus would start its owner.
func Serves(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	if owned, err := HasOwner(ctx, conn, name); err != nil || owned {
		return owned, err
	}
	return CanStart(ctx, conn, name)
}
