//go:build !linux && !darwin && !windows

package service

// Find knows no service system here.
func Find() (Manager, error) { return nil, ErrNoServiceSystem }
