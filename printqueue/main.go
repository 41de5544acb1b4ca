// Program platen-deploy is the privileged service of a computer and the command line that installs and enrols it: it makes the
// computer a device of the print server and vouches for the people who are logged on. printqueue/cli has the commands and exit
// codes, printqueue/agent the service.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/cli"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/residents"
	"github.com/platenprint/platen/printqueue/service"
	"github.com/platenprint/platen/printqueue/statedir"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	d := cli.Deps{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Root: root(), Program: os.Executable,
		Services: service.Find, Places: statedir.Find, Place: ipc.System(), Clock: clock.System,
		Clients: clients,
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

// clients are the programs of this installation in people's sessions.
func clients() (cli.Clients, error) {
	places, err := statedir.Find()
	if err != nil {
		return nil, err
	}
	return residents.Find(residents.Options{State: places.State})
}
