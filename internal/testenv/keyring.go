package testenv

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
)

// SecretService is the name on the session bus that every keyring of the freedesktop.org Secret Service owns.
const SecretService = "org.freedesktop.secrets"

// keyringPassword locks the login keyring of KeyringDaemon.
const keyringPassword = "test"

// KeyringDaemon is a private gnome-keyring-daemon with folders of its own.
type KeyringDaemon struct {
	t       testing.TB
	address string
	dir     string
	process *process
}

// Keyring starts a GNOME keyring on the bus at address, with a login keyring that is unlocked or locked, and waits until
// it answers. It stops when the test ends. The traps it knows: without waiting, a second daemon may be started over the
// bus and read an empty keyring file; a locked login keyring has to be made by an unlocked daemon first.
func Keyring(t testing.TB, address string, unlocked bool) *KeyringDaemon {
	t.Helper()
	k := &KeyringDaemon{t: t, address: address, dir: shortDir(t)}
	for _, sub := range []string{"run", "home", "data", "config", "cache"} {
		if err := os.Mkdir(filepath.Join(k.dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(k.Stop)
	k.start(true)
	if !unlocked {
		k.Restart(false)
	}
	return k
}

// Home is the folder with everything that the keyring keeps.
func (k *KeyringDaemon) Home() string { return k.dir }

// Restart stops the keyring and starts it again with what it has kept, unlocked or locked.
func (k *KeyringDaemon) Restart(unlocked bool) {
	k.t.Helper()
	k.Stop()
	k.start(unlocked)
}

// Stop ends the keyring and waits until the bus has noticed. Stopping twice is fine.
func (k *KeyringDaemon) Stop() {
	if k.process == nil {
		return
	}
	k.process.stop()
	k.process = nil
	conn, err := dbus.Connect(k.address)
	if err != nil {
		return // the bus is gone too
	}
	defer conn.Close()
	Await(k.t, "the keyring to leave the bus", func() bool { return !hasOwner(conn, SecretService) })
}

func (k *KeyringDaemon) start(unlocked bool) {
	k.t.Helper()
	program := Program(k.t, "gnome-keyring-daemon", "gnome-keyring")
	env := []string{
		"PATH=/usr/bin:/bin", "HOME=" + filepath.Join(k.dir, "home"), "XDG_RUNTIME_DIR=" + filepath.Join(k.dir, "run"),
		"XDG_DATA_HOME=" + filepath.Join(k.dir, "data"), "XDG_CONFIG_HOME=" + filepath.Join(k.dir, "config"),
		"XDG_CACHE_HOME=" + filepath.Join(k.dir, "cache"), "DBUS_SESSION_BUS_ADDRESS=" + k.address,
	}
	args := []string{"--foreground", "--components=secrets", "--control-directory=" + filepath.Join(k.dir, "run", "keyring")}
	var input string
	if unlocked {
		args, input = append(args, "--unlock"), keyringPassword
	}
	k.process = start(k.t, env, input, io.Discard, program, args...)
	AwaitName(k.t, k.address, SecretService)
}
