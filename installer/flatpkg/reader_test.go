package flatpkg_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/installer/flatpkg"
)

func open(t *testing.T, name string) *flatpkg.Reader {
	t.Helper()
	r, err := flatpkg.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	for _, o := range []flatpkg.Options{{}, {Signer: testSigner(t)}, {Digest: flatpkg.SHA256}} {
		r := open(t, write(t, sample(someFiles()...), o))
		if r.Signed() != (o.Signer != nil) {
			t.Errorf("signed: %v", r.Signed())
		}
		want := []string{
			"Distribution", "org.example.thing.pkg/Bom", "org.example.thing.pkg/PackageInfo", "org.example.thing.pkg/Payload",
			"org.example.thing.pkg/Scripts",
		}
		if diff := cmp.Diff(want, r.Names()); diff != "" {
			t.Error(diff)
		}
		found := map[string]bool{}
		if err := r.Walk("org.example.thing.pkg/Payload", func(e flatpkg.Entry, content io.Reader) error {
			data, err := io.ReadAll(content)
			found[fmt.Sprintf("%s %o %d/%d %d %d", e.Path, e.Mode, e.UID, e.GID, e.Mtime, len(data))] = true
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			fmt.Sprintf(". 40755 0/0 %d 0", when.Unix()),
			fmt.Sprintf("Applications 40775 0/80 %d 0", when.Unix()),
			fmt.Sprintf("Library/Application Support/Thing/bin/tool 100755 0/0 %d 280000", when.Unix()),
		} {
			if !found[want] {
				t.Errorf("%q is not among %v", want, found)
			}
		}
	}
}

func TestEveryDamageIsNoticed(t *testing.T) {
	whole, err := os.ReadFile(write(t, sample(flatpkg.Bytes("a", 0o644, []byte("content"))), flatpkg.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	readAll := func(data []byte) error {
		name := filepath.Join(t.TempDir(), "x.pkg")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := flatpkg.Open(name)
		if err != nil {
			return err
		}
		defer r.Close()
		for _, name := range r.Names() {
			if err := r.Copy(io.Discard, name); err != nil {
				return err
			}
		}
		return r.Walk("org.example.thing.pkg/Payload", func(flatpkg.Entry, io.Reader) error { return nil })
	}
	if err := readAll(whole); err != nil {
		t.Fatalf("the whole package: %v", err)
	}
	for at := 28; at < len(whole); at += 7 { // in the header there are numbers that nobody needs
		broken := bytes.Clone(whole)
		broken[at] ^= 0x40
		if readAll(broken) == nil {
			t.Errorf("byte %d of %d was changed, and nobody noticed", at, len(whole))
		}
	}
	for _, n := range []int{0, 3, 27, 28, 100, len(whole) - 1} {
		if readAll(whole[:n]) == nil {
			t.Errorf("the first %d of %d bytes were taken for a package", n, len(whole))
		}
	}
}

func TestAVisitorEndsTheWalk(t *testing.T) {
	r := open(t, write(t, sample(someFiles()...), flatpkg.Options{}))
	enough := errors.New("enough")
	if err := r.Walk("org.example.thing.pkg/Payload", func(flatpkg.Entry, io.Reader) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
	if err := r.Walk("missing", func(flatpkg.Entry, io.Reader) error { return nil }); err == nil {
		t.Error("a missing file was walked")
	}
}

func FuzzOpen(f *testing.F) {
	var out bytes.Buffer
	if err := flatpkg.Write(f.Context(), &out, sample(flatpkg.Bytes("a", 0o644, []byte("content"))), flatpkg.Options{}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("xar!"))
	f.Fuzz(func(t *testing.T, data []byte) {
		name := filepath.Join(t.TempDir(), "x.pkg")
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := flatpkg.Open(name)
		if err != nil {
			return
		}
		defer r.Close()
		for _, name := range r.Names() {
			_ = r.Walk(name, func(flatpkg.Entry, io.Reader) error { return nil })
		}
	})
}
