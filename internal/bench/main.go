// Command bench prints Platen's figures, each beside a peer measured in the same run and in alternation. Machines are
// shared and noisy: read ratios and quartiles, not single times. A figure that could not be measured is said to be
// missing; none is estimated.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// group is one group of figures.
type group struct {
	name, what string
	run        func(*rig, context.Context) error
}

var groups = []group{
	{"start", "from starting the server to its first answer", (*rig).start},
	{"resident", "memory and idle cost of the resident, beside a Java Swing window", (*rig).resident},
	{"window", "from start to a visible window, beside Java Swing", (*rig).window},
	{"push", "from a credit on the server to the changed text in the tray's menu", (*rig).push},
	{"storm", "enrolled computers that come back all at once", (*rig).storm},
	{"microsoft", "signing in with Microsoft, against the emulator", (*rig).microsoft},
	{"logon", "people arriving: from sign-in to the first balance", (*rig).logon},
}

// options are the flags.
type options struct {
	rounds int
	idle   time.Duration
	people int
	over   time.Duration

	machines int
}

func main() {
	var o options
	only := flag.String("only", "", "comma-separated groups to run; all when empty")
	flag.IntVar(&o.rounds, "rounds", 5, "paired rounds of each comparison")
	flag.DurationVar(&o.idle, "idle", 2*time.Minute, "how long idle cost is watched")
	flag.IntVar(&o.people, "people", 2000, "people arriving in the logon group (the goal speaks of 20000)")
	flag.DurationVar(&o.over, "over", 90*time.Second, "how long their arrival takes (the goal: 15m for 20000)")
	flag.IntVar(&o.machines, "computers", 5000, "enrolled computers in the storm group")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	do := func() error { return run(ctx, *only, o) }
	if os.Getenv(othersEnv) != "" {
		do = func() error { return beSomeone(ctx) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, o options) (err error) {
	fmt.Printf("%s/%s, %d cores, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	r, err := newRig(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.here.CleanUp()) }()
	var failed []error
	for _, g := range groups {
		if only != "" && !slices.Contains(strings.Split(only, ","), g.name) {
			continue
		}
		fmt.Printf("\n## %s: %s\n", g.name, g.what)
		if err := g.run(r, ctx); err != nil {
			fmt.Printf("  MISSING: %v\n", err)
			failed = append(failed, fmt.Errorf("%s: %w", g.name, err))
		}
	}
	return errors.Join(failed...)
}
