package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

// followEvery is how often `sync log --follow` asks for more.
const followEvery = time.Second

func (a *app) syncToken() *cobra.Command {
	in := admin.SyncToken{Do: admin.TokenList}
	var list, rotate, revoke, all bool
	cmd := &cobra.Command{
		Use: "token [DIRECTORY] [--list|--rotate|--revoke TOKEN]", Short: "Show, make and revoke the secret tokens of a directory that sends by itself",
		Long: `Show, make and revoke the secret tokens of a directory that sends by itself (SCIM).

A token lets the identity provider write. It is shown once, when it is made. To change it without a gap: --rotate, give the new one to
the provider, see in the list that it is used, then --revoke the old one.`,
		Example: "  platen-server sync token entra\n  platen-server sync token entra --rotate --days 180\n  platen-server sync token entra --revoke nvzgwgh6l5",
		Args:    atMost(2), ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Source = firstOf(given)
			switch {
			case rotate && (revoke || all), list && (rotate || revoke || all):
				return usage("one at a time: --list, --rotate or --revoke")
			case rotate:
				in.Do = admin.TokenRotate
			case revoke || all:
				if len(given) > 1 {
					in.ID = given[1]
				}
				if (in.ID == "") != all {
					return usage("say which token: platen-server sync token DIRECTORY --revoke TOKEN, or --revoke-all")
				}
				in.Do = admin.TokenRevoke
			case len(given) > 1:
				return usage("what is %q? To revoke a token: --revoke", given[1])
			}
			var r admin.SyncTokens
			if err := a.call(cmd.Context(), admin.VerbSyncToken, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { writeTokens(w, r) })
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "show them (the default)")
	cmd.Flags().BoolVar(&rotate, "rotate", false, "make another one; the old one stays until it is revoked")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "end the named one at once")
	cmd.Flags().BoolVar(&all, "revoke-all", false, "end all of them at once")
	cmd.Flags().IntVar(&in.Days, "days", 0, "how long a new one lives (at most and by default 365)")
	cmd.Flags().StringArrayVar(&in.From, "from", nil, "a network that a new one is accepted from; may be given several times")
	return cmd
}

func writeTokens(w io.Writer, r admin.SyncTokens) {
	fields(w, [][2]string{{"Tenant URL", r.TenantURL}, {"Secret token", r.Token}})
	if r.Token != "" {
		fmt.Fprintln(w, "The token is shown this once. Keep it nowhere but in the identity provider.")
	}
	if r.Revoked > 0 {
		fmt.Fprintf(w, "%d revoked.\n", r.Revoked)
	}
	if r.Warning != "" {
		fmt.Fprintf(w, "Warning (%s): %s\n", whenever(r.WarnedAt), printable(r.Warning))
	}
	t := newTable(w, "TOKEN", "STATE", "MADE", "ENDS", "LAST USED", "FROM")
	for _, k := range r.Tokens {
		from := k.From
		if from == "" {
			from = "anywhere"
		}
		t.row(k.ID, k.State, when(k.CreatedAt), when(k.ExpiresAt), whenever(k.LastUsed), from)
	}
	t.flush()
}

func (a *app) syncLog() *cobra.Command {
	var in admin.SyncLog
	var follow bool
	cmd := &cobra.Command{
		Use: "log [DIRECTORY] [--follow]", Short: "Show what became of each request of a directory that sends by itself",
		Example: "  platen-server sync log entra\n  platen-server sync log entra --follow", Args: atMost(1), ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Source = firstOf(given)
			var r admin.SyncLogLines
			if err := a.call(cmd.Context(), admin.VerbSyncLog, in, &r); err != nil {
				return err
			}
			if !follow {
				return a.print(r, func(w io.Writer) { writeLog(w, r.Lines, true) })
			}
			return a.followLog(cmd, in, r.Lines)
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, until interrupted; with --json one line of JSON each")
	cmd.Flags().IntVar(&in.Limit, "limit", 50, "how many of the newest lines to begin with")
	return cmd
}

func (a *app) syncApprove() *cobra.Command {
	var in admin.SyncApprove
	cmd := &cobra.Command{
		Use: "approve [DIRECTORY] --reason WHY", Short: "Let what a directory sends by itself pass the brake for an hour",
		Long: `Let what a directory sends by itself pass the brake for an hour.

When a directory that sends by itself (SCIM) would take out more than 5 % of its people (and more than 10) within 24 hours, the rest is
refused and the directory told to come back later; nothing is lost. Look at sync log first. The reason is kept with the runs.`,
		Example: "  platen-server sync approve entra --reason \"the class of 2026 left, ticket 4711\"",
		Args:    atMost(1), ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			if in.Source = firstOf(given); in.Reason == "" {
				return usage("say why: --reason TEXT; it is kept with the runs")
			}
			var r admin.SyncApproved
			if err := a.call(cmd.Context(), admin.VerbSyncApprove, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, "What %s sends passes the brake until %s.\n", printable(r.Source), when(r.Until))
			})
		},
	}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why; it is kept with the runs")
	return cmd
}

// followLog writes lines as they come, until the command is interrupted.
func (a *app) followLog(cmd *cobra.Command, in admin.SyncLog, lines []admin.SyncLogLine) error {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	after := int64(0)
	for first := true; ; first = false {
		if err := a.writeLines(lines, first); err != nil {
			return err
		}
		if len(lines) > 0 {
			after = lines[len(lines)-1].ID
		}
		select {
		case <-cmd.Context().Done():
			return nil
		case <-ticker.C:
		}
		var r admin.SyncLogLines
		in.After = &after
		if err := a.call(cmd.Context(), admin.VerbSyncLog, in, &r); err != nil {
			if cmd.Context().Err() != nil {
				return nil
			}
			return err
		}
		lines = r.Lines
	}
}

func (a *app) writeLines(lines []admin.SyncLogLine, first bool) error {
	if !a.json {
		writeLog(a.Out, lines, first)
		return nil
	}
	enc := json.NewEncoder(jsonWriter{a.Out})
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("write a line: %w", err)
		}
	}
	return nil
}

// writeLog writes lines in columns of their own width: a table would have to know all of them.
func writeLog(w io.Writer, lines []admin.SyncLogLine, heading bool) {
	const format = "%-19s  %-8s  %-5s  %6s  %-9s  %-32s  %s\n"
	if heading {
		fmt.Fprintf(w, format, "WHEN", "DID", "KIND", "STATUS", "RESULT", "NAME", "DETAIL")
	}
	for _, l := range lines {
		fmt.Fprintf(w, format, when(l.At), l.Operation, l.Kind, fmt.Sprint(l.Status), l.Result, printable(l.Name), printable(l.Detail))
	}
}
