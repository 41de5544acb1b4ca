package oidc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/entra/person"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/egress"
	"github.com/platenprint/platen/server-stub/federation"
	"github.com/platenprint/platen/server-stub/oidc"
)

const (
	tenantID = "11111111-2222-3333-4444-555555555555"
	public   = "66666666-7777-8888-9999-000000000000"
	apiApp   = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	oldApp   = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"
	oid      = "73d664e4-0886-4a73-b745-c694da45ddb4"
	scope    = "api://" + apiApp + "/sign-in"
	callback = "https://print.example.org/sign-in/callback"
	right    = "CANARY-correct-horse"
)

func tenant() entra.Config {
	return entra.Config{
		Tenant: tenantID, Domains: []string{"example.org"},
		Apps: []entra.App{
			{ID: public, RedirectURIs: []string{"http://localhost"}, PublicFlows: true},
			{
				ID: apiApp, Scopes: []string{"sign-in", "other"}, AccessTokenVersion: 2, WebRedirectURIs: []string{callback}, Secret: "CANARY-secret",
				OptionalClaims: []string{"onprem_sid", "amr", "auth_time", "acct"},
			},
			{ID: oldApp, Scopes: []string{"sign-in"}},
		},
		Users: []entra.User{
			{UPN: "alex.test@example.org", OID: oid, Name: "Alex Test", SID: "S-1-5-21-1-2-3-1105", Password: right},
			{UPN: "mia@example.org", Password: right, MFA: entra.MFARequired, Code: "246810"},
			{UPN: "new@example.org", Password: right, MFA: entra.MFAUnregistered},
			{UPN: "disabled@example.org", Password: right, Disabled: true},
			{UPN: "locked@example.org", Password: right, Locked: true},
			{UPN: "expired@example.org", Password: right, PasswordExpired: true},
			{UPN: "consent@example.org", Password: right, ConsentMissing: true},
			{UPN: "blocked@example.org", Password: right, Blocked: true},
			{UPN: "device@example.org", Password: right, DeviceCompliance: true},
			{UPN: "empty@example.org", NoPassword: true},
			{UPN: "challenge@example.org", Password: right, ExternalChallenge: true},
			{UPN: "odd@example.org", Password: right, ForceError: 59999},
		},
	}
}

// site is an emulated tenant with a clock, and the log of ours.
type site struct {
	*entra.Emulator
	t      *testing.T
	mu     sync.Mutex
	moved  time.Duration
	began  time.Time
	log    bytes.Buffer
	client *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, began: time.Now()}
	e, err := entra.Start(t.Context(), entra.Options{Config: tenant(), Clock: s.now})
	if err != nil {
		t.Fatal(err)
	}
	s.Emulator = e
	s.client = trusting(t, e.URL(), e.Certificate().Raw)
	return s
}

