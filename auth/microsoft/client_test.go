package microsoft_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/aadsts"
	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/emulator/entra"
)

func TestSignInWithMFASilentAndSignOut(t *testing.T) {
	e := start(t)
	cache := &memory{}
	d := sit(t, e, "mia@example.org", func(o *microsoft.Options) { o.Cache = cache })
	token := d.signIn(t, microsoft.Request{Hint: "mia@example.org"})
	if diff := cmp.Diff([]string{"password", "mfa", "post"}, d.person.Seen); diff != "" {
		t.Error(diff)
	}
	if at := d.arrived(t); at.Status != http.StatusOK || at.Text != "Platen You're signed in. You can close this tab." {
		t.Errorf("the browser ended at %d %q", at.Status, at.Text)
	}
	if token.Username != "mia@example.org" || !strings.HasSuffix(token.HomeAccountID, "."+tenant) || time.Until(token.Expires) < 50*time.Minute {
		t.Errorf("token %+v", token)
	}
	// What the server does with it.
	provider, err := oidc.NewProvider(oidc.ClientContext(t.Context(), e.Client()), e.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Verifier(&oidc.Config{ClientID: server}).Verify(t.Context(), token.AccessToken.Reveal()); err != nil {
		t.Error(err)
	}
	if !strings.Contains(cache.kept(), "refresh_token") && !strings.Contains(cache.kept(), "RefreshToken") {
		t.Errorf("nothing is kept: %d bytes", len(cache.kept()))
	}

	before := e.Calls()
	again := sit(t, e, "mia@example.org", func(o *microsoft.Options) { o.Cache = cache }) // the program was restarted
	for _, account := range []string{"", token.HomeAccountID} {
		got, err := again.Silent(t.Context(), account)
		if err != nil || !got.AccessToken.Equal(token.AccessToken) || got.Username != token.Username {
			t.Errorf("Silent(%q) = %+v, %v", account, got, err)
		}
	}
	if diff := cmp.Diff(before, e.Calls()); diff != "" {
		t.Errorf("silently, but not without asking: %s", diff)
	}
	if _, err := again.Silent(t.Context(), "somebody else"); failure(t, err).Kind != microsoft.NoAccount {
		t.Error(err)
	}

	if err := again.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Silent(t.Context(), ""); failure(t, err).Kind != microsoft.NoAccount {
		t.Error(err)
	}
	if cache.kept() != "" {
		t.Errorf("kept after signing out: %s", cache.kept())
	}
}

func TestTheBrowsersSessionNeedsNoPassword(t *testing.T) {
	d := sit(t, start(t), "mia@example.org")
	d.signIn(t, microsoft.Request{})
	d.person.Seen = nil
	d.signIn(t, microsoft.Request{Hint: "mia@example.org"})
	if diff := cmp.Diff([]string{"post"}, d.person.Seen); diff != "" {
		t.Error(diff)
	}
}

func TestTheAccountPickerAndAnotherAccount(t *testing.T) {
	cache := &memory{}
	d := sit(t, start(t), "mia@example.org", func(o *microsoft.Options) { o.Cache = cache })
	d.signIn(t, microsoft.Request{})
	d.person.Seen, d.person.UPN, d.person.Other = nil, "sam@example.org", true
	token := d.signIn(t, microsoft.Request{Hint: "mia@example.org", SelectAccount: true})
	if diff := cmp.Diff([]string{"pick", "account", "password", "post"}, d.person.Seen); diff != "" {
		t.Error(diff)
	}
	if token.Username != "sam@example.org" { // the caller compares
		t.Errorf("signed in %s", token.Username)
	}
	got, err := d.Silent(t.Context(), "")
	if err != nil || got.Username != "sam@example.org" || strings.Contains(cache.kept(), "mia@example.org") {
		t.Errorf("afterwards %s, %v; kept: %s", got.Username, err, cache.kept())
	}
}

func TestTheRequestIsPKCEByFormPost(t *testing.T) {
	d := sit(t, start(t), "sam@example.org")
	d.signIn(t, microsoft.Request{Hint: "sam@example.org"})
	first := d.query(t)
	for name, want := range map[string]string{
		"response_type": "code", "response_mode": "form_post", "code_challenge_method": "S256", "client_id": public, "login_hint": "sam@example.org",
		"scope": scope + " openid offline_access profile", "prompt": "",
	} {
		if got := first.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	d.signIn(t, microsoft.Request{SelectAccount: true})
	second := d.query(t)
	for _, name := range []string{"state", "code_challenge"} {
		if len(first.Get(name)) < 43 || first.Get(name) == second.Get(name) {
			t.Errorf("%s = %q, then %q", name, first.Get(name), second.Get(name))
		}
	}
	if second.Get("prompt") != "select_account" || second.Has("login_hint") {
		t.Errorf("second: %v", second)
	}
}

func TestAClaimsChallengeIsPassedOn(t *testing.T) {
	d := sit(t, start(t), "sam@example.org")
	const claims = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	d.signIn(t, microsoft.Request{Claims: claims})
	if got := d.query(t).Get("claims"); got != claims {
		t.Errorf("claims = %q", got)
	}
}

func TestAnExpiredTokenIsRenewedSilently(t *testing.T) {
	e := start(t)
	if err := e.UpdateTenant(func(c *entra.Config) { c.AccessTokenLife = entra.Duration(time.Minute) }); err != nil { // which MSAL takes for expired
		t.Fatal(err)
	}
	cache := &memory{}
	d := sit(t, e, "mia@example.org", func(o *microsoft.Options) { o.Cache = cache })
	first := d.signIn(t, microsoft.Request{})
	kept := cache.kept()
	second, err := d.Silent(t.Context(), first.HomeAccountID)
	if err != nil || second.AccessToken.Equal(first.AccessToken) {
		t.Errorf("Silent: %v, same token = %v", err, second.AccessToken.Equal(first.AccessToken))
	}
	if cache.kept() == kept {
		t.Error("the new refresh token is not kept")
	}
	for _, tt := range []struct {
		name string
		then func()
		kind aadsts.Kind
		code int
	}{
		{"disabled", func() { set(t, e, func(u *entra.User) { u.Disabled = true }) }, aadsts.Disabled, 50057},
		{"blocked", func() { set(t, e, func(u *entra.User) { u.Disabled, u.Blocked = false, true }) }, aadsts.PolicyBlocked, 53003},
		{"managed devices only", func() { set(t, e, func(u *entra.User) { u.Blocked, u.DeviceCompliance = false, true }) }, aadsts.DeviceBlocked, 53000},
		{"revoked", func() {
			set(t, e, func(u *entra.User) { u.DeviceCompliance = false })
			e.Revoke("mia@example.org")
		}, aadsts.SessionExpired, 50173},
	} {
		tt.then()
		_, err := d.Silent(t.Context(), "")
		if f := failure(t, err); f.Kind != microsoft.Refused || f.Verdict.Kind != tt.kind || f.Verdict.Code != tt.code || f.Verdict.TraceID == "" {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func set(t *testing.T, e *entra.Emulator, change func(*entra.User)) {
	t.Helper()
	if err := e.UpdateUser("mia@example.org", change); err != nil {
		t.Fatal(err)
	}
}

func TestEntraIDIsDown(t *testing.T) {
	e := start(t)
	d := sit(t, e, "sam@example.org")
	e.SetDown(true)
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.Unreachable || len(d.opened) != 0 {
		t.Errorf("503: %v, opened %v", err, d.opened)
	}
	e.SetDown(false)
	if err := e.UpdateTenant(func(c *entra.Config) { c.AccessTokenLife = entra.Duration(time.Minute) }); err != nil {
		t.Fatal(err)
	}
	d.signIn(t, microsoft.Request{})
	e.SetDown(true)
	if _, err := d.Silent(t.Context(), ""); failure(t, err).Kind != microsoft.Unreachable {
		t.Errorf("Silent at 503: %v", err)
	}
	e.SetDown(false)
	if _, err := d.Silent(t.Context(), ""); err != nil {
		t.Errorf("once it is back: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	fresh := sit(t, e, "sam@example.org")
	_, err := fresh.SignIn(t.Context(), microsoft.Request{})
	if failure(t, err).Kind != microsoft.Unreachable || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestAStrangersCertificateIsRefused(t *testing.T) {
	e := start(t)
	d := sit(t, e, "sam@example.org", func(o *microsoft.Options) { o.HTTPClient = nil })
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.Unreachable || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestThePersonSaysNo(t *testing.T) {
	e := start(t)
	for _, at := range []string{"password", "mfa"} {
		d := sit(t, e, "mia@example.org")
		d.person.CancelAt = at
		_, err := d.SignIn(t.Context(), microsoft.Request{})
		if f := failure(t, err); f.Kind != microsoft.Refused || f.Verdict.Kind != aadsts.Cancelled {
			t.Errorf("cancelled at %s: %v", at, err)
		}
		if page := d.arrived(t); page.Text != "Platen You are not signed in. You can close this tab." {
			t.Errorf("the browser ended at %q", page.Text)
		}
	}
	d := sit(t, e, "sam@example.org", func(o *microsoft.Options) { o.Config.ClientID = asking })
	d.person.CancelAt = "consent"
	_, err := d.SignIn(t.Context(), microsoft.Request{})
	if f := failure(t, err); f.Kind != microsoft.Refused || f.Verdict.Kind != aadsts.ConsentRequired || f.Verdict.Code != 65004 {
		t.Errorf("consent denied: %v", err)
	}
}

func TestTheCodeIsRefused(t *testing.T) {
	e := start(t)
	d := sit(t, e, "sam@example.org")
	d.person.BeforePost = func() { // the pages have let the person through; the token endpoint does not
		if err := e.UpdateApp(public, func(a *entra.App) { a.ForceError = 53003 }); err != nil {
			t.Error(err)
		}
	}
	_, err := d.SignIn(t.Context(), microsoft.Request{})
	if f := failure(t, err); f.Kind != microsoft.Refused || f.Verdict.Kind != aadsts.PolicyBlocked || f.Verdict.Code != 53003 {
		t.Errorf("got %v", err)
	}
	if page := d.arrived(t); page.Text != "Platen You are not signed in. You can close this tab." { // it waited for the truth
		t.Errorf("the browser ended at %q", page.Text)
	}
}

func TestCancelAndTimeOut(t *testing.T) {
	e := start(t)
	left := func(o *microsoft.Options) { o.OpenURL = func(context.Context, string) error { return nil } } // a tab that is closed
	ctx, cancel := context.WithCancel(t.Context())
	d := sit(t, e, "", func(o *microsoft.Options) {
		o.OpenURL = func(context.Context, string) error {
			cancel()
			return nil
		}
	})
	if _, err := d.SignIn(ctx, microsoft.Request{}); failure(t, err).Kind != microsoft.Cancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := d.Silent(ctx, ""); failure(t, err).Kind != microsoft.NoAccount {
		t.Errorf("Silent: %v", err)
	}
	d = sit(t, e, "", left, func(o *microsoft.Options) { o.Timeout = 300 * time.Millisecond })
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.TimedOut {
		t.Errorf("timed out: %v", err)
	}
	// Nothing is left half signed in: the next one works.
	d = sit(t, e, "sam@example.org")
	d.signIn(t, microsoft.Request{})
}

func TestNoBrowser(t *testing.T) {
	d := sit(t, start(t), "", func(o *microsoft.Options) {
		o.OpenURL = func(context.Context, string) error { return errors.New("no xdg-open") }
	})
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.NoBrowser || !strings.Contains(err.Error(), "no xdg-open") {
		t.Errorf("got %v", err)
	}
}

func TestASecondClickIsBusyAndTheFirstOneGoesOn(t *testing.T) {
	var d *desk
	second := make(chan error, 1)
	d = sit(t, start(t), "sam@example.org", func(o *microsoft.Options) {
		open := o.OpenURL
		o.OpenURL = func(ctx context.Context, address string) error {
			_, err := d.SignIn(ctx, microsoft.Request{})
			second <- err
			return open(ctx, address)
		}
	})
	d.signIn(t, microsoft.Request{})
	if err := <-second; failure(t, err).Kind != microsoft.Busy {
		t.Errorf("the second: %v", err)
	}
}

func TestNoPort(t *testing.T) {
	d := sit(t, start(t), "sam@example.org")
	refuse := &net.OpError{Op: "listen", Err: syscall.EACCES}
	d.SetListen(func(context.Context, string, string) (net.Listener, error) { return nil, refuse })
	if _, err := d.SignIn(t.Context(), microsoft.Request{}); failure(t, err).Kind != microsoft.NoPort || !errors.Is(err, syscall.EACCES) {
		t.Errorf("got %v", err)
	}
}

func TestACacheThatFailsCostsNobodyASignIn(t *testing.T) {
	e := start(t)
	cache := &memory{err: errors.New("disk full")}
	d := sit(t, e, "sam@example.org", func(o *microsoft.Options) { o.Cache = cache })
	d.signIn(t, microsoft.Request{})
	if _, err := d.Silent(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if log := d.log.String(); !strings.Contains(log, "disk full") {
		t.Errorf("the log says nothing:\n%s", log)
	}
	damaged := &memory{data: []byte("{damaged CANARY")}
	d = sit(t, e, "sam@example.org", func(o *microsoft.Options) { o.Cache = damaged })
	if _, err := d.Silent(t.Context(), ""); failure(t, err).Kind != microsoft.NoAccount {
		t.Error(err)
	}
	if damaged.kept() != "" || strings.Contains(d.log.String(), "CANARY") {
		t.Errorf("kept %q, log:\n%s", damaged.kept(), d.log)
	}
	d.signIn(t, microsoft.Request{})
}

func TestOnlyMicrosoftsCloudsAreKnown(t *testing.T) {
	for authority, want := range map[string]bool{
		"https://login.microsoftonline.com/" + tenant:             true,
		"https://login.microsoftonline.com/" + tenant + "/":       true,
		"https://LOGIN.microsoftonline.com/example.org":           true,
		"https://login.microsoftonline.us/" + tenant:              true,
		"https://login.partner.microsoftonline.cn/" + tenant:      true,
		"https://login.chinacloudapi.cn/" + tenant:                true,
		"http://login.microsoftonline.com/" + tenant:              false,
		"https://login.microsoftonline.com:8443/" + tenant:        false,
		"https://login.microsoftonline.com":                       false,
		"https://login.microsoftonline.com/a/b":                   false,
		"https://login.microsoftonline.com/adfs":                  false,
		"https://login.microsoftonline.com/" + tenant + "?a=b":    false,
		"https://login.microsoftonline.com/" + tenant + "#x":      false,
		"https://sam@login.microsoftonline.com/" + tenant:         false,
		"https://login.microsoftonline.com.attacker.example/x":    false,
		"https://attacker.example/login.microsoftonline.com":      false,
		"https://login.microsoftonline.com@attacker.example/x":    false,
		"https://login.microsoftonline.com\\@attacker.example/x":  false,
		"https://login.microsoftonline.com%2f@attacker.example/x": false,
		"https://localhost:1/" + tenant:                           false,
		"":                                                        false,
	} {
		if got := microsoft.KnownAuthority(authority); got != want {
			t.Errorf("KnownAuthority(%q) = %v", authority, got)
		}
	}
}

func TestAConfigurationThatCannotBeRight(t *testing.T) {
	open := func(context.Context, string) error { return nil }
	good := microsoft.Options{Config: api.MicrosoftConfig{Authority: "https://login.microsoftonline.com/" + tenant, ClientID: public, Scope: scope}, OpenURL: open}
	if _, err := microsoft.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*microsoft.Options){
		"another authority": func(o *microsoft.Options) { o.Config.Authority = "https://login.example.org/" + tenant },
		"no https": func(o *microsoft.Options) {
			o.Config.Authority, o.AnyAuthority = "http://login.example.org/"+tenant, true
		},
		"no authority": func(o *microsoft.Options) { o.Config.Authority, o.AnyAuthority = "", true },
		"no client":    func(o *microsoft.Options) { o.Config.ClientID = "" },
		"no scope":     func(o *microsoft.Options) { o.Config.Scope = "" },
		"two scopes":   func(o *microsoft.Options) { o.Config.Scope = scope + " User.Read" },
		"no browser":   func(o *microsoft.Options) { o.OpenURL = nil },
	} {
		o := good
		change(&o)
		_, err := microsoft.New(o)
		if err == nil || failure(t, err).Kind != microsoft.BadConfig {
			t.Errorf("%s: %v", name, err)
		}
	}
}
