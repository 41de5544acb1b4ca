package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) ledger() *cobra.Command {
	cmd := group("ledger", "Look at the money, and prove that it adds up")
	cmd.AddCommand(a.ledgerVerify(), a.ledgerShow())
	return cmd
}

func (a *app) ledgerVerify() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Check the whole ledger: sums, balances, hash chain, holds", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r admin.LedgerReport
			if err := a.call(cmd.Context(), admin.VerbLedgerVerify, admin.Nothing{}, &r); err != nil {
				return err
			}
			err := a.print(r, func(w io.Writer) {
				fmt.Fprintln(w, printable(r.Summary))
				for _, f := range r.Findings {
					fmt.Fprintln(w, "  "+printable(f))
				}
				if r.More > 0 {
					fmt.Fprintf(w, "  and %d more\n", r.More)
				}
			})
			if err == nil && !r.OK {
				return &silentError{}
			}
			return err
		},
	}
}

func (a *app) ledgerShow() *cobra.Command {
	var in admin.LedgerShow
	cmd := &cobra.Command{
		Use: "show [USERNAME]", Short: "Show the newest transfers, of all or of one person", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				in.User = given[0]
			}
			var l admin.Ledger
			if err := a.call(cmd.Context(), admin.VerbLedgerShow, in, &l); err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) {
				headings := []string{"NO.", "TIME", "KIND", "USER", "AMOUNT", "BY", "NOTE"}
				if in.User != "" {
					headings = []string{"NO.", "TIME", "KIND", "AMOUNT", "BALANCE", "NOTE"}
				}
				t := newTable(w, headings...)
				for _, x := range l.Lines {
					if in.User != "" {
						t.row(fmt.Sprint(x.Seq), when(x.At), x.Kind, x.Amount, x.Balance, x.Note)
					} else {
						t.row(fmt.Sprint(x.Seq), when(x.At), x.Kind, x.User, x.Amount, x.Actor, x.Note)
					}
				}
				t.flush()
			})
		},
	}
	cmd.Flags().IntVar(&in.Limit, "limit", 20, "how many lines")
	cmd.Flags().Int64Var(&in.Before, "before", 0, "only lines before this number")
	return cmd
}

func (a *app) sync() *cobra.Command {
	cmd := group("sync", "The directories people come from")
	var in admin.SyncRef
	one := func(given []string) {
		if len(given) == 1 {
			in.Source = given[0]
		}
	}
	run := &cobra.Command{
		Use: "run [DIRECTORY]", Short: "Read a directory, or all of them, now", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) error {
			one(given)
			return a.syncRuns(cmd, admin.VerbSyncRun, in, true)
		},
	}
	run.Flags().StringVar(&in.Approve, "approve", "", "let the run pass the brake, and say why; it is kept with the run")
	runs := &cobra.Command{
		Use: "runs [DIRECTORY]", Short: "Show the latest synchronisations", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) error {
			one(given)
			return a.syncRuns(cmd, admin.VerbSyncRuns, in, false)
		},
	}
	runs.Flags().IntVar(&in.Limit, "limit", 10, "how many of each directory")
	check := &cobra.Command{
		Use: "check [DIRECTORY]", Short: "Ask a directory, or all of them, whether they answer", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) error {
			one(given)
			var r admin.SyncChecks
			if err := a.call(cmd.Context(), admin.VerbSyncCheck, in, &r); err != nil {
				return err
			}
			good := true
			err := a.print(r, func(w io.Writer) {
				for _, c := range r.Checks {
					fmt.Fprintf(w, "%s: %s\n", printable(c.Source), printable(c.Says))
				}
			})
			for _, c := range r.Checks {
				good = good && c.OK
			}
			if err == nil && !good {
				return &silentError{}
			}
			return err
		},
	}
	cmd.AddCommand(run, runs, check)
	return cmd
}

// syncRuns shows runs. strict ends with a failure when the newest did not succeed.
func (a *app) syncRuns(cmd *cobra.Command, verb string, in admin.SyncRef, strict bool) error {
	var r admin.SyncRuns
	if err := a.call(cmd.Context(), verb, in, &r); err != nil {
		return err
	}
	good := true
	for _, run := range r.Runs {
		good = good && run.Outcome == "ok"
	}
	err := a.print(r, func(w io.Writer) {
		t := newTable(w, "DIRECTORY", "STARTED", "OUTCOME", "READ", "NEW", "CHANGED", "RENAMED", "GONE", "BACK", "CONFLICTS")
		for _, x := range r.Runs {
			t.row(x.Source, when(x.StartedAt), x.Outcome, fmt.Sprint(x.Read), fmt.Sprint(x.Created), fmt.Sprint(x.Updated), fmt.Sprint(x.Renamed),
				fmt.Sprint(x.Disabled), fmt.Sprint(x.Restored), fmt.Sprint(x.Conflicts))
		}
		t.flush()
		for _, x := range r.Runs {
			for line := range strings.Lines(x.Message) {
				fmt.Fprintf(w, "%s: %s\n", printable(x.Source), printable(strings.TrimRight(line, "\n")))
			}
		}
	})
	if err == nil && strict && !good {
		return &silentError{}
	}
	return err
}
