package tokenstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/internal/secret"
)

func TestPurgeRemovesWhatIsKeptOfAllServers(t *testing.T) {
	for name, test := range map[string]struct {
		state   tokenstore.State
		offline bool
		key     bool // it is told to be gone
		left    int  // keys in the keyring
	}{
		"":                         {tokenstore.Available, false, true, 0},
		"a keyring that is locked": {tokenstore.Locked, false, false, 1},
		"offline":                  {tokenstore.Available, true, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir, ring := t.TempDir(), newFake()
			for _, server := range []string{"https://one.example.org", "https://two.example.org"} {
				s := open(t, dir, ring, func(o *tokenstore.Options) { o.ServerURL = server })
				if err := errors.Join(s.Save(t.Context(), tokenstore.Tokens{RefreshToken: secret.New("r")}), s.SaveNote(t.Context(), []byte("note")),
					s.MicrosoftCache().Save(t.Context(), []byte("cache"))); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range []string{"session-x.sealed.unreadable", "note-x.sealed.tmp123", "sealed.txt", "session-x.txt", "platen.log"} {
				if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ring.set(func() { ring.state.State = test.state })
			before := ring.count()
			done, err := tokenstore.Purge(t.Context(), tokenstore.Options{Dir: dir, Keyring: ring}, test.offline)
			if err != nil || done.Files != 8 || done.Key != test.key || len(ring.items) != test.left {
				t.Errorf("%+v, %v; %d keys left", done, err, len(ring.items))
			}
			if test.offline && ring.count() != before {
				t.Error("the keyring was asked")
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, e := range entries {
				left = append(left, e.Name())
			}
			if diff := cmp.Diff([]string{"platen.log", "sealed.txt", "session-x.txt"}, left); diff != "" {
				t.Error(diff)
			}
			if done, err := tokenstore.Purge(t.Context(), tokenstore.Options{Dir: dir, Keyring: ring}, test.offline); err != nil || done.Files != 0 {
				t.Errorf("again: %+v, %v", done, err)
			}
		})
	}
	if done, err := tokenstore.Purge(t.Context(), tokenstore.Options{Dir: filepath.Join(t.TempDir(), "none"), Keyring: newFake()}, false); err != nil || done.Files != 0 {
		t.Errorf("no folder: %+v, %v", done, err)
	}
}
