package entra

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/egress"
)

func TestFault_F12_GraphChangesNobodyUnlessTheWholeTenantWasRead(t *testing.T) {
	tt := newTenant(t, graph.Synced(50))
	cfg := tt.config()
	cfg.PageSize = 10
	s, pauses := source(t, cfg, t.Output())
	b := newBench(t, s)
	tests := []struct {
		name  string
		fault graph.Fault
		want  string // in the error
		calls int    // pages asked for at most, 0: not looked at
	}{
		{"429 without end", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusTooManyRequests, RetryAfter: time.Second}, "tried 6 times", 8},
		{"429 with an endless Retry-After", graph.Fault{Endpoint: "users", Status: http.StatusTooManyRequests, RetryAfter: 24 * time.Hour}, "waited longer than 30m", 4},
		{"503", graph.Fault{Endpoint: "users", After: 1, Status: http.StatusServiceUnavailable}, "HTTP 503", 7},
		{"504", graph.Fault{Endpoint: "users", After: 4, Status: http.StatusGatewayTimeout}, "HTTP 504", 10},
		{"500", graph.Fault{Endpoint: "users", Status: http.StatusInternalServerError}, "HTTP 500", 6},
		{"410", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusGone}, "begin anew", 3},
		{"400 syncStateNotFound", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusBadRequest, Code: "syncStateNotFound"}, "begin anew", 3},
		{"400 Directory_ExpiredPageToken", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusBadRequest, Code: "Directory_ExpiredPageToken"}, "begin anew", 3},
		{"404", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusNotFound}, "HTTP 404", 3},
		{"403 half-way", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusForbidden}, "User.Read.All", 3},
		{"401 half-way", graph.Fault{Endpoint: "users", After: 2, Status: http.StatusUnauthorized}, "HTTP 401", 3},
		{"truncated JSON", graph.Fault{Endpoint: "users", After: 2, Truncate: true}, "ends early", 8},
		{"cyclic nextLink", graph.Fault{Endpoint: "users", After: 2, Cycle: true}, "circle", 3},
		{"nextLink to a foreign host", graph.Fault{Endpoint: "users", After: 2, NextLink: "https://graph.example.com/v1.0/users"}, `"https://graph.example.com"`, 3},
		{"nextLink to another port", graph.Fault{Endpoint: "users", NextLink: "https://localhost:1/v1.0/users"}, "not followed", 1},
		{"nextLink without TLS", graph.Fault{Endpoint: "users", NextLink: strings.Replace(tt.URL(), "https", "http", 1)}, "not followed", 1},
		{"nextLink with a name and password", graph.Fault{Endpoint: "users", NextLink: strings.Replace(tt.URL(), "https://", "https://a:b@", 1)}, "not followed", 1},
		{"nextLink that is none", graph.Fault{Endpoint: "users", NextLink: "https://%zz"}, "is none", 1},
		{"nextLink without a host", graph.Fault{Endpoint: "users", NextLink: "/v1.0/users"}, "not followed", 1},
		{"duplicate pages without end", graph.Fault{Endpoint: "users", After: 2, Duplicate: true}, "nothing new", 105},
		{"empty pages without end", graph.Fault{Endpoint: "users", After: 2, Empty: true}, "nothing new", 105},
		{"a property is hidden", graph.Fault{Endpoint: "users", After: 2, Hide: "accountEnabled"}, "accountEnabled", 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			*pauses = nil
			before := tt.Graph.Calls()["users"]
			tt.Graph.SetFault(&test.fault)
			err := b.failsHarmlessly(t, s, whole)
			if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `entra directory "cloud"`) {
				t.Errorf("%v", err)
			}
			if n := tt.Graph.Calls()["users"] - before; n > test.calls {
				t.Errorf("%d pages were asked for, at most %d should", n, test.calls)
			}
			for _, d := range *pauses {
				if d > egress.MaxPause || d < test.fault.RetryAfter && d < egress.MaxPause {
					t.Errorf("waited %v, asked for %v", d, test.fault.RetryAfter)
				}
			}
			tt.Graph.SetFault(nil)
			if run, err := b.run(t, s, whole); err != nil || run.Read != 50 || run.Updated+run.Disabled+run.Created+run.Renamed+run.Conflicts != 0 {
				t.Errorf("the next run: %+v, %v", run, err)
			}
		})
	}
	t.Run("Graph goes away half-way", func(t *testing.T) {
		own := newTenant(t, graph.Synced(50))
		cfg := own.config()
		cfg.PageSize = 10
		s, pauses := source(t, cfg, t.Output())
		n := 0
		err := directory.People(t.Context(), s, func(directory.Record) error {
			if n++; n == 15 {
				return own.Close()
			}
			return nil
		})
		if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "20 people were read until then") || len(*pauses) != maxTries-1 {
			t.Errorf("%v, pauses %v", err, *pauses)
		}
		if err != nil && strings.Contains(err.Error(), "skiptoken") {
			t.Errorf("the error has the address, which nobody can use: %v", err)
		}
	})
	t.Run("Entra ID is down", func(t *testing.T) {
		tt.Entra.SetDown(true)
		_ = b.failsHarmlessly(t, s, whole)
		tt.Entra.SetDown(false)
	})
	t.Run("nobody answers", func(t *testing.T) {
		_ = tt.Close()
		_ = b.failsHarmlessly(t, s, whole)
	})
}

