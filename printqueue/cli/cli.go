package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/agent"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/service"
	"github.com/platenprint/platen/printqueue/statedir"
)

// The exit codes; the package comment says what they mean.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNotRunning
	exitNotEnrolled
	exitUnreachable
	exitNotAllowed
)

// Deps is what the command line needs of its program.
type Deps struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// ReadPassword reads a line from the terminal without showing it; nil when standard input is no terminal.
	ReadPassword func() (string, error)
	// Root tells whether this process may do what administrators may.
	Root bool
	// Program is the path of the running program, for the service.
	Program  func() (string, error)
	Services func() (service.Manager, error) // service.Find
	Places   func() (statedir.Places, error) // statedir.Find
	Clients  func() (Clients, error)         // residents.Find
	Place    ipc.Place                       // ipc.System
	Clock    clock.Clock

	// For tests; zero: the real ones.
	Agent func(*agent.Options) // changes what the service gets
	Poll  time.Duration        // how often enrol asks the running service
}

// failure is an error with its exit code.
type failure struct {
	code int
	Name string `json:"code"`
	Text string `json:"error"`
	said bool   // it has been written already
}

func (f *failure) Error() string { return f.Text }

// fail makes a failure of an error; it finds the code of ipc errors by itself.
func fail(err error) error {
	f := &failure{code: exitFailed, Name: "failed", Text: err.Error()}
	if e, ok := errors.AsType[*ipc.Error](err); ok {
		f.Name = string(e.Code)
		switch e.Code {
		case ipc.CodeNotRunning:
			f.code = exitNotRunning
		case ipc.CodeNotEnrolled, ipc.CodePending, ipc.CodeRevoked, ipc.CodeRefused:
			f.code = exitNotEnrolled
		case ipc.CodeUnreachable, ipc.CodeCertificate, ipc.CodeServer, ipc.CodeClock:
			f.code = exitUnreachable
		default:
		}
	}
	return f
}

// Run runs a command line and returns its exit code.
func Run(ctx context.Context, d Deps, args []string) int {
	p := &program{Deps: d}
	root := newRoot(p)
	root.SetArgs(args)
	root.SetIn(d.Stdin)
	root.SetOut(d.Stdout)
	root.SetErr(d.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	f, ok := errors.AsType[*failure](err)
	if !ok { // what cobra says of arguments
		f = &failure{code: exitUsage, Name: "usage", Text: err.Error()}
	}
	if !f.said {
		if p.json {
			p.write(f)
		} else {
			fmt.Fprintln(d.Stderr, "platen-deploy:", f.Text)
		}
	}
	return f.code
}

// program is the command line of one run.
type program struct {
	Deps
	json bool
}

// write writes v as JSON.
func (p *program) write(v any) {
	e := json.NewEncoder(p.Stdout)
	e.SetIndent("", "  ")
	_ = e.Encode(v)
}

// done says that a command has done its work.
func (p *program) done(text string) {
	if p.json {
		p.write(struct {
			OK   bool   `json:"ok"`
			Text string `json:"text"`
		}{true, text})
		return
	}
	fmt.Fprintln(p.Stdout, text)
}

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "platen-deploy",
		Short: "Vouch to the print server for the people who are logged on to this computer",
		Long: `Platen-deploy is the privileged service of a computer: it makes the computer a device of the print server and vouches for the
people who are logged on, so that they are signed in without a password.

Exit codes: 0 done, 1 it failed, 2 wrong arguments, 3 the service is not running, 4 the computer is not enrolled or the server
refused, 5 the server cannot be reached, 6 administrators only.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       buildinfo.Version,
	}
	root.SetVersionTemplate("platen-deploy {{.Version}}\n")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "write JSON")
	root.AddCommand(newRunService(p), newInstall(p), newUninstall(p), newStart(p), newStop(p), newStatus(p), newEnrol(p), newForget(p), newClients(p), newPurge(p), newVersion(p))
	return root
}

// privileged makes a command one for administrators.
func (p *program) privileged(c *cobra.Command) *cobra.Command {
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if p.Root {
			return nil
		}
		return &failure{code: exitNotAllowed, Name: "not_allowed", Text: fmt.Sprintf("%s: this needs root (Windows: an administrator); run it with sudo", c.Name())}
	}
	return c
}

func newRunService(p *program) *cobra.Command {
	return p.privileged(&cobra.Command{
		Use: "run-service", Short: "Be the service (the service system starts this; in a terminal it runs in the foreground)", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			places, err := p.Places()
			if err != nil {
				return fail(err)
			}
			opts := agent.Options{Places: places, Place: p.Place, Log: p.Stderr, Clock: p.Clock}
			if p.Agent != nil {
				p.Agent(&opts)
			}
			if err := service.Run(c.Context(), func(ctx context.Context) error { return agent.Run(ctx, opts) }); err != nil {
				return fail(err)
			}
			return nil
		},
	})
}

func newVersion(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Commit  string `json:"commit"`
			}{buildinfo.Version, buildinfo.Commit()}
			if p.json {
				p.write(v)
				return nil
			}
			fmt.Fprintln(p.Stdout, "platen-deploy", v.Version, v.Commit)
			return nil
		},
	}
}
