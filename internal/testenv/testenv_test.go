package testenv_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/internal/testenv"
)

func TestSessionBusIsPrivateAndStartsNothing(t *testing.T) {
	a, b := testenv.SessionBus(t), testenv.SessionBus(t)
	if a == b {
		t.Fatalf("two buses have the address %s", a)
	}
	conn := testenv.Dial(t, a)
	var names []string
	if err := conn.BusObject().Call("org.freedesktop.DBus.ListActivatableNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	if len(names) != 1 || names[0] != "org.freedesktop.DBus" {
		t.Errorf("the bus would start %v", names)
	}
	if owner, err := conn.RequestName("org.example.Test", dbus.NameFlagDoNotQueue); err != nil || owner != dbus.RequestNameReplyPrimaryOwner {
		t.Errorf("RequestName: %v, %v", owner, err)
	}
	testenv.AwaitName(t, a, "org.example.Test")
}

func TestKeyringIsUnlockedLockedAndKeptOverARestart(t *testing.T) {
	address := testenv.SessionBus(t)
	keyring := testenv.Keyring(t, address, true)
	conn := testenv.Dial(t, address)
	for _, unlocked := range []bool{true, false, true} {
		keyring.Restart(unlocked)
		login := conn.Object(testenv.SecretService, "/org/freedesktop/secrets/collection/login")
		locked, err := login.GetProperty("org.freedesktop.Secret.Collection.Locked")
		if err != nil {
			t.Fatal(err)
		}
		if locked.Value() == unlocked {
			t.Errorf("the login keyring has Locked = %v, want %v", locked, !unlocked)
		}
	}
	if _, err := os.Stat(filepath.Join(keyring.Home(), "data", "keyrings", "login.keyring")); err != nil {
		t.Errorf("the keyring is not in its own folder: %v", err)
	}
}

func TestKeyringStopped(t *testing.T) {
	address := testenv.SessionBus(t)
	keyring := testenv.Keyring(t, address, false)
	keyring.Stop()
	keyring.Stop()
	var owned bool
	conn := testenv.Dial(t, address)
	if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, testenv.SecretService).Store(&owned); err != nil || owned {
		t.Errorf("NameHasOwner = %v, %v", owned, err)
	}
}
