//go:build !linux

package main

import (
	"context"
	"errors"
)

// beInstaller has no packages here.
func beInstaller(context.Context) error { return errors.New("packages are measured on Linux") }
