package dirsync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
)

// change says what an outcome is to an administrator, false when there is nothing to say.
func (o *outcome) change() (Change, bool) {
	c := Change{Where: clean(o.w.rec.Where), Problems: o.problems, Weak: o.cred.Weak, Proposed: o.proposed, Username: o.w.rec.Username}
	if o.person != nil {
		c.User, c.Username = o.person.User.ID, o.person.User.Username
	}
	if len(o.edit.Actions) > 0 {
		c.Actions, c.Details = o.edit.Actions, o.cred.Details
		if o.person != nil {
			c.Fields = fieldChanges(o.person.User, &o.edit)
		} else {
			c.Username = o.edit.User.Username
			c.Fields = fieldChanges(core.User{}, &o.edit)
		}
		for i := range c.Fields {
			if c.Fields[i].Field == "deleted_at" {
				c.Fields = slices.Delete(c.Fields, i, i+1)
				break
			}
		}
		c.Fields = append(c.Fields, nameChanges(&o.edit, o.person == nil)...)
	}
	return c, len(c.Actions)+len(c.Problems)+len(c.Weak) > 0
}

// nameChanges are login names that come and go.
func nameChanges(c *edit, created bool) (list []FieldChange) {
	if created {
		return nil // a new person's names are all new
	}
	for _, n := range c.EndNames {
		list = append(list, FieldChange{Field: nameField(n.Kind), Old: n.Name})
	}
	for _, n := range c.PutNames {
		list = append(list, FieldChange{Field: nameField(n.Kind), New: n.Name})
	}
	return list
}

// Words says a change in a sentence or two, without secrets: "kim (user 12): renamed; username kim -> kim.lee; department is now Physics".
func (c Change) Words() string {
	who := c.Username
	switch {
	case who == "":
		who = c.Where
	case c.User != 0:
		who = fmt.Sprintf("%s (user %d)", c.Username, c.User)
	case c.Where != "":
		who = fmt.Sprintf("%s (%s)", c.Username, c.Where)
	}
	var parts []string
	for _, a := range c.Actions {
		if word := a.words(); word != "" {
			parts = append(parts, word)
		}
	}
	if !slices.Contains(c.Actions, ActionCreate) {
		for _, f := range c.Fields {
			if f.Field != "disabled" { // the action says it
				parts = append(parts, f.words())
			}
		}
	}
	parts = append(parts, c.Details...)
	for _, weak := range c.Weak {
		parts = append(parts, "weak: "+weak)
	}
	parts = append(parts, c.Problems...)
	return who + ": " + strings.Join(parts, "; ")
}

// words is an action as something that happens to a person.
func (a Action) words() string {
	switch a {
	case ActionCreate:
		return "is new"
	case ActionRestore:
		return "comes back with balance, names, cards and tokens"
	case ActionLink:
		return "is linked: the same person as before"
	case ActionRename:
		return "is renamed, and keeps the old name as an alias"
	case ActionDisable:
		return "is disabled by the directory"
	case ActionEnable:
		return "is enabled by the directory"
	case ActionDelete:
		return "is no longer listed and leaves; everything is kept"
	case ActionRelease:
		return "gives up a name that was kept long enough"
	case ActionUpdate:
	}
	return ""
}

func (f FieldChange) words() string {
	name := strings.ReplaceAll(f.Field, "_", " ")
	switch {
	case f.Old == "":
		return fmt.Sprintf("%s is now %q", name, f.New)
	case f.New == "":
		return fmt.Sprintf("%s was %q and ends", name, f.Old)
	}
	return fmt.Sprintf("%s %q -> %q", name, f.Old, f.New)
}

// summary says a plan in one sentence.
func (h PlanHead) summary() string {
	var parts []string
	add := func(n int, one, many string) {
		switch {
		case n == 1:
			parts = append(parts, "1 "+one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, many))
		}
	}
	c := h.Counts
	add(c.Created, "person is new", "people are new")
	add(c.Updated, "changes", "change")
	add(c.Renamed, "is renamed", "are renamed")
	add(c.Linked, "is linked", "are linked")
	add(c.Restored, "comes back", "come back")
	add(c.Enabled, "is enabled", "are enabled")
	add(c.Disabled, "is disabled", "are disabled")
	add(c.Deleted, "leaves", "leave")
	add(c.Groups, "group changes", "groups change")
	add(c.Conflicts, "thing is left out", "things are left out")
	add(c.Weak, "code is weak", "codes are weak")
	what := "nothing changes"
	if len(parts) > 0 {
		what = strings.Join(parts, ", ")
	}
	read := fmt.Sprintf("%d people listed", h.Read)
	if !h.Full {
		read = fmt.Sprintf("%d people changed", h.Read)
	}
	text := fmt.Sprintf("%s by source %q, %d of it known here: %s.", read, h.Source, h.People, what)
	if h.Stopped != "" {
		text += " It needs an approval: " + h.Stopped + "."
	}
	return text
}
