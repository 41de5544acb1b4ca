package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/codes"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/oidc"
	"github.com/platenprint/platen/server-stub/passkeys"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/signin"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// idp is an identity provider. It knows who will sign in next.
type idp struct {
	id, name string
	base     string // where it is, https://ID.example if empty

	mu    sync.Mutex
	asked []AuthRequest
	who   core.User
	at    time.Time
	err   error
	codes int
}

func (p *idp) ID() string   { return p.id }
func (p *idp) Name() string { return p.name }

func (p *idp) AuthURL(_ context.Context, r AuthRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, r)
	base := p.base
	if base == "" {
		base = "https://" + p.id + ".example"
	}
	return base + "/authorize?" + url.Values{"state": {r.State}, "redirect_uri": {r.Redirect}}.Encode(), nil
}

func (p *idp) Denied(values url.Values) error {
	switch values.Get("error") {
	case "":
		return nil
	case "access_denied":
		return oidc.ErrCancelled
	case "temporarily_unavailable":
		return core.ErrUnavailable
	case "consent_required":
		return oidc.ErrConsentRequired
	}
	return core.ErrInvalid
}

// Finish accepts the one code "good", for the verifier and nonce of the latest request.
func (p *idp) Finish(_ context.Context, r FinishRequest) (Proven, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes++
	last := p.asked[len(p.asked)-1]
	if p.err != nil {
		return Proven{}, p.err
	}
	if r.Code.Reveal() != "good" || api.Challenge(r.Verifier) != last.Challenge || r.Nonce != last.Nonce || r.Redirect != last.Redirect {
		return Proven{}, core.ErrInvalid
	}
	return Proven{p.who, p.at}, nil
}

func (p *idp) last(t *testing.T) AuthRequest {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.asked) == 0 {
		t.Fatal("the provider was not asked")
	}
	return p.asked[len(p.asked)-1]
}

// site is both sites with their people.
type site struct {
	web, admin *Handler
	db         store.Store
	users      *users.Service
	sessions   *sessions.Manager
	roles      *roles.Service
	codes      *codes.Service
	google     *idp
	okta       *idp
	alex       core.User
	token      string // of the set-up
	logs       strings.Builder

	mu  sync.Mutex
	now time.Time
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

const alexPassword = "right horse battery"

// newSite makes the sites. change may alter what they work with.
func newSite(t testing.TB, change func(*Deps)) *site {
	t.Helper()
	s := &site{
		db: storetest.OpenSQLite(t), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), token: "token-of-the-set-up",
		google: &idp{id: "google", name: "Google"}, okta: &idp{id: "okta", name: "Okta"},
	}
	hasher := passhash.New(passhash.Params{Time: 1, MemoryKiB: 64, Parallelism: 1})
	s.users = users.New(users.Deps{Store: s.db, Clock: s.clock, Hasher: hasher})
	s.sessions = sessions.New(s.db, s.clock, sessions.Options{})
	s.codes = codes.New(s.db, s.clock)
	s.roles = roles.New(roles.Deps{
		Store: s.db, Clock: s.clock,
		OnChange: func(ctx context.Context, id core.UserID) {
			if err := s.sessions.EndKind(ctx, "system", id, core.SessionAdmin); err != nil {
				t.Error(err)
			}
		},
		SetupToken: func() (secret.String, error) {
			if s.token == "" {
				return secret.String{}, core.ErrNotFound
			}
			return secret.New(s.token), nil
		},
		OnSetup: func(context.Context) { s.token = "" },
	})
	passwords, err := signin.New(signin.Deps{Store: s.db, Clock: s.clock, Hasher: hasher, Key: secret.New(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	if s.alex, err = s.users.Add(t.Context(), "admin", users.NewUser{Username: "alex@example.org", DisplayName: "Alex Test", Password: secret.New(alexPassword)}); err != nil {
		t.Fatal(err)
	}
	s.google.who, s.okta.who = s.alex, s.alex
	d := Deps{
		Organisation: "Example University", Store: s.db, Sessions: s.sessions, Roles: s.roles, Users: s.users, Codes: s.codes, Passwords: passwords,
		Passkeys: passkeys.New(s.db, s.clock, "Example University"), Providers: []Provider{s.google, s.okta}, Modes: []string{api.MethodBrowser, api.MethodPrompt}, Key: secret.New(strings.Repeat("k", 32)),
		Meters: inbound.NewMeters(prometheus.NewRegistry()), Clock: s.clock, Logger: slog.New(slog.NewTextHandler(&s.logs, nil)),
	}
	if change != nil {
		change(&d)
	}
	if s.web, err = New(d, core.SessionWeb); err != nil {
		t.Fatal(err)
	}
	if s.admin, err = New(d, core.SessionAdmin); err != nil {
		t.Fatal(err)
	}
	return s
}

// visitorBrowser is a browser with its cookies.
type visitorBrowser struct {
	t       *testing.T
	h       http.Handler
	host    string
	cookies map[string]string
	headers map[string]string // sent along; "" takes a default away
}

func newBrowser(t *testing.T, h http.Handler) *visitorBrowser {
	return &visitorBrowser{t: t, h: h, host: "print.example.org", cookies: map[string]string{}, headers: map[string]string{}}
}

func (b *visitorBrowser) do(method, target, contentType, body string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = b.host, "192.0.2.1:1234"
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if body != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for name, value := range b.headers {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
			b.t.Errorf("%s %s: the cookie %+v", method, target, c)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

func (b *visitorBrowser) get(target string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.do("GET", target, "", "")
}

func (b *visitorBrowser) post(target string, fields ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do("POST", target, "application/x-www-form-urlencoded", form.Encode())
}

// signIn signs the browser in as Alex.
func (b *visitorBrowser) signIn() {
	b.t.Helper()
	if w := b.post("/sign-in/password", "account", "alex@example.org", "password", alexPassword); w.Code != http.StatusSeeOther {
		b.t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
}

// goTo checks that an answer sends the browser there.
func goTo(t *testing.T, w *httptest.ResponseRecorder, target string) {
	t.Helper()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != target {
		t.Errorf("status %d, Location %q; want %q\n%s", w.Code, w.Header().Get("Location"), target, w.Body)
	}
}

// says checks the status of a page and that it has the texts.
func says(t *testing.T, w *httptest.ResponseRecorder, status int, texts ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d", w.Code, status)
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("the page does not say %q:\n%s", text, w.Body)
		}
	}
}

// field returns the value of a hidden field of a page.
func field(t *testing.T, w *httptest.ResponseRecorder, name string) string {
	t.Helper()
	found := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(w.Body.String())
	if found == nil {
		t.Fatalf("the page has no field %s:\n%s", name, w.Body)
	}
	return found[1]
}

func sessionsInfo() sessions.Info {
	return sessions.Info{Host: "lab-pc-7", Client: "platen 1.0.0 (linux)"}
}
