package flatpkg

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/testenv"
)

// read is what the independent reader of testdata finds in a bill.
func read(t *testing.T, data []byte) (sizes map[string]int64, leaves int) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "Bom")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), testenv.Program(t, "python3", "python3"), "testdata/readbom.py", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Paths []struct {
			Path string
			Size int64
		}
		Leaves int
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	sizes = map[string]int64{}
	for _, p := range got.Paths {
		sizes[p.Path] = p.Size
	}
	return sizes, got.Leaves
}

// 5 GB would take a minute to compress: the bill is made of what was told.
func TestSizesBeyond32BitsAreInTheBill(t *testing.T) {
	const size = 5_000_000_000
	entries, err := plan([]File{{Path: "large", Mode: 0o644, Size: size, Open: Bytes("", 0, nil).Open}, Bytes("small", 0o644, []byte("x"))})
	if err != nil {
		t.Fatal(err)
	}
	data, err := bill(entries, time.Unix(1, 0), bigNode)
	if err != nil {
		t.Fatal(err)
	}
	if sizes, _ := read(t, data); sizes["./large"] != size || sizes["./small"] != 1 {
		t.Errorf("sizes: %v", sizes)
	}
}

// A quarter of a million files need branches of branches; small nodes need them sooner.
func TestBranchesOfBranches(t *testing.T) {
	const files = 1500
	var list []File
	for i := range files {
		list = append(list, Bytes(fmt.Sprintf("dir %d/file %d", i%7, i), 0o644, make([]byte, i)))
	}
	entries, err := plan(list)
	if err != nil {
		t.Fatal(err)
	}
	data, err := bill(entries, time.Unix(1, 0), smallNode)
	if err != nil {
		t.Fatal(err)
	}
	sizes, leaves := read(t, data)
	if most := (smallNode - nodeHeader) / 8; leaves <= most {
		t.Errorf("%d leaves fit in one branch of %d", leaves, most)
	}
	for i, f := range list {
		if got, ok := sizes["./"+f.Path]; !ok || got != int64(i) {
			t.Errorf("%s: %d, %v", f.Path, got, ok)
		}
	}
}

// The example of cksum(1) that everybody has: nothing, and the digits.
func TestChecksumsAreThoseOfPOSIX(t *testing.T) {
	for text, want := range map[string]uint32{"": 4294967295, "123456789": 930766865} {
		s := &cksum{}
		_, _ = s.Write([]byte(text))
		if got := s.Sum32(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
