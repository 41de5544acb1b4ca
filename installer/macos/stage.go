package macos

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/macos/identity"
	"github.com/platenprint/platen/installer/product"
)

const (
	deployTool = "platen-deploy"
	stagedApp  = "Platen.app" // in the folder that is staged; platen-deploy is beside it
)

// programNames are those of the bundle.
func programNames(o Options) []string {
	if o.WithoutWindow {
		return []string{"platen"}
	}
	return []string{"platen", "platen-window"}
}

// made is the bundle and the service, of programs joined for both processors.
func made(in product.Input, o Options) ([]flatpkg.File, error) {
	all, err := bundle(in)
	if err != nil {
		return nil, err
	}
	for _, name := range programNames(o) {
		f, err := universal(in.Programs, name, inside(identity.Programs)+"/"+name, !o.WithoutWindow)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	f, err := universal(in.Programs, deployTool, inside(identity.DeployTool), false)
	return append(all, f), err
}

// Stage writes Platen.app and platen-deploy into dir, which it makes, for whoever signs them.
func Stage(ctx context.Context, in product.Input, o Options, dir string) error {
	files, err := made(in, o)
	if err != nil {
		return fmt.Errorf("stage the programs: %w", err)
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := deployTool
		if rest, ok := strings.CutPrefix(f.Path, inside(identity.App)); ok {
			name = stagedApp + rest
		}
		if err := put(filepath.Join(dir, name), f); err != nil {
			return fmt.Errorf("stage the programs: %w", err)
		}
	}
	return nil
}

// staged is the bundle and the service as they are in a folder: a signature is broken by any change. What the bundle has
// besides its programs must still be this release's.
func staged(in product.Input, o Options) ([]flatpkg.File, error) {
	expected, err := bundle(in)
	if err != nil {
		return nil, err
	}
	app := filepath.Join(o.Staged, stagedApp)
	for _, f := range expected {
		want, err := content(f)
		if err != nil {
			return nil, err
		}
		got, err := os.ReadFile(filepath.Join(app, strings.TrimPrefix(f.Path, inside(identity.App))))
		if err != nil || !bytes.Equal(got, want) {
			return nil, fmt.Errorf("%w: %s differs", ErrStaged, f.Path)
		}
	}
	for _, name := range programNames(o) {
		if err := checkUniversal(filepath.Join(app, "Contents", "MacOS", name)); err != nil {
			return nil, err
		}
	}
	if err := checkUniversal(filepath.Join(o.Staged, deployTool)); err != nil {
		return nil, err
	}
	all, err := tree(app)
	if err != nil {
		return nil, fmt.Errorf("read what was staged: %w", err)
	}
	deploy, err := flatpkg.Disk(inside(identity.DeployTool), 0o755, filepath.Join(o.Staged, deployTool))
	return append(all, deploy), err
}

// tree is every file of a bundle on the disk. Links are refused.
func tree(app string) ([]flatpkg.File, error) {
	var all []flatpkg.File
	err := filepath.WalkDir(app, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(app, name)
		if err != nil {
			return err
		}
		to, mode := path.Join(inside(identity.App), filepath.ToSlash(rel)), fs.FileMode(0o644)
		if path.Dir(to) == inside(identity.Programs) {
			mode = 0o755
		}
		f, err := flatpkg.Disk(to, mode, name)
		all = append(all, f)
		return err
	})
	return all, err
}
