package web

import (
	"context"
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/store"
)

func TestSignInBySignOutByPassword(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.web)
	goTo(t, b.get("/"), "/sign-in")
	says(t, b.get("/sign-in"), http.StatusOK, "Sign in with Google", "Sign in with Okta", "Password")
	b.signIn()
	first := b.cookies[cookieWeb]
	says(t, b.get("/"), http.StatusOK, "alex@example.org", "Firefox, Linux", "This browser")
	goTo(t, b.get("/sign-in"), "/")
	b.signIn()
	if b.cookies[cookieWeb] == first {
		t.Error("the cookie did not change with the sign-in")
	}
	goTo(t, b.post("/sign-out"), "/signed-out")
	says(t, b.get("/signed-out"), http.StatusOK, "close the browser too")
	if b.cookies[cookieWeb] != "" {
		t.Error("the cookie is still there")
	}
	goTo(t, b.get("/"), "/sign-in")
	b.cookies[cookieWeb] = first
	goTo(t, b.get("/"), "/sign-in")
}

// Before sign-in nothing tells whether a name exists.
func TestWrongPasswordsAndNamesReadAlike(t *testing.T) {
	s := newSite(t, nil)
	var bodies []string
	for _, account := range []string{"alex@example.org", "eve@example.org"} {
		w := newBrowser(t, s.web).post("/sign-in/password", "account", account, "password", "wrong-password")
		says(t, w, http.StatusUnauthorized, "Account or password is wrong. Check the part after @.", account)
		bodies = append(bodies, strings.ReplaceAll(w.Body.String(), account, "X"))
		if strings.Contains(w.Body.String(), "wrong-password") || strings.Contains(s.logs.String(), "wrong-password") {
			t.Error("the password came back")
		}
	}
	if bodies[0] != bodies[1] {
		t.Error("the pages differ")
	}
	b := newBrowser(t, s.web)
	for range 12 {
		b.post("/sign-in/password", "account", "alex@example.org", "password", "wrong-password")
	}
	says(t, b.post("/sign-in/password", "account", "alex@example.org", "password", alexPassword), http.StatusTooManyRequests, "Too many tries. Try again at")
}

// passProvider goes through the provider and returns the answer of the callback.
func passProvider(t *testing.T, b *visitorBrowser, p *idp, w *httptest.ResponseRecorder, more string) *httptest.ResponseRecorder {
	t.Helper()
	says(t, w, http.StatusOK, `http-equiv="refresh"`, "https://"+p.id+".example/authorize?")
	state := p.last(t).State
	b.headers["Sec-Fetch-Site"] = "cross-site" // the way back begins elsewhere
	defer delete(b.headers, "Sec-Fetch-Site")
	return b.get("/sign-in/callback/" + p.id + "?state=" + state + more)
}

func TestSignInWithAProvider(t *testing.T) {
	s := newSite(t, func(d *Deps) { d.PublicURL = &url.URL{Scheme: "https", Host: "print.example.org:8443"} })
	b := newBrowser(t, s.web)
	w := b.post("/sign-in/start", "provider", "google", "next", "/sessions")
	asked := s.google.last(t)
	if asked.Redirect != "https://print.example.org:8443/sign-in/callback/google" || len(asked.State) != 43 || len(asked.Nonce) != 43 || len(asked.Challenge) != 43 {
		t.Errorf("asked %+v", asked)
	}
	goTo(t, passProvider(t, b, s.google, w, "&code=good"), "/sessions")
	says(t, b.get("/"), http.StatusOK, "alex@example.org")
	list, err := s.sessions.List(t.Context(), s.alex.ID)
	if err != nil || len(list) != 1 || list[0].Assurance != core.AssuranceOIDC || list[0].Kind != core.SessionWeb {
		t.Errorf("sessions %+v, %v", list, err)
	}
}

