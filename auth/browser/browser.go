package browser

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Request says how to sign in.
type Request struct {
	SignInURL     string // of the server (api.BrowserConfig)
	Provider      string // empty: the server's usual one
	Hint          string // who is expected; empty: nobody in particular
	SelectAccount bool   // let the provider ask which account
	Texts         Texts  // for the page that the browser ends at
	// Open opens an address in the system browser. It must not wait for the person.
	Open func(ctx context.Context, address string) error
}

// Texts are for the person, in their language. The zero value is English.
type Texts struct {
	Language string // of the texts, "en"
	Done     string // "You're signed in. You can close this tab."
	Failed   string // "You are not signed in. You can close this tab."
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

// farewellTime is how long the last page may take to reach the browser.
const farewellTime = 2 * time.Second

// SignIn opens the browser and waits until it comes back, or ctx ends. Errors: ErrListen, ErrOpen, ErrAddress,
// *RefusedError, ctx's.
func SignIn(ctx context.Context, r Request) (Proof, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrListen, err)
	}
	port := listener.Addr().(*net.TCPAddr).Port // tcp4 has no other kind of address
	state, verifier := random(), random()
	address, err := r.address(port, state, api.Challenge(verifier.Reveal()))
	if err != nil {
		_ = listener.Close()
		return Proof{}, err
	}
	box := newBox(port, state, r.Texts)
	server := &http.Server{
		Handler: box, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	server.SetKeepAlivesEnabled(false)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends by Shutdown
	}()
	defer func() {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
		defer cancel()
		if server.Shutdown(farewell) != nil {
			_ = server.Close()
		}
		<-served
	}()
	if err := r.Open(ctx, address); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	select {
	case a := <-box.answer:
		if a.refused != "" {
			return Proof{}, &RefusedError{Code: a.refused}
		}
		return Proof{Code: a.code, Verifier: verifier}, nil
	case <-ctx.Done():
		return Proof{}, ctx.Err()
	}
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

// random is api.VerifierBytes of randomness as text.
func random() secret.String {
	raw := make([]byte, api.VerifierBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return secret.New(base64.RawURLEncoding.EncodeToString(raw))
}
