package cli

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
)

func (a *app) names() *cobra.Command {
	cmd := group("names", "Review usernames before they change, and change them for everybody")
	cmd.AddCommand(a.namesReview(), a.namesMigrate())
	return cmd
}

// reviewStates in the order of the summary.
var reviewStates = []string{"unchanged", "gains alias", "ambiguous", "no match"}

// nameReview is a whole review.
type nameReview struct {
	To      string             `json:"to"`
	Summary map[string]int     `json:"summary"`
	Lines   []admin.ReviewLine `json:"lines"`
}

func (a *app) namesReview() *cobra.Command {
	var in admin.NamesReview
	var asCSV, everybody bool
	cmd := &cobra.Command{
		Use: "review", Short: "Say what changes if everybody goes by the UPN (or e-mail address); nothing is changed", Args: args(),
		Long: "Say, before usernames change, who keeps the name, whom the short name would still find, who would be ambiguous, and whose jobs would\n" +
			"belong to nobody. For each person the names are tried that a workstation sends: the short name, DOMAIN\\short and the UPN.\n\n" +
			"  unchanged    goes by that name already, and every name leads to them\n" +
			"  gains alias  gets another username; the old one becomes an alias, and every name leads to them\n" +
			"  ambiguous    the name is somebody else's, or one of the names could be, or would be, another person\n" +
			"  no match     no such name is known, or one of the names would lead to nobody\n\n" +
			"The table shows who needs a look; --all shows everybody, --csv has a line for everybody and every name.",
		Example: "  platen-server names review --to upn\n  platen-server names review --to upn --domain CORP --from 10.1.4.4 --csv > review.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asCSV && a.json {
				return usage("--csv and --json exclude each other")
			}
			r, err := a.review(cmd, in)
			if err != nil {
				return err
			}
			if asCSV {
				return reviewCSV(a.Out, r)
			}
			return a.print(r, func(w io.Writer) { showReview(w, r, everybody) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.To, "to", "upn", "what people shall go by: upn or mail")
	f.StringVar(&in.Domain, "domain", "", "only people of this Windows domain, such as CORP")
	f.StringVar(&in.From, "from", "", "the address of a workstation: it chooses suffix rules by network, and the print provider")
	f.StringVar(&in.Provider, "provider", "", "the print provider that jobs come through")
	f.BoolVar(&asCSV, "csv", false, "write CSV for a spreadsheet")
	f.BoolVar(&everybody, "all", false, "show those, too, who need no look")
	return cmd
}

// review asks part by part.
func (a *app) review(cmd *cobra.Command, in admin.NamesReview) (nameReview, error) {
	r := nameReview{To: in.To, Summary: map[string]int{}, Lines: []admin.ReviewLine{}}
	for _, s := range reviewStates {
		r.Summary[s] = 0
	}
	progress := a.progress()
	for {
		var page admin.ReviewPage
		if err := a.call(cmd.Context(), admin.VerbNamesReview, in, &page); err != nil {
			return r, err
		}
		for _, l := range page.Lines {
			r.Summary[l.State]++
		}
		r.Lines = append(r.Lines, page.Lines...)
		left := int64(0)
		if page.More {
			left = 1 // how many are left is not known
		}
		if progress != nil {
			progress(admin.Progress{Step: "reviewed", Done: int64(len(r.Lines)), Total: int64(len(r.Lines)) + left})
		}
		if !page.More {
			return r, nil
		}
		in.After = page.Next
	}
}

func showReview(w io.Writer, r nameReview, everybody bool) {
	t := newTable(w, "USERNAME", "NEW USERNAME", "STATE", "WHAT TO LOOK AT")
	shown := 0
	for _, l := range r.Lines {
		if !everybody && (l.State == "unchanged" || l.State == "gains alias") {
			continue
		}
		shown++
		first := ""
		if len(l.Problems) > 0 {
			first = l.Problems[0]
		}
		t.row(l.Username, l.NewUsername, l.State, first)
		for _, p := range l.Problems[min(1, len(l.Problems)):] {
			t.row("", "", "", p)
		}
	}
	if shown > 0 {
		t.flush()
		fmt.Fprintln(w)
	}
	for _, s := range reviewStates {
		fmt.Fprintf(w, "%-12s %d\n", s, r.Summary[s])
	}
}

// reviewCSV writes a line for each person and name that their workstation sends.
func reviewCSV(w io.Writer, r nameReview) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"id", "username", "name", "source", "new_username", "state", "problems", "job_owner", "belongs_to_now", "belongs_to_after"})
	for _, l := range r.Lines {
		line := []string{strconv.FormatInt(l.ID, 10), l.Username, l.DisplayName, l.Source, l.NewUsername, l.State, strings.Join(l.Problems, "; ")}
		jobs := l.Jobs
		if len(jobs) == 0 {
			jobs = []admin.ReviewJob{{}}
		}
		for _, j := range jobs {
			_ = out.Write(formulaSafe(append(line[:len(line):len(line)], j.Name, j.Now, j.After)))
		}
	}
	out.Flush()
	return out.Error()
}

