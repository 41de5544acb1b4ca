package tokenstore_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
)

const (
	server = "https://print.example.org:9443"
	osUser = "S-1-5-21-1-2-3-1104"
	canary = "CANARY-refresh-t0ken"
	note   = `{"balance":"CANARY-note 12.50"}`
)

var savedAt = time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)

func tokens() tokenstore.Tokens {
	return tokenstore.Tokens{Username: "CANARY.alex@example.org", UserID: "CANARY-id-42", RefreshToken: secret.New(canary)}
}

func kept() tokenstore.Tokens {
	t := tokens()
	t.ServerURL, t.SavedAt = server, savedAt
	return t
}

func open(t *testing.T, dir string, ring tokenstore.Keyring, change ...func(*tokenstore.Options)) *tokenstore.Store {
	t.Helper()
	opts := tokenstore.Options{
		Dir: dir, ServerURL: server, OSUser: osUser, Keyring: ring, Clock: clock.Fixed(savedAt), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, c := range change {
		c(&opts)
	}
	return tokenstore.Open(t.Context(), opts)
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// mustLoad loads and compares; a want with the zero value stands for ErrNone.
func mustLoad(t *testing.T, s *tokenstore.Store, want tokenstore.Tokens) {
	t.Helper()
	got, err := s.Load(t.Context())
	if cmp.Equal(want, tokenstore.Tokens{}) {
		if !errors.Is(err, tokenstore.ErrNone) {
			t.Errorf("Load() = %+v, %v; want ErrNone", got, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "Load()", want, got)
}

func save(t *testing.T, s *tokenstore.Store) {
	t.Helper()
	if err := s.Save(t.Context(), tokens()); err != nil {
		t.Fatal(err)
	}
}

func TestASessionOutlivesTheProgram(t *testing.T) {
	dir, ring := filepath.Join(t.TempDir(), "a", "state [1]"), newFake()
	s := open(t, dir, ring)
	mustLoad(t, s, tokenstore.Tokens{})
	if _, err := s.LoadNote(t.Context()); !errors.Is(err, tokenstore.ErrNone) {
		t.Errorf("LoadNote() of nothing: %v", err)
	}
	save(t, s)
	if err := s.SaveNote(t.Context(), []byte(note)); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, s, kept())
	equal(t, "Status()", tokenstore.Status{Persistent: true, Keyring: tokenstore.Availability{State: tokenstore.Available}}, s.Status())

	again := open(t, dir, ring)
	mustLoad(t, again, kept())
	got, err := again.LoadNote(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "LoadNote()", note, string(got))
}

func TestNothingIsOnDiskInClearAndNobodyElseCanReadIt(t *testing.T) {
	dir, ring := filepath.Join(t.TempDir(), "state"), newFake()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, ring)
	save(t, s)
	if err := s.SaveNote(t.Context(), []byte(note)); err != nil {
		t.Fatal(err)
	}
	all := files(t, dir)
	if len(all) != 2 {
		t.Errorf("%d files, want 2: %v", len(all), slices.Collect(maps.Keys(all)))
	}
	for path, content := range all {
		for _, clear := range []string{"CANARY", canary, "example.org", osUser, "12.50"} {
			if strings.Contains(content, clear) || strings.Contains(path, clear) {
				t.Errorf("%s has %q in clear", path, clear)
			}
		}
		for _, item := range ring.items {
			if strings.Contains(content, strings.TrimPrefix(item, "v1:")) {
				t.Errorf("%s has the key", path)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
	for _, item := range ring.items {
		if len(item) > 64 || strings.Contains(item, canary) {
			t.Errorf("the keyring holds %d bytes", len(item))
		}
	}
}

func TestTheSameSessionIsSealedDifferentlyEachTime(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	save(t, s)
	before := files(t, dir)
	save(t, s)
	for path, content := range files(t, dir) {
		if before[path] == content {
			t.Errorf("%s is sealed with the same nonce", path)
		}
	}
}

func TestWithoutAKeyringTheSessionIsKeptInMemoryAndSaysSo(t *testing.T) {
	for _, state := range []tokenstore.State{tokenstore.Missing, tokenstore.Locked, tokenstore.Failing} {
		t.Run(string(state), func(t *testing.T) {
			dir, ring := t.TempDir(), newFake()
			ring.state = tokenstore.Availability{State: state, Reason: "because of " + string(state)}
			s := open(t, dir, ring)
			want := tokenstore.Status{Keyring: ring.state, Reason: "because of " + string(state)}
			equal(t, "Status() before", want, s.Status())
			save(t, s)
			if err := s.SaveNote(t.Context(), []byte(note)); err != nil {
				t.Fatal(err)
			}
			mustLoad(t, s, kept())
			if got, err := s.LoadNote(t.Context()); err != nil || string(got) != note {
				t.Errorf("LoadNote() = %q, %v", got, err)
			}
			equal(t, "Status() after", want, s.Status())
			if s.Persistent() {
				t.Error("Persistent() = true")
			}
			equal(t, "files", map[string]string{}, files(t, dir))
			mustLoad(t, open(t, dir, ring), tokenstore.Tokens{})
		})
	}
}

func TestAKeyringThatComesLaterIsUsedFromThenOn(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	ring.state.State = tokenstore.Locked
	s := open(t, dir, ring)
	save(t, s)
	ring.set(func() { ring.state.State = tokenstore.Available })
	save(t, s)
	if !s.Persistent() {
		t.Errorf("Status() = %+v", s.Status())
	}
	mustLoad(t, open(t, dir, ring), kept())
}

func TestALockedKeyringLeavesTheFileForNextTime(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	save(t, open(t, dir, ring))
	ring.set(func() { ring.state = tokenstore.Availability{State: tokenstore.Locked, Reason: "it is locked"} })
	_, err := open(t, dir, ring).Load(t.Context())
	var gone *tokenstore.UnavailableError
	if !errors.Is(err, tokenstore.ErrUnavailable) || !errors.As(err, &gone) || gone.State != tokenstore.Locked {
		t.Errorf("Load() with a locked keyring: %v", err)
	}
	ring.set(func() { ring.state.State = tokenstore.Available })
	mustLoad(t, open(t, dir, ring), kept())
}

func TestASpentTokenIsNotLeftOnDisk(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	save(t, open(t, dir, ring))
	ring.set(func() { ring.state.State = tokenstore.Locked })
	save(t, open(t, dir, ring)) // another sign-in, in memory: the older session must not come back
	ring.set(func() { ring.state.State = tokenstore.Available })
	mustLoad(t, open(t, dir, ring), tokenstore.Tokens{})
}

func TestOnceTheKeyIsKnownTheKeyringIsLeftAlone(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	save(t, s)
	calls := ring.count()
	ring.set(func() { ring.state.State = tokenstore.Locked })
	save(t, s)
	if ring.count() != calls || !s.Persistent() {
		t.Errorf("%d more calls, Status() = %+v", ring.count()-calls, s.Status())
	}
}

func TestKeyringFaults(t *testing.T) {
	tests := []struct {
		name   string
		breaks func(*fakeKeyring)
		reason string
	}{
		{"reading fails", func(f *fakeKeyring) { f.getErr = errors.New("dbus: connection closed") }, "read the key: dbus: connection closed"},
		{"too small for the key", func(f *fakeKeyring) { f.limit = 8 }, "keep a new key: data passed to Set was too big"},
		{"keeps nothing", func(f *fakeKeyring) { f.forgets = true }, "the keyring does not keep what it is given"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, ring := t.TempDir(), newFake()
			tt.breaks(ring)
			s := open(t, dir, ring)
			save(t, s)
			mustLoad(t, s, kept())
			want := tokenstore.Status{Keyring: tokenstore.Availability{State: tokenstore.Failing, Reason: tt.reason}, Reason: tt.reason}
			equal(t, "Status()", want, s.Status())
			equal(t, "files", map[string]string{}, files(t, dir))
		})
	}
}

func TestABlockedKeyringCostsTheDeadlineAndOneGoroutine(t *testing.T) {
	for _, call := range []string{"probe", "get", "set"} {
		t.Run(call, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir, ring := t.TempDir(), newFake()
				ring.blocking[call] = true
				start := time.Now()
				s := open(t, dir, ring)
				save(t, s)
				if took := time.Since(start); took < tokenstore.DefaultTimeout || took > 2*tokenstore.DefaultTimeout {
					t.Errorf("took %v, want the deadline of %v once or twice", took, tokenstore.DefaultTimeout)
				}
				mustLoad(t, s, kept())
				if got := s.Status(); got.Persistent || got.Keyring.State != tokenstore.Unresponsive || got.Reason == "" {
					t.Errorf("Status() = %+v", got)
				}
				// The call still runs: no second one is piled upon it.
				calls := ring.count()
				for range 5 {
					save(t, s)
				}
				if ring.count() != calls {
					t.Errorf("%d more calls while one was blocked", ring.count()-calls)
				}
				// When the keyring wakes up at last, the next Save is persistent.
				ring.set(func() { ring.blocking[call] = false })
				close(ring.blocked)
				synctest.Wait()
				save(t, s)
				if !s.Persistent() {
					t.Errorf("Status() after waking up = %+v", s.Status())
				}
				mustLoad(t, open(t, dir, ring), kept())
			})
		})
	}
}

func TestSaveAtTheEndOfTheProgramStillSaves(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Save(ctx, tokens()); err != nil || !s.Persistent() {
		t.Errorf("Save() = %v, Status() = %+v", err, s.Status())
	}
	mustLoad(t, open(t, dir, ring), kept())
}

func TestLoadStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, ring := t.TempDir(), newFake()
		save(t, open(t, dir, ring))
		s := open(t, dir, ring)
		ring.set(func() { ring.blocking["get"] = true })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := s.Load(ctx); !errors.Is(err, tokenstore.ErrUnavailable) || time.Since(start) != time.Second {
			t.Errorf("Load() = %v after %v", err, time.Since(start))
		}
		close(ring.blocked)
	})
}