// trusting is the client as the server makes it.
func trusting(t *testing.T, address string, certificate []byte) *http.Client {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := egress.New(egress.Options{Configured: []string{address}, CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began.Add(s.moved)
}

func (s *site) forward(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moved += d
}

func (s *site) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&lockedWriter{s: s}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type lockedWriter struct{ s *site }

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.log.Write(p)
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *site) tenant() oidc.Tenant {
	return oidc.Tenant{Provider: "microsoft", ID: tenantID, Issuer: s.Issuer(), Audience: apiApp, Scope: "sign-in", Clients: []string{public, apiApp}}
}

func (s *site) verifier() *oidc.Verifier {
	return oidc.NewVerifier(s.tenant(), s.client, s.now, s.logger())
}

func (s *site) claims(change func(map[string]any)) map[string]any {
	s.t.Helper()
	c, err := s.AccessClaims("alex.test@example.org", public, scope, true)
	if err != nil {
		s.t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	return c
}

func (s *site) token(change func(map[string]any)) secret.String {
	s.t.Helper()
	text, err := s.Sign(entra.AlgRS256, s.claims(change))
	if err != nil {
		s.t.Fatal(err)
	}
	return secret.New(text)
}

func TestATokenOfOurAPI(t *testing.T) {
	s := newSite(t)
	got, err := s.verifier().AccessToken(t.Context(), s.token(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := federation.Claims{
		Provider: "microsoft", Issuer: s.Issuer(), TenantID: tenantID, ObjectID: oid, SID: "S-1-5-21-1-2-3-1105", UPN: "alex.test@example.org", Name: "Alex Test", MFA: true,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(federation.Claims{}, "Subject", "AuthTime")); diff != "" || got.AuthTime.IsZero() || got.Subject == "" {
		t.Errorf("%s%+v", diff, got)
	}
}

func TestF16_ForgedTokensAreRefused(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	if _, err := v.AccessToken(t.Context(), s.token(nil)); err != nil {
		t.Fatal(err)
	}
	sign := func(alg string) func() secret.String {
		return func() secret.String {
			text, err := s.Sign(alg, s.claims(nil))
			if err != nil {
				t.Fatal(err)
			}
			return secret.New(text)
		}
	}
	with := func(change func(map[string]any)) func() secret.String {
		return func() secret.String { return s.token(change) }
	}
	set := func(key string, value any) func() secret.String {
		return with(func(c map[string]any) {
			if c[key] = value; value == nil {
				delete(c, key)
			}
		})
	}
	in := func(d time.Duration) int64 { return s.now().Add(d).Unix() }
	part := func(i int, change func([]byte) []byte) func() secret.String {
		return func() secret.String {
			parts := strings.Split(s.token(nil).Reveal(), ".")
			raw, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil {
				t.Fatal(err)
			}
			parts[i] = base64.RawURLEncoding.EncodeToString(change(raw))
			return secret.New(strings.Join(parts, "."))
		}
	}
	tests := []struct {
		name  string
		token func() secret.String
		why   string
	}{
		{"no algorithm", sign(entra.AlgNone), "not signed with RS256"},
		{"a MAC with the public key", sign(entra.AlgHS256), "not signed with RS256"},
		{"a stranger's key", func() secret.String {
			text, err := s.SignAsStranger(s.claims(nil))
			if err != nil {
				t.Fatal(err)
			}
			return secret.New(text)
		}, "signature is wrong"},
		{"another person put in", part(1, func(b []byte) []byte { return bytes.Replace(b, []byte(oid[:8]), []byte("00000000"), 1) }), "signature is wrong"},
		{"another key id", part(0, func(b []byte) []byte { return bytes.Replace(b, []byte(`"kid":"`), []byte(`"kid":"x`), 1) }), "does not publish"},
		{"expired", set("exp", in(-61*time.Second)), "expired 1m"},
		{"expired five minutes ago", set("exp", in(-5*time.Minute)), "the server's clock is wrong"},
		{"never expires", set("exp", nil), "never expires"},
		{"expires in a text", set("exp", "tomorrow"), "cannot be read"},
		{"from the future", set("nbf", in(5*time.Minute)), "the server's clock is behind"},
		{"another issuer", set("iss", "https://login.example.net/"+tenantID+"/v2.0"), "another tenant"},
		{"another tenant", set("tid", strings.Replace(tenantID, "1", "9", 1)), "another tenant"},
		{"no tenant", set("tid", nil), "another tenant"},
		{"for Microsoft Graph", set("aud", "00000003-0000-0000-c000-000000000000"), "another API"},
		{"for two", set("aud", []string{apiApp, "x"}), "another API"},
		{"for the public client itself", set("aud", public), "another API"},
		{"another scope", set("scp", "other sign-in-as-well"), "lacks the scope sign-in"},
		{"an application's own", with(func(c map[string]any) { delete(c, "scp"); c["roles"] = []string{"sign-in"} }), "lacks the scope"},
		{"an application with a scope", set("idtyp", "app"), "a program"},
		{"got by another application", set("azp", "00000000-1111-2222-3333-444444444444"), "another application"},
		{"version 1.0", with(func(c map[string]any) { c["ver"] = "1.0"; c["iss"] = "https://sts.windows.net/" + tenantID + "/" }), "requestedAccessTokenVersion"},
		{"no version", set("ver", nil), "not of version 2.0"},
		{"no object id", set("oid", nil), "no object id"},
		{"half an object id", set("oid", "x/"+oid), "no object id"},
		{"nothing", func() secret.String { return secret.New("") }, "form of a token"},
		{"two dots", func() secret.String { return secret.New("..") }, "RS256"},
		{"JSON", func() secret.String { return secret.New(`{"payload":"a.b.c"}`) }, "RS256"},
		{"too long", func() secret.String { return secret.New(s.token(nil).Reveal() + strings.Repeat("A", 40<<10)) }, "form of a token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := tt.token()
			c, err := v.AccessToken(t.Context(), token)
			if !errors.Is(err, oidc.ErrTokenInvalid) || !errors.Is(err, core.ErrUnauthenticated) || !strings.Contains(err.Error(), tt.why) {
				t.Fatalf("%+v, %v, want %q", c, err, tt.why)
			}
			if text := token.Reveal(); len(text) > 20 && strings.Contains(err.Error()+s.logged(), text[len(text)-20:]) {
				t.Error("a token is shown")
			}
		})
	}
}

func TestARealVersionOneTokenSaysWhatToChange(t *testing.T) {
	s := newSite(t)
	text, err := s.Emulator.AccessToken("alex.test@example.org", public, "api://"+oldApp+"/sign-in", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.verifier().AccessToken(t.Context(), secret.New(text)); !errors.Is(err, oidc.ErrTokenInvalid) || !strings.Contains(err.Error(), "requestedAccessTokenVersion to 2") {
		t.Errorf("%v", err)
	}
}

func TestClocksMayBeAMinuteApart(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	for skew, want := range map[time.Duration]bool{50 * time.Second: true, 5 * time.Minute: false, -50 * time.Second: true} {
		s.SetSkew(skew)
		if _, err := v.AccessToken(t.Context(), s.token(nil)); (err == nil) != want {
			t.Errorf("%v: %v", skew, err)
		}
	}
}

func TestGuests(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	for name, tt := range map[string]struct {
		key   string
		value any
		guest bool
	}{
		"the tenant's own": {"acct", 0, false},
		"a guest":          {"acct", 1, true},
		"from elsewhere":   {"idp", "https://sts.windows.net/99999999-2222-3333-4444-555555555555/", true},
		"a private one":    {"idp", "live.com", true},
		"from here":        {"idp", "https://sts.windows.net/" + tenantID + "/", false},
		"by its name":      {"preferred_username", "bob_example.net#EXT#@example.org", true},
	} {
		c, err := v.AccessToken(t.Context(), s.token(func(c map[string]any) { c[tt.key] = tt.value }))
		if err != nil || c.Guest != tt.guest {
			t.Errorf("%s: %v, %v", name, c.Guest, err)
		}
	}
}

func TestF16_RotatedKeys(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	old := s.token(nil)
	if _, err := v.AccessToken(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := s.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	fresh := s.token(nil)
	if _, err := v.AccessToken(t.Context(), fresh); !errors.Is(err, oidc.ErrTokenInvalid) {
		t.Errorf("within the minute: %v", err)
	}
	s.forward(61 * time.Second)
	for range 3 {
		if _, err := v.AccessToken(t.Context(), fresh); err != nil {
			t.Errorf("after the rotation: %v", err)
		}
		if _, err := v.AccessToken(t.Context(), old); err != nil {
			t.Errorf("of the old key: %v", err)
		}
	}
	if n := s.Calls()["keys"]; n != 2 {
		t.Errorf("the keys were read %d times", n)
	}
}

func TestInventedKeyIDsCostTheProviderNothing(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	for i := range 50 {
		forged := secret.New(base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":"k%d"}`, i)) + ".e30.AAAA")
		if _, err := v.AccessToken(t.Context(), forged); !errors.Is(err, oidc.ErrTokenInvalid) {
			t.Fatal(err)
		}
	}
	if n := s.Calls()["keys"]; n != 1 {
		t.Errorf("the keys were read %d times", n)
	}
}

func TestF16_KeysLastADayWithoutTheProvider(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	if _, err := v.AccessToken(t.Context(), s.token(nil)); err != nil {
		t.Fatal(err)
	}
	s.SetDown(true)
	for range 23 {
		s.forward(time.Hour)
		if _, err := v.AccessToken(t.Context(), s.token(nil)); err != nil {
			t.Fatalf("after %v: %v", s.moved, err)
		}
	}
	s.forward(time.Hour + time.Second)
	if _, err := v.AccessToken(t.Context(), s.token(nil)); !errors.Is(err, core.ErrUnavailable) || errors.Is(err, oidc.ErrTokenInvalid) {
		t.Errorf("after a day: %v", err)
	}
	s.SetDown(false)
	s.forward(time.Minute)
	if _, err := v.AccessToken(t.Context(), s.token(nil)); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

func TestAProviderThatNeverAnswered(t *testing.T) {
	s := newSite(t)
	s.SetDown(true)
	v := s.verifier()
	for range 3 {
		if _, err := v.AccessToken(t.Context(), s.token(nil)); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	}
	if n := s.Calls()["openid-configuration"]; n > 1 {
		t.Errorf("asked %d times within a minute", n)
	}
}

func TestARetiredKeyIsForgottenWithinTheHour(t *testing.T) {
	s := newSite(t)
	v := s.verifier()
	if _, err := v.AccessToken(t.Context(), s.token(nil)); err != nil {
		t.Fatal(err)
	}
	stolen := s.token(func(c map[string]any) { c["exp"] = s.now().Add(100 * time.Hour).Unix() })
	if err := s.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	s.RetireKeys()
	s.forward(time.Hour + time.Second)
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := v.AccessToken(t.Context(), stolen)
		if errors.Is(err, oidc.ErrTokenInvalid) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a token of a retired key is still good: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestADocumentOfSomebodyElse(t *testing.T) {
	own := ""
	mux := http.NewServeMux()
	var doc map[string]string
	mux.HandleFunc("/tenant/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(doc); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s was read", r.URL) })
	srv := httptest.NewTLSServer(mux)
	defer srv.Close()
	own = srv.URL + "/tenant/v2.0"
	client := trusting(t, srv.URL, srv.Certificate().Raw)
	for name, change := range map[string]func(){
		"another issuer":  func() { doc["issuer"] = "https://login.example.net" },
		"keys elsewhere":  func() { doc["jwks_uri"] = "https://login.example.net/keys" },
		"keys over http":  func() { doc["jwks_uri"] = strings.Replace(srv.URL, "https", "http", 1) + "/keys" },
		"a token post to": func() { doc["token_endpoint"] = "https://169.254.169.254/token" },
	} {
		doc = map[string]string{"issuer": own, "jwks_uri": srv.URL + "/keys", "token_endpoint": srv.URL + "/token", "authorization_endpoint": srv.URL + "/authorize"}
		change()
		v := oidc.NewVerifier(oidc.Tenant{Issuer: own}, client, time.Now, slog.New(slog.DiscardHandler))
		if _, err := v.AccessToken(t.Context(), secret.New(base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"k"}`))+".e30.AAAA")); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (s *site) provider() *oidc.Provider {
	t := s.tenant()
	return oidc.NewProvider(oidc.ProviderConfig{
		ID: "microsoft", Name: "Microsoft", Issuer: s.Issuer(), ClientID: apiApp, Secret: func() (secret.String, error) { return secret.New("CANARY-secret"), nil },
		Scopes: []string{"profile", "email"}, Tenant: &t,
	}, s.client, s.now, s.logger())
}

const verifier = "a-verifier-that-is-long-enough-for-rfc-7636-4.1"

func request() oidc.AuthRequest {
	return oidc.AuthRequest{RedirectURL: callback, State: "a-state", Nonce: "a-nonce", Challenge: api.Challenge(verifier)}
}

// visit sends somebody through the provider's pages and returns what comes back.
func (s *site) visit(p *oidc.Provider, upn string, r oidc.AuthRequest) url.Values {
	s.t.Helper()
	address, err := p.AuthURL(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	client := s.Client()
	var back url.Values
	client.Transport = catch{client.Transport, callback, &back}
	who := (&person.Person{UPN: upn, Password: right, Code: "246810"}).Use(client)
	if _, err := who.Visit(s.t.Context(), address); err != nil && back == nil {
		s.t.Fatalf("%v (pages: %v)", err, who.Seen)
	}
	return back
}

// catch keeps what is sent to our own address.
type catch struct {
	next http.RoundTripper
	own  string
	got  *url.Values
}

func (c catch) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.String(), c.own) {
		return c.next.RoundTrip(r)
	}
	*c.got = r.URL.Query()
	return nil, errors.New("arrived")
}

func TestMicrosoftOnPages(t *testing.T) {
	s := newSite(t)
	p := s.provider()
	back := s.visit(p, "mia@example.org", request())
	if back.Get("state") != "a-state" || back.Get("code") == "" {
		t.Fatalf("%v", back)
	}
	c, err := p.Exchange(t.Context(), callback, back.Get("code"), verifier, "a-nonce")
	if err != nil {
		t.Fatal(err)
	}
	if c.Provider != "microsoft" || c.UPN != "mia@example.org" || c.TenantID != tenantID || c.ObjectID == "" || !c.MFA {
		t.Errorf("%+v", c)
	}
	if _, err := p.Exchange(t.Context(), callback, back.Get("code"), verifier, "a-nonce"); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("a replayed code: %v", err)
	}
	if text := s.logged(); strings.Contains(text, "CANARY") || strings.Contains(text, back.Get("code")) {
		t.Errorf("a secret in the log:\n%s", text)
	}
}

func TestACodeIsBoundToItsBrowser(t *testing.T) {
	s := newSite(t)
	p := s.provider()
	tests := []struct {
		name, verifier, nonce string
		want                  error
	}{
		{"another verifier", strings.Repeat("x", 43), "a-nonce", core.ErrUnauthenticated},
		{"another nonce", verifier, "another", oidc.ErrTokenInvalid},
		{"no nonce", verifier, "", oidc.ErrTokenInvalid},
	}
	for _, tt := range tests {
		back := s.visit(p, "alex.test@example.org", request())
		c, err := p.Exchange(t.Context(), callback, back.Get("code"), tt.verifier, tt.nonce)
		if !errors.Is(err, tt.want) {
			t.Fatalf("%s: %+v, %v", tt.name, c, err)
		}
		if strings.Contains(err.Error(), back.Get("code")) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: a secret in %v", tt.name, err)
		}
	}
}

func TestAWrongClientSecretIsNotTheCodesFault(t *testing.T) {
	s := newSite(t)
	tenant := s.tenant()
	p := oidc.NewProvider(oidc.ProviderConfig{
		ID: "microsoft", Name: "Microsoft", Issuer: s.Issuer(), ClientID: apiApp, Secret: func() (secret.String, error) { return secret.New("CANARY-wrong"), nil }, Tenant: &tenant,
	}, s.client, s.now, s.logger())
	back := s.visit(p, "alex.test@example.org", request())
	_, err := p.Exchange(t.Context(), callback, back.Get("code"), verifier, "a-nonce")
	var v aadsts.Verdict
	if !errors.Is(err, core.ErrUnavailable) || !errors.As(err, &v) || v.Kind != aadsts.Misconfigured || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%v", err)
	}
}

func TestWhatARedirectSays(t *testing.T) {
	s := newSite(t)
	p := s.provider()
	if err := p.Denied(url.Values{"code": {"x"}}); err != nil {
		t.Errorf("%v", err)
	}
	if err := p.Denied(url.Values{"error": {"access_denied"}, "error_subcode": {"cancel"}}); !errors.Is(err, oidc.ErrCancelled) {
		t.Errorf("%v", err)
	}
	if back := s.visit(p, "blocked@example.org", request()); back != nil {
		if err := p.Denied(back); !errors.Is(err, oidc.ErrDeviceBlocked) {
			t.Errorf("%v: %v", back, err)
		}
	}
	other := oidc.NewProvider(oidc.ProviderConfig{ID: "google", Name: "Google", Issuer: "https://accounts.google.com", ClientID: "x"}, s.client, s.now, s.logger())
	if err := other.Denied(url.Values{"error": {"access_denied"}, "error_description": {"AADSTS50057: <b>x</b>"}}); !errors.Is(err, oidc.ErrCancelled) || strings.Contains(err.Error(), "50057") {
		t.Errorf("%v", err)
	}
}

func TestPasswordsAtMicrosoft(t *testing.T) {
	s := newSite(t)
	p := oidc.NewPasswords(s.verifier(), s.client, public, scope, s.logger())
	c, err := p.Check(t.Context(), "alex.test@example.org", secret.New(right))
	if err != nil || c.ObjectID != oid {
		t.Fatalf("%+v, %v", c, err)
	}
	tests := []struct {
		upn, password string
		want          error
		proven        bool
	}{
		{"alex.test@example.org", "CANARY-wrong", core.ErrWrongCredentials, false},
		{"nobody@example.org", right, core.ErrWrongCredentials, false},
		{"empty@example.org", right, core.ErrWrongCredentials, false},
		{"mia@example.org", right, core.ErrMFARequired, true},
		{"mia@example.org", "CANARY-wrong", core.ErrWrongCredentials, false},
		{"new@example.org", right, core.ErrMFARequired, true},
		{"challenge@example.org", right, core.ErrMFARequired, true},
		{"disabled@example.org", right, core.ErrDisabled, false},
		{"locked@example.org", right, core.ErrLimited, false},
		{"expired@example.org", right, core.ErrPasswordExpired, true},
		{"consent@example.org", right, oidc.ErrConsentRequired, true},
		{"blocked@example.org", right, oidc.ErrDeviceBlocked, true},
		{"device@example.org", right, oidc.ErrDeviceBlocked, true},
		{"odd@example.org", right, core.ErrUnavailable, false},
	}
	for _, tt := range tests {
		_, err := p.Check(t.Context(), tt.upn, secret.New(tt.password))
		var v aadsts.Verdict
		if !errors.Is(err, tt.want) || !errors.As(err, &v) || v.Proven() != tt.proven || v.TraceID == "" {
			t.Errorf("%s: %v", tt.upn, err)
		}
		if text := err.Error() + s.logged(); strings.Contains(text, "CANARY") || strings.Contains(text, tt.upn) {
			t.Errorf("%s: the password or the name is shown: %s", tt.upn, text)
		}
	}
	s.SetDown(true)
	if _, err := p.Check(t.Context(), "alex.test@example.org", secret.New(right)); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("when Microsoft is down: %v", err)
	}
}

// okta is any other provider: the discovery document, one key, and one answer to a code.
type okta struct {
	t      *testing.T
	url    string
	key    *rsa.PrivateKey
	claims map[string]any
	alg    jose.SignatureAlgorithm
	raw    []byte // the certificate
}

func newOkta(t *testing.T) *okta {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	o := &okta{t: t, key: key, alg: jose.RS256}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": o.url, "jwks_uri": o.url + "/keys", "token_endpoint": o.url + "/token", "authorization_endpoint": o.url + "/authorize"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{"kty": "new"}, jose.JSONWebKey{Key: key.Public(), KeyID: "one", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("code") != "good" {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant", "error_description": "CANARY " + r.PostFormValue("code")})
			return
		}
		answer(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": o.sign()})
	})
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(srv.Close)
	o.url, o.raw = srv.URL, srv.Certificate().Raw
	o.claims = map[string]any{
		"iss": o.url, "aud": "platen", "sub": "1089", "nonce": "a-nonce", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"email": "alex.test@example.org", "email_verified": true, "name": "Alex", "amr": []string{"pwd", "otp"},
	}
	return o
}

func (o *okta) sign() string {
	var key any = o.key
	if o.alg == jose.HS256 {
		key = o.key.N.Bytes()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: o.alg, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	text, err := json.Marshal(o.claims)
	if err != nil {
		o.t.Fatal(err)
	}
	jws, err := signer.Sign(text)
	if err != nil {
		o.t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		o.t.Fatal(err)
	}
	return token
}

func (o *okta) provider() *oidc.Provider {
	return oidc.NewProvider(oidc.ProviderConfig{ID: "okta", Name: "Okta", Issuer: o.url, ClientID: "platen", Scopes: []string{"profile"}}, trusting(o.t, o.url, o.raw), time.Now, slog.New(slog.DiscardHandler))
}

func TestAnotherProvider(t *testing.T) {
	o := newOkta(t)
	p := o.provider()
	r := request()
	r.Hint, r.Prompt = "alex", "select_account"
	address, err := p.AuthURL(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, o.url+"/authorize?") {
		t.Fatal(address, err)
	}
	want := url.Values{
		"client_id": {"platen"}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid profile"}, "state": {"a-state"}, "nonce": {"a-nonce"},
		"code_challenge": {api.Challenge(verifier)}, "code_challenge_method": {"S256"}, "login_hint": {"alex"}, "prompt": {"select_account"}, "response_mode": {"query"},
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" {
		t.Error(diff)
	}
	c, err := p.Exchange(t.Context(), callback, "good", verifier, "a-nonce")
	if diff := cmp.Diff(federation.Claims{Provider: "okta", Issuer: o.url, Subject: "1089", Email: "alex.test@example.org", EmailVerified: true, Name: "Alex", MFA: true}, c); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := p.Exchange(t.Context(), callback, "CANARY-code", verifier, "a-nonce"); err == nil || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%v", err)
	}
}

func TestForgedIdentityTokens(t *testing.T) {
	for name, change := range map[string]func(*okta){
		"another issuer":        func(o *okta) { o.claims["iss"] = "https://accounts.google.com" },
		"another audience":      func(o *okta) { o.claims["aud"] = "somebody" },
		"made for another":      func(o *okta) { o.claims["azp"] = "somebody" },
		"two audiences":         func(o *okta) { o.claims["aud"] = []string{"platen", "somebody"} },
		"expired":               func(o *okta) { o.claims["exp"] = time.Now().Add(-2 * time.Minute).Unix() },
		"another nonce":         func(o *okta) { o.claims["nonce"] = "x" },
		"a MAC with the key":    func(o *okta) { o.alg = jose.HS256 },
		"another access token":  func(o *okta) { o.claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" },
		"another key, same kid": func(o *okta) { o.key = must(rsa.GenerateKey(rand.Reader, 2048)) },
	} {
		o := newOkta(t)
		p := o.provider()
		if _, err := p.AuthURL(t.Context(), request()); err != nil { // the keys are known
			t.Fatal(err)
		}
		change(o)
		if c, err := p.Exchange(t.Context(), callback, "good", verifier, "a-nonce"); !errors.Is(err, oidc.ErrTokenInvalid) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestKeysThatCannotBeReadAreNotTheTokensFault(t *testing.T) {
	s := newSite(t)
	p := s.provider()
	back := s.visit(p, "alex.test@example.org", request())
	if err := s.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	s.forward(2 * time.Minute)
	keysDown := s.client.Transport
	s.client.Transport = refuse{keysDown, "/discovery/"}
	if _, err := p.Exchange(t.Context(), callback, back.Get("code"), verifier, "a-nonce"); !errors.Is(err, core.ErrUnavailable) || errors.Is(err, oidc.ErrTokenInvalid) {
		t.Errorf("%v", err)
	}
}

// refuse lets nothing through whose path has the part.
type refuse struct {
	next http.RoundTripper
	part string
}

func (r refuse) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, r.part) {
		return nil, errors.New("no route to host")
	}
	return r.next.RoundTrip(req)
}

func TestAnUnverifiedAddressIsSaidToBeOne(t *testing.T) {
	for verified, want := range map[any]bool{true: true, "true": true, false: false, "false": false, nil: false, "yes": false, 1: false} {
		o := newOkta(t)
		if o.claims["email_verified"] = verified; verified == nil {
			delete(o.claims, "email_verified")
		}
		c, err := o.provider().Exchange(t.Context(), callback, "good", verifier, "a-nonce")
		if err != nil || c.EmailVerified != want {
			t.Errorf("%v: %v, %v", verified, c.EmailVerified, err)
		}
	}
}

func TestAnEndedRequestEndsTheWaiting(t *testing.T) {
	s := newSite(t)
	s.SetDelay(2 * time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.verifier().AccessToken(ctx, s.token(nil)); !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// FuzzAccessToken: nothing that is made up is a token, and no error shows it.
func FuzzAccessToken(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	mux := http.NewServeMux()
	srv := httptest.NewTLSServer(mux)
	f.Cleanup(srv.Close)
	mux.HandleFunc("/v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"issuer": srv.URL + "/v2.0", "jwks_uri": srv.URL + "/keys", "token_endpoint": srv.URL + "/token", "authorization_endpoint": srv.URL + "/authorize",
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{jose.JSONWebKey{Key: key.Public(), KeyID: "k", Use: "sig"}}})
	})
	v := oidc.NewVerifier(oidc.Tenant{ID: tenantID, Issuer: srv.URL + "/v2.0", Audience: apiApp, Scope: "sign-in", Clients: []string{public}}, srv.Client(), time.Now, slog.New(slog.DiscardHandler))
	b64 := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	f.Add(b64(`{"alg":"RS256","kid":"k"}`) + "." + b64(`{"ver":"2.0"}`) + ".AAAA")
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{}`) + ".")
	f.Add(b64(`{"alg":"HS256","kid":"k","jwk":{},"crit":["x"]}`) + "." + b64(`{}`) + "." + b64("x"))
	f.Add("..")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := v.AccessToken(t.Context(), secret.New(text))
		if !errors.Is(err, oidc.ErrTokenInvalid) {
			t.Fatalf("%+v, %v", c, err)
		}
		if len(text) > 40 && strings.Contains(err.Error(), text) {
			t.Fatalf("the error shows it: %v", err)
		}
	})
}
