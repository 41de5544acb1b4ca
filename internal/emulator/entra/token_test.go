package entra_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/emulator/entra"
)

// verify checks a token as a server has to, with a library that knows nothing of the emulator.
func verify(t *testing.T, e *entra.Emulator, audience, token string, now func() time.Time) error {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), e.Client())
	provider, err := oidc.NewProvider(ctx, e.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	_, err = provider.Verifier(&oidc.Config{ClientID: audience, Now: now}).Verify(ctx, token)
	return err
}

func TestACodeIsWorthTokens(t *testing.T) {
	e, hands := start(t)
	text, redirect := code(t, e, someone(e, "mia@example.org"))
	a := redeem(t, e, text, redirect)
	if a.AccessToken == "" || a.RefreshToken == "" || a.IDToken == "" || a.ClientInfo == "" || a.ExpiresIn != 3600 {
		t.Fatalf("answered %+v", a)
	}
	if err := verify(t, e, public, a.IDToken, hands.clock); err != nil {
		t.Errorf("the id token: %v", err)
	}
	if err := verify(t, e, server, a.AccessToken, hands.clock); err != nil {
		t.Errorf("the access token: %v", err)
	}
	type want map[string]any
	oid := claims(t, a.IDToken)["oid"]
	for name, tt := range map[string]struct {
		token string
		want  want
	}{
		"id": {a.IDToken, want{
			"ver": "2.0", "iss": e.Issuer(), "aud": public, "tid": tenant, "preferred_username": "mia@example.org", "name": "Mia Wong", "nonce": "a-nonce", "email": nil, "oid": oid,
		}},
		"access": {a.AccessToken, want{
			"ver": "2.0", "iss": e.Issuer(), "aud": server, "tid": tenant, "azp": public, "azpacr": "0", "scp": "sign-in", "oid": oid,
			"preferred_username": "mia@example.org", "amr": nil, "nonce": nil,
		}},
	} {
		got := want{}
		all := claims(t, tt.token)
		for key := range tt.want {
			got[key] = all[key]
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s token: %s", name, diff)
		}
		for _, key := range []string{"exp", "iat", "nbf", "sub", "uti"} {
			if all[key] == nil {
				t.Errorf("%s token: no %s", name, key)
			}
		}
	}
}

func TestACodeIsGoodOnceForItsAppItsVerifierAndItsAddress(t *testing.T) {
	e, hands := start(t)
	p := someone(e, "sam@example.org")
	for name, tt := range map[string]struct {
		pairs []string
		wait  time.Duration
		want  int
	}{
		"another verifier":          {[]string{"code_verifier", strings.Repeat("x", 43)}, 0, 501481},
		"no verifier":               {[]string{"code_verifier", ""}, 0, 501481},
		"another address":           {[]string{"redirect_uri", "http://localhost:1"}, 0, 50011},
		"another app":               {[]string{"client_id", asking}, 0, 9002313},
		"another code":              {[]string{"code", "forged"}, 0, 9002313},
		"no grant":                  {[]string{"grant_type", ""}, 0, 900144},
		"no app":                    {[]string{"client_id", ""}, 0, 900144},
		"unknown app":               {[]string{"client_id", tenant}, 0, 700016},
		"unknown grant":             {[]string{"grant_type", "guess"}, 0, 70003},
		"secret of a public client": {[]string{"client_secret", "x"}, 0, 700025},
		"too late":                  {nil, 11 * time.Minute, 70008},
	} {
		text, redirect := code(t, e, p)
		hands.forward(tt.wait)
		if a := redeem(t, e, text, redirect, tt.pairs...); errorCode(a) != tt.want || a.AccessToken != "" {
			t.Errorf("%s: %v %s, want %d", name, a.Codes, a.Description, tt.want)
		}
	}
	text, redirect := code(t, e, p)
	if a := redeem(t, e, text, redirect); a.AccessToken == "" {
		t.Fatal(a.Description)
	}
	if a := redeem(t, e, text, redirect); errorCode(a) != 54005 {
		t.Errorf("a code twice: %v, want 54005", a.Codes)
	}
}

