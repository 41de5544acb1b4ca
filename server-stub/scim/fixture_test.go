package scim_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/platenprint/platen/internal/emulator/scimclient"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// start is when every test begins.
var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// site is a server with one connection, "entra".
type site struct {
	t      *testing.T
	store  store.Store
	engine *engine
	tokens *scim.Tokens
	token  secret.String
	server *httptest.Server

	mu   sync.Mutex
	now  time.Time       // guarded by mu
	conn scim.Connection // guarded by mu
	gone bool            // guarded by mu: the connection was removed
}

func newSite(t *testing.T) *site { return siteOn(t, storetest.OpenSQLite(t)) }

func siteOn(t *testing.T, db store.Store) *site {
	t.Helper()
	s := &site{t: t, store: db, now: start, conn: scim.Connection{Source: "entra"}}
	s.engine = newEngine(s)
	s.tokens = scim.NewTokens(db, s.clock)
	var err error
	if s.token, _, err = s.tokens.Issue(t.Context(), "admin", "entra", scim.TokenOptions{}); err != nil {
		t.Fatal(err)
	}
	h := scim.New(scim.Deps{
		Store: db, Engine: s.engine, BaseURL: "https://print.example.org/scim/v2", Key: [32]byte{1}, Clock: s.clock,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Connection: func(id core.SourceID) (scim.Connection, bool) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.conn, id == s.conn.Source && !s.gone
		},
	})
	s.server = httptest.NewServer(&inbound.Front{
		Router: router{h.Handler()}, Headers: inbound.APIHeaders(), Meters: inbound.NewMeters(prometheus.NewRegistry()), Clock: s.clock,
		Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(s.server.Close)
	return s
}

// router lets everything through to the handler.
type router struct{ h http.Handler }

func (r router) Route(req *http.Request) (*http.Request, string, http.Handler) {
	return req, scim.Prefix, r.h
}

func (router) Fail(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// configure changes the connection.
func (s *site) configure(change func(*scim.Connection)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.conn)
}

// client is a provider of that style.
func (s *site) client(style scimclient.Style) *scimclient.Client {
	return scimclient.New(scimclient.Options{URL: s.server.URL + scim.Prefix, Token: s.token, Style: style, HTTP: s.server.Client()})
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// ask sends a request with the connection's token.
func (s *site) ask(method, path, body string, headers ...string) reply {
	s.t.Helper()
	return s.askAs(s.token, method, path, body, headers...)
}

func (s *site) askAs(token secret.String, method, path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+scim.Prefix+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if !token.Empty() {
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.server.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := reply{status: resp.StatusCode, header: resp.Header, body: string(data)}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &out.json); err != nil {
			s.t.Fatalf("%s %s: %d is no JSON: %s", method, path, out.status, data)
		}
		if ct := resp.Header.Get("Content-Type"); ct != "application/scim+json" {
			s.t.Errorf("%s %s: the content type is %q", method, path, ct)
		}
	}
	return out
}

// want is ask with the status that must come.
func (s *site) want(status int, method, path, body string) reply {
	s.t.Helper()
	r := s.ask(method, path, body)
	if r.status != status {
		s.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, r.status, r.body, status)
	}
	return r
}

// id is the resource's.
func (r reply) id() string {
	id, _ := r.json["id"].(string)
	return id
}

// at reads a value of the answer by keys and, for lists, 0.
func (r reply) at(path ...string) any {
	var v any = r.json
	for _, key := range path {
		if list, ok := v.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			v = list[0]
		}
		o, _ := v.(map[string]any)
		v = o[key]
	}
	return v
}

// person is a person as the server has them.
func (s *site) person(username string) core.User {
	s.t.Helper()
	var found []core.User
	if err := s.store.View(s.t.Context(), func(tx store.Tx) error {
		list, err := tx.ListUsers(s.t.Context(), store.UserFilter{IncludeDeleted: true})
		found = nil
		for _, u := range list {
			if u.Username == username {
				found = append(found, u)
			}
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if len(found) != 1 {
		s.t.Fatalf("%d people are called %s: %v", len(found), username, found)
	}
	return found[0]
}

// log is the provisioning log.
func (s *site) log() []store.SCIMEntry {
	s.t.Helper()
	list, err := s.tokens.Log(s.t.Context(), "entra", 0, 100_000)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func (s *site) lastLine() store.SCIMEntry {
	s.t.Helper()
	list := s.log()
	if len(list) == 0 {
		s.t.Fatal("the provisioning log is empty")
	}
	return list[len(list)-1]
}

func secretOf(text string) secret.String { return secret.New(text) }
