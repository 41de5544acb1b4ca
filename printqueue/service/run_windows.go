package service

import (
	"context"

	"github.com/platenprint/platen/internal/osservice"
)

// Run runs the service: for the service control manager if that has started it, in the foreground otherwise. It counts as started at once.
func Run(ctx context.Context, run func(context.Context) error) error {
	return osservice.Control{Name: windowsName}.Run(ctx, func(ctx context.Context, _ func()) error { return run(ctx) })
}
