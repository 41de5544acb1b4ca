package entra_test

import (
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/emulator/entra/person"
)

func TestPasswordThenMFAThenTheAppByFormPost(t *testing.T) {
	e, _ := start(t)
	a := listen(t)
	p := someone(e, "mia@example.org")
	visit(t, e, p, authorizeURL(e, a.url))
	if diff := cmp.Diff([]string{"account", "password", "mfa", "post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
	got, how := a.result()
	if how != "POST" || got.Get("state") != "a-state" || got.Get("code") == "" {
		t.Errorf("the app got %s %v", how, got)
	}
}

func TestAnswerInTheQuery(t *testing.T) {
	e, _ := start(t)
	a := listen(t)
	visit(t, e, someone(e, "sam@example.org"), authorizeURL(e, a.url, "response_mode", "query"))
	got, how := a.result()
	if how != "GET" || got.Get("code") == "" || got.Get("state") != "a-state" {
		t.Errorf("the app got %s %v", how, got)
	}
}

func TestMFAIsApprovedOrTypedAndNothingElse(t *testing.T) {
	e, _ := start(t)
	a := listen(t)
	for _, typed := range []string{"", "123456", "24681", "abcdef"} {
		p := (&person.Person{UPN: "mia@example.org", Password: "correct horse", Code: typed}).Use(e.Client())
		if at := visit(t, e, p, authorizeURL(e, a.url)); at.Kind != "mfa" || at.Problem == "" {
			t.Errorf("code %q ended at %s: %s", typed, at.Kind, at.Text)
		}
	}
	p := (&person.Person{UPN: "mia@example.org", Password: "correct horse", Approve: true}).Use(e.Client())
	visit(t, e, p, authorizeURL(e, a.url))
	if got, _ := a.result(); got.Get("code") == "" {
		t.Errorf("after approving the app got %v", got)
	}
}

func TestAWrongPasswordStaysOnThePageAndLocksInTheEnd(t *testing.T) {
	e, _ := start(t)
	a := listen(t)
	wrong := func() person.Page {
		p := (&person.Person{UPN: "sam@example.org", Password: "wrong"}).Use(e.Client())
		return visit(t, e, p, authorizeURL(e, a.url))
	}
	for range 10 {
		if at := wrong(); at.Kind != "password" || !strings.Contains(at.Problem, "incorrect") {
			t.Fatalf("ended at %s: %s", at.Kind, at.Problem)
		}
	}
	if at := wrong(); !strings.Contains(at.Problem, "locked") {
		t.Errorf("after ten wrong passwords: %s", at.Problem)
	}
	if got, _ := a.result(); got != nil {
		t.Errorf("the app got %v", got)
	}
}

func TestTheBrowserSessionIsUsed(t *testing.T) {
	e, _ := start(t)
	a := listen(t)
	p := someone(e, "mia@example.org")
	for _, tt := range []struct {
		name  string
		pairs []string
		pages []string
	}{
		{"first", nil, []string{"account", "password", "mfa", "post"}},
		{"again", nil, []string{"post"}},
		{"login hint for the same person", []string{"login_hint", "MIA@example.org"}, []string{"post"}},
		{"silently", []string{"prompt", "none"}, []string{"post"}},
		{"account picker", []string{"prompt", "select_account"}, []string{"pick", "post"}},
		{"prompt login", []string{"prompt", "login", "login_hint", "mia@example.org"}, []string{"password", "mfa", "post"}},
		{"consent", []string{"prompt", "consent"}, []string{"consent", "post"}},
	} {
		p.Seen = nil
		visit(t, e, p, authorizeURL(e, a.url, tt.pairs...))
		if diff := cmp.Diff(tt.pages, p.Seen); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if got, _ := a.result(); got.Get("code") == "" {
			t.Errorf("%s: the app got %v", tt.name, got)
		}
	}
}

func TestAnotherAccountFromThePicker(t *testing.T) {
	e, _ := start(t)
	p := someone(e, "mia@example.org")
	code(t, e, p)
	p.UPN, p.Other, p.Seen = "sam@example.org", true, nil
	text, redirect := code(t, e, p, "prompt", "select_account")
	if diff := cmp.Diff([]string{"pick", "account", "password", "post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
	if got := claims(t, redeem(t, e, text, redirect).IDToken)["preferred_username"]; got != "sam@example.org" {
		t.Errorf("signed in %v", got)
	}
}

func TestTheLoginHintIsTaken(t *testing.T) {
	e, _ := start(t)
	p := someone(e, "sam@example.org")
	code(t, e, p, "login_hint", "sam@example.org")
	if diff := cmp.Diff([]string{"password", "post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
	// Somebody else's session does not answer for the one who is hinted at.
	p.Seen, p.UPN = nil, "mia@example.org"
	code(t, e, p, "login_hint", "mia@example.org")
	if diff := cmp.Diff([]string{"password", "mfa", "post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
}

func TestLogoutEndsTheBrowserSession(t *testing.T) {
	e, _ := start(t)
	p := someone(e, "sam@example.org")
	code(t, e, p)
	visit(t, e, p, e.Authority()+"/oauth2/v2.0/logout")
	p.Seen = nil
	code(t, e, p)
	if diff := cmp.Diff([]string{"account", "password", "post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsThatTheAppHears(t *testing.T) {
	e, _ := start(t)
	for _, tt := range []struct {
		name, upn string
		cancelAt  string
		pairs     []string
		err, code string
	}{
		{"nobody is signed in", "sam@example.org", "", []string{"prompt", "none"}, "login_required", "AADSTS50058"},
		{"they go back", "sam@example.org", "password", nil, "access_denied", ""},
		{"they decline", "sam@example.org", "consent", []string{"client_id", asking}, "consent_required", "AADSTS65004"},
		{"they return from the administrator's page", "sam@example.org", "admin", []string{"client_id", admins}, "consent_required", "AADSTS65004"},
		{"no such resource", "sam@example.org", "", []string{"scope", "openid api://nobody/sign-in"}, "invalid_resource", "AADSTS500011"},
		{"no such scope", "sam@example.org", "", []string{"scope", "openid api://" + server + "/admin"}, "invalid_client", "AADSTS650053"},
		{"two resources", "sam@example.org", "", []string{"scope", "User.Read api://" + server + "/sign-in"}, "invalid_scope", "AADSTS70011"},
		{"another response type", "sam@example.org", "", []string{"response_type", "token"}, "unsupported_response_type", "AADSTS700054"},
		{"no PKCE", "sam@example.org", "", []string{"code_challenge", ""}, "invalid_request", "AADSTS9002325"},
		{"plain PKCE", "sam@example.org", "", []string{"code_challenge_method", "plain"}, "invalid_request", "AADSTS9002325"},
		{"another prompt", "sam@example.org", "", []string{"prompt", "create-me"}, "invalid_request", "AADSTS9002313"},
		{"strong authentication by force", "forced@example.org", "", nil, "interaction_required", "AADSTS50074"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := listen(t)
			p := someone(e, tt.upn)
			p.CancelAt = tt.cancelAt
			visit(t, e, p, authorizeURL(e, a.url, tt.pairs...))
			got, _ := a.result()
			if tt.code == "" && (got.Get("error_subcode") != "cancel" || got.Has("error_description")) {
				t.Errorf("the app got %v", got)
			}
			if got.Get("error") != tt.err || !strings.HasPrefix(got.Get("error_description"), tt.code) || got.Get("state") != "a-state" || got.Get("code") != "" {
				t.Errorf("the app got %v (pages %v), want %s %s", got, p.Seen, tt.err, tt.code)
			}
		})
	}
}

func TestErrorsThatOnlyThePageShows(t *testing.T) {
	e, _ := start(t)
	for _, tt := range []struct {
		upn, code string
		pairs     []string
	}{
		{"disabled@example.org", "AADSTS50057", nil},
		{"blocked@example.org", "AADSTS53003", nil},
		{"device@example.org", "AADSTS53000", nil},
		{"join@example.org", "AADSTS53001", nil},
		{"deviceauth@example.org", "AADSTS50097", nil},
		{"challenge@example.org", "AADSTS50158", nil},
		{"risky@example.org", "AADSTS53004", nil},
		{"other@example.com", "AADSTS50020", nil},
		{"sam@example.org", "AADSTS50105", []string{"client_id", some, "redirect_uri", "http://localhost/back"}},
		{"sam@example.org", "AADSTS700016", []string{"client_id", tenant}},
		{"sam@example.org", "AADSTS50011", []string{"redirect_uri", "https://attacker.example/"}},
	} {
		p := someone(e, tt.upn)
		at := visit(t, e, p, authorizeURL(e, "http://localhost:1", tt.pairs...))
		if at.Kind != "failure" || !strings.Contains(at.Text, tt.code) {
			t.Errorf("%s %v ended at %s: %s", tt.upn, tt.pairs, at.Kind, at.Text)
		}
	}
}

func TestANewPasswordWhereOneIsDue(t *testing.T) {
	e, _ := start(t)
	for _, upn := range []string{"change@example.org", "expired@example.org"} {
		p := someone(e, upn)
		p.NewPassword = "battery staple"
		code(t, e, p)
		if diff := cmp.Diff([]string{"account", "password", "change", "post"}, p.Seen); diff != "" {
			t.Error(diff)
		}
		if a := ropc(t, e, public, upn, "battery staple"); a.AccessToken == "" {
			t.Errorf("with the new password: %s", a.Description)
		}
	}
}

func TestASecondFactorIsRegistered(t *testing.T) {
	e, _ := start(t)
	p := someone(e, "new@example.org")
	code(t, e, p)
	if diff := cmp.Diff([]string{"account", "password", "register", "post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
	if a := ropc(t, e, public, "new@example.org", "correct horse"); errorCode(a) != 50076 {
		t.Errorf("afterwards the password grant says %v, want 50076", a.Codes)
	}
}

func TestConsentIsAskedOnce(t *testing.T) {
	e, _ := start(t)
	p := someone(e, "sam@example.org")
	code(t, e, p, "client_id", asking)
	p.Seen = nil
	code(t, e, p, "client_id", asking)
	if diff := cmp.Diff([]string{"post"}, p.Seen); diff != "" {
		t.Error(diff)
	}
}

func TestRedirectURIsMatchExactlyButForThePortOfLocalhost(t *testing.T) {
	e, _ := start(t)
	for uri, ok := range map[string]bool{
		"http://localhost":                      true,
		"http://localhost:1":                    true,
		"http://localhost:49152/":               true,
		"http://localhost/other":                false,
		"http://localhost:1/other":              false,
		"http://127.0.0.1:1":                    false,
		"https://localhost:1":                   false,
		"http://localhost.attacker.example":     false,
		"http://localhost@attacker.example":     false,
		"http://localhost:1@attacker.example/":  false,
		"http://attacker.example/?localhost":    false,
		"http://localhost:1?x=1":                false,
		"http://localhost:1#x":                  false,
		"http://LOCALHOST:1":                    false,
		"javascript:alert(1)":                   false,
		"":                                      false,
		callURL:                                 false, // of the other app
		"https://print.example.org:444/sign-in": false,
	} {
		p := (&person.Person{UPN: "sam@example.org", StopAt: "account"}).Use(e.Client())
		at, _ := p.Visit(t.Context(), authorizeURL(e, uri))
		if got := at.Kind == "account"; got != ok {
			t.Errorf("redirect_uri %q: page %s, want accepted = %v", uri, at.Kind, ok)
		}
	}
	p := (&person.Person{StopAt: "account"}).Use(e.Client())
	for uri, ok := range map[string]bool{callURL: true, callURL + "/": false, strings.ToUpper(callURL): false, callURL + "?a=b": false, "http://localhost": false} {
		at, _ := p.Visit(t.Context(), authorizeURL(e, uri, "client_id", server))
		if got := at.Kind == "account"; got != ok {
			t.Errorf("web redirect_uri %q: page %s, want accepted = %v", uri, at.Kind, ok)
		}
	}
}

func TestAnotherTenant(t *testing.T) {
	e, _ := start(t)
	other := strings.Replace(authorizeURL(e, "http://localhost:1"), tenant, "99999999-2222-3333-4444-555555555555", 1)
	if at := visit(t, e, someone(e, "sam@example.org"), other); !strings.Contains(at.Text, "AADSTS90002") {
		t.Errorf("ended at %s: %s", at.Kind, at.Text)
	}
}

func TestAFormOfNoPageOfOursIsRefused(t *testing.T) {
	e, _ := start(t)
	for _, tx := range []string{"", "forged"} {
		res, err := e.Client().PostForm(e.Authority()+"/login", url.Values{"tx": {tx}, "step": {"register"}})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(raw), "AADSTS50089") {
			t.Errorf("tx %q: %v\n%s", tx, err, raw)
		}
	}
}
