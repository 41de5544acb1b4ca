package ipc

import (
	"errors"
	"time"

	"github.com/platenprint/platen/internal/api"
)

// Code is what went wrong, for programs.
type Code string

// The codes. Those of the client's side come first.
const (
	CodeNotRunning Code = "not_running" // no service on this computer
	CodeImpostor   Code = "impostor"    // something else listens in the service's place: nothing was said to it
	CodeVersion    Code = "version"     // client and service are of different releases
	CodeBroken     Code = "broken"      // the connection broke, or what came is no answer

	CodeInvalid     Code = "invalid"      // the service was asked something that it does not know
	CodeLimited     Code = "limited"      // too many questions: RetryAt says when
	CodeNotEnrolled Code = "not_enrolled" // the computer is no device of a server
	CodePending     Code = "pending"      // it waits for the administrator's approval
	CodeRevoked     Code = "revoked"      // it was a device and is none any more
	CodeRefused     Code = "refused"      // the server will not take this computer's word for this account: ask the person
	CodeUnreachable Code = "unreachable"  // the server cannot be reached
	CodeCertificate Code = "certificate"  // the server is not the one that this computer was enrolled at, or a certificate ended
	CodeClock       Code = "clock"        // the computer's clock is too far from the server's
	CodeServer      Code = "server"       // the server answers an internal error, or nonsense
	CodeInternal    Code = "internal"     // something in the service failed; its log says what
)

// Error is a failed call. Use errors.AsType or CodeOf to get at it.
type Error struct {
	Code    Code      `json:"code"`
	API     api.Code  `json:"api_code,omitempty"` // the server's own code, where it was the server that said no
	RetryAt time.Time `json:"retry_at,omitzero"`  // CodeLimited
	Text    string    `json:"text,omitempty"`     // one sentence for the helpdesk, with the remedy; no secret, no input
	cause   error
}

// Error returns Text, or the code.
func (e *Error) Error() string {
	if e.Text != "" {
		return e.Text
	}
	return "platen-deploy: " + string(e.Code)
}

// Unwrap gives the cause on this side of the line, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Fail makes an Error for a handler. text goes to the caller.
func Fail(code Code, text string, cause error) *Error {
	return &Error{Code: code, Text: text, cause: cause}
}

// CodeOf returns the code of err, CodeInternal if it has none, "" if err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
