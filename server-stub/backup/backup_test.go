package backup

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
)

func newKeys(t *testing.T) *keys.Keys {
	t.Helper()
	d, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	k, err := keys.Create(d)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var (
	allowed = []string{"ca.pem", "ca.key"}
	files   = []File{{"ca.pem", []byte("certificate")}, {"ca.key", []byte("sealed")}}
	info    = Info{CreatedAt: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), Version: "1.2.3", Database: "sqlite"}
)

func infoOf(k *keys.Keys) Info {
	i := info
	i.Format, i.MasterKey = Format, k.ID()
	return i
}

// random is a database that does not compress, so that its size shows.
func random(n int) []byte {
	b := make([]byte, n)
	src := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(src.Uint32())
	}
	return b
}

func write(t *testing.T, k *keys.Keys, database []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	err := Write(&out, k, info, files, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(database))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(backup []byte, k *keys.Keys) (Contents, []byte, error) {
	var database []byte
	c, err := Read(bytes.NewReader(backup), k, allowed, func(r io.Reader) (err error) {
		database, err = io.ReadAll(r)
		return err
	})
	return c, database, err
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	k := newKeys(t)
	for _, size := range []int{0, 1, pieceSize - 1, pieceSize, 2*pieceSize + 7} {
		database := random(size)
		c, got, err := read(write(t, k, database), k)
		if err != nil || !bytes.Equal(got, database) || c.Database != int64(size) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
		if diff := cmp.Diff(files, c.Files); diff != "" {
			t.Error(diff)
		}
		if c.Info.MasterKey != k.ID() || c.Info.Version != "1.2.3" {
			t.Errorf("info: %+v", c.Info)
		}
	}
}

func TestAReaderThatStopsEarlyDoesNotEndTheCheck(t *testing.T) {
	k := newKeys(t)
	backup := write(t, k, random(2*pieceSize))
	_, err := Read(bytes.NewReader(backup), k, allowed, func(io.Reader) error { return nil })
	if err != nil {
		t.Error(err)
	}
}

func TestAnotherMasterKeyIsNoticed(t *testing.T) {
	backup := write(t, newKeys(t), random(100))
	if _, _, err := read(backup, newKeys(t)); !errors.Is(err, ErrForged) {
		t.Errorf("got %v, want ErrForged", err)
	}
	if _, _, err := read(backup, nil); err != nil {
		t.Errorf("without a key: %v", err)
	}
}

func TestDamageIsNoticed(t *testing.T) {
	k := newKeys(t)
	database := random(3000)
	good := write(t, k, database)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x41
		c, got, err := read(bad, k)
		if err == nil && (!bytes.Equal(got, database) || !cmp.Equal(c.Files, files) || c.Info != infoOf(k)) {
			t.Errorf("byte %d of %d changed: other contents came out, unnoticed", i, len(good)) // gzip has a few bits that mean nothing
		}
	}
	for _, n := range []int{0, 1, 9, 20, len(good) / 2, len(good) - 9, len(good) - 1} {
		if _, _, err := read(good[:n], k); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: %v, want ErrDamaged", n, err)
		}
	}
}

func TestFilesThatAreNotOursAreRefused(t *testing.T) {
	k := newKeys(t)
	for _, name := range []string{"../../etc/passwd", "/etc/passwd", "master.key", "platen.db"} {
		var out bytes.Buffer
		if err := Write(&out, k, info, []File{{name, []byte("x")}}, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if _, _, err := read(out.Bytes(), k); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}

func TestTheDatabasesErrorsComeThrough(t *testing.T) {
	k := newKeys(t)
	full := errors.New("disk full")
	if err := Write(io.Discard, k, info, files, func(io.Writer) error { return full }); !errors.Is(err, full) {
		t.Errorf("Write: %v", err)
	}
	if _, err := Read(bytes.NewReader(write(t, k, random(10))), k, allowed, func(io.Reader) error { return full }); !errors.Is(err, full) {
		t.Errorf("Read: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	var empty bytes.Buffer
	zip := gzip.NewWriter(&empty)
	_ = zip.Close()
	f.Add(empty.Bytes())
	f.Add([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := read(b, nil); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%v is no ErrDamaged", err)
		}
	})
}
