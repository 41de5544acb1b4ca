//go:build !linux && !darwin && !windows

package osuser

import (
	"context"
	"errors"
)

// Of is not known on this system.
func Of(context.Context, string) (Account, error) { return Account{}, errors.ErrUnsupported }
