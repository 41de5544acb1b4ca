package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/federation"
)

// ProviderConfig is one identity provider for pages.
type ProviderConfig struct {
	ID       string // in the configuration
	Name     string // on the button
	Issuer   string
	ClientID string
	// Secret is asked for with each exchange, so that it can be replaced while the server runs; empty for a public client.
	Secret func() (secret.String, error)
	Scopes []string // beside openid
	// Tenant makes it Microsoft Entra ID: its tokens are read as such, and only those of this tenant are believed.
	Tenant *Tenant
}

// Provider signs people in by authorization code and PKCE (OpenID Connect Core 1.0, RFC 7636). Safe for concurrent use.
type Provider struct {
	c        ProviderConfig
	client   *http.Client
	now      clock.Clock
	logger   *slog.Logger
	keys     *keyring
	verifier *gooidc.IDTokenVerifier
}

// algorithms are what identity tokens of other providers than Microsoft may be signed with. None of them takes a shared secret.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// NewProvider returns a Provider. It reads nothing yet: a provider that does not answer keeps nobody from starting the server.
func NewProvider(c ProviderConfig, client *http.Client, now clock.Clock, logger *slog.Logger) *Provider {
	p := &Provider{c: c, client: client, now: now, logger: logger}
	p.keys = &keyring{source: source{name: c.Name, issuer: c.Issuer, client: client, sameHost: c.Tenant != nil}, now: now, logger: logger}
	signed := make([]string, len(algorithms))
	for i, a := range algorithms {
		signed[i] = string(a)
	}
	if c.Tenant != nil {
		signed = []string{string(jose.RS256)}
	}
	p.verifier = gooidc.NewVerifier(c.Issuer, providerKeys{p.keys}, &gooidc.Config{
		ClientID: c.ClientID, SupportedSigningAlgs: signed, Now: func() time.Time { return now().Add(-tolerance) },
	})
	return p
}

// ID is the provider's id in the configuration.
func (p *Provider) ID() string { return p.c.ID }

// Name is what people call it.
func (p *Provider) Name() string { return p.c.Name }

// AuthRequest is one way to the provider and back. State, nonce and challenge belong to the browser that began.
type AuthRequest struct {
	RedirectURL string // registered at the provider
	State       string
	Nonce       string
	Challenge   string // RFC 7636, S256
	Hint        string // who is expected, "" when nobody is
	Prompt      string // "", "login" or "select_account"
	MaxAge      time.Duration
}

// AuthURL is where to send the browser. Errors: core.ErrUnavailable when the provider cannot be asked for its endpoints.
func (p *Provider) AuthURL(ctx context.Context, r AuthRequest) (string, error) {
	m, err := p.keys.endpoints(ctx)
	if err != nil {
		return "", fmt.Errorf("begin a sign-in: %w", err)
	}
	options := []oauth2.AuthCodeOption{
		gooidc.Nonce(r.Nonce), oauth2.SetAuthURLParam("code_challenge", r.Challenge), oauth2.SetAuthURLParam("code_challenge_method", "S256"),
		oauth2.SetAuthURLParam("response_mode", "query"),
	}
	if r.Hint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", r.Hint))
	}
	if slices.Contains([]string{"login", "select_account"}, r.Prompt) {
		options = append(options, oauth2.SetAuthURLParam("prompt", r.Prompt))
	}
	if r.MaxAge > 0 {
		options = append(options, oauth2.SetAuthURLParam("max_age", fmt.Sprint(int(r.MaxAge.Seconds()))))
	}
	return p.oauth(m, r.RedirectURL, secret.String{}).AuthCodeURL(r.State, options...), nil
}

func (p *Provider) oauth(m metadata, redirect string, s secret.String) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.c.ClientID, ClientSecret: s.Reveal(), RedirectURL: redirect, Scopes: append([]string{gooidc.ScopeOpenID}, p.c.Scopes...),
		Endpoint: oauth2.Endpoint{AuthURL: m.AuthURL, TokenURL: m.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
	}
}

