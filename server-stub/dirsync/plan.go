package dirsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

// Action is one thing that happens to a user.
type Action string

// The actions. Their audit lines are named "user." and the action.
const (
	ActionCreate  Action = "create"
	ActionRestore Action = "restore" // listed again after a soft delete
	ActionRename  Action = "rename"  // another username or UPN; the old one stays as an alias
	ActionUpdate  Action = "update"
	ActionDisable Action = "disable" // the directory disabled the account
	ActionEnable  Action = "enable"
	ActionDelete  Action = "delete"  // no longer listed: soft delete
	ActionLink    Action = "link"    // somebody of another source is the same person
	ActionRelease Action = "release" // gives a name up that was kept for names.Reservation
)

// edit is what happens to one user.
type edit struct {
	Actions    []Action
	User       core.User // as it shall be; ID 0 for a new one. Of no meaning but for ID when only names are released
	Fields     []string  // the names of the fields that change
	Identities []core.ExternalIdentity
	EndNames   []core.LoginName // ValidTo says when they end
	PutNames   []core.LoginName
}

func (c *edit) has(a Action) bool { return slices.Contains(c.Actions, a) }

// Conflict is a record that was left out, wholly or in part.
type Conflict struct {
	Where  string // where the record stands in the directory
	Reason string
	rekey  bool // a name of somebody who leaves in this run comes with another id
}

// Plan is what a run would do.
type Plan struct {
	Changes   []edit
	Conflicts []Conflict
	Read      int // records read
	People    int // living users of the source before the run
}

// Empty tells whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// Count returns how many users an action happens to.
func (p Plan) Count(actions ...Action) int {
	n := 0
	for _, c := range p.Changes {
		if slices.ContainsFunc(actions, c.has) {
			n++
		}
	}
	return n
}

// key is a record's identity.
type key struct {
	kind core.IdentityKind
	id   string
}

// planner holds what plan works on.
type planner struct {
	source core.SourceID
	now    time.Time
	state  State

	byKey    map[key]*Person
	listed   map[core.UserID]bool // people of the source whose id is in the listing
	claims   map[auth.Folded]int  // how many records newly want a username or UPN
	sids     map[string]int       // how many records bring a SID
	changes  []edit
	conflict []Conflict
}

// plan compares. It is pure: the same state, records and time give the same plan, in the order of the records, then of
// the users.
func plan(source core.SourceID, now time.Time, state State, records []wanted) Plan {
	p := &planner{
		source: source, now: now, state: state,
		byKey: indexByKey(state), listed: map[core.UserID]bool{}, sids: map[string]int{},
	}
	keys := map[key]int{}
	for _, w := range records {
		k := key{w.rec.KeyKind, w.rec.Key}
		keys[k]++
		if w.rec.SID != "" {
			p.sids[w.rec.SID]++
		}
		if person := p.byKey[k]; person != nil {
			p.listed[person.User.ID] = true
		}
	}
	p.claims = countClaims(p.byKey, records)
	for _, w := range records {
		k := key{w.rec.KeyKind, w.rec.Key}
		switch person := p.byKey[k]; {
		case w.problem != "":
			p.report(w, false, "%s", w.problem)
		case keys[k] > 1:
			p.report(w, false, "has an immutable id that several records have")
		case person != nil:
			p.known(w, person)
		default:
			p.unknown(w)
		}
	}
	living := p.deleteUnlisted()
	return Plan{Changes: p.changes, Conflicts: p.conflict, Read: len(records), People: living}
}

// deleteUnlisted plans the soft delete of everybody not listed, and counts the source's living people.
func (p *planner) deleteUnlisted() int {
	living := 0
	for _, person := range p.state.People {
		if person.User.Source != p.source || !person.User.DeletedAt.IsZero() {
			continue
		}
		living++
		if !p.listed[person.User.ID] {
			gone := person.User
			gone.DeletedAt = p.now
			p.changes = append(p.changes, edit{Actions: []Action{ActionDelete}, User: gone, Fields: []string{"deleted_at"}})
		}
	}
	return living
}

func indexByKey(state State) map[key]*Person {
	index := make(map[key]*Person, len(state.People))
	for i := range state.People {
		for _, identity := range state.People[i].Identities {
			if identity.Kind != core.IdentitySID {
				index[key{identity.Kind, identity.ImmutableID}] = &state.People[i]
			}
		}
	}
	return index
}

// lookups returns the folds and SIDs about which the plan must know what others hold.
func lookups(state State, records []wanted) (folds []auth.Folded, sids []string) {
	byKey := indexByKey(state)
	seen := map[auth.Folded]bool{}
	for _, w := range records {
		person := byKey[key{w.rec.KeyKind, w.rec.Key}]
		for _, n := range w.names {
			if (strong(n.Kind) || n.Kind == core.NameAlias) && !holds(person, n) && !seen[n.Folded] {
				seen[n.Folded] = true
				folds = append(folds, n.Folded)
			}
		}
		if w.rec.SID != "" && (person == nil || !hasSID(person, w.rec.SID)) {
			sids = append(sids, w.rec.SID)
		}
	}
	return folds, slices.Compact(slices.Sorted(slices.Values(sids)))
}

// countClaims counts, for each username and UPN that a record newly wants, the records that do.
func countClaims(byKey map[key]*Person, records []wanted) map[auth.Folded]int {
	claims := map[auth.Folded]int{}
	for _, w := range records {
		person := byKey[key{w.rec.KeyKind, w.rec.Key}]
		counted := map[auth.Folded]bool{}
		for _, n := range w.names {
			if strong(n.Kind) && !holds(person, n) && !counted[n.Folded] {
				counted[n.Folded] = true
				claims[n.Folded]++
			}
		}
	}
	return claims
}

// holds tells whether the person has the name in force already: for a username or UPN either of both, else the same kind.
func holds(person *Person, n core.LoginName) bool {
	return person != nil && slices.ContainsFunc(person.Names, func(have core.LoginName) bool {
		return have.ValidTo.IsZero() && have.Folded == n.Folded && (have.Kind == n.Kind || strong(have.Kind) && strong(n.Kind))
	})
}

func hasSID(person *Person, sid string) bool {
	return slices.ContainsFunc(person.Identities, func(e core.ExternalIdentity) bool { return e.Kind == core.IdentitySID && e.ImmutableID == sid })
}

func (p *planner) report(w wanted, rekey bool, format string, args ...any) {
	p.conflict = append(p.conflict, Conflict{Where: w.rec.Where, Reason: fmt.Sprintf(format, args...), rekey: rekey})
}
