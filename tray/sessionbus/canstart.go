package sessionbus

import (
	"context"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

// CanStart tells whether somebody owns a name on the bus or the bus would start its owner.
func CanStart(ctx context.Context, conn *dbus.Conn, name string) (bool, error) {
	if owned, err := HasOwner(ctx, conn, name); err != nil || owned {
		return owned, err
	}
	var names []string
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		return false, fmt.Errorf("ask the session bus what it can start: %w", err)
	}
	return slices.Contains(names, name), nil
}
