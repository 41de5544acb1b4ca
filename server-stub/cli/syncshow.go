package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) syncList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the directories and how they stand", Args: args(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var l admin.DirectoryList
			if err := a.call(cmd.Context(), admin.VerbSyncList, admin.Nothing{}, &l); err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) {
				if len(l.Directories) == 0 {
					fmt.Fprintf(w, "There is no directory yet. Add one: %s\n", a.hint("sync add"))
					return
				}
				t := newTable(w, "DIRECTORY", "TYPE", "PEOPLE", "EVERY", "NEXT RUN", "STATE", "FROM")
				for _, d := range l.Directories {
					t.row(d.ID, d.Type, fmt.Sprint(d.People), shortly(d.Every), whenever(d.NextRun), a.fresh(d), d.Origin)
				}
				t.flush()
			})
		},
	}
}

func (a *app) syncShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [DIRECTORY]", Short: "Show everything about a directory: how fresh it is, what is wrong, what ends when", Args: atMost(1),
		ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			var d admin.Directory
			if err := a.call(cmd.Context(), admin.VerbSyncShow, admin.DirectoryRef{ID: firstOf(given)}, &d); err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) { a.showDirectory(w, d) })
		},
	}
}

func (a *app) showDirectory(w io.Writer, d admin.Directory) {
	failures := ""
	if d.Failures > 0 {
		failures = plural(d.Failures, "the last run", "runs in a row")
	}
	success := "never"
	if d.LastSuccess != nil {
		success = when(*d.LastSuccess) + ", " + ago(time.Since(*d.LastSuccess))
	}
	paused := ""
	if d.PausedAt != nil {
		paused = "since " + when(*d.PausedAt) + ": " + d.PausedWhy
	}
	fields(w, [][2]string{
		{"Directory", d.ID},
		{"Type", d.Type},
		{"From", d.Origin},
		{"People", fmt.Sprint(d.People)},
		{"As of", success},
		{"Last try", whenever(d.LastAttempt)},
		{"Everything compared", whenever(d.LastFull)},
		{"Failed", failures},
		{"Problem", firstLine(d.Problem)},
		{"Every", shortly(d.Every)},
		{"Next run", whenever(d.NextRun)},
		{"Paused", paused},
		{"Who", d.Scope},
		{"Brake", d.Brake},
		{"Failures go to", d.Told},
		{"Tenant URL", d.TenantURL},
		{"Kept secrets", strings.Join(d.Secrets, ", ")},
	})
	for _, e := range d.Expiries {
		fmt.Fprintf(w, "Ends: %s, %s (%s)\n", printable(e.What), when(e.At), inDays(e.Days))
	}
	if d.Unknown != "" {
		fmt.Fprintf(w, "When its secrets end is not known: %s\n", printable(d.Unknown))
	}
	if d.Settings != "" {
		fmt.Fprintln(w, "\nSettings:")
		for line := range strings.Lines(d.Settings) {
			fmt.Fprintln(w, "  "+printable(strings.TrimRight(line, "\n")))
		}
	}
	if d.PausedAt != nil {
		fmt.Fprintf(w, "\nLet it go on: %s\n", a.hint("sync schedule %s --resume", d.ID))
	}
}

func inDays(days int) string {
	switch {
	case days < 0:
		return fmt.Sprintf("it ended %s ago", plural(-days, "a day", "days"))
	case days == 0:
		return "today"
	}
	return "in " + plural(days, "a day", "days")
}

