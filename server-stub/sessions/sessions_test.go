package sessions_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// hands is a clock that tests move.
type hands struct{ at atomic.Int64 }

func newHands() *hands {
	h := &hands{}
	h.at.Store(start.UnixNano())
	return h
}
func (h *hands) now() time.Time          { return time.Unix(0, h.at.Load()).UTC() }
func (h *hands) advance(d time.Duration) { h.at.Add(int64(d)) }
func (h *hands) clock() clock.Clock      { return h.now }
func mustUpdate(t interface{ Fatal(...any) }, s store.Store, fn func(tx store.Tx) error) {
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func addUser(t interface{ Fatal(...any) }, s store.Store) core.UserID {
	var id core.UserID
	mustUpdate(t, s, func(tx store.Tx) (err error) {
		id, err = tx.CreateUser(context.Background(), core.User{Username: "alex", CreatedAt: start, UpdatedAt: start})
		return err
	})
	return id
}

func disable(t interface{ Fatal(...any) }, s store.Store, id core.UserID) {
	setDisabled(t, s, id, true)
}

func setDisabled(t interface{ Fatal(...any) }, s store.Store, id core.UserID, disabled bool) {
	mustUpdate(t, s, func(tx store.Tx) error {
		u, err := tx.User(context.Background(), id)
		if err != nil {
			return err
		}
		u.Disabled = disabled
		return tx.UpdateUser(context.Background(), u)
	})
}

// ends collects what OnEnd is told.
type ends struct {
	mu  sync.Mutex
	ids []string
}

func (e *ends) add(id string, _ core.UserID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ids = append(e.ids, id)
}

type fixture struct {
	*hands
	store store.Store
	m     *sessions.Manager
	user  core.UserID
	ended *ends
	log   *bytes.Buffer
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{hands: newHands(), store: storetest.OpenSQLite(t), ended: &ends{}, log: &bytes.Buffer{}}
	f.m = sessions.New(f.store, f.clock(), sessions.Options{OnEnd: f.ended.add, Logger: slog.New(slog.NewTextHandler(f.log, nil))})
	f.user = addUser(t, f.store)
	return f
}

func (f *fixture) issue(t *testing.T, stay bool) (sessions.Tokens, core.Session) {
	t.Helper()
	tokens, s, err := f.m.Issue(t.Context(), f.user, sessions.Info{StaySignedIn: stay, Client: "platen test", Host: "pc-7", Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	return tokens, s
}

func (f *fixture) auth(t *testing.T, token secret.String) error {
	t.Helper()
	_, _, err := f.m.Authenticate(t.Context(), token)
	return err
}

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if want == nil && got != nil || !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func TestIssueAndAuthenticate(t *testing.T) {
	f := newFixture(t)
	tokens, s := f.issue(t, false)
	got, u, err := f.m.Authenticate(t.Context(), tokens.Access)
	if err != nil || u.ID != f.user || got.ID != s.ID || got.Assurance != core.AssurancePassword || got.Host != "pc-7" {
		t.Errorf("Authenticate = %+v, %+v, %v", got, u, err)
	}
	if got.AccessHash != [32]byte{} || got.RefreshHash != [32]byte{} {
		t.Error("hashes of tokens leave the package")
	}
	if !strings.HasPrefix(tokens.Access.Reveal(), "plt_a_") || !strings.HasPrefix(tokens.Refresh.Reveal(), "plt_r_") {
		t.Error("tokens have no prefix for secret scanners")
	}
	f.advance(10 * time.Minute)
	want(t, "access token after ten minutes", f.auth(t, tokens.Access), core.ErrUnauthenticated)
	for _, bad := range []string{"", "plt_a_", "plt_a_x", tokens.Refresh.Reveal(), strings.Repeat("plt_a_", 1000)} {
		want(t, "Authenticate "+bad[:min(8, len(bad))], f.auth(t, secret.New(bad)), core.ErrUnauthenticated)
	}
}

func TestTokensAreStoredAsHashesOnly(t *testing.T) {
	f := newFixture(t)
	tokens, _ := f.issue(t, true)
	next, _, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "platen.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database files: %v", err)
	}
	var all []byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if sum := sha256.Sum256([]byte(next.Refresh.Reveal())); !bytes.Contains(all, sum[:]) {
		t.Error("not even the hash is in the files: they are not the database's")
	}
	for _, token := range []secret.String{tokens.Access, tokens.Refresh, next.Access, next.Refresh} {
		text := token.Reveal()
		if bytes.Contains(all, []byte(text[len(text)-40:])) || strings.Contains(f.log.String(), text[len(text)-40:]) {
			t.Error("a token is in the database or the log")
		}
	}
}

func TestHowLongSessionsLast(t *testing.T) {
	for _, tt := range []struct {
		name    string
		stay    bool
		refresh []time.Duration // time before each refresh
		alive   bool
	}{
		{"12 hours from sign-in", false, []time.Duration{4 * time.Hour, 4 * time.Hour, 4*time.Hour - time.Second}, true},
		{"not 12 hours and no sliding", false, []time.Duration{4 * time.Hour, 4 * time.Hour, 4 * time.Hour}, false},
		{"stay signed in for 90 days", true, []time.Duration{90*24*time.Hour - time.Second}, true},
		{"stay signed in slides", true, []time.Duration{80 * 24 * time.Hour, 80 * 24 * time.Hour, 80 * 24 * time.Hour}, true},
		{"stay signed in ends unused", true, []time.Duration{90 * 24 * time.Hour}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tokens, _ := f.issue(t, tt.stay)
			var err error
			for _, d := range tt.refresh {
				f.advance(d)
				if tokens, _, err = f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{}); err != nil {
					break
				}
			}
			if tt.alive {
				want(t, "last refresh", err, nil)
				want(t, "access", f.auth(t, tokens.Access), nil)
			} else {
				want(t, "last refresh", err, core.ErrUnauthenticated)
			}
		})
	}
}