// formulaSafe keeps spreadsheets from taking a cell for a formula: people and directories wrote these texts
// (owasp.org/www-community/attacks/CSV_Injection).
func formulaSafe(cells []string) []string {
	safe := make([]string, len(cells))
	for i, c := range cells {
		if c != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(c)[0]) {
			c = "'" + c
		}
		safe[i] = c
	}
	return safe
}

func (a *app) namesMigrate() *cobra.Command {
	var in admin.NamesMigrate
	var source string
	var preview, yes, list bool
	var undo int64
	cmd := &cobra.Command{
		Use: "migrate", Short: "Give everybody the UPN (or e-mail address) as username, or take that back", Args: args(),
		Long: "Give everybody the UPN, or the e-mail address, as username: all who can have it, at once. Balance, cards, sessions, roles and history stay,\n" +
			"and the old username stays as an alias that finds nobody else. Without --apply it only says what it would do.",
		Example: "  platen-server names migrate --to upn\n  platen-server names migrate --to upn --source corp --apply\n  platen-server names migrate --undo 42",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("source") {
				in.Source = &source
			}
			switch {
			case list:
				return a.migrations(cmd)
			case undo != 0:
				return a.undoMigration(cmd, undo, yes)
			case in.Apply:
				if err := a.confirm(yes, "Everybody who can have it gets another username."); err != nil {
					return err
				}
			}
			var m admin.Migration
			if err := a.call(cmd.Context(), admin.VerbNamesMigrate, in, &m); err != nil {
				return err
			}
			return a.print(m, func(w io.Writer) { showMigration(w, m) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.To, "to", "upn", "what people shall go by: upn or mail")
	f.StringVar(&source, "source", "", "only people of this directory, or local; all directories when not given")
	f.BoolVar(&preview, "preview", false, "only say what it would do; so it is without --apply, too")
	f.BoolVar(&in.Apply, "apply", false, "do it")
	f.Int64Var(&undo, "undo", 0, "take the migration with this number back, within 30 days")
	f.BoolVar(&list, "list", false, "list the migrations that were done")
	f.BoolVar(&yes, "yes", false, "do not ask")
	cmd.MarkFlagsMutuallyExclusive("preview", "apply", "undo", "list")
	return cmd
}

func (a *app) migrations(cmd *cobra.Command) error {
	list := []admin.NamesRun{}
	if err := a.call(cmd.Context(), admin.VerbNamesRuns, admin.Nothing{}, &list); err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		t := newTable(w, "RUN", "DIRECTORY", "AT", "RENAMED", "UNDONE BY", "WHAT")
		for _, r := range list {
			source, undone := r.Source, ""
			if source == "" {
				source = "all"
			}
			if r.UndoneBy != 0 {
				undone = fmt.Sprintf("run %d", r.UndoneBy)
			}
			t.row(fmt.Sprint(r.Run), source, when(r.At), fmt.Sprint(r.Renamed), undone, r.Message)
		}
		t.flush()
	})
}

