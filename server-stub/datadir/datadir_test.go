package datadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenMakesAPrivateFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode is %04o", info.Mode().Perm())
	}
}

func TestOpenRefusesAFolderThatOthersMayEnter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrExposed) {
		t.Errorf("mode 0755: %v, want ErrExposed", err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return // only root can give a folder away
	}
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrExposed) {
		t.Errorf("another user's folder: %v, want ErrExposed", err)
	}
}

func TestLockHoldsTheFolderForOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	first, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := first.Lock(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := second.Lock(); !errors.Is(err, ErrInUse) {
		t.Errorf("second lock: %v, want ErrInUse", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Lock(); err != nil {
		t.Errorf("lock after the first let go: %v", err)
	}
}

func TestWriteReplacesAndCreateDoesNot(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, text := range []string{"one", "two"} {
		if err := d.Write("f", []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Read("f"); err != nil || string(got) != text {
			t.Errorf("Read = %q, %v; want %q", got, err, text)
		}
	}
	if err := d.Create("f", []byte("three"), 0o400); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a file: %v, want fs.ErrExist", err)
	}
	if got, _ := d.Read("f"); string(got) != "two" {
		t.Errorf("Create changed the file to %q", got)
	}
	entries, err := os.ReadDir(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestNamesCannotLeadOut(t *testing.T) {
	base := t.TempDir()
	d, err := Open(filepath.Join(base, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.WriteFile(filepath.Join(base, "outside"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../outside", d.File("link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../outside", "link", filepath.Join(base, "outside")} {
		if got, err := d.Read(name); err == nil {
			t.Errorf("Read(%q) = %q", name, got)
		}
	}
}

func TestLockRemovesWhatWasLeftUnfinished(t *testing.T) {
	d, err := Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := errors.Join(d.Write("ca.pem", []byte("x"), 0o444), d.Write("ca.pem.new-abc", []byte("half"), 0o400)); err != nil {
		t.Fatal(err)
	}
	if err := d.Lock(); err != nil {
		t.Fatal(err)
	}
	left, err := d.Exists("ca.pem.new-abc")
	kept, err2 := d.Exists("ca.pem")
	if left || !kept || err != nil || err2 != nil {
		t.Errorf("left %v, kept %v, %v, %v", left, kept, err, err2)
	}
}
