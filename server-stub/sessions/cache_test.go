package sessions_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// asked counts what is read.
type asked struct {
	store.Store
	views atomic.Int64
}

func (a *asked) View(ctx context.Context, fn func(store.Tx) error) error {
	a.views.Add(1)
	return a.Store.View(ctx, fn)
}

// remembering is a manager with a clock and a person.
type remembering struct {
	t     *testing.T
	store *asked
	m     *sessions.Manager
	user  core.UserID
	at    atomic.Int64
}

func newRemembering(t *testing.T) *remembering {
	r := &remembering{t: t, store: &asked{Store: storetest.OpenSQLite(t)}}
	r.at.Store(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixNano())
	r.m = sessions.New(r.store, r.now, sessions.Options{})
	r.update(func(tx store.Tx) (err error) {
		r.user, err = tx.CreateUser(t.Context(), core.User{Username: "alex@example.org", CreatedAt: r.now(), UpdatedAt: r.now()})
		return err
	})
	return r
}

func (r *remembering) now() time.Time          { return time.Unix(0, r.at.Load()).UTC() }
func (r *remembering) advance(d time.Duration) { r.at.Add(int64(d)) }

func (r *remembering) update(fn func(store.Tx) error) {
	r.t.Helper()
	if err := r.store.Update(r.t.Context(), fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *remembering) issue() (sessions.Tokens, core.Session) {
	r.t.Helper()
	tokens, s, err := r.m.Issue(r.t.Context(), r.user, sessions.Info{})
	if err != nil {
		r.t.Fatal(err)
	}
	return tokens, s
}

func (r *remembering) good(token secret.String) {
	r.t.Helper()
	if s, u, err := r.m.Authenticate(r.t.Context(), token); err != nil || u.ID != r.user || s.UserID != r.user {
		r.t.Fatalf("%+v, %v", u, err)
	}
}

func (r *remembering) bad(token secret.String, want error) {
	r.t.Helper()
	if _, u, err := r.m.Authenticate(r.t.Context(), token); !errors.Is(err, want) {
		r.t.Errorf("user %d, %v; want %v", u.ID, err, want)
	}
}

func (r *remembering) disable(now bool) {
	r.t.Helper()
	r.update(func(tx store.Tx) error {
		u, err := tx.User(r.t.Context(), r.user)
		if err != nil {
			return err
		}
		u.Disabled = true
		return tx.UpdateUser(r.t.Context(), u)
	})
	if now {
		r.m.UserChanged(r.t.Context(), r.user)
	}
}

func TestATokenIsLookedUpOnceInAWhile(t *testing.T) {
	r := newRemembering(t)
	tokens, _ := r.issue()
	before := r.store.views.Load()
	for range 100 {
		r.good(tokens.Access)
	}
	if n := r.store.views.Load() - before; n != 1 {
		t.Errorf("the store was asked %d times", n)
	}
	r.advance(3 * time.Second)
	r.good(tokens.Access)
	if n := r.store.views.Load() - before; n != 2 {
		t.Errorf("later the store was asked %d times", n)
	}
}

func TestWhatEndsHereIsOverAtOnce(t *testing.T) {
	for name, end := range map[string]func(r *remembering, tokens sessions.Tokens, s core.Session) error{
		"signed out": func(r *remembering, _ sessions.Tokens, s core.Session) error {
			return r.m.Revoke(t.Context(), "test", r.user, s.ID)
		},
		"all ended": func(r *remembering, _ sessions.Tokens, _ core.Session) error {
			_, err := r.m.RevokeUser(t.Context(), "test", r.user)
			return err
		},
		"refreshed": func(r *remembering, tokens sessions.Tokens, _ core.Session) error {
			_, _, err := r.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
			return err
		},
		"a copy was used": func(r *remembering, tokens sessions.Tokens, _ core.Session) error {
			next, _, err := r.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
			if err != nil {
				return err
			}
			r.good(next.Access)
			if _, _, err = r.m.Refresh(t.Context(), next.Refresh, sessions.Info{}); err != nil {
				return err
			}
			if _, _, err := r.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{}); !errors.Is(err, core.ErrUnauthenticated) {
				return err
			}
			r.bad(next.Access, core.ErrUnauthenticated)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemembering(t)
			tokens, s := r.issue()
			r.good(tokens.Access)
			if err := end(r, tokens, s); err != nil {
				t.Fatal(err)
			}
			r.bad(tokens.Access, core.ErrUnauthenticated)
		})
	}
	t.Run("disabled", func(t *testing.T) {
		r := newRemembering(t)
		tokens, _ := r.issue()
		r.good(tokens.Access)
		r.disable(true)
		if _, _, err := r.m.Authenticate(t.Context(), tokens.Access); err == nil {
			t.Error("somebody who was disabled is still in")
		}
	})
	t.Run("its device was revoked", func(t *testing.T) {
		r := newRemembering(t)
		r.update(func(tx store.Tx) error {
			return tx.CreateDevice(t.Context(), core.Device{ID: "d1", Status: core.DeviceEnrolled})
		})
		tokens, _, err := r.m.Issue(t.Context(), r.user, sessions.Info{Assurance: core.AssuranceMachine, Device: "d1"})
		if err != nil {
			t.Fatal(err)
		}
		r.good(tokens.Access)
		if _, err := r.m.RevokeDevice(t.Context(), "test", "d1"); err != nil {
			t.Fatal(err)
		}
		r.bad(tokens.Access, core.ErrUnauthenticated)
	})
	t.Run("renamed", func(t *testing.T) {
		r := newRemembering(t)
		tokens, _ := r.issue()
		r.good(tokens.Access)
		r.update(func(tx store.Tx) error {
			u, err := tx.User(t.Context(), r.user)
			u.Username = "alex.married@example.org"
			return errors.Join(err, tx.UpdateUser(t.Context(), u))
		})
		r.m.UserChanged(t.Context(), r.user)
		if _, u, err := r.m.Authenticate(t.Context(), tokens.Access); err != nil || u.Username != "alex.married@example.org" {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

func TestWhatAnotherProcessEndsIsOverWithinFiveSeconds(t *testing.T) {
	r := newRemembering(t)
	tokens, s := r.issue()
	r.good(tokens.Access)
	other := sessions.New(r.store, r.now, sessions.Options{})
	if err := other.Revoke(t.Context(), "test", r.user, s.ID); err != nil {
		t.Fatal(err)
	}
	r.advance(5 * time.Second)
	r.bad(tokens.Access, core.ErrUnauthenticated)
}

func TestAClockThatIsSetBackMakesNothingLastLonger(t *testing.T) {
	r := newRemembering(t)
	tokens, _ := r.issue()
	r.good(tokens.Access)
	r.disable(false)
	r.advance(-time.Hour)
	r.bad(tokens.Access, core.ErrDisabled)
}

func TestAnExpiredTokenIsNotRemembered(t *testing.T) {
	r := newRemembering(t)
	tokens, _ := r.issue()
	r.advance(sessions.DefaultAccess - time.Second)
	r.good(tokens.Access)
	r.advance(time.Second)
	r.bad(tokens.Access, core.ErrUnauthenticated)
}

// Whoever reads while a session ends must not keep what was read before.
func TestNothingIsRememberedAcrossAnEnd(t *testing.T) {
	r := newRemembering(t)
	for range 50 {
		tokens, s := r.issue()
		var g sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			g.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _, _ = r.m.Authenticate(context.WithoutCancel(t.Context()), tokens.Access)
					}
				}
			})
		}
		if err := r.m.Revoke(t.Context(), "test", r.user, s.ID); err != nil {
			t.Error(err)
		}
		r.bad(tokens.Access, core.ErrUnauthenticated)
		close(stop)
		g.Wait()
		r.bad(tokens.Access, core.ErrUnauthenticated)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRemembering(t)
	var last sessions.Tokens
	for range 4200 {
		last, _ = r.issue()
		r.good(last.Access)
	}
	before := r.store.views.Load()
	for range 10 {
		r.good(last.Access)
	}
	if n := r.store.views.Load() - before; n != 10 {
		t.Errorf("beyond its bound the cache grew: the store was asked %d times", n)
	}
	r.advance(3 * time.Second)
	r.good(last.Access)
	r.good(last.Access)
	if n := r.store.views.Load() - before; n != 11 {
		t.Errorf("what is old made no room: the store was asked %d times", n)
	}
}