func TestAWebAppProvesItself(t *testing.T) {
	e, _ := start(t)
	ask := func() string {
		p := someone(e, "sam@example.org")
		at, err := p.Visit(t.Context(), authorizeURL(e, callURL, "client_id", server, "response_mode", "query"))
		if err == nil {
			t.Fatalf("nobody answers at %s, but the browser arrived at %s", callURL, at.Kind)
		}
		_, after, _ := strings.Cut(err.Error(), "code=")
		text, _, _ := strings.Cut(after, "&")
		return text
	}
	for _, tt := range []struct {
		name  string
		pairs []string
		want  int
	}{
		{"no secret", nil, 7000218},
		{"wrong secret", []string{"client_secret", "guess"}, 7000215},
		{"its secret", []string{"client_secret", "a-client-secret"}, 0},
	} {
		a := redeem(t, e, ask(), callURL, append([]string{"client_id", server}, tt.pairs...)...)
		if errorCode(a) != tt.want || (tt.want != 0 && (a.Error != "invalid_client" || a.Status != 401)) {
			t.Errorf("%s: %d %v %s", tt.name, a.Status, a.Codes, a.Description)
		}
		if a.RefreshToken != "" {
			if again := refresh(t, e, a.RefreshToken, "client_id", server); errorCode(again) != 7000218 {
				t.Errorf("refresh without the secret: %v", again.Codes)
			}
			if again := refresh(t, e, a.RefreshToken, "client_id", server, "client_secret", "a-client-secret"); again.AccessToken == "" {
				t.Errorf("refresh with the secret: %s", again.Description)
			}
		}
	}
}

func TestThePasswordGrant(t *testing.T) {
	e, _ := start(t)
	for _, tt := range []struct {
		upn, password, client string
		code                  int
		suberror              string
	}{
		{"sam@example.org", "correct horse", public, 0, ""},
		{"SAM@EXAMPLE.ORG", "correct horse", public, 0, ""},
		{"sam@example.org", "wrong", public, 50126, ""},
		{"sam@example.org", "", public, 50056, ""},
		{"nobody@example.org", "x", public, 50034, ""},
		{"nobody", "x", public, 50128, ""},
		{"other@example.com", "correct horse", public, 50020, ""},
		{"mia@example.org", "correct horse", public, 50076, "basic_action"},
		{"mia@example.org", "wrong", public, 50126, ""}, // the password comes first
		{"new@example.org", "correct horse", public, 50079, "basic_action"},
		{"risky@example.org", "correct horse", public, 53004, "message_only"},
		{"disabled@example.org", "correct horse", public, 50057, ""},
		{"disabled@example.org", "wrong", public, 50126, ""},
		{"locked@example.org", "correct horse", public, 50053, ""},
		{"empty@example.org", "x", public, 50056, ""},
		{"expired@example.org", "correct horse", public, 50055, "user_password_expired"},
		{"change@example.org", "correct horse", public, 50055, "user_password_expired"},
		{"consent@example.org", "correct horse", public, 65001, "consent_required"},
		{"sam@example.org", "correct horse", admins, 90094, "consent_required"},
		{"sam@example.org", "correct horse", some, 50105, ""},
		{"assigned@example.org", "correct horse", some, 0, ""},
		{"blocked@example.org", "correct horse", public, 53003, "message_only"},
		{"device@example.org", "correct horse", public, 53000, "additional_action"},
		{"join@example.org", "correct horse", public, 53001, "additional_action"},
		{"deviceauth@example.org", "correct horse", public, 50097, ""},
		{"challenge@example.org", "correct horse", public, 50158, ""},
		{"forced@example.org", "correct horse", public, 50074, "basic_action"},
		{"sam@example.org", "correct horse", server, 7000218, ""},
	} {
		a := ropc(t, e, tt.client, tt.upn, tt.password)
		if errorCode(a) != tt.code || a.Suberror != tt.suberror || (a.AccessToken != "") != (tt.code == 0) {
			t.Errorf("%s %q by %s: %v %q %s, want %d %q", tt.upn, tt.password, tt.client, a.Codes, a.Suberror, a.Description, tt.code, tt.suberror)
		}
	}
}

