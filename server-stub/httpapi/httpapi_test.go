package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the program says (-file +program); if it is meant, run with -update and review it:\n%s", file, diff)
	}
}

func problemIn(t *testing.T, w *httptest.ResponseRecorder) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("the answer %d %q is no problem: %v", w.Code, w.Body, err)
	}
	if ct := w.Header().Get("Content-Type"); ct != api.ContentTypeProblem {
		t.Errorf("Content-Type of a problem is %q", ct)
	}
	if p.Status != w.Code {
		t.Errorf("status %d in the body, %d outside", p.Status, w.Code)
	}
	return p
}

func TestOpenAPIDocument(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask(t, "GET", api.PathOpenAPI, "", "")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	golden(t, "openapi.json", w.Body.Bytes())
}

// R-ROUTE-1: every route, what it demands, and what each kind of caller gets. A new route shows up here or nowhere.
func TestRouteMatrix(t *testing.T) {
	bodies := map[string]string{
		"POST " + api.PathSessions:       `{"username":"alex.test@example.org","password":"right"}`,
		"POST " + api.PathSessionRefresh: `{"refresh_token":"refresh-a"}`,
		"POST " + api.PathSessionToken:   `{"provider":"microsoft","access_token":"token of alex.test@example.org"}`,
		"POST " + api.PathSessionCode:    `{"code":"code of alex.test@example.org","verifier":"` + strings.Repeat("v", 43) + `"}`,
	}
	callers := []struct{ name, token, session string }{
		{"anon", "", "a"},
		{"stranger", "token-x", "a"},
		{"user", "token-a", "a"},
		{"disabled", "token-b", "b"},
		{"owner", "token-owner", "owner"},
		{"owner-by-machine", "token-machine", "machine"},
	}
	var out strings.Builder
	patterns := slices.Sorted(maps.Keys(newSite(t, nil).h.policies))
	for _, pattern := range patterns {
		method, path, _ := strings.Cut(pattern, " ")
		fmt.Fprintf(&out, "%-6s %-32s %-8s", method, path, newSite(t, nil).h.policies[pattern])
		for _, c := range callers {
			s := newSite(t, nil)
			kim := s.users[2]
			kim.Disabled = true
			s.users[2] = kim
			status := 0
			if path == api.PathEvents && s.users[s.sessions[c.token].UserID].Active() && s.sessions[c.token].ID != "" {
				status = s.ask(t, "HEAD", path, c.token, "").Code // the stream itself has tests of its own
			} else {
				status = s.ask(t, method, strings.ReplaceAll(path, "{id}", c.session), c.token, bodies[pattern]).Code
			}
			fmt.Fprintf(&out, " %s=%d", c.name, status)
		}
		out.WriteString("\n")
	}
	golden(t, "routes.golden", []byte(out.String()))
}

// Every path of the contract is served, and nothing else is.
func TestRoutesAreTheContract(t *testing.T) {
	h := newSite(t, nil).h
	served := map[string]bool{}
	for pattern := range h.policies {
		_, path, _ := strings.Cut(pattern, " ")
		served[path] = true
	}
	contract := []string{
		api.PathWellKnown, api.PathClientConfig, api.PathSessions, api.PathSessionRefresh, api.PathSessionCurrent, api.PathMe, api.PathMySessions, api.PathMySession,
		api.PathBalance, api.PathTransactions, api.PathBalanceHistory, api.PathEvents, api.PathSessionToken, api.PathSessionCode, api.PathCapabilities, api.PathOpenAPI, api.PathHealth, api.PathReady, api.PathMetrics,
	}
	for _, path := range contract {
		if !served[path] {
			t.Errorf("%s is not served", path)
		}
		delete(served, path)
	}
	if len(served) > 0 {
		t.Errorf("served but not in the contract: %v", served)
	}
}

