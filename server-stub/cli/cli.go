package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
)

// The exit codes.
const (
	ExitOK         = 0
	ExitFailed     = 1
	ExitUsage      = 2
	ExitRefused    = 3
	ExitNotRunning = 4
)

// Serve is a start of the server.
type Serve struct {
	Data    string
	Sources config.Sources
	Ready   func() // called once, when it answers
}

// BackupInfo is what a backup file says about itself.
type BackupInfo struct {
	CreatedAt string `json:"created_at"`
	Version   string `json:"version"`
	Database  string `json:"database"`
	MasterKey string `json:"master_key_id"`
	Bytes     int64  `json:"bytes"`
	Signed    string `json:"signed"` // "yes" when checked with the master key, else why it was not
	Ledger    string `json:"ledger"` // what the ledger in it says of itself, "" when it was not looked at
	// SessionsEnded is how many sessions of the backup its restore ended; nil when it was not restored.
	SessionsEnded *int `json:"sessions_ended,omitempty"`
}

// Restore is a restore of a backup into a stopped server's data folder.
type Restore struct {
	Data      string
	File      string
	MasterKey string // a copy of the master key to put there, "" when the folder has it
	Sources   config.Sources
}

// Assembly is what the commands that do not ask a running server need of package server.
type Assembly struct {
	Serve   func(ctx context.Context, s Serve, out, log io.Writer) error
	Verify  func(ctx context.Context, file, data string) (BackupInfo, error)
	Restore func(ctx context.Context, r Restore) (BackupInfo, error)
}

// Streams are the program's.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Terminal bool // whether In and Err are a person's
	// Installed is the data folder of the server that is installed as a service, "" for none: what commands are about that name
	// no other.
	Installed string
}

// Run runs one command line and returns the exit code.
func Run(ctx context.Context, args []string, streams Streams, assembly Assembly) int {
	a := &app{Streams: streams, assembly: assembly}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	var silent *silentError
	if !errors.As(err, &silent) {
		a.report(err)
	}
	return exitCode(err)
}

// app is one run of the program.
type app struct {
	Streams
	assembly Assembly
	data     string
	json     bool
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "platen-server",
		Short:         "Platen's server: accounts, balances and sign-in for printing",
		Version:       buildinfo.Version + " (" + buildinfo.Commit() + ")",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	root.PersistentFlags().StringVar(&a.data, "data", cmp.Or(a.Getenv("PLATEN_DATA"), a.Installed), "the server's data folder (PLATEN_DATA; else that of the installed service)")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "answer in JSON")
	root.AddCommand(a.serve(), a.service(), a.status(), a.user(), a.groups(), a.names(), a.ledger(), a.sync(), a.device(), a.enrolment(), a.deployKit(), a.config(), a.codes(), a.mail(), a.capabilities(), a.entra(), a.backup())
	return root
}

// call asks the running server.
func (a *app) call(ctx context.Context, verb string, in, out any) error {
	if a.data == "" {
		return usage("say which server: --data DIR, or set PLATEN_DATA; none is installed as a service here")
	}
	return admin.NewClient(a.data).Call(ctx, verb, in, out, a.progress())
}

// progress shows how far a long call is, to people only.
func (a *app) progress() func(admin.Progress) {
	if a.json || !a.Terminal {
		return nil
	}
	return func(p admin.Progress) {
		switch {
		case p.Total > 0:
			fmt.Fprintf(a.Err, "\r%s %d of %d   ", p.Step, p.Done, p.Total)
		case p.Done == 0: // how far it is will not be told
			fmt.Fprintf(a.Err, "%s ...\n", p.Step)
			return
		default:
			fmt.Fprintf(a.Err, "\r%s %d   ", p.Step, p.Done)
		}
		if p.Done >= p.Total {
			fmt.Fprintln(a.Err)
		}
	}
}

// print shows a result: as JSON, or as people writes it.
func (a *app) print(result any, people func(w io.Writer)) error {
	if !a.json {
		people(a.Out)
		return nil
	}
	enc := json.NewEncoder(jsonWriter{a.Out})
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// usageError says that the command was not written as it must be.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// silentError ends the program with a code, ExitFailed for 0, when everything was said already.
type silentError struct{ code int }

func (e *silentError) Error() string { return "failed" }

func exitCode(err error) int {
	var wrong *usageError
	var silent *silentError
	switch {
	case errors.As(err, &silent) && silent.code != 0:
		return silent.code
	case errors.As(err, &wrong), isCobraUsage(err):
		return ExitUsage
	case errors.Is(err, admin.ErrNotRunning):
		return ExitNotRunning
	}
	for _, kind := range []error{core.ErrNotFound, core.ErrConflict, core.ErrAmbiguous, core.ErrInvalid, core.ErrInsufficient, core.ErrForbidden} {
		if errors.Is(err, kind) {
			return ExitRefused
		}
	}
	return ExitFailed
}

// report tells what went wrong.
func (a *app) report(err error) {
	if !a.json {
		fmt.Fprintf(a.Err, "platen-server: %s\n", printableLines(err.Error()))
		return
	}
	kind := admin.KindOf(err)
	switch exitCode(err) {
	case ExitUsage:
		kind = "usage"
	case ExitNotRunning:
		kind = "not_running"
	}
	_ = json.NewEncoder(jsonWriter{a.Err}).Encode(map[string]any{"error": map[string]string{"kind": kind, "message": err.Error()}})
}

// System returns the streams of the process.
func System() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Terminal: isTerminal(os.Stdin) && isTerminal(os.Stderr), Installed: installed(),
	}
}
