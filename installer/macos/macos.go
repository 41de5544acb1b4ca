package macos

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/printqueue/service"
)

// MinOS is the oldest macOS that programs of Go 1.26 run on (go.dev/doc/go1.25#darwin, 1.26 the same).
const MinOS = "12.0"

// admin is the group that Apple gives /Applications and /Library/Application Support to. A package that said something else
// could change them.
const admin = 80

var (
	//go:embed files/org.platenprint.platen.plist
	agentPlist []byte
	//go:embed files/platen.conf.default
	defaultConf []byte
	//go:embed files/preinstall
	preinstall string
	//go:embed files/postinstall
	postinstall []byte
	//go:embed files/uninstall.sh
	uninstall []byte
)

// Options say how the package is made.
type Options struct {
	Signer *flatpkg.Signer // nil leaves the package unsigned
	Digest flatpkg.Digest
	// WithoutWindow leaves platen-window out, and takes a platen without tray icon: what can be built without a Mac. The
	// package is called platen-VERSION-no-window.pkg.
	WithoutWindow bool
	// Staged is a folder that Stage has written and somebody has signed; "" makes everything of Input.Programs.
	Staged string
}

// ErrStaged says that what was staged does not belong to this release.
var ErrStaged = errors.New("what was staged is not of this release; stage it again")

// Name is what the package's file is called.
func Name(r product.Release, o Options) string {
	if o.WithoutWindow {
		return "platen-" + r.Version + "-no-window.pkg"
	}
	return "platen-" + r.Version + ".pkg"
}

// Build writes the package into in.Out and returns its path. in.Arch is not asked: the programs are for both. A program that is
// missing is product.ErrNoPrograms.
func Build(ctx context.Context, in product.Input, o Options) (string, error) {
	p, err := describe(in, o)
	if err != nil {
		return "", fmt.Errorf("make the package for macOS: %w", err)
	}
	name := filepath.Join(in.Out, Name(in.Release, o))
	if err := write(ctx, name, p, flatpkg.Options{Signer: o.Signer, Digest: o.Digest, TempDir: in.Out}); err != nil {
		return "", fmt.Errorf("make the package for macOS: %w", err)
	}
	return name, nil
}

// write leaves a whole file or none.
func write(ctx context.Context, name string, p flatpkg.Package, o flatpkg.Options) (err error) {
	f, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	err = flatpkg.Write(ctx, w, p, o)
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func describe(in product.Input, o Options) (flatpkg.Package, error) {
	files, err := files(in, o)
	if err != nil {
		return flatpkg.Package{}, err
	}
	title := product.Name
	if o.WithoutWindow {
		title += " (without window)"
	}
	return flatpkg.Package{
		Identifier: identity.Package, Version: in.Release.Version, Title: title, MinOS: MinOS,
		Architectures: []string{"arm64", "x86_64"}, Time: in.Release.Time, Files: files,
		Bundles:     []flatpkg.Bundle{{Path: inside(identity.App), ID: identity.Bundle, Version: in.Release.Windows()}},
		Preinstall:  []byte(strings.ReplaceAll(preinstall, "@VERSION@", in.Release.Version)),
		Postinstall: postinstall,
	}, nil
}

// inside is an absolute path as the package has it.
func inside(path string) string { return strings.TrimPrefix(path, "/") }

func files(in product.Input, o Options) ([]flatpkg.File, error) {
	take := made
	if o.Staged != "" {
		take = staged
	}
	programs, err := take(in, o)
	if err != nil {
		return nil, err
	}
	daemon, err := service.Plist(identity.DeployTool)
	if err != nil {
		return nil, fmt.Errorf("write the service's property list: %w", err)
	}
	at := func(path string, mode fs.FileMode, text []byte) flatpkg.File {
		return flatpkg.Bytes(inside(path), mode, text)
	}
	return append(programs,
		// Folders of macOS, as Apple has them.
		flatpkg.Dir("Applications", 0o775, admin),
		flatpkg.Dir("Library/Application Support", 0o755, admin),
		at(identity.Support+"/platen.conf.default", 0o644, defaultConf),
		at(identity.Uninstaller, 0o755, uninstall),
		at(identity.AgentPlist, 0o644, agentPlist),
		at(identity.DeployPlist, 0o644, []byte(daemon)),
		at(identity.PathsFile, 0o644, []byte(identity.Programs+"\n")),
	), nil
}
