package session_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
)

// fakePresence is a desktop: it knows when somebody moved last and whether the screen is locked.
type fakePresence struct {
	mu     sync.Mutex
	moved  time.Time // zero: it does not tell
	locked bool
	mute   bool  // it does not tell about the lock
	err    error // it tells nothing
	reads  int
}

func (p *fakePresence) Read(context.Context) (session.Reading, error) {
	time.Sleep(5 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads++
	if p.err != nil {
		return session.Reading{}, p.err
	}
	r := session.Reading{IdleKnown: !p.moved.IsZero(), Locked: p.locked, LockedKnown: !p.mute}
	if r.IdleKnown {
		r.Idle = time.Since(p.moved)
	}
	return r, nil
}

func (p *fakePresence) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *fakePresence) move() { p.set(func() { p.moved = time.Now() }) }

func (p *fakePresence) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reads
}

// lab is a shared computer at which Alex has signed in and moved the mouse just now.
type lab struct {
	*desk
	server   *fakeServer
	vault    *fakeVault
	presence *fakePresence
}

func labWith(t *testing.T, change ...func(*session.Deps)) *lab {
	t.Helper()
	l := &lab{server: newServer(), vault: newVault(), presence: &fakePresence{}}
	change = append([]func(*session.Deps){func(d *session.Deps) { d.Presence = l.presence }}, change...)
	l.desk = deskWith(t, l.server, l.vault, person{name: "student", suffix: "example.org", shared: true}, change...)
	if r := l.signIn("alex.test", "right", false); !r.OK {
		t.Fatalf("sign-in: %+v", r.Problem)
	}
	l.presence.move()
	return l
}

// gone checks that nothing of the person is left, here and at the server.
func (l *lab) gone(s status.Snapshot) {
	l.t.Helper()
	want(l.t, s, status.Snapshot{State: status.StateSignedOut, Connection: status.ConnectionNone, Ask: status.AskWhoIsPrinting})
	if !s.SignOutAt.IsZero() || s.Low || s.Empty || !s.BalanceAt.IsZero() || s.NewName != "" {
		l.t.Errorf("something is left: %+v", s)
	}
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	if l.server.valid != "" || len(l.server.access) != 0 {
		l.t.Error("the session lives on at the server")
	}
	if l.vault.kept != nil || l.vault.note != nil || l.vault.saves != 0 {
		l.t.Error("something is in the vault")
	}
}

// here checks that somebody is signed in, and when they will be signed out.
func (l *lab) here(s status.Snapshot, out time.Time) {
	l.t.Helper()
	if s.State != status.StateFollowing || s.User == nil {
		l.t.Fatalf("state %s, user %v; want somebody signed in", s.State, s.User)
	}
	if late := s.SignOutAt.Sub(out); s.SignOutAt.IsZero() != out.IsZero() || late < 0 || late > 200*time.Millisecond {
		l.t.Errorf("sign-out at %v, want %v", s.SignOutAt, out)
	}
}

const second = time.Second

func TestSharedComputerSignsOutWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := labWith(t)
		left := time.Now()
		l.here(l.at(9*minute+29*second), time.Time{})
		l.here(l.at(2*second), left.Add(10*minute))
		l.here(l.at(28*second), left.Add(10*minute))
		l.gone(l.at(2 * second))
	})
}

func TestSharedComputerStaysWithWhoIsHere(t *testing.T) {
	for name, stay := range map[string]func(*lab){
		"by a hand on the mouse": func(l *lab) { l.presence.move() },
		"by saying so":           func(l *lab) { l.do(status.ActionStay) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := labWith(t)
				left := time.Now()
				l.here(l.at(9*minute+50*second), left.Add(10*minute))
				stay(l)
				back := time.Now()
				l.here(l.at(1500*time.Millisecond), time.Time{})
				l.here(l.at(9*minute+25*second), time.Time{})
				l.here(l.at(10*second), back.Add(10*minute)) // it begins anew
				l.gone(l.at(minute))
			})
		})
	}
}

func TestSharedComputerSignsOutBehindALockedScreen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := labWith(t)
		l.presence.set(func() { l.presence.locked = true })
		l.here(l.at(4*minute+59*second), time.Time{})
		l.gone(l.at(17 * second)) // the lock is seen at the next look
	})
	t.Run("unlocked in time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := labWith(t)
			for range 3 {
				l.presence.set(func() { l.presence.locked = true })
				l.here(l.at(4*minute), time.Time{})
				l.presence.set(func() { l.presence.locked = false })
				l.presence.move()
				l.here(l.at(minute), time.Time{})
			}
		})
	})
	t.Run("offline, the server hears of it later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := labWith(t)
			l.server.set(func() { l.server.down = errNoNetwork })
			l.presence.set(func() { l.presence.locked = true })
			if s := l.at(6 * minute); s.State != status.StateSignedOut || s.User != nil || s.Balance != nil {
				t.Fatalf("got %+v", s)
			}
			l.server.set(func() { l.server.down = nil })
			l.gone(l.at(2 * minute))
		})
	})
}

func TestWhoSignsInNextHasTimeOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := labWith(t)
		l.at(9*minute + 45*second)
		l.presence.move() // somebody else signs in over it
		if r := l.signIn("alex.test", "right", false); !r.OK {
			t.Fatal(r.Problem)
		}
		l.here(l.at(5*minute), time.Time{})
		l.do(status.ActionSignOut)
		l.at(20 * minute)
		l.presence.move()
		if r := l.signIn("alex.test", "right", false); !r.OK {
			t.Fatal(r.Problem)
		}
		l.here(l.at(9*minute), time.Time{})
	})
}

