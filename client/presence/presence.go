// Package presence tells whether somebody is in front of this computer: how long nobody moved, and whether the screen is
// locked. It is asked now and then, on shared computers while somebody is signed in; between two readings it has no
// connection, no goroutine and no timer.
//
// Linux has no one place to ask, so several are, and what they say is put together (New in presence_linux.go). Windows
// has both for every session. On macOS it would need frameworks that only cgo reaches: there is ErrUnsupported.
package presence

import (
	"context"
	"errors"
	"time"
)

// ErrUnsupported says that this system, or this desktop, tells nothing.
var ErrUnsupported = errors.New("this computer does not tell whether somebody is here")

// Reading is what is known at one moment.
type Reading struct {
	Idle        time.Duration // since somebody moved; it counts only when IdleKnown
	IdleKnown   bool
	Locked      bool // the screen is locked; it counts only when LockedKnown
	LockedKnown bool
}

// Source tells it. Read takes until the end of ctx at most; its error means that nothing at all is known.
type Source interface {
	Read(ctx context.Context) (Reading, error)
}
