package linux

import (
	"context"
	"crypto/md5" //nolint:gosec // what dpkg compares installed files with (deb-md5sums(5)); it protects from nobody
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/platenprint/platen/installer/product"
)

// writeDeb lets dpkg-deb make the package. It belongs to root whoever builds it.
func (p contents) writeDeb(ctx context.Context, in product.Input, root, work string) (made, name string, err error) {
	s, err := systemOf(in.Arch)
	if err != nil {
		return "", "", err
	}
	control, err := p.control(in, s, root)
	if err != nil {
		return "", "", err
	}
	dir := filepath.Join(root, "DEBIAN")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", "", err
	}
	for name, text := range control {
		mode := fs.FileMode(0o644)
		if _, script := p.deb.scripts[name]; script {
			mode = 0o755
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			return "", "", err
		}
		if err := os.Chmod(file, mode); err != nil {
			return "", "", err
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // dpkg-deb wants it so
		return "", "", err
	}
	made = filepath.Join(work, "package.deb")
	// Level 7 wants 20 MB of memory to unpack, 9 would want 70 for 5 % less. One thread: the compressed bytes depend on how many there are.
	_, err = tool(ctx, []string{epoch(in)}, "dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "-z7", "--build", root, made)
	return made, fmt.Sprintf("%s_%s_%s.deb", p.name, in.Release.Linux(), s.deb), err
}

// epoch dates what the tools date themselves (reproducible-builds.org/specs/source-date-epoch), and is the latest time of files.
func epoch(in product.Input) string {
	return "SOURCE_DATE_EPOCH=" + strconv.FormatInt(in.Release.Epoch(), 10)
}

// control are the files of the control archive (deb(5)).
func (p contents) control(in product.Input, s system, root string) (map[string]string, error) {
	size, sums, err := measure(root)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, field := range [][2]string{
		{"Package", p.name},
		{"Version", in.Release.Linux()},
		{"Section", p.debSection},
		{"Priority", "optional"},
		{"Architecture", s.deb},
		{"Maintainer", product.Maintainer},
		{"Installed-Size", strconv.FormatInt(size, 10)},
		{"Depends", strings.Join(p.deb.depends, ", ")},
		{"Recommends", strings.Join(p.deb.recommends, ", ")},
		{"Suggests", strings.Join(p.deb.suggests, ", ")},
		{"Homepage", product.Homepage},
		{"Description", p.summary + "\n " + strings.ReplaceAll(wrap(p.description), "\n", "\n ")},
	} {
		if field[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", field[0], field[1])
		}
	}
	files := map[string]string{"control": b.String(), "md5sums": sums}
	for _, i := range p.of(deb) {
		if i.kind == config {
			files["conffiles"] += i.path + "\n"
		}
	}
	for name, text := range p.deb.scripts {
		files[name] = text
	}
	return files, nil
}

// wrap breaks a text where terminals and mail programs want it: before the 77th column.
func wrap(text string) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > 76:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return strings.Join(append(lines, line), "\n")
}

// measure counts as deb-control(5) says, in KiB, a folder as one, and sums the files up as deb-md5sums(5) says.
func measure(root string) (size int64, sums string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			size++
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		size += (int64(len(text)) + 1023) / 1024
		sum := md5.Sum(text) //nolint:gosec // see above
		relative, err := filepath.Rel(root, path)
		sums += hex.EncodeToString(sum[:]) + "  " + relative + "\n"
		return err
	})
	return size, sums, err
}
