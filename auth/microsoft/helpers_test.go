package microsoft_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/entra/person"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	public = "66666666-7777-8888-9999-000000000000"
	server = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	asking = "dddddddd-bbbb-cccc-dddd-eeeeeeeeeeee"
	scope  = "api://" + server + "/sign-in"

	password = "correct CANARY horse"
)

func start(t *testing.T) *entra.Emulator {
	t.Helper()
	e, err := entra.Start(t.Context(), entra.Options{Config: entra.Config{
		Tenant: tenant, Name: "Northwind School", Domains: []string{"example.org"},
		Apps: []entra.App{
			{ID: public, Name: "Platen", RedirectURIs: []string{"http://localhost"}},
			{ID: server, Name: "Platen server", Scopes: []string{"sign-in"}, AccessTokenVersion: 2},
			{ID: asking, Name: "Asks", RedirectURIs: []string{"http://localhost"}, Consent: entra.ConsentUser},
		},
		Users: []entra.User{
			{UPN: "sam@example.org", Name: "Sam Taylor", Password: password},
			{UPN: "mia@example.org", Name: "Mia Wong", Password: password, MFA: entra.MFARequired, Code: "246810"},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// memory is a Cache.
type memory struct {
	mu    sync.Mutex
	data  []byte
	saves int
	err   error
}

func (m *memory) Load(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.Clone(m.data), m.err
}

func (m *memory) Save(_ context.Context, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data, m.saves = bytes.Clone(data), m.saves+1
	return m.err
}

func (m *memory) kept() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return string(m.data)
}

// desk is a person in front of a client.
type desk struct {
	*microsoft.Client
	e      *entra.Emulator
	person *person.Person
	log    *bytes.Buffer

	mu     sync.Mutex
	opened []string      // addresses that the browser was sent to
	last   person.Page   // where the person ended
	errs   []error       // what the browser could not do
	done   chan struct{} // one for each visit that has ended
}

// sit prepares a client whose browser is a person at the emulator.
func sit(t *testing.T, e *entra.Emulator, upn string, change ...func(*microsoft.Options)) *desk {
	t.Helper()
	d := &desk{e: e, log: &bytes.Buffer{}, done: make(chan struct{}, 100)}
	d.person = (&person.Person{UPN: upn, Password: password, Code: "246810"}).Use(e.Client())
	o := microsoft.Options{
		Config:       api.MicrosoftConfig{Authority: e.Authority(), ClientID: public, Scope: scope},
		AnyAuthority: true, HTTPClient: e.Client(), OpenURL: d.open, Timeout: time.Minute,
		Logger: slog.New(slog.NewTextHandler(&locked{w: d.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	client, err := microsoft.New(o)
	if err != nil {
		t.Fatal(err)
	}
	d.Client = client
	t.Cleanup(client.Close)
	return d
}

// locked lets a log be written from anywhere.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (d *desk) open(ctx context.Context, address string) error {
	d.mu.Lock()
	d.opened = append(d.opened, address)
	d.mu.Unlock()
	go func() { //nolint:contextcheck // the browser outlives the call, as the real one does
		at, err := d.person.Visit(context.WithoutCancel(ctx), address)
		d.mu.Lock()
		d.last, d.errs = at, append(d.errs, err)
		d.mu.Unlock()
		d.done <- struct{}{}
	}()
	return nil
}

// arrived waits for the browser and returns where it is.
func (d *desk) arrived(t *testing.T) person.Page {
	t.Helper()
	select {
	case <-d.done:
	case <-time.After(30 * time.Second):
		t.Fatal("the browser did not arrive")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

func (d *desk) query(t *testing.T) url.Values {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := url.Parse(d.opened[len(d.opened)-1])
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// signIn signs in, which has to work.
func (d *desk) signIn(t *testing.T, r microsoft.Request) microsoft.Token {
	t.Helper()
	token, err := d.SignIn(t.Context(), r)
	if err != nil {
		t.Fatalf("%v (the person saw %v, %s)", err, d.person.Seen, d.arrived(t).Text)
	}
	return token
}

// failure asserts that err is one of this package and returns it.
func failure(t *testing.T, err error) *microsoft.Error {
	t.Helper()
	if e, ok := errors.AsType[*microsoft.Error](err); ok {
		return e
	}
	t.Fatalf("%v (%T) is no *microsoft.Error", err, err)
	return nil
}

// post posts a form to the receiver.
func post(t *testing.T, address string, form url.Values, change ...func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range change {
		c(req)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}