func TestAccessTokenNeverOutlivesTheSession(t *testing.T) {
	f := newFixture(t)
	tokens, _ := f.issue(t, false)
	f.advance(12*time.Hour - time.Minute)
	tokens, _, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
	if err != nil {
		t.Fatal(err)
	}
	if !tokens.AccessExpires.Equal(start.Add(12 * time.Hour)) {
		t.Errorf("access token lasts until %v", tokens.AccessExpires)
	}
	f.advance(time.Minute)
	want(t, "access after the session", f.auth(t, tokens.Access), core.ErrUnauthenticated)
}

func TestLostReplyDoesNotSignOut(t *testing.T) {
	f := newFixture(t)
	first, _ := f.issue(t, true)
	if _, _, err := f.m.Refresh(t.Context(), first.Refresh, sessions.Info{}); err != nil { // the reply is lost
		t.Fatal(err)
	}
	f.advance(29 * time.Second)
	second, _, err := f.m.Refresh(t.Context(), first.Refresh, sessions.Info{})
	want(t, "previous token within 30 s", err, nil)
	want(t, "new access", f.auth(t, second.Access), nil)
	f.advance(time.Hour)
	_, _, err = f.m.Refresh(t.Context(), second.Refresh, sessions.Info{})
	want(t, "life goes on", err, nil)
}

