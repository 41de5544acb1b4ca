package microsoft

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/auth/loopback"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// Limits of what the browser may bring, in bytes.
const (
	maxForm = 64 << 10
	maxCode = 8 << 10 // Entra's have a few hundred to two thousand
)

// DefaultTimeout is how long a person has in the browser.
const DefaultTimeout = 5 * time.Minute

// Options say whom to ask and how.
type Options struct {
	Config api.MicrosoftConfig // from the server
	// AnyAuthority lets people be sent to authorities that are not Microsoft's (see KnownAuthority): by machine policy only.
	AnyAuthority bool
	Cache        Cache        // nil: the tokens are gone when the program ends, as on shared computers
	HTTPClient   *http.Client // nil: one with the system's proxy and certificates
	// OpenURL opens an address in the system browser and does not wait for the person. It may keep the address, to open it
	// again while SignIn goes on.
	OpenURL func(ctx context.Context, address string) error
	Timeout time.Duration  // for the person; DefaultTimeout if zero
	Texts   loopback.Texts // for the page that the browser ends at
	Logger  *slog.Logger   // none if nil
}

// Request says how to sign in.
type Request struct {
	Hint          string // the UPN of whoever is expected; empty: nobody in particular
	SelectAccount bool   // show the account picker, whoever is signed in in the browser
	Claims        string // of a claims challenge (aadsts.Verdict), JSON
}

// Token is an access token for the server's own scope. Whose it is only the server can tell for sure; what stands here is
// for showing and comparing.
type Token struct {
	AccessToken   secret.String
	Username      string // preferred_username, mostly the UPN
	HomeAccountID string // OBJECT.TENANT: the same for good
	Expires       time.Time
}

// Client signs people in at one tenant. It is safe for concurrent use. It holds about 60 KB once somebody has signed in,
// so it is made when it is needed.
type Client struct {
	app       public.Client
	authority *url.URL
	config    api.MicrosoftConfig
	keeper    *keeper
	open      func(context.Context, string) error
	timeout   time.Duration
	texts     loopback.Texts
	log       *slog.Logger
	listen    loopback.ListenFunc // the system's if nil
	http      bounded

	signingIn atomic.Bool
}

// New prepares a client. It asks nobody. The error is an *Error of the kind BadConfig.
func New(o Options) (*Client, error) {
	authority, err := parseAuthority(o.Config.Authority)
	switch {
	case err != nil:
		return nil, failf(BadConfig, "the authority: %w", err)
	case !o.AnyAuthority && !KnownAuthority(o.Config.Authority):
		return nil, failf(BadConfig, "the authority %s is not one of Microsoft's clouds, and machine policy does not name it", authority.Host)
	case o.Config.ClientID == "" || o.Config.Scope == "" || strings.ContainsAny(o.Config.Scope, " \t\r\n"):
		return nil, failf(BadConfig, "it needs a client id and one scope")
	case !ownScope(o.Config.Scope):
		return nil, failf(BadConfig, "the scope is not one of an API of its own (api://APPLICATION/NAME), so its tokens would be good for more than printing")
	case o.OpenURL == nil:
		return nil, failf(BadConfig, "there is nothing to open a browser with")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	c := &Client{
		authority: authority, config: o.Config, keeper: &keeper{cache: o.Cache, log: o.Logger}, open: o.OpenURL, timeout: o.Timeout,
		texts: o.Texts, log: o.Logger, http: bound(o.HTTPClient),
	}
	c.app, err = public.New(o.Config.ClientID,
		public.WithAuthority(authority.String()),
		public.WithInstanceDiscovery(false), // the authority is checked here; the question would go to the public cloud
		public.WithHTTPClient(c.http),
		public.WithCache(c.keeper),
	)
	if err != nil {
		return nil, failf(BadConfig, "%s", harmless(err.Error()))
	}
	return c, nil
}

func (c *Client) scopes() []string { return []string{c.config.Scope} }

// SignIn lets the person sign in in the system browser and waits for it, at most for the Timeout. Whoever was signed in here
// before is forgotten: there is one person at a time. The error is an *Error. A second call while one is under way is Busy;
// the first one goes on.
func (c *Client) SignIn(ctx context.Context, r Request) (Token, error) {
	if !c.signingIn.CompareAndSwap(false, true) {
		return Token{}, &Error{Kind: Busy}
	}
	defer c.signingIn.Store(false)
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimedOut)
	defer cancel()
	token, err := c.interactive(ctx, r)
	if err != nil {
		c.log.InfoContext(ctx, "sign-in with Microsoft ended", "kind", string(err.Kind), "aadsts", err.Verdict.Code, "trace_id", err.Verdict.TraceID)
		return Token{}, err
	}
	c.dropOthers(ctx, token.HomeAccountID)
	c.log.InfoContext(ctx, "signed in with Microsoft", "expires", token.Expires)
	return token, nil
}

// dropOthers forgets whoever was signed in here before.
func (c *Client) dropOthers(ctx context.Context, account string) {
	accounts, err := c.app.Accounts(ctx)
	for _, a := range accounts {
		if a.HomeAccountID != account {
			err = errors.Join(err, c.app.RemoveAccount(ctx, a))
		}
	}
	if err != nil {
		c.log.WarnContext(ctx, "could not forget another sign-in with Microsoft", "error", harmless(err.Error()))
	}
}

