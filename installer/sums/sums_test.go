package sums

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheListIsWhatSha256sumReads(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"b.msi", "a.deb", "a b.pkg"} {
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path, err := Write(files)
	if err != nil {
		t.Fatal(err)
	}
	check := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", Name)
		cmd.Dir = dir
		return cmd.CombinedOutput()
	}
	if out, err := check(); err != nil || strings.Count(string(out), ": OK\n") != 3 {
		t.Errorf("sha256sum: %v\n%s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := Read(strings.NewReader(string(text))); err != nil || len(list) != 3 || list["b.msi"] == "" {
		t.Errorf("read back: %v, %v", list, err)
	}
	if a, b := strings.Index(string(text), "a.deb"), strings.Index(string(text), "b.msi"); a > b {
		t.Errorf("not sorted by name:\n%s", text)
	}
	if err := os.WriteFile(files[0], []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check(); err == nil {
		t.Error("sha256sum found a changed file in order")
	}
}

func TestABadListIsRefused(t *testing.T) {
	for _, text := range []string{"xx  name\n", strings.Repeat("a", 64) + " name\n", strings.Repeat("a", 64) + "  \n", strings.Repeat("a", 62) + "  n\n"} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	if _, err := Write([]string{"/a/x", "/b/y"}); err == nil {
		t.Error("files of two folders got one list")
	}
}