func TestARouteWithoutAPolicyLetsNobodyIn(t *testing.T) {
	s := newSite(t, nil)
	s.h.mux.HandleFunc("GET /forgotten", func(http.ResponseWriter, *http.Request) { t.Error("the handler was reached") })
	for _, token := range []string{"", "token-a"} {
		if w := s.ask(t, "GET", "/forgotten", token, ""); w.Code != http.StatusForbidden {
			t.Errorf("token %q: status %d", token, w.Code)
		}
	}
}

// R-AUTHZ-1: no spelling of a path reaches a handler past its policy.
func TestUncleanPathsReachNothing(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{
		"/api/v1/./me", "/api/v1/../v1/me", "/api//v1/me", "//api/v1/me", "/api/v1/me/", "/api/v1/me;x=1", "/api/v1/%6de", "/api/v1%2fme", "/api/v1/me%00",
		"/api/v1/me.", "/API/v1/me", "/api/v1/me%20", "/healthz/../api/v1/me", "/healthz/..;/api/v1/me", "/api/v1/..%2f..%2fmetrics", "/api/v1/.me", `/api\v1\me`,
		"/api/v1/clïent-config", "/" + strings.Repeat("a", 600),
	} {
		w := s.ask(t, "GET", path, "token-a", "")
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, w.Code)
			continue
		}
		problemIn(t, w)
	}
}

func FuzzNoPathPassesItsPolicy(f *testing.F) {
	for _, p := range []string{api.PathMe, api.PathEvents, "/api/v1/me/sessions/x", "/healthz/..;/api/v1/me", "/api/v1/%6de", "*", "http://x/api/v1/me"} {
		f.Add("GET", p)
		f.Add("DELETE", p)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "https://platen.test/", nil)
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(target); err != nil {
			return
		}
		s := newSite(t, nil)
		s.fail(nil)
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r) // whoAsks panics in a user's handler that was reached without one, and that counts
		if s.h.mux == nil || strings.Contains(s.logs.String(), "handler panicked") {
			t.Errorf("%s %s reached a handler it may not reach", method, target)
		}
		if w.Code == http.StatusOK && strings.HasPrefix(r.URL.Path, "/api/v1/me") {
			t.Errorf("%s %s answered %d to nobody", method, target, w.Code)
		}
	})
}

func TestWrongMethodSaysWhichAreRight(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask(t, "PUT", api.PathSessions, "", "{}")
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	problemIn(t, w)
}

func TestOnlyOneFormOfAuthorizationCounts(t *testing.T) {
	s := newSite(t, nil)
	for _, headers := range [][]string{
		nil,
		{""},
		{"Bearer"},
		{"Bearer "},
		{"token-a"},
		{"Basic token-a"},
		{"Bearer token-a extra"},
		{"Bearer token-a,token-b"},
		{"Bearer  token-a"},
		{"Bearer token-a", "Bearer token-a"},
		{"Bearer token-x"},
		{"Bearer " + strings.Repeat("x", maxToken+1)},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", api.PathMe+"?access_token=token-a", nil)
		r.Header["Authorization"] = headers
		r.AddCookie(&http.Cookie{Name: "access_token", Value: "token-a"})
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%q: status %d", headers, w.Code)
		}
		if w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%q: no WWW-Authenticate", headers)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", api.PathMe, nil)
	r.Header.Set("Authorization", "bearer token-a")
	w := httptest.NewRecorder()
	if s.h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("the scheme in lower case: status %d", w.Code)
	}
}

