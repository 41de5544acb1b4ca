package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
)

// fakeServers remembers answers, and leads to a server.
type fakeServers struct {
	yes, no session.Way
	heard   []string
	fail    error
	slow    time.Duration
}

func (f *fakeServers) Confirm(_ context.Context, s status.Server) (session.Way, error) {
	time.Sleep(f.slow)
	f.heard = append(f.heard, "yes "+s.URL)
	return f.yes, f.fail
}

func (f *fakeServers) Reject(_ context.Context, s status.Server) (session.Way, error) {
	time.Sleep(f.slow)
	f.heard = append(f.heard, "no "+s.URL)
	return f.no, f.fail
}

const found = "https://print.example.org"

// named is a desk where only the network names a server.
func named(t *testing.T, server *fakeServer, vault *fakeVault, servers *fakeServers, who person) *desk {
	t.Helper()
	servers.yes = session.Way{Server: server, ServerHost: "print.example.org"}
	return deskWith(t, nil, vault, who, func(d *session.Deps) {
		d.Server, d.Servers = nil, servers
		d.Settings.ServerHost = ""
		d.Settings.Problem = &status.Problem{Code: status.ProblemNotConfigured}
		d.Settings.Unconfirmed = &status.Server{URL: found, Host: "print.example.org", Where: status.WhereNetwork}
	})
}

func (d *desk) answer(kind status.ActionKind, url string) status.Result {
	return d.Do(d.t.Context(), status.Action{Kind: kind, Server: url})
}

// allCalls counts everything that the server was asked.
func (f *fakeServer) allCalls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		n += c
	}
	return n
}

func TestE9_NothingIsSentBeforeTheServerIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, servers := newServer(), &fakeServers{slow: time.Second}
		d := named(t, server, newVault(), servers, person{name: "alex.test", suffix: "example.org"})
		s := d.at(time.Hour)
		want(t, s, status.Snapshot{State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskConfirmServer})
		if diff := cmp.Diff(&status.Server{URL: found, Host: "print.example.org", Where: status.WhereNetwork}, s.Server); diff != "" {
			t.Error(diff)
		}
		d.do(status.ActionRetry)
		if r := d.signIn("alex.test@example.org", "right", true); r.OK || r.Problem.Code != status.ProblemNotConfigured {
			t.Errorf("signed in: %+v", r)
		}
		if r := d.answer(status.ActionConfirmServer, "https://print.evil.example"); r.OK {
			t.Error("yes to another server counted")
		}
		d.do(status.ActionDismiss)
		if s := d.at(time.Minute); s.Ask != status.AskNothing || s.Server == nil {
			t.Errorf("after \"not now\": asks %q about %+v", s.Ask, s.Server)
		}
		d.Do(t.Context(), status.Action{Kind: status.ActionOpen})
		if s := d.at(time.Second); s.Ask != status.AskConfirmServer {
			t.Errorf("opened again it asks %q", s.Ask)
		}
		if n := server.allCalls(); n != 0 {
			t.Fatalf("the server was asked %d times", n)
		}

		if r := d.answer(status.ActionConfirmServer, found); !r.OK {
			t.Fatalf("confirmed: %+v", r)
		}
		s = d.at(time.Second)
		want(t, s, status.Snapshot{State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskFirstLaunch, Prefill: "alex.test@example.org"})
		if s.Server != nil || s.ServerHost != "print.example.org" {
			t.Errorf("server %+v, host %q", s.Server, s.ServerHost)
		}
		if r := d.signIn("alex.test@example.org", "right", true); !r.OK {
			t.Errorf("sign-in: %+v", r.Problem)
		}
		if s := d.at(time.Second); s.State != status.StateFollowing {
			t.Errorf("state %s", s.State)
		}
		if r := d.answer(status.ActionConfirmServer, found); r.OK {
			t.Error("a second yes counted")
		}
		if diff := cmp.Diff([]string{"yes " + found}, servers.heard); diff != "" {
			t.Error(diff)
		}
	})
}

func TestE9_AKeptSessionGoesOnAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		before := signedIn(t, server, vault)
		before.quit()
		d := named(t, server, vault, &fakeServers{}, person{name: "alex.test", suffix: "example.org"})
		d.at(time.Second)
		if r := d.answer(status.ActionConfirmServer, found); !r.OK {
			t.Fatalf("%+v", r)
		}
		if s := d.at(time.Second); s.State != status.StateFollowing || s.User == nil {
			t.Errorf("state %s of %+v", s.State, s.User)
		}
	})
}

func TestE9_ARejectedServerIsNotAskedAboutAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := named(t, server, newVault(), &fakeServers{}, person{name: "alex.test", suffix: "example.org"})
		d.at(time.Second)
		if r := d.answer(status.ActionRejectServer, found); !r.OK {
			t.Fatalf("%+v", r)
		}
		s := d.at(time.Hour)
		if s.Ask != status.AskNothing || s.Server == nil || !s.Server.Rejected || s.Problem == nil || s.Problem.Code != status.ProblemNotConfigured {
			t.Errorf("asks %q about %+v, problem %+v", s.Ask, s.Server, s.Problem)
		}
		d.Do(t.Context(), status.Action{Kind: status.ActionOpen})
		if s := d.at(time.Second); s.Ask != status.AskNothing {
			t.Errorf("opened, it asks %q", s.Ask)
		}
		if n := server.allCalls(); n != 0 {
			t.Errorf("the server was asked %d times", n)
		}
		if r := d.answer(status.ActionConfirmServer, found); !r.OK { // on second thoughts
			t.Errorf("%+v", r)
		}
		if s := d.at(time.Second); s.Ask != status.AskFirstLaunch {
			t.Errorf("asks %q", s.Ask)
		}
	})
}

func TestARejectedServerLeavesTheOneOfBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := newServer()
		servers := &fakeServers{no: session.Way{Server: other, ServerHost: "old.example.org"}}
		d := named(t, newServer(), newVault(), servers, person{name: "alex.test", suffix: "example.org"})
		d.at(time.Second)
		if r := d.answer(status.ActionRejectServer, found); !r.OK {
			t.Fatalf("%+v", r)
		}
		if s := d.at(time.Second); s.Ask != status.AskFirstLaunch || s.ServerHost != "old.example.org" || s.Server != nil {
			t.Errorf("asks %q at %q, server %+v", s.Ask, s.ServerHost, s.Server)
		}
	})
}

func TestSharedComputersUseOnlyWhatASettingNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := &fakeServers{}
		d := named(t, newServer(), newVault(), servers, person{name: "lab", shared: true})
		s := d.at(time.Second)
		if s.Server != nil || s.Ask != status.AskNothing || s.Problem == nil || s.Problem.Code != status.ProblemNotConfigured {
			t.Errorf("asks %q about %+v, problem %+v", s.Ask, s.Server, s.Problem)
		}
		if r := d.answer(status.ActionConfirmServer, found); r.OK || len(servers.heard) > 0 {
			t.Errorf("%+v, heard %v", r, servers.heard)
		}
	})
}

func TestAnAnswerThatCannotBeRememberedChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := &fakeServers{fail: errors.New("disk full")}
		d := named(t, newServer(), newVault(), servers, person{name: "alex.test", suffix: "example.org"})
		d.at(time.Second)
		if r := d.answer(status.ActionRejectServer, found); r.OK {
			t.Error("it counted")
		}
		if s := d.at(time.Second); s.Ask != status.AskConfirmServer {
			t.Errorf("asks %q", s.Ask)
		}
		servers.fail = nil
		if r := d.answer(status.ActionRejectServer, found); !r.OK {
			t.Errorf("the second time: %+v", r)
		}
	})
}
