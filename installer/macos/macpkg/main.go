// Program macpkg makes Platen's package for macOS in the steps that code signing needs. build-on-mac.sh calls it:
//
//	macpkg notices -programs bin/mac -to notices.txt                                       writes the licences of others' parts
//	macpkg stage   -version 1.2.3 -programs bin/mac -notices notices.txt -to bin/staged    writes Platen.app and platen-deploy, to be signed
//	macpkg package -version 1.2.3 -staged bin/staged -notices notices.txt -out dist        makes dist/platen-1.2.3.pkg of them
//
// It is started in the folder of the sources. The package is dated by SOURCE_DATE_EPOCH, which must be set.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/platenprint/platen/installer/macos"
	"github.com/platenprint/platen/installer/notices"
	"github.com/platenprint/platen/installer/product"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "macpkg:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, epoch string, stdout io.Writer) error {
	if len(args) == 0 || !slices.Contains([]string{"notices", "stage", "package"}, args[0]) {
		return errors.New("say notices, stage or package")
	}
	flags := flag.NewFlagSet("macpkg "+args[0], flag.ContinueOnError)
	version := flags.String("version", "", "the release's version")
	in := product.Input{Assets: "assets", Docs: "docs", License: "LICENSE"}
	flags.StringVar(&in.Programs, "programs", "", "the folder with amd64/platen ... arm64/platen-deploy")
	flags.StringVar(&in.Out, "out", "dist", "the folder for the package")
	to := flags.String("to", "", "the folder to stage into, or the file for the notices")
	flags.StringVar(&in.Notices, "notices", "", "the file with the licences of others' parts")
	var o macos.Options
	flags.StringVar(&o.Staged, "staged", "", "the folder that was staged and signed")
	flags.BoolVar(&o.WithoutWindow, "without-window", false, "make a package without platen-window, on purpose")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if args[0] == "notices" {
		return licences(ctx, in.Programs, *to)
	}
	var err error
	if in.Release, err = product.Parse(*version); err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds <= 0 {
		return errors.New("set SOURCE_DATE_EPOCH to when the sources are from: git log -1 --format=%ct")
	}
	in.Release.Time = time.Unix(seconds, 0).UTC()
	if args[0] == "stage" {
		if *to == "" {
			return errors.New("say where to: -to FOLDER")
		}
		return macos.Stage(ctx, in, o, *to)
	}
	if err := os.MkdirAll(in.Out, 0o755); err != nil {
		return err
	}
	name, err := macos.Build(ctx, in, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, name)
	return err
}

// licences writes those of what is others' in the programs for both processors.
func licences(ctx context.Context, programs, to string) error {
	if programs == "" || to == "" {
		return errors.New("say of what, and where to: -programs FOLDER -to FILE")
	}
	all, err := filepath.Glob(filepath.Join(programs, "*64", "platen*"))
	if err != nil {
		return err
	}
	if all == nil {
		return fmt.Errorf("%w: there is none in %s", product.ErrNoPrograms, programs)
	}
	return notices.Write(ctx, notices.Options{Go: "go", Source: "."}, all, to)
}
