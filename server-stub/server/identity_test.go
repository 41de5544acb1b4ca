package server

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

const (
	entraTenant = "11111111-2222-3333-4444-555555555555"
	entraPublic = "66666666-7777-8888-9999-000000000000"
	entraAPI    = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	entraScope  = "api://" + entraAPI + "/sign-in"
	rightWord   = "CANARY-correct-horse"
	localWord   = "CANARY-local-horse"
)

// identitySite is a server whose people are in an emulated tenant.
type identitySite struct {
	*server
	t     *testing.T
	entra *entra.Emulator
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// withEntra starts a server whose block microsoft: has more keys, and more blocks behind it.
func withEntra(t *testing.T, keys, blocks string) *identitySite {
	t.Helper()
	e, err := entra.Start(t.Context(), entra.Options{Config: entra.Config{
		Tenant: entraTenant, Domains: []string{"example.org"},
		Apps: []entra.App{
			{ID: entraPublic, RedirectURIs: []string{"http://localhost"}, PublicFlows: true},
			{ID: entraAPI, Scopes: []string{"sign-in"}, AccessTokenVersion: 2, OptionalClaims: []string{"acct", "onprem_sid"}},
		},
		Users: []entra.User{
			{UPN: "alex@example.org", Name: "Alex Test", Password: rightWord},
			{UPN: "mia@example.org", Name: "Mia Wong", Password: rightWord, MFA: entra.MFARequired},
			{UPN: "new@example.org", Name: "New Comer", Password: rightWord},
			{UPN: "device@example.org", Password: rightWord, DeviceCompliance: true},
			{UPN: "consent@example.org", Password: rightWord, ConsentMissing: true},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "server.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\nlog_level: debug\nmicrosoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n  authority: %s\n  allow_any_authority: yes\n  ca_file: ca.pem\n%s%s",
		entraTenant, entraPublic, entraAPI, e.URL(), keys, blocks)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &identitySite{t: t, entra: e, log: &lockedBuffer{}}
	cfg, err := config.Load(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	data, err := datadir.Open(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := openDatabase(t.Context(), cfg, data, logger)
	if err != nil {
		t.Fatal(err)
	}
	s.server = &server{cfg: cfg, dir: data, db: db, logger: logger, now: clock.System, started: clock.System()}
	if err := s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.api.Shutdown(context.WithoutCancel(t.Context()))
		if err := errors.Join(s.closeListeners(), s.commands.Close(), db.Close(), data.Close()); err != nil {
			t.Error(err)
		}
		if strings.Contains(s.log.String(), "CANARY") {
			t.Error("a secret is in the log")
		}
	})
	return s
}

func (s *identitySite) local(name string) core.UserID {
	s.t.Helper()
	u, err := s.rooms.users.Add(s.t.Context(), "test", users.NewUser{Username: name, Password: secret.New(localWord)})
	if err != nil {
		s.t.Fatal(err)
	}
	return u.ID
}

// post sends a body from an address and returns the status with the session or the problem.
func (s *identitySite) post(path, from string, body any) (int, api.Session, api.Problem) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, path, bytes.NewReader(text))
	r.RemoteAddr = from + ":1234"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	var session api.Session
	var problem api.Problem
	into := any(&problem)
	if w.Code == http.StatusOK {
		into = &session
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		s.t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return w.Code, session, problem
}

func (s *identitySite) token(upn string) string {
	s.t.Helper()
	text, err := s.entra.AccessToken(upn, entraPublic, entraScope, true)
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

func (s *identitySite) byToken(token string) (int, api.Session, api.Problem) {
	s.t.Helper()
	return s.post(api.PathSessionToken, "192.0.2.1", api.TokenSignIn{Provider: "microsoft", AccessToken: token})
}

func (s *identitySite) byPassword(name, password string) (int, api.Session, api.Problem) {
	s.t.Helper()
	return s.post(api.PathSessions, "192.0.2.1", api.SignIn{Username: name, Password: password})
}

func (s *identitySite) me(token string) int {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodGet, api.PathMe, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	return w.Code
}

func TestMicrosoftsTokenBecomesASession(t *testing.T) {
	s := withEntra(t, "", "")
	alex := s.local("alex@example.org")
	status, session, problem := s.byToken(s.token("alex@example.org"))
	if status != http.StatusOK || session.User.Username != "alex@example.org" {
		t.Fatalf("%d %+v", status, problem)
	}
	if got := s.me(session.AccessToken); got != http.StatusOK {
		t.Errorf("with the session: %d", got)
	}
	list, err := s.rooms.sessions.List(t.Context(), alex)
	if err != nil || len(list) != 1 || list[0].Assurance != core.AssuranceOIDC {
		t.Errorf("%+v, %v", list, err)
	}
	// Disabled between the steps: the session is over at once, and no token helps.
	if _, err := s.rooms.users.Disable(t.Context(), "test", alex); err != nil {
		t.Fatal(err)
	}
	if got := s.me(session.AccessToken); got != http.StatusUnauthorized && got != http.StatusForbidden {
		t.Errorf("after being disabled: %d", got)
	}
	if status, _, problem := s.byToken(s.token("alex@example.org")); status != http.StatusForbidden || problem.Code != api.CodeAccountDisabled {
		t.Errorf("%d %+v", status, problem)
	}
	if status, _, problem := s.byToken(s.token("new@example.org")); status != http.StatusForbidden || problem.Code != api.CodeNoAccount {
		t.Errorf("nobody here: %d %+v", status, problem)
	}
}

func TestWhoIsNewGetsAnAccountWherePolicySaysSo(t *testing.T) {
	s := withEntra(t, "  create: yes\n  domains: [example.org]\n", "")
	status, first, problem := s.byToken(s.token("new@example.org"))
	if status != http.StatusOK || first.User.DisplayName != "New Comer" {
		t.Fatalf("%d %+v", status, problem)
	}
	if _, again, _ := s.byToken(s.token("new@example.org")); again.User.ID != first.User.ID {
		t.Errorf("the second time: %+v", again.User)
	}
}

func TestTokensThatProveNothing(t *testing.T) {
	s := withEntra(t, "", "")
	s.local("alex@example.org")
	claims, err := s.entra.AccessClaims("alex@example.org", entraPublic, entraScope, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []string{entra.AlgNone, entra.AlgHS256} {
		text, err := s.entra.Sign(alg, claims)
		if err != nil {
			t.Fatal(err)
		}
		if status, _, problem := s.byToken(text); status != http.StatusUnauthorized || problem.Code != api.CodeTokenInvalid {
			t.Errorf("%s: %d %+v", alg, status, problem)
		}
	}
	expired := s.token("alex@example.org")
	s.entra.SetSkew(-2 * time.Hour)
	old := s.token("alex@example.org")
	s.entra.SetSkew(0)
	if status, _, problem := s.byToken(old); status != http.StatusUnauthorized || problem.Code != api.CodeTokenInvalid || !strings.Contains(s.log.String(), "expired") {
		t.Errorf("expired: %d %+v", status, problem)
	}
	for _, text := range []string{expired, old} {
		if strings.Contains(s.log.String(), text[len(text)-40:]) {
			t.Error("a token is in the log")
		}
	}
}

func TestMicrosoftDown(t *testing.T) {
	s := withEntra(t, "", "")
	s.local("alex@example.org")
	token := s.token("alex@example.org")
	s.entra.SetDown(true)
	if status, _, problem := s.byToken(token); status != http.StatusServiceUnavailable || problem.Code != api.CodeUnavailable {
		t.Errorf("%d %+v", status, problem)
	}
	if status, _, problem := s.byPassword("alex@example.org", localWord); status != http.StatusOK {
		t.Errorf("a local account: %d %+v", status, problem)
	}
}

func TestUnderMFAEveryNameOfTheTenantIsSentToMicrosoft(t *testing.T) {
	s := withEntra(t, "  domains: [example.org]\n", "")
	s.local("alex@example.org")
	for _, name := range []string{"alex@example.org", "mia@example.org", "nobody@example.org"} {
		status, _, problem := s.byPassword(name, "CANARY-wrong")
		problem.RequestID = ""
		want := api.Problem{
			Type: "urn:platen:error:method_off", Title: problem.Title, Detail: problem.Detail, Status: http.StatusForbidden, Code: api.CodeMethodOff, Method: api.MethodMicrosoft,
		}
		if diff := cmp.Diff(want, problem); diff != "" || status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, diff)
		}
	}
	if status, _, problem := s.byPassword("alex@example.org", localWord); status != http.StatusOK {
		t.Errorf("a local account with its own password: %d %+v", status, problem)
	}
	if _, _, problem := s.byPassword("nobody@example.net", "CANARY-wrong"); problem.Code != api.CodeWrongCredentials {
		t.Errorf("another domain: %+v", problem)
	}
}

func TestPasswordsThroughMicrosoft(t *testing.T) {
	s := withEntra(t, "  domains: [example.org]\n  mfa: off\n  passwords: on\n  create: yes\n", "")
	for _, upn := range []string{"alex@example.org", "mia@example.org", "device@example.org", "consent@example.org"} {
		if status, _, problem := s.byToken(s.token(upn)); status != http.StatusOK {
			t.Fatalf("%s: %d %+v", upn, status, problem)
		}
	}
	tests := []struct {
		name, password string
		status         int
		code           api.Code
		method         string
	}{
		{"alex@example.org", rightWord, http.StatusOK, "", ""},
		{"alex@example.org", "CANARY-wrong", http.StatusUnauthorized, api.CodeWrongCredentials, ""},
		{"nobody@example.org", rightWord, http.StatusUnauthorized, api.CodeWrongCredentials, ""},
		{"mia@example.org", rightWord, http.StatusForbidden, api.CodeMFARequired, api.MethodMicrosoft},
		{"mia@example.org", "CANARY-wrong", http.StatusUnauthorized, api.CodeWrongCredentials, ""},
		{"device@example.org", rightWord, http.StatusForbidden, api.CodeDeviceBlocked, ""},
		{"consent@example.org", rightWord, http.StatusForbidden, api.CodeConsentRequired, api.MethodPrompt},
	}
	for _, tt := range tests {
		status, _, problem := s.byPassword(tt.name, tt.password)
		if status != tt.status || problem.Code != tt.code || problem.Method != tt.method {
			t.Errorf("%s: %d %+v", tt.name, status, problem)
		}
	}
	s.entra.SetDown(true)
	if status, _, problem := s.byPassword("alex@example.org", rightWord); status != http.StatusServiceUnavailable || problem.Code != api.CodeDirectoryUnavailable {
		t.Errorf("when Microsoft is down: %d %+v", status, problem)
	}
}

func TestOneUseCodes(t *testing.T) {
	s := withEntra(t, "", "")
	alex := s.local("alex@example.org")
	verifier := strings.Repeat("v", 43)
	issue := func(g codes.Grant) api.CodeSignIn {
		t.Helper()
		g.User = alex
		code, _, err := s.rooms.codes.Issue(t.Context(), g, api.Challenge(verifier), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return api.CodeSignIn{Code: code.Reveal(), Verifier: verifier}
	}
	redeem := func(c api.CodeSignIn) (int, api.Session, api.Problem) {
		t.Helper()
		return s.post(api.PathSessionCode, "192.0.2.1", c)
	}
	if err := s.db.Update(t.Context(), func(tx store.Tx) error {
		return tx.CreateDevice(t.Context(), core.Device{ID: "d1", Status: core.DeviceEnrolled})
	}); err != nil {
		t.Fatal(err)
	}
	trust := issue(codes.Grant{Assurance: core.AssuranceMachine, Device: "d1", Facts: usermap.Facts{Name: "alex"}})
	status, session, problem := redeem(trust)
	if status != http.StatusOK || session.User.Username != "alex@example.org" {
		t.Fatalf("%d %+v", status, problem)
	}
	list, err := s.rooms.sessions.List(t.Context(), alex)
	if err != nil || len(list) != 1 || list[0].Assurance != core.AssuranceMachine || list[0].Device != "d1" {
		t.Errorf("%+v, %v", list, err)
	}
	if status, _, problem := redeem(trust); status != http.StatusUnauthorized || problem.Code != api.CodeCodeInvalid {
		t.Errorf("replayed: %d %+v", status, problem)
	}
	stolen := issue(codes.Grant{Assurance: core.AssuranceOIDC, Provider: "microsoft"})
	stolen.Verifier = strings.Repeat("w", 43)
	if status, _, problem := redeem(stolen); status != http.StatusUnauthorized || problem.Code != api.CodeCodeInvalid {
		t.Errorf("by whoever stole it: %d %+v", status, problem)
	}
	late := issue(codes.Grant{Assurance: core.AssuranceOIDC, Provider: "microsoft"})
	if _, err := s.rooms.users.Disable(t.Context(), "test", alex); err != nil {
		t.Fatal(err)
	}
	if status, _, problem := redeem(late); status != http.StatusForbidden || problem.Code != api.CodeAccountDisabled {
		t.Errorf("of somebody who was disabled meanwhile: %d %+v", status, problem)
	}
	if strings.Contains(s.log.String(), trust.Code) || strings.Contains(s.log.String(), verifier) {
		t.Error("a code is in the log")
	}
}

func TestClientsLearnTheWaysThatAreOpen(t *testing.T) {
	s := withEntra(t, "", "public_url: https://print.example.org/\nproviders:\n  - {id: google, name: Google, issuer: https://accounts.google.com, client_id: x}\n")
	got := s.clientConfig()
	if diff := cmp.Diff([]string{"trust", "microsoft", "browser", "prompt"}, got.AuthModes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&api.MicrosoftConfig{Authority: s.entra.Authority(), ClientID: entraPublic, Scope: entraScope}, got.Microsoft); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&api.BrowserConfig{SignInURL: "https://print.example.org/sign-in/client", Providers: []api.Provider{{ID: "google", Name: "Google"}}}, got.Browser); diff != "" {
		t.Error(diff)
	}
	only := withEntra(t, "", "sign_in: {modes: [microsoft]}\n")
	if got := only.clientConfig(); got.Browser != nil || len(got.AuthModes) != 1 {
		t.Errorf("%+v", got)
	}
	if _, _, problem := only.byPassword("alex@example.org", "CANARY-wrong"); problem.Code != api.CodeMethodOff || problem.Method != api.MethodMicrosoft {
		t.Errorf("%+v", problem)
	}
}

// R-RATE-1: every verb that takes a credential is limited per network. The verbs come from the document, so a new one is
// either in this table or the test fails.
func TestR_RATE_1_EveryCredentialVerbOfTheAPIIsLimited(t *testing.T) {
	s := withEntra(t, "", "")
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, api.PathOpenAPI, nil))
	var document struct {
		Paths map[string]map[string]struct {
			Security []any `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	bad := map[string]func(i int) any{
		api.PathSessions: func(i int) any {
			return api.SignIn{Username: fmt.Sprintf("nobody%d@example.net", i), Password: "CANARY"}
		},
		api.PathSessionToken:   func(int) any { return api.TokenSignIn{Provider: "microsoft", AccessToken: "CANARY.CANARY.CANARY"} },
		api.PathSessionCode:    func(int) any { return api.CodeSignIn{Code: "plt_c_CANARY", Verifier: strings.Repeat("v", 43)} },
		api.PathSessionRefresh: func(int) any { return api.Refresh{RefreshToken: "plt_r_" + strings.Repeat("A", 26) + "_CANARY"} },
	}
	verbs := 0
	for path, methods := range document.Paths {
		post, ok := methods["post"]
		if !ok || len(post.Security) > 0 {
			continue
		}
		verbs++
		if bad[path] == nil {
			t.Errorf("POST %s takes something from strangers, but its limit has no test", path)
			continue
		}
		limited := 0
		for i := range 320 {
			status, _, problem := s.post(path, "198.51.100.1", bad[path](i))
			if status == http.StatusTooManyRequests {
				if problem.Code != api.CodeLimited || problem.RetryAt == nil {
					t.Errorf("%s: %+v", path, problem)
				}
				limited = i
				break
			}
		}
		if limited < 100 {
			t.Errorf("POST %s: limited after %d", path, limited)
		}
		if status, _, _ := s.post(path, "203.0.113.1", bad[path](0)); status == http.StatusTooManyRequests {
			t.Errorf("POST %s: another network is limited too", path)
		}
	}
	if verbs != len(bad) {
		t.Errorf("%d verbs, %d in the table", verbs, len(bad))
	}
}

func TestAMissingSecretKeepsTheServerFromStarting(t *testing.T) {
	m := &config.Microsoft{Tenant: entraTenant, Authority: "https://login.microsoftonline.com", WebClientSecretFile: filepath.Join(t.TempDir(), "none")}
	if _, err := openIdentityProviders(&config.Config{Microsoft: m}, nil, clock.System, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "web_client_secret_file") {
		t.Errorf("%v", err)
	}
}

func TestASourceThatIsNoDirectoryIsAMistake(t *testing.T) {
	of := func(source core.SourceID) config.Policy { return config.Policy{Source: source} }
	entries := []configured.Config{{ID: "corp"}}
	for _, cfg := range []*config.Config{
		{Microsoft: &config.Microsoft{Policy: of("crop")}},
		{Providers: []config.Provider{{ID: "google", Policy: of("crop")}}},
	} {
		if err := checkSources(cfg, entries); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), `no directory "crop"`) {
			t.Errorf("%v", err)
		}
	}
	if err := checkSources(&config.Config{Microsoft: &config.Microsoft{Policy: of("corp")}, Providers: []config.Provider{{}}}, entries); err != nil {
		t.Error(err)
	}
}
