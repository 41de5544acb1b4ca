package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/egress"
	"github.com/platenprint/platen/server-stub/federation"
	"github.com/platenprint/platen/server-stub/httpapi"
	"github.com/platenprint/platen/server-stub/oidc"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
)

// idp is what the identity providers of the configuration became.
type idp struct {
	people    *federation.Service
	providers []*oidc.Provider // for pages and browsers, in the order of the configuration, Microsoft first
	microsoft *oidc.Verifier   // nil without microsoft:
	passwords *oidc.Passwords  // nil unless it is switched on
}

// openIdentityProviders reads secrets and authorities, and asks nobody anything yet.
func openIdentityProviders(cfg *config.Config, db store.Store, now clock.Clock, logger *slog.Logger) (*idp, error) {
	p := &idp{}
	var policies []federation.Policy
	if m := cfg.Microsoft; m != nil {
		client, err := egress.New(egress.Options{Configured: []string{m.Authority}, CAFile: m.CAFile})
		if err != nil {
			return nil, fmt.Errorf("microsoft.ca_file: %w", err)
		}
		p.openMicrosoft(m, client, now, logger)
		if _, err := m.WebClientSecret(); err != nil {
			return nil, err
		}
		policies = append(policies, federation.Policy{
			Provider: config.MicrosoftID, Tenant: m.Tenant, Match: federation.Match(m.Match), Create: m.Create, Domains: m.Domains, Source: m.Source,
		})
	}
	for i := range cfg.Providers {
		c := &cfg.Providers[i]
		client, err := egress.New(egress.Options{Configured: []string{c.Issuer}, CAFile: c.CAFile})
		if err != nil {
			return nil, fmt.Errorf("providers: %s: ca_file: %w", c.ID, err)
		}
		if _, err := c.ClientSecret(); err != nil {
			return nil, err
		}
		p.providers = append(p.providers, oidc.NewProvider(oidc.ProviderConfig{
			ID: c.ID, Name: c.Name, Issuer: c.Issuer, ClientID: c.ClientID, Secret: c.ClientSecret, Scopes: c.Scopes,
		}, client, now, logger))
		policies = append(policies, federation.Policy{Provider: c.ID, Match: federation.Match(c.Match), Create: c.Create, Domains: c.Domains, Source: c.Source})
	}
	p.people = federation.New(federation.Deps{Store: db, Clock: now, Logger: logger, Policies: policies})
	return p, nil
}

func (p *idp) openMicrosoft(m *config.Microsoft, client *http.Client, now clock.Clock, logger *slog.Logger) {
	tenant := oidc.Tenant{
		Provider: config.MicrosoftID, ID: m.Tenant, Issuer: m.IssuerURL(), Audience: m.APIClientID, Scope: m.ScopeName(), Clients: []string{m.ClientID, m.APIClientID},
	}
	p.microsoft = oidc.NewVerifier(tenant, client, now, logger)
	if m.Passwords {
		p.passwords = oidc.NewPasswords(p.microsoft, client, m.ClientID, m.Scope, logger)
	}
	if m.HasWeb() {
		p.providers = append(p.providers, oidc.NewProvider(oidc.ProviderConfig{
			ID: config.MicrosoftID, Name: "Microsoft", Issuer: m.IssuerURL(), ClientID: m.APIClientID, Secret: m.WebClientSecret,
			Scopes: []string{"profile", "email"}, Tenant: &tenant,
		}, client, now, logger))
	}
}

// checkSources refuses a source that is no directory of the configuration: nobody would ever be of it.
func checkSources(cfg *config.Config, entries []configured.Config) error {
	known := func(id core.SourceID) bool {
		return id == "" || slices.ContainsFunc(entries, func(e configured.Config) bool { return core.SourceID(e.ID) == id })
	}
	if m := cfg.Microsoft; m != nil && !known(m.Source) {
		return fmt.Errorf("%w: microsoft.source: there is no directory %q in the configuration", core.ErrInvalid, m.Source)
	}
	for _, p := range cfg.Providers {
		if !known(p.Source) {
			return fmt.Errorf("%w: providers: %s: source: there is no directory %q in the configuration", core.ErrInvalid, p.ID, p.Source)
		}
	}
	return nil
}

