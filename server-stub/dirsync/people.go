package dirsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// known plans for a record whose person we have.
func (p *planner) known(person *Person) {
	o, u := p.o, person.User
	o.person = person
	takesOver := u.Source != p.source
	if takesOver && u.DeletedAt.IsZero() && !p.replaces(u.Source) && !provider(u.Source) {
		p.foreign(person)
		return
	}
	c := edit{User: u, Identities: p.identities(person)}
	if takesOver {
		p.takeOver(&c)
		if u.DeletedAt.IsZero() {
			c.Actions = append(c.Actions, ActionLink)
		}
	}
	claim := p.claim(o.w, person)
	if !u.DeletedAt.IsZero() {
		if claim.refused != "" && !c.User.KeepsUsername {
			p.refuse(claim.rekey, "cannot come back: %s", claim.refused)
			return
		}
		c.Actions = append(c.Actions, ActionRestore)
		c.User.DeletedAt = time.Time{}
		c.Fields = append(c.Fields, "deleted_at")
	}
	p.fields(&c, claim.refused == "" && !c.User.KeepsUsername)
	if claim.refused != "" {
		// Who it is is certain, only the new name is not: everything but the names follows the directory.
		p.report(claim.rekey, "keeps the old name: %s", claim.refused)
	} else {
		p.names(&c, o.w, *person, claim)
	}
	if (len(c.Fields) > 0 || len(c.Identities) > 0) && len(c.Actions) == 0 {
		c.Actions = append(c.Actions, ActionUpdate)
	}
	p.disabled(&c, person)
	if len(c.Actions) > 0 {
		o.edit = c
	}
}

// replaces tells whether the source takes over from that one.
func (p *planner) replaces(source core.SourceID) bool {
	return source != core.LocalSource && source == p.settings.Replaces
}

// takeOver makes this source the one that keeps the person. Who comes from a source that this one replaces keeps the username
// (row A1-56); who was made by signing in gets the directory's.
func (p *planner) takeOver(c *edit) {
	if p.replaces(c.User.Source) && !same(c.User.Username, p.o.w.rec.Username) {
		c.User.KeepsUsername = true
		c.Fields = append(c.Fields, "keeps_username")
	}
	c.User.Source = p.source
	c.Fields = append(c.Fields, "source")
}

// foreign is for somebody whom another directory keeps: only the ids are put, so that the person is found by them.
func (p *planner) foreign(person *Person) {
	p.o.foreign = true
	if add := p.identities(person); len(add) > 0 {
		p.o.edit = edit{Actions: []Action{ActionLink}, User: person.User, Identities: add}
	}
}

// create plans for somebody new.
func (p *planner) create() {
	o := p.o
	claim := p.claim(o.w, nil)
	if claim.refused != "" {
		o.proposed = claim.holder
		p.refuse(claim.rekey, "%s", claim.refused)
		return
	}
	c := edit{Actions: []Action{ActionCreate}, User: core.User{Source: p.source, Disabled: o.w.rec.Disabled, DisabledBySource: o.w.rec.Disabled}}
	c.Identities = p.identities(nil)
	p.fields(&c, true)
	p.names(&c, o.w, Person{}, claim)
	o.edit = c
}

// disabled follows the directory, but for an account that an administrator disabled here.
func (p *planner) disabled(c *edit, person *Person) {
	disabled := p.o.w.rec.Disabled
	switch {
	case disabled && !person.User.Disabled:
		c.Actions, c.Fields = append(c.Actions, ActionDisable), append(c.Fields, "disabled")
		c.User.Disabled, c.User.DisabledBySource = true, true
	case !disabled && person.User.DisabledBySource:
		c.Actions, c.Fields = append(c.Actions, ActionEnable), append(c.Fields, "disabled")
		c.User.Disabled, c.User.DisabledBySource = false, false
	}
}

// fields sets what the directory says about the person; the username only when it may be changed.
func (p *planner) fields(c *edit, username bool) {
	r := &p.o.w.rec
	set := func(name string, have *string, want string) {
		if *have != want {
			*have = want
			c.Fields = append(c.Fields, name)
		}
	}
	if username {
		set("username", &c.User.Username, r.Username)
	}
	set("display_name", &c.User.DisplayName, r.DisplayName)
	set("email", &c.User.Email, r.Email)
	set("department", &c.User.Department, r.Department)
	set("office", &c.User.Office, r.Office)
	set("language", &c.User.Language, r.Language)
}

// identities returns those of the record that the person lacks.
func (p *planner) identities(person *Person) []core.ExternalIdentity {
	r := &p.o.w.rec
	var add []core.ExternalIdentity
	put := func(kind core.IdentityKind, id string) {
		if person == nil || !person.knows(p.source, kind, id) {
			add = append(add, core.ExternalIdentity{Source: p.source, Kind: kind, ImmutableID: id})
		}
	}
	put(r.KeyKind, r.Key)
	if r.OnPremises != "" && (r.KeyKind != core.IdentityObjectGUID || r.OnPremises != r.Key) {
		switch {
		case p.facts.onPremises.many(r.OnPremises):
			p.report(false, "has an id of the local directory that several records have; it is left out")
		case person != nil && slices.ContainsFunc(p.state.locals[r.OnPremises], func(id core.UserID) bool { return id != person.User.ID }):
			p.report(false, "has an id of the local directory that is another person's; it is left out")
		default:
			put(core.IdentityObjectGUID, r.OnPremises)
		}
	}
	switch {
	case r.SID == "":
	case p.facts.sids.many(r.SID):
		p.report(false, "has a SID that several records have; the SID is left out")
	case person != nil && slices.ContainsFunc(p.state.sids[r.SID], func(id core.UserID) bool { return id != person.User.ID }):
		p.report(false, "has a SID that is another person's; the SID is left out")
	default:
		put(core.IdentitySID, r.SID)
	}
	return add
}

// gone plans the soft delete of a person who is no longer listed.
func (p *planner) gone(person *Person) outcome {
	u := person.User
	u.DeletedAt = p.now
	return outcome{person: person, edit: edit{Actions: []Action{ActionDelete}, User: u, Fields: []string{"deleted_at"}}}
}

// fieldText is a field of a user as it is shown and kept in the journal. Names, cards and codes are no fields.
func fieldText(u core.User, field string) string {
	switch field {
	case "username":
		return u.Username
	case "display_name":
		return u.DisplayName
	case "email":
		return u.Email
	case "department":
		return u.Department
	case "office":
		return u.Office
	case "language":
		return u.Language
	case "source":
		return string(u.Source)
	case "keeps_username":
		return fmt.Sprint(u.KeepsUsername)
	case "disabled":
		switch {
		case u.DisabledBySource:
			return "by the directory"
		case u.Disabled:
			return "by an administrator"
		}
		return ""
	case "deleted_at":
		if u.DeletedAt.IsZero() {
			return ""
		}
		return u.DeletedAt.UTC().Format(time.RFC3339Nano)
	}
	return ""
}
