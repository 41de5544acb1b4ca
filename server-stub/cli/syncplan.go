package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/dirsync"
)

// shownOf is how many lines of a kind a plan shows unasked.
const shownOf = 20

func (a *app) syncPlan() *cobra.Command {
	var in admin.SyncPlan
	var all, asCSV bool
	cmd := &cobra.Command{
		Use: "plan [DIRECTORY]", Short: "Show what a synchronisation would change, and change nothing", Args: atMost(1),
		Long: `Show what a synchronisation would change, and change nothing.

The plan is kept for seven days under an id, by which it can be shown again and applied: exactly what was read then, against
what is true at that time.`,
		Example:           "  platen-server sync plan corp\n  platen-server sync plan corp --csv > plan.csv\n  platen-server sync plan --plan p-7k3f9x2a --all",
		ValidArgsFunction: a.completeDirectories,
		RunE: func(cmd *cobra.Command, given []string) error {
			in.Source = firstOf(given)
			if a.data == "" {
				return usage("say which server: --data DIR, or set PLATEN_DATA")
			}
			v := a.planView(all, asCSV)
			var head admin.PlanHead
			err := admin.NewClient(a.data).Stream(cmd.Context(), admin.VerbSyncPlan, in, &head, a.progress(), func(item json.RawMessage) error {
				var c admin.PlanChange
				if err := json.Unmarshal(item, &c); err != nil {
					return fmt.Errorf("read the server's answer: %w; the command and the server may be of different versions", err)
				}
				return v.change(c)
			})
			if err != nil {
				return err
			}
			return v.end(head)
		},
	}
	cmd.Flags().StringVar(&in.ID, "plan", "", "show this plan again, as things stand now")
	cmd.Flags().BoolVar(&in.Full, "full", false, "compare everything, also what has not changed since the last time")
	cmd.Flags().BoolVar(&all, "all", false, "show everything, not only the first lines of each kind")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "write CSV, a line for each change")
	return cmd
}

// planView shows a plan as it comes.
type planView interface {
	change(c admin.PlanChange) error
	end(head admin.PlanHead) error
}

func (a *app) planView(all, asCSV bool) planView {
	switch {
	case a.json:
		return &jsonPlan{w: jsonWriter{a.Out}}
	case asCSV:
		return &csvPlan{w: csv.NewWriter(a.Out), a: a}
	}
	limit := shownOf
	if all {
		limit = -1
	}
	return &tablePlan{a: a, limit: limit}
}

// jsonPlan writes {"changes": [...], "plan": {...}}.
type jsonPlan struct {
	w     io.Writer
	begun bool
}

func (p *jsonPlan) change(c admin.PlanChange) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	before := ",\n    "
	if !p.begun {
		before = "{\n  \"changes\": [\n    "
	}
	p.begun = true
	_, err = fmt.Fprintf(p.w, "%s%s", before, text)
	return err
}

func (p *jsonPlan) end(head admin.PlanHead) error {
	text, err := json.MarshalIndent(head, "  ", "  ")
	if err != nil {
		return err
	}
	before := "\n  ]"
	if !p.begun {
		before = "{\n  \"changes\": []"
	}
	_, err = fmt.Fprintf(p.w, "%s,\n  \"plan\": %s\n}\n", before, text)
	return err
}

// csvPlan writes a line for each field, card, problem and person.
type csvPlan struct {
	w     *csv.Writer
	a     *app
	begun bool
}

func (p *csvPlan) change(c admin.PlanChange) error {
	if !p.begun {
		p.begun = true
		if err := p.w.Write([]string{"kind", "user", "username", "where", "field", "old", "new", "words"}); err != nil {
			return err
		}
	}
	user := ""
	if c.User != 0 {
		user = fmt.Sprint(c.User)
	}
	line := func(kind, field, old, now string) error {
		return p.w.Write(formulaSafe([]string{kind, user, c.Username, c.Where, field, old, now, c.Words}))
	}
	kind := strings.Join(kindsOf(c), "+")
	lines := 0
	for _, f := range c.Fields {
		if err := line(kind, f.Field, f.Old, f.New); err != nil {
			return err
		}
		lines++
	}
	for _, more := range []struct {
		field string
		texts []string
	}{{"card or code", c.Details}, {"weak", c.Weak}, {"conflict", c.Problems}} {
		for _, text := range more.texts {
			if err := line(kind, more.field, "", text); err != nil {
				return err
			}
			lines++
		}
	}
	if lines == 0 {
		return line(kind, "", "", "")
	}
	return nil
}

func (p *csvPlan) end(head admin.PlanHead) error {
	p.w.Flush()
	fmt.Fprintln(p.a.Err, printable(head.Summary))
	return p.w.Error()
}

// kindsOf are the kinds of a change, in the order they are shown in.
func kindsOf(c admin.PlanChange) []string {
	var kinds []string
	for _, action := range c.Actions {
		kinds = append(kinds, string(action))
	}
	if c.Proposed != 0 {
		kinds = append(kinds, kindProposed)
	} else if len(c.Problems) > 0 {
		kinds = append(kinds, kindConflict)
	}
	if len(c.Weak) > 0 {
		kinds = append(kinds, kindWeak)
	}
	return kinds
}

// Kinds that are no action.
const (
	kindConflict = "conflict"
	kindProposed = "proposed"
	kindWeak     = "weak"
)