func TestSignInToSignOut(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask(t, "POST", api.PathSessions, "", `{"username":"alex.test@example.org","password":"right","client":"platen 1","os_account":{"kind":"domain","domain":"CORP","name":"alex.test","hostname":"pc7"}}`)
	if w.Code != http.StatusOK {
		t.Fatalf("sign-in: %d %s", w.Code, w.Body)
	}
	var session api.Session
	if err := json.Unmarshal(w.Body.Bytes(), &session); err != nil {
		t.Fatal(err)
	}
	if session.User.Username != "alex.test@example.org" || session.AccessToken == "" || session.RefreshToken == "" {
		t.Errorf("session: %+v", session)
	}
	if a := s.attempts[0]; a.Address != netip.MustParseAddr("192.0.2.1") || a.OSAccount.Domain != "CORP" || a.Client != "platen 1" {
		t.Errorf("attempt: %+v", a)
	}
	var me api.Me
	w = s.ask(t, "GET", api.PathMe, session.AccessToken, "")
	if err := json.Unmarshal(w.Body.Bytes(), &me); err != nil || me.User.ID != "1" || me.Balance.Amount != "12.34" || me.Balance.Version != 7 {
		t.Errorf("me: %+v, %v", me, err)
	}
	if w = s.ask(t, "POST", api.PathSessionRefresh, "", `{"refresh_token":"`+session.RefreshToken+`"}`); w.Code != http.StatusOK {
		t.Errorf("refresh: %d %s", w.Code, w.Body)
	}
	if w = s.ask(t, "DELETE", api.PathSessionCurrent, session.AccessToken, ""); w.Code != http.StatusNoContent {
		t.Errorf("sign-out: %d %s", w.Code, w.Body)
	}
	if w = s.ask(t, "GET", api.PathMe, session.AccessToken, ""); w.Code != http.StatusUnauthorized {
		t.Errorf("after sign-out: %d", w.Code)
	}
	w = s.ask(t, "POST", api.PathSessionRefresh, "", `{"refresh_token":"`+session.RefreshToken+`"}`)
	if p := problemIn(t, w); w.Code != http.StatusUnauthorized || p.Code != api.CodeSessionEnded {
		t.Errorf("refresh after sign-out: %d %s", w.Code, p.Code)
	}
}

// Possession of a token of the session is proof, so its holder may read why there is no new one.
func TestRefreshOfADisabledPerson(t *testing.T) {
	s := newSite(t, nil)
	for _, tt := range []struct {
		err    error
		status int
		code   api.Code
	}{
		{core.ErrAway, http.StatusForbidden, api.CodeNoAccount},
		{core.ErrDisabled, http.StatusForbidden, api.CodeAccountDisabled},
		{core.ErrUnauthenticated, http.StatusUnauthorized, api.CodeSessionEnded},
		{core.ErrNotFound, http.StatusUnauthorized, api.CodeSessionEnded},
	} {
		s.fail(fmt.Errorf("refresh a session: %w", tt.err))
		w := s.ask(t, "POST", api.PathSessionRefresh, "", `{"refresh_token":"refresh-a"}`)
		if p := problemIn(t, w); w.Code != tt.status || p.Code != tt.code {
			t.Errorf("%v: %d %s", tt.err, w.Code, p.Code)
		}
	}
}

func TestNobodySeesOrEndsAnothersSessions(t *testing.T) {
	s := newSite(t, nil)
	if w := s.ask(t, "DELETE", "/api/v1/me/sessions/b", "token-a", ""); w.Code != http.StatusNotFound {
		t.Errorf("ending another's session: %d", w.Code)
	}
	if w := s.ask(t, "GET", api.PathMe, "token-b", ""); w.Code != http.StatusOK {
		t.Errorf("the other's session is gone: %d", w.Code)
	}
	var list api.SessionList
	w := s.ask(t, "GET", api.PathMySessions, "token-a", "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Sessions) != 1 || list.Sessions[0].ID != "a" || !list.Sessions[0].Current {
		t.Errorf("sessions: %+v, %v", list, err)
	}
}

