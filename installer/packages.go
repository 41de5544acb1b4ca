package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/archive"
	"github.com/platenprint/platen/installer/linux"
	"github.com/platenprint/platen/installer/macos"
	"github.com/platenprint/platen/installer/msi"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/programs"
)

// kind is a package, or some of one system, that can be asked for by name.
type kind struct {
	name     string
	targets  []programs.Target // with more than one, Input.Programs is the folder in which theirs are
	programs []string
	tools    []string // programs that make the package, besides those that build what is in it
	build    func(context.Context, product.Input) ([]string, error)
}

// one makes a builder of one package a builder of some.
func one(build func(context.Context, product.Input) (string, error)) func(context.Context, product.Input) ([]string, error) {
	return func(ctx context.Context, in product.Input) ([]string, error) {
		path, err := build(ctx, in)
		return []string{path}, err
	}
}

// server makes the packages of the server for Linux, and the archive for those who want none.
func server(ctx context.Context, in product.Input) ([]string, error) {
	all, err := linux.Server(ctx, in)
	if err != nil {
		return nil, err
	}
	path, err := archive.Server(ctx, in, "linux")
	return append(all, path), err
}

// kinds are all packages, in the order in which they are built.
func (b *build) allKinds() []kind {
	windows := []programs.Target{{OS: "windows", Arch: "amd64"}}
	amd64, arm64 := []programs.Target{{OS: "linux", Arch: "amd64"}}, []programs.Target{{OS: "linux", Arch: "arm64"}}
	rpm := []string{"dpkg-deb", "rpmbuild"}
	return []kind{
		{name: "msi", targets: windows, programs: programs.Client(), tools: msi.Needs(), build: one(msi.Build)},
		b.pkg(),
		{name: "linux-amd64", targets: amd64, programs: programs.Client(), tools: rpm, build: linux.Client},
		{name: "linux-arm64", targets: arm64, programs: programs.Client(), tools: rpm, build: linux.Client},
		{name: "server-linux-amd64", targets: amd64, programs: programs.Server(), tools: rpm, build: server},
		{name: "server-linux-arm64", targets: arm64, programs: programs.Server(), tools: rpm, build: server},
		{name: "server-windows-amd64", targets: windows, programs: programs.Server(), build: one(func(ctx context.Context, in product.Input) (string, error) {
			return archive.Server(ctx, in, "windows")
		})},
	}
}

// pkg is the package for macOS: of what a Mac has built, or without a window.
func (b *build) pkg() kind {
	k := kind{name: "pkg", targets: []programs.Target{{OS: "darwin", Arch: "amd64"}, {OS: "darwin", Arch: "arm64"}}}
	k.programs = []string{"platen", "platen-deploy"}
	var o macos.Options
	switch {
	case b.mac == "":
		o.WithoutWindow = true
	case b.staged():
		o.Staged = b.mac
	default:
		k.programs = programs.Client()
	}
	k.build = one(func(ctx context.Context, in product.Input) (string, error) {
		if b.keys.Package != nil {
			var err error
			if o.Signer, err = b.keys.Package.Signer(ctx); err != nil {
				return "", err
			}
		}
		return macos.Build(ctx, in, o)
	})
	return k
}

// staged tells whether the folder from the Mac has a bundle that was signed there.
func (b *build) staged() bool {
	_, err := os.Stat(filepath.Join(b.mac, "Platen.app"))
	return b.mac != "" && err == nil
}

func names() []string {
	var all []string
	for _, k := range new(build).allKinds() {
		all = append(all, k.name)
	}
	return all
}

// choose returns the kinds whose name is, or begins with, one of those asked for; all when none is.
func choose(all []kind, asked []string) ([]kind, error) {
	if len(asked) == 0 {
		return all, nil
	}
	is := func(k kind, asked string) bool { return k.name == asked || strings.HasPrefix(k.name, asked+"-") }
	for _, a := range asked {
		if !slices.ContainsFunc(all, func(k kind) bool { return is(k, a) }) {
			return nil, fmt.Errorf("there is no package %q: choose from %s", a, strings.Join(names(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(k kind) bool {
		return !slices.ContainsFunc(asked, func(a string) bool { return is(k, a) })
	}), nil
}

// most are how large packages may be, in bytes, by the end of their name: IT sends them to every computer.
var most = map[string]int64{".msi": 20e6, ".deb": 15e6}
