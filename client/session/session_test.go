package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// want checks the parts of a snapshot that a test is about.
func want(t *testing.T, got status.Snapshot, want status.Snapshot) {
	t.Helper()
	part := status.Snapshot{
		State: got.State, Connection: got.Connection, Ask: got.Ask, Prefill: got.Prefill, Balance: got.Balance,
		Stale: got.Stale, User: got.User, Keyring: got.Keyring,
	}
	if got.Problem != nil {
		part.Problem = &status.Problem{Code: got.Problem.Code, RetryAt: got.Problem.RetryAt}
	}
	if diff := cmp.Diff(want, part); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

var (
	alex   = &status.User{Username: "alex.test@example.org", DisplayName: "Alex Test"}
	twelve = &status.Money{Amount: "12.34", Currency: "EUR"}
	minute = time.Minute
)

func TestA1_47_FirstLaunchAsksWithTheMappedName(t *testing.T) {
	for name, who := range map[string]person{
		"suffix of the computer": {name: "alex.test", suffix: "example.org"},
		"suffix of the server":   {name: "alex.test"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer()
				server.site.UPNSuffix = "example.org"
				d := deskWith(t, server, newVault(), who)
				want(t, d.at(time.Second), status.Snapshot{
					State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskFirstLaunch, Prefill: "alex.test@example.org",
				})
				if n := server.count("sign-in"); n != 0 {
					t.Errorf("a name was submitted by itself (%d sign-ins)", n)
				}
			})
		})
	}
}

func TestA1_65_SignInAnswersWithTheFirstBalance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		if r := d.signIn("alex.test@example.org", "right", true); !r.OK {
			t.Fatalf("sign-in: %+v", r.Problem)
		}
		s := d.Snapshot()
		want(t, s, status.Snapshot{State: status.StateFollowing, Connection: status.ConnectionStream, User: alex, Balance: twelve, Keyring: s.Keyring})
		if s := d.at(time.Second); s.Keyring != status.KeyringOK || vault.refresh() == "" {
			t.Errorf("keyring %q, kept %q", s.Keyring, vault.refresh())
		}
	})
}

func TestA1_63_KnownPersonStartsSilently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		signedIn(t, server, vault).quit()
		server.set(func() { server.amount, server.version = "20.00", 8 })

		d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		want(t, d.at(time.Second), status.Snapshot{
			State: status.StateFollowing, Connection: status.ConnectionStream, User: alex, Balance: &status.Money{Amount: "20.00", Currency: "EUR"},
			Keyring: status.KeyringOK,
		})
		if n := server.count("sign-in"); n != 1 {
			t.Errorf("%d sign-ins, the second start must be silent", n)
		}
	})
}

func TestBalanceChangesArriveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		server.set(func() { server.amount, server.version = "1.50", 8 })
		s := d.at(0)
		if s.Balance.Amount != "1.50" || !s.Low || s.Empty {
			t.Errorf("got %v low %v empty %v", s.Balance, s.Low, s.Empty)
		}
		server.set(func() { server.amount, server.version = "-0.50", 9 })
		if s = d.at(0); !s.Low || !s.Empty {
			t.Errorf("got %v low %v empty %v", s.Balance, s.Low, s.Empty)
		}
	})
}

func TestWrongPasswordKeepsTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deskWith(t, newServer(), newVault(), person{name: "alex.test", suffix: "example.org"})
		r := d.signIn("alex.tset@example.org", "wrong", true)
		if r.OK || r.Problem.Code != status.ProblemWrongCredentials {
			t.Fatalf("got %+v", r)
		}
		want(t, d.at(time.Second), status.Snapshot{
			State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskFirstLaunch, Prefill: "alex.tset@example.org",
			Problem: &status.Problem{Code: status.ProblemWrongCredentials},
		})
	})
}

func TestLimitedSaysUntilWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		server.limited = time.Now().Add(10 * minute)
		d := deskWith(t, server, newVault(), person{name: "alex.test", suffix: "example.org"})
		r := d.signIn("alex.test@example.org", "right", true)
		if r.OK || r.Problem.Code != status.ProblemLimited || !r.Problem.RetryAt.Equal(server.limited) {
			t.Fatalf("got %+v", r.Problem)
		}
		if r = d.signIn("alex.test@example.org", "", true); r.OK || r.Problem.Code != status.ProblemInvalid {
			t.Errorf("an empty password: got %+v", r.Problem)
		}
	})
}

