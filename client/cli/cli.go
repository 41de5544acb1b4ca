package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/internal/buildinfo"
)

// The exit codes; the package comment says what they mean.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNotRunning
	exitSignedOut
	exitUnreachable
	exitAlreadyRunning
)

// Start says how the resident is started.
type Start struct {
	Flags   map[string]string // settings given as flags, by flag name
	Log     io.Writer         // gets a copy of its log if it is not nil
	AtLogOn bool              // by the system: it ends at once where AutoStart says no
}

// Purge says what is removed of a person.
type Purge struct {
	Offline  bool // neither server nor keyring is asked, and no resident is looked for
	Settings bool // the settings file, too
}

// Purged says what was removed.
type Purged struct {
	Removed   int  `json:"removed"`    // files
	SignedOut int  `json:"signed_out"` // sessions of which the server was told
	Key       bool `json:"key"`        // the keyring has no key any more
}

// Deps is what the command line needs of its program.
type Deps struct {
	// Resident runs the resident program until ctx ends. It returns ipc.ErrRunning when there is one already.
	Resident func(ctx context.Context, s Start) error
	// Purge removes what is kept of this person. It returns ipc.ErrRunning while a resident runs.
	Purge  func(ctx context.Context, p Purge) (Purged, error)
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// ReadPassword reads a line from the terminal without showing it; nil when standard input is no terminal.
	ReadPassword func() (string, error)
	Getenv       func(string) string
}

// failure is an error with its exit code. Text is what people read; empty when it has been said already.
type failure struct {
	code int
	text string
}

func (f *failure) Error() string { return f.text }

// Run runs a command line and returns its exit code.
func Run(ctx context.Context, d Deps, args []string) int {
	d.Stdout, d.Stderr = plain{d.Stdout}, plain{d.Stderr}
	root := newRoot(&program{Deps: d})
	root.SetArgs(args)
	root.SetIn(d.Stdin)
	root.SetOut(d.Stdout)
	root.SetErr(d.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitUsage // what cobra says of arguments
	if f, ok := errors.AsType[*failure](err); ok {
		code = f.code
	}
	if err.Error() != "" {
		_, _ = fmt.Fprintln(d.Stderr, "platen:", err)
	}
	return code
}

// program is the command line of one run.
type program struct {
	Deps
	json  bool
	flags *pflag.FlagSet // the settings given as flags; nil where they make no sense
}

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "platen",
		Short: "Know who prints, and what they have left",
		Long: `Platen keeps one person signed in at the print server and shows their balance. Without a command it is the resident program.

Exit codes: 0 done, 1 it failed, 2 wrong arguments, 3 platen is not running, 4 nobody is signed in or the sign-in was refused,
5 the server cannot be reached, 6 platen is already running.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       buildinfo.Version,
		RunE:          func(c *cobra.Command, _ []string) error { return p.run(c.Context(), Start{}, true) },
	}
	root.SetVersionTemplate("platen {{.Version}}\n")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "write JSON")
	p.settings(root)
	root.AddCommand(
		newRun(p), newWhoami(p), newConfig(p), newDoctor(p), newSignIn(p), newSignOut(p), newStatus(p), newBalance(p), newOpen(p),
		newConfirmServer(p), newStop(p), newPurge(p), newVersion(p),
	)
	return root
}

// settings gives a command a flag for every setting.
func (p *program) settings(c *cobra.Command) {
	flags := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	for _, s := range config.Table() {
		flags.String(s.Flag(), "", s.Doc)
	}
	c.Flags().AddFlagSet(flags)
	before := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		p.flags = c.Flags()
		if before != nil {
			return before(c, args)
		}
		return nil
	}
}

// given are the settings that were given as flags.
func (p *program) given() map[string]string {
	given := map[string]string{}
	for _, s := range config.Table() {
		if f := p.flags.Lookup(s.Flag()); f != nil && f.Changed {
			given[s.Flag()] = f.Value.String()
		}
	}
	return given
}

func newRun(p *program) *cobra.Command {
	var verbose bool
	var start Start
	c := &cobra.Command{
		Use: "run", Short: "Be the resident program", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if verbose {
				start.Log = p.Stderr
			}
			return p.run(c.Context(), start, false)
		},
	}
	c.Flags().BoolVar(&verbose, "verbose", false, "write the log to standard error too")
	c.Flags().BoolVar(&start.AtLogOn, "at-logon", false, "as the system starts it: end at once if AutoStart is no, or if it runs already")
	p.settings(c)
	return c
}

// run is the resident. With one running already, a person who starts it again wants to see it; the system does not mind.
func (p *program) run(ctx context.Context, start Start, show bool) error {
	start.Flags = p.given()
	err := p.Resident(ctx, start)
	switch {
	case errors.Is(err, ipc.ErrRunning) && start.AtLogOn:
		return nil
	case errors.Is(err, ipc.ErrRunning) && show:
		return p.open(ctx, "")
	case errors.Is(err, ipc.ErrRunning):
		return &failure{exitAlreadyRunning, err.Error()}
	case err != nil:
		return &failure{exitFailed, err.Error()}
	}
	return nil
}

func newVersion(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if p.json {
				return p.writeJSON(struct {
					Version string `json:"version"`
					Commit  string `json:"commit"`
				}{buildinfo.Version, buildinfo.Commit()})
			}
			return p.say("platen %s (%s)", buildinfo.Version, buildinfo.Commit())
		},
	}
}

// say writes a line.
func (p *program) say(format string, args ...any) error {
	if _, err := fmt.Fprintf(p.Stdout, format+"\n", args...); err != nil {
		return &failure{exitFailed, err.Error()}
	}
	return nil
}

func (p *program) writeJSON(v any) error {
	e := json.NewEncoder(p.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return &failure{exitFailed, err.Error()}
	}
	return nil
}
