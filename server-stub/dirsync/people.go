package dirsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// unknown plans for a record whose id was never seen.
func (p *planner) unknown(w wanted) {
	if w.rec.SID != "" {
		owners := p.state.Owners[w.rec.SID]
		switch {
		case p.sids[w.rec.SID] > 1:
			p.report(w, false, "has a SID that several records have")
			return
		case len(owners) == 1 && !owners[0].User.DeletedAt.IsZero() && owners[0].User.Source != p.source:
			p.known(w, &owners[0]) // left another source, is in this one now: the same person by SID
			return
		case len(owners) > 0:
			p.report(w, false, "is already known as %s by the same SID: let one source list each person", describe(owners[0].User))
			return
		}
	}
	claim := p.claim(w, nil)
	if claim.refused != "" {
		p.report(w, claim.rekey, "%s", claim.refused)
		return
	}
	c := edit{Actions: []Action{ActionCreate}, User: core.User{Source: p.source, Disabled: w.rec.Disabled, DisabledBySource: w.rec.Disabled}}
	c.Identities = p.identities(w, nil)
	p.fields(&c, w, true)
	p.names(&c, w, Person{}, claim)
	p.changes = append(p.changes, c)
}

// known plans for a record whose person we have.
func (p *planner) known(w wanted, person *Person) {
	u := person.User
	if u.Source != p.source && u.DeletedAt.IsZero() {
		p.report(w, false, "is kept by another source now, as %s: let one source list each person", describe(u))
		return
	}
	claim := p.claim(w, person)
	c := edit{User: u, Identities: p.identities(w, person)}
	if !u.DeletedAt.IsZero() {
		if claim.refused != "" {
			p.report(w, claim.rekey, "cannot come back: %s", claim.refused)
			return
		}
		c.Actions = append(c.Actions, ActionRestore)
		c.User.DeletedAt, c.User.Source = time.Time{}, p.source
		c.Fields = append(c.Fields, "deleted_at")
	}
	p.fields(&c, w, claim.refused == "")
	if claim.refused != "" {
		// Who it is is certain, only the new name is not: everything but the names follows the directory.
		p.report(w, claim.rekey, "keeps the old name: %s", claim.refused)
	} else {
		p.names(&c, w, *person, claim)
	}
	if (len(c.Fields) > 0 || len(c.Identities) > 0) && len(c.Actions) == 0 {
		c.Actions = append(c.Actions, ActionUpdate)
	}
	p.disabled(&c, w, person)
	if len(c.Actions) > 0 {
		p.changes = append(p.changes, c)
	}
}

// disabled follows the directory, but for an account that an administrator disabled here.
func (p *planner) disabled(c *edit, w wanted, person *Person) {
	switch {
	case w.rec.Disabled && !person.User.Disabled:
		c.Actions, c.Fields = append(c.Actions, ActionDisable), append(c.Fields, "disabled")
		c.User.Disabled, c.User.DisabledBySource = true, true
	case !w.rec.Disabled && person.User.DisabledBySource:
		c.Actions, c.Fields = append(c.Actions, ActionEnable), append(c.Fields, "disabled")
		c.User.Disabled, c.User.DisabledBySource = false, false
	}
}

// fields sets what the directory says about the person; the username only when it may be changed.
func (p *planner) fields(c *edit, w wanted, username bool) {
	set := func(name string, have *string, want string) {
		if *have != want {
			*have = want
			c.Fields = append(c.Fields, name)
		}
	}
	if username {
		set("username", &c.User.Username, w.rec.Username)
	}
	set("display_name", &c.User.DisplayName, w.rec.DisplayName)
	set("email", &c.User.Email, w.rec.Email)
	set("department", &c.User.Department, w.rec.Department)
	set("office", &c.User.Office, w.rec.Office)
}

// identities returns those of the record that the person lacks.
func (p *planner) identities(w wanted, person *Person) []core.ExternalIdentity {
	var add []core.ExternalIdentity
	put := func(kind core.IdentityKind, id string) {
		e := core.ExternalIdentity{Source: p.source, Kind: kind, ImmutableID: id}
		have := person != nil && slices.ContainsFunc(person.Identities, func(x core.ExternalIdentity) bool {
			return x.Source == e.Source && x.Kind == e.Kind && x.ImmutableID == e.ImmutableID
		})
		if !have {
			add = append(add, e)
		}
	}
	put(w.rec.KeyKind, w.rec.Key)
	switch {
	case w.rec.SID == "":
	case p.sids[w.rec.SID] > 1:
		p.report(w, false, "has a SID that several records have; the SID is left out")
	case person != nil && slices.ContainsFunc(p.state.Owners[w.rec.SID], func(o Person) bool { return o.User.ID != person.User.ID }):
		p.report(w, false, "has a SID that is another person's; the SID is left out")
	default:
		put(core.IdentitySID, w.rec.SID)
	}
	return add
}

// describe names a user for the administrator.
func describe(u core.User) string {
	if u.Source == core.LocalSource {
		return fmt.Sprintf("user %d (a local account)", u.ID)
	}
	return fmt.Sprintf("user %d (source %q)", u.ID, u.Source)
}
