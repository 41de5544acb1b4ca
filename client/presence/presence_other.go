//go:build !linux && !windows

package presence

import (
	"context"

	"github.com/platenprint/platen/internal/clock"
)

// unsupported tells nothing.
type unsupported struct{}

// New returns a presence that always says ErrUnsupported.
func New(func(string) string, clock.Clock) Source { return unsupported{} }

// Read implements Source.
func (unsupported) Read(context.Context) (Reading, error) { return Reading{}, ErrUnsupported }
