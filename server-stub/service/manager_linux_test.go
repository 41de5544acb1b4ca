package service

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/osservice"
)

// fakeSystem does what systemctl and systemd-sysusers do with files in folders of the test, and remembers what it was asked.
type fakeSystem struct {
	dirs            []string
	loaded, running bool
	enabled         bool
	account         bool
	asked           []string
	fail            string
}

func (f *fakeSystem) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	f.asked = append(f.asked, line)
	if f.fail != "" && strings.Contains(line, f.fail) {
		return "", errors.New("exit status 1")
	}
	if name == "systemd-sysusers" {
		text, err := os.ReadFile(args[0])
		f.account = err == nil && strings.Contains(string(text), "\nu platen-server ")
		return "", err
	}
	switch args[0] {
	case "daemon-reload":
		f.loaded = false
		for _, dir := range f.dirs {
			if _, err := os.Stat(filepath.Join(dir, unitName)); err == nil {
				f.loaded = true
			}
		}
	case "enable":
		if !f.loaded {
			return "", errors.New("unit does not exist")
		}
		f.enabled = true
	case "disable":
		f.enabled, f.running = false, false
	case "start":
		f.running = true
	case "stop":
		f.running = false
	case "show":
		load, active := "not-found", "inactive"
		if f.loaded {
			load = "loaded"
		}
		if f.running {
			active = "active"
		}
		return "LoadState=" + load + "\nActiveState=" + active + "\n", nil
	}
	return "", nil
}

func (f *fakeSystem) groupID(string) (int, error) {
	if !f.account {
		return 0, errors.New("no such group")
	}
	return os.Getgid(), nil
}

// newSystemd is systemd in folders of the test, which it returns, too.
func newSystemd(t *testing.T) (systemd, *fakeSystem, string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to give files to the service's group")
	}
	root := t.TempDir()
	for _, dir := range []string{"etc", "lib", "data"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f := &fakeSystem{dirs: []string{filepath.Join(root, "etc"), filepath.Join(root, "lib")}}
	return systemd{
		Systemd:  osservice.Systemd{Unit: unitName, Dir: filepath.Join(root, "etc"), Packaged: []string{filepath.Join(root, "lib")}, Run: f.run},
		accounts: filepath.Join(root, "sysusers.d"),
		places:   Places{Data: filepath.Join(root, "data"), Config: filepath.Join(root, "conf", "platen-server.yaml")},
		check:    func(string) error { return nil }, group: f.groupID,
	}, f, root
}

func TestSystemd(t *testing.T) {
	s, f, root := newSystemd(t)
	wantState := func(want State) {
		t.Helper()
		if got, err := s.State(t.Context()); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	wantState(NotInstalled)
	for range 2 { // a second time is no error
		if err := s.Install(t.Context(), "/usr/local/bin/platen-server"); err != nil {
			t.Fatal(err)
		}
		wantState(Stopped)
		if err := os.WriteFile(s.places.Config, []byte("currency: EUR\n"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	want, err := Unit("/usr/local/bin/platen-server")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(s.Dir, unitName)); err != nil || string(got) != want {
		t.Errorf("the unit: %v\n%s", err, got)
	}
	if got, err := os.ReadFile(s.places.Config); err != nil || string(got) != "currency: EUR\n" {
		t.Errorf("the administrator's configuration became %q, %v", got, err)
	}
	for path, want := range map[string]os.FileMode{s.places.Config: 0o640, filepath.Dir(s.places.Config): 0o750} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s may hold a password: %v, %v", path, info.Mode(), err)
		}
	}
	if err := s.Start(t.Context()); err != nil {
		t.Error(err)
	}
	wantState(Running)
	if err := s.Purge(t.Context()); err == nil {
		t.Error("the files of a running server were removed")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	wantState(Stopped)
	for range 2 {
		if err := s.Uninstall(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantState(NotInstalled)
	if _, err := os.Stat(s.places.Data); err != nil {
		t.Errorf("uninstalling took the data: %v", err)
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"etc", "lib", "sysusers.d"}, names(t, root)); diff != "" || len(names(t, s.Dir)) != 0 || f.enabled {
		t.Errorf("left: %s %v, enabled %v", diff, names(t, s.Dir), f.enabled)
	}
	f.fail = "enable"
	if err := s.Install(t.Context(), "/usr/local/bin/platen-server"); err == nil || !strings.HasPrefix(err.Error(), "install the service: ") {
		t.Errorf("got %v", err)
	}
}

func TestUnitOfAPackageIsLeftAlone(t *testing.T) {
	s, f, root := newSystemd(t)
	f.loaded = true
	if err := os.WriteFile(filepath.Join(root, "lib", unitName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.check = func(string) error { return errors.New("not asked") }
	if err := s.Install(t.Context(), "/home/alex/platen-server"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"systemctl enable platen-server.service"}, f.asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"data", "etc", "lib"}, names(t, root)); diff != "" || len(names(t, s.Dir)) != 0 {
		t.Errorf("wrote %s %v", diff, names(t, s.Dir))
	}
}

func TestR_EXEC_1_ProgramThatOthersMayReplaceIsNotInstalled(t *testing.T) {
	s, f, root := newSystemd(t)
	s.check = installable
	program := filepath.Join(root, "platen-server")
	if err := errors.Join(os.WriteFile(program, nil, 0o755), os.Chown(program, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	if err := s.Install(t.Context(), program); err == nil || !strings.Contains(err.Error(), program) ||
		!strings.HasSuffix(err.Error(), "; move platen-server to /usr/local/bin or make both root's") {
		t.Errorf("got %v", err)
	}
	if len(f.asked) != 0 || len(names(t, s.Dir)) != 0 {
		t.Errorf("asked %v, wrote %v", f.asked, names(t, s.Dir))
	}
}

func TestNoServiceSystem(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Skip("needs a computer without systemd")
	}
	if m, err := Find(); m != nil || !errors.Is(err, ErrNoServiceSystem) {
		t.Errorf("got %v, %v", m, err)
	}
}

// systemd is told when the server is ready, and when it stops; without systemd nobody is.
func TestSystemdIsTold(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@platen-test-" + filepath.Base(t.TempDir())} {
		socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("NOTIFY_SOCKET", name)
		ctx, stop := context.WithCancel(t.Context())
		heard := func() string {
			b := make([]byte, 100)
			n, err := socket.Read(b)
			if err != nil {
				t.Error(err)
			}
			return string(b[:n])
		}
		err = Run(ctx, func(ctx context.Context, ready func()) error {
			ready()
			if got := heard(); got != "READY=1" {
				t.Errorf("heard %q", got)
			}
			stop()
			if got := heard(); got != "STOPPING=1" {
				t.Errorf("heard %q", got)
			}
			return errors.New("ended")
		})
		if err == nil || err.Error() != "ended" {
			t.Error(err)
		}
		if err := socket.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Setenv("NOTIFY_SOCKET", "/nonexistent/socket")
	if err := Run(t.Context(), func(_ context.Context, ready func()) error { ready(); return nil }); err != nil {
		t.Error(err)
	}
}
