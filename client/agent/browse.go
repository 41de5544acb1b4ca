package agent

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/platenprint/platen/auth/browser"
	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/client/opener"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// pages is the system browser in the words of client/session.
type pages struct {
	texts func() loopback.Texts
	// ours tells whether a page is of the server that is used; nil: it is. The server is given what the page says of a person: with
	// the page of another one, it could sign in there as them.
	ours func(page string) bool
}

var _ session.Browser = pages{}

// Usable implements session.Browser.
func (pages) Usable() bool { return opener.Usable(os.Getenv) }

// Open implements session.Browser.
func (pages) Open(ctx context.Context, address string) error {
	return opener.Open(ctx, address, opener.StartPatience)
}

// SignIn implements session.Browser.
func (p pages) SignIn(ctx context.Context, site api.BrowserConfig, how session.Browse) (code, verifier secret.String, err error) {
	if p.ours != nil && !p.ours(site.SignInURL) {
		return code, verifier, notBrowsed(fmt.Errorf("%w: %s is a page of another server than the one that is used; set ServerURL to the server's own name", browser.ErrAddress, site.SignInURL))
	}
	proof, err := browser.SignIn(ctx, browser.Request{
		SignInURL: site.SignInURL, Provider: how.Provider, Hint: how.Hint, SelectAccount: how.SelectAccount, Texts: p.texts(), Open: how.Open,
	})
	return proof.Code, proof.Verifier, notBrowsed(err)
}

// notBrowsed says a failure in the browser in the words of the session.
func notBrowsed(err error) error {
	problem := func(code status.ProblemCode) error {
		return &session.Error{Problem: status.Problem{Code: code, Details: err.Error()}, Err: err}
	}
	if refused, ok := errors.AsType[*browser.RefusedError](err); ok {
		switch refused.Code {
		case api.BrowserErrorCancelled:
			return fmt.Errorf("%w in the browser", context.Canceled)
		case api.BrowserErrorNoAccount:
			return problem(status.ProblemNoAccount)
		case api.BrowserErrorDisabled:
			return problem(status.ProblemAccountDisabled)
		case api.BrowserErrorUnavailable:
			return problem(status.ProblemProviderUnreachable)
		}
		return problem(status.ProblemProvider)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, browser.ErrOpen), errors.Is(err, browser.ErrListen):
		return problem(status.ProblemNoBrowser)
	case errors.Is(err, browser.ErrAddress):
		return problem(status.ProblemServer)
	}
	return err
}
