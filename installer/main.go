// Program installer builds Platen's packages for all systems on one Linux machine: the programs, then one package after
// another, then checksums and what else belongs to a release. The same sources give the same bytes.
//
//	go run ./installer [flags]
//
// docs/deploy/building.md explains it; docs/adr/0011-packages.md says why it is so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "installer:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong arguments")

// options are the flags.
type options struct {
	version  string
	out      string
	source   string
	work     string
	goTool   string
	programs string
	mac      string
	only     []string
	check    bool
	json     bool
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("installer", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.version, "version", buildinfo.Version, "`version` of the release: MAJOR.MINOR.PATCH, perhaps with -rc.1 or -dev")
	flags.StringVar(&o.out, "out", "dist", "`folder` for the packages")
	flags.StringVar(&o.source, "source", ".", "`folder` of the sources")
	flags.StringVar(&o.work, "work", filepath.Join(".cache", "dist"), "`folder` for programs and what else is needed on the way")
	flags.StringVar(&o.goTool, "go", "go", "the Go `command`")
	flags.StringVar(&only, "only", "", "build only these, a `list` with commas: "+strings.Join(names(), ", ")+", or the beginning of a name")
	flags.StringVar(&o.programs, "programs", "", "take programs from this `folder`, which has folders linux-amd64, windows-amd64 ..., and build none")
	flags.StringVar(&o.mac, "mac", "", "`folder` with what was built on a Mac: darwin-amd64 and darwin-arm64, or Platen.app as signed there; without it the package for macOS has no window")
	flags.BoolVar(&o.check, "check", false, "build everything a second time, from a copy of the sources elsewhere and with an empty build cache, and compare")
	flags.BoolVar(&o.json, "json", false, "write the summary as JSON")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "installer: %q is no flag\n", flags.Arg(0))
		return o, errUsage
	}
	for name := range strings.SplitSeq(only, ",") {
		if name = strings.TrimSpace(name); name != "" {
			o.only = append(o.only, name)
		}
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	build, err := newBuild(ctx, o, steps{log: stderr, clock: clock.System}, os.Getenv)
	if err != nil {
		return err
	}
	made, err := build.all(ctx)
	if err != nil {
		return err
	}
	if o.check {
		if err := build.again(ctx, made); err != nil {
			return err
		}
	}
	return summary(stdout, made, o.json)
}
