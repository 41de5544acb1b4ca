//go:build !linux && !windows

package notify

import (
	"context"

	"github.com/platenprint/platen/tray/view"
)

// Supported tells whether this build can show notifications.
const Supported = false

// Notifier shows nothing here.
type Notifier struct{}

// New returns ErrUnavailable.
func New(context.Context, Options) (*Notifier, error) { return nil, ErrUnavailable }

// Close does nothing.
func (n *Notifier) Close() {}

// Send returns ErrUnavailable.
func (n *Notifier) Send(context.Context, view.Toast) error { return ErrUnavailable }