// Exchange redeems a code and returns what the provider says. Errors: those of Denied, and ErrTokenInvalid when what comes back
// proves nothing.
func (p *Provider) Exchange(ctx context.Context, redirectURL, code, verifier, nonce string) (federation.Claims, error) {
	m, err := p.keys.endpoints(ctx)
	if err != nil {
		return federation.Claims{}, fmt.Errorf("finish a sign-in: %w", err)
	}
	var own secret.String
	if p.c.Secret != nil {
		if own, err = p.c.Secret(); err != nil {
			return federation.Claims{}, fmt.Errorf("finish a sign-in at %s: %w: %w", p.c.Name, core.ErrUnavailable, err)
		}
	}
	ctx = gooidc.ClientContext(ctx, p.client)
	token, err := p.oauth(m, redirectURL, own).Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		return federation.Claims{}, fmt.Errorf("finish a sign-in at %s: %w", p.c.Name, p.exchangeError(err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || len(raw) > maxToken {
		return federation.Claims{}, fmt.Errorf("finish a sign-in at %s: %w: there is no identity token", p.c.Name, ErrTokenInvalid)
	}
	claims, err := p.identity(ctx, raw, nonce, token.AccessToken)
	if err != nil {
		return federation.Claims{}, fmt.Errorf("finish a sign-in at %s: %w", p.c.Name, err)
	}
	return claims, nil
}

// exchangeError keeps of the library's error what may be logged: it has the whole answer of the token endpoint.
func (p *Provider) exchangeError(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return fmt.Errorf("%w: the token endpoint does not answer as it should", core.ErrUnavailable)
	}
	if r, ok := aadsts.ParseJSON(answer.Body); ok {
		err := p.denied(r)
		if r.Error == "invalid_grant" && errors.Is(err, core.ErrUnavailable) { // whatever the number: the code is of no use
			return fmt.Errorf("%w: %w", core.ErrUnauthenticated, err)
		}
		return err
	}
	return fmt.Errorf("%w: the token endpoint answers %d", core.ErrUnavailable, answer.Response.StatusCode)
}

// Denied makes an error of what a redirect from the provider says instead of a code; nil when it says nothing. It is of the
// kinds of Kind.
func (p *Provider) Denied(values url.Values) error {
	r, ok := aadsts.ParseValues(values)
	if !ok {
		return nil
	}
	return fmt.Errorf("sign in at %s: %w", p.c.Name, p.denied(r))
}

func (p *Provider) denied(r aadsts.Response) error {
	if p.c.Tenant == nil { // its numbers and words are not Microsoft's
		r = aadsts.Response{Error: r.Error}
	}
	v := aadsts.Classify(r)
	if p.c.Tenant == nil {
		v.Admin = "see what the provider's own log says"
	}
	return fmt.Errorf("%w: %w", Kind(v), v)
}

// identity checks an identity token.
func (p *Provider) identity(ctx context.Context, raw, nonce, accessToken string) (federation.Claims, error) {
	invalid := func(why string) (federation.Claims, error) {
		return federation.Claims{}, fmt.Errorf("%w: %s", ErrTokenInvalid, why)
	}
	var unavailable error
	token, err := p.verifier.Verify(context.WithValue(ctx, unavailableKey{}, &unavailable), raw)
	var expired *gooidc.TokenExpiredError
	switch {
	case err != nil && unavailable != nil:
		return federation.Claims{}, unavailable
	case errors.As(err, &expired):
		return invalid(inTime(expired.Expiry, time.Time{}, p.now()))
	case err != nil:
		return invalid(clip(err.Error())) // claims that were signed, or the form of what was not
	case nonce == "" || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(nonce)) != 1:
		return invalid("it answers another sign-in (nonce)")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(accessToken) != nil:
		return invalid("it belongs to another access token (at_hash)")
	}
	if p.c.Tenant != nil {
		var c entraClaims
		if token.Claims(&c) != nil {
			return invalid("its claims cannot be read")
		}
		t := *p.c.Tenant
		switch why := t.person(c); {
		case c.Version != "2.0" || !strings.EqualFold(c.TenantID, t.ID):
			return invalid("it is of another tenant")
		case why != "":
			return invalid(why)
		}
		return t.claims(c), nil
	}
	var c struct {
		Party    string          `json:"azp"`
		Username string          `json:"preferred_username"`
		Email    string          `json:"email"`
		Verified json.RawMessage `json:"email_verified"`
		Name     string          `json:"name"`
		AuthTime seconds         `json:"auth_time"`
		Methods  anyStrings      `json:"amr"`
	}
	if token.Claims(&c) != nil {
		return invalid("its claims cannot be read")
	}
	if (len(token.Audience) > 1 || c.Party != "") && c.Party != p.c.ClientID {
		return invalid("it was made for another application (azp)")
	}
	return federation.Claims{
		Provider: p.c.ID, Issuer: p.c.Issuer, Subject: token.Subject, UPN: c.Username, Email: c.Email, EmailVerified: slices.Contains([]string{"true", `"true"`}, string(c.Verified)),
		Name: c.Name, AuthTime: c.AuthTime.time(),
		MFA: slices.ContainsFunc(c.Methods, func(m string) bool { return slices.Contains([]string{"mfa", "otp", "hwk", "fido"}, m) }),
	}, nil
}

// unavailableKey is where the key set leaves an error that the library would turn into text.
type unavailableKey struct{}

// providerKeys lets go-oidc verify with our keys.
type providerKeys struct{ ring *keyring }

// VerifySignature implements go-oidc's KeySet. The verifier has looked at the algorithm before.
func (k providerKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, errors.New("it is not signed as it should be")
	}
	header := jws.Signatures[0].Header
	key, err := k.ring.find(ctx, header.KeyID)
	if err != nil {
		if lost, ok := ctx.Value(unavailableKey{}).(*error); ok && errors.Is(err, core.ErrUnavailable) {
			*lost = err
		}
		return nil, err
	}
	if key.Algorithm != "" && key.Algorithm != header.Algorithm {
		return nil, errors.New("its key is for another algorithm")
	}
	payload, err := jws.Verify(key.Key)
	if err != nil {
		return nil, errors.New("its signature is wrong")
	}
	return payload, nil
}
