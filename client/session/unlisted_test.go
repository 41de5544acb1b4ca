package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
)

// outOfTheDirectory is what is shown of somebody whom no directory lists any more: the same as of one who is disabled.
var outOfTheDirectory = status.Snapshot{
	State: status.StateSignedOut, Connection: status.ConnectionNone,
	Prefill: "alex.test@example.org", Problem: &status.Problem{Code: status.ProblemAccountDisabled},
}

// goAway takes the person out of the directory: streams end, tokens are refused.
func (f *fakeServer) goAway(tell bool) {
	f.set(func() { f.away, f.signOut, f.hasty = true, tell, !tell })
}

func (f *fakeServer) comeBack() { f.set(func() { f.away, f.signOut, f.hasty = false, false, false }) }

func TestA3_57_WhoIsBackIsSignedInAgainByItself(t *testing.T) {
	for name, tell := range map[string]bool{"told by the stream": true, "found at the next connection": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				d := signedIn(t, server, vault)
				d.at(minute)
				server.goAway(tell)
				want(t, d.at(10*time.Second), outOfTheDirectory)
				kept := vault.refresh()
				want(t, d.at(20*24*time.Hour), outOfTheDirectory)
				if kept == "" || vault.refresh() != kept {
					t.Errorf("kept %q, after days %q", kept, vault.refresh())
				}
				asked := server.count("refresh")
				if d.at(time.Hour); server.count("refresh")-asked > 150 {
					t.Errorf("asked %d times in an hour", server.count("refresh")-asked)
				}
				server.comeBack()
				s := d.at(2 * minute)
				if s.State != status.StateFollowing || s.Problem != nil || s.User.Username != "alex.test@example.org" || s.Balance == nil {
					t.Errorf("back: %s, %+v, %+v", s.State, s.Problem, s.User)
				}
				if server.count("sign-in") != 1 {
					t.Error("somebody had to sign in")
				}
				if server.valid == kept || vault.refresh() != server.valid {
					t.Errorf("kept %q; the server takes %q", vault.refresh(), server.valid)
				}
				d.quit()
				d = deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
				if s := d.at(time.Second); s.State != status.StateFollowing {
					t.Errorf("after a restart: %s", s.State)
				}
			})
		})
	}
}

func TestA3_57_ARestartMeanwhileLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := signedIn(t, server, vault)
		server.goAway(true)
		want(t, d.at(10*time.Second), outOfTheDirectory)
		d.quit()
		d = deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		want(t, d.at(time.Hour), outOfTheDirectory)
		server.set(func() { server.down = errNoNetwork })
		d.at(time.Hour)
		server.set(func() { server.down = nil })
		want(t, d.at(time.Hour), outOfTheDirectory)
		server.comeBack()
		d.do(status.ActionRetry) // somebody does not want to wait
		if s := d.at(time.Second); s.State != status.StateFollowing {
			t.Errorf("back: %s", s.State)
		}
	})
}

// What ends the session for good while the person is away ends it here too.
func TestA3_57_ASessionThatIsOverIsForgotten(t *testing.T) {
	for _, tt := range []struct {
		name    string
		end     func(*fakeServer)
		problem *status.Problem
	}{
		{"ended", func(f *fakeServer) { f.revoke() }, nil},
		{"disabled", func(f *fakeServer) { f.away, f.disabled = false, true }, &status.Problem{Code: status.ProblemAccountDisabled}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				d := signedIn(t, server, vault)
				server.goAway(true)
				d.at(10 * time.Second)
				server.set(func() { tt.end(server) })
				s := d.at(2 * minute)
				if s.State != status.StateSignedOut || (s.Problem == nil) != (tt.problem == nil) || s.Problem != nil && s.Problem.Code != tt.problem.Code {
					t.Errorf("%s, %+v", s.State, s.Problem)
				}
				if vault.kept != nil {
					t.Error("something is still kept")
				}
				asked := server.count("refresh")
				if d.at(time.Hour); server.count("refresh") != asked {
					t.Error("a session that is over is tried again")
				}
			})
		})
	}
}

func TestWhoeverIsHereDecidesWhatBecomesOfTheSessionOfSomebodyAway(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(d *desk) status.Result
		kept bool // something is
	}{
		{"signs out", func(d *desk) status.Result { return d.do(status.ActionSignOut) }, false},
		{"signs in", func(d *desk) status.Result { return d.signIn("alex.test", "right", true) }, true},
		{"signs in for now", func(d *desk) status.Result { return d.signIn("alex.test", "right", false) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				d := signedIn(t, server, vault)
				server.goAway(true)
				d.at(10 * time.Second)
				old := vault.refresh()
				if tt.name != "signs out" {
					server.comeBack()
				}
				if r := tt.do(d); !r.OK {
					t.Fatalf("%+v", r.Problem)
				}
				d.at(time.Hour)
				if got := vault.refresh(); got == old || (got != "") != tt.kept {
					t.Errorf("kept %q, before %q", got, old)
				}
				if tt.name == "signs out" {
					server.comeBack()
					if s := d.at(time.Hour); s.State != status.StateSignedOut {
						t.Errorf("%s after signing out", s.State)
					}
				}
			})
		})
	}
}

func TestNothingIsKeptOfWhoLeftOnASharedComputer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := deskWith(t, server, vault, person{name: "kiosk", shared: true}, func(deps *session.Deps) { deps.Presence = nil })
		if r := d.signIn("alex.test", "right", true); !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.at(minute)
		server.goAway(true)
		s := d.at(10 * time.Second)
		if s.State != status.StateSignedOut || s.Problem == nil || s.Problem.Code != status.ProblemAccountDisabled {
			t.Errorf("%s, %+v", s.State, s.Problem)
		}
		server.comeBack()
		if s := d.at(time.Hour); s.State != status.StateSignedOut {
			t.Errorf("%s: the next person would be somebody else", s.State)
		}
	})
}
