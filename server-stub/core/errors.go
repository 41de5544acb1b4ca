package core

import (
	"errors"
	"fmt"
	"time"
)

// The kinds of errors. Every error that leaves a use case is one of these (errors.Is); internal/api has one wire code
// for each, and httpapi the one table between them. Anything else is a fault of ours and is answered as "internal".
var (
	// ErrNotFound: there is no such thing, or the caller may not know that there is.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the state forbids it: the name is taken, the key was used for something else.
	ErrConflict = errors.New("conflict")
	// ErrInvalid: the input is not what it must be; the text says what to write instead.
	ErrInvalid = errors.New("invalid")
	// ErrForbidden: known, but not allowed to do this.
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthenticated: no valid session; sign in again.
	ErrUnauthenticated = errors.New("not signed in")
	// ErrWrongCredentials: name or password is wrong; deliberately one answer for both.
	ErrWrongCredentials = errors.New("account or password is wrong")
	// ErrAmbiguous: a name that several people hold; said only after proof.
	ErrAmbiguous = errors.New("the name belongs to several people")
	// ErrDisabled: proven, but the account is disabled; said only after proof.
	ErrDisabled = errors.New("the account is disabled")
	// ErrAway: ErrDisabled, because the directory does not list the person any more. Who is listed again has everything again.
	ErrAway = fmt.Errorf("no directory lists the person any more: %w", ErrDisabled)
	// ErrPasswordExpired: proven as far as the directory tells, but it wants the password changed first.
	ErrPasswordExpired = errors.New("the password has expired and must be changed")
	// ErrMFARequired: the password is right, but the identity provider wants more than a password; said only after proof.
	ErrMFARequired = errors.New("a password alone is not enough for this account")
	// ErrLimited: too many tries; errors.As with *LimitedError tells when the next one is allowed.
	ErrLimited = errors.New("too many tries")
	// ErrUnavailable: something we depend on (directory, database) does not answer; try again later.
	ErrUnavailable = errors.New("not available now")
	// ErrInsufficient: the balance does not cover it.
	ErrInsufficient = errors.New("not enough credit")
)

// LimitedError is ErrLimited with the time at which the next try is allowed.
type LimitedError struct{ RetryAt time.Time }

func (e *LimitedError) Error() string { return ErrLimited.Error() }

// Is makes errors.Is(err, ErrLimited) true.
func (e *LimitedError) Is(target error) bool { return target == ErrLimited }
