package linux

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/internal/sysexec"
)

// Client makes the client's deb and rpm of in.Programs for in.Arch and returns their paths.
func Client(ctx context.Context, in product.Input) ([]string, error) { return build(ctx, in, client) }

// Server makes the server's deb and rpm of in.Programs for in.Arch and returns their paths.
func Server(ctx context.Context, in product.Input) ([]string, error) { return build(ctx, in, server) }

// contents is what is in a package.
type contents struct {
	name        string
	summary     string
	description string // one paragraph
	debSection  string
	rpmGroup    string
	items       []item
	deb, rpm    family
}

// family is what differs between deb and rpm.
type family struct {
	scripts    map[string]string // deb: preinst, postinst, prerm, postrm; rpm: pre, post, preun, postun
	depends    []string
	recommends []string
	suggests   []string
	requires   []string // rpm: what its script "pre" needs
}

// kind is what a package manager makes of a file.
type kind string

const (
	plain   kind = ""
	folder  kind = "folder"  // one the package owns; rpm removes only those
	config  kind = "config"  // the administrator's changes are kept
	license kind = "license" // rpm installs it even without documentation
)

// A format that an item is for; "" is for both.
const (
	deb = "deb"
	rpm = "rpm"
)

// item is a file or a folder of a package.
type item struct {
	path   string
	mode   fs.FileMode
	text   string
	source string // the file it is made of, instead of text
	kind   kind
	format string // the only format it is for, "" for both
	group  string // for rpm, "" for root. dpkg unpacks before there is such a group: postinst gives it the file
}

// system is an architecture as Go, dpkg, rpm and ELF call it.
type system struct {
	goarch, deb, rpm string
	machine          elf.Machine
}

func systemOf(goarch string) (system, error) {
	for _, s := range []system{
		{"amd64", "amd64", "x86_64", elf.EM_X86_64},
		{"arm64", "arm64", "aarch64", elf.EM_AARCH64},
	} {
		if s.goarch == goarch {
			return s, nil
		}
	}
	return system{}, fmt.Errorf("there are no packages for the architecture %q", goarch)
}

func build(ctx context.Context, in product.Input, what func(product.Input) (contents, error)) ([]string, error) {
	if in.Release.Time.IsZero() || !in.Release.Time.Equal(in.Release.Time.Truncate(time.Second)) {
		return nil, errors.New("the release needs a time of whole seconds")
	}
	for _, p := range []*string{&in.Programs, &in.Assets, &in.Docs, &in.License, &in.Out} {
		absolute, err := filepath.Abs(*p)
		if err != nil {
			return nil, err
		}
		*p = absolute
	}
	p, err := what(in)
	if err != nil {
		return nil, err
	}
	made := make([]string, 2)
	g, ctx := errgroup.WithContext(ctx) // compressing takes one processor each
	for i, w := range []struct {
		format string
		write  writer
	}{{deb, p.writeDeb}, {rpm, p.writeRPM}} {
		g.Go(func() (err error) {
			if made[i], err = p.inStage(ctx, in, w.format, w.write); err != nil {
				return fmt.Errorf("make the %s of %s: %w", w.format, p.name, err)
			}
			return nil
		})
	}
	return made, g.Wait()
}

// writer makes the package file of what is in root, at work/..., and returns that and the name it is to have.
type writer func(ctx context.Context, in product.Input, root, work string) (made, name string, err error)

// inStage lays the package's files out and lets write make the package.
func (p contents) inStage(ctx context.Context, in product.Input, format string, write writer) (string, error) {
	work, err := os.MkdirTemp("", "platen-package-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	root := filepath.Join(work, "root")
	if err := p.layOut(root, format, in.Release.Time); err != nil {
		return "", err
	}
	made, name, err := write(ctx, in, root, work)
	if err != nil {
		return "", err
	}
	target := filepath.Join(in.Out, name)
	return target, move(made, target)
}

// layOut puts the files where the package has them, below root, with their modes, all of one time.
func (p contents) layOut(root, format string, at time.Time) error {
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	for _, i := range p.of(format) {
		target := filepath.Join(root, i.path)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := i.put(target); err != nil {
			return fmt.Errorf("%s: %w", i.path, err)
		}
	}
	// Modes at last: the umask is whatever it is, and a folder may be closed to who builds.
	modes := map[string]fs.FileMode{}
	for _, i := range p.of(format) {
		modes[filepath.Join(root, i.path)] = i.mode
	}
	return eachUp(root, func(path string, entry fs.DirEntry) error {
		mode, ours := modes[path]
		if !ours {
			mode = 0o755 // a folder on the way
		}
		return errors.Join(os.Chmod(path, mode), os.Chtimes(path, at, at))
	})
}

// eachUp calls do for everything in root, what is in a folder before the folder.
func eachUp(root string, do func(path string, entry fs.DirEntry) error) error {
	var paths []string
	entries := map[string]fs.DirEntry{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		paths, entries[path] = append(paths, path), entry
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(paths) {
		if err := do(path, entries[path]); err != nil {
			return err
		}
	}
	return nil
}

// of are the items of a format, by path.
func (p contents) of(format string) []item {
	var list []item
	for _, i := range p.items {
		if i.format == "" || i.format == format {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b item) int { return strings.Compare(a.path, b.path) })
	return list
}

func (i item) put(target string) error {
	switch {
	case i.kind == folder:
		return os.MkdirAll(target, 0o755)
	case i.source == "":
		return os.WriteFile(target, []byte(i.text), 0o600)
	}
	from, err := os.Open(i.source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// move puts a finished file into place, whole or not at all; it may come from another file system.
func move(from, target string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(target), ".package-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), target)
}

// programs checks that the programs are there and were built for the package's architecture.
func programs(in product.Input, names ...string) ([]item, error) {
	want, err := systemOf(in.Arch)
	if err != nil {
		return nil, err
	}
	var list []item
	for _, name := range names {
		file := filepath.Join(in.Programs, name)
		f, err := elf.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %s", product.ErrNoPrograms, file)
		}
		if err != nil {
			return nil, fmt.Errorf("read the program %s: %w", file, err)
		}
		machine := f.Machine
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("read the program %s: %w", file, err)
		}
		if machine != want.machine {
			return nil, fmt.Errorf("the program %s was built for %v, the package is for %s", file, machine, in.Arch)
		}
		list = append(list, item{path: path.Join("/usr/bin", name), mode: 0o755, source: file})
	}
	return list, nil
}

// tool runs a program of the system that makes or reads packages.
func tool(ctx context.Context, env []string, name string, args ...string) (string, error) {
	program, err := sysexec.Find(name)
	if err != nil {
		return "", fmt.Errorf("%w (Debian: the packages dpkg and rpm have what is needed)", err)
	}
	cmd, err := sysexec.Command(ctx, program, args...)
	if err != nil {
		return "", err
	}
	cmd.Env = append([]string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8", "TZ=UTC"}, env...)
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %.2000s", name, err, failed.String())
	}
	return string(out), nil
}
