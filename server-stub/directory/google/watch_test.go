package google

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// watched is a customer that reports changes to a server with a source.
type watched struct {
	*customer

	source  *Source
	server  *httptest.Server
	changes atomic.Int64
	renew   chan struct{} // lets the next wait of the source end
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{renew: make(chan struct{})}
	w.server = httptest.NewTLSServer(Hook(func(id core.SourceID) directory.Source {
		if id == w.source.ID() {
			return w.source
		}
		return nil
	}))
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	w.customer = newCustomerWith(t, emulator.Options{Directory: school(3), Client: &http.Client{Transport: transport}})
	t.Cleanup(w.server.Close)
	cfg := w.config()
	cfg.WatchURL = w.server.URL + "/"
	w.source, _ = source(t, cfg, t.Output())
	w.source.wait = func(ctx context.Context, _ time.Duration) error {
		select {
		case <-w.renew:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return w
}

// start watches until the returned function is called, which gives Watch's error.
func (w *watched) start(t *testing.T) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.source.Watch(ctx, func() { w.changes.Add(1) }) }()
	testenv.Await(t, "channels", func() bool { return len(w.Channels()) >= len(events) })
	return func() error {
		cancel()
		return <-ended
	}
}

func TestWatch(t *testing.T) {
	w := newWatched(t)
	stop := w.start(t)
	channels := w.Channels()
	var heard []string
	for _, c := range channels {
		heard = append(heard, c.Event)
		if left := time.Until(c.Until); left > channelLife || left < channelLife-time.Minute || c.Address != w.server.URL+"/hooks/google/school" {
			t.Errorf("%+v", c)
		}
	}
	want := slices.Sorted(slices.Values(events))
	if !slices.Equal(heard, want) {
		t.Errorf("channels for %v", heard)
	}
	t.Run("A3_23_every_change_is_heard_of_at_once", func(t *testing.T) {
		for _, test := range []struct { // in this order: who was deleted comes back
			name   string
			change func()
		}{
			{"add", func() { w.Add(emulator.User{"primaryEmail": "new@example.org"}) }},
			{"update", func() { w.Change("person1@example.org", emulator.User{"suspended": true}) }},
			{"delete", func() { w.Remove("person2@example.org") }},
			{"undelete", func() { w.Undelete("person2@example.org") }},
		} {
			before := w.changes.Load()
			test.change()
			testenv.Await(t, test.name, func() bool { return w.changes.Load() > before })
		}
	})
	t.Run("channels are renewed, new ones first", func(t *testing.T) {
		w.renew <- struct{}{}
		testenv.Await(t, "new channels alone", func() bool {
			now := w.Channels()
			return len(now) == len(events) && !slices.ContainsFunc(now, func(c emulator.Channel) bool { return slices.Contains(channels, c) })
		})
		before := w.changes.Load()
		w.Change("person1@example.org", emulator.User{"suspended": false})
		testenv.Await(t, "a change", func() bool { return w.changes.Load() > before })
	})
	t.Run("a renewal that fails is tried again", func(t *testing.T) {
		before := w.Calls()["watch"]
		w.SetFault(&emulator.Fault{Endpoint: "watch", After: 2, Status: http.StatusForbidden})
		w.renew <- struct{}{}
		testenv.Await(t, "a failed renewal", func() bool { return w.Calls()["watch"] == before+3 })
		w.SetFault(nil)
		w.renew <- struct{}{}
		testenv.Await(t, "a renewal", func() bool { return w.Calls()["watch"] == before+3+len(events) && len(w.Channels()) == len(events) })
	})
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if n := len(w.Channels()); n != 0 || len(w.source.channels) != 0 {
		t.Errorf("%d channels are left", n)
	}
}

func TestHookBelievesOnlyGoogle(t *testing.T) {
	w := newWatched(t)
	stop := w.start(t)
	w.source.mu.Lock()
	var id, token string
	for _, c := range w.source.channels {
		id, token = c.id, c.token.Reveal()
	}
	w.source.mu.Unlock()
	client := w.server.Client()
	client.Transport.(*http.Transport).DisableKeepAlives = true
	post := func(method, path, id, token, state string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+path, strings.NewReader(strings.Repeat("x", 100)))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"X-Goog-Channel-ID": id, "X-Goog-Channel-Token": token, "X-Goog-Resource-State": state} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	for _, test := range []struct {
		name, method, path, id, token, state string
		status                               int
		heard                                int64
	}{
		{"a change", http.MethodPost, "/hooks/google/school", id, token, "update", http.StatusNoContent, 1},
		{"the first message", http.MethodPost, "/hooks/google/school", id, token, "sync", http.StatusNoContent, 0},
		{"another token", http.MethodPost, "/hooks/google/school", id, token + "x", "update", http.StatusNotFound, 0},
		{"no token", http.MethodPost, "/hooks/google/school", id, "", "update", http.StatusNotFound, 0},
		{"another channel", http.MethodPost, "/hooks/google/school", "x", token, "update", http.StatusNotFound, 0},
		{"nothing", http.MethodPost, "/hooks/google/school", "", "", "", http.StatusNotFound, 0},
		{"another source", http.MethodPost, "/hooks/google/other", id, token, "update", http.StatusNotFound, 0},
		{"another method", http.MethodGet, "/hooks/google/school", id, token, "update", http.StatusMethodNotAllowed, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := w.changes.Load()
			if status := post(test.method, test.path, test.id, test.token, test.state); status != test.status || w.changes.Load()-before != test.heard {
				t.Errorf("status %d, heard %d", status, w.changes.Load()-before)
			}
		})
	}
	_ = stop()
	if status := post(http.MethodPost, "/hooks/google/school", id, token, "update"); status != http.StatusNotFound {
		t.Errorf("a channel that is closed answers %d", status)
	}
}

func TestWatchThatCannot(t *testing.T) {
	c := newCustomer(t, school(1))
	t.Run("A3_23_without_an_address_it_is_read_by_the_clock", func(t *testing.T) {
		s, _ := source(t, c.config(), t.Output())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Watch(ctx, func() { t.Error("heard something") }); !errors.Is(err, context.Canceled) || c.Calls()["watch"] != 0 {
			t.Errorf("%v, %d channels asked for", err, c.Calls()["watch"])
		}
	})
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"refused":  {func(*Config) { c.SetFault(&emulator.Fault{Endpoint: "watch", After: 2, Status: http.StatusBadRequest}) }, "watch_url"},
		"no scope": {func(*Config) { c.Delegate(emulator.ScopeGroup) }, ScopeUsers},
		"no key file": {func(cfg *Config) {
			cfg.ServiceAccount = func() (secret.String, error) { return secret.String{}, errors.New("gone") }
		}, "service_account_file"},
	} {
		t.Run(name, func(t *testing.T) {
			c.SetFault(nil)
			c.Delegate(emulator.AllScopes()...)
			cfg := c.config()
			cfg.WatchURL = "https://127.0.0.1:1/"
			test.change(&cfg)
			s, _ := source(t, cfg, t.Output())
			err := s.Watch(t.Context(), func() {})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `"school"`) {
				t.Errorf("%v", err)
			}
			if n := len(c.Channels()); n != 0 || len(s.channels) != 0 {
				t.Errorf("%d channels are left", n)
			}
		})
	}
}
