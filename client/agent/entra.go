package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

// entraTimeout is longer than the session waits: the session decides.
const entraTimeout = time.Hour

// entra is auth/microsoft in the words of client/session. Microsoft's library is made at the first sign-in that needs it.
type entra struct {
	extra  *url.URL // an authority beside Microsoft's clouds, by the settings; nil: none
	http   func() *http.Client
	texts  func() loopback.Texts
	cache  *entraCache
	logger *slog.Logger

	mu     sync.Mutex // guards the fields below
	client *microsoft.Client
	config api.MicrosoftConfig
	open   func(context.Context, string) error // of the sign-in under way
}

var _ session.Microsoft = (*entra)(nil)

// Allowed implements session.Microsoft.
func (e *entra) Allowed(site api.MicrosoftConfig) bool {
	return microsoft.KnownAuthority(site.Authority) || e.isExtra(site)
}

// isExtra tells whether the settings of this computer name the site's authority.
func (e *entra) isExtra(site api.MicrosoftConfig) bool {
	u, err := url.Parse(site.Authority)
	return err == nil && e.extra != nil && u.Scheme == e.extra.Scheme && strings.EqualFold(u.Host, e.extra.Host)
}

// of returns the client for a site, and makes it when there is none yet or the site has changed.
func (e *entra) of(site api.MicrosoftConfig) (*microsoft.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil && e.config == site {
		return e.client, nil
	}
	client, err := microsoft.New(microsoft.Options{
		Config: site, AnyAuthority: e.isExtra(site), Cache: e.cache, HTTPClient: e.http(), OpenURL: e.openURL, Timeout: entraTimeout,
		Texts: e.texts(), Logger: e.logger,
	})
	if err != nil {
		return nil, notByMicrosoft(err)
	}
	if e.client != nil {
		e.client.Close()
	}
	e.client, e.config = client, site
	return client, nil
}

func (e *entra) openURL(ctx context.Context, address string) error {
	e.mu.Lock()
	open := e.open
	e.mu.Unlock()
	if open == nil {
		return errNoBrowser
	}
	return open(ctx, address)
}

// Silent implements session.Microsoft.
func (e *entra) Silent(ctx context.Context, site api.MicrosoftConfig, account string) (session.Proof, error) {
	client, err := e.of(site)
	if err != nil {
		return session.Proof{}, err
	}
	token, err := client.Silent(ctx, "")
	if err != nil {
		return session.Proof{}, notByMicrosoft(err)
	}
	proof := proofOf(token)
	if account != "" && !auth.Same(account, proof.Username) {
		return session.Proof{}, errSomebodyElse
	}
	return proof, nil
}

// proofOf names people by the id of their account where Microsoft has no name for them.
func proofOf(t microsoft.Token) session.Proof {
	return session.Proof{Token: t.AccessToken, Username: cmp.Or(t.Username, t.HomeAccountID)}
}

// SignIn implements session.Microsoft.
func (e *entra) SignIn(ctx context.Context, site api.MicrosoftConfig, how session.Browse) (session.Proof, error) {
	client, err := e.of(site)
	if err != nil {
		return session.Proof{}, err
	}
	e.mu.Lock()
	e.open = how.Open
	e.mu.Unlock()
	for {
		token, err := client.SignIn(ctx, microsoft.Request{Hint: how.Hint, SelectAccount: how.SelectAccount})
		if err == nil {
			return proofOf(token), nil
		}
		if failure, ok := errors.AsType[*microsoft.Error](err); !ok || failure.Kind != microsoft.Busy {
			return session.Proof{}, notByMicrosoft(err)
		}
		wait := time.NewTimer(busyWait) // the one that was given up has not ended yet
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return session.Proof{}, ctx.Err()
		}
	}
}

// busyWait is how long to wait between two looks whether the sign-in before has ended.
const busyWait = 20 * time.Millisecond

// Keep implements session.Microsoft.
func (e *entra) Keep(ctx context.Context) error { return e.cache.keep(ctx) }

// Release implements session.Microsoft.
func (e *entra) Release(ctx context.Context) error { return e.cache.release(ctx) }

// Forget implements session.Microsoft. What this program has never used is forgotten on disk alone.
func (e *entra) Forget(ctx context.Context) error {
	e.mu.Lock()
	client := e.client
	e.mu.Unlock()
	var err error
	if client != nil {
		err = client.SignOut(ctx)
	}
	return errors.Join(err, e.cache.forget(ctx))
}

var (
	errNoBrowser    = errors.New("no sign-in is under way")
	errSomebodyElse = errors.New("somebody else is remembered than is expected")
)

// notByMicrosoft says a failure of auth/microsoft in the words of the session.
func notByMicrosoft(err error) error {
	failure, ok := errors.AsType[*microsoft.Error](err)
	if !ok {
		return err
	}
	p := status.Problem{Code: status.ProblemProvider, Details: err.Error()}
	switch failure.Kind {
	case microsoft.Refused:
		v := failure.Verdict
		if v.Kind == aadsts.Cancelled {
			return fmt.Errorf("%w in the browser", context.Canceled)
		}
		p.Code, p.Sentence, p.Method = refusalCode(v.Kind), v.Sentence, status.Method(v.Method)
	case microsoft.Cancelled:
		return fmt.Errorf("%w: %w", context.Canceled, err)
	case microsoft.TimedOut:
		p.Code = status.ProblemTimedOut
	case microsoft.NoBrowser, microsoft.NoPort:
		p.Code = status.ProblemNoBrowser
	case microsoft.Unreachable:
		p.Code = status.ProblemProviderUnreachable
	case microsoft.Busy, microsoft.BadAnswer, microsoft.Unusable, microsoft.NoAccount, microsoft.BadConfig:
	}
	return &session.Error{Problem: p, Err: err}
}

// refusalCode is the problem that goes with a refusal of Entra ID; its sentence says more.
func refusalCode(kind aadsts.Kind) status.ProblemCode {
	switch kind {
	case aadsts.WrongCredentials, aadsts.UnknownUser:
		return status.ProblemWrongCredentials
	case aadsts.Disabled:
		return status.ProblemAccountDisabled
	case aadsts.Locked:
		return status.ProblemLimited
	case aadsts.PasswordExpired:
		return status.ProblemPasswordExpired
	case aadsts.MFARequired:
		return status.ProblemMFARequired
	case aadsts.ConsentRequired:
		return status.ProblemConsentRequired
	case aadsts.DeviceBlocked:
		return status.ProblemDeviceBlocked
	case aadsts.NotAssigned, aadsts.OtherTenant:
		return status.ProblemNoAccount
	case aadsts.Unavailable:
		return status.ProblemProviderUnreachable
	case aadsts.PolicyBlocked, aadsts.Misconfigured, aadsts.SessionExpired, aadsts.Cancelled, aadsts.Unknown:
	}
	return status.ProblemProvider
}
