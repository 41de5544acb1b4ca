//go:build unix

package osservice

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const unit = "platen-x.service"

// fakeSystemctl does what systemctl does with units in dirs, and remembers what it was asked.
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
		f.loaded = false
		for _, dir := range f.dirs {
			if _, err := os.Stat(filepath.Join(dir, unit)); err == nil {
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

// newSystemd is systemd in two folders of the test.
func newSystemd(t *testing.T) (Systemd, *fakeSystemctl) {
	t.Helper()
	etc, lib := t.TempDir(), t.TempDir()
	f := &fakeSystemctl{dirs: []string{etc, lib}}
	return Systemd{Unit: unit, Dir: etc, Packaged: []string{lib}, Run: f.run}, f
}

func text(context.Context) (string, error) { return "the unit", nil }

func TestSystemd(t *testing.T) {
	s, f := newSystemd(t)
	other := filepath.Join(t.TempDir(), "other")
	wantState := func(want State) {
		t.Helper()
		if got, err := s.State(t.Context()); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	wantState(NotInstalled)
	for range 2 { // a second time is no error
		if err := s.Install(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(filepath.Join(s.Dir, unit)); err != nil || string(got) != "the unit" {
		t.Errorf("the unit: %v\n%s", err, got)
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
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Uninstall(t.Context(), other); err != nil {
			t.Error(err)
		}
	}
	wantState(NotInstalled)
	if left, err := os.ReadDir(s.Dir); err != nil || len(left) != 0 || f.enabled {
		t.Errorf("left: %v, enabled %v", left, f.enabled)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("what was installed with the unit is still there")
	}
	for _, line := range f.asked {
		if !strings.HasPrefix(line, "systemctl ") || strings.Contains(line, "~") {
			t.Errorf("ran %q", line)
		}
	}
}

func TestSystemdSaysWhichStepFailed(t *testing.T) {
	for step, do := range map[string]func(Systemd) error{
		"enable":        func(s Systemd) error { return s.Install(t.Context(), text) },
		"daemon-reload": func(s Systemd) error { return s.Install(t.Context(), text) },
		"start":         func(s Systemd) error { return s.Start(t.Context()) },
		"stop":          func(s Systemd) error { return s.Stop(t.Context()) },
		"disable":       func(s Systemd) error { return s.Uninstall(t.Context()) },
		"show":          func(s Systemd) error { _, err := s.State(t.Context()); return err },
	} {
		s, f := newSystemd(t)
		s.Why, f.fail, f.loaded = "with: journalctl", step, true
		want := map[string]string{
			"enable":        "install the service: exit status 1",
			"daemon-reload": "install the service: exit status 1",
			"start":         "start the service: exit status 1; see why with: journalctl",
			"stop":          "stop the service: exit status 1",
			"disable":       "uninstall the service: exit status 1",
			"show":          "ask how the service stands: exit status 1",
		}[step]
		if err := do(s); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", step, err, want)
		}
	}
	s, f := newSystemd(t)
	err := s.Install(t.Context(), func(context.Context) (string, error) { return "", errors.New("no program") })
	if err == nil || err.Error() != "install the service: no program" || len(f.asked) != 0 {
		t.Errorf("got %v, asked %v", err, f.asked)
	}
}

func TestUnitOfAPackageIsLeftAlone(t *testing.T) {
	s, f := newSystemd(t)
	if err := os.WriteFile(filepath.Join(s.Packaged[0], unit), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f.loaded = true
	err := s.Install(t.Context(), func(context.Context) (string, error) { return "", errors.New("not asked") })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"systemctl enable " + unit}, f.asked); diff != "" {
		t.Error(diff)
	}
	if left, err := os.ReadDir(s.Dir); err != nil || len(left) != 0 {
		t.Errorf("wrote %v, %v", left, err)
	}
}
