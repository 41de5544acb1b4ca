package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/osservice"
)

// fakeSystemctl remembers what systemctl was asked.
type fakeSystemctl struct{ asked []string }

func (f *fakeSystemctl) run(_ context.Context, name string, args ...string) (string, error) {
	f.asked = append(f.asked, strings.Join(append([]string{name}, args...), " "))
	return "LoadState=loaded\n", nil
}

func TestSystemd(t *testing.T) {
	etc, f := t.TempDir(), &fakeSystemctl{}
	s := systemd{Systemd: osservice.Systemd{Unit: unitName, Dir: etc, Run: f.run}, check: func(string) error { return nil }}
	if err := s.Install(t.Context(), "/usr/bin/platen-deploy"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(etc, unitName))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, unitName, string(text))
	if err := s.Uninstall(t.Context()); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(etc); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	const show = "systemctl show --property=LoadState --property=ActiveState platen-deploy.service"
	want := []string{
		"systemctl daemon-reload", "systemctl enable platen-deploy.service",
		show, "systemctl disable --now platen-deploy.service", "systemctl daemon-reload",
	}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Error(diff)
	}
}

func TestProgramThatOthersMayReplaceIsNotInstalled(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make a file of another user")
	}
	etc, program := t.TempDir(), filepath.Join(t.TempDir(), "platen-deploy")
	if err := errors.Join(os.WriteFile(program, nil, 0o755), os.Chown(program, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	f := &fakeSystemctl{}
	s := systemd{Systemd: osservice.Systemd{Unit: unitName, Dir: etc, Run: f.run}, check: trusted}
	if err := s.Install(t.Context(), program); err == nil || !strings.HasSuffix(err.Error(), "; move platen-deploy to /usr/bin or make both root's") {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(etc); err != nil || len(left) != 0 || len(f.asked) != 0 {
		t.Errorf("wrote %v, %v, asked %v", left, err, f.asked)
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