// section is a table of a plan.
type section struct {
	kinds    []string
	title    string
	headings []string
	rows     func(c admin.PlanChange) [][]string
}

func who(c admin.PlanChange) string {
	switch {
	case c.Username != "":
		return c.Username
	case c.User != 0:
		return fmt.Sprintf("id:%d", c.User)
	}
	return c.Where
}

// sections are the tables in their order: what may need somebody's decision comes first and last, where it is seen.
var sections = []section{
	{[]string{string(dirsync.ActionDelete)}, "No longer listed: cannot sign in, keep everything", []string{"USER", "ID"}, whoAndID},
	{[]string{string(dirsync.ActionDisable)}, "Disabled in the directory", []string{"USER", "WHERE"}, whoAndWhere},
	{[]string{string(dirsync.ActionRename)}, "Renamed; the old name stays as an alias", []string{"USER", "FIELD", "OLD", "NEW"}, fieldRows},
	{[]string{string(dirsync.ActionCreate)}, "New", []string{"USER", "WHERE", "CARDS AND CODES"}, newRows},
	{[]string{string(dirsync.ActionRestore), string(dirsync.ActionEnable)}, "Back, with everything they had", []string{"USER", "WHERE"}, whoAndWhere},
	{[]string{string(dirsync.ActionLink)}, "Linked: known from another directory, one person from now on", []string{"USER", "WHERE", "HOW"}, func(c admin.PlanChange) [][]string {
		return [][]string{{who(c), c.Where, c.Words}}
	}},
	{[]string{string(dirsync.ActionUpdate)}, "Changed", []string{"USER", "FIELD", "OLD", "NEW"}, fieldRows},
	{[]string{kindWeak}, "Codes that are too easy", []string{"USER", "CODE"}, func(c admin.PlanChange) [][]string { return each(c, c.Weak) }},
	{[]string{kindProposed}, "May be somebody who is here already: decide", []string{"WHERE", "WHO", "WHY"}, func(c admin.PlanChange) [][]string {
		return [][]string{{c.Where, fmt.Sprintf("id:%d", c.Proposed), strings.Join(c.Problems, "; ")}}
	}},
	{[]string{kindConflict}, "Left out, wholly or in part", []string{"WHERE", "WHY"}, func(c admin.PlanChange) [][]string {
		var rows [][]string
		for _, p := range c.Problems {
			rows = append(rows, []string{first(c.Where, who(c)), p})
		}
		return rows
	}},
}

func whoAndWhere(c admin.PlanChange) [][]string { return [][]string{{who(c), c.Where}} }
func whoAndID(c admin.PlanChange) [][]string {
	return [][]string{{who(c), fmt.Sprintf("id:%d", c.User)}}
}

func newRows(c admin.PlanChange) [][]string {
	return [][]string{{who(c), c.Where, strings.Join(c.Details, "; ")}}
}

func each(c admin.PlanChange, texts []string) (rows [][]string) {
	for _, text := range texts {
		rows = append(rows, []string{who(c), text})
	}
	return rows
}

func fieldRows(c admin.PlanChange) (rows [][]string) {
	for _, f := range c.Fields {
		rows = append(rows, []string{who(c), f.Field, first(f.Old, nothing), first(f.New, nothing)})
	}
	for _, d := range c.Details {
		rows = append(rows, []string{who(c), "card or code", nothing, d})
	}
	if rows == nil {
		rows = [][]string{{who(c), nothing, nothing, c.Words}}
	}
	return rows
}

// nothing stands where a table would have a hole.
const nothing = "-"

// tablePlan collects the first lines of each kind and shows them at the end.
type tablePlan struct {
	a     *app
	limit int // changes of a kind, -1 for all
	found [16]struct {
		rows   [][]string
		people int
	}
}

func (p *tablePlan) change(c admin.PlanChange) error {
	kinds := kindsOf(c)
	for i, s := range sections {
		if !slices.ContainsFunc(kinds, func(k string) bool { return slices.Contains(s.kinds, k) }) {
			continue
		}
		f := &p.found[i]
		if f.people++; p.limit < 0 || f.people <= p.limit {
			f.rows = append(f.rows, s.rows(c)...)
		}
	}
	return nil
}

func (p *tablePlan) end(head admin.PlanHead) error {
	w := p.a.Out
	fmt.Fprintln(w, printable(head.Summary))
	empty := true
	for i, s := range sections {
		f := p.found[i]
		if f.people == 0 {
			continue
		}
		empty = false
		fmt.Fprintf(w, "\n%s: %d\n", s.title, f.people)
		t := newTable(w, s.headings...)
		for _, row := range f.rows {
			t.row(row...)
		}
		t.flush()
		if p.limit >= 0 && f.people > p.limit {
			fmt.Fprintf(w, "and %d more: %s\n", f.people-p.limit, p.a.hint("sync plan --plan %s --all", head.ID))
		}
	}
	fmt.Fprintln(w)
	switch {
	case head.Stopped != "":
		fmt.Fprintf(w, "The brake stops this. If it is right: %s\n", p.a.hint(`sync apply --plan %s --reason "WHY"`, head.ID))
	case empty:
		fmt.Fprintln(w, "There is nothing to apply.")
	default:
		fmt.Fprintf(w, "Nothing was changed. To apply it, until %s: %s\n", when(head.ExpiresAt), p.a.hint("sync apply --plan %s", head.ID))
	}
	return nil
}