func TestReuseEndsTheSession(t *testing.T) {
	type step struct {
		use     int // index of the refresh token, in the order they were given out
		wait    time.Duration
		refused bool
	}
	for name, steps := range map[string][]step{
		"previous after 30 s":                   {{0, 0, false}, {0, 30 * time.Second, true}},
		"previous when its successor was used":  {{0, 0, false}, {1, 0, false}, {0, 0, true}},
		"previous a second time":                {{0, 0, false}, {0, time.Second, false}, {0, time.Second, true}},
		"the successor that the lost reply had": {{0, 0, false}, {0, time.Second, false}, {1, time.Second, true}},
		"an old one":                            {{0, 0, false}, {1, time.Hour, false}, {2, time.Hour, false}, {0, 0, true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			tokens, s := f.issue(t, true)
			given := []sessions.Tokens{tokens}
			for i, st := range steps {
				f.advance(st.wait)
				next, _, err := f.m.Refresh(t.Context(), given[st.use].Refresh, sessions.Info{})
				if st.refused != (err != nil) || err != nil && !errors.Is(err, core.ErrUnauthenticated) {
					t.Fatalf("step %d: %v", i, err)
				}
				given = append(given, next)
			}
			last := given[len(given)-2]
			want(t, "access of the whole family", f.auth(t, last.Access), core.ErrUnauthenticated)
			_, _, err := f.m.Refresh(t.Context(), last.Refresh, sessions.Info{})
			want(t, "refresh of the whole family", err, core.ErrUnauthenticated)
			if len(f.ended.ids) != 1 || f.ended.ids[0] != s.ID {
				t.Errorf("OnEnd was told %v, want once the session", f.ended.ids)
			}
			if strings.Contains(f.log.String(), s.ID) {
				t.Error("the session's id is in the log")
			}
		})
	}
}

func TestAnInventedTokenOfNoSessionEndsNothing(t *testing.T) {
	f := newFixture(t)
	tokens, _ := f.issue(t, true)
	text := tokens.Refresh.Reveal()
	for _, bad := range []string{"", "plt_r_", "plt_r_aaaaaaaaaaaaaaaaaaaaaaaaaa_x", text[:20], "plt_a_" + text[6:]} {
		_, _, err := f.m.Refresh(t.Context(), secret.New(bad), sessions.Info{})
		want(t, "invented", err, core.ErrUnauthenticated)
	}
	_, _, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
	want(t, "real", err, nil)
}

func TestDisabledUserIsOut(t *testing.T) {
	f := newFixture(t)
	tokens, s := f.issue(t, true)
	want(t, "before", f.auth(t, tokens.Access), nil)
	disable(t, f.store, f.user)
	f.advance(5 * time.Second) // nobody told: another process did it
	want(t, "after", f.auth(t, tokens.Access), core.ErrDisabled)
	_, _, err := f.m.Check(t.Context(), s.ID)
	want(t, "check", err, core.ErrDisabled)
	_, _, err = f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
	want(t, "refresh", err, core.ErrDisabled)
	_, _, err = f.m.Issue(t.Context(), f.user, sessions.Info{})
	want(t, "issue", err, core.ErrDisabled)
	f.m.UserChanged(t.Context(), f.user)
	if !slices.Equal(f.ended.ids, []string{s.ID, ""}) {
		t.Errorf("OnEnd was told %q", f.ended.ids)
	}
	list, err := f.m.List(t.Context(), f.user)
	if len(list) != 0 || err != nil {
		t.Errorf("List = %v, %v", list, err)
	}
}

