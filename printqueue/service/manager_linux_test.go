package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeSystemctl does what systemctl does with units in dir, and remembers what it was asked.
type fakeSystemctl struct {
	dirs            []string
	loaded, running bool
	enabled         bool
	asked           []string
	fail            string
}

func (f *fakeSystemctl) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	f.asked = append(f.asked, line)
	if f.fail != "" && strings.Contains(line, f.fail) {
		return "", errors.New("exit status 1")
	}
	switch args[0] {
	case "daemon-reload":
		f.load()
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

func (f *fakeSystemctl) load() {
	f.loaded = false
	for _, dir := range f.dirs {
		if _, err := os.Stat(filepath.Join(dir, unitName)); err == nil {
			f.loaded = true
		}
	}
}

func TestSystemd(t *testing.T) {
	etc, lib := t.TempDir(), t.TempDir()
	f := &fakeSystemctl{dirs: []string{etc, lib}}
	s := systemd{dir: etc, packaged: []string{lib}, run: f.run, check: func(string) error { return nil }}
	wantState := func(want State) {
		t.Helper()
		if got, err := s.State(t.Context()); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	wantState(NotInstalled)
	for range 2 { // a second time is no error
		if err := s.Install(t.Context(), "/usr/bin/platen-deploy"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(etc, unitName))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, unitName, string(text))
	if info, err := os.Stat(filepath.Join(etc, unitName)); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	wantState(Stopped)
	if err := s.Start(t.Context()); err != nil {
		t.Error(err)
	}
	wantState(Running)
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
	if left, err := os.ReadDir(etc); err != nil || len(left) != 0 || f.enabled {
		t.Errorf("left: %v, enabled %v", left, f.enabled)
	}
	for _, line := range f.asked {
		if !strings.HasPrefix(line, "systemctl ") || strings.Contains(line, "~") {
			t.Errorf("ran %q", line)
		}
	}
	f.fail = "enable"
	if err := s.Install(t.Context(), "/usr/bin/platen-deploy"); err == nil || !strings.HasPrefix(err.Error(), "install the service: ") {
		t.Errorf("got %v", err)
	}
}

func TestUnitOfAPackageIsLeftAlone(t *testing.T) {
	etc, lib := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(lib, unitName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f := &fakeSystemctl{dirs: []string{etc, lib}, loaded: true}
	s := systemd{dir: etc, packaged: []string{lib}, run: f.run, check: func(string) error { return errors.New("not asked") }}
	if err := s.Install(t.Context(), "/home/alex/platen-deploy"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"systemctl enable platen-deploy.service"}, f.asked); diff != "" {
		t.Error(diff)
	}
	if left, err := os.ReadDir(etc); err != nil || len(left) != 0 {
		t.Errorf("wrote %v, %v", left, err)
	}
}

func TestProgramThatOthersMayReplaceIsNotInstalled(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make files of two users")
	}
	if err := trusted("/bin/sh"); err != nil { // a link, in a link
		t.Error(err)
	}
	for name, prepare := range map[string]func(dir, program string) error{
		"another user's program": func(_, program string) error { return os.Chown(program, 65534, 65534) },
		"another user's folder":  func(dir, _ string) error { return os.Chown(dir, 65534, 65534) },
		"open program":           func(_, program string) error { return os.Chmod(program, 0o777) },
		"open folder":            func(dir, _ string) error { return os.Chmod(dir, 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program := filepath.Join(dir, "platen-deploy")
			if err := os.WriteFile(program, nil, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := trusted(program); err != nil {
				t.Errorf("as it should be: %v", err)
			}
			if err := prepare(dir, program); err != nil {
				t.Fatal(err)
			}
			if err := trusted(program); err == nil {
				t.Error("it would be installed")
			}
		})
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
