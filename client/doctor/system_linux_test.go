package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/sessionbus"
	"github.com/platenprint/platen/internal/testenv"
)

func TestProcessesOfThisSystem(t *testing.T) {
	list, err := ThisSystem().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		if p.PID == os.Getpid() {
			if p.Name != filepath.Base(os.Args[0]) {
				t.Errorf("this test is called %q, want %q", p.Name, filepath.Base(os.Args[0]))
			}
			return
		}
	}
	t.Error("this test is not in the list of programs")
}

func TestProcfs(t *testing.T) {
	root := t.TempDir()
	for pid, cmdline := range map[string]string{"12": "/opt/papercut/pc-client\x00--silent\x00", "2": "", "self": "x", "15": ""} {
		if err := os.MkdirAll(filepath.Join(root, pid), 0o700); err != nil {
			t.Fatal(err)
		}
		if pid == "15" {
			continue // ended meanwhile
		}
		if err := os.WriteFile(filepath.Join(root, pid, "cmdline"), []byte(cmdline), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := procfs{root}.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Process{{PID: 12, Name: "pc-client", Args: []string{"--silent"}}}, list); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	if _, err := (procfs{filepath.Join(root, "none")}).List(t.Context()); err == nil {
		t.Error("a missing /proc is no error")
	}
}

func TestDeskWithoutABusIsNotAsked(t *testing.T) {
	for _, env := range []map[string]string{nil, {"DBUS_SESSION_BUS_ADDRESS": "autolaunch:"}, {"XDG_RUNTIME_DIR": t.TempDir()}} {
		if _, err := ThisDesk(env)(t.Context()); !errors.Is(err, sessionbus.ErrNone) {
			t.Errorf("with %v: got %v, want sessionbus.ErrNone", env, err)
		}
	}
	if _, err := ThisDesk(map[string]string{"DBUS_SESSION_BUS_ADDRESS": "unix:path=/no/such/bus"})(t.Context()); err == nil || errors.Is(err, sessionbus.ErrNone) {
		t.Errorf("a dead bus: got %v, want another error", err)
	}
}

func TestDeskOnARealBus(t *testing.T) {
	address := testenv.SessionBus(t)
	probe := ThisDesk(map[string]string{"DBUS_SESSION_BUS_ADDRESS": address})
	if desk, err := probe(t.Context()); err != nil || desk != (Desk{}) {
		t.Fatalf("an empty bus: got %+v, %v; want neither", desk, err)
	}
	testenv.NewTray(t, address, true)
	testenv.NewNotifications(t, address)
	if desk, err := probe(t.Context()); err != nil || desk != (Desk{Tray: true, Notifications: true}) {
		t.Errorf("got %+v, %v; want both", desk, err)
	}
	address = testenv.SessionBus(t)
	testenv.NewTray(t, address, false)
	if desk, err := ThisDesk(map[string]string{"DBUS_SESSION_BUS_ADDRESS": address})(t.Context()); err != nil || desk.Tray {
		t.Errorf("a watcher without a panel: got %+v, %v; want no tray", desk, err)
	}
}
