package httpapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/events"
	"github.com/platenprint/platen/server-stub/inbound"
)

// people is a small organisation: who they are, what they have and where they are signed in. It behaves like the use
// cases, in memory.
type people struct {
	mu       sync.Mutex
	users    map[core.UserID]core.User
	accounts map[core.UserID]core.Account
	sessions map[string]core.Session // by access token; the session's id is the token without "token-"
	attempts []Attempt
	tokens   []TokenAttempt
	used     map[string]bool
	roles    map[core.UserID][]core.Role
	issued   []From
	err      error // what every use case returns, when set
}

func newPeople() *people {
	p := &people{users: map[core.UserID]core.User{}, accounts: map[core.UserID]core.Account{}, sessions: map[string]core.Session{}, used: map[string]bool{}, roles: map[core.UserID][]core.Role{}}
	for id, name := range map[core.UserID]string{1: "alex.test@example.org", 2: "kim.doe@example.org", 3: "olga.owner@example.org"} {
		p.users[id] = core.User{ID: id, Username: name, DisplayName: strings.Split(name, "@")[0]}
		p.accounts[id] = core.Account{UserID: id, Currency: "EUR", Balance: 123400, Version: 7}
	}
	p.sessions["token-a"] = core.Session{ID: "a", UserID: 1, Client: "platen"}
	p.sessions["token-b"] = core.Session{ID: "b", UserID: 2, Client: "platen"}
	p.sessions["token-owner"] = core.Session{ID: "owner", UserID: 3, Client: "platen"}
	p.sessions["token-machine"] = core.Session{ID: "machine", UserID: 3, Client: "platen", Assurance: core.AssuranceMachine}
	p.roles[3] = []core.Role{core.RoleOwner}
	return p
}

func (p *people) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *people) Password(_ context.Context, a Attempt) (SignedIn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.attempts = append(p.attempts, a)
	if p.err != nil {
		return SignedIn{}, p.err
	}
	for _, u := range p.users {
		if u.Username == a.Name && a.Password.Reveal() == "right" {
			return SignedIn{User: u}, nil
		}
	}
	return SignedIn{}, fmt.Errorf("sign in %s: %w", a.Name, core.ErrWrongCredentials)
}

// Token takes "token of USERNAME".
func (p *people) Token(_ context.Context, a TokenAttempt) (SignedIn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens = append(p.tokens, a)
	if p.err != nil {
		return SignedIn{}, p.err
	}
	for _, u := range p.users {
		if a.Token.Reveal() == "token of "+u.Username {
			return SignedIn{User: u, Assurance: core.AssuranceOIDC}, nil
		}
	}
	return SignedIn{}, &Refusal{Code: api.CodeTokenInvalid, Err: errors.New("not right")}
}

// Code takes "code of USERNAME" of a machine and "web code of USERNAME" of a browser, once.
func (p *people) Code(_ context.Context, a CodeAttempt) (SignedIn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return SignedIn{}, p.err
	}
	for _, u := range p.users {
		if a.Code.Reveal() == "web code of "+u.Username {
			return SignedIn{User: u, Assurance: core.AssuranceOIDC}, nil
		}
		if a.Code.Reveal() == "code of "+u.Username && !p.used[a.Code.Reveal()] {
			p.used[a.Code.Reveal()] = true
			return SignedIn{User: u, Assurance: core.AssuranceMachine, Device: "d1", Stay: true}, nil
		}
	}
	return SignedIn{}, &Refusal{Code: api.CodeCodeInvalid, Err: errors.New("not right")}
}

func (p *people) Of(_ context.Context, id core.UserID) ([]core.Role, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.roles[id], p.err
}

func (p *people) Issue(_ context.Context, u core.User, from From) (Tokens, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return Tokens{}, p.err
	}
	id := fmt.Sprintf("s%d", len(p.sessions))
	p.issued = append(p.issued, from)
	p.sessions["token-"+id] = core.Session{ID: id, UserID: u.ID, Client: from.Client, Host: from.Host, Assurance: from.Assurance, Device: from.Device}
	return Tokens{Access: secret.New("token-" + id), Refresh: secret.New("refresh-" + id)}, nil
}

func (p *people) Refresh(_ context.Context, token secret.String, _ From) (Tokens, core.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return Tokens{}, core.User{}, p.err
	}
	id, _ := strings.CutPrefix(token.Reveal(), "refresh-")
	s, ok := p.sessions["token-"+id]
	if !ok {
		return Tokens{}, core.User{}, core.ErrUnauthenticated
	}
	return Tokens{Access: secret.New("token-" + id), Refresh: token}, p.users[s.UserID], nil
}

func (p *people) Authenticate(_ context.Context, access secret.String) (core.Session, core.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sessions[access.Reveal()]
	if !ok || !p.users[s.UserID].Active() {
		return core.Session{}, core.User{}, core.ErrUnauthenticated
	}
	return s, p.users[s.UserID], nil
}