func TestWhatComesBackFromAProvider(t *testing.T) {
	type change func(s *site, b *visitorBrowser)
	tests := []struct {
		name   string
		change change
		query  string
		status int
		says   string
	}{
		{"cancelled", nil, "&error=access_denied", http.StatusOK, "Sign-in was cancelled."},
		{"down", nil, "&error=temporarily_unavailable", http.StatusServiceUnavailable, "Google doesn’t answer."},
		{"refused", nil, "&error=invalid_scope", http.StatusBadRequest, "Sign-in didn’t work."},
		{"not approved", nil, "&error=consent_required", http.StatusForbidden, "Your IT team must approve Platen first."},
		{"no code", nil, "", http.StatusBadRequest, "Sign-in didn’t work."},
		{"a wrong code", nil, "&code=bad", http.StatusBadRequest, "Sign-in didn’t work."},
		{"nobody here", func(s *site, _ *visitorBrowser) { s.google.err = core.ErrForbidden }, "&code=good", http.StatusForbidden, "you have no account here"},
		{"several people", func(s *site, _ *visitorBrowser) { s.google.err = core.ErrAmbiguous }, "&code=good", http.StatusForbidden, "you have no account here"},
		{"disabled", func(s *site, _ *visitorBrowser) { s.google.err = core.ErrDisabled }, "&code=good", http.StatusForbidden, "This account is disabled."},
		{"another browser", func(_ *site, b *visitorBrowser) { b.cookies[cookieBrowser] = random() }, "&code=good", http.StatusBadRequest, "another browser"},
		{"no browser cookie", func(_ *site, b *visitorBrowser) { delete(b.cookies, cookieBrowser) }, "&code=good", http.StatusBadRequest, "another browser"},
		{"too late", func(s *site, _ *visitorBrowser) { s.advance(flowLife) }, "&code=good", http.StatusBadRequest, "took too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, nil)
			b := newBrowser(t, s.web)
			w := b.post("/sign-in/start", "provider", "google")
			if tt.change != nil {
				tt.change(s, b)
			}
			says(t, passProvider(t, b, s.google, w, tt.query), tt.status, tt.says)
			if b.cookies[cookieWeb] != "" {
				t.Error("signed in")
			}
		})
	}
}

func TestAStateIsGoodOnceAndForItsProvider(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.web)
	w := b.post("/sign-in/start", "provider", "google")
	passProvider(t, b, s.google, w, "&code=good")
	b.post("/sign-out")
	says(t, b.get("/sign-in/callback/google?code=good&state="+s.google.last(t).State), http.StatusBadRequest, "took too long")
	b.post("/sign-in/start", "provider", "google")
	says(t, b.get("/sign-in/callback/okta?code=good&state="+s.google.last(t).State), http.StatusBadRequest, "took too long")
	if s.google.codes != 1 || s.okta.codes != 0 {
		t.Errorf("%d and %d codes were redeemed", s.google.codes, s.okta.codes)
	}
	says(t, b.post("/sign-in/start", "provider", "evil"), http.StatusBadRequest, "Sign-in didn’t work.")
}

// verifier is what the tests' Platen has.
const verifier = "abcdefghijklmnopqrstuvwxyz0123456789-abcdefgh"

func clientURL(more string) string {
	return "/sign-in/client?challenge=" + api.Challenge(verifier) + "&port=50123&state=state-of-platen" + more
}

// delivered checks that the page sends the browser back to this computer and returns the form's fields.
func delivered(t *testing.T, w *httptest.ResponseRecorder) (code, problem string) {
	t.Helper()
	says(t, w, http.StatusOK, `action="http://127.0.0.1:50123/"`, "continue.js")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action http://127.0.0.1:50123/;") {
		t.Errorf("the policy %s", csp)
	}
	if field(t, w, "state") != "state-of-platen" {
		t.Error("the state is another")
	}
	if strings.Contains(w.Body.String(), `name="error"`) {
		return "", field(t, w, "error")
	}
	return field(t, w, "code"), ""
}

