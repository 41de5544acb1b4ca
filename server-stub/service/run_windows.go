package service

import (
	"context"
	"time"

	"github.com/platenprint/platen/internal/osservice"
)

// Run runs the server: for the service control manager if that has started it, in the foreground otherwise. A service counts as
// started once run calls ready.
func Run(ctx context.Context, run func(ctx context.Context, ready func()) error) error {
	return osservice.Control{
		Name:  WindowsName,
		Start: 30 * time.Minute, // a large database is converted
		Stop:  30 * time.Second,
	}.Run(ctx, run)
}