func (a *app) syncSchedule() *cobra.Command {
	var in admin.DirectorySchedule
	var every time.Duration
	var doPause bool
	var reason string
	cmd := &cobra.Command{
		Use: "schedule [DIRECTORY]", Short: "Say when a directory is synchronised, pause it or let it go on", Args: atMost(1),
		Example:           "  platen-server sync schedule corp --every 30m\n  platen-server sync schedule corp --manual\n  platen-server sync schedule corp --pause --reason \"moving the domain\"",
		ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.ID = firstOf(given)
			wanted := 0
			for _, name := range []string{"every", "manual", "pause", "resume"} {
				if cmd.Flags().Changed(name) {
					wanted++
				}
			}
			switch {
			case wanted > 1:
				return usage("--every, --manual, --pause and --resume exclude each other")
			case wanted == 0:
				return usage("say --every 30m, --manual, --pause or --resume; platen-server sync show shows how it is")
			}
			if cmd.Flags().Changed("every") {
				in.Every = every.String()
			}
			if doPause {
				in.Pause = first(reason, "an administrator paused it")
			}
			var d admin.Directory
			if err := a.call(cmd.Context(), admin.VerbSyncSchedule, in, &d); err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) {
				switch {
				case d.PausedAt != nil:
					fmt.Fprintf(w, "%s is paused: %s\n", printable(d.ID), printable(d.PausedWhy))
				case d.Every == "by hand":
					fmt.Fprintf(w, "%s is synchronised by hand: %s\n", printable(d.ID), a.hint("sync apply %s", d.ID))
				case d.Type == "scim":
					fmt.Fprintf(w, "%s may send its changes.\n", printable(d.ID))
				default:
					fmt.Fprintf(w, "%s is synchronised every %s.\n", printable(d.ID), shortly(d.Every))
				}
			})
		},
	}
	cmd.Flags().DurationVar(&every, "every", 0, "the time between two synchronisations, such as 30m or 2h")
	cmd.Flags().BoolVar(&in.Manual, "manual", false, "only when an administrator says sync apply")
	cmd.Flags().BoolVar(&doPause, "pause", false, "not for now")
	cmd.Flags().StringVar(&reason, "reason", "", "why it is paused")
	cmd.Flags().BoolVar(&in.Resume, "resume", false, "let it go on, at once")
	return cmd
}

func (a *app) syncRemove() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "remove DIRECTORY", Short: "Forget a directory and its secrets; its people stay", Args: args("DIRECTORY"), ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.confirm(yes, fmt.Sprintf("Forget the directory %s and its secrets? Its people stay, but it checks no passwords any more.", given[0])); err != nil {
				return err
			}
			var n admin.Count
			if err := a.call(cmd.Context(), admin.VerbSyncRemove, admin.DirectoryRef{ID: given[0]}, &n); err != nil {
				return err
			}
			return a.print(map[string]any{"id": given[0], "people": n.Count}, func(w io.Writer) {
				fmt.Fprintf(w, "%s is removed. Its people stay: %d. A directory with the same id finds them again.\n", printable(given[0]), n.Count)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (a *app) syncWhy() *cobra.Command {
	var in admin.SyncWhyAsk
	cmd := &cobra.Command{
		Use: "why PERSON", Short: "Say what directories know of a person, and which runs changed them", Args: args("PERSON"),
		Long: `Say what directories know of a person, and which runs changed them.

PERSON is somebody who is here, or any name that a directory has for somebody: an account, a UPN, an e-mail address. A directory
that cannot look for one person is read until it comes to them.`,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Person = given[0]
			var r admin.SyncWhy
			if err := a.call(cmd.Context(), admin.VerbSyncWhy, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { a.showWhy(w, given[0], r) })
		},
	}
	cmd.Flags().StringVar(&in.Source, "directory", "", "ask only this one")
	return cmd
}

func (a *app) showWhy(w io.Writer, name string, r admin.SyncWhy) {
	if u := r.User; u != nil {
		fmt.Fprintf(w, "%s is here: id:%d, %s, of %s.\n", printable(u.Username), u.ID, printable(u.State), printable(u.Source))
	} else {
		fmt.Fprintf(w, "Nobody called %s is here.\n", printable(name))
	}
	for _, x := range r.Records {
		fmt.Fprintf(w, "\n%s: %s.\n", printable(x.Source), printable(x.Says))
		if x.Where != "" {
			fmt.Fprintf(w, "  at %s\n", printable(x.Where))
		}
		for _, key := range slices.Sorted(maps.Keys(x.Details)) {
			fmt.Fprintf(w, "  %-12s %s\n", strings.ReplaceAll(key, "_", " "), printable(x.Details[key]))
		}
		for _, left := range x.Left {
			fmt.Fprintf(w, "  the latest run left something out: %s\n", printable(left))
		}
	}
	if len(r.Runs) > 0 {
		fmt.Fprintln(w, "\nRuns that changed this person:")
		t := newTable(w, "RUN", "DIRECTORY", "AT", "READ WHAT", "OUTCOME")
		for _, x := range r.Runs {
			t.row(fmt.Sprint(x.ID), x.Source, when(x.At), x.Kind, x.Outcome)
		}
		t.flush()
	}
}