func TestErrorKindsOnTheWire(t *testing.T) {
	retry := time.Now().Add(90 * time.Second).UTC().Truncate(time.Second)
	tests := []struct {
		err    error
		status int
		code   api.Code
	}{
		{core.ErrWrongCredentials, 401, api.CodeWrongCredentials},
		{core.ErrAway, 403, api.CodeNoAccount},
		{core.ErrDisabled, 403, api.CodeAccountDisabled},
		{core.ErrPasswordExpired, 403, api.CodePasswordExpired},
		{core.ErrAmbiguous, 409, api.CodeAmbiguousName},
		{&core.LimitedError{RetryAt: retry}, 429, api.CodeLimited},
		{core.ErrForbidden, 403, api.CodeForbidden},
		{core.ErrNotFound, 404, api.CodeNotFound},
		{core.ErrConflict, 409, api.CodeConflict},
		{core.ErrInvalid, 422, api.CodeInvalid},
		{core.ErrUnavailable, 503, api.CodeDirectoryUnavailable},
		{errors.New("the disk said EIO for hunter2"), 500, api.CodeInternal},
	}
	for _, tt := range tests {
		t.Run(string(tt.code), func(t *testing.T) {
			s := newSite(t, nil)
			s.fail(fmt.Errorf("sign in somebody: %w", tt.err))
			w := s.ask(t, "POST", api.PathSessions, "", `{"username":"x","password":"right"}`)
			p := problemIn(t, w)
			if w.Code != tt.status || p.Code != tt.code {
				t.Errorf("got %d %s, want %d %s", w.Code, p.Code, tt.status, tt.code)
			}
			if p.Title == "" || p.Detail == "" || p.RequestID == "" || strings.Contains(w.Body.String(), "somebody") || strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("problem: %s", w.Body)
			}
			if tt.status == 429 && (p.RetryAt == nil || !p.RetryAt.Equal(retry) || w.Header().Get("Retry-After") == "") {
				t.Errorf("retry_at %v, Retry-After %q", p.RetryAt, w.Header().Get("Retry-After"))
			}
			if tt.status == 500 && (!strings.Contains(s.logs.String(), "EIO") || !strings.Contains(s.logs.String(), p.RequestID)) {
				t.Error("the log does not have the cause with the request id")
			}
		})
	}
}

func TestEveryCodeHasWords(t *testing.T) {
	for _, k := range kinds {
		if words[k.code] == ([2]string{}) {
			t.Errorf("%s has no words", k.code)
		}
	}
}