func TestFault_F12_PassingFaultsAreWaitedFor(t *testing.T) {
	tt := newTenant(t, graph.Synced(50))
	cfg := tt.config()
	cfg.PageSize = 10
	for name, test := range map[string]struct {
		fault  graph.Fault
		pauses int
	}{
		"429 with Retry-After":      {graph.Fault{Endpoint: "users", After: 1, Times: 2, Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second}, 2},
		"503":                       {graph.Fault{Endpoint: "users", After: 1, Times: 3, Status: http.StatusServiceUnavailable}, 3},
		"504":                       {graph.Fault{Endpoint: "users", Times: 1, Status: http.StatusGatewayTimeout}, 1},
		"truncated JSON":            {graph.Fault{Endpoint: "users", After: 3, Times: 1, Truncate: true}, 1},
		"everybody twice on a page": {graph.Fault{Endpoint: "users", Replay: true}, 0},
		"some duplicate pages":      {graph.Fault{Endpoint: "users", After: 1, Times: 20, Duplicate: true}, 0},
		"some empty pages":          {graph.Fault{Endpoint: "users", After: 1, Times: 20, Empty: true}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tt.Graph.SetFault(&test.fault)
			s, pauses := source(t, cfg, t.Output())
			seen := map[string]bool{}
			for _, r := range read(t, s) {
				if seen[r.Key] {
					t.Errorf("%s twice", r.UPN)
				}
				seen[r.Key] = true
			}
			if len(seen) != 50 || len(*pauses) != test.pauses {
				t.Errorf("%d people, pauses %v", len(seen), *pauses)
			}
			for _, d := range *pauses {
				if d < max(test.fault.RetryAfter, egress.FirstPause) {
					t.Errorf("waited %v", d)
				}
			}
		})
	}
}

func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`{"@odata.context":"x","value":[{"id":"11111111-2222-3333-4444-555555555555","userPrincipalName":"a@b.c","accountEnabled":true,"proxyAddresses":["smtp:x@y.z"]}]}`,
		`{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?$skiptoken=x"}`, `{"value":[{"id":"x","@removed":{"reason":"changed"}}]}`,
		`{"value":null}`, `{}`, `[]`, `{"value":[{}]`, `{"value":[]}{}`, `{"error":{"code":"x"}}`,
	} {
		f.Add(seed)
	}
	s, err := New(Config{ID: "cloud", Tenant: tenantID, ClientID: clientID, ClientSecret: directory.SecretFile("x")}, discard, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := decode(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, raw := range p.rows {
			id, certain := quickID(raw)
			_ = s.give(raw, id, certain, stepPeople, sinkOf(func(r directory.Record) error {
				if r.Key != "" && len(r.Key) != len(tenantID)*2+1 || r.Key != strings.ToLower(r.Key) {
					t.Errorf("%+v of %s", r, raw)
				}
				return nil
			}))
		}
		if link, err := s.follow(p.next, nil); err == nil && !strings.HasPrefix(strings.ToLower(link), "https://graph.microsoft.com") {
			t.Errorf("%q would be followed", link)
		}
	})
}

// FuzzGroupPage takes pages of groups and of changes. Nobody may be in a group twice, nor in it and out of it.
func FuzzGroupPage(f *testing.F) {
	for _, seed := range []string{
		`{"value":[{"id":"11111111-2222-3333-4444-555555555555","displayName":"A","members@delta":[{"@odata.type":"#microsoft.graph.group","id":"21111111-2222-3333-4444-555555555555"}]}]}`,
		`{"value":[{"id":"11111111-2222-3333-4444-555555555555","members@delta":[{"id":"21111111-2222-3333-4444-555555555555","@removed":{"reason":"deleted"}},{"id":"21111111-2222-3333-4444-555555555555"}]}]}`,
		`{"value":[{"id":"11111111-2222-3333-4444-555555555555","@removed":{"reason":"deleted"}},{"id":"11111111-2222-3333-4444-555555555555","displayName":null}],"@odata.deltaLink":"x"}`,
		`{"value":[{"id":"x"}]}`, `{"value":[{"members@delta":{}}]}`, `{"value":[{"id":"11111111-2222-3333-4444-555555555555","members@delta":[{}]}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := decode(strings.NewReader(text))
		if err != nil {
			return
		}
		all := newGathering()
		if _, err := all.take(p); err != nil {
			return
		}
		if news, err := all.take(p); news || err != nil {
			t.Errorf("the same page again has something new: %v", err)
		}
		for _, one := range all.groups {
			seen := map[guid16]bool{}
			joined, left := one.settled()
			for _, id := range append(joined, left...) {
				if seen[id] {
					t.Errorf("%s is there twice", id)
				}
				seen[id] = true
			}
		}
	})
}

func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		`{"responses":[{"id":"1","status":200,"headers":{"Retry-After":"5"},"body":{"id":"11111111-2222-3333-4444-555555555555"}}]}`,
		`{"responses":[{"id":"1","status":429,"headers":{"Retry-After":5}},{"id":"1","status":404,"body":null}]}`, `{"responses":{}}`, `{}`, `{"responses":[]}x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		answers, err := decodeBatch(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, a := range answers {
			_ = egress.RetryAfter(a.header(), time.Now())
			id, ok := quickID(a.Body)
			if isObject(a.Body, id) && ok && len(plain(a.Body)) > len(a.Body) {
				t.Errorf("%s", a.Body)
			}
		}
	})
}

func TestPagesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "null", "[]", "{}", `{"value":null}`, `{"value":{}}`, `{"value":[]`, `{"value":[{}`, `{"value":[]}x`, `{"value":[]}{"value":[]}`, `{"value":[],"value":[]}`,
		`{"value":[5]}`, `{"value":[null]}`, `{"value":[],"@odata.nextLink":5}`, `{"error":{}}`, "<html>",
	} {
		if p, err := decode(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken for a page: %+v", text, p)
		}
	}
}
