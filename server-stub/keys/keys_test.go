package keys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/platenprint/platen/server-stub/datadir"
)

func openDir(t *testing.T) *datadir.Dir {
	t.Helper()
	d, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestMasterKeyIsMadeOnceAndFoundAgain(t *testing.T) {
	d := openDir(t)
	if _, err := Load(d); !errors.Is(err, ErrSealed) {
		t.Errorf("Load without a key: %v, want ErrSealed", err)
	}
	made, err := Create(d)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(d.File(datadir.MasterKey))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o400 {
		t.Errorf("mode is %04o, want 0400", info.Mode().Perm())
	}
	if _, err := Create(d); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a key: %v, want fs.ErrExist", err)
	}
	found, err := Load(d)
	if err != nil {
		t.Fatal(err)
	}
	if *found != *made || found.ID() != made.ID() {
		t.Error("Load found another key than Create made")
	}
}

func TestDamagedMasterKeyIsNoticed(t *testing.T) {
	d := openDir(t)
	if _, err := Create(d); err != nil {
		t.Fatal(err)
	}
	good, err := d.Read(datadir.MasterKey)
	if err != nil {
		t.Fatal(err)
	}
	start := bytes.Index(good, []byte(marker))
	for i := start; i < len(good)-1; i++ {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if k, err := Parse(bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("byte %d changed: %v, %v; want ErrCorrupt", i, k, err)
		}
	}
	for _, bad := range [][]byte{nil, []byte("# only a remark\n"), good[:len(good)-10]} {
		if _, err := Parse(bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Parse(%q): %v, want ErrCorrupt", bad, err)
		}
	}
}

func TestSealedOpensOnlyWhereItBelongs(t *testing.T) {
	d := openDir(t)
	k, err := Create(d)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Create(openDir(t))
	if err != nil {
		t.Fatal(err)
	}
	sealed := k.Seal("pki", "ca.key", []byte("secret"))
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("it is not sealed at all")
	}
	if got, err := k.Open("pki", "ca.key", sealed); err != nil || string(got) != "secret" {
		t.Errorf("Open = %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"another purpose":    func() ([]byte, error) { return k.Open("ldap", "ca.key", sealed) },
		"another place":      func() ([]byte, error) { return k.Open("pki", "server.key", sealed) },
		"another master key": func() ([]byte, error) { return other.Open("pki", "ca.key", sealed) },
		"cut short":          func() ([]byte, error) { return k.Open("pki", "ca.key", sealed[:5]) },
	} {
		if got, err := open(); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %q, %v; want ErrOpen", name, got, err)
		}
	}
	if k.Derive("a") == k.Derive("b") {
		t.Error("derived keys must differ by purpose")
	}
}
