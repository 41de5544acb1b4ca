package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) sync() *cobra.Command {
	cmd := group("sync", "The directories people come from")
	cmd.Long = cmd.Short + `.

A directory is added, tested, looked at before anything changes, and applied; every run can be taken back:

  platen-server sync add ldap --id corp --url ldaps://dc1.corp.example.org ...
  platen-server sync plan corp      what would change
  platen-server sync apply corp     change it
  platen-server sync undo RUN       take it back

DIRECTORY is the id of one; where there is only one it can be left out.`
	cmd.AddCommand(a.syncAdd(), a.syncTest(), a.syncPlan(), a.syncApply(), a.syncUndo(), a.syncRuns(), a.syncWhy(), a.syncSchedule(),
		a.syncList(), a.syncShow(), a.syncSet(), a.syncToken(), a.syncLog(), a.syncApprove(), a.syncRemove())
	return cmd
}

// hint is a command of this program as it can be typed for the same server.
func (a *app) hint(format string, args ...any) string {
	command := "platen-server " + fmt.Sprintf(format, args...)
	if a.data != "" && a.data != a.Getenv("PLATEN_DATA") {
		command += " --data " + quoted(a.data)
	}
	return command
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// firstOf is the argument, "" when it was left out.
func firstOf(given []string) string {
	if len(given) == 0 {
		return ""
	}
	return given[0]
}

func (a *app) syncTest() *cobra.Command {
	return &cobra.Command{
		Use: "test [DIRECTORY]", Aliases: []string{"check"}, Short: "Ask a directory, or all of them, whether they answer", Args: atMost(1),
		ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			var r admin.SyncChecks
			if err := a.call(cmd.Context(), admin.VerbSyncCheck, admin.SyncRef{Source: firstOf(given)}, &r); err != nil {
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
}

func (a *app) syncApply() *cobra.Command {
	var in admin.SyncRef
	cmd := &cobra.Command{
		Use: "apply [DIRECTORY]", Aliases: []string{"run"}, Short: "Synchronise a directory, or all of them, now; or apply a plan", Args: atMost(1),
		Long: `Synchronise a directory, or all of them, now; or apply a plan.

A run that would disable more than 5 % of a directory's people (and more than 10), or rename more than 20 %, stops and changes
nobody. What it would do is kept as a plan: look at it with sync plan --plan ID, and if it is right apply it with a reason,
which is kept with the run. The exit code is then 3.`,
		Example:           "  platen-server sync apply corp\n  platen-server sync apply --plan p-7k3f9x2a --reason \"the school closed, ticket 4711\"",
		ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Source = firstOf(given)
			if in.Reason != "" && in.Plan == "" {
				return usage("a reason is for a plan that was looked at: give --plan too")
			}
			var r admin.SyncRuns
			if err := a.call(cmd.Context(), admin.VerbSyncRun, in, &r); err != nil {
				return err
			}
			return a.showRuns(r, true)
		},
	}
	cmd.Flags().StringVar(&in.Plan, "plan", "", "apply this plan, as things stand now")
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why the plan may pass the brake; it is kept with the run")
	return cmd
}

func (a *app) syncRuns() *cobra.Command {
	var in admin.SyncRef
	cmd := &cobra.Command{
		Use: "runs [DIRECTORY]", Short: "Show the latest synchronisations", Args: atMost(1), ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Source = firstOf(given)
			var r admin.SyncRuns
			if err := a.call(cmd.Context(), admin.VerbSyncRuns, in, &r); err != nil {
				return err
			}
			if err := a.showRuns(r, false); err != nil || a.json {
				return err
			}
			return a.freshness(cmd, in.Source)
		},
	}
	cmd.Flags().IntVar(&in.Limit, "limit", 10, "how many of each directory")
	return cmd
}

// freshness says how old what is known of directories is.
func (a *app) freshness(cmd *cobra.Command, source string) error {
	var l admin.DirectoryList
	if err := a.call(cmd.Context(), admin.VerbSyncList, admin.Nothing{}, &l); err != nil {
		return err
	}
	for _, d := range l.Directories {
		if source == "" || source == d.ID {
			fmt.Fprintf(a.Out, "%s: %s\n", printable(d.ID), printable(a.fresh(d)))
		}
	}
	return nil
}

// fresh says how old what is known of a directory is, and what keeps it from being newer.
func (a *app) fresh(d admin.Directory) string {
	text := "never synchronised"
	if d.LastSuccess != nil {
		text = "as of " + when(*d.LastSuccess) + ", " + ago(time.Since(*d.LastSuccess))
	}
	switch {
	case d.PausedAt != nil:
		text += "; paused: " + d.PausedWhy
	case d.Failures > 0:
		text += fmt.Sprintf("; %s: %s", plural(d.Failures, "the last run changed nobody", "runs in a row changed nobody"), short(d.Problem))
	case d.Problem != "":
		text += "; " + short(d.Problem)
	}
	return text
}

// short is what a problem is, without what to do about it.
func short(problem string) string {
	text, _, _ := strings.Cut(firstLine(problem), "; ")
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ago says a duration as people do.
func ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return plural(int(d.Minutes()), "a minute ago", "minutes ago")
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(d.Hours())/24)
}

