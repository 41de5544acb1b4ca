package microsoft_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/internal/testenv"
)

func TestTheSignInIsKeptInGNOMEKeyring(t *testing.T) {
	bus := testenv.SessionBus(t)
	ring := testenv.Keyring(t, bus, true)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", bus)
	dir, e := t.TempDir(), start(t)
	store := func() *tokenstore.Store {
		s := tokenstore.Open(t.Context(), tokenstore.Options{Dir: dir, ServerURL: "https://print.example.org", OSUser: "1000", Timeout: 20 * time.Second})
		if !s.Persistent() {
			t.Fatalf("the store is not persistent: %+v", s.Status())
		}
		return s
	}
	with := func(s *tokenstore.Store) *desk {
		return sit(t, e, "mia@example.org", func(o *microsoft.Options) { o.Cache = s.MicrosoftCache() })
	}
	token := with(store()).signIn(t, microsoft.Request{})
	again, err := with(store()).Silent(t.Context(), token.HomeAccountID)
	if err != nil || !again.AccessToken.Equal(token.AccessToken) {
		t.Errorf("after a restart: %v", err)
	}
	for _, place := range []string{dir, ring.Home()} {
		for path, content := range files(t, place) {
			for _, secret := range append(strings.Split(token.AccessToken.Reveal(), "."), "refresh", "mia@example.org") {
				if strings.Contains(strings.ToLower(content), strings.ToLower(secret)) {
					t.Errorf("%s has %.20q in clear", path, secret)
				}
			}
		}
	}
	ring.Restart(false) // locked: the person signs in again, or waits for the keyring
	locked := tokenstore.Open(t.Context(), tokenstore.Options{Dir: dir, ServerURL: "https://print.example.org", OSUser: "1000", Timeout: 20 * time.Second})
	if _, err := with(locked).Silent(t.Context(), ""); failure(t, err).Kind != microsoft.NoAccount {
		t.Errorf("with a locked keyring: %v", err)
	}
	ring.Restart(true)
	last := store()
	d := with(last)
	if _, err := d.Silent(t.Context(), ""); err != nil {
		t.Errorf("once it is open again: %v", err)
	}
	if err := d.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

// files lists the files below dir with their content.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		found[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
