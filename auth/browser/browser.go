package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Request says how to sign in.
type Request struct {
	SignInURL     string         // of the server (api.BrowserConfig)
	Provider      string         // empty: the server's usual one
	Hint          string         // who is expected; empty: nobody in particular
	SelectAccount bool           // let the provider ask which account
	Texts         loopback.Texts // for the page that the browser ends at
	// Open opens an address in the system browser. It must not wait for the person.
	Open func(ctx context.Context, address string) error
}

// Proof is what the browser brought, and what it was bound to: together they are worth a session, once.
type Proof struct {
	Code     secret.String
	Verifier secret.String
}

var (
	// ErrListen says that the system gave us no port to listen on.
	ErrListen = errors.New("cannot listen for the browser's answer on this computer")
	// ErrOpen says that no browser could be opened.
	ErrOpen = errors.New("the browser could not be opened")
	// ErrAddress says that the server named no address that can be opened.
	ErrAddress = errors.New("the server's address for signing in is not usable")
)

// RefusedError says that the browser came back without a code.
type RefusedError struct {
	Code string // api.BrowserErrorCancelled and its like; whatever else came is api.BrowserErrorFailed
}

// Error implements error.
func (e *RefusedError) Error() string { return "the browser came back without a sign-in: " + e.Code }

// Limits of what the browser may bring, in bytes.
const (
	maxForm = 16 << 10
	maxCode = 256
)

// SignIn opens the browser and waits until it comes back, or ctx ends. Errors: ErrListen, ErrOpen, ErrAddress,
// *RefusedError, ctx's.
func SignIn(ctx context.Context, r Request) (proof Proof, err error) {
	receiver, err := loopback.Listen(ctx, loopback.Options{Host: loopback.IPv4, Texts: r.Texts, MaxForm: maxForm, MaxCode: maxCode})
	if err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrListen, err)
	}
	defer func() { receiver.Close(err == nil) }()
	verifier := loopback.Random()
	address, err := r.address(receiver.Port(), receiver.State(), api.Challenge(verifier.Reveal()))
	if err != nil {
		return Proof{}, err
	}
	if err := r.Open(ctx, address); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	answer, err := receiver.Wait(ctx)
	if err != nil {
		return Proof{}, err
	}
	if answer.Code.Empty() {
		return Proof{}, &RefusedError{Code: known(answer.Refusal.Get("error"))}
	}
	return Proof{Code: answer.Code, Verifier: verifier}, nil
}

// known keeps the errors of the protocol.
func known(code string) string {
	all := []string{
		api.BrowserErrorCancelled, api.BrowserErrorNoAccount, api.BrowserErrorDisabled, api.BrowserErrorUnavailable, api.BrowserErrorFailed,
	}
	if slices.Contains(all, code) {
		return code
	}
	return api.BrowserErrorFailed
}

// address is where the browser begins.
func (r Request) address(port int, state secret.String, challenge string) (string, error) {
	u, err := url.Parse(r.SignInURL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return "", fmt.Errorf("%w: it must be https and no more than host, path and query", ErrAddress)
	}
	q := u.Query()
	q.Set("challenge", challenge)
	q.Set("port", strconv.Itoa(port))
	q.Set("state", state.Reveal())
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("login_hint", r.Hint)
	set("provider", r.Provider)
	if r.SelectAccount {
		q.Set("prompt", "select_account")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