func TestErrorsLookAsDocumented(t *testing.T) {
	e, _ := start(t)
	a := ropc(t, e, public, "mia@example.org", "correct horse")
	const guid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	want := regexp.MustCompile(`^AADSTS50076: Due to .*\r\nTrace ID: ` + guid + `\r\nCorrelation ID: ` + guid + `\r\nTimestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$`)
	if a.Status != 400 || a.Error != "invalid_grant" || !want.MatchString(a.Description) || !strings.Contains(a.Description, a.TraceID) || !strings.Contains(a.Description, a.CorrelationID) {
		t.Errorf("answered %d %s %q", a.Status, a.Error, a.Description)
	}
	if !json.Valid([]byte(a.Claims)) {
		t.Errorf("claims %q is no JSON", a.Claims)
	}
}

func TestAnyNumberCanBeForced(t *testing.T) {
	e, _ := start(t)
	for _, n := range []int{
		50011, 50020, 50034, 50053, 50055, 50056, 50057, 50058, 50074, 50076, 50079, 50097, 50105, 50126, 50128, 50158, 50173, 53000, 53001, 53003, 53004,
		65001, 65004, 70043, 90002, 90094, 500011, 700016, 700082, 7000218, 1234567,
	} {
		for name, force := range map[string]func(int) error{
			"user": func(n int) error {
				return e.UpdateUser("sam@example.org", func(u *entra.User) { u.ForceError = n })
			},
			"app": func(n int) error { return e.UpdateApp(public, func(a *entra.App) { a.ForceError = n }) },
		} {
			if err := force(n); err != nil {
				t.Fatal(err)
			}
			a := ropc(t, e, public, "sam@example.org", "correct horse")
			if errorCode(a) != n || a.Error == "" || !strings.HasPrefix(a.Description, fmt.Sprintf("AADSTS%d: ", n)) {
				t.Errorf("forced %d by the %s: %+v", n, name, a)
			}
			if n != 1234567 && strings.Contains(a.Description, "told to answer") {
				t.Errorf("%d is not documented here", n)
			}
			if err := force(0); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestRefreshTokens(t *testing.T) {
	e, hands := start(t)
	sign := func(upn string) string {
		t.Helper()
		text, redirect := code(t, e, someone(e, upn))
		a := redeem(t, e, text, redirect)
		if a.RefreshToken == "" {
			t.Fatal(a.Description)
		}
		return a.RefreshToken
	}
	first := sign("mia@example.org")
	second := refresh(t, e, first)
	if second.RefreshToken == "" || second.RefreshToken == first || second.AccessToken == "" {
		t.Fatalf("refreshed to %+v", second)
	}
	if a := refresh(t, e, first); a.AccessToken == "" {
		t.Errorf("the old refresh token, which Entra does not revoke: %s", a.Description)
	}
	user := func(upn string, change func(*entra.User)) func() error {
		return func() error { return e.UpdateUser(upn, change) }
	}
	for _, tt := range []struct {
		name, upn string
		then      func() error
		code      int
		suberror  string
	}{
		{"disabled", "mia@example.org", user("mia@example.org", func(u *entra.User) { u.Disabled = true }), 50057, ""},
		{"MFA required since", "sam@example.org", user("sam@example.org", func(u *entra.User) { u.MFA = entra.MFARequired }), 50076, "basic_action"},
		{"blocked since", "assigned@example.org", user("assigned@example.org", func(u *entra.User) { u.Blocked = true }), 53003, "message_only"},
		{"revoked", "federated@example.org", func() error {
			e.Revoke("FEDERATED@example.org")
			return nil
		}, 50173, "bad_token"},
		{"not used for 91 days", "new@example.org", func() error {
			hands.forward(91 * 24 * time.Hour)
			return nil
		}, 700082, "bad_token"},
		{"older than the sign-in frequency", "new@example.org", func() error {
			hands.forward(2 * time.Hour)
			return e.UpdateTenant(func(c *entra.Config) { c.SignInFrequency = entra.Duration(time.Hour) })
		}, 70043, "bad_token"},
	} {
		token := sign(tt.upn)
		if err := tt.then(); err != nil {
			t.Fatal(err)
		}
		if a := refresh(t, e, token); errorCode(a) != tt.code || a.Suberror != tt.suberror || a.AccessToken != "" {
			t.Errorf("%s: %v %q %s, want %d", tt.name, a.Codes, a.Suberror, a.Description, tt.code)
		}
	}
	if a := refresh(t, e, "forged"); errorCode(a) != 9002313 {
		t.Errorf("a forged token: %v", a.Codes)
	}
	if a := refresh(t, e, first, "client_id", asking); errorCode(a) != 9002313 {
		t.Errorf("another app's token: %v", a.Codes)
	}
}

func TestTokensOfVersion1(t *testing.T) {
	e, _ := start(t)
	text, redirect := code(t, e, someone(e, "mia@example.org"), "scope", "openid api://"+old+"/sign-in")
	c := claims(t, redeem(t, e, text, redirect).AccessToken)
	want := map[string]any{"ver": "1.0", "iss": e.URL() + "/" + tenant + "/", "aud": "api://" + old, "appid": public, "upn": "mia@example.org", "amr": []any{"pwd", "mfa"}}
	for name, value := range want {
		if diff := cmp.Diff(value, c[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOptionalClaims(t *testing.T) {
	e, _ := start(t)
	if err := e.UpdateApp(server, func(a *entra.App) { a.OptionalClaims = []string{"email", "upn", "amr", "auth_time"} }); err != nil {
		t.Fatal(err)
	}
	text, redirect := code(t, e, someone(e, "sam@example.org"))
	c := claims(t, redeem(t, e, text, redirect).AccessToken)
	if c["email"] != "sam.taylor@example.org" || c["upn"] != "sam@example.org" || c["auth_time"] == nil || cmp.Diff([]any{"pwd"}, c["amr"]) != "" {
		t.Errorf("claims %v", c)
	}
}

func TestAppOnlyTokens(t *testing.T) {
	e, hands := start(t)
	ask := func(pairs ...string) answer {
		return post(t, e, "token", append([]string{"grant_type", "client_credentials", "client_id", server, "client_secret", "a-client-secret", "scope", "api://" + server + "/.default"}, pairs...)...)
	}
	a := ask()
	if err := verify(t, e, server, a.AccessToken, hands.clock); err != nil {
		t.Fatal(err)
	}
	c := claims(t, a.AccessToken)
	if c["idtyp"] != "app" || c["scp"] != nil || c["preferred_username"] != nil || c["azpacr"] != "1" || cmp.Diff([]any{"Reader"}, c["roles"]) != "" {
		t.Errorf("claims %v", c)
	}
	if a := ask("client_secret", ""); errorCode(a) != 7000218 {
		t.Errorf("without a secret: %v", a.Codes)
	}
	if a := ask("scope", "api://"+server+"/sign-in"); errorCode(a) != 70011 {
		t.Errorf("with a delegated scope: %v", a.Codes)
	}
}

func TestTheDeviceCodeGrant(t *testing.T) {
	e, hands := start(t)
	poll := func(a answer, grant string) answer {
		return post(t, e, "token", "grant_type", grant, "client_id", public, "device_code", a.DeviceCode)
	}
	for _, grant := range []string{"device_code", "urn:ietf:params:oauth:grant-type:device_code"} {
		a := post(t, e, "devicecode", "client_id", public, "scope", scope)
		if again := poll(a, grant); again.Status != 400 || again.Error != "authorization_pending" {
			t.Fatalf("before: %+v", again)
		}
		typed(t, e, a)
		done := poll(a, grant)
		if c := claims(t, done.AccessToken); c["preferred_username"] != "mia@example.org" {
			t.Errorf("claims %v", c)
		}
		if again := poll(a, grant); errorCode(again) != 9002313 {
			t.Errorf("a second time: %v", again.Codes)
		}
	}
	a := post(t, e, "devicecode", "client_id", public, "scope", scope)
	hands.forward(16 * time.Minute)
	if again := poll(a, "device_code"); again.Error != "expired_token" {
		t.Errorf("after 16 minutes: %+v", again)
	}
	if a := post(t, e, "devicecode", "client_id", server+"x", "scope", scope); errorCode(a) != 700016 {
		t.Errorf("unknown app: %v", a.Codes)
	}
}

// typed has a person type a device's code and sign in.
func typed(t *testing.T, e *entra.Emulator, a answer) {
	t.Helper()
	p := someone(e, "mia@example.org")
	p.DeviceCode = a.UserCode
	if at := visit(t, e, p, a.Page); at.Kind != "done" {
		t.Fatalf("ended at %s: %s", at.Kind, at.Text)
	}
}

func TestKeysAreRotatedAndRetired(t *testing.T) {
	e, hands := start(t)
	before, err := e.AccessToken("sam@example.org", public, scope, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	after, err := e.AccessToken("sam@example.org", public, scope, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{before, after} {
		if err := verify(t, e, server, token, hands.clock); err != nil {
			t.Errorf("while both keys are published: %v", err)
		}
	}
	e.RetireKeys()
	if err := verify(t, e, server, before, hands.clock); err == nil {
		t.Error("a token of a retired key is taken")
	}
	if err := verify(t, e, server, after, hands.clock); err != nil {
		t.Error(err)
	}
}

func TestForgeriesAreForgeries(t *testing.T) {
	e, hands := start(t)
	c, err := e.AccessClaims("sam@example.org", public, scope, true)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := e.SignAsStranger(c)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{"stranger": stranger}
	for _, alg := range []string{entra.AlgNone, entra.AlgHS256} {
		if tokens[alg], err = e.Sign(alg, c); err != nil {
			t.Fatal(err)
		}
	}
	for name, token := range tokens {
		if err := verify(t, e, server, token, hands.clock); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestTheEmulatorIsDownOrSlowOrLate(t *testing.T) {
	e, hands := start(t)
	e.SetDown(true)
	res, err := e.Client().Get(e.Issuer() + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Error(res.Status)
	}
	e.SetDown(false)
	e.SetSkew(-2 * time.Hour)
	token, err := e.AccessToken("sam@example.org", public, scope, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(t, e, server, token, hands.clock); err == nil {
		t.Error("a token of a clock that is two hours late is taken")
	}
	e.SetDelay(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := e.Client().Do(req); err == nil {
		res.Body.Close()
		t.Error("a slow emulator answers at once")
	}
}

func TestUserRealmAndInstanceDiscovery(t *testing.T) {
	e, _ := start(t)
	get := func(path string) (int, string) {
		res, err := e.Client().Get(e.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(raw)
	}
	for upn, want := range map[string]string{"sam@example.org": "Managed", "nobody@example.org": "Managed", "federated@example.org": "Federated", "a@b.test": "Unknown"} {
		if status, body := get("/common/UserRealm/" + upn + "?api-version=1.0"); status != 200 || !strings.Contains(body, `"account_type":"`+want+`"`) {
			t.Errorf("%s: %d %s", upn, status, body)
		}
	}
	if status, body := get("/common/discovery/instance?api-version=1.1&authorization_endpoint=" + e.Authority() + "/oauth2/v2.0/authorize"); status != 200 || !strings.Contains(body, "openid-configuration") {
		t.Errorf("our instance: %d %s", status, body)
	}
	if status, _ := get("/common/discovery/instance?authorization_endpoint=https://attacker.example/x"); status != 400 {
		t.Errorf("another instance: %d", status)
	}
	if status, body := get("/99999999-2222-3333-4444-555555555555/v2.0/.well-known/openid-configuration"); status != 400 || !strings.Contains(body, "AADSTS90002") {
		t.Errorf("another tenant: %d %s", status, body)
	}
	if status, body := get("/common/v2.0/.well-known/openid-configuration"); status != 200 || !strings.Contains(body, "{tenantid}/v2.0") {
		t.Errorf("common: %d %s", status, body)
	}
}

func TestAConfigurationThatIsNotRightIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no tenant":   `{}`,
		"unknown key": "tenant: " + tenant + "\nsurprise: 1",
		"app id":      "tenant: " + tenant + "\napps: [{id: x}]",
		"consent":     "tenant: " + tenant + "\napps: [{id: " + public + ", consent: maybe}]",
		"version":     "tenant: " + tenant + "\napps: [{id: " + public + ", requested_access_token_version: 3}]",
		"upn":         "tenant: " + tenant + "\nusers: [{upn: sam}]",
		"mfa":         "tenant: " + tenant + "\nusers: [{upn: sam@example.org, mfa: maybe}]",
		"oid":         "tenant: " + tenant + "\nusers: [{upn: sam@example.org, oid: x}]",
		"life":        "tenant: " + tenant + "\naccess_token_life: long",
	} {
		if _, err := entra.ParseConfig([]byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestItListensOnLoopbackOnly(t *testing.T) {
	if e, err := entra.Start(t.Context(), entra.Options{Config: entra.Config{Tenant: tenant}, Listen: "0.0.0.0:0"}); err == nil {
		t.Errorf("it listens at %s", e.URL())
	}
}
