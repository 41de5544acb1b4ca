package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
)

const aVerifier = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv"

func tokenBody(token string) string {
	return fmt.Sprintf(`{"provider":"microsoft","access_token":%q,"stay_signed_in":true,"client":"platen 1","shared_computer":true,"os_account":{"name":"alex","hostname":"pc1"}}`, token)
}

func codeBody(code string) string {
	return fmt.Sprintf(`{"code":%q,"verifier":%q,"client":"platen 1"}`, code, aVerifier)
}

func TestSignInByToken(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask(t, "POST", api.PathSessionToken, "", tokenBody("token of alex.test@example.org"))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := s.issued[0]; got.Assurance != core.AssuranceOIDC || !got.StaySignedIn || got.Client != "platen 1" || got.Host != "pc1" || got.Address.String() != "192.0.2.1" {
		t.Errorf("the session is %+v", got)
	}
	if got := s.tokens[0]; got.Provider != "microsoft" || !got.Shared || got.OSAccount.Name != "alex" {
		t.Errorf("asked %+v", got)
	}
	p := problemIn(t, s.ask(t, "POST", api.PathSessionToken, "", tokenBody("CANARY-forged")))
	if p.Code != api.CodeTokenInvalid || p.Status != http.StatusUnauthorized {
		t.Errorf("a forged token: %+v", p)
	}
	if strings.Contains(s.logs.String(), "CANARY") || strings.Contains(fmt.Sprint(p), "CANARY") {
		t.Error("a token is shown")
	}
}

func TestSignInByCode(t *testing.T) {
	s := newSite(t, nil)
	body := codeBody("code of alex.test@example.org")
	if w := s.ask(t, "POST", api.PathSessionCode, "", body); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := s.issued[0]; got.Assurance != core.AssuranceMachine || got.Device != "d1" || !got.StaySignedIn {
		t.Errorf("the session is %+v", got)
	}
	if p := problemIn(t, s.ask(t, "POST", api.PathSessionCode, "", body)); p.Code != api.CodeCodeInvalid || p.Status != http.StatusUnauthorized {
		t.Errorf("the second time: %+v", p)
	}
	if p := problemIn(t, s.ask(t, "POST", api.PathSessionCode, "", codeBody("CANARY-code"))); p.Code != api.CodeCodeInvalid {
		t.Errorf("%+v", p)
	}
	if strings.Contains(s.logs.String(), "CANARY") || strings.Contains(s.logs.String(), aVerifier) {
		t.Error("a code is in the log")
	}
}

// A code is worth what gave it: a machine's needs trust, a browser's needs browser.
func TestACodeNeedsTheWayThatGaveIt(t *testing.T) {
	tests := []struct {
		modes, code string
		want        api.Code
	}{
		{"trust,prompt", "code of alex.test@example.org", ""},
		{"trust,prompt", "web code of alex.test@example.org", api.CodeMethodOff},
		{"browser,prompt", "web code of alex.test@example.org", ""},
		{"browser,prompt", "code of alex.test@example.org", api.CodeMethodOff},
		{"prompt", "code of alex.test@example.org", api.CodeMethodOff},
		{"prompt", "web code of alex.test@example.org", api.CodeMethodOff},
		{"prompt", "no code", api.CodeMethodOff},
		{"browser", "no code", api.CodeCodeInvalid},
	}
	for _, tt := range tests {
		s := newSite(t, func(d *Deps) { d.Client.AuthModes = strings.Split(tt.modes, ",") })
		w := s.ask(t, "POST", api.PathSessionCode, "", codeBody(tt.code))
		if tt.want == "" {
			if w.Code != http.StatusOK {
				t.Errorf("%s, %s: %d %s", tt.modes, tt.code, w.Code, w.Body)
			}
			continue
		}
		if p := problemIn(t, w); p.Code != tt.want || len(s.issued) > 0 {
			t.Errorf("%s, %s: %+v", tt.modes, tt.code, p)
		}
	}
}

func TestBadProofsEchoNothing(t *testing.T) {
	s := newSite(t, nil)
	for path, bodies := range map[string][]string{
		api.PathSessionToken: {
			`{"provider":"CANARY","access_token":"x"}`, `{"provider":"microsoft","access_token":""}`, `{"provider":"microsoft","access_token":"CANARY","token":"CANARY"}`,
			`{"provider":"microsoft","access_token":"` + strings.Repeat("CANARY", 6000) + `"}`,
		},
		api.PathSessionCode: {`{"code":"CANARY","verifier":"CANARY"}`, `{"code":"CANARY"}`, `{"code":"CANARY","code":"x","verifier":"` + aVerifier + `"}`},
	} {
		for _, body := range bodies {
			w := s.ask(t, "POST", path, "", body)
			p := problemIn(t, w)
			if p.Code != api.CodeInvalid || strings.Contains(w.Body.String()+s.logs.String(), "CANARY") {
				t.Errorf("%.60s: %+v", body, p)
			}
		}
	}
}

