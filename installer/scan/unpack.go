package scan

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/tool"
)

// What is unpacked at most: our artefacts are far below, and something that goes beyond is not ours.
const (
	maxFile  = 512 << 20
	maxDepth = 6
)

// Tools are the programs that take the formats apart that Go does not read.
func Tools() []string {
	return []string{"dpkg-deb", "rpm", "rpm2cpio", "cpio", "msidump", "msiextract"}
}

type visitor func(name string, data []byte)

// unpack calls visit with the artefact itself and every file in it.
func unpack(ctx context.Context, path string, visit visitor) error {
	data, err := read(path)
	if err != nil {
		return err
	}
	return open(ctx, path, filepath.Base(path), data, 0, visit)
}

// open visits data, which is at path if that is not empty, and opens it when it is an archive.
func open(ctx context.Context, path, name string, data []byte, depth int, visit visitor) error {
	visit(name, data)
	if depth > maxDepth {
		return fmt.Errorf("%s: archives in archives in archives", name)
	}
	inside := func(inner string, data []byte) error { return open(ctx, "", name+"!"+inner, data, depth+1, visit) }
	starts := func(magic string) bool { return bytes.HasPrefix(data, []byte(magic)) }
	var by func(ctx context.Context, path, dir string) error
	switch {
	case starts("\x1f\x8b"):
		return gunzip(data, strings.TrimSuffix(filepath.Base(name), ".gz"), inside)
	case starts("PK\x03\x04"):
		return unzip(data, inside)
	case len(data) > 262 && string(data[257:262]) == "ustar":
		return untar(data, inside)
	case starts("!<arch>\ndebian-binary"):
		by = deb
	case starts("\xed\xab\xee\xdb"):
		by = rpm
	case starts("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
		by = msi
	case starts("xar!"):
		return withFile(path, data, func(path string) error { return pkg(path, inside) })
	default:
		return nil
	}
	return withFile(path, data, func(path string) error { return byTools(ctx, path, by, inside) })
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return limited(f)
}

func limited(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if len(data) > maxFile {
		return nil, errors.New("a file is larger than anything of ours")
	}
	return data, err
}

func gunzip(data []byte, name string, inside func(string, []byte) error) error {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	plain, err := limited(r)
	if err != nil {
		return err
	}
	return inside(name, plain)
}

func unzip(data []byte, inside func(string, []byte) error) error {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	for _, f := range r.File {
		part, err := f.Open()
		if err != nil {
			return err
		}
		plain, err := limited(part)
		if err := errors.Join(err, part.Close()); err != nil {
			return err
		}
		if err := inside(f.Name, plain); err != nil {
			return err
		}
	}
	return nil
}

func untar(data []byte, inside func(string, []byte) error) error {
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		plain, err := limited(r)
		if err != nil {
			return err
		}
		if err := inside(h.Name, plain); err != nil {
			return err
		}
	}
}

func pkg(path string, inside func(string, []byte) error) error {
	r, err := flatpkg.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for _, name := range r.Names() {
		if base := filepath.Base(name); base == "Payload" || base == "Scripts" {
			err := r.Walk(name, func(e flatpkg.Entry, content io.Reader) error {
				data, err := limited(content)
				if err != nil {
					return err
				}
				return inside(name+"/"+strings.TrimPrefix(e.Path, "./"), data)
			})
			if err != nil {
				return err
			}
			continue
		}
		var text bytes.Buffer
		if err := r.Copy(&text, name); err != nil {
			return err
		}
		if err := inside(name, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// withFile calls work with a file that has data: the one at path, or a temporary one.
func withFile(path string, data []byte, work func(path string) error) error {
	if path != "" {
		path, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		return work(path)
	}
	f, err := os.CreateTemp("", "scan-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return work(f.Name())
}

// byTools lets other programs unpack the file at path into a folder, and walks through that.
func byTools(ctx context.Context, path string, by func(ctx context.Context, path, dir string) error, inside func(string, []byte) error) error {
	dir, err := os.MkdirTemp("", "scan-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := by(ctx, path, dir); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		if d.Type()&fs.ModeSymlink != 0 { // the text of a link is as public as a file's
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			return inside(name, []byte(target))
		}
		if !d.Type().IsRegular() {
			return nil
		}
		data, err := read(file)
		if err != nil {
			return err
		}
		return inside(filepath.ToSlash(name), data)
	})
}

func deb(ctx context.Context, path, dir string) error {
	_, err := tool.Run(ctx, dir, nil, "dpkg-deb", "--raw-extract", path, dir)
	return err
}

func rpm(ctx context.Context, path, dir string) error {
	cpio, err := tool.Run(ctx, dir, nil, "rpm2cpio", path)
	if err != nil {
		return err
	}
	archive := filepath.Join(dir, ".cpio")
	if err := os.WriteFile(archive, cpio, 0o600); err != nil {
		return err
	}
	if _, err := tool.Run(ctx, dir, nil, "cpio", "--extract", "--make-directories", "--quiet", "--no-absolute-filenames", "--file", archive); err != nil {
		return err
	}
	if err := os.Remove(archive); err != nil {
		return err
	}
	// The header has the scripts, and everything else that the package says.
	header, err := tool.Run(ctx, dir, nil, "rpm", "-qp", "--nosignature", "--scripts", "--triggers", "--info", path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ".header"), withoutSums(header), 0o600)
}

// withoutSums leaves out the lines of rpm's header that are checksums.
func withoutSums(header []byte) []byte {
	var out []byte
	for line := range bytes.Lines(header) {
		if !bytes.HasPrefix(line, []byte("Signature")) {
			out = append(out, line...)
		}
	}
	return out
}

func msi(ctx context.Context, path, dir string) error {
	for _, part := range []string{"tables", "files"} {
		if err := os.Mkdir(filepath.Join(dir, part), 0o700); err != nil {
			return err
		}
	}
	if _, err := tool.Run(ctx, dir, nil, "msidump", "--tables", "--streams", "--directory", filepath.Join(dir, "tables"), path); err != nil {
		return err
	}
	_, err := tool.Run(ctx, dir, nil, "msiextract", "--directory", filepath.Join(dir, "files"), path)
	return err
}