// cloud is Microsoft as signing in by password needs it; nil without microsoft:.
func (p *idp) cloud(cfg *config.Config, entries []configured.Config) *signin.Cloud {
	m := cfg.Microsoft
	if m == nil {
		return nil
	}
	c := &signin.Cloud{
		Sources: []core.SourceID{config.SourceID(config.MicrosoftID)}, Domains: slices.Clone(m.Domains),
		Lockout: signin.Lockout{Threshold: m.Lockout.MaxFailures + 1, Window: m.Lockout.Window},
	}
	if p.passwords != nil {
		c.Checker = cloudPasswords{p}
	}
	if m.Source == "" {
		return c
	}
	c.Sources = append(c.Sources, m.Source)
	for _, e := range entries {
		if core.SourceID(e.ID) != m.Source || len(m.Domains) > 0 {
			continue
		}
		for _, suffix := range e.UPNSuffixes {
			c.Domains = append(c.Domains, strings.ToLower(strings.TrimPrefix(suffix, "@")))
		}
	}
	return c
}

// cloudPasswords checks passwords at Microsoft.
type cloudPasswords struct{ idp *idp }

var _ signin.CloudChecker = cloudPasswords{}

// CheckUPN implements signin.CloudChecker. Whose account it is, the token says and not the name that was typed.
func (c cloudPasswords) CheckUPN(ctx context.Context, upn string, password secret.String) (core.UserID, error) {
	claims, err := c.idp.passwords.Check(ctx, upn, password)
	if err != nil {
		return 0, err
	}
	u, err := c.idp.people.Person(ctx, claims)
	switch {
	case errors.Is(err, federation.ErrNoAccount):
		return 0, fmt.Errorf("%w: %w", core.ErrWrongCredentials, err)
	case errors.Is(err, core.ErrDisabled):
		return 0, proven{err}
	}
	return u.ID, err
}

// proven is an error after a password that was right.
type proven struct{ error }

var _ signin.Verdict = proven{}

func (p proven) Unwrap() error { return p.error }
func (proven) Proven() bool    { return true }
func (proven) Counted() bool   { return false }

// clientConfig is what clients may know before sign-in.
func (s *server) clientConfig() api.ClientConfig {
	c := api.ClientConfig{
		Organisation: s.cfg.Organisation, AuthModes: s.cfg.SignIn.Modes, Currency: string(s.cfg.Currency), UPNSuffix: s.cfg.UPNSuffix.String(),
		PortalURL: s.cfg.PortalURL, TopUpURL: s.cfg.TopUpURL, LowBalance: s.cfg.LowBalance, HelpText: s.cfg.HelpText, Version: buildinfo.Version,
	}
	if m := s.cfg.Microsoft; m != nil && slices.Contains(c.AuthModes, api.MethodMicrosoft) {
		c.Microsoft = &api.MicrosoftConfig{Authority: m.AuthorityURL(), ClientID: m.ClientID, Scope: m.Scope}
	}
	if slices.Contains(c.AuthModes, api.MethodBrowser) {
		c.Browser = &api.BrowserConfig{SignInURL: strings.TrimSuffix(s.addresses()[0], "/") + "/sign-in/client", Providers: []api.Provider{}}
		for _, p := range s.rooms.idp.providers {
			c.Browser.Providers = append(c.Browser.Providers, api.Provider{ID: p.ID(), Name: p.Name()})
		}
	}
	return c
}

// signIns are the ways of signing in as HTTP needs them.
type signIns struct {
	*signin.Service
	idp   *idp
	codes *codes.Service
	db    store.Store
}

var _ httpapi.SignIn = signIns{}

// Password implements httpapi.SignIn.
func (s signIns) Password(ctx context.Context, a httpapi.Attempt) (httpapi.SignedIn, error) {
	result, err := s.Service.Password(ctx, signin.Attempt{
		Name: a.Name, Password: a.Password, Facts: facts(a.OSAccount), Address: a.Address, Shared: a.Shared, Client: a.Client, Host: a.OSAccount.Hostname,
	})
	return httpapi.SignedIn{User: result.User, LinkedName: result.LinkedName, Assurance: core.AssurancePassword}, refusal(err)
}

