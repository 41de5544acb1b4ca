package dirsync

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// Action is one thing that happens to a user.
type Action string

// The actions. Their audit lines are named "user." and the action.
const (
	ActionCreate  Action = "create"
	ActionRestore Action = "restore" // listed again after a soft delete
	ActionLink    Action = "link"    // somebody whom another source or an identity provider made is the same person
	ActionRename  Action = "rename"  // another username or UPN; the old one stays as an alias
	ActionUpdate  Action = "update"
	ActionDisable Action = "disable" // the directory disabled the account
	ActionEnable  Action = "enable"
	ActionDelete  Action = "delete"  // no longer listed: soft delete
	ActionRelease Action = "release" // gives a name up that was kept for names.Reservation
)

// edit is what is written to one user.
type edit struct {
	Actions    []Action
	User       core.User // as it shall be; ID 0 for a new one. Of no meaning but for ID when only names are released
	Fields     []string  // the names of the fields that change
	Identities []core.ExternalIdentity
	EndNames   []core.LoginName // ValidTo says when they end
	PutNames   []core.LoginName
}

func (c *edit) has(a Action) bool { return slices.Contains(c.Actions, a) }

// writesUser tells whether the user's own row changes.
func (c *edit) writesUser() bool { return len(c.Fields) > 0 && !c.has(ActionRelease) }

// outcome is what planning one record came to.
type outcome struct {
	w        wanted
	person   *Person // nil for somebody new
	edit     edit    // without actions: nothing to do
	release  []edit  // other people's names that were kept long enough
	cred     CredentialPlan
	problems []string
	refused  bool        // the record was left out as a whole
	rekeys   int         // names that somebody who leaves in this run held under another id
	proposed core.UserID // who the record may be
	foreign  bool        // another source keeps the person
}

// clean tells whether the person is now as the record says.
func (o *outcome) clean() bool { return !o.refused && len(o.problems) == 0 }

// news tells whether what was seen of the person must be noted.
func (o *outcome) news() bool {
	return o.w.rec.Key != "" && !o.refused && (len(o.edit.Actions) > 0 || o.clean() != o.w.seen)
}

// Person is a user with what hangs on it.
type Person struct {
	User       core.User
	Identities []core.ExternalIdentity // of every source
	Names      []core.LoginName        // in force and ended, of any source
}

// knows tells whether the person has an identity.
func (p *Person) knows(source core.SourceID, kind core.IdentityKind, id string) bool {
	return slices.ContainsFunc(p.Identities, func(e core.ExternalIdentity) bool {
		return e.Source == source && e.Kind == kind && e.ImmutableID == id
	})
}

// planner plans a chunk of records. It is pure: the same facts, state and time give the same outcomes.
type planner struct {
	source   core.SourceID
	now      time.Time
	settings Settings
	facts    *facts
	state    state

	o *outcome // of the record at hand
}

// plan plans one record.
func (p *planner) plan(i int, w wanted) outcome {
	o := outcome{w: w}
	p.o = &o
	person := p.state.person(i)
	o.person = person
	o.problems = append(o.problems, w.remarks...)
	switch {
	case w.problem != "":
		p.refuse(false, "%s", w.problem)
	case p.facts.keys.many(string(w.rec.KeyKind), w.rec.Key):
		p.refuse(false, "has an immutable id that several records have")
	case person != nil:
		p.known(person)
	default:
		p.unknown(i)
	}
	p.o = nil
	return o
}

// report says that part of the record was left out.
func (p *planner) report(rekey bool, format string, args ...any) {
	p.o.problems = append(p.o.problems, fmt.Sprintf(format, args...))
	if rekey {
		p.o.rekeys++
	}
}

// refuse says that all of it was.
func (p *planner) refuse(rekey bool, format string, args ...any) {
	p.report(rekey, format, args...)
	p.o.refused = true
	p.o.edit, p.o.release = edit{}, nil
}

// holds tells whether the person has the name in force already: for a username or UPN either of both, else the same kind.
func holds(person *Person, n core.LoginName) bool {
	return person != nil && slices.ContainsFunc(person.Names, func(have core.LoginName) bool {
		return have.ValidTo.IsZero() && have.Folded == n.Folded && (have.Kind == n.Kind || strong(have.Kind) && strong(n.Kind))
	})
}

// provider tells whether a source is an identity provider, whose people were made when they first signed in.
func provider(source core.SourceID) bool { return strings.HasPrefix(string(source), "idp:") }

// describe names a user for the administrator.
func describe(u core.User) string {
	if u.Source == core.LocalSource {
		return fmt.Sprintf("user %d (a local account)", u.ID)
	}
	return fmt.Sprintf("user %d (source %q)", u.ID, u.Source)
}

// state is what the store knows that planning a chunk needs.
type state struct {
	owners   []core.UserID // by the place of the record in the chunk, 0 for a new one
	links    [][]link      // likewise, for those without an owner
	people   map[core.UserID]*Person
	holders  map[auth.Folded][]core.NameHolder
	inactive map[core.UserID]core.User
	sids     map[string][]core.UserID
	locals   map[string][]core.UserID // by the id in the local directory
	roles    map[core.UserID]core.Role
}

func (s *state) person(i int) *Person { return s.people[s.owners[i]] }

// link is somebody of another source, or without a directory, who has an id of the record.
type link struct {
	user core.UserID
	how  string // "objectGUID", "SID", ...
	// listed: the other source lists people by this very id, so both read the same directory.
	listed bool
}

// keyOf is a record's key as the store has it.
func keyOf(r directory.Record) directory.Key { return directory.Key{Kind: r.KeyKind, ID: r.Key} }
