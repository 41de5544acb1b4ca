package admin

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

// Limits of the wire, in bytes.
const (
	maxCall       = 1 << 20
	maxImportCall = 96 << 20 // a file of 64 MiB in base64
	maxSocketPath = 100      // of the 104 of macOS and the 108 of Linux
)

// trailerWhole says of a backup that it was sent to its end.
const trailerWhole = "Platen-Whole"

// ErrNotRunning says that no server answers for the data folder.
var ErrNotRunning = errors.New("the server is not running")

// ErrUnknownOutcome says that the connection ended before the answer: the call may or may not have been done.
var ErrUnknownOutcome = errors.New("the server went away before it answered")

// message is one line of an answer.
type message struct {
	Progress *Progress       `json:"progress,omitempty"`
	Item     json.RawMessage `json:"item,omitempty"` // one of many, before the result
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *wireError      `json:"error,omitempty"`
}

type wireError struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// kinds gives the kinds of errors their names on the wire, and back.
var kinds = []struct {
	name string
	kind error
}{
	{"not_found", core.ErrNotFound},
	{"conflict", core.ErrConflict},
	{"ambiguous", core.ErrAmbiguous},
	{"insufficient", core.ErrInsufficient},
	{"invalid", core.ErrInvalid},
	{"forbidden", core.ErrForbidden},
	{"unavailable", core.ErrUnavailable},
	{"disabled", core.ErrDisabled},
	{"limited", core.ErrLimited},
}

// Error is an error of the server, on the client's side: its text is the server's, its kind one of core's.
type Error struct {
	Kind    string // "" for a fault of the server
	Message string
}

func (e *Error) Error() string { return e.Message }

// Is makes errors.Is work for the kinds of core.
func (e *Error) Is(target error) bool {
	for _, k := range kinds {
		if k.name == e.Kind {
			return target == k.kind
		}
	}
	return false
}

// KindOf names the kind of an error, "failed" for none of core's.
func KindOf(err error) string {
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.name
		}
	}
	return "failed"
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", core.ErrInvalid, fmt.Sprintf(format, args...))
}