func TestAWayThatIsNotOfferedNamesOneThatIs(t *testing.T) {
	tests := []struct {
		modes, path, body, method string
	}{
		{"trust,microsoft", api.PathSessions, `{"username":"alex.test@example.org","password":"right"}`, "microsoft"},
		{"trust,browser", api.PathSessions, `{"username":"alex.test@example.org","password":"right"}`, "browser"},
		{"prompt", api.PathSessionToken, tokenBody("token of alex.test@example.org"), "prompt"},
		{"trust", api.PathSessionToken, tokenBody("token of alex.test@example.org"), ""},
	}
	for _, tt := range tests {
		s := newSite(t, func(d *Deps) { d.Client.AuthModes = strings.Split(tt.modes, ",") })
		p := problemIn(t, s.ask(t, "POST", tt.path, "", tt.body))
		if p.Code != api.CodeMethodOff || p.Status != http.StatusForbidden || p.Method != tt.method || len(s.issued)+len(s.attempts)+len(s.tokens) > 0 {
			t.Errorf("%s %s: %+v", tt.modes, tt.path, p)
		}
	}
}

func TestRefusalsHaveTheirCodeAndTheWayThatWorks(t *testing.T) {
	tests := []struct {
		err    error
		status int
		code   api.Code
		method string
	}{
		{&Refusal{Code: api.CodeMethodOff, Method: "microsoft", Err: core.ErrWrongCredentials}, http.StatusForbidden, api.CodeMethodOff, "microsoft"},
		{&Refusal{Code: api.CodeMFARequired, Err: core.ErrMFARequired}, http.StatusForbidden, api.CodeMFARequired, "microsoft"},
		{fmt.Errorf("sign in: %w", core.ErrMFARequired), http.StatusForbidden, api.CodeMFARequired, "microsoft"},
		{&Refusal{Code: api.CodeNoAccount, Err: core.ErrForbidden}, http.StatusForbidden, api.CodeNoAccount, ""},
		{&Refusal{Code: api.CodeConsentRequired, Err: core.ErrForbidden}, http.StatusForbidden, api.CodeConsentRequired, "prompt"},
		{&Refusal{Code: api.CodeDeviceBlocked, Err: core.ErrForbidden}, http.StatusForbidden, api.CodeDeviceBlocked, ""},
		{&Refusal{Code: api.CodeInternal, Err: errors.New("not one of them")}, http.StatusInternalServerError, api.CodeInternal, ""},
		{core.ErrUnavailable, http.StatusServiceUnavailable, api.CodeUnavailable, ""},
	}
	for _, tt := range tests {
		s := newSite(t, nil)
		s.fail(tt.err)
		p := problemIn(t, s.ask(t, "POST", api.PathSessionToken, "", tokenBody("x")))
		if p.Status != tt.status || p.Code != tt.code || p.Method != tt.method || p.Title == "" || p.Detail == "" {
			t.Errorf("%v: %+v", tt.err, p)
		}
	}
}

func TestEveryCodeOfTheContractHasWords(t *testing.T) {
	codes := []api.Code{
		api.CodeInvalid, api.CodeTooLarge, api.CodeUnauthenticated, api.CodeSessionEnded, api.CodeWrongCredentials, api.CodeAccountDisabled, api.CodePasswordExpired,
		api.CodeAmbiguousName, api.CodeLimited, api.CodeMethodOff, api.CodeMFARequired, api.CodeTokenInvalid, api.CodeCodeInvalid, api.CodeNoAccount,
		api.CodeConsentRequired, api.CodeDeviceBlocked, api.CodeTrustRefused, api.CodeDeviceUnknown, api.CodeForbidden, api.CodeNotFound, api.CodeConflict,
		api.CodeDirectoryUnavailable, api.CodeUnavailable, api.CodeInternal,
	}
	for _, c := range codes {
		if words[c][0] == "" || words[c][1] == "" {
			t.Errorf("%s has no words", c)
		}
	}
	for c := range refusals {
		if !slices.Contains(codes, c) {
			t.Errorf("%s is not in the list of this test", c)
		}
	}
}

func TestCapabilitiesAreForWhoReadsTheConfiguration(t *testing.T) {
	s := newSite(t, nil)
	for role, want := range map[core.Role]int{core.RoleOwner: 200, core.RoleAdmin: 200, core.RoleAuditor: 200, core.RoleHelpdesk: 403} {
		s.roles[1] = []core.Role{role}
		if w := s.ask(t, "GET", api.PathCapabilities, "token-a", ""); w.Code != want {
			t.Errorf("%s: %d", role, w.Code)
		}
	}
	if w := s.ask(t, "GET", api.PathCapabilities, "token-machine", ""); w.Code != http.StatusForbidden {
		t.Errorf("an owner for whom a machine vouches: %d", w.Code)
	}
}

// SECURITY.md C3: who rules an enrolled machine may lie about who is on it, so it reaches nothing but its own session.
func TestAMachinesWordReachesNoOtherSession(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask(t, "GET", api.PathMySessions, "token-machine", "")
	if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, `"machine"`) || strings.Contains(body, `"owner"`) {
		t.Errorf("%d %s", w.Code, body)
	}
	if w := s.ask(t, "DELETE", strings.Replace(api.PathMySession, "{id}", "owner", 1), "token-machine", ""); w.Code != http.StatusNotFound {
		t.Errorf("it ended another session: %d", w.Code)
	}
	if w := s.ask(t, "GET", api.PathMySessions, "token-owner", ""); !strings.Contains(w.Body.String(), `"machine"`) || !strings.Contains(w.Body.String(), `"owner"`) {
		t.Errorf("who proved it sees less: %s", w.Body)
	}
	if w := s.ask(t, "DELETE", strings.Replace(api.PathMySession, "{id}", "machine", 1), "token-machine", ""); w.Code != http.StatusNoContent {
		t.Errorf("its own: %d", w.Code)
	}
}
