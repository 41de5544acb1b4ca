package ipc

import (
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
)

// Version is the version of this protocol. It is raised when a field changes its meaning.
const Version = 1

// verb is what is asked. The list is closed.
type verb string

const (
	verbStatus verb = "status"
	verbAssert verb = "assert"
)

// request is all that a caller says.
type request struct {
	V         int    `json:"v"`
	Verb      verb   `json:"verb"`
	Challenge string `json:"challenge,omitempty"` // assert
}

// challengeLength is the length of api.Challenge: 32 bytes in base64url without padding.
const challengeLength = 43

// check tells whether the request is one that may be answered.
func (r request) check() error {
	switch r.Verb {
	case verbStatus:
		if r.Challenge == "" {
			return nil
		}
	case verbAssert:
		if ValidChallenge(r.Challenge) {
			return nil
		}
	}
	return fmt.Errorf("%w: a known verb and what belongs to it is wanted", ErrFrame)
}

// ValidChallenge tells whether text has the form of api.Challenge.
func ValidChallenge(text string) bool {
	return len(text) == challengeLength && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// reply is all that the service says: exactly one of the last three.
type reply struct {
	V      int            `json:"v"`
	Status *Status        `json:"status,omitempty"`
	Code   *api.TrustCode `json:"code,omitempty"`
	Error  *Error         `json:"error,omitempty"`
}

// Enrolment says how far the computer is with becoming a device of the server.
type Enrolment string

// How far an enrolment is.
const (
	EnrolmentNone    Enrolment = "none"     // nobody has enrolled it
	EnrolmentPending Enrolment = "pending"  // it waits for the administrator's approval
	EnrolmentDone    Enrolment = "enrolled" // it is a device
	EnrolmentRevoked Enrolment = "revoked"  // it was a device; it must be enrolled anew
)

// Status is what every user of the computer may know about it. It names no person.
type Status struct {
	// Enrolled says that the computer can vouch for its users. What follows is from the server's latest answer, which is
	// kept over restarts and while the server cannot be reached.
	Enrolled bool   `json:"enrolled"`
	DeviceID string `json:"device_id,omitempty"`
	Group    string `json:"group,omitempty"`
	Role     string `json:"role,omitempty"` // personal, shared
	// AuthModes are the group's ways of signing in, best first; none: the server's.
	AuthModes     []string `json:"auth_modes,omitempty"`
	SharedOSUsers []string `json:"shared_os_users,omitempty"` // generic accounts of the operating system
	// ServerURL is the device listener, "https://print.example.org:8445". It is not where people sign in.
	ServerURL string `json:"server_url,omitempty"`

	Enrolment   Enrolment `json:"enrolment,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"` // of the key, for comparing by eye while it is pending
	Version     string    `json:"version,omitempty"`     // of the service
	// Problem is why the latest try to reach the server failed, Detail the sentence for the helpdesk. Empty: none.
	Problem Code      `json:"problem,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	SeenAt  time.Time `json:"seen_at,omitzero"`           // when the server answered last
	Until   time.Time `json:"certificate_until,omitzero"` // when the certificate ends, unless it is renewed

	// Wanted is the server that the computer's own settings name (not the listener, but where people sign in), WantedBy where
	// they stand. Empty: they name none, or do not want the computer to be a device by itself.
	Wanted   string `json:"wanted,omitempty"`
	WantedBy string `json:"wanted_by,omitempty"`
	// NextTry is when the service does the next thing by itself: tries again, asks for the approval, or reports.
	NextTry time.Time `json:"next_try,omitzero"`
}
