//go:build !linux && !darwin && !windows

package service

// Installed knows no places here.
func Installed() (Places, error) { return Places{}, ErrNoServiceSystem }

// Find knows no service system here.
func Find() (Manager, error) { return nil, ErrNoServiceSystem }