// shownRunLines is how many lines of what a run said are shown.
const shownRunLines = 6

// showRuns shows runs. strict ends with a failure when one of them did not succeed.
func (a *app) showRuns(r admin.SyncRuns, strict bool) error {
	failed, stopped := false, false
	for _, run := range r.Runs {
		failed, stopped = failed || run.Outcome == "failed", stopped || run.Outcome == "stopped"
	}
	err := a.print(r, func(w io.Writer) {
		t := newTable(w, "RUN", "DIRECTORY", "READ WHAT", "STARTED", "OUTCOME", "READ", "NEW", "CHANGED", "RENAMED", "GONE", "BACK", "CONFLICTS", "NOTE")
		for _, x := range r.Runs {
			t.row(fmt.Sprint(x.ID), x.Source, x.Kind, when(x.StartedAt), outcome(x), fmt.Sprint(x.Read), fmt.Sprint(x.Created), fmt.Sprint(x.Updated), fmt.Sprint(x.Renamed),
				fmt.Sprint(x.Disabled), fmt.Sprint(x.Restored), fmt.Sprint(x.Conflicts), noteOf(x))
		}
		t.flush()
		told := map[string]bool{}
		for _, x := range r.Runs {
			if told[x.Source] { // what older runs said is seldom of use; --json has it
				continue
			}
			told[x.Source] = true
			lines := strings.Count(x.Message, "\n") + 1
			shown := 0
			for line := range strings.Lines(x.Message) {
				if shown++; shown == shownRunLines && lines > shownRunLines {
					fmt.Fprintf(w, "%s, run %d: and %d lines more: --json has them\n", printable(x.Source), x.ID, lines-shown+1)
					break
				}
				fmt.Fprintf(w, "%s, run %d: %s\n", printable(x.Source), x.ID, printable(strings.TrimRight(line, "\n")))
			}
		}
		if strict {
			a.whatNow(w, r.Runs)
		}
	})
	switch {
	case err != nil || !strict:
		return err
	case failed:
		return &silentError{}
	case stopped:
		return &silentError{ExitRefused}
	}
	return nil
}

func outcome(x admin.SyncRun) string {
	if x.FinishedAt == nil {
		return "running"
	}
	return x.Outcome
}

func noteOf(x admin.SyncRun) string {
	switch {
	case x.UndoneBy != 0:
		return fmt.Sprintf("taken back by run %d", x.UndoneBy)
	case x.Undoes != 0:
		return fmt.Sprintf("took run %d back", x.Undoes)
	case x.PlanID != "":
		return "plan " + x.PlanID
	}
	return ""
}

