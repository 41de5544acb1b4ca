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
	alone      bool // it needs no site and no screen
}

var groups = []group{
	{"start", "from starting the server to its first answer", (*rig).start, false},
	{"resident", "memory and idle cost of the resident, beside a Java Swing window", (*rig).resident, false},
	{"window", "from start to a visible window, beside Java Swing", (*rig).window, false},
	{"push", "from a credit on the server to the changed text in the tray's menu", (*rig).push, false},
	{"storm", "enrolled computers that come back all at once", (*rig).storm, false},
	{"microsoft", "signing in with Microsoft, against the emulator", (*rig).microsoft, false},
	{"logon", "people arriving: from sign-in to the first balance", (*rig).logon, false},
	{"install", "from the package to a signed-in balance, with a server's name, its pin and an approval", (*rig).install, true},
	{"ldap", "100,000 people in slapd, beside OpenLDAP's own tools", (*rig).ldap, true},
	{"graph", "a tenant of Entra ID with 100,000 people and 1,000 nested groups, against the emulator", (*rig).graph, true},
	{"scim", "an identity provider that writes people one by one", (*rig).scim, true},
	{"resolve", "whose name it is, asked half a million people, beside SQLite", (*rig).resolve, true},
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
	if os.Getenv(installEnv) != "" {
		do = func() error { return beInstaller(ctx) }
	}
	if os.Getenv(ldapEnv) != "" {
		do = func() error { return doLDAP(ctx, os.Stdout) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, o options) (err error) {
	fmt.Printf("%s/%s, %d cores, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	chosen := slices.DeleteFunc(slices.Clone(groups), func(g group) bool { return only != "" && !slices.Contains(strings.Split(only, ","), g.name) })
	r := &rig{options: o}
	if slices.ContainsFunc(chosen, func(g group) bool { return !g.alone }) {
		if r, err = newRig(ctx, o); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.here.CleanUp()) }()
	}
	var failed []error
	for _, g := range chosen {
		fmt.Printf("\n## %s: %s\n", g.name, g.what)
		if err := g.run(r, ctx); err != nil {
			fmt.Printf("  MISSING: %v\n", err)
			failed = append(failed, fmt.Errorf("%s: %w", g.name, err))
		}
	}
	return errors.Join(failed...)
}
