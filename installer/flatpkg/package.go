package flatpkg

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Package is what goes into a flat package: one component that is installed as a whole.
type Package struct {
	Identifier      string // of the component and of the receipt: org.example.thing
	Version         string // what pkgutil --pkg-info shows
	Title           string // what the installer's window says
	InstallLocation string // absolute folder the files' paths begin at; "" is "/"
	MinOS           string // oldest macOS, such as 12.0; "" is any
	Architectures   []string
	Files           []File
	Bundles         []Bundle
	Preinstall      []byte // script, nil for none
	Postinstall     []byte // script, nil for none
	Time            time.Time
}

// File is one thing that is installed. Folders that are not listed are made, 0755.
type File struct {
	Path string      // relative, with slashes: Applications/Thing.app/Contents/Info.plist
	Mode fs.FileMode // permissions, and fs.ModeDir for a folder; no links, no set-user-id
	GID  int         // 0 is wheel; 80 (admin) belongs to some folders of the system
	Size int64       // of what Open gives, in bytes
	Open func() (io.ReadCloser, error)
}

// Bytes is a file made of data.
func Bytes(path string, mode fs.FileMode, data []byte) File {
	return File{Path: path, Mode: mode, Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// Disk is a file that is a copy of the one at source. Only its bytes are taken: mode and time come from the package.
func Disk(path string, mode fs.FileMode, source string) (File, error) {
	info, err := os.Lstat(source)
	if err != nil {
		return File{}, fmt.Errorf("take %s into the package: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return File{}, fmt.Errorf("take %s into the package: %s is no regular file", path, source)
	}
	return File{Path: path, Mode: mode, Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(source) }}, nil
}

// Dir is a folder.
func Dir(path string, mode fs.FileMode, gid int) File {
	return File{Path: path, Mode: mode | fs.ModeDir, GID: gid}
}

// Bundle tells the installer that a folder is a bundle, so that it replaces it as a whole: what an older version had and
// this one has not goes. It is never looked for elsewhere (relocated).
type Bundle struct {
	Path    string // as in File
	ID      string // CFBundleIdentifier
	Version string // CFBundleVersion and CFBundleShortVersionString
}

// Options say how a package is written.
type Options struct {
	Signer  *Signer // nil leaves the package unsigned
	Digest  Digest
	TempDir string // where the payload is kept while it is written; "" is the system's
}

// Write writes the package. It holds no file in memory: the payload goes through a temporary file, which is removed. A
// cancelled ctx ends it between files.
func Write(ctx context.Context, w io.Writer, p Package, o Options) (err error) {
	if err := p.check(); err != nil {
		return fmt.Errorf("write the package %s: %w", p.Identifier, err)
	}
	if err := o.Signer.check(); err != nil {
		return fmt.Errorf("sign the package %s: %w", p.Identifier, err)
	}
	entries, err := plan(p.Files)
	if err != nil {
		return fmt.Errorf("write the package %s: %w", p.Identifier, err)
	}
	heap, err := os.CreateTemp(o.TempDir, "flatpkg-*")
	if err != nil {
		return fmt.Errorf("write the package %s: keep the payload: %w", p.Identifier, err)
	}
	defer func() { err = errors.Join(err, heap.Close(), os.Remove(heap.Name())) }()

	x := newArchive(heap, o.Digest, p.Time)
	if err := p.fill(ctx, x, entries); err != nil {
		return fmt.Errorf("write the package %s: %w", p.Identifier, err)
	}
	if err := x.writeTo(w, o.Signer); err != nil {
		return fmt.Errorf("write the package %s: %w", p.Identifier, err)
	}
	return nil
}

// fill puts everything into the archive. The payload comes first: it tells the checksums that the bill of materials has.
func (p Package) fill(ctx context.Context, x *archive, entries []*entry) error {
	dir := x.dir(p.component())
	if err := dir.stored("Payload", func(w io.Writer) error { return compressed(ctx, w, entries, p.Time) }); err != nil {
		return fmt.Errorf("write the payload: %w", err)
	}
	bom, err := bill(entries, p.Time, bigNode)
	if err != nil {
		return fmt.Errorf("write the bill of materials: %w", err)
	}
	if err := dir.deflated("Bom", bom); err != nil {
		return err
	}
	info, err := p.info(entries)
	if err != nil {
		return err
	}
	if err := dir.deflated("PackageInfo", info); err != nil {
		return err
	}
	scripts, err := plan(p.scripts())
	if err != nil {
		return fmt.Errorf("write the scripts: %w", err)
	}
	if len(scripts) > 1 { // more than the folder
		if err := dir.stored("Scripts", func(w io.Writer) error { return compressed(ctx, w, scripts, p.Time) }); err != nil {
			return fmt.Errorf("write the scripts: %w", err)
		}
	}
	distribution, err := p.distribution(entries)
	if err != nil {
		return err
	}
	return x.deflated("Distribution", distribution)
}

// component is the folder of the component in the archive.
func (p Package) component() string { return p.Identifier + ".pkg" }

func (p Package) location() string {
	if p.InstallLocation == "" {
		return "/"
	}
	return p.InstallLocation
}

func (p Package) scripts() []File {
	var list []File
	for _, s := range []struct {
		name string
		text []byte
	}{{"preinstall", p.Preinstall}, {"postinstall", p.Postinstall}} {
		if s.text != nil {
			list = append(list, Bytes(s.name, 0o755, s.text))
		}
	}
	return list
}

// compressed writes entries as cpio in gzip. The gzip header has no name and no time.
func compressed(ctx context.Context, w io.Writer, entries []*entry, when time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := writeCpio(ctx, z, entries, when); err != nil {
		return err
	}
	return z.Close()
}
