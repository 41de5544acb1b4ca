//go:build unix

package sources

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadFileTakesPlainFilesOnly(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, dir} {
		if _, err := readFile(path); err == nil || os.IsNotExist(err) {
			t.Errorf("read %s: got %v, want it refused", path, err)
		}
	}
}

func TestTheServiceReadsOnlyWhatNobodyElseCanWrite(t *testing.T) {
	root := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("Enrol=no"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("platen/platen.conf", 0o644)
	for _, path := range []string{good, link(t, good, filepath.Join(root, "link.conf"))} {
		if text, err := readOwned(path); err != nil || string(text) != "Enrol=no" {
			t.Errorf("%s: got %q, %v", path, text, err)
		}
	}
	if _, err := readOwned(filepath.Join(root, "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
	pipe := filepath.Join(root, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{"others may write it": write("a.conf", 0o646), "a group may write it": write("b.conf", 0o664), "a pipe": pipe, "a folder": root}
	open := write("open/platen.conf", 0o644)
	if err := os.Chmod(filepath.Dir(open), 0o777); err != nil {
		t.Fatal(err)
	}
	bad["a folder that others may write"] = open
	bad["a link into a folder that others may write"] = link(t, open, filepath.Join(root, "link3.conf"))
	if os.Getuid() == 0 {
		stranger := write("c.conf", 0o644)
		if err := os.Chown(stranger, 65534, 0); err != nil {
			t.Fatal(err)
		}
		bad["somebody else's"] = stranger
		bad["a link to somebody else's"] = link(t, stranger, filepath.Join(root, "link2.conf"))
	}
	for name, path := range bad {
		if text, err := readOwned(path); err == nil || os.IsNotExist(err) {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}
}

func TestAFileThatIsTooLargeIsNotReadInPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, make([]byte, maxRead+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(string) ([]byte, error){"readFile": readFile, "readOwned": readOwned, "readSecret": readSecret} {
		if text, err := read(path); err == nil {
			t.Errorf("%s: %d bytes", name, len(text))
		}
	}
}

func link(t *testing.T, to, path string) string {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestE9_TheTokenFileIsForRootAlone(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "enrolment.token")
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o620: false} {
		if err := os.WriteFile(path, []byte("canary\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		text, err := readSecret(path)
		if (err == nil) != good || good != (string(text) == "canary\n") {
			t.Errorf("mode %#o: got %q, %v", mode, text, err)
		}
		if err != nil && (strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "chmod")) {
			t.Errorf("mode %#o: the error %q has no remedy, or the token", mode, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := readSecret(link(t, path, filepath.Join(root, "link"))); err == nil {
		t.Errorf("a link: got %q", text)
	}
	if _, err := readSecret(filepath.Join(root, "none")); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
}