func TestDamagedAndForeignFilesAreMovedAside(t *testing.T) {
	change := func(at int, to byte) func(*testing.T, string, *fakeKeyring) {
		return func(t *testing.T, path string, _ *fakeKeyring) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			raw[(at+len(raw))%len(raw)] ^= to
			if err := os.WriteFile(path, raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	content := func(text string) func(*testing.T, string, *fakeKeyring) {
		return func(t *testing.T, path string, _ *fakeKeyring) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name   string
		damage func(t *testing.T, path string, ring *fakeKeyring)
		opts   func(*tokenstore.Options)
		want   error
		says   string
	}{
		{name: "empty", damage: content(""), want: tokenstore.ErrDamaged, says: "not one of our files"},
		{name: "plain text", damage: content(`{"refresh_token":"x"}`), want: tokenstore.ErrDamaged, says: "not one of our files"},
		{name: "far too large", damage: content(strings.Repeat("x", 2<<20)), want: tokenstore.ErrDamaged, says: "larger than"},
		{name: "last byte", damage: change(-1, 1), want: tokenstore.ErrDamaged},
		{name: "nonce", damage: change(24, 1), want: tokenstore.ErrDamaged},
		{name: "cut short", want: tokenstore.ErrDamaged, says: "cut short", damage: func(t *testing.T, path string, _ *fakeKeyring) {
			if err := os.Truncate(path, 30); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "a newer version", damage: change(6, 3), want: tokenstore.ErrForeign, says: "version 2"},
		{name: "key id", damage: change(8, 1), want: tokenstore.ErrForeign, says: "key in the keyring has changed"},
		{name: "key removed from the keyring", want: tokenstore.ErrForeign, says: "has no key", damage: func(_ *testing.T, _ string, ring *fakeKeyring) {
			clear(ring.items)
		}},
		{name: "something else in the keyring", want: tokenstore.ErrForeign, says: "has no key", damage: func(_ *testing.T, _ string, ring *fakeKeyring) {
			for name := range ring.items {
				ring.items[name] = "v1:short"
			}
		}},
		{name: "another OS account", opts: func(o *tokenstore.Options) { o.OSUser = "S-1-5-21-1-2-3-1105" }, want: tokenstore.ErrForeign, says: "another server or OS account"},
		{name: "the note in its place", want: tokenstore.ErrForeign, says: "another kind", damage: func(t *testing.T, path string, _ *fakeKeyring) {
			if err := os.Rename(only(t, filepath.Dir(path), "note-", ".sealed"), path); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, ring := t.TempDir(), newFake()
			s := open(t, dir, ring)
			save(t, s)
			if err := s.SaveNote(t.Context(), []byte(note)); err != nil {
				t.Fatal(err)
			}
			path := only(t, dir, "session-", ".sealed")
			if tt.damage != nil {
				tt.damage(t, path, ring)
			}
			opts := func(*tokenstore.Options) {}
			if tt.opts != nil {
				opts = tt.opts
			}
			again := open(t, dir, ring, opts)
			if got, err := again.Load(t.Context()); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Load() = %+v, %v; want %v, saying %q", got, err, tt.want, tt.says)
			}
			only(t, dir, "session-", ".unreadable")
			mustLoad(t, again, tokenstore.Tokens{})
			// The person signs in again and all is well.
			save(t, again)
			mustLoad(t, open(t, dir, ring, opts), kept())
		})
	}
}

func TestAFileOfAnotherServerIsNotTaken(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	other := func(o *tokenstore.Options) { o.ServerURL = "https://other.example.net/" }
	save(t, open(t, dir, ring))
	mustLoad(t, open(t, dir, ring, other), tokenstore.Tokens{})
	from := only(t, dir, "session-", ".sealed")
	b := open(t, dir, ring, other)
	save(t, b)
	for path := range files(t, dir) {
		if path != from {
			if err := os.Rename(from, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := open(t, dir, ring, other).Load(t.Context()); !errors.Is(err, tokenstore.ErrForeign) {
		t.Errorf("Load() of another server's file: %v", err)
	}
	if err := b.Save(t.Context(), tokenstore.Tokens{ServerURL: server}); err == nil {
		t.Error("Save() took the tokens of another server")
	}
}

func TestClearForgetsEverything(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	save(t, s)
	if err := s.SaveNote(t.Context(), []byte(note)); err != nil {
		t.Fatal(err)
	}
	other := open(t, dir, ring, func(o *tokenstore.Options) { o.ServerURL = "https://other.example.net" })
	save(t, other)
	if err := s.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, s, tokenstore.Tokens{})
	if len(files(t, dir)) != 1 || len(ring.items) != 1 {
		t.Errorf("the other server's session is gone too: %d files, %d keys", len(files(t, dir)), len(ring.items))
	}
	if err := errors.Join(other.Clear(t.Context()), other.Clear(t.Context())); err != nil {
		t.Fatal(err)
	}
	if len(files(t, dir)) != 0 || len(ring.items) != 0 {
		t.Errorf("left: %d files, %d keys", len(files(t, dir)), len(ring.items))
	}
	save(t, s)
	mustLoad(t, open(t, dir, ring), kept())
}

func TestClearWorksWithALockedKeyring(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	save(t, s)
	ring.set(func() { ring.state.State = tokenstore.Locked })
	if err := s.Clear(t.Context()); err != nil || len(files(t, dir)) != 0 {
		t.Errorf("Clear() = %v, %d files left", err, len(files(t, dir)))
	}
}

func TestADiskThatFailsIsAnErrorAndNothingOldIsLeft(t *testing.T) {
	parent, ring := t.TempDir(), newFake()
	dir := filepath.Join(parent, "state")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	s := open(t, dir, ring)
	if err := s.Save(t.Context(), tokens()); err == nil {
		t.Error("Save() without a folder succeeded")
	}
	if got := s.Status(); got.Persistent || got.Reason == "" {
		t.Errorf("Status() = %+v", got)
	}
	mustLoad(t, s, kept())
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	save(t, s)
	mustLoad(t, open(t, dir, ring), kept())
}

func TestWhatACrashLeftIsRemoved(t *testing.T) {
	dir, ring := t.TempDir(), newFake()
	s := open(t, dir, ring)
	save(t, s)
	if err := os.WriteFile(only(t, dir, "session-", ".sealed")+".tmp123", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, open(t, dir, ring), kept())
	save(t, s)
	if n := len(files(t, dir)); n != 1 {
		t.Errorf("%d files, want 1", n)
	}
}

func TestANoteThatIsTooLargeIsRefused(t *testing.T) {
	s := open(t, t.TempDir(), newFake())
	if err := s.SaveNote(t.Context(), make([]byte, 1<<20)); err == nil {
		t.Error("SaveNote() took a MiB")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("PLATEN\x01\x01"))
	f.Add([]byte("PLATEN\x01\x01keyid888ownerid8nonce1234567ciphertext with a tag"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir, ring := t.TempDir(), newFake()
		s := open(t, dir, ring)
		save(t, s)
		path := only(t, dir, "session-", ".sealed")
		sealed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// The raw bytes alone, and behind a good header.
		for _, content := range [][]byte{raw, append(sealed[:24:24], raw...)} {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := open(t, dir, ring).Load(t.Context()); !errors.Is(err, tokenstore.ErrDamaged) && !errors.Is(err, tokenstore.ErrForeign) {
				t.Errorf("Load() of junk = %+v, %v", got, err)
			}
		}
	})
}