// Who holds a token of the session reads why it ended; nobody else does.
func TestRefreshTellsThatAPersonIsDisabledOnlyToTheTokensHolder(t *testing.T) {
	type family struct{ first, current sessions.Tokens } // first was exchanged for current, one second ago
	for _, tt := range []struct {
		name    string
		between func(t *testing.T, f *fixture, fam family, s core.Session) // after the exchange, before the person is disabled
		present func(fam family) secret.String
		later   func(f *fixture) // after the person was disabled
		want    error
	}{
		{name: "the current token", want: core.ErrDisabled},
		{name: "the previous one, whose reply may be lost", present: func(fam family) secret.String { return fam.first.Refresh }, want: core.ErrDisabled},
		{
			name: "the previous one, too late", present: func(fam family) secret.String { return fam.first.Refresh },
			later: func(f *fixture) { f.advance(sessions.Grace) }, want: core.ErrUnauthenticated,
		},
		{
			name: "an invented secret of the session",
			present: func(fam family) secret.String {
				return secret.New(fam.current.Refresh.Reveal()[:40] + strings.Repeat("a", 36))
			},
			want: core.ErrUnauthenticated,
		},
		{name: "the access token", present: func(fam family) secret.String { return fam.current.Access }, want: core.ErrUnauthenticated},
		{name: "an expired session", later: func(f *fixture) { f.advance(12 * time.Hour) }, want: core.ErrUnauthenticated},
		{
			name: "a session that was signed out", between: func(t *testing.T, f *fixture, _ family, s core.Session) {
				want(t, "sign out", f.m.Revoke(t.Context(), "user:1", f.user, s.ID), nil)
			}, want: core.ErrUnauthenticated,
		},
		{
			name: "a session of which somebody has a copy", between: func(t *testing.T, f *fixture, fam family, _ core.Session) {
				f.advance(sessions.Grace)
				_, _, err := f.m.Refresh(t.Context(), fam.first.Refresh, sessions.Info{})
				want(t, "reuse", err, core.ErrUnauthenticated)
			}, want: core.ErrUnauthenticated,
		},
		{name: "a person enabled again", later: func(f *fixture) { setDisabled(t, f.store, f.user, false) }, want: core.ErrUnauthenticated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			first, s := f.issue(t, false)
			current, _, err := f.m.Refresh(t.Context(), first.Refresh, sessions.Info{})
			want(t, "first refresh", err, nil)
			f.advance(time.Second)
			fam := family{first, current}
			if tt.between != nil {
				tt.between(t, f, fam, s)
			}
			disable(t, f.store, f.user)
			f.m.UserChanged(t.Context(), f.user)
			if tt.later != nil {
				tt.later(f)
			}
			token := fam.current.Refresh
			if tt.present != nil {
				token = tt.present(fam)
			}
			ended := len(f.ended.ids)
			for range 2 { // asking changes nothing
				got, _, err := f.m.Refresh(t.Context(), token, sessions.Info{})
				want(t, "refresh", err, tt.want)
				if !got.Access.Empty() || !got.Refresh.Empty() {
					t.Error("tokens were given out")
				}
			}
			want(t, "access", f.auth(t, fam.current.Access), core.ErrUnauthenticated)
			if len(f.ended.ids) != ended {
				t.Errorf("OnEnd was told %q", f.ended.ids[ended:])
			}
		})
	}
}

func TestListAndRevoke(t *testing.T) {
	f := newFixture(t)
	other := addUser(t, f.store)
	a, sa := f.issue(t, true)
	f.advance(time.Second)
	b, sb := f.issue(t, false)
	list, err := f.m.List(t.Context(), f.user)
	if err != nil || len(list) != 2 || list[0].ID != sb.ID || list[1].ID != sa.ID {
		t.Fatalf("List = %+v, %v", list, err)
	}
	want(t, "somebody else's session", f.m.Revoke(t.Context(), "user:2", other, sa.ID), core.ErrNotFound)
	want(t, "no session", f.m.Revoke(t.Context(), "user:1", f.user, "nothing"), core.ErrNotFound)
	want(t, "still in force", f.auth(t, a.Access), nil)
	want(t, "own", f.m.Revoke(t.Context(), "user:1", f.user, sa.ID), nil)
	want(t, "own again", f.m.Revoke(t.Context(), "user:1", f.user, sa.ID), nil)
	want(t, "revoked", f.auth(t, a.Access), core.ErrUnauthenticated)
	_, _, err = f.m.Check(t.Context(), sa.ID)
	want(t, "check revoked", err, core.ErrUnauthenticated)
	if got, u, err := f.m.Check(t.Context(), sb.ID); err != nil || got.ID != sb.ID || u.ID != f.user {
		t.Errorf("Check = %+v, %+v, %v", got, u, err)
	}
	want(t, "the other", f.auth(t, b.Access), nil)
	n, err := f.m.RevokeUser(t.Context(), "admin", f.user)
	if n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	want(t, "all", f.auth(t, b.Access), core.ErrUnauthenticated)
	if fmt.Sprint(f.ended.ids) != fmt.Sprint([]string{sa.ID, sb.ID}) {
		t.Errorf("OnEnd was told %v", f.ended.ids)
	}
	f.advance(8 * 24 * time.Hour)
	if n, err := f.m.Purge(t.Context()); n != 2 || err != nil {
		t.Errorf("Purge = %d, %v", n, err)
	}
}

