package msi

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/winres"
)

const assets = "../../assets"

func release(t testing.TB, version string) product.Release {
	t.Helper()
	r, err := product.Parse(version)
	if err != nil {
		t.Fatal(err)
	}
	r.Time = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	return r
}

// emptyProgram is the smallest 64-bit Windows program that tools take for one: headers, and a section with one instruction.
func emptyProgram() []byte {
	const headers, section = 0x200, 0x200
	b := make([]byte, headers+section)
	le := binary.LittleEndian
	copy(b, "MZ")
	le.PutUint32(b[0x3c:], 0x40)
	pe := b[0x40:]
	copy(pe, "PE\x00\x00")
	le.PutUint16(pe[4:], 0x8664) // machine
	le.PutUint16(pe[6:], 1)      // sections
	le.PutUint16(pe[20:], 0xf0)  // size of the optional header
	le.PutUint16(pe[22:], 0x22)  // executable, large addresses
	opt := pe[24:]
	le.PutUint16(opt[0:], 0x20b)   // PE32+
	le.PutUint32(opt[4:], section) // size of code
	le.PutUint32(opt[16:], 0x1000) // entry point
	le.PutUint32(opt[20:], 0x1000) // base of code
	le.PutUint64(opt[24:], 0x140000000)
	le.PutUint32(opt[32:], 0x1000) // section alignment
	le.PutUint32(opt[36:], 0x200)  // file alignment
	le.PutUint16(opt[40:], 10)     // system version
	le.PutUint16(opt[48:], 10)     // subsystem version
	le.PutUint32(opt[56:], 0x2000) // size of image
	le.PutUint32(opt[60:], headers)
	le.PutUint16(opt[68:], 3)   // console
	le.PutUint32(opt[108:], 16) // directories
	head := opt[0xf0:]
	copy(head, ".text")
	le.PutUint32(head[8:], 1)
	le.PutUint32(head[12:], 0x1000)
	le.PutUint32(head[16:], section)
	le.PutUint32(head[20:], headers)
	le.PutUint32(head[36:], 0x60000020) // code, execute, read
	b[headers] = 0xc3                   // ret
	return b
}

// standIns makes an input whose programs are empty ones that carry the version.
func standIns(t testing.TB, r product.Release) product.Input {
	t.Helper()
	in := product.Input{
		Release: r, Arch: "amd64", Programs: t.TempDir(), Assets: assets, License: "testdata/license.txt", Notices: "testdata/license.txt", Out: filepath.Join(t.TempDir(), "out"),
	}
	for _, p := range programs {
		put(t, in, p.name, emptyProgram())
	}
	return in
}

// put puts a program into an input, branded.
func put(t testing.TB, in product.Input, name string, content []byte) {
	t.Helper()
	path := filepath.Join(in.Programs, name)
	if err := os.WriteFile(path, content, 0o755); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	if err := winres.Brand(path, in.Assets, in.Release); err != nil {
		t.Fatal(err)
	}
}
