//go:build !linux && !darwin && !windows

package statedir

import "errors"

// Find knows no folder on this system.
func Find() (Places, error) { return Places{}, errors.ErrUnsupported }