func TestLastSeenIsWrittenSeldom(t *testing.T) {
	f := newFixture(t)
	tokens, s := f.issue(t, true)
	seen := func() (at time.Time) {
		mustUpdate(t, f.store, func(tx store.Tx) error {
			got, err := tx.Session(t.Context(), s.ID)
			at = got.LastSeenAt
			return err
		})
		return at
	}
	f.advance(4 * time.Minute)
	want(t, "auth", f.auth(t, tokens.Access), nil)
	if got := seen(); !got.Equal(start) {
		t.Errorf("written after 4 minutes: %v", got)
	}
	f.advance(time.Minute)
	want(t, "auth", f.auth(t, tokens.Access), nil)
	if got := seen(); !got.Equal(start.Add(5 * time.Minute)) {
		t.Errorf("not written after 5 minutes: %v", got)
	}
}

// Of many refreshes with the same token at the same time, at most two get tokens (the first and one for a lost reply), and the
// session is never left with two owners.
func TestConcurrentRefreshOfOneToken(t *testing.T) {
	f := newFixture(t)
	tokens, _ := f.issue(t, true)
	var ok atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, _, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
			switch {
			case err == nil:
				ok.Add(1)
			case !errors.Is(err, core.ErrUnauthenticated):
				t.Errorf("Refresh: %v", err)
			}
		})
	}
	wg.Wait()
	if ok.Load() != 2 {
		t.Errorf("%d of 8 got tokens, want 2", ok.Load())
	}
	if list, err := f.m.List(t.Context(), f.user); len(list) != 0 || err != nil {
		t.Errorf("six reuses left %d sessions, %v", len(list), err)
	}
}

// TestModel compares random histories with the rule as the design words it.
func TestModel(t *testing.T) {
	s := storetest.OpenSQLite(t)
	rapid.Check(t, func(t *rapid.T) {
		h := newHands()
		m := sessions.New(s, h.clock(), sessions.Options{})
		stay := rapid.Bool().Draw(t, "stay")
		tokens, _, err := m.Issue(context.Background(), addUser(t, s), sessions.Info{StaySignedIn: stay})
		if err != nil {
			t.Fatal(err)
		}
		given := []sessions.Tokens{tokens}
		current, previous, previousUntil := 0, -1, time.Time{}
		alive, accessUntil := true, h.now().Add(10*time.Minute)
		ends := h.now().Add(12 * time.Hour)
		if stay {
			ends = h.now().Add(90 * 24 * time.Hour)
		}
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				h.advance(rapid.SampledFrom([]time.Duration{time.Second, 29 * time.Second, time.Minute, 11 * time.Minute, 5 * time.Hour, 40 * 24 * time.Hour}).Draw(t, "d"))
			},
			"refresh": func(t *rapid.T) {
				i := len(given) - 1 - rapid.IntRange(0, min(2, len(given)-1)).Draw(t, "back")
				now := h.now()
				next, _, err := m.Refresh(context.Background(), given[i].Refresh, sessions.Info{})
				inTime := alive && now.Before(ends)
				switch {
				case inTime && i == current:
					previous, previousUntil = current, now.Add(30*time.Second)
				case inTime && i == previous && now.Before(previousUntil):
					previous = -1
				default:
					if !errors.Is(err, core.ErrUnauthenticated) {
						t.Fatalf("token %d of %d was accepted or failed otherwise: %v", i, len(given), err)
					}
					alive = alive && !inTime
					return
				}
				if err != nil {
					t.Fatalf("token %d was refused: %v", i, err)
				}
				given = append(given, next)
				current, accessUntil = len(given)-1, now.Add(10*time.Minute)
				if stay {
					ends = now.Add(90 * 24 * time.Hour)
				}
			},
			"": func(t *rapid.T) {
				for i, tokens := range given {
					_, _, err := m.Authenticate(context.Background(), tokens.Access)
					valid := i == current && alive && h.now().Before(accessUntil) && h.now().Before(ends)
					if valid != (err == nil) {
						t.Fatalf("access token %d: %v, want valid %v", i, err, valid)
					}
				}
			},
		})
	})
}
