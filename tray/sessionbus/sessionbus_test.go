package sessionbus_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/tray/sessionbus"
)

func TestNoAddressMeansNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if address, err := sessionbus.Address(); !errors.Is(err, sessionbus.ErrNone) {
		t.Errorf("address %q, error %v; want ErrNone", address, err)
	}
	if _, err := sessionbus.Connect(t.Context()); !errors.Is(err, sessionbus.ErrNone) {
		t.Errorf("error %v, want ErrNone", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "autolaunch:")
	if address, err := sessionbus.Address(); !errors.Is(err, sessionbus.ErrNone) {
		t.Errorf("autolaunch: address %q, error %v; want ErrNone", address, err)
	}
}

func TestAddressIsFoundInTheRuntimeFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", dir)
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Skipf("this folder's path is too long for a socket: %v", err)
	}
	defer socket.Close()
	address, err := sessionbus.Address()
	if err != nil || !strings.HasPrefix(address, "unix:path=") {
		t.Errorf("address %q, error %v", address, err)
	}
}

func TestConnectSpeaksToTheBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", testenv.SessionBus(t))
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
	}
}
