package dirsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
)

// claim is the answer to "may the record's person have its username and UPN?".
type claim struct {
	refused string // why not, "" when yes
	rekey   bool
	release []edit      // other people's names that were kept long enough: they end when the claim is used
	holder  core.UserID // who is in the way
}

// claim looks at each username and UPN that the person (nil: a new one) does not have yet.
func (p *planner) claim(w wanted, person *Person) claim {
	var c claim
	for _, n := range w.names {
		if !strong(n.Kind) || holds(person, n) {
			continue
		}
		for _, h := range p.state.holders[n.Folded] {
			if person != nil && h.UserID == person.User.ID || !names.Blocks(h, p.now) || !own(h.LoginName) {
				continue
			}
			until, rekey, reason := p.keptFrom(h)
			if reason != "" {
				return claim{rekey: rekey, holder: h.UserID, refused: fmt.Sprintf("the name %q %s", n.Name, reason)}
			}
			end := h.LoginName
			end.ValidTo = until
			c.release = append(c.release, edit{
				Actions: []Action{ActionRelease}, User: core.User{ID: h.UserID}, Fields: []string{"names"}, EndNames: []core.LoginName{end},
			})
		}
		if p.facts.claims.many(string(n.Folded)) {
			return claim{refused: fmt.Sprintf("several records want the name %q", n.Name)}
		}
	}
	return c
}

// keptFrom says why the name that h holds cannot be given to somebody else, or, with no reason, since when h has had no
// right to it. rekey: h's person leaves in this very run, so that one id takes the place of another.
func (p *planner) keptFrom(h core.NameHolder) (since time.Time, rekey bool, reason string) {
	kept := int(names.Reservation.Hours() / 24)
	holder := p.state.inactive[h.UserID]
	listed := p.facts.listed(h.UserID)
	renamed := lastRename(p.state.holders[h.Folded], h)
	switch {
	case !h.ValidTo.IsZero():
		return since, false, fmt.Sprintf("was that of user %d until %s and is kept for %d days: erase that user or free the name to give it away at once",
			h.UserID, h.ValidTo.Format(time.DateOnly), kept)
	case !holder.DeletedAt.IsZero() && !listed && p.now.Sub(holder.DeletedAt) >= names.Reservation:
		return holder.DeletedAt, false, ""
	case !holder.DeletedAt.IsZero() && !listed:
		return since, false, fmt.Sprintf("is that of user %d, who left on %s under another id, and is kept for %d days: erase that user if this is somebody else",
			h.UserID, holder.DeletedAt.Format(time.DateOnly), kept)
	case h.UserSource == p.source && p.facts.leaves(h.UserID):
		return since, true, fmt.Sprintf("is that of user %d, whom the source no longer lists, and the id is another: erase that user if this is somebody else", h.UserID)
	case strong(h.Kind) || renamed.IsZero():
		return since, false, fmt.Sprintf("is the %s of %s", h.Kind, describe(core.User{ID: h.UserID, Source: h.UserSource}))
	case p.now.Sub(renamed) < names.Reservation:
		return since, false, fmt.Sprintf("was that of user %d until %s and is kept for %d days: remove that alias to give it away at once",
			h.UserID, renamed.Format(time.DateOnly), kept)
	}
	return renamed, false, ""
}

// lastRename returns when the holder stopped having the alias h as username or UPN, zero when it never was that.
func lastRename(holders []core.NameHolder, h core.NameHolder) time.Time {
	var last time.Time
	for _, other := range holders {
		if other.UserID == h.UserID && strong(other.Kind) && other.ValidTo.After(last) {
			last = other.ValidTo
		}
	}
	return last
}

// names plans the names of a person so that those of the source are the record's, and lost usernames become aliases.
func (p *planner) names(c *edit, w wanted, person Person, claim claim) {
	p.o.release = append(p.o.release, claim.release...)
	desired := p.allowed(w, person, c.User.KeepsUsername)
	usernames := map[auth.Folded]bool{} // usernames and UPNs from now on
	for _, n := range desired {
		usernames[n.Folded] = usernames[n.Folded] || strong(n.Kind)
		if !inForce(person.Names, n) {
			n.ValidFrom = p.now
			c.PutNames = append(c.PutNames, n)
		}
	}
	renamed := false
	for _, n := range person.Names {
		ours := n.Source == p.source || n.Source == person.User.Source && n.Source != core.LocalSource
		if !n.ValidTo.IsZero() || !ours || slices.ContainsFunc(desired, func(d core.LoginName) bool { return sameName(d, n) }) {
			continue
		}
		if n.Kind == core.NameAlias && wasUsername(person.Names, n.Folded) && !usernames[n.Folded] {
			continue // an old name, kept
		}
		if c.User.KeepsUsername && strong(n.Kind) && isUsername(person.User, n) {
			continue // the username of before the switch of sources, kept
		}
		ended := n
		ended.ValidTo = p.now
		c.EndNames = append(c.EndNames, ended)
		if strong(n.Kind) && !usernames[n.Folded] {
			renamed = true
			alias := core.LoginName{Name: n.Name, Folded: n.Folded, Kind: core.NameAlias, Source: p.source, ValidFrom: p.now}
			if !inForce(person.Names, alias) && !slices.ContainsFunc(c.PutNames, func(x core.LoginName) bool { return sameName(x, alias) }) {
				c.PutNames = append(c.PutNames, alias)
			}
		}
	}
	if len(c.PutNames)+len(c.EndNames) > 0 {
		c.Fields = append(c.Fields, "names")
	}
	if renamed {
		c.Actions = append(c.Actions, ActionRename)
	}
}

// allowed returns the record's names without new aliases that are somebody else's username, and, for somebody who keeps another
// username, without the record's.
func (p *planner) allowed(w wanted, person Person, keeps bool) []core.LoginName {
	return slices.DeleteFunc(slices.Clone(w.names), func(n core.LoginName) bool {
		if keeps && n.Kind == core.NameUsername && !isUsername(person.User, n) {
			return true
		}
		if n.Kind != core.NameAlias || inForce(person.Names, n) {
			return false
		}
		taken := p.facts.claims.any(string(n.Folded)) || slices.ContainsFunc(p.state.holders[n.Folded], func(h core.NameHolder) bool {
			return h.UserID != person.User.ID && strong(h.Kind) && names.Blocks(h, p.now)
		})
		if taken {
			p.report(false, "does not get the alias %q: it is somebody else's username", n.Name)
		}
		return taken
	})
}

// isUsername tells whether a name is the user's username.
func isUsername(u core.User, n core.LoginName) bool {
	folded, err := canon(u.Username)
	return err == nil && folded == n.Folded
}

// own tells whether a name is for one person alone: usernames, UPNs and aliases that stand in no domain.
func own(n core.LoginName) bool { return strong(n.Kind) || n.Kind == core.NameAlias && n.Domain == "" }

// sameName tells whether two are one name: a person holds each fold once for each kind and domain.
func sameName(a, b core.LoginName) bool {
	return a.Folded == b.Folded && a.Kind == b.Kind && a.Domain == b.Domain
}

func inForce(names []core.LoginName, n core.LoginName) bool {
	return slices.ContainsFunc(names, func(have core.LoginName) bool { return have.ValidTo.IsZero() && sameName(have, n) })
}

// wasUsername tells whether the person once had the name as username or UPN.
func wasUsername(names []core.LoginName, folded auth.Folded) bool {
	return slices.ContainsFunc(names, func(n core.LoginName) bool { return n.Folded == folded && strong(n.Kind) && !n.ValidTo.IsZero() })
}