// The canary: whatever is wrong with a sign-in, what was typed never comes back and is never logged.
func TestMistypedSignInNeverReturnsThePassword(t *testing.T) {
	const canary = "hunter2-canary"
	tests := []struct{ name, body string }{
		{"wrong password", `{"username":"alex","password":"` + canary + `"}`},
		{"password in the name", `{"username":"` + canary + `","password":"x"}`},
		{"misspelt key", `{"username":"alex","pasword":"` + canary + `"}`},
		{"password as key", `{"username":"alex","` + canary + `":"x"}`},
		{"password in a nested key", `{"username":"alex","password":"x","os_account":{"` + canary + `":1}}`},
		{"wrong type", `{"username":"alex","password":["` + canary + `"]}`},
		{"another wrong type", `{"username":{"a":"` + canary + `"},"password":"x"}`},
		{"too long", `{"username":"alex","password":"` + strings.Repeat(canary, 30) + `"}`},
		{"key twice", `{"username":"alex","password":"` + canary + `","password":"x"}`},
		{"cut short", `{"username":"alex","password":"` + canary},
		{"not JSON", `username=alex&password=` + canary},
		{"a string", `"` + canary + `"`},
		{"something behind", `{"username":"alex","password":"x"} ` + canary},
		{"invalid UTF-8", "{\"username\":\"alex\",\"password\":\"" + canary + "\xff\"}"},
		{"deeply nested", `{"username":` + strings.Repeat("[", 500) + `"` + canary + `"` + strings.Repeat("]", 500) + `}`},
		{"empty name", `{"username":"","password":"` + canary + `"}`},
		{"array", `[{"username":"alex","password":"` + canary + `"}]`},
		{"other case", `{"Username":"alex","PASSWORD":"` + canary + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, nil)
			w := s.ask(t, "POST", api.PathSessions, "", tt.body)
			if w.Code < 400 || w.Code >= 500 {
				t.Errorf("status %d", w.Code)
			}
			problemIn(t, w)
			for where, text := range map[string]string{"answer": w.Body.String(), "headers": fmt.Sprint(w.Header()), "log": s.logs.String()} {
				if strings.Contains(text, canary) {
					t.Errorf("the %s has it: %s", where, text)
				}
			}
		})
	}
	t.Run("in the query", func(t *testing.T) {
		s := newSite(t, nil)
		w := s.ask(t, "GET", api.PathTransactions+"?limit="+canary+"&"+canary+"=1", "token-a", "")
		if w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String()+s.logs.String(), canary) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestProblemsNameTheFieldsThatAreWrong(t *testing.T) {
	s := newSite(t, nil)
	for body, want := range map[string][]string{
		`{"username":"alex"}`:                                            {"password"},
		`{"username":"alex","password":7}`:                               {"password"},
		`{"username":"a","password":"x","os_account":{"kind":["k"]}}`:    {"kind"},
		`{"username":"a","password":"` + strings.Repeat("x", 257) + `"}`: {"password"},
	} {
		p := problemIn(t, s.ask(t, "POST", api.PathSessions, "", body))
		if !cmp.Equal(p.Fields, want) || p.Code != api.CodeInvalid {
			t.Errorf("%.60s: code %s, fields %q, want %q", body, p.Code, p.Fields, want)
		}
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	s := newSite(t, nil)
	w := s.ask(t, "POST", api.PathSessions, "", `{"username":"`+strings.Repeat("x", api.MaxRequestBody)+`","password":"x"}`)
	if p := problemIn(t, w); w.Code != http.StatusRequestEntityTooLarge || p.Code != api.CodeTooLarge {
		t.Errorf("%d %s", w.Code, p.Code)
	}
	if len(s.attempts) != 0 {
		t.Error("the sign-in was tried")
	}
}

func TestOtherContentTypesAreRefused(t *testing.T) {
	s := newSite(t, nil)
	for _, ct := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", api.PathSessions, strings.NewReader(`{"username":"a","password":"x"}`))
		r.Header.Set("Content-Type", ct)
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		if problemIn(t, w); w.Code < 400 || w.Code >= 500 || len(s.attempts) != 0 {
			t.Errorf("%s: status %d, %d attempts", ct, w.Code, len(s.attempts))
		}
	}
}

func TestTransactionsInPages(t *testing.T) {
	s := newSite(t, nil) // seven lines
	var page api.TransactionList
	var seen []int64
	for before := int64(0); ; before = seen[len(seen)-1] {
		w := s.ask(t, "GET", fmt.Sprintf("%s?limit=3&before=%d", api.PathTransactions, before), "token-a", "")
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		for _, line := range page.Transactions {
			seen = append(seen, line.ID)
		}
		if !page.More {
			break
		}
	}
	if diff := cmp.Diff([]int64{7, 6, 5, 4, 3, 2, 1}, seen); diff != "" {
		t.Error(diff)
	}
	for _, query := range []string{"?limit=0", "?limit=201", "?limit=x", "?before=-1", "?nonsense=1"} {
		if w := s.ask(t, "GET", api.PathTransactions+query, "token-a", ""); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", query, w.Code)
		}
	}
}

func TestHistoryEndsToday(t *testing.T) {
	now := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC)
	s := newSite(t, func(d *Deps) { d.Clock = func() time.Time { return now } })
	var history api.BalanceHistory
	w := s.ask(t, "GET", api.PathBalanceHistory+"?days=3", "token-a", "")
	if err := json.Unmarshal(w.Body.Bytes(), &history); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	want := []api.BalancePoint{{Date: "2026-11-19", Amount: "12.34"}, {Date: "2026-11-20", Amount: "12.34"}, {Date: "2026-11-21", Amount: "12.34"}}
	if diff := cmp.Diff(want, history.Points); diff != "" {
		t.Error(diff)
	}
	w = s.ask(t, "GET", api.PathBalanceHistory, "token-a", "")
	if err := json.Unmarshal(w.Body.Bytes(), &history); err != nil || len(history.Points) != api.DefaultHistoryDays {
		t.Errorf("%d points by default, %v", len(history.Points), err)
	}
}