// Token implements httpapi.SignIn.
func (s signIns) Token(ctx context.Context, a httpapi.TokenAttempt) (httpapi.SignedIn, error) {
	if a.Provider != config.MicrosoftID || s.idp.microsoft == nil {
		return httpapi.SignedIn{}, &httpapi.Refusal{Code: api.CodeMethodOff, Err: errors.New("no such identity provider is configured for tokens")}
	}
	var u core.User
	err := s.Limited(ctx, signin.VerbToken, a.Address, func(ctx context.Context) error {
		claims, err := s.idp.microsoft.AccessToken(ctx, a.Token)
		if err == nil {
			u, err = s.idp.people.Person(ctx, claims)
		}
		return err
	})
	if err != nil {
		return httpapi.SignedIn{}, refusal(err)
	}
	return httpapi.SignedIn{User: u, LinkedName: s.linked(ctx, u, a.OSAccount, a.Shared, a.Client), Assurance: core.AssuranceOIDC}, nil
}

// Code implements httpapi.SignIn.
func (s signIns) Code(ctx context.Context, a httpapi.CodeAttempt) (httpapi.SignedIn, error) {
	var grant codes.Grant
	var u core.User
	err := s.Limited(ctx, signin.VerbCode, a.Address, func(ctx context.Context) (err error) {
		if grant, err = s.codes.Redeem(ctx, a.Code, a.Verifier); err != nil {
			return err
		}
		return s.db.View(ctx, func(tx store.Tx) (err error) {
			u, err = tx.User(ctx, grant.User)
			return err
		})
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		err = fmt.Errorf("%w: its person is gone", codes.ErrInvalid)
	case err == nil && !u.Active():
		err = core.ErrDisabled
	}
	if err != nil {
		return httpapi.SignedIn{}, refusal(err)
	}
	in := httpapi.SignedIn{User: u, Assurance: grant.Assurance, Device: grant.Device, Stay: grant.Stay}
	if grant.Device == "" { // the person proved it: their computer's name for them may be learnt
		in.LinkedName = s.linked(ctx, u, a.OSAccount, a.Shared, a.Client)
	}
	return in, nil
}

func (s signIns) linked(ctx context.Context, u core.User, account api.OSAccount, shared bool, client string) string {
	return s.Link(ctx, u, signin.Attempt{Facts: facts(account), Shared: shared, Client: client, Host: account.Hostname})
}

// rolesOf reads roles.
type rolesOf struct{ db store.Store }

// Of implements httpapi.Roles.
func (r rolesOf) Of(ctx context.Context, user core.UserID) ([]core.Role, error) {
	var list []core.Role
	err := r.db.View(ctx, func(tx store.Tx) error {
		list = nil
		grants, err := tx.UserRoles(ctx, user)
		for _, g := range grants {
			list = append(list, g.Role)
		}
		return err
	})
	return list, err
}

// refusals is the one table from the errors of the rooms to codes for which core has no kind, the first that fits.
var refusals = []struct {
	err    error
	code   api.Code
	method string
}{
	{oidc.ErrTokenInvalid, api.CodeTokenInvalid, ""},
	{codes.ErrInvalid, api.CodeCodeInvalid, ""},
	{federation.ErrNoAccount, api.CodeNoAccount, ""},
	{oidc.ErrConsentRequired, api.CodeConsentRequired, ""},
	{oidc.ErrDeviceBlocked, api.CodeDeviceBlocked, ""},
	{core.ErrMFARequired, api.CodeMFARequired, api.MethodMicrosoft},
}

// refusal gives an error its code. Whoever has proven nothing reads of their password first: what comes with it is of names.
func refusal(err error) error {
	if errors.Is(err, signin.ErrElsewhere) {
		return &httpapi.Refusal{Code: api.CodeMethodOff, Method: api.MethodMicrosoft, Err: err}
	}
	if err == nil || errors.Is(err, core.ErrWrongCredentials) {
		return err
	}
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return &httpapi.Refusal{Code: r.code, Method: r.method, Err: err}
		}
	}
	return err
}

// limitedTokens are the sessions, whose refresh tokens are limited as every other proof is.
type limitedTokens struct {
	tokens
	signin *signin.Service
}

// Refresh implements httpapi.Sessions.
func (t limitedTokens) Refresh(ctx context.Context, token secret.String, from httpapi.From) (issued httpapi.Tokens, u core.User, err error) {
	err = t.signin.Limited(ctx, signin.VerbRefresh, from.Address, func(ctx context.Context) error {
		issued, u, err = t.tokens.Refresh(ctx, token, from)
		return err
	})
	return issued, u, err
}