func (a *app) undoMigration(cmd *cobra.Command, run int64, yes bool) error {
	if err := a.confirm(yes, fmt.Sprintf("Everybody whom run %d renamed gets the old username back.", run)); err != nil {
		return err
	}
	var m admin.Migration
	if err := a.call(cmd.Context(), admin.VerbNamesUndo, admin.NamesUndo{Run: run}, &m); err != nil {
		return err
	}
	return a.print(m, func(w io.Writer) { showMigration(w, m) })
}

func showMigration(w io.Writer, m admin.Migration) {
	t := newTable(w, "ID", "USERNAME", "NEW USERNAME", "ACTION", "WHY")
	shown := 0
	for _, wanted := range []bool{true, false} { // who is left out first: that is to be looked at
		for _, l := range m.Lines {
			if (l.Action == "conflict" || l.Action == "skip") != wanted {
				continue
			}
			if shown++; shown <= shownLines {
				t.row(strconv.FormatInt(l.ID, 10), l.Old, l.New, l.Action, l.Why)
			}
		}
	}
	if shown > shownLines {
		t.row("...", fmt.Sprintf("and more: %d people in all (--json shows each)", shown))
	}
	if shown > 0 {
		t.flush()
	}
	verb := "Done"
	if m.Preview {
		verb = "Preview"
	}
	fmt.Fprintf(w, "%s: %d looked at, %d renamed, %d follow their directory again, %d cannot have the name, %d without one.\n", verb, m.People, m.Renamed, m.Followed, m.Conflicts, m.Skipped)
	switch {
	case m.Problem != "":
		fmt.Fprintf(w, "It would be refused as a whole: %s.\n", printable(m.Problem))
	case m.Preview && m.Renamed+m.Followed > 0:
		fmt.Fprintln(w, "Do it with --apply.")
	case m.Run != 0:
		fmt.Fprintf(w, "This is run %d.\n", m.Run)
	}
}

func (a *app) userResolve() *cobra.Command {
	var in admin.UserResolve
	cmd := &cobra.Command{
		Use: "resolve NAME", Short: "Say whose a job or sign-in under this name would be, and why", Args: args("NAME"),
		Example: "  platen-server user resolve 'CORP\\alex' --from 10.1.4.4",
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Name = given[0]
			var r admin.Resolved
			if err := a.call(cmd.Context(), admin.VerbUserResolve, in, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { showResolved(w, in.Name, r) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.As, "as", "job", "who asks: job (a print job), prompt (a person at the sign-in window) or trust (an enrolled computer)")
	f.StringVar(&in.From, "from", "", "the address of the computer")
	f.StringVar(&in.Provider, "provider", "", "the print provider that the job comes through")
	f.StringVar(&in.Join, "join-domain", "", "the Windows domain that the computer is joined to")
	return cmd
}

func showResolved(w io.Writer, name string, r admin.Resolved) {
	switch {
	case r.User != nil && r.Outcome == "disabled":
		fmt.Fprintf(w, "%s is %s (id:%d, %s), who may not sign in.\n", printable(name), printable(r.User.Username), r.User.ID, r.User.Source)
	case r.User != nil:
		fmt.Fprintf(w, "%s is %s (id:%d, %s).\n", printable(name), printable(r.User.Username), r.User.ID, r.User.Source)
	case r.Outcome == "ambiguous":
		fmt.Fprintf(w, "%s could be several people, so it is nobody:\n", printable(name))
		for _, c := range r.Candidates {
			fmt.Fprintf(w, "  %s (id:%d, %s)\n", printable(c.Username), c.ID, c.Source)
		}
	default:
		fmt.Fprintf(w, "%s is nobody.\n", printable(name))
	}
	fmt.Fprintln(w, "Why:")
	for _, line := range r.Why {
		fmt.Fprintf(w, "  %s\n", printable(line))
	}
}
