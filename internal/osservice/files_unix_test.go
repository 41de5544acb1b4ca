//go:build unix

package osservice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestR_EXEC_1_ProgramThatOthersMayReplaceIsNotTrusted(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make files of two users")
	}
	if err := Trusted("/bin/sh", "mend it"); err != nil { // a link, in a link
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
			program := filepath.Join(dir, "platen")
			if err := os.WriteFile(program, nil, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := Trusted(program, "mend it"); err != nil {
				t.Errorf("as it should be: %v", err)
			}
			if err := prepare(dir, program); err != nil {
				t.Fatal(err)
			}
			if err := Trusted(program, "mend it"); err == nil || !strings.HasSuffix(err.Error(), "in the place of "+program+"; mend it") {
				t.Errorf("it would be installed: %v", err)
			}
		})
	}
}

func TestReplacedFileIsForAllToReadAndNothingElseIsLeft(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.service")
	if err := os.WriteFile(path, []byte("old, and longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, "new"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "new" {
		t.Errorf("got %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := Replace(dir, "a folder is in the way"); err == nil {
		t.Error("a folder was replaced")
	}
	if err := Replace(filepath.Join(dir, "none", "a.service"), "new"); err == nil {
		t.Error("wrote into no folder")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	if left, err := filepath.Glob(dir + ".*"); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestR_EXEC_1_ToolsAreTheSystems(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "platen-test-tool"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if _, err := QuickSystemTool(t.Context(), "platen-test-tool"); err == nil {
		t.Error("it was run from PATH")
	}
	if out, err := QuickSystemTool(t.Context(), "sh", "-c", "echo said"); err != nil || out != "said\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if out, err := SystemTool(t.Context(), "sh", "-c", "echo why >&2; exit 3"); err == nil || out != "why\n" ||
		!strings.HasPrefix(err.Error(), "sh [") || !strings.Contains(err.Error(), "exit status 3: why") {
		t.Errorf("got %q, %v", out, err)
	}
}
