package sessionbus_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/sessionbus"
	"github.com/platenprint/platen/internal/testenv"
)

const addressVar = "DBUS_SESSION_BUS_ADDRESS"

func TestNoAddressMeansNoBus(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for _, value := range []string{"", "autolaunch:"} {
		t.Setenv(addressVar, value)
		if address, err := sessionbus.Address(os.Getenv); !errors.Is(err, sessionbus.ErrNone) {
			t.Errorf("with %q: address %q, error %v; want ErrNone", value, address, err)
		}
		if _, err := sessionbus.Connect(t.Context()); !errors.Is(err, sessionbus.ErrNone) {
			t.Errorf("with %q: Connect: %v, want ErrNone", value, err)
		}
		if err := sessionbus.Name(); !errors.Is(err, sessionbus.ErrNone) || os.Getenv(addressVar) != value {
			t.Errorf("with %q: Name: %v, want ErrNone; the environment names %q", value, err, os.Getenv(addressVar))
		}
	}
	if err := sessionbus.Settle(); err != nil {
		t.Fatal(err)
	}
	if _, err := sessionbus.Connect(t.Context()); err == nil || errors.Is(err, sessionbus.ErrNone) {
		t.Errorf("after Settle: Connect: %v, want that nobody answers", err)
	}
}

func TestAddressIsFoundInTheRuntimeFolder(t *testing.T) {
	dir := t.TempDir()
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Skipf("this folder's path is too long for a socket: %v", err)
	}
	defer socket.Close()
	t.Setenv(addressVar, "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	address, err := sessionbus.Address(func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": dir}[name] })
	if err != nil || !strings.HasPrefix(address, "unix:path=") {
		t.Errorf("address %q, error %v", address, err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	if err := sessionbus.Name(); err != nil || os.Getenv(addressVar) != address {
		t.Errorf("Name: %v; the environment names %q, want %q", err, os.Getenv(addressVar), address)
	}
}

func TestServesWhatIsOwnedButCannotBeStarted(t *testing.T) {
	t.Setenv(addressVar, testenv.SessionBus(t))
	testenv.NewNotifications(t, os.Getenv(addressVar))
	conn, err := sessionbus.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const name = "org.freedesktop.Notifications"
	if got, err := sessionbus.CanStart(t.Context(), conn, name); err != nil || got {
		t.Errorf("CanStart = %v, %v; want false", got, err)
	}
	if got, err := sessionbus.Serves(t.Context(), conn, name); err != nil || !got {
		t.Errorf("Serves = %v, %v; want true", got, err)
	}
}

func TestConnectSpeaksToTheBus(t *testing.T) {
	t.Setenv(addressVar, testenv.SessionBus(t))
	conn, err := sessionbus.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"org.freedesktop.DBus": true, "org.example.Nobody": false} {
		if got, err := sessionbus.HasOwner(t.Context(), conn, name); err != nil || got != want {
			t.Errorf("HasOwner(%s) = %v, %v; want %v", name, got, err, want)
		}
		if got, err := sessionbus.CanStart(t.Context(), conn, name); err != nil || got != want {
			t.Errorf("CanStart(%s) = %v, %v; want %v", name, got, err, want)
		}
		if got, err := sessionbus.Serves(t.Context(), conn, name); err != nil || got != want {
			t.Errorf("Serves(%s) = %v, %v; want %v", name, got, err, want)
		}
	}
}
