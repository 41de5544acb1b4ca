package stage

import (
	"os"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/fakedesktop"
	"github.com/platenprint/platen/internal/testenv"
)

// The tests of this package have mounts of their own where they can, so that nothing of this computer is touched.
func TestMain(m *testing.M) {
	noMounts = OwnMounts()
	os.Exit(m.Run())
}

// noMounts is why there are none.
var noMounts error

func TestAWorkstationKnowsThePeopleOfTheDirectory(t *testing.T) {
	if noMounts != nil {
		t.Skip(noMounts)
	}
	testenv.Program(t, "sssd", "sssd-common")
	testenv.Program(t, "slapd", "slapd")
	place, err := NewPlace(t.TempDir(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := place.CleanUp(); err != nil {
			t.Error(err)
		}
	})
	alex := Account{Name: "alex.test", Full: "Alex Test", UID: 471100}
	if err := place.Workstation(t.Context(), alex, Account{Name: "sam.okafor", Full: "Sam Okafor", UID: 471101}); err != nil {
		t.Fatal(err)
	}
	login, err := place.Login(alex)
	if err != nil {
		t.Fatal(err)
	}
	said, err := login.Command(t.Context(), nil, "", "/usr/bin/id")
	if err != nil || !strings.HasPrefix(said, "uid=471100(alex.test)") {
		t.Errorf("id says %q, %v", said, err)
	}
	screen, err := login.Screen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tray, err := fakedesktop.NewTray(screen.Bus, true) // ours, on their bus
	if err != nil {
		t.Fatal(err)
	}
	if err := tray.Close(); err != nil {
		t.Error(err)
	}
	if local, err := os.ReadFile("/etc/passwd"); err != nil || strings.Contains(string(local), "alex") {
		t.Errorf("the account is in /etc/passwd, so it is no directory's: %v", err)
	}
}
