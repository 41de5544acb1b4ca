package entra_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/entra/person"
)

const (
	tenant  = "11111111-2222-3333-4444-555555555555"
	public  = "66666666-7777-8888-9999-000000000000"
	server  = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	old     = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"
	some    = "cccccccc-bbbb-cccc-dddd-eeeeeeeeeeee"
	asking  = "dddddddd-bbbb-cccc-dddd-eeeeeeeeeeee"
	admins  = "eeeeeeee-bbbb-cccc-dddd-eeeeeeeeeeee"
	scope   = "openid profile email offline_access api://" + server + "/sign-in"
	callURL = "https://print.example.org/sign-in/callback"

	verifier = "a-verifier-that-is-long-enough-for-rfc-7636-4.1"
)

// hands is a clock that tests move.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) forward(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// start starts the tenant of testdata.
func start(t *testing.T) (*entra.Emulator, *hands) {
	t.Helper()
	config, err := entra.LoadConfig("testdata/tenant.yaml")
	if err != nil {
		t.Fatal(err)
	}
	h := &hands{now: time.Now()}
	e, err := entra.Start(t.Context(), entra.Options{Config: config, Clock: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, h
}

// app is a program on the person's computer: it waits on loopback for what the browser brings.
type app struct {
	url  string
	mu   sync.Mutex
	got  url.Values
	how  string
	from string
}

func listen(t *testing.T) *app {
	t.Helper()
	a := &app{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		a.got, a.how, a.from = r.Form, r.Method, r.Header.Get("Origin")
	}))
	t.Cleanup(srv.Close)
	a.url = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	return a
}

func (a *app) result() (url.Values, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got, a.how
}

// authorizeURL is the address of a proper request, changed by pairs of name and value.
func authorizeURL(e *entra.Emulator, redirect string, pairs ...string) string {
	q := url.Values{
		"client_id": {public}, "response_type": {"code"}, "redirect_uri": {redirect}, "response_mode": {"form_post"}, "scope": {scope},
		"state": {"a-state"}, "nonce": {"a-nonce"}, "code_challenge": {api.Challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return e.Authority() + "/oauth2/v2.0/authorize?" + q.Encode()
}

// visit sends a person to an address.
func visit(t *testing.T, e *entra.Emulator, p *person.Person, address string) person.Page {
	t.Helper()
	at, err := p.Visit(t.Context(), address)
	if err != nil {
		t.Fatalf("%v (pages: %v)", err, p.Seen)
	}
	return at
}

func someone(e *entra.Emulator, upn string) *person.Person {
	return (&person.Person{UPN: upn, Password: "correct horse", Code: "246810"}).Use(e.Client())
}

// answer is what the token endpoint says.
type answer struct {
	Status       int
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	ClientInfo   string `json:"client_info"`
	Scope        string `json:"scope"`
	ExpiresIn    int    `json:"expires_in"`

	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Suberror      string `json:"suberror"`
	Claims        string `json:"claims"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	Timestamp     string `json:"timestamp"`

	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Page       string `json:"verification_uri"`
}

func post(t *testing.T, e *entra.Emulator, endpoint string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, err := e.Client().PostForm(e.Authority()+"/oauth2/v2.0/"+endpoint, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	a := answer{Status: res.StatusCode}
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// code returns the code of somebody who has signed in.
func code(t *testing.T, e *entra.Emulator, p *person.Person, pairs ...string) (text, redirect string) {
	t.Helper()
	a := listen(t)
	visit(t, e, p, authorizeURL(e, a.url, pairs...))
	got, _ := a.result()
	if got.Get("code") == "" {
		t.Fatalf("the app got %v (pages: %v)", got, p.Seen)
	}
	return got.Get("code"), a.url
}

func redeem(t *testing.T, e *entra.Emulator, text, redirect string, pairs ...string) answer {
	t.Helper()
	return post(t, e, "token", append([]string{
		"grant_type", "authorization_code", "client_id", public, "code", text, "redirect_uri", redirect, "code_verifier", verifier, "client_info", "1",
	}, pairs...)...)
}

func refresh(t *testing.T, e *entra.Emulator, token string, pairs ...string) answer {
	t.Helper()
	return post(t, e, "token", append([]string{"grant_type", "refresh_token", "client_id", public, "refresh_token", token}, pairs...)...)
}

func ropc(t *testing.T, e *entra.Emulator, client, upn, password string) answer {
	t.Helper()
	return post(t, e, "token", "grant_type", "password", "client_id", client, "username", upn, "password", password, "scope", scope)
}

// claims decodes a token without checking it.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func errorCode(a answer) int {
	if len(a.Codes) == 0 {
		return 0
	}
	return a.Codes[0]
}
