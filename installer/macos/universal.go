package macos

import (
	"bytes"
	"debug/buildinfo"
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/product"
)

// processors are those of a universal program, in lipo(1)'s order. Each one's part begins at a page.
var processors = []struct {
	arch  string // as Go says
	cpu   macho.Cpu
	sub   uint32
	align uint32 // a power of two
}{
	{"amd64", macho.CpuAmd64, 3, 12}, // CPU_SUBTYPE_X86_64_ALL
	{"arm64", macho.CpuArm64, 0, 14}, // CPU_SUBTYPE_ARM64_ALL
}

// find returns the file of a program for one processor.
func find(programs, arch, name string) (string, error) {
	for _, dir := range []string{arch, "darwin-" + arch} {
		file := filepath.Join(programs, dir, name)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	hint := ""
	if name == "platen-window" {
		hint = "; it is built on a Mac (docs/deploy/mac-build.md), or left out on purpose"
	}
	return "", fmt.Errorf("%w: %s for %s in %s%s", product.ErrNoPrograms, name, arch, programs, hint)
}

// universal joins the programs for both processors (mach-o/fat.h): a header, and each where its page begins. With tray, a
// program that says of itself that it was built without cgo is refused: it has no tray icon.
func universal(programs, name, to string, tray bool) (flatpkg.File, error) {
	head := binary.BigEndian.AppendUint32(nil, macho.MagicFat)
	head = binary.BigEndian.AppendUint32(head, uint32(len(processors)))
	at := uint64(len(head) + len(processors)*20)
	type part struct {
		file       string
		start, end uint64
	}
	var parts []part
	for _, s := range processors {
		file, err := find(programs, s.arch, name)
		if err != nil {
			return flatpkg.File{}, err
		}
		size, err := checkSlice(file, s.cpu, tray)
		if err != nil {
			return flatpkg.File{}, err
		}
		page := uint64(1) << s.align
		start := (at + page - 1) / page * page
		at = start + size
		if at > math.MaxUint32 {
			return flatpkg.File{}, fmt.Errorf("%s is longer than 4 GiB for both processors", name)
		}
		for _, v := range []uint32{uint32(s.cpu), s.sub, uint32(start), uint32(size), s.align} {
			head = binary.BigEndian.AppendUint32(head, v)
		}
		parts = append(parts, part{file, start, at})
	}
	return flatpkg.File{Path: to, Mode: 0o755, Size: int64(at), Open: func() (io.ReadCloser, error) {
		j := &joined{}
		readers, end := []io.Reader{bytes.NewReader(head)}, uint64(len(head))
		for _, p := range parts {
			f, err := os.Open(p.file)
			if err != nil {
				return nil, errors.Join(err, j.Close())
			}
			j.files = append(j.files, f)
			readers = append(readers, bytes.NewReader(make([]byte, p.start-end)), f)
			end = p.end
		}
		j.Reader = io.MultiReader(readers...)
		return j, nil
	}}, nil
}

// joined are files that are read one after the other.
type joined struct {
	io.Reader
	files []*os.File
}

func (j *joined) Close() error {
	var err error
	for _, f := range j.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// checkSlice makes sure that the file is a program for the processor, and returns its size.
func checkSlice(file string, cpu macho.Cpu, tray bool) (uint64, error) {
	info, err := os.Lstat(file)
	if err != nil {
		return 0, err
	}
	m, err := macho.Open(file)
	if err != nil {
		return 0, fmt.Errorf("%s is no program for macOS: %w", file, err)
	}
	defer m.Close()
	if m.Cpu != cpu || m.Type != macho.TypeExec || !info.Mode().IsRegular() {
		return 0, fmt.Errorf("%s is no program for %v: it is a %v for %v", file, cpu, m.Type, m.Cpu)
	}
	if tray && withoutCgo(file) {
		return 0, fmt.Errorf("%s was built without cgo, so it has no tray icon: build it on a Mac (docs/deploy/mac-build.md)", file)
	}
	return uint64(info.Size()), nil
}

// withoutCgo tells whether a program says so of itself.
func withoutCgo(file string) bool {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" {
			return s.Value == "0"
		}
	}
	return false
}

// checkUniversal makes sure that a staged program still is for both processors.
func checkUniversal(file string) error {
	m, err := macho.OpenFat(file)
	if err != nil {
		return fmt.Errorf("%w: %s is no program for both processors: %w", ErrStaged, file, err)
	}
	defer m.Close()
	for i, s := range processors {
		if i >= len(m.Arches) || m.Arches[i].Cpu != s.cpu {
			return fmt.Errorf("%w: %s is not for %v", ErrStaged, file, s.cpu)
		}
	}
	return nil
}
