package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) mail() *cobra.Command {
	cmd := group("mail", "Test the mail server, and see what was sent")
	cmd.AddCommand(a.mailTest(), a.mailQueue(), a.mailAgain())
	return cmd
}

func (a *app) mailTest() *cobra.Command {
	return &cobra.Command{
		Use: "test ADDRESS", Short: "Send a test mail right now, and say how it went", Args: args("ADDRESS"),
		RunE: func(cmd *cobra.Command, given []string) error {
			var r admin.MailTested
			if err := a.call(cmd.Context(), admin.VerbMailTest, admin.MailTest{Address: given[0]}, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { fmt.Fprintln(w, printable(r.Result)) })
		},
	}
}

func (a *app) mailQueue() *cobra.Command {
	var in admin.MailQueue
	cmd := &cobra.Command{
		Use: "queue", Short: "List mail that waits, failed, or may or may not have been sent", Args: args(),
		Long: "List mail that is not done with.\n\n" +
			"waiting    it is tried when its time comes\nsending    it is being handed over\nfailed     the mail server refused it, or three days were not enough\n" +
			"unsure     the connection ended before the answer: it may have been sent, so it is not sent again by itself\n" +
			"sent       the mail server has it\ncancelled  what it said was not true any more, or the person is gone",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r admin.MailQueued
			if err := a.call(cmd.Context(), admin.VerbMailQueue, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { writeMails(w, r) })
		},
	}
	cmd.Flags().BoolVar(&in.All, "all", false, "also what was sent or cancelled in the last 30 days")
	cmd.Flags().StringArrayVar(&in.States, "state", nil, "only mail of this state; may be given several times")
	cmd.Flags().IntVar(&in.Limit, "limit", 0, "at most so many")
	return cmd
}

func writeMails(w io.Writer, r admin.MailQueued) {
	if len(r.Mails) > 0 {
		t := newTable(w, "ID", "MAIL", "TO", "STATE", "TRIES", "QUEUED", "NEXT TRY", "PROBLEM")
		for _, m := range r.Mails {
			next := ""
			if m.Next != nil && m.State == "waiting" {
				next = when(*m.Next)
			}
			t.row(fmt.Sprint(m.ID), m.Template+" ("+m.Language+")", m.To, m.State, fmt.Sprint(m.Tries), when(m.Queued), next, m.Problem)
		}
		t.flush()
		fmt.Fprintln(w)
	}
	var counts []string
	for _, state := range slices.Sorted(maps.Keys(r.Counts)) {
		counts = append(counts, fmt.Sprintf("%d %s", r.Counts[state], state))
	}
	if counts == nil {
		counts = []string{"no mail"}
	}
	fmt.Fprintf(w, "In all: %s.\n", strings.Join(counts, ", "))
	if r.Problem != "" {
		fmt.Fprintf(w, "Nothing can be sent now: %s\n", printable(r.Problem))
	}
}

func (a *app) mailAgain() *cobra.Command {
	var in admin.MailAgain
	cmd := &cobra.Command{
		Use: "again [ID]", Short: "Send mail again that failed, or of which nobody knows whether it was sent", Args: atMost(1),
		RunE: func(cmd *cobra.Command, given []string) (err error) {
			if in.Failed == (len(given) == 1) {
				return usage("say which: platen-server mail again ID, or --failed for all that failed")
			}
			if len(given) == 1 {
				if in.ID, err = strconv.ParseInt(given[0], 10, 64); err != nil {
					return usage("%q is no id; see platen-server mail queue", given[0])
				}
			}
			var n admin.Count
			if err := a.call(cmd.Context(), admin.VerbMailAgain, in, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) { fmt.Fprintf(w, "%d mails are sent again.\n", n.Count) })
		},
	}
	cmd.Flags().BoolVar(&in.Failed, "failed", false, "all that failed")
	return cmd
}
