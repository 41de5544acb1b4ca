package dirsync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// unknown plans for a record whose id this source never had. In this order: somebody whom another source knows by the same id is
// the same person; somebody with the same name or e-mail address may be, which only an administrator can say; else it is somebody
// new.
func (p *planner) unknown(i int) {
	r := &p.o.w.rec
	links := p.state.links[i]
	if p.facts.sids.many(r.SID) {
		if slices.ContainsFunc(links, func(l link) bool { return l.how == "SID" }) || len(links) == 0 {
			p.refuse(false, "has a SID that several records have")
			return
		}
	}
	if len(links) > 0 {
		for _, l := range links[1:] {
			if l.user != links[0].user {
				p.refuse(false, "is known as %s by the same %s and as %s by the same %s: one of them must go first",
					describe(p.state.people[links[0].user].User), links[0].how, describe(p.state.people[l.user].User), l.how)
				return
			}
		}
		p.linked(links[0])
		return
	}
	if person, why := p.byName(); person != nil {
		switch {
		case p.replaces(person.User.Source), provider(person.User.Source):
			p.known(person)
		default:
			p.o.proposed = person.User.ID
			p.refuse(false, "may be %s, who has the same %s: nobody was made; if it is, say that this source replaces %q",
				describe(person.User), why, person.User.Source)
		}
		return
	}
	if !p.o.refused {
		p.create()
	}
}

// linked is for a record that somebody is known by already.
func (p *planner) linked(l link) {
	person := p.state.people[l.user]
	u := person.User
	living := u.DeletedAt.IsZero()
	switch {
	case u.Source == p.source:
		p.refuse(false, "is already known as %s by the same %s under another id: erase that user if this is somebody else", describe(u), l.how)
	case living && l.listed && !p.replaces(u.Source) && !provider(u.Source):
		p.facts.doubled(u.Source)
		p.refuse(false, "is listed by source %q too, under the same %s, as %s: two sources read one directory; remove one, or say that this one replaces the other",
			u.Source, l.how, describe(u))
	default:
		p.known(person)
	}
}

// byName looks for the one living person of another source with the record's UPN, username or e-mail address as username or
// e-mail address. People of a source that this one replaces count when they are soft-deleted too.
func (p *planner) byName() (person *Person, why string) {
	found := map[core.UserID]bool{}
	for _, candidate := range p.o.w.byNames() {
		for _, h := range p.state.holders[candidate.folded] {
			owner := p.state.people[h.UserID]
			if owner == nil || !h.ValidTo.IsZero() || h.UserSource == p.source || h.UserSource == core.LocalSource {
				continue
			}
			if !owner.User.DeletedAt.IsZero() && !p.replaces(h.UserSource) {
				continue
			}
			if owner.isAnother(p.o.w.rec.Identity()) {
				continue // the name was given to somebody else
			}
			switch {
			case provider(h.UserSource):
				// Only a name that the provider vouched for, and only the whole UPN.
				if candidate.what != "UPN" || h.Kind != core.NameUPN || h.Source != h.UserSource {
					continue
				}
			case !strong(h.Kind) && h.Kind != core.NameEmail:
				continue
			}
			if !found[h.UserID] {
				found[h.UserID] = true
				if person == nil {
					person, why = owner, candidate.what
				}
			}
		}
	}
	if len(found) > 1 {
		ids := make([]core.UserID, 0, len(found))
		for id := range found {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		p.refuse(false, "may be any of the users %s, who have the same UPN or e-mail address: nobody was made", fmt.Sprint(ids))
		return nil, ""
	}
	return person, why
}

// isAnother tells whether the person is known by another object id of the record's tenant: then a name that both have was given to
// somebody else, and neither balance nor cards go with it.
func (p *Person) isAnother(k directory.Key) bool {
	tenant, _, entra := strings.Cut(k.ID, "/")
	return entra && k.Kind == core.IdentityEntraOID && slices.ContainsFunc(p.Identities, func(e core.ExternalIdentity) bool {
		theirs, _, _ := strings.Cut(e.ImmutableID, "/")
		return e.Kind == k.Kind && strings.EqualFold(theirs, tenant) && !strings.EqualFold(e.ImmutableID, k.ID)
	})
}

// candidate is a name of the record by which somebody may be found.
type candidate struct {
	what   string
	folded auth.Folded
}

// byNames are the record's UPN, username and e-mail address, each once.
func (w *wanted) byNames() (list []candidate) {
	for _, n := range w.names {
		what := ""
		switch n.Kind {
		case core.NameUPN:
			what = "UPN"
		case core.NameUsername:
			what = "username"
		case core.NameEmail:
			what = "e-mail address"
		case core.NameSAM, core.NameNickname, core.NameAlias:
			continue
		}
		if !slices.ContainsFunc(list, func(c candidate) bool { return c.folded == n.Folded }) {
			list = append(list, candidate{what, n.Folded})
		}
	}
	return list
}