func TestEndedSessionIsAskedForOnceAndTheBalanceStaysInSight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		signedIn(t, server, vault).quit()
		server.set(server.revoke)

		d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		want(t, d.at(time.Second), status.Snapshot{
			State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskSessionEnded, Prefill: "alex.test@example.org",
			User: alex, Balance: twelve, Stale: true,
		})
		if vault.refresh() != "" {
			t.Error("the spent token is still kept")
		}
		refreshes := server.count("refresh")
		d.do(status.ActionDismiss)
		if s := d.at(24 * time.Hour); s.Ask != status.AskNothing || server.count("refresh") != refreshes {
			t.Errorf("asked again: %q, %d more refreshes", s.Ask, server.count("refresh")-refreshes)
		}
		d.do(status.ActionOpen)
		if s := d.at(0); s.Ask != status.AskSessionEnded || s.Opened != 1 {
			t.Errorf("opened by the person %d times: ask %q", s.Opened, s.Ask)
		}
	})
}

func TestOfflineAtStartShowsTheLastBalanceWithItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := signedIn(t, server, vault)
		d.at(10 * minute)
		left := time.Now()
		d.quit()
		time.Sleep(24 * time.Hour)
		server.down = errNoNetwork

		d = deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		s := d.at(time.Second)
		want(t, s, status.Snapshot{
			State: status.StateOffline, Connection: status.ConnectionNone, User: alex, Balance: twelve, Stale: true,
			Problem: &status.Problem{Code: status.ProblemUnreachable},
		})
		if age := left.Sub(s.BalanceAt); age < 0 || age > api.HeartbeatEvery {
			t.Errorf("the balance was last right at %v, we left at %v", s.BalanceAt, left)
		}
		server.set(func() { server.down = nil })
		if s = d.at(minute); s.State != status.StateFollowing || s.Stale || s.Problem != nil {
			t.Errorf("back online: %+v", s)
		}
	})
}

func TestFirstLaunchOfflineAsksOnlyWhenTheServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		server.down = errNoNetwork
		d := deskWith(t, server, newVault(), person{name: "alex.test", suffix: "example.org"})
		want(t, d.at(time.Second), status.Snapshot{
			State: status.StateSignedOut, Connection: status.ConnectionNone, Prefill: "alex.test@example.org",
			Problem: &status.Problem{Code: status.ProblemUnreachable},
		})
		for range 100 { // an impatient person
			d.do(status.ActionRetry)
			synctest.Wait()
		}
		before := server.count("config")
		d.at(time.Hour)
		if n := server.count("config") - before; n < 50 || n > 130 {
			t.Errorf("%d attempts in an hour", n)
		}
		server.set(func() { server.down = nil })
		want(t, d.at(minute), status.Snapshot{
			State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskFirstLaunch, Prefill: "alex.test@example.org",
		})
	})
}

func TestSlowServerShowsOfflineAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		signedIn(t, server, vault).quit()
		d := deskWith(t, hanging{server}, vault, person{name: "alex.test", suffix: "example.org"})
		if s := d.at(9 * time.Second); s.State != status.StateStarting {
			t.Errorf("after 9 s: %s", s.State)
		}
		if s := d.at(2 * time.Second); s.State != status.StateOffline || s.Balance == nil || !s.Stale {
			t.Errorf("after 11 s: %+v", s)
		}
	})
}

// hanging never answers a refresh.
type hanging struct{ *fakeServer }

func (h hanging) Refresh(ctx context.Context, _ secret.String) (session.Tokens, error) {
	<-ctx.Done()
	return session.Tokens{}, ctx.Err()
}

func TestRetriesBackOffAndNeverSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		server.set(func() { server.down, server.at = errNoNetwork, nil })
		s := d.at(3 * time.Second)
		want(t, s, status.Snapshot{
			State: status.StateOffline, Connection: status.ConnectionNone, User: alex, Balance: twelve, Stale: true,
			Problem: &status.Problem{Code: status.ProblemUnreachable}, Keyring: status.KeyringOK,
		})
		d.at(8 * time.Hour)
		server.mu.Lock()
		calls := server.at
		server.mu.Unlock()
		// Half of a minute each, for jitter is fixed at one half: 960 in 8 hours.
		if len(calls) < 800 || len(calls) > 1100 {
			t.Errorf("%d calls in 8 hours offline", len(calls))
		}
		for i := 1; i < len(calls); i++ {
			if gap := calls[i].Sub(calls[i-1]); gap < time.Second || gap > minute {
				t.Fatalf("calls %d and %d are %v apart", i-1, i, gap)
			}
		}
		server.set(func() { server.down = nil })
		if s = d.at(minute); s.State != status.StateFollowing || s.Stale {
			t.Errorf("back online: %+v", s)
		}
	})
}

func TestNoChangeIsLostOverAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		d.at(minute)
		server.set(func() { server.down = errNoNetwork })
		synctest.Wait()
		if s := d.Snapshot(); s.State != status.StateFollowing || s.Connection != status.ConnectionNone {
			t.Errorf("just after the drop: %s %s", s.State, s.Connection)
		}
		server.set(func() { server.down, server.amount, server.version = nil, "30.00", 20 })
		s := d.at(3 * time.Second)
		want(t, s, status.Snapshot{
			State: status.StateFollowing, Connection: status.ConnectionStream, User: alex,
			Balance: &status.Money{Amount: "30.00", Currency: "EUR"}, Keyring: status.KeyringOK,
		})
		server.set(func() { server.amount, server.version = "29.00", 21 })
		if s = d.at(0); s.Balance.Amount != "29.00" {
			t.Errorf("the new stream brings %v", s.Balance)
		}
	})
}

func TestRestoredServerWithOlderVersionsIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		server.set(func() { server.down = errNoNetwork })
		d.at(5 * minute)
		server.set(func() { server.down, server.amount, server.version = nil, "5.00", 2 })
		if s := d.at(2 * minute); s.Balance.Amount != "5.00" {
			t.Fatalf("after the restore: %v", s.Balance)
		}
		server.set(func() { server.amount, server.version = "6.00", 3 })
		if s := d.at(0); s.Balance.Amount != "6.00" {
			t.Errorf("after the next change: %v", s.Balance)
		}
	})
}

func TestPollsWhenAProxyHoldsTheStreamBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		server.buffers = true
		d := signedIn(t, server, newVault())
		if s := d.at(api.SilenceLimit); s.State != status.StateFollowing || s.Connection != status.ConnectionPolling {
			t.Fatalf("after the silence: %s %s", s.State, s.Connection)
		}
		server.set(func() { server.amount, server.version = "3.00", 8 })
		if s := d.at(15 * time.Second); s.Balance.Amount != "3.00" {
			t.Errorf("after one poll: %v", s.Balance)
		}
		polls, streams := server.count("balance"), server.count("follow")
		d.at(5 * minute)
		if n := server.count("balance") - polls; n != 20 {
			t.Errorf("%d polls in 5 minutes, want 20", n)
		}
		if server.count("follow") != streams {
			t.Error("the stream was tried again too soon")
		}
		server.set(func() { server.buffers = false })
		if s := d.at(6 * minute); s.Connection != status.ConnectionStream {
			t.Errorf("the proxy is gone: %s", s.Connection)
		}
		polls = server.count("balance")
		d.at(5 * minute)
		if n := server.count("balance") - polls; n > 0 {
			t.Errorf("still polls (%d) beside a working stream", n)
		}
	})
}

func TestStreamsThatEndAtOnceLeadToPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		server.hasty = true
		d := signedIn(t, server, newVault())
		if s := d.at(minute); s.State != status.StateFollowing || s.Connection != status.ConnectionPolling {
			t.Errorf("after a minute: %s %s", s.State, s.Connection)
		}
		before := server.count("follow")
		d.at(time.Hour)
		if n := server.count("follow") - before; n > 61 {
			t.Errorf("%d more streams in an hour", n)
		}
	})
}

func TestSilenceAfterSleepIsNotAProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		d.at(minute) // heartbeats were heard
		server.set(func() { server.buffers = true })
		d.at(api.SilenceLimit)
		server.set(func() { server.buffers, server.amount, server.version = false, "8.00", 8 })
		if s := d.at(10 * time.Second); s.Connection != status.ConnectionStream || s.Balance.Amount != "8.00" {
			t.Errorf("connection %s, balance %v", s.Connection, s.Balance)
		}
	})
}

func TestTokenIsRefreshedBeforeItEnds(t *testing.T) {
	for name, skew := range map[string]time.Duration{"right clock": 0, "server an hour ahead": time.Hour, "server an hour behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				server.skew = skew
				d := signedIn(t, server, vault)
				first := vault.refresh()
				reads := server.count("balance")
				d.at(2 * time.Hour)
				if n := server.count("refresh"); n < 8 || n > 10 {
					t.Errorf("%d refreshes in 2 hours of 15 minutes each", n)
				}
				if server.count("balance") != reads {
					t.Error("the stream broke for a refresh")
				}
				server.mu.Lock()
				valid := server.valid
				server.mu.Unlock()
				if kept := vault.refresh(); kept == first || kept != valid {
					t.Errorf("kept %q, the server takes %q", kept, valid)
				}
			})
		})
	}
}

func TestLostRefreshAnswerDoesNotSignOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := signedIn(t, server, vault)
		server.set(func() { server.loseNext = true })
		if s := d.at(30 * minute); s.State != status.StateFollowing {
			t.Errorf("state %s, problem %+v", s.State, s.Problem)
		}
		d.quit()
		server.set(func() { server.loseNext = true })
		d = deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		if s := d.at(10 * time.Second); s.State != status.StateFollowing {
			t.Errorf("lost at start: state %s, problem %+v", s.State, s.Problem)
		}
	})
}

func TestQuitWhileRefreshingKeepsTheNewToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		signedIn(t, server, vault).quit()
		d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		time.Sleep(5 * time.Millisecond) // the refresh is under way for 10 ms
		d.quit()
		server.mu.Lock()
		valid := server.valid
		server.mu.Unlock()
		if kept := vault.refresh(); kept != valid {
			t.Errorf("kept %q, the server takes %q", kept, valid)
		}
	})
}

func TestKeyring(t *testing.T) {
	for name, keyring := range map[string]status.Keyring{"missing": status.KeyringMissing, "locked": status.KeyringLocked} {
		t.Run(name+" while signing in: memory only, and said", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
				d.at(time.Second)
				vault.keyring = keyring
				if r := d.signIn("alex.test", "right", true); !r.OK {
					t.Fatalf("sign-in: %+v", r.Problem)
				}
				if s := d.at(time.Second); s.State != status.StateFollowing || s.Keyring != keyring {
					t.Errorf("state %s, keyring %q", s.State, s.Keyring)
				}
				if vault.kept != nil {
					t.Error("something was kept")
				}
			})
		})
	}
	t.Run("locked at start: unlocked and tried again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			signedIn(t, server, vault).quit()
			vault.keyring = status.KeyringLocked
			d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			want(t, d.at(time.Second), status.Snapshot{
				State: status.StateSignedOut, Connection: status.ConnectionNone,
				Ask: status.AskFirstLaunch, Prefill: "alex.test@example.org", Keyring: status.KeyringLocked,
			})
			vault.mu.Lock()
			vault.keyring = status.KeyringOK
			vault.mu.Unlock()
			d.do(status.ActionRetry)
			if s := d.at(time.Second); s.State != status.StateFollowing || s.Keyring != status.KeyringOK {
				t.Errorf("state %s, keyring %q", s.State, s.Keyring)
			}
		})
	})
	t.Run("slow: the balance does not wait for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			vault.slow = 8 * time.Second
			d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			d.at(20 * time.Second)
			began := time.Now()
			if r := d.signIn("alex.test", "right", true); !r.OK || time.Since(began) > time.Second {
				t.Errorf("%+v after %v", r, time.Since(began))
			}
		})
	})
}