func (c *Client) interactive(ctx context.Context, r Request) (token Token, failure *Error) {
	receiver, err := loopback.Listen(ctx, loopback.Options{
		Host: loopback.Localhost, Texts: c.texts, MaxForm: maxForm, MaxCode: maxCode, EndByAddress: true, Listen: c.listen,
	})
	if err != nil {
		if ctx.Err() != nil {
			return Token{}, ended(ctx)
		}
		return Token{}, &Error{Kind: NoPort, cause: err}
	}
	defer func() { receiver.Close(failure == nil) }()
	verifier := loopback.Random()
	address, failure := c.address(ctx, r, receiver.Address(), receiver.State(), api.Challenge(verifier.Reveal()))
	if failure != nil {
		return Token{}, failure
	}
	if err := c.open(ctx, address); err != nil {
		if ctx.Err() != nil {
			return Token{}, ended(ctx)
		}
		return Token{}, failf(NoBrowser, "%s", harmless(err.Error())) // it may have the address in it
	}
	code, failure := wait(ctx, receiver)
	if failure != nil {
		return Token{}, failure
	}
	options := []public.AcquireByAuthCodeOption{public.WithChallenge(verifier.Reveal())}
	if r.Claims != "" {
		options = append(options, public.WithClaims(r.Claims))
	}
	result, err := c.app.AcquireTokenByAuthCode(ctx, code.Reveal(), receiver.Address(), c.scopes(), options...)
	if err != nil {
		return Token{}, translate(ctx, err)
	}
	return tokenOf(result)
}

// wait returns the code that the browser brings.
func wait(ctx context.Context, receiver *loopback.Receiver) (secret.String, *Error) {
	answer, err := receiver.Wait(ctx)
	switch {
	case errors.Is(err, loopback.ErrInAddress):
		return secret.String{}, failf(BadAnswer, "%w: response_mode=form_post was not honoured", err)
	case err != nil:
		failure := ended(ctx)
		if failure.Kind == TimedOut && receiver.Strange() {
			failure = failf(BadAnswer, "what came belonged to another sign-in, and the right one did not come in time")
		}
		return secret.String{}, failure
	case answer.Code.Empty():
		said, ok := aadsts.ParseValues(answer.Refusal)
		if !ok {
			return secret.String{}, failf(BadAnswer, "there is neither a code nor an error in it")
		}
		return secret.String{}, &Error{Kind: Refused, Verdict: aadsts.Classify(said)}
	}
	return answer.Code, nil
}

// address is where the browser begins.
func (c *Client) address(ctx context.Context, r Request, redirect string, state secret.String, challenge string) (string, *Error) {
	var options []public.AuthCodeURLOption
	if r.Hint != "" {
		options = append(options, public.WithLoginHint(r.Hint))
	}
	if r.Claims != "" {
		options = append(options, public.WithClaims(r.Claims))
	}
	scopes := append(c.scopes(), "openid", "offline_access", "profile") // which MSAL adds elsewhere, and not here
	text, err := c.app.AuthCodeURL(ctx, c.config.ClientID, redirect, scopes, options...)
	if err != nil {
		return "", translate(ctx, err)
	}
	u, err := url.Parse(text)
	if err != nil || !mayOpen(c.authority, u) {
		return "", failf(Unusable, "its page for signing in is not at the authority's host")
	}
	q := u.Query()
	q.Set("response_mode", "form_post")
	q.Set("state", state.Reveal())
	q.Set("code_challenge", challenge)
	q.Set("code_challenge_method", "S256")
	if r.SelectAccount {
		q.Set("prompt", "select_account")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// Silent returns a token without asking anybody: the kept one, or a fresh one for the kept refresh token. account is a
// HomeAccountID; empty is the one who is signed in, if there is only one. The error is an *Error: NoAccount and most kinds of
// Refused mean that the person has to sign in, Unreachable means to try again later.
func (c *Client) Silent(ctx context.Context, account string) (Token, error) {
	accounts, err := c.app.Accounts(ctx)
	if err != nil {
		return Token{}, translate(ctx, err)
	}
	var found []public.Account
	for _, a := range accounts {
		if account == "" || a.HomeAccountID == account {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		return Token{}, &Error{Kind: NoAccount}
	}
	result, err := c.app.AcquireTokenSilent(ctx, c.scopes(), public.WithSilentAccount(found[0]))
	if err != nil {
		failure := translate(ctx, err)
		c.log.InfoContext(ctx, "no token from Microsoft without asking", "kind", string(failure.Kind), "aadsts", failure.Verdict.Code)
		return Token{}, failure
	}
	token, failure := tokenOf(result)
	if failure != nil {
		return Token{}, failure
	}
	return token, nil
}

// SignOut forgets every account and token, here and in the Cache. The browser's own session stays: it is not ours to end.
func (c *Client) SignOut(ctx context.Context) error {
	accounts, err := c.app.Accounts(ctx)
	for _, a := range accounts {
		err = errors.Join(err, c.app.RemoveAccount(ctx, a))
	}
	if err := errors.Join(err, c.keeper.forget(ctx)); err != nil {
		return failf(Unusable, "forget the sign-in with Microsoft: %s", harmless(err.Error()))
	}
	return nil
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func tokenOf(r public.AuthResult) (Token, *Error) {
	if r.AccessToken == "" {
		return Token{}, failf(Unusable, "there is no access token in it")
	}
	return Token{
		AccessToken: secret.New(r.AccessToken), Username: r.Account.PreferredUsername, HomeAccountID: r.Account.HomeAccountID, Expires: r.ExpiresOn,
	}, nil
}
