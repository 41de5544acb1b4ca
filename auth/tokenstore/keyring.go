package tokenstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"
)

// State says whether the OS keyring can be used now.
type State string

// The states of the keyring.
const (
	Available    State = "available"
	Missing      State = "missing"      // this computer or session has none
	Locked       State = "locked"       // there is one, and it is locked
	Unresponsive State = "unresponsive" // there is one, and it does not answer in time
	Failing      State = "failing"      // there is one, and it answers with errors
)

// Availability is a State with its reason, an English sentence for the doctor and the log.
type Availability struct {
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// Keyring is the part of an OS keyring that the store needs. Its calls may block for as long as they like: the store
// never waits for them without a deadline, and never makes two at a time.
type Keyring interface {
	// Probe tells whether the keyring can be used. It must not prompt, and must not start a session bus.
	Probe(ctx context.Context) Availability
	// Get returns a secret, and keyring.ErrNotFound (of go-keyring) if there is none.
	Get(service, account string) (string, error)
	// Set keeps a secret in place of an older one.
	Set(service, account, secret string) error
	// Delete removes a secret; keyring.ErrNotFound if there is none.
	Delete(service, account string) error
}

// ErrUnavailable says that the keyring cannot be used now. errors.As finds the *UnavailableError with the reason.
var ErrUnavailable = errors.New("the keyring of this computer cannot be used")

// UnavailableError is ErrUnavailable with what was found.
type UnavailableError struct{ Availability }

// Error implements error.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%v: it is %s: %s", ErrUnavailable, e.State, e.Reason)
}

// Is makes it an ErrUnavailable.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// errSlow says that a keyring call did not end in time.
var errSlow = errors.New("no answer in time")

// guard runs keyring calls off the caller's goroutine, one at a time, each with a deadline. A call that never ends keeps
// one goroutine, however often the keyring is tried again.
type guard struct {
	timeout time.Duration
	busy    chan struct{} // holds one token while a call runs
}

func newGuard(timeout time.Duration) *guard {
	return &guard{timeout: timeout, busy: make(chan struct{}, 1)}
}

// guarded runs call under g. A late result is thrown away.
func guarded[T any](ctx context.Context, g *guard, call func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	callCtx, cancel := context.WithTimeoutCause(ctx, g.timeout, errSlow)
	defer cancel()
	select {
	case g.busy <- struct{}{}:
	case <-callCtx.Done():
		return none, fmt.Errorf("an earlier call has not ended: %w", context.Cause(callCtx))
	}
	done := make(chan result, 1)
	go func() {
		value, err := call(callCtx)
		<-g.busy
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-callCtx.Done():
		return none, context.Cause(callCtx)
	}
}

// unavailable makes an UnavailableError of what a keyring call returned.
func unavailable(what string, err error) error {
	if errors.Is(err, errSlow) {
		return &UnavailableError{Availability{Unresponsive, what + ": " + err.Error()}}
	}
	return &UnavailableError{Availability{Failing, what + ": " + err.Error()}}
}

// system is the keyring of the operating system: Secret Service, Credential Manager or Keychain.
type system struct{}

var _ Keyring = system{}

func (system) Get(service, account string) (string, error) {
	if err := prepare(); err != nil {
		return "", err
	}
	return keyring.Get(service, account)
}

func (system) Set(service, account, secret string) error {
	if err := prepare(); err != nil {
		return err
	}
	return keyring.Set(service, account, secret)
}

func (system) Delete(service, account string) error {
	if err := prepare(); err != nil {
		return err
	}
	return keyring.Delete(service, account)
}
