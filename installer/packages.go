package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/installer/archive"
	"github.com/platenprint/platen/installer/linux"
	"github.com/platenprint/platen/installer/msi"
	"github.com/platenprint/platen/installer/product"
	"github.com/platenprint/platen/installer/programs"
)

// kind is something that can be built by name.
type kind struct {
	name     string
	target   programs.Target
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

// serverArchive packs the server for those who install it by hand.
func serverArchive(goos string) func(context.Context, product.Input) ([]string, error) {
	return one(func(ctx context.Context, in product.Input) (string, error) { return archive.Server(ctx, in, goos) })
}

// each makes one builder of some.
func each(builders ...func(context.Context, product.Input) ([]string, error)) func(context.Context, product.Input) ([]string, error) {
	return func(ctx context.Context, in product.Input) ([]string, error) {
		var all []string
		for _, build := range builders {
			paths, err := build(ctx, in)
			if err != nil {
				return nil, err
			}
			all = append(all, paths...)
		}
		return all, nil
	}
}

var (
	windowsAMD64 = programs.Target{OS: "windows", Arch: "amd64"}
	linuxAMD64   = programs.Target{OS: "linux", Arch: "amd64"}
	linuxARM64   = programs.Target{OS: "linux", Arch: "arm64"}
)

// kinds are all packages, in the order in which they are built.
func kinds() []kind {
	return []kind{
		{name: "msi", target: windowsAMD64, programs: programs.Client(), tools: msi.Needs(), build: one(msi.Build)},
		{name: "linux-amd64", target: linuxAMD64, programs: programs.Client(), build: linux.Client},
		{name: "linux-arm64", target: linuxARM64, programs: programs.Client(), build: linux.Client},
		{name: "server-linux-amd64", target: linuxAMD64, programs: programs.Server(), build: each(linux.Server, serverArchive("linux"))},
		{name: "server-linux-arm64", target: linuxARM64, programs: programs.Server(), build: each(linux.Server, serverArchive("linux"))},
		{name: "server-windows-amd64", target: windowsAMD64, programs: programs.Server(), build: serverArchive("windows")},
	}
}

func names() []string {
	var all []string
	for _, k := range kinds() {
		all = append(all, k.name)
	}
	return all
}

// chosen are the kinds whose name is, or begins with, one of those asked for; all when none is.
func chosen(asked []string) ([]kind, error) {
	all := kinds()
	if len(asked) == 0 {
		return all, nil
	}
	wanted := func(k kind) bool {
		return slices.ContainsFunc(asked, func(a string) bool { return k.name == a || strings.HasPrefix(k.name, a+"-") })
	}
	for _, a := range asked {
		if !slices.ContainsFunc(all, func(k kind) bool { return k.name == a || strings.HasPrefix(k.name, a+"-") }) {
			return nil, fmt.Errorf("there is no package %q: choose from %s", a, strings.Join(names(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(k kind) bool { return !wanted(k) }), nil
}
