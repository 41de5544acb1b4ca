//go:build !linux && !darwin && !windows

package machine

import "context"

// ThisComputer is not known on this system.
func ThisComputer(context.Context) (Identity, error) { return Identity{}, ErrNoIdentity }