func TestSignOutEndsTheSessionEverywhere(t *testing.T) {
	t.Run("online", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			d := signedIn(t, server, vault)
			d.at(minute)
			if r := d.do(status.ActionSignOut); !r.OK {
				t.Fatalf("got %+v", r)
			}
			if server.valid != "" || vault.kept != nil || vault.note != nil {
				t.Errorf("server takes %q, kept %v, note %v", server.valid, vault.kept, vault.note)
			}
			want(t, d.at(time.Second), status.Snapshot{State: status.StateSignedOut, Connection: status.ConnectionNone, Prefill: "alex.test@example.org"})
		})
	})
	t.Run("offline: here at once, at the server later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			d := signedIn(t, server, vault)
			server.set(func() { server.down = errNoNetwork })
			d.at(20 * minute) // the access token has ended meanwhile
			if r := d.do(status.ActionSignOut); !r.OK || vault.kept != nil || vault.note != nil {
				t.Fatalf("got %+v, kept %v, note %v", r, vault.kept, vault.note)
			}
			if s := d.at(0); s.State != status.StateSignedOut || s.User != nil || s.Balance != nil {
				t.Errorf("got %+v", s)
			}
			server.set(func() { server.down = nil })
			d.at(2 * minute)
			if server.valid != "" {
				t.Error("the server still takes the token")
			}
		})
	})
	t.Run("while still starting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			signedIn(t, server, vault).quit()
			vault.slow = time.Second
			d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			if r := d.do(status.ActionSignOut); !r.OK {
				t.Fatalf("got %+v", r)
			}
			if s := d.at(minute); s.State != status.StateSignedOut || server.valid != "" || vault.kept != nil {
				t.Errorf("state %s, server takes %q, kept %v", s.State, server.valid, vault.kept)
			}
		})
	})
	t.Run("during a refresh", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			signedIn(t, server, vault).quit()
			d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			time.Sleep(5 * time.Millisecond)
			d.do(status.ActionSignOut)
			d.at(minute)
			if server.valid != "" || vault.kept != nil {
				t.Errorf("server takes %q, kept %v", server.valid, vault.kept)
			}
		})
	})
	t.Run("at the server, by somebody else", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			d := signedIn(t, server, vault)
			server.set(func() { server.revoke(); server.signOut = true })
			s := d.at(5 * time.Second)
			if s.State != status.StateSignedOut || s.Ask != status.AskSessionEnded || vault.kept != nil {
				t.Errorf("got %+v", s)
			}
		})
	})
}

func TestWithoutStayNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		if r := d.signIn("alex.test", "right", false); !r.OK {
			t.Fatal(r)
		}
		d.at(time.Hour)
		d.quit()
		if vault.saves != 0 || vault.note != nil {
			t.Errorf("%d saves, note %v", vault.saves, vault.note)
		}
		if server.valid != "" {
			t.Error("a session that nobody can go on with is left at the server")
		}
	})
}

func TestSharedComputer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		vault.kept = &session.Kept{User: api.User{ID: "u9", Username: "somebody.before"}}
		d := deskWith(t, server, vault, person{name: "student", suffix: "example.org", shared: true})
		s := d.at(time.Second)
		want(t, s, status.Snapshot{State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskWhoIsPrinting})
		if !s.Shared {
			t.Error("not shown as shared")
		}
		if r := d.signIn("alex.test", "right", true); !r.OK { // a window that asks to stay anyway
			t.Fatal(r)
		}
		d.at(minute)
		if vault.saves != 0 || vault.note != nil {
			t.Errorf("%d saves, note %v", vault.saves, vault.note)
		}
		d.do(status.ActionSignOut)
		want(t, d.at(time.Second), status.Snapshot{State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskWhoIsPrinting})
		if server.valid != "" {
			t.Error("the session lives on at the server")
		}
	})
}

