//go:build unix

package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFilesAreReplacedAsAWhole(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "state"))
	if _, err := d.Read("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	for _, text := range []string{"one", "two"} {
		if err := d.Write("a", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Read("a"); err != nil || string(got) != text {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if info, err := os.Stat(filepath.Join(d.Path(), "a")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if names := list(t, d.Path()); !slices.Equal(names, []string{"a"}) {
		t.Errorf("left behind: %v", names)
	}
	if err := d.Remove("a"); err != nil {
		t.Error(err)
	}
	if err := d.Remove("a"); err != nil {
		t.Errorf("twice: %v", err)
	}
}

func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func list(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFolderIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	d := open(t, path)
	if info, err := os.Stat(d.Path()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// Everything that somebody else could have prepared.
func TestR_LINK_1_PreparedPathsAreRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be two users")
	}
	const other = 65534
	for name, prepare := range map[string]func(path string) error{
		"a link instead of the folder": func(path string) error {
			return errors.Join(os.Mkdir(path+".real", 0o700), os.Symlink(path+".real", path))
		},
		"another user's folder": func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.Chown(path, other, other))
		},
		"in another user's folder": func(path string) error {
			return errors.Join(os.Chown(filepath.Dir(path), other, other))
		},
		"in a folder that all may change": func(path string) error {
			return errors.Join(os.Chmod(filepath.Dir(path), 0o777))
		},
		"a file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state")
			if err := prepare(path); err != nil {
				t.Fatal(err)
			}
			if d, err := Open(path); err == nil {
				_ = d.Close()
				t.Error("it was opened")
			}
		})
	}
	for name, prepare := range map[string]func(path string) error{
		"a link":            func(path string) error { return os.Symlink("/etc/hostname", path) },
		"a link to nowhere": func(path string) error { return os.Symlink("nowhere", path) },
		"a second name":     func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Link(path, path+"2")) },
		"another user's file": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, other, other))
		},
		"open to others": func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o622)) },
		"a folder":       func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, filepath.Join(t.TempDir(), "state"))
			if err := prepare(filepath.Join(d.Path(), "a")); err != nil {
				t.Fatal(err)
			}
			if text, err := d.Read("a"); !errors.Is(err, ErrUnsafe) {
				t.Errorf("read %q, %v", text, err)
			}
			if f, err := d.Append("a"); !errors.Is(err, ErrUnsafe) {
				t.Errorf("append: %v", err)
				_ = f.Close()
			}
			if name != "a folder" {
				if err := d.Write("a", []byte("new")); err != nil { // takes its place, follows nothing
					t.Error(err)
				}
				if text, err := d.Read("a"); err != nil || string(text) != "new" {
					t.Errorf("got %q, %v", text, err)
				}
			}
		})
	}
	d := open(t, filepath.Join(t.TempDir(), "state"))
	if _, err := d.Read("../x"); err == nil || strings.Contains(err.Error(), "no such") {
		t.Errorf("left the folder: %v", err)
	}
}

func TestOneProcessHasTheFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	a, b := open(t, path), open(t, path)
	free, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lock(); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
	free()
	free, err = b.Lock()
	if err != nil {
		t.Fatal(err)
	}
	free()
}