// The limits stand in tags, which cannot name constants.
func TestQueryLimitsAreTheContracts(t *testing.T) {
	for _, tt := range []struct {
		in        any
		name, tag string
		want      int
	}{
		{transactionsInput{}, "Limit", "maximum", api.MaxTransactions},
		{transactionsInput{}, "Limit", "default", api.DefaultTransactions},
		{historyInput{}, "Days", "maximum", api.MaxHistoryDays},
		{historyInput{}, "Days", "default", api.DefaultHistoryDays},
	} {
		field, _ := reflect.TypeOf(tt.in).FieldByName(tt.name)
		if got := field.Tag.Get(tt.tag); got != fmt.Sprint(tt.want) {
			t.Errorf("%s %s is %s, want %d", tt.name, tt.tag, got, tt.want)
		}
	}
}

func TestAvailableCountsHoldsAndOverdraft(t *testing.T) {
	s := newSite(t, nil)
	u := s.users[1]
	u.Overdraft = 50000
	s.users[1] = u
	s.accounts[1] = core.Account{UserID: 1, Balance: 100000, Held: 20000, Version: 9}
	var b api.Balance
	if err := json.Unmarshal(s.ask(t, "GET", api.PathBalance, "token-a", "").Body.Bytes(), &b); err != nil {
		t.Fatal(err)
	}
	if b.Amount != "10.00" || b.Available != "13.00" || b.Currency != "EUR" {
		t.Errorf("%+v", b)
	}
}

func TestMetricsAreForOperators(t *testing.T) {
	s := newSite(t, nil)
	s.ask(t, "GET", api.PathMe, "token-a", "")
	get := func(peer, forwarded string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", api.PathMetrics, nil)
		r.RemoteAddr = peer
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		return w
	}
	if w := get("192.0.2.1:1", ""); w.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", w.Code)
	}
	if w := get("127.0.0.1:1", "127.0.0.1"); w.Code != http.StatusForbidden {
		t.Errorf("through an unknown proxy on this host: %d", w.Code)
	}
	w := get("127.0.0.1:1", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `platen_http_requests_total{route="GET /api/v1/me",status="200"} 1`) {
		t.Errorf("from here: %d %s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "alex") || strings.Contains(w.Body.String(), "192.0.2.1") {
		t.Error("the metrics have personal data")
	}
}

func TestProbes(t *testing.T) {
	s := newSite(t, nil)
	if w := s.ask(t, "GET", api.PathReady, "", ""); w.Code != http.StatusOK {
		t.Errorf("ready: %d", w.Code)
	}
	s = newSite(t, func(d *Deps) {
		d.Ready = func(context.Context) error { return errors.New("postgres://user:pw@db is away") }
	})
	w := s.ask(t, "GET", api.PathReady, "", "")
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "postgres") {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	if w := s.ask(t, "GET", api.PathHealth, "", ""); w.Code != http.StatusOK {
		t.Errorf("health while not ready: %d", w.Code)
	}
}

func TestSecurityHeadersOnEveryAnswer(t *testing.T) {
	s := newSite(t, nil)
	for pattern := range s.h.policies {
		method, path, _ := strings.Cut(pattern, " ")
		if path == api.PathEvents {
			method = "HEAD"
		}
		for _, target := range []string{path, path + "/..", "/nowhere"} {
			for _, token := range []string{"", "token-a"} {
				w := s.ask(t, method, target, token, "")
				for name, want := range inbound.APIHeaders() {
					if name == "Cache-Control" && target == api.PathWellKnown {
						want = "max-age=300" // the one answer that is the same for everybody
					}
					if got := w.Header().Get(name); got != want {
						t.Errorf("%s %s: %s is %q", method, target, name, got)
					}
				}
				if w.Header().Get("Server") != "" || w.Header().Get("X-Powered-By") != "" {
					t.Errorf("%s %s tells what serves it", method, target)
				}
			}
		}
	}
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	s := newSite(t, nil)
	s.h.handle(public, "GET", "/boom", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") }))
	w := s.ask(t, "GET", "/boom", "", "")
	p := problemIn(t, w)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret detail") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(s.logs.String(), "secret detail") || !strings.Contains(s.logs.String(), p.RequestID) {
		t.Error("the log does not tell what happened")
	}
}