func (p *people) Check(_ context.Context, session string) (core.User, error) {
	_, u, err := p.Authenticate(context.Background(), secret.New("token-"+session))
	return u, err
}

func (p *people) Revoke(_ context.Context, user core.UserID, session string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if s, ok := p.sessions["token-"+session]; !ok || s.UserID != user {
		return core.ErrNotFound
	}
	delete(p.sessions, "token-"+session)
	return nil
}

func (p *people) List(_ context.Context, user core.UserID) ([]core.Session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []core.Session
	for _, s := range p.sessions {
		if s.UserID == user {
			list = append(list, s)
		}
	}
	return list, p.err
}

func (p *people) Balance(_ context.Context, user core.UserID) (core.Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accounts[user], p.err
}

func (p *people) Statement(_ context.Context, user core.UserID, before int64, limit int) ([]core.StatementLine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []core.StatementLine
	for seq := p.accounts[user].Version; seq > 0 && len(lines) < limit; seq-- {
		if before == 0 || seq < before {
			lines = append(lines, core.StatementLine{Seq: seq, Kind: core.TransferCredit, Amount: 10000, Balance: core.Amount(seq) * 10000})
		}
	}
	return lines, p.err
}

func (p *people) BalanceHistory(_ context.Context, user core.UserID, from, to time.Time, step time.Duration) ([]Point, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var points []Point
	for at := from; !at.After(to); at = at.Add(step) {
		points = append(points, Point{at, p.accounts[user].Balance})
	}
	return points, p.err
}

// credit changes a balance as a committed transfer does.
func (p *people) credit(hub *events.Hub, user core.UserID, amount core.Amount) core.Account {
	p.mu.Lock()
	a := p.accounts[user]
	a.Balance += amount
	a.Version++
	p.accounts[user] = a
	p.mu.Unlock()
	hub.Publish(a)
	return a
}

// site is a running handler with its people.
type site struct {
	*people
	h    *Handler
	hub  *events.Hub
	logs *safeBuffer
}

func newSite(t *testing.T, change func(*Deps)) *site {
	t.Helper()
	s := &site{people: newPeople(), hub: events.New(), logs: &safeBuffer{}}
	metrics := prometheus.NewRegistry()
	d := Deps{
		SignIn: s, Sessions: s, Ledger: s, Hub: s.hub, Currency: "EUR",
		Client: api.ClientConfig{Organisation: "Example University", AuthModes: []string{"trust", "microsoft", "prompt"}, Currency: "EUR", Version: "1.2.3"},
		Roles:  s,
		WellKnown: func() api.WellKnown {
			return api.WellKnown{Product: api.WellKnownProduct, V: api.WellKnownV, ServerURL: "https://print.example.org:8443", DeviceAddress: "print.example.org:8445", Version: "1.2.3"}
		},
		Capabilities: func(context.Context) (api.Capabilities, error) { return api.Capabilities{}, nil },
		Ready:        func(context.Context) error { return nil },
		Clock:        clock.System, Metrics: metrics, Meters: inbound.NewMeters(metrics),
		Logger:      slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		MetricsFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	if change != nil {
		change(&d)
	}
	s.h = New(d)
	t.Cleanup(func() {
		s.h.Shutdown(context.WithoutCancel(t.Context()))
		if t.Failed() {
			t.Log(s.logs) // not as it comes: a connection may end after its test
		}
	})
	return s
}

// ask sends a request to the handler without a network.
func (s *site) ask(t *testing.T, method, target, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:1234"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// listen serves the site over TLS on a loopback port and returns its address and a client that trusts it.
func (s *site) listen(t *testing.T, http2 bool) (string, *http.Client) {
	t.Helper()
	return s.listenWith(t, s.h.Server(nil), http2)
}

func (s *site) listenWith(t *testing.T, server *http.Server, http2 bool) (string, *http.Client) {
	t.Helper()
	ts := httptest.NewUnstartedServer(s.h)
	ts.Config = server
	ts.EnableHTTP2 = http2
	ts.Listener = inbound.Guard(ts.Listener, nil, clock.System)
	ts.StartTLS()
	t.Cleanup(func() {
		s.h.Shutdown(context.WithoutCancel(t.Context()))
		ts.CloseClientConnections()
		ts.Close()
	})
	return ts.URL, ts.Client()
}

// dialer opens TLS connections that speak HTTP/1.1 by hand.
func dialer(t *testing.T, url string) func() net.Conn {
	t.Helper()
	return func() net.Conn {
		c, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), &tls.Config{RootCAs: x509.NewCertPool(), InsecureSkipVerify: true}) //nolint:gosec // a test's own server
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

type safeBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