func TestPlatenSignsInThroughTheBrowser(t *testing.T) {
	t.Run("at the provider, now", func(t *testing.T) {
		s := newSite(t, nil)
		s.google.at = s.now.Add(time.Second)
		b := newBrowser(t, s.web)
		w := b.get(clientURL("&provider=google&login_hint=alex@example.org&prompt=select_account"))
		if a := s.google.last(t); a.Hint != "alex@example.org" || !a.SelectAccount {
			t.Errorf("asked %+v", a)
		}
		code, _ := delivered(t, passProvider(t, b, s.google, w, "&code=good"))
		grant, err := s.codes.Redeem(t.Context(), secret.New(code), verifier)
		if err != nil || grant.User != s.alex.ID || grant.Assurance != core.AssuranceOIDC || grant.Provider != "google" {
			t.Errorf("grant %+v, %v", grant, err)
		}
		if b.cookies[cookieWeb] != "" {
			t.Error("the browser is signed in to the pages")
		}
	})
	t.Run("signed in at the provider before", func(t *testing.T) {
		s := newSite(t, nil)
		for _, at := range []time.Time{{}, s.now.Add(-time.Hour)} {
			s.google.at = at
			b := newBrowser(t, s.web)
			w := passProvider(t, b, s.google, b.get(clientURL("&provider=google")), "&code=good")
			says(t, w, http.StatusOK, "Platen on this computer wants to sign you in as", "alex@example.org")
			flow := field(t, w, "flow")
			other := newBrowser(t, s.web)
			other.cookies[cookieBrowser] = random()
			says(t, other.post("/sign-in/client/continue", "flow", flow, "answer", "continue"), http.StatusBadRequest, "another browser")
			w = passProvider(t, b, s.google, b.get(clientURL("&provider=google")), "&code=good")
			code, _ := delivered(t, b.post("/sign-in/client/continue", "flow", field(t, w, "flow"), "answer", "continue"))
			if _, err := s.codes.Redeem(t.Context(), secret.New(code), verifier); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("signed in on the pages before", func(t *testing.T) {
		s := newSite(t, nil)
		b := newBrowser(t, s.web)
		b.signIn()
		says(t, b.get(clientURL("")), http.StatusOK, "Continue only if you have just asked for this yourself.")
		_, problem := delivered(t, b.post("/sign-in/client/continue", "flow", field(t, b.get(clientURL("")), "flow"), "answer", "cancel"))
		if problem != api.BrowserErrorCancelled {
			t.Errorf("cancelled: %s", problem)
		}
		w := b.post("/sign-in/client/continue", "flow", field(t, b.get(clientURL("&provider=okta")), "flow"), "answer", "other")
		says(t, w, http.StatusOK, "https://okta.example/authorize?")
		if !s.okta.last(t).SelectAccount {
			t.Error("another account was asked for, and no choice offered")
		}
	})
	t.Run("by password", func(t *testing.T) {
		s := newSite(t, nil)
		b := newBrowser(t, s.web)
		w := b.get(clientURL("&login_hint=alex@example.org"))
		says(t, w, http.StatusOK, "Platen on this computer is waiting for you.", `value="alex@example.org"`)
		w = b.post("/sign-in/password", "account", "alex@example.org", "password", "wrong", "client", field(t, w, "client"))
		says(t, w, http.StatusUnauthorized, "Account or password is wrong.")
		code, _ := delivered(t, b.post("/sign-in/password", "account", "alex@example.org", "password", alexPassword, "client", field(t, w, "client")))
		grant, err := s.codes.Redeem(t.Context(), secret.New(code), verifier)
		if err != nil || grant.Assurance != core.AssurancePassword {
			t.Errorf("grant %+v, %v", grant, err)
		}
		if b.cookies[cookieWeb] != "" {
			t.Error("the browser is signed in to the pages")
		}
	})
	t.Run("failures", func(t *testing.T) {
		s := newSite(t, nil)
		for _, tt := range []struct {
			err         error
			query, want string
		}{
			{nil, "&error=access_denied", api.BrowserErrorCancelled},
			{core.ErrDisabled, "&code=good", api.BrowserErrorDisabled},
			{core.ErrForbidden, "&code=good", api.BrowserErrorNoAccount},
			{core.ErrUnavailable, "&code=good", api.BrowserErrorUnavailable},
			{errors.New("forged"), "&code=good", api.BrowserErrorFailed},
		} {
			s.google.err = tt.err
			b := newBrowser(t, s.web)
			if _, got := delivered(t, passProvider(t, b, s.google, b.get(clientURL("&provider=google")), tt.query)); got != tt.want {
				t.Errorf("%v %s: %s, want %s", tt.err, tt.query, got, tt.want)
			}
		}
		if _, got := delivered(t, newBrowser(t, s.web).get(clientURL("&provider=unknown"))); got != api.BrowserErrorFailed {
			t.Errorf("an unknown provider: %s", got)
		}
	})
}

// The code goes to this computer or nowhere.
func TestPlatenSignsInThroughTheBrowserOnlyWhereThatIsOffered(t *testing.T) {
	s := newSite(t, func(d *Deps) { d.Modes = []string{api.MethodTrust, api.MethodMicrosoft, api.MethodPrompt} })
	b := newBrowser(t, s.web)
	for _, target := range []string{clientURL(""), clientURL("&provider=google"), "/sign-in/client"} {
		says(t, b.get(target), http.StatusNotFound)
	}
	b.signIn() // on the pages, as before
	says(t, b.get(clientURL("")), http.StatusNotFound)
	says(t, b.post("/sign-in/client/continue", "flow", "x", "answer", "continue"), http.StatusNotFound)
}

func TestPlatensAddressIsExact(t *testing.T) {
	s := newSite(t, nil)
	good := url.Values{"challenge": {api.Challenge(verifier)}, "port": {"50123"}, "state": {"state-of-platen"}}
	for name, values := range map[string][]string{
		"port":      {"", "80", "443", "1023", "65536", "050123", "50123.evil.example", "50123/x", "+50123", "-1", "5e4", "50123@evil.example", "８０８０"},
		"challenge": {"", "short", strings.Repeat("a", 44), strings.Repeat("=", 43)},
		"state":     {"", "short", strings.Repeat("a", 257), "has spaces in it", `"><script>alert(1)</script>`},
		"prompt":    {"none", "login"},
	} {
		for _, value := range values {
			q := url.Values{}
			for k, v := range good {
				q[k] = v
			}
			q.Set(name, value)
			w := newBrowser(t, s.web).get("/sign-in/client?" + q.Encode())
			says(t, w, http.StatusBadRequest, "This link is not complete.")
			if strings.Contains(w.Body.String(), "127.0.0.1") {
				t.Errorf("%s=%s: the page leads to this computer", name, value)
			}
		}
	}
	says(t, newBrowser(t, s.web).get(clientURL("&port=50124")), http.StatusBadRequest, "This link is not complete.")
}

// R-CSRF-1
func TestOnlyOurOwnPagesChangeAnything(t *testing.T) {
	s := newSite(t, nil)
	for name, headers := range map[string]map[string]string{
		"cross-site":            {"Sec-Fetch-Site": "cross-site"},
		"same-site":             {"Sec-Fetch-Site": "same-site"},
		"another origin":        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
		"another port":          {"Sec-Fetch-Site": "", "Origin": "https://print.example.org:444"},
		"no origin of its own":  {"Sec-Fetch-Site": "", "Origin": "null"},
		"says nothing about it": {"Sec-Fetch-Site": ""},
	} {
		for site, h := range map[string]*Handler{"web": s.web, "admin": s.admin} {
			for pattern := range h.policies {
				method, path, _ := strings.Cut(pattern, " ")
				if method == "GET" {
					continue
				}
				b := newBrowser(t, h)
				b.headers = headers
				if w := b.do(method, path, "application/x-www-form-urlencoded", "x=y"); w.Code != http.StatusForbidden {
					t.Errorf("%s, %s: %s: %d", site, name, pattern, w.Code)
				}
			}
		}
	}
	b := newBrowser(t, s.web)
	b.headers = map[string]string{"Sec-Fetch-Site": "", "Origin": "https://print.example.org"}
	b.signIn() // an older browser
}

func TestNobodyEndsAnothersSession(t *testing.T) {
	s := newSite(t, nil)
	bea := newBrowser(t, s.web)
	u, err := s.users.Find(t.Context(), "alex@example.org")
	if err != nil {
		t.Fatal(err)
	}
	bea.signIn()
	list, err := s.sessions.List(t.Context(), u.ID)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	other, _, err := s.sessions.Issue(t.Context(), u.ID, sessionsInfo())
	if err != nil {
		t.Fatal(err)
	}
	_ = other
	says(t, bea.get("/"), http.StatusOK, "Platen on lab-pc-7")
	goTo(t, bea.post("/sessions/end", "session", field(t, bea.get("/"), "session")), "/")
	if list, _ = s.sessions.List(t.Context(), u.ID); len(list) != 1 {
		t.Errorf("%d sessions are left", len(list))
	}
	goTo(t, bea.post("/sessions/end", "session", "of-somebody-else"), "/")
	goTo(t, bea.post("/sessions/end", "session", list[0].ID), "/signed-out")
}

func TestADisabledPersonIsOutAtOnce(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.web)
	b.signIn()
	if _, err := s.users.Disable(t.Context(), "admin", s.alex.ID); err != nil {
		t.Fatal(err)
	}
	goTo(t, b.get("/"), "/sign-in")
	says(t, b.post("/sign-in/password", "account", "alex@example.org", "password", alexPassword), http.StatusForbidden, "This account is disabled.")
}

func TestAnErasedPersonLeavesNoRoleAndNoPasskey(t *testing.T) {
	s := newSite(t, nil)
	if err := s.roles.Grant(t.Context(), "admin", s.alex.ID, core.RoleOwner); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Update(t.Context(), func(tx store.Tx) error {
		return tx.CreatePasskey(t.Context(), core.Passkey{ID: "k", UserID: s.alex.ID, Handle: [32]byte{1}, Credential: "{}"})
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.users.Erase(t.Context(), "admin", s.alex.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.db.View(t.Context(), func(tx store.Tx) error {
		grants, err := tx.RoleGrants(t.Context())
		keys, keysErr := tx.UserPasskeys(t.Context(), s.alex.ID)
		if len(grants)+len(keys) != 0 {
			t.Errorf("left: %v, %v", grants, keys)
		}
		return errors.Join(err, keysErr)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAdministratorsNeedARole(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.admin)
	goTo(t, b.get("/"), "/admin")
	goTo(t, b.get("/admin"), "/sign-in?next=%2Fadmin")
	says(t, b.post("/sign-in/password", "account", "alex@example.org", "password", alexPassword), http.StatusForbidden, "these pages are for administrators")
	if err := s.roles.Grant(t.Context(), "admin", s.alex.ID, core.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	goTo(t, b.post("/sign-in/password", "account", "alex@example.org", "password", alexPassword, "next", "/admin"), "/admin")
	says(t, b.get("/admin"), http.StatusOK, "alex@example.org", "helpdesk")

	// The cookie of one site is of no use at the other.
	everyday := newBrowser(t, s.web)
	everyday.signIn()
	crossed := newBrowser(t, s.admin)
	crossed.cookies[cookieAdmin] = everyday.cookies[cookieWeb]
	goTo(t, crossed.get("/admin"), "/sign-in?next=%2Fadmin")

	if err := s.roles.Revoke(t.Context(), "admin", s.alex.ID, core.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	goTo(t, b.get("/admin"), "/sign-in?next=%2Fadmin")
}

// R-SETUP-1
func TestTheFirstOwnerIsSetUpOnce(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.admin)
	says(t, b.get("/sign-in"), http.StatusOK, `href="/set-up"`)
	says(t, b.get("/set-up"), http.StatusOK, "One-time token")
	owner := []string{"account", "olga@example.org", "name", "Olga Owner", "password", "long enough", "token", s.token}
	with := func(name, value string) []string {
		list := append([]string{}, owner...)
		return append(list, name, value)
	}
	says(t, b.post("/set-up/password", with("token", "wrong")...), http.StatusForbidden, "That is not the token.")
	says(t, b.post("/set-up/password", with("password", "short")...), http.StatusUnprocessableEntity, "at least 8 characters")
	says(t, b.post("/set-up/password", with("account", "alex@example.org")...), http.StatusConflict, "That account is taken.")
	says(t, b.post("/set-up/password", with("account", "a@b@c")...), http.StatusUnprocessableEntity, "Write the account like")
	goTo(t, b.post("/set-up/password", owner...), "/admin")
	says(t, b.get("/admin"), http.StatusOK, "olga@example.org", "owner")
	if s.token != "" {
		t.Error("the token is still there")
	}
	for _, pattern := range []string{"GET /set-up", "POST /set-up/password", "POST /set-up/passkey/options", "POST /set-up/passkey", "PUT /set-up"} {
		method, path, _ := strings.Cut(pattern, " ")
		says(t, b.do(method, path, "application/json", "{}"), http.StatusNotFound, "There is no such page.")
	}
	if strings.Contains(newBrowser(t, s.admin).get("/sign-in").Body.String(), "set-up") {
		t.Error("the sign-in still offers the set-up")
	}
	says(t, newBrowser(t, s.web).get("/set-up"), http.StatusNotFound)
}

// A set-up that breaks off leaves nothing behind: neither an account that is nobody's nor a name that is taken.
func TestASetUpThatFailsLeavesNoAccount(t *testing.T) {
	s := newSite(t, nil)
	failing := roles.New(roles.Deps{
		Store: brokenRoles{s.db}, Clock: s.clock, SetupToken: func() (secret.String, error) { return secret.New(s.token), nil },
		OnChange: func(context.Context, core.UserID) {}, OnSetup: func(context.Context) {},
	})
	working := s.admin.Roles
	s.admin.Roles = failing
	owner := []string{"token", s.token, "account", "owner@example.org", "password", "long enough"}
	says(t, newBrowser(t, s.admin).post("/set-up/password", owner...), http.StatusInternalServerError)
	s.admin.Roles = working
	goTo(t, newBrowser(t, s.admin).post("/set-up/password", owner...), "/admin")
}

// brokenRoles is a store in which no role can be written.
type brokenRoles struct{ store.Store }

func (b brokenRoles) Update(ctx context.Context, fn func(store.Tx) error) error {
	return b.Store.Update(ctx, func(tx store.Tx) error { return fn(brokenTx{tx}) })
}

type brokenTx struct{ store.Tx }

func (brokenTx) PutRole(context.Context, core.RoleGrant) error { return errors.New("the disk is full") }

func TestTriesOfTheTokenAreLimited(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.admin)
	for range limitTokens.most {
		says(t, b.post("/set-up/password", "token", "guess", "account", "eve", "password", "long enough"), http.StatusForbidden)
	}
	says(t, b.post("/set-up/password", "token", s.token, "account", "eve", "password", "long enough"), http.StatusTooManyRequests, "Too many tries.")
	s.advance(limitWindow)
	goTo(t, b.post("/set-up/password", "token", s.token, "account", "eve", "password", "long enough"), "/admin")
}

// R-UP-1
func TestLargeBodiesAreRefused(t *testing.T) {
	s := newSite(t, nil)
	for _, h := range []*Handler{s.web, s.admin} {
		for pattern, p := range h.policies {
			method, path, _ := strings.Cut(pattern, " ")
			if method != "POST" || p == person {
				continue
			}
			says(t, newBrowser(t, h).do(method, path, "application/x-www-form-urlencoded", "account="+strings.Repeat("a", maxBody)), http.StatusRequestEntityTooLarge)
		}
	}
}

// R-AUTHZ-1
func TestUncleanPathsReachNothing(t *testing.T) {
	s := newSite(t, nil)
	b := newBrowser(t, s.web)
	b.signIn()
	for _, path := range []string{"//", "/./", "/../", "/sign-in/", "/sign-in/..", "/sign-in;x=1", "/static/../locale/en.json", "/%73ign-in", "/sign-in.", "/static/x/..%2f..%2flocale%2fen.json"} {
		says(t, b.get(path), http.StatusNotFound, "There is no such page.")
	}
}

// R-AUTHZ-1: whatever the address, a handler is reached by its route's policy only. whoAsks panics where it was not.
func FuzzNoPathPassesItsPolicy(f *testing.F) {
	for _, path := range []string{"/", "/admin", "/sessions/end", "/set-up", "/sign-in/..;/admin", "/%61dmin", "*", "//admin", "/admin/", "http://x/admin"} {
		f.Add("GET", path)
		f.Add("POST", path)
	}
	s := newSite(f, nil)
	f.Fuzz(func(t *testing.T, method, target string) {
		for _, h := range []*Handler{s.web, s.admin} {
			r, err := http.NewRequestWithContext(t.Context(), method, "https://print.example.org/", nil)
			if err != nil {
				return
			}
			if r.URL, err = r.URL.Parse(target); err != nil {
				return
			}
			r.Body = http.NoBody
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code == http.StatusInternalServerError || w.Code == http.StatusOK && strings.HasPrefix(r.URL.Path, "/admin") {
				t.Errorf("%s %s: %d", method, target, w.Code)
			}
		}
	})
}

func TestARouteWithoutAPolicyLetsNobodyIn(t *testing.T) {
	s := newSite(t, nil)
	s.web.mux.HandleFunc("GET /forgotten", func(http.ResponseWriter, *http.Request) { t.Error("the handler was reached") })
	b := newBrowser(t, s.web)
	b.signIn()
	says(t, b.get("/forgotten"), http.StatusForbidden)
}

// R-REDIR-1
func TestAfterTheSignInOnlyOurOwnPages(t *testing.T) {
	for next, want := range map[string]string{
		"/": "/", "/admin": "/admin", "/a/b-c": "/a/b-c",
		"": "", "//evil.example": "", `/\evil.example`: "", "https://evil.example": "", "/x?y": "", "/x#y": "", "javascript:alert(1)": "", "/%2f%2fevil.example": "",
		"/a/../b": "", " /a": "", "/a\n": "", "/sign-out": "", "/sign-in": "", "evil": "", "/a;b": "",
	} {
		if got := safeNext(next); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("/admin")
	f.Add("//evil.example")
	f.Add(`/\evil.example`)
	f.Fuzz(func(t *testing.T, next string) {
		got := safeNext(next)
		if got == "" {
			return
		}
		base, err := url.Parse("https://print.example.org/sign-in")
		if err != nil {
			t.Fatal(err)
		}
		to, err := base.Parse(got)
		if err != nil || to.Host != "print.example.org" || to.Scheme != "https" || strings.ContainsAny(got, "\\\r\n\t ") {
			t.Errorf("%q leads to %v", next, to)
		}
	})
}

// The crawler: every page and file has the headers of SECURITY.md D3, and runs nothing but our own files.
func TestHeadersOnEveryAnswer(t *testing.T) {
	s := newSite(t, nil)
	if err := s.roles.Grant(t.Context(), "admin", s.alex.ID, core.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	inline := regexp.MustCompile(`(?i)<script(?:>|[^>]*[^>]>[^<])|<style|\sstyle=|\son[a-z]+=|javascript:|https?://[^"]*\.(?:js|css)`)
	link := regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	for name, h := range map[string]*Handler{"web": s.web, "admin": s.admin} {
		for _, signedIn := range []bool{false, true} {
			b := newBrowser(t, h)
			if signedIn {
				b.signIn()
			}
			queue := []string{"/", "/sign-in", "/signed-out", "/nowhere", "/sign-in/..", "/set-up", "/admin", clientURL(""), clientURL("&provider=google"), "/sign-in/client?x", "/sign-in/callback/google"}
			seen := map[string]bool{}
			for len(queue) > 0 {
				target := queue[0]
				queue = queue[1:]
				if seen[target] || !strings.HasPrefix(target, "/") {
					continue
				}
				seen[target] = true
				w := b.get(target)
				checkHeaders(t, name+" "+target, w)
				if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
					continue
				}
				if bad := inline.FindString(w.Body.String()); bad != "" {
					t.Errorf("%s %s: the page has %q", name, target, bad)
				}
				for _, found := range link.FindAllStringSubmatch(w.Body.String(), -1) {
					queue = append(queue, html.UnescapeString(found[1]))
				}
			}
			for _, file := range []string{"pages.css", "passkey.js", "icon.svg"} {
				if file != "passkey.js" && !seen["/static/"+h.pages.version+"/"+file] {
					t.Errorf("%s: no page led to %s", name, file)
				}
			}
		}
	}
}

func checkHeaders(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	want := headers()
	static := strings.Contains(what, "/static/")
	if static {
		want["Cache-Control"] = "public, max-age=31536000, immutable"
	}
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
	if w.Header().Get("Server") != "" || w.Header().Get("Set-Cookie") != "" && static {
		t.Errorf("%s: %v", what, w.Header())
	}
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusSeeOther && !strings.Contains(kind, "charset=utf-8") && kind != "image/svg+xml" {
		t.Errorf("%s: Content-Type %q", what, kind)
	}
	if static && w.Code != http.StatusOK {
		t.Errorf("%s: %d", what, w.Code)
	}
}

// R-XSS-1
func TestWhatOthersWriteIsText(t *testing.T) {
	const bad = `"><script>alert(1)</script>`
	s := newSite(t, func(d *Deps) { d.Organisation, d.HelpText = bad, bad })
	b := newBrowser(t, s.web)
	b.headers["User-Agent"] = bad
	for _, w := range []*httptest.ResponseRecorder{
		b.get("/sign-in"), b.post("/sign-in/password", "account", bad, "password", "x"), b.get(clientURL("&login_hint=" + url.QueryEscape(bad))),
		newBrowser(t, s.admin).post("/set-up/password", "account", bad, "name", bad, "token", "x", "password", "x"),
	} {
		if strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("the page has it as it came:\n%s", w.Body)
		}
	}
}

func TestLanguages(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "nl, fr;q=0.5": "fr", "es-MX": "es", "nl": "en", "en;q=0.1, de;q=x, fr;q=0.2": "fr", "de;q=0": "en",
		strings.Repeat("x,", 1000): "en",
	} {
		if got := chooseLanguage(accept); got != want {
			t.Errorf("%.40q: %s, want %s", accept, got, want)
		}
	}
	s := newSite(t, nil)
	b := newBrowser(t, s.web)
	b.headers["Accept-Language"] = "de-CH"
	w := b.get("/sign-in")
	says(t, w, http.StatusOK, `lang="de"`, "Mit Google anmelden", "Passwort")
	if w.Header().Get("Content-Language") != "de" || w.Header().Get("Vary") != "Accept-Language" {
		t.Error(w.Header())
	}
}

// Every text is there in every language, with the same gaps, and every key of a page is a text.
func TestTextsAreComplete(t *testing.T) {
	p, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	gaps := regexp.MustCompile(`\{\d\}`)
	for key, english := range p.texts["en"] {
		for _, language := range languages {
			text, ok := p.texts[language][key]
			if !ok || text == "" || len(gaps.FindAllString(text, -1)) != len(gaps.FindAllString(english, -1)) {
				t.Errorf("%s: %s is %q", language, key, text)
			}
			if strings.Contains(text, "'") {
				t.Errorf("%s: %s has a typewriter's apostrophe", language, key)
			}
		}
	}
	for _, language := range languages {
		if len(p.texts[language]) != len(p.texts["en"]) {
			t.Errorf("%s has %d texts, en %d", language, len(p.texts[language]), len(p.texts["en"]))
		}
	}
	used := regexp.MustCompile(`\.T "([a-z_.]+)"`)
	names, err := files.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := files.ReadFile("templates/" + name.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range used.FindAllStringSubmatch(string(text), -1) {
			if p.texts["en"][found[1]] == "" {
				t.Errorf("%s: there is no text %s", name.Name(), found[1])
			}
		}
	}
	for _, role := range core.Roles() {
		if p.texts["en"]["role."+string(role)] == "" {
			t.Errorf("the role %s has no name", role)
		}
	}
}
