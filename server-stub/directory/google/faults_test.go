package google

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/clock"
	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/egress"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// bench is a store that was synchronised once, so that faults have somebody to hurt.
type bench struct {
	store store.Store
	sync  *dirsync.Syncer
}

func newBench(t *testing.T, s *Source) *bench {
	t.Helper()
	b := &bench{store: storetest.OpenSQLite(t)}
	b.sync = dirsync.New(b.store, clock.System, dirsync.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if run, err := b.sync.Run(t.Context(), s, dirsync.Settings{}); err != nil || run.Created == 0 {
		t.Fatalf("the first synchronisation: %+v, %v", run, err)
	}
	return b
}

func (b *bench) users(t *testing.T) []core.User {
	t.Helper()
	var users []core.User
	err := b.store.View(t.Context(), func(tx store.Tx) (err error) {
		users, err = tx.ListUsers(t.Context(), store.UserFilter{IncludeDeleted: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return users
}

// failsHarmlessly synchronises with a source that must fail, and returns the error.
func (b *bench) failsHarmlessly(t *testing.T, s *Source) error {
	t.Helper()
	before := b.users(t)
	run, err := b.sync.Run(t.Context(), s, dirsync.Settings{Full: true})
	if err == nil || run.Outcome != dirsync.OutcomeFailed || run.Message == "" {
		t.Fatalf("run %+v, %v; want it failed", run, err)
	}
	if diff := cmp.Diff(before, b.users(t)); diff != "" {
		t.Fatalf("people were changed: -before +after\n%s", diff)
	}
	return err
}

// calm synchronises with a source that is well again, which must change nobody.
func (b *bench) calm(t *testing.T, s *Source, people int) {
	t.Helper()
	before := b.users(t)
	run, err := b.sync.Run(t.Context(), s, dirsync.Settings{})
	if err != nil || run.Outcome != dirsync.OutcomeOK || run.Read != people || run.Updated+run.Disabled+run.Created+run.Renamed+run.Conflicts != 0 {
		t.Errorf("the next run: %+v, %v", run, err)
	}
	if diff := cmp.Diff(before, b.users(t)); diff != "" {
		t.Errorf("the next run changed people: -before +after\n%s", diff)
	}
}

func TestFault_F13_GoogleChangesNobodyUnlessTheWholeCustomerWasRead(t *testing.T) {
	c := newCustomer(t, school(49))
	cfg := c.config()
	cfg.PageSize = 10
	s, pauses := source(t, cfg, t.Output())
	b := newBench(t, s)
	forbidden := http.StatusForbidden
	tests := []struct {
		name  string
		fault emulator.Fault
		want  []string // in the error, beside the source
		calls int      // pages of the spoilt endpoint asked for at most
	}{
		{"403 quotaExceeded", emulator.Fault{Endpoint: "users", After: 2, Status: forbidden, Reason: "quotaExceeded"}, []string{"read people: ", "quotaExceeded", "tried 6 times", "raise the quota", "20 people were read"}, 8},
		{"403 userRateLimitExceeded", emulator.Fault{Endpoint: "users", Status: forbidden, Reason: "userRateLimitExceeded"}, []string{"read people: ", "userRateLimitExceeded"}, 6},
		{"403 dailyLimitExceeded", emulator.Fault{Endpoint: "users", After: 2, Status: forbidden, Reason: "dailyLimitExceeded"}, []string{"read people: ", "quota of today"}, 3},
		{"403 half-way", emulator.Fault{Endpoint: "users", After: 2, Status: forbidden}, []string{"read people: ", "Admin roles"}, 3},
		{"401 mid-run", emulator.Fault{Endpoint: "users", After: 2, Status: http.StatusUnauthorized}, []string{"read people: ", "HTTP 401", "delegation"}, 4},
		{"429 without end", emulator.Fault{Endpoint: "users", After: 2, Status: http.StatusTooManyRequests, RetryAfter: 1}, []string{"tried 6 times"}, 8},
		{"429 with an endless Retry-After", emulator.Fault{Endpoint: "users", Status: http.StatusTooManyRequests, RetryAfter: 86400}, []string{"waited longer than 30m"}, 4},
		{"503", emulator.Fault{Endpoint: "users", After: 1, Status: http.StatusServiceUnavailable}, []string{"HTTP 503", "next synchronisation"}, 7},
		{"500", emulator.Fault{Endpoint: "users", After: 4, Status: http.StatusInternalServerError}, []string{"HTTP 500"}, 10},
		{"404", emulator.Fault{Endpoint: "users", After: 2, Status: http.StatusNotFound}, []string{"HTTP 404"}, 3},
		{"410", emulator.Fault{Endpoint: "users", After: 2, Status: http.StatusGone}, []string{"HTTP 410"}, 3},
		{"an expired token of a page", emulator.Fault{Endpoint: "users", After: 2, Status: http.StatusBadRequest}, []string{"HTTP 400"}, 3},
		{"empty pages with a token, without end", emulator.Fault{Endpoint: "users", After: 2, Empty: true}, []string{"read people: ", "nothing new", "next synchronisation"}, 105},
		{"repeated pages without end", emulator.Fault{Endpoint: "users", After: 2, Duplicate: true}, []string{"read people: ", "nothing new"}, 105},
		{"a token in a circle", emulator.Fault{Endpoint: "users", After: 2, Cycle: true}, []string{"read people: ", "circle"}, 4},
		{"a first page with nobody and no token", emulator.Fault{Endpoint: "users", Last: true}, []string{"lists nobody", "check customer"}, 1},
		{"truncated JSON", emulator.Fault{Endpoint: "users", After: 2, Truncate: true}, []string{"ends early"}, 8},
		{"a field is hidden", emulator.Fault{Endpoint: "users", After: 2, Hide: "suspended"}, []string{"suspended"}, 3},
		{"schemas cannot be read", emulator.Fault{Endpoint: "schemas", Status: forbidden}, []string{"read the custom schemas: ", "Admin roles"}, 1},
		{"the token endpoint is down", emulator.Fault{Endpoint: "token", Status: http.StatusServiceUnavailable}, []string{"sign in as platen@", "HTTP 503"}, 6},
		{"the service account was deleted", emulator.Fault{Endpoint: "token", Status: http.StatusBadRequest, Reason: "invalid_grant"}, []string{"sign in as platen@", "invalid_grant"}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			*pauses = nil
			before := c.Calls()[test.fault.Endpoint]
			c.SetFault(&test.fault)
			err := b.failsHarmlessly(t, s)
			for _, want := range append(test.want, `google directory "school"`) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if !errors.Is(err, core.ErrUnavailable) || strings.Contains(err.Error(), "pageToken") || strings.Contains(err.Error(), "ya29.") {
				t.Errorf("%v", err)
			}
			if n := c.Calls()[test.fault.Endpoint] - before; n > test.calls {
				t.Errorf("%d requests, at most %d should be", n, test.calls)
			}
			for _, d := range *pauses {
				if asked := time.Duration(test.fault.RetryAfter) * time.Second; d > egress.MaxPause || d < asked && d < egress.MaxPause {
					t.Errorf("waited %v, asked for %v", d, asked)
				}
			}
			c.SetFault(nil)
			b.calm(t, s, 50)
		})
	}
	t.Run("groups", func(t *testing.T) {
		for _, fault := range []emulator.Fault{
			{Endpoint: "groups", Status: forbidden, Reason: "quotaExceeded"}, {Endpoint: "members", After: 1, Status: http.StatusNotFound}, {Endpoint: "members", Empty: true}, {Endpoint: "groups", Cycle: true},
		} {
			c.SetFault(&fault)
			_, err := s.Read(t.Context(), directory.Request{Groups: true}, discarding{})
			if err == nil || !strings.Contains(err.Error(), `google directory "school"`) || !strings.Contains(err.Error(), "read ") || !strings.Contains(err.Error(), "next synchronisation") {
				t.Errorf("%+v: %v", fault, err)
			}
		}
		c.SetFault(nil)
	})
	t.Run("a unit that is not there", func(t *testing.T) {
		cfg := c.config()
		cfg.OrgUnits = []string{"/Staff", "/Gone"}
		narrow, _ := source(t, cfg, t.Output())
		err := b.failsHarmlessly(t, narrow)
		if !strings.Contains(err.Error(), `"/Gone"`) || !strings.Contains(err.Error(), "correct org_units") {
			t.Errorf("%v", err)
		}
		b.calm(t, s, 50)
	})
	t.Run("nobody answers", func(t *testing.T) {
		_ = c.Close()
		if err := b.failsHarmlessly(t, s); !strings.Contains(err.Error(), "check that this computer reaches") {
			t.Errorf("%v", err)
		}
	})
}

// discarding is a sink that keeps nothing.
type discarding struct{}

func (discarding) Unchanged(directory.Key, directory.Fingerprint) bool { return false }
func (discarding) Person(directory.Record) error                       { return nil }
func (discarding) Group(directory.Group) error                         { return nil }
func (discarding) Gone(directory.Key) error                            { return nil }

func TestFault_F13_PassingFaultsAreWaitedFor(t *testing.T) {
	c := newCustomer(t, school(49))
	cfg := c.config()
	cfg.PageSize = 10
	for name, test := range map[string]struct {
		fault  emulator.Fault
		pauses int
	}{
		"403 quotaExceeded":              {emulator.Fault{Endpoint: "users", After: 1, Times: 3, Status: http.StatusForbidden, Reason: "quotaExceeded"}, 3},
		"403 userRateLimitExceeded":      {emulator.Fault{Endpoint: "users", Times: 2, Status: http.StatusForbidden, Reason: "userRateLimitExceeded"}, 2},
		"429 with Retry-After":           {emulator.Fault{Endpoint: "users", After: 1, Times: 2, Status: http.StatusTooManyRequests, RetryAfter: 7}, 2},
		"503":                            {emulator.Fault{Endpoint: "users", After: 3, Times: 3, Status: http.StatusServiceUnavailable}, 3},
		"401 mid-run, once":              {emulator.Fault{Endpoint: "users", After: 2, Times: 1, Status: http.StatusUnauthorized}, 0},
		"truncated JSON":                 {emulator.Fault{Endpoint: "users", After: 3, Times: 1, Truncate: true}, 1},
		"everybody twice on a page":      {emulator.Fault{Endpoint: "users", Replay: true}, 0},
		"some repeated pages":            {emulator.Fault{Endpoint: "users", After: 1, Times: 20, Duplicate: true}, 0},
		"some empty pages with a token":  {emulator.Fault{Endpoint: "users", After: 1, Times: 20, Empty: true}, 0},
		"the token endpoint fails twice": {emulator.Fault{Endpoint: "token", Times: 2, Status: http.StatusInternalServerError}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c.SetFault(&test.fault)
			s, pauses := source(t, cfg, t.Output())
			if n := len(read(t, s)); n != 50 || len(*pauses) != test.pauses {
				t.Errorf("%d people, pauses %v", n, *pauses)
			}
			for _, d := range *pauses {
				if d < max(time.Duration(test.fault.RetryAfter)*time.Second, egress.FirstPause) {
					t.Errorf("waited %v", d)
				}
			}
		})
	}
	t.Run("tokens that end mid-run", func(t *testing.T) {
		c.SetFault(nil)
		s, _ := source(t, cfg, t.Output())
		before, n := c.Calls()["token"], 0
		err := directory.People(t.Context(), s, func(directory.Record) error {
			if n++; n == 15 || n == 35 {
				c.ExpireTokens()
			}
			return nil
		})
		if tokens := c.Calls()["token"] - before; err != nil || n != 50 || tokens != 3 {
			t.Errorf("%d people, %d tokens, %v", n, tokens, err)
		}
	})
}

func TestPagesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "{}", `{"users":[]}`, `{"kind":"admin#directory#groups","users":[]}`, `{"kind":"admin#directory#users","users":{}}`, `{"kind":"admin#directory#users"`,
		`{"kind":"admin#directory#users","users":[{}`, `{"kind":"admin#directory#users"}x`, `{"kind":"admin#directory#users"}{"kind":"admin#directory#users"}`,
		`{"kind":"admin#directory#users","users":[{"id":5}]}`, `{"kind":"admin#directory#users","nextPageToken":5}`, `{"error":{}}`, "<html>",
	} {
		if p, err := decode(strings.NewReader(text), "users"); err == nil {
			t.Errorf("%q is taken for a page: %+v", text, p)
		}
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string]string{
		`"04A1"`: "04A1", `" 04A1 "`: "04A1", `""`: "", `null`: "", `12`: "12", `true`: "", `{}`: "", `[]`: "", `[{"value":"1"},{"value":2},{"type":"work"},{"value":""}]`: "1|2", `["1"]`: "", ``: "",
	} {
		if got := strings.Join(values(json.RawMessage(text)), "|"); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`{"kind":"admin#directory#users","users":[{"id":"1","primaryEmail":"a@b.c","suspended":false,"aliases":["x@y.z"],"customSchemas":{"PaperCut":{"cardNumber":"1","accessCode":"2"}}}],"nextPageToken":"x"}`,
		`{"kind":"admin#directory#users"}`, `{"kind":"admin#directory#users","users":[{"id":"1","customSchemas":{"PaperCut":{"cardNumber":[{"value":"1"},{"value":2}]}},"languages":[{"languageCode":"de"}]}]}`,
		`{"kind":"admin#directory#users","users":[{"organizations":[{"department":"x","primary":true}],"locations":[{"buildingId":"B"}],"externalIds":[{"type":"organization","value":"1"}]}]}`, //nolint:misspell // the name in the API
		`{"kind":"admin#directory#groups","groups":[{"id":"0","email":"a@b.c"}]}`, `{"kind":"admin#directory#members","members":[{"id":"1","type":"GROUP"}]}`, `{}`, `[]`,
	} {
		f.Add(seed)
	}
	s, err := New(Config{ID: "school", Subject: subject, ServiceAccount: func() (secret.String, error) { return secret.String{}, nil }}, discard, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	sh := shape{cards: s.cards, code: s.code, kinds: []core.CredentialKind{core.CredentialCard, core.CredentialCode}}
	f.Fuzz(func(t *testing.T, text string) {
		for _, list := range []string{"users", "groups", "members", "schemas"} {
			p, err := decode(strings.NewReader(text), list)
			if err != nil {
				continue
			}
			for _, u := range p.users {
				r, err := s.person(u, sh)
				if (err == nil) != (u.Suspended != nil) {
					t.Errorf("%+v: %v", u, err)
				}
				if err == nil && (r.Disabled != (*u.Suspended || u.Archived) || r.Where == "" || strings.TrimSpace(r.Key) != r.Key) {
					t.Errorf("%+v of %+v", r, u)
				}
				for _, card := range r.Cards {
					if strings.TrimSpace(card.Reveal()) == "" {
						t.Errorf("an empty card of %+v", u)
					}
				}
			}
		}
	})
}
