// Package notify shows the notifications of tray/view on the desktop. They never take the focus.
//
// On Linux they go over D-Bus (freedesktop.org Desktop Notifications 1.2), with buttons where the desktop has them; with
// no session bus nothing is touched. On Windows they are balloons at the tray icon, without buttons: only their text is
// shown. On macOS they would need an application bundle; there Supported is false.
package notify

import (
	"errors"
	"log/slog"

	"github.com/platenprint/platen/client/status"
)

// ErrUnavailable says that this desktop shows no notifications now.
var ErrUnavailable = errors.New("this desktop shows no notifications")

// Options are what a Notifier needs.
type Options struct {
	Logger *slog.Logger
	// OnAction is called, from a goroutine of the Notifier, with the action of a button that was pressed.
	OnAction func(status.Action)
}
