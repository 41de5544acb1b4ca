// Program platen is the resident of a person's desktop session, and the command line that speaks to it: it finds out who
// is logged on, keeps them signed in at the print server, and shows their balance. client/cli has the commands and exit
// codes, client/agent the resident.
package main

import (
	"context"
	"errors"
	"os"
	"runtime"

	"golang.org/x/term"

	"github.com/platenprint/platen/client/agent"
	"github.com/platenprint/platen/client/cli"
)

func main() {
	leaveOwnConsole()
	if runtime.GOOS == "darwin" {
		runtime.LockOSThread() // the tray needs the main thread there
	}
	self, _ := os.Executable() // now: later it may be another file
	ctx, signals, stop := heed(context.Background())
	d := cli.Deps{
		Resident: func(ctx context.Context, s cli.Start) error { return resident(ctx, s, signals, self) },
		Purge:    purge, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
	}
	if in := int(os.Stdin.Fd()); term.IsTerminal(in) {
		d.ReadPassword = func() (string, error) {
			text, err := term.ReadPassword(in)
			return string(text), err
		}
	}
	code := cli.Run(ctx, d, os.Args[1:])
	stop()
	os.Exit(code)
}

// resident runs the resident, and goes on as the program that is installed by then when the system asks for it.
func resident(ctx context.Context, s cli.Start, signals *signals, self string) error {
	err := agent.Run(ctx, agent.Options{
		Flags: s.Flags, Log: s.Log, AtLogOn: s.AtLogOn, Signals: signals.forResident(), MayRestart: func() error { return mayBecome(self) },
	})
	if errors.Is(err, agent.ErrRestart) {
		return become(self)
	}
	return err
}

func purge(ctx context.Context, p cli.Purge) (cli.Purged, error) {
	done, err := agent.Purge(ctx, agent.PurgeOptions{Offline: p.Offline, Settings: p.Settings})
	return cli.Purged(done), err
}
