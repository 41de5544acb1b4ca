//go:build !linux && !darwin && !windows

package osuser

import (
	"context"
	"errors"
)

// Current is not known on this system.
func Current(context.Context) (Account, error) {
	return Account{}, errors.ErrUnsupported
}
