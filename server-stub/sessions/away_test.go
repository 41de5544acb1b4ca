package sessions_test

import (
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
)

// change changes the person and tells the manager, as the assembly does.
func (f *fixture) change(t *testing.T, change func(u *core.User)) {
	t.Helper()
	mustUpdate(t, f.store, func(tx store.Tx) error {
		u, err := tx.User(t.Context(), f.user)
		if err != nil {
			return err
		}
		change(&u)
		return tx.UpdateUser(t.Context(), u)
	})
	f.m.UserChanged(t.Context(), f.user)
}

func (f *fixture) leave(u *core.User)    { u.DeletedAt = f.now() }
func (f *fixture) comeBack(u *core.User) { u.DeletedAt = time.Time{} }

func (f *fixture) refresh(t *testing.T, tokens sessions.Tokens) (sessions.Tokens, error) {
	t.Helper()
	next, _, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
	return next, err
}

func TestA3_56_TheTokensOfWhoLeftAreOfNoUse(t *testing.T) {
	f := newFixture(t)
	tokens, s := f.issue(t, true)
	want(t, "before", f.auth(t, tokens.Access), nil) // and it is remembered
	f.change(t, f.leave)
	want(t, "access", f.auth(t, tokens.Access), core.ErrAway)
	want(t, "access, as everybody else sees it", f.auth(t, tokens.Access), core.ErrDisabled)
	for range 2 {
		_, err := f.refresh(t, tokens)
		want(t, "refresh", err, core.ErrAway)
	}
	_, _, err := f.m.Check(t.Context(), s.ID)
	want(t, "an open stream", err, core.ErrAway)
	_, _, err = f.m.Issue(t.Context(), f.user, sessions.Info{})
	want(t, "another session", err, core.ErrAway)
	if len(f.ended.ids) != 1 || f.ended.ids[0] != "" {
		t.Errorf("OnEnd was told %q, want all of the person once", f.ended.ids)
	}
}

func TestA3_57_TheTokensOfWhoIsBackAreGoodAgain(t *testing.T) {
	f := newFixture(t)
	tokens, _ := f.issue(t, true)
	f.change(t, f.leave)
	for range 3 { // longer than what ended is remembered
		f.advance(10 * 24 * time.Hour)
		if n, err := f.m.Purge(t.Context()); n != 0 || err != nil {
			t.Fatalf("Purge = %d, %v", n, err)
		}
		_, err := f.refresh(t, tokens)
		want(t, "away", err, core.ErrAway)
	}
	f.change(t, f.comeBack)
	next, err := f.refresh(t, tokens)
	want(t, "refresh", err, nil)
	want(t, "access", f.auth(t, next.Access), nil)
}

func TestA3_57_AnAccessTokenThatHasNotEndedIsGoodAgain(t *testing.T) {
	f := newFixture(t)
	tokens, _ := f.issue(t, false)
	f.change(t, f.leave)
	f.advance(5 * time.Minute)
	f.change(t, f.comeBack)
	want(t, "access", f.auth(t, tokens.Access), nil)
}

// What ends a session for good ends it also while its person is away.
func TestA3_57_OnlyWhatTheDirectoryTookIsGivenBack(t *testing.T) {
	for _, tt := range []struct {
		name string
		away func(t *testing.T, f *fixture, s core.Session, tokens sessions.Tokens)
	}{
		{"signed out in the minute before", func(t *testing.T, f *fixture, s core.Session, _ sessions.Tokens) {
			want(t, "sign out", f.m.Revoke(t.Context(), "user:1", f.user, s.ID), nil)
			f.change(t, f.leave)
		}},
		{"ended by an administrator meanwhile", func(t *testing.T, f *fixture, _ core.Session, _ sessions.Tokens) {
			f.change(t, f.leave)
			if n, err := f.m.RevokeUser(t.Context(), "admin", f.user); n != 1 || err != nil {
				t.Errorf("RevokeUser = %d, %v", n, err)
			}
		}},
		{"disabled by an administrator meanwhile", func(t *testing.T, f *fixture, _ core.Session, tokens sessions.Tokens) {
			f.change(t, f.leave)
			f.change(t, func(u *core.User) { u.Disabled = true })
			_, err := f.refresh(t, tokens)
			want(t, "refresh", err, core.ErrDisabled)
			f.change(t, func(u *core.User) { u.Disabled = false })
		}},
		{"listed again as disabled", func(t *testing.T, f *fixture, _ core.Session, _ sessions.Tokens) {
			f.change(t, f.leave)
			f.change(t, func(u *core.User) { u.DeletedAt, u.Disabled = time.Time{}, true })
			f.change(t, func(u *core.User) { u.Disabled = false })
		}},
		{"a copy was used meanwhile", func(t *testing.T, f *fixture, _ core.Session, first sessions.Tokens) {
			next, err := f.refresh(t, first)
			want(t, "refresh", err, nil)
			f.change(t, f.leave)
			f.advance(time.Hour)
			_, err = f.refresh(t, first)
			want(t, "the copy", err, core.ErrUnauthenticated)
			_, err = f.refresh(t, next)
			want(t, "the family", err, core.ErrUnauthenticated)
		}},
		{"unused for too long", func(t *testing.T, f *fixture, _ core.Session, _ sessions.Tokens) {
			f.change(t, f.leave)
			f.advance(sessions.DefaultLong)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tokens, s := f.issue(t, true)
			tt.away(t, f, s, tokens)
			f.change(t, f.comeBack)
			want(t, "access", f.auth(t, tokens.Access), core.ErrUnauthenticated)
			_, err := f.refresh(t, tokens)
			want(t, "refresh", err, core.ErrUnauthenticated)
		})
	}
}

func TestWhoLeftIsSignedOutOfBrowsers(t *testing.T) {
	f := newFixture(t)
	for _, kind := range []core.SessionKind{core.SessionWeb, core.SessionAdmin} {
		token, _ := f.startWeb(t, kind)
		f.change(t, f.leave)
		want(t, "away", f.web(t, kind, token), core.ErrUnauthenticated)
		f.change(t, f.comeBack)
		want(t, "back", f.web(t, kind, token), core.ErrUnauthenticated)
	}
}
