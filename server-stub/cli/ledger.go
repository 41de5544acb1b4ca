package cli

import (
	"fmt"
	"io"

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