func TestDisabledAccountIsOutWithItsSentence(t *testing.T) {
	for name, tell := range map[string]bool{"told by the stream": true, "found at the next connection": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				d := signedIn(t, server, vault)
				d.at(minute)
				server.set(func() { server.disabled, server.signOut, server.hasty = true, tell, !tell })
				want(t, d.at(10*time.Second), status.Snapshot{
					State: status.StateSignedOut, Connection: status.ConnectionNone,
					Prefill: "alex.test@example.org", Problem: &status.Problem{Code: status.ProblemAccountDisabled},
				})
				if vault.kept != nil || vault.note != nil {
					t.Error("something is still kept")
				}
			})
		})
	}
}

func TestA1_64_MigratedNames(t *testing.T) {
	t.Run("the old name leads to the account: silent, and said once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			server.user.Username = "alex.test"
			signedIn(t, server, vault).quit()
			server.user.Username = "alex.test@example.org"
			d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			if s := d.at(time.Second); s.State != status.StateFollowing || s.NewName != "alex.test@example.org" {
				t.Errorf("state %s, new name %q", s.State, s.NewName)
			}
			d.do(status.ActionDismiss)
			if s := d.at(time.Hour); s.NewName != "" || s.State != status.StateFollowing {
				t.Errorf("said again: %q in %s", s.NewName, s.State)
			}
			d.quit()
			d = deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			if s := d.at(time.Second); s.NewName != "" {
				t.Errorf("said again after a restart: %q", s.NewName)
			}
		})
	})
	t.Run("the old name is refused: asked with the mapped name", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server, vault := newServer(), newVault()
			server.user.Username = "alex.test"
			signedIn(t, server, vault).quit()
			server.set(server.revoke)
			d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
			if s := d.at(time.Second); s.Ask != status.AskNamesChanged || s.Prefill != "alex.test@example.org" {
				t.Errorf("ask %q, prefill %q", s.Ask, s.Prefill)
			}
		})
	})
}

func TestCancelledSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
		d.at(time.Second)
		results := make(chan status.Result, 1)
		go func() { results <- d.signIn("alex.test", "right", true) }()
		time.Sleep(5 * time.Millisecond)
		if s := d.Snapshot(); s.State != status.StateSigningIn || s.Ask != status.AskFirstLaunch {
			t.Errorf("while asking: %s %q", s.State, s.Ask)
		}
		if r := d.signIn("alex.test", "right", true); r.OK {
			t.Error("two sign-ins at once")
		}
		d.do(status.ActionCancelSignIn)
		if r := <-results; r.OK {
			t.Error("a cancelled sign-in was OK")
		}
		if s := d.at(time.Second); s.State != status.StateSignedOut || server.valid != "" || vault.kept != nil {
			t.Errorf("state %s, the server takes %q, kept %v", s.State, server.valid, vault.kept)
		}
	})
}

func TestSignInWhileSignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, vault := newServer(), newVault()
		server.names["sam"] = "other"
		d := signedIn(t, server, vault)
		if r := d.signIn("sam", "wrong", true); r.OK {
			t.Fatal("wrong password")
		}
		if s := d.at(time.Second); s.State != status.StateFollowing || s.Problem != nil {
			t.Errorf("a failed attempt of somebody else: %s %v", s.State, s.Problem)
		}
		server.set(func() { server.user, server.amount = api.User{ID: "u2", Username: "sam", DisplayName: "Sam"}, "1.00" })
		if r := d.signIn("sam", "other", true); !r.OK {
			t.Fatalf("sign-in: %+v", r.Problem)
		}
		s := d.at(minute)
		if s.User.Username != "sam" || s.Balance.Amount != "1.00" || s.NewName != "" || vault.kept == nil || vault.kept.User.Username != "sam" {
			t.Errorf("got %+v, kept %+v", s, vault.kept)
		}
	})
}

func TestClockAndCertificateTroubleIsShownAndRetried(t *testing.T) {
	for _, code := range []status.ProblemCode{status.ProblemClock, status.ProblemCertificate, status.ProblemCertificateExpired, status.ProblemServer} {
		t.Run(string(code), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, vault := newServer(), newVault()
				signedIn(t, server, vault).quit()
				server.down = fault("", code)
				d := deskWith(t, server, vault, person{name: "alex.test", suffix: "example.org"})
				if s := d.at(time.Second); s.State != status.StateOffline || s.Problem == nil || s.Problem.Code != code {
					t.Errorf("got %s %+v", s.State, s.Problem)
				}
				if vault.refresh() == "" {
					t.Error("the session was given up")
				}
				server.set(func() { server.down = nil })
				if s := d.at(minute); s.State != status.StateFollowing || s.Problem != nil {
					t.Errorf("got %s %+v", s.State, s.Problem)
				}
			})
		})
	}
}

func TestRetryAfterOfTheServerIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		server.set(func() {
			server.down = &session.Error{
				Code: api.CodeUnavailable, Err: context.DeadlineExceeded,
				Problem: status.Problem{Code: status.ProblemServer, RetryAt: time.Now().Add(5 * minute)},
			}
		})
		d.at(3 * time.Second)
		before := server.count("balance")
		d.at(4 * minute)
		if n := server.count("balance") - before; n != 0 {
			t.Errorf("%d attempts although told to wait", n)
		}
	})
}

func TestNotConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deskWith(t, nil, newVault(), person{name: "alex.test"}, func(deps *session.Deps) {
			deps.Settings.Problem = &status.Problem{Code: status.ProblemNotConfigured}
		})
		d.do(status.ActionRetry)
		if r := d.signIn("alex", "x", false); r.OK || r.Problem.Code != status.ProblemNotConfigured {
			t.Errorf("got %+v", r)
		}
		want(t, d.at(time.Hour), status.Snapshot{
			State: status.StateSignedOut, Connection: status.ConnectionNone,
			Problem: &status.Problem{Code: status.ProblemNotConfigured},
		})
	})
}

func TestTray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := signedIn(t, newServer(), newVault())
		d.SetTray(t.Context(), false)
		if s := d.at(0); !s.NoTray {
			t.Error("a missing tray is not shown")
		}
		d.SetTray(t.Context(), true)
		if s := d.at(0); s.NoTray {
			t.Error("a tray that came is not shown")
		}
		d.quit()
		d.SetTray(context.WithoutCancel(t.Context()), false) // comes back
	})
}

func TestDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		r := d.do(status.ActionDetails)
		if !r.OK || len(r.Details.Transactions) != 1 || len(r.Details.History) != 1 || r.Details.ClientVersion != "test" || r.Details.ServerVersion != "1.2.3" {
			t.Errorf("got %+v", r.Details)
		}
		server.set(func() { server.down = errNoNetwork })
		if r = d.do(status.ActionDetails); !r.OK || r.Details.Problem == nil || r.Details.Problem.Code != status.ProblemUnreachable {
			t.Errorf("offline: got %+v", r.Details)
		}
	})
}

func TestHiddenBalanceLeavesNoAmount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deskWith(t, newServer(), newVault(), person{name: "alex.test"}, func(deps *session.Deps) { deps.Settings.HideBalance = true })
		if r := d.signIn("alex.test", "right", true); !r.OK {
			t.Fatal(r)
		}
		if s := d.at(time.Second); s.Balance != nil || !s.HideBalance {
			t.Errorf("got %+v", s.Balance)
		}
		if r := d.do(status.ActionDetails); r.Details.Transactions != nil || r.Details.History != nil {
			t.Errorf("got %+v", r.Details)
		}
	})
}

func TestWatchersSeeTheNewestAndEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		d := signedIn(t, server, newVault())
		s := d.Snapshot()
		got := make(chan status.Snapshot, 1)
		go func() {
			next, err := d.Watch(t.Context(), s.Seq)
			if err != nil {
				t.Error(err)
			}
			got <- next
		}()
		server.set(func() { server.amount, server.version = "9.99", 8 })
		if next := <-got; next.Balance.Amount != "9.99" || next.Seq <= s.Seq {
			t.Errorf("got %+v", next)
		}
		quiet := d.at(minute).Seq
		if later := d.at(time.Hour).Seq; later != quiet {
			t.Errorf("%d new snapshots in a quiet hour", later-quiet)
		}
		errs := make(chan error, 1)
		go func() { _, err := d.Watch(context.WithoutCancel(t.Context()), quiet+10); errs <- err }()
		synctest.Wait()
		d.quit()
		if err := <-errs; err == nil {
			t.Error("a watcher outlived the session")
		}
	})
}
