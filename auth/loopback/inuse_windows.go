package loopback

import (
	"errors"

	"golang.org/x/sys/windows"
)

// inUse tells whether a port could not be opened because somebody else has it.
func inUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