func TestPresenceIsAskedOnSharedComputersWhileSomebodyIsSignedIn(t *testing.T) {
	t.Run("personal computer: never", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			presence := &fakePresence{locked: true}
			presence.move()
			d := deskWith(t, newServer(), newVault(), person{name: "alex.test", suffix: "example.org"}, func(d *session.Deps) { d.Presence = presence })
			d.at(minute)
			if r := d.signIn("alex.test", "right", true); !r.OK {
				t.Fatal(r.Problem)
			}
			if s := d.at(24 * time.Hour); s.State != status.StateFollowing || presence.count() != 0 {
				t.Errorf("state %s, asked %d times", s.State, presence.count())
			}
		})
	})
	t.Run("shared: only while somebody is signed in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := labWith(t)
			for range 4 {
				l.at(15 * minute / 2)
				l.presence.move()
			}
			if n := l.presence.count(); n < 100 || n > 30*4+10 {
				t.Errorf("asked %d times in half an hour", n)
			}
			l.do(status.ActionSignOut)
			l.at(time.Minute)
			n := l.presence.count()
			l.at(24 * time.Hour)
			if more := l.presence.count() - n; more != 0 {
				t.Errorf("asked %d times with nobody signed in", more)
			}
		})
	})
}

func TestComputerThatDoesNotTellSignsNobodyOutAndSaysSoOnce(t *testing.T) {
	for name, change := range map[string]func(*fakePresence){
		"nothing":       func(p *fakePresence) { p.err = errors.New("no session bus") },
		"only the lock": func(p *fakePresence) { p.moved = time.Time{} },
		"only idleness": func(p *fakePresence) { p.mute, p.locked = true, true },
		"nobody to ask": nil,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				l := labWith(t, func(d *session.Deps) {
					d.Logger = slog.New(slog.NewTextHandler(&log, nil))
					if change == nil {
						d.Presence = nil
					}
				})
				if change != nil {
					l.presence.set(func() { change(l.presence) })
				}
				for range 20 {
					l.here(l.at(7*minute), time.Time{})
					if name == "only idleness" {
						l.presence.move()
					}
				}
				l.quit()
				if n := strings.Count(log.String(), "whether somebody is here"); n != 1 {
					t.Errorf("said %d times:\n%s", n, log.String())
				}
			})
		})
	}
}

func TestWhatWasSeenLastStandsWhenNothingCanBeSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := labWith(t)
		left := time.Now()
		l.here(l.at(9*minute+40*second), left.Add(10*minute))
		l.presence.set(func() { l.presence.err = errors.New("the bus is gone") })
		l.here(l.at(15*second), left.Add(10*minute))
		l.gone(l.at(10 * second))
	})
	t.Run("locked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := labWith(t)
			l.presence.set(func() { l.presence.locked = true })
			l.at(minute)
			l.presence.set(func() { l.presence.err = errors.New("the bus is gone") })
			l.gone(l.at(5 * minute))
		})
	})
}

func TestClockThatIsSetBackKeepsNobodySignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var back time.Duration
		l := labWith(t, func(d *session.Deps) {
			d.Clock = func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return time.Now().Add(-back)
			}
		})
		l.presence.set(func() { l.presence.locked = true })
		l.at(4 * minute)
		mu.Lock()
		back = 5 * time.Hour
		mu.Unlock()
		l.gone(l.at(5*minute + 20*second))
	})
}

func TestTimesOfTheUnattendedCanBeShorter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := labWith(t, func(d *session.Deps) {
			d.Unattended = session.Unattended{Warn: 2 * second, Grace: second, Poll: second / 5}
		})
		if s := l.at(2500 * time.Millisecond); s.SignOutAt.IsZero() {
			t.Error("not announced")
		}
		l.gone(l.at(second))
	})
}

func TestSharedComputersLogNoNames(t *testing.T) {
	for name, shared := range map[string]bool{"shared": true, "personal": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				server := newServer()
				d := deskWith(t, server, newVault(), person{name: "student", shared: shared}, func(d *session.Deps) {
					d.Logger = slog.New(slog.NewTextHandler(&log, nil))
				})
				if r := d.signIn("alex.test", "right", false); !r.OK {
					t.Fatal(r.Problem)
				}
				server.set(func() { server.user.Username = "alex.new@example.org" })
				d.at(time.Hour) // refreshed: the new name is heard of
				d.quit()
				if got := strings.Contains(log.String(), "alex"); got == shared || !strings.Contains(log.String(), "new name") {
					t.Errorf("a name is in the log: %v\n%s", got, log.String())
				}
			})
		})
	}
}

func TestLoggingOffEndsTheSessionAtTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := labWith(t)
		l.at(minute)
		l.quit()
		if l.server.valid != "" || l.vault.kept != nil || l.vault.note != nil || l.vault.saves != 0 {
			t.Error("something is left")
		}
	})
}

func TestStayWithNobodySignedInIsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deskWith(t, newServer(), newVault(), person{name: "student", shared: true})
		if r := d.do(status.ActionStay); !r.OK {
			t.Errorf("got %+v", r.Problem)
		}
	})
}
