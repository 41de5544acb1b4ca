package tokenstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/zalando/go-keyring"

	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/internal/testenv"
)

// slowMachine is the deadline where the keyring is expected to answer.
func slowMachine(o *tokenstore.Options) { o.Timeout = testenv.Deadline }

// useBus makes address the session bus of this process. go-keyring shares one connection, which has to notice first
// that the bus of the test before has gone.
func useBus(t *testing.T, address string) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	id := func(conn *dbus.Conn) (id string) {
		if err := conn.BusObject().Call("org.freedesktop.DBus.GetId", 0).Store(&id); err != nil {
			return ""
		}
		return id
	}
	want := id(testenv.Dial(t, address))
	testenv.Await(t, "the shared connection to be that of this test's bus", func() bool {
		shared, err := dbus.SessionBus()
		return err == nil && id(shared) == want
	})
}

func TestGNOMEKeyring(t *testing.T) {
	address := testenv.SessionBus(t)
	useBus(t, address)
	dir := t.TempDir()

	t.Run("no service on the bus", func(t *testing.T) {
		s := open(t, dir, nil, slowMachine)
		if got := s.Status(); got.Keyring.State != tokenstore.Missing || !strings.Contains(got.Reason, "org.freedesktop.secrets") {
			t.Errorf("Status() = %+v", got)
		}
		save(t, s)
		mustLoad(t, s, kept())
		if len(files(t, dir)) != 0 {
			t.Error("a file was written without a keyring")
		}
	})

	ring := testenv.Keyring(t, address, true)
	t.Run("unlocked", func(t *testing.T) {
		s := open(t, dir, nil, slowMachine)
		save(t, s)
		if err := s.SaveNote(t.Context(), []byte(note)); err != nil {
			t.Fatal(err)
		}
		if !s.Persistent() {
			t.Fatalf("Status() = %+v", s.Status())
		}
		mustLoad(t, open(t, dir, nil, slowMachine), kept())
		for _, place := range []string{dir, ring.Home()} {
			for path, content := range files(t, place) {
				if strings.Contains(content, "CANARY") {
					t.Errorf("%s has a canary in clear", path)
				}
			}
		}
	})

	t.Run("locked: nobody is prompted, the file stays", func(t *testing.T) {
		ring.Restart(false)
		s := open(t, dir, nil, slowMachine)
		var gone *tokenstore.UnavailableError
		if _, err := s.Load(t.Context()); !errors.As(err, &gone) || gone.State != tokenstore.Locked {
			t.Errorf("Load() = %v", err)
		}
	})

	t.Run("hanging: the deadline holds", func(t *testing.T) {
		ring.Restart(true)
		ring.Pause()
		defer ring.Resume()
		s := open(t, dir, nil, func(o *tokenstore.Options) { o.Timeout = 300 * time.Millisecond })
		var gone *tokenstore.UnavailableError
		if _, err := s.Load(t.Context()); !errors.As(err, &gone) || gone.State != tokenstore.Unresponsive {
			t.Errorf("Load() = %v", err)
		}
	})

	t.Run("unlocked again: the session is still there, and can be forgotten", func(t *testing.T) {
		ring.Restart(true)
		s := open(t, dir, nil, slowMachine)
		mustLoad(t, s, kept())
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Get("Platen", "sealing-key"); !errors.Is(err, keyring.ErrNotFound) {
			t.Errorf("the key is still in the keyring: %v", err)
		}
		mustLoad(t, open(t, dir, nil, slowMachine), tokenstore.Tokens{})
	})

	t.Run("a service without any keyring", func(t *testing.T) {
		ring.Stop()
		if err := os.RemoveAll(filepath.Join(ring.Home(), "data", "keyrings")); err != nil {
			t.Fatal(err)
		}
		ring.Restart(false)
		got := open(t, dir, nil, slowMachine).Status()
		if got.Keyring.State != tokenstore.Missing || !strings.Contains(got.Reason, "no login or default keyring") {
			t.Errorf("Status() = %+v", got)
		}
	})
}

func TestTheBusIsFoundInTheRuntimeDirectory(t *testing.T) {
	address := testenv.SessionBus(t)
	testenv.Keyring(t, address, true)
	useBus(t, address)
	path, _, _ := strings.Cut(strings.TrimPrefix(address, "unix:path="), ",")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(path))
	for _, value := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", value)
		dir := t.TempDir()
		s := open(t, dir, nil, slowMachine)
		save(t, s)
		if !s.Persistent() {
			t.Errorf("with DBUS_SESSION_BUS_ADDRESS=%q: %+v", value, s.Status())
		}
	}
}

func TestAServiceThatTheBusCannotStart(t *testing.T) {
	services := t.TempDir()
	file := fmt.Sprintf("[D-BUS Service]\nName=%s\nExec=/bin/false\n", testenv.SecretService)
	if err := os.WriteFile(filepath.Join(services, "secrets.service"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	useBus(t, testenv.SessionBus(t, services))
	if got := open(t, t.TempDir(), nil, slowMachine).Status(); got.Keyring.State != tokenstore.Failing || !strings.Contains(got.Reason, "could be started") {
		t.Errorf("Status() = %+v", got)
	}
}

func TestABusThatDoesNotAnswer(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "nobody"))
	s := open(t, t.TempDir(), nil, slowMachine)
	save(t, s)
	if got := s.Status(); got.Persistent || got.Keyring.State != tokenstore.Missing {
		t.Errorf("Status() = %+v", got)
	}
}

// godbus starts a bus with dbus-launch if it finds none, which stays for good together with what it starts. A stand-in
// for dbus-launch tells whether anybody tried.
func TestWithoutABusNoneIsStarted(t *testing.T) {
	bin := t.TempDir()
	marker := filepath.Join(bin, "launched")
	script := "#!/bin/sh\n: > " + marker + "\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	launched := func() bool {
		_, err := os.Stat(marker)
		return err == nil
	}
	for _, value := range []string{"", "autolaunch:"} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", value)
		s := open(t, t.TempDir(), nil, slowMachine)
		save(t, s)
		mustLoad(t, s, kept())
		if err := s.Clear(t.Context()); err != nil {
			t.Error(err)
		}
		if got := s.Status(); got.Keyring.State != tokenstore.Missing || !strings.Contains(got.Reason, "no session bus") {
			t.Errorf("Status() = %+v", got)
		}
		if launched() {
			t.Fatalf("with DBUS_SESSION_BUS_ADDRESS=%q a bus was started", value)
		}
	}

	// That the stand-in is where the library looks: without our care it is called.
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		t.Log("this account has a session bus, which the library would find: the cross-check is left out")
		return
	}
	if _, err := dbus.ConnectSessionBus(); err == nil || !launched() {
		t.Errorf("the library did not call dbus-launch: %v", err)
	}
}
