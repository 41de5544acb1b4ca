// Package programs builds Platen's programs for all systems on one Linux machine. The same sources give the same bytes, in
// whatever folder they are: no path, no host, no time and no revision gets into a program.
//
// Three of the four programs are pure Go. The window needs a C compiler of each system: gcc, mingw, and gcc for arm64 with
// the stand-ins of stubs.go. For macOS it can only be compiled on a Mac.
package programs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/tool"
	"github.com/platenprint/platen/installer/winres"
)

// Tags are the build tags of the window: without the emoji font (4 MB), with Fyne's strict threading.
const Tags = "no_emoji,migrated_fynedo"

// Target is a system programs are built for, in Go's words.
type Target struct{ OS, Arch string }

// Dir is the name of the target's folder: linux-amd64.
func (t Target) Dir() string { return t.OS + "-" + t.Arch }

// Client and Server are the programs of the two products.
func Client() []string { return []string{"platen", "platen-window", "platen-deploy"} }

// Server is the program of the server's packages.
func Server() []string { return []string{"platen-server"} }

// window is the only program that needs cgo.
const window = "platen-window"

// folders are where the programs' main packages are.
var folders = map[string]string{
	"platen":        "./client",
	"platen-deploy": "./printqueue",
	"platen-server": "./server-stub",
	window:          "./tray",
}

// Options are the same for all builds of one release.
type Options struct {
	Go      string // the go command
	Source  string // the source tree
	Work    string // a folder for the programs, in folders named Target.Dir, and for what is needed to link them
	Release product.Release
	Env     []string // more environment for the Go tool, as in GOCACHE=...
}

// ErrNeedsMac says that the window for macOS was asked for.
var ErrNeedsMac = errors.New("the window for macOS can only be compiled on a Mac")

// Tools are the programs that building names for t starts, besides Go.
func Tools(t Target, names []string) []string {
	if !slices.Contains(names, window) {
		return nil
	}
	switch t.Dir() {
	case "windows-amd64":
		return []string{"x86_64-w64-mingw32-gcc"}
	case "linux-arm64":
		return []string{"aarch64-linux-gnu-gcc", "pkg-config"}
	}
	return []string{"gcc", "pkg-config"}
}

// Build builds the named programs for t and returns the folder they are in. Windows' programs have their version, icon and
// manifest, and are not signed.
func Build(ctx context.Context, o Options, t Target, names []string) (string, error) {
	if err := tool.Need(Tools(t, names)...); err != nil {
		return "", err
	}
	dir := filepath.Join(o.Work, t.Dir())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the folder of the programs: %w", err)
	}
	for _, name := range names {
		if err := build(ctx, o, t, name, filepath.Join(dir, File(t, name))); err != nil {
			return "", fmt.Errorf("build %s for %s: %w", name, t.Dir(), err)
		}
	}
	return dir, nil
}

// File is what the program is called on t.
func File(t Target, name string) string {
	if t.OS == "windows" {
		return name + ".exe"
	}
	return name
}

func build(ctx context.Context, o Options, t Target, name, out string) error {
	// What the machine or the person has set must not change the program.
	env := append(slices.Clone(o.Env),
		"GOOS="+t.OS, "GOARCH="+t.Arch, "GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0")
	flags := "-s -w -buildid= -X github.com/platenprint/platen/internal/buildinfo.Version=" + o.Release.Version
	args := []string{"build", "-mod=readonly", "-trimpath", "-buildvcs=false"}
	if name == window {
		compiler, err := compiler(ctx, o, t)
		if err != nil {
			return err
		}
		env = append(env, compiler...)
		args = append(args, "-tags", Tags)
		switch t.OS {
		case "linux": // loaded anywhere, as every program with C in it should be; Windows' are without asking
			args = append(args, "-buildmode=pie")
		case "windows":
			flags += " -H windowsgui" // the others are console programs: see docs/adr/0011-packages.md
		}
	}
	if _, err := tool.Run(ctx, o.Source, env, o.Go, append(args, "-ldflags", flags, "-o", out, folders[name])...); err != nil {
		return err
	}
	if t.OS == "windows" {
		if err := winres.Brand(out, filepath.Join(o.Source, "assets"), o.Release); err != nil {
			return err
		}
	}
	return os.Chtimes(out, o.Release.Time, o.Release.Time)
}

// compiler is the environment in which the Go tool compiles C for t.
func compiler(ctx context.Context, o Options, t Target) ([]string, error) {
	env := []string{"CGO_ENABLED=1", "CGO_CFLAGS=-O2", "CGO_LDFLAGS=-O2", "CGO_CPPFLAGS=", "PKG_CONFIG=pkg-config"}
	switch t.Dir() {
	case "linux-amd64":
		return append(env, "CC=gcc"), nil
	case "windows-amd64":
		return append(env, "CC=x86_64-w64-mingw32-gcc"), nil
	case "linux-arm64":
		libraries, err := stubs(ctx, filepath.Join(o.Work, "stubs-arm64"), "aarch64-linux-gnu-gcc")
		if err != nil {
			return nil, err
		}
		return append(env, "CC=aarch64-linux-gnu-gcc", "CGO_LDFLAGS=-O2 -L"+libraries, "PKG_CONFIG_LIBDIR="+libraries), nil
	}
	if t.OS == "darwin" {
		return nil, ErrNeedsMac
	}
	return nil, fmt.Errorf("no C compiler is known for %s", t.Dir())
}

// Prebuilt checks that dir, in which Build or somebody else has put programs, has those that are named, and returns their
// folder: dir/OS-ARCH, or for macOS dir/ARCH, where a Mac puts them.
func Prebuilt(dir string, t Target, names []string) (string, error) {
	short := filepath.Join(dir, t.Arch)
	dir = filepath.Join(dir, t.Dir())
	if _, err := os.Stat(dir); err != nil && t.OS == "darwin" {
		if _, err := os.Stat(short); err == nil {
			dir = short
		}
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, File(t, name))); err != nil || !info.Mode().IsRegular() {
			return "", fmt.Errorf("%w: %s in %s", product.ErrNoPrograms, File(t, name), dir)
		}
	}
	return dir, nil
}

// Copy copies a program for t from the folder dir into that of t in o.Work, and returns that.
func Copy(o Options, t Target, name, dir string) (string, error) {
	to := filepath.Join(o.Work, t.Dir())
	data, err := os.ReadFile(filepath.Join(dir, File(t, name)))
	if err == nil {
		err = os.MkdirAll(to, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(to, File(t, name)), data, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("copy %s: %w", File(t, name), err)
	}
	return to, nil
}