// whatNow says how to go on after runs.
func (a *app) whatNow(w io.Writer, runs []admin.SyncRun) {
	for _, x := range runs {
		switch x.Outcome {
		case "stopped":
			fmt.Fprintf(w, "\n%s: the brake stopped it, and nobody was changed.\n  See who it is about:  %s\n  If it is right:       %s\n",
				printable(x.Source), a.hint("sync plan --plan %s", x.PlanID), a.hint(`sync apply --plan %s --reason "WHY"`, x.PlanID))
		case "failed":
			fmt.Fprintf(w, "\n%s: it failed, and nobody was changed. Once its cause is gone: %s\n", printable(x.Source), a.hint("sync apply %s", x.Source))
		case "ok":
			if x.Undoes == 0 && x.Created+x.Updated+x.Renamed+x.Disabled+x.Restored > 0 {
				fmt.Fprintf(w, "\nTo take it back: %s\n", a.hint("sync undo %d", x.ID))
			}
		}
	}
}

func (a *app) syncUndo() *cobra.Command {
	var in admin.SyncUndo
	var yes bool
	cmd := &cobra.Command{
		Use: "undo RUN", Short: "Take back what a synchronisation did", Args: args("RUN"),
		Long: `Take back what a synchronisation did: whoever it disabled can sign in again, names and details are as before, and whoever it
made is disabled. Who was changed by somebody else since is left alone and named. Cards, codes and PINs are as before too; balances stay
as they are. The directory is then paused, so that its next synchronisation does not do it again.`,
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, given []string) error {
			if _, err := fmt.Sscan(given[0], &in.Run); err != nil || fmt.Sprint(in.Run) != given[0] {
				return usage("%q is no run; platen-server sync runs shows their numbers", given[0])
			}
			if in.Reason == "" && a.Terminal && !a.json {
				var err error
				if in.Reason, err = a.questions().ask("Why? It is kept with the run", ""); err != nil {
					return err
				}
			}
			if in.Reason == "" {
				return usage("say why: --reason TEXT; it is kept with the run")
			}
			if err := a.confirm(yes, fmt.Sprintf("Take back what run %d did?", in.Run)); err != nil {
				return err
			}
			var r admin.SyncRun
			if err := a.call(cmd.Context(), admin.VerbSyncUndo, in, &r); err != nil {
				return err
			}
			if err := a.showRuns(admin.SyncRuns{Runs: []admin.SyncRun{r}}, true); err != nil || a.json {
				return err
			}
			look := a.hint("sync plan %s", r.Source)
			if a.sends(cmd.Context(), r.Source) {
				look = a.hint("sync log %s", r.Source)
			}
			fmt.Fprintf(a.Out, "\n%s is paused. Put right what led to run %d, look, and let it go on:\n  %s\n  %s\n", printable(r.Source), in.Run,
				look, a.hint("sync schedule %s --resume", r.Source))
			return nil
		},
	}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why; it is kept with the run")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// sends tells whether a directory sends its changes by itself, so that there is nothing to plan.
func (a *app) sends(ctx context.Context, source string) bool {
	var l admin.DirectoryList
	if a.call(ctx, admin.VerbSyncList, admin.Nothing{}, &l) != nil {
		return false
	}
	return slices.ContainsFunc(l.Directories, func(d admin.Directory) bool { return d.ID == source && d.Type == "scim" })
}

// shortly leaves out the units of a duration that are zero: 30m instead of 30m0s. What is no duration stays.
func shortly(every string) string {
	if strings.HasSuffix(every, "m0s") {
		every = strings.TrimSuffix(every, "0s")
	}
	if strings.HasSuffix(every, "h0m") {
		every = strings.TrimSuffix(every, "0m")
	}
	return printable(every)
}

// completeDirectories completes the ids of directories.
func (a *app) completeDirectories(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	var l admin.DirectoryList
	if len(given) > 0 || a.call(cmd.Context(), admin.VerbSyncList, admin.Nothing{}, &l) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, d := range l.Directories {
		ids = append(ids, d.ID+"\t"+printable(d.Type))
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// completeRuns completes the numbers of runs that can be taken back.
func (a *app) completeRuns(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	var r admin.SyncRuns
	if len(given) > 0 || a.call(cmd.Context(), admin.VerbSyncRuns, admin.SyncRef{Limit: 20}, &r) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var ids []string
	for _, x := range r.Runs {
		if x.Outcome == "ok" && x.UndoneBy == 0 {
			ids = append(ids, fmt.Sprintf("%d\t%s %s", x.ID, printable(x.Source), when(x.StartedAt)))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
