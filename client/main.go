// Program platen is the resident of a person's desktop session, and the command line that speaks to it: it finds out who
// is logged on, keeps them signed in at the print server, and shows their balance. client/cli has the commands and exit
// codes, client/agent the resident.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/term"

	"github.com/platenprint/platen/client/agent"
	"github.com/platenprint/platen/client/cli"
)

func main() {
	leaveOwnConsole()
	if runtime.GOOS == "darwin" {
		runtime.LockOSThread() // the tray needs the main thread there
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	d := cli.Deps{Resident: resident, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
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

func resident(ctx context.Context, flags map[string]string, log io.Writer) error {
	return agent.Run(ctx, agent.Options{Flags: flags, Log: log})
}
