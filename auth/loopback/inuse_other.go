//go:build !windows

package loopback

import (
	"errors"
	"syscall"
)

// inUse tells whether a port could not be opened because somebody else has it.
func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
