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
	if m := p.byName(); m.person != nil {
		person, why := m.person, m.why
		role, powerful := p.state.roles[person.User.ID]
		switch {
		case p.contested(m):
			p.o.proposed = person.User.ID
			p.refuse(false, "may be %s, who has the same %s, but somebody else in the source has a name of that user too: nobody was made; "+
				"correct the UPN or e-mail address of whoever it is not", describe(person.User), why)
		case powerful && (m.weak || provider(person.User.Source)):
			// Names are given by whoever runs the directory, and roles are not theirs to take.
			p.o.proposed = person.User.ID
			p.refuse(false, "may be %s, who has the same %s and the role %q, which nobody gets by a name: nobody was made; if it is the same person, "+
				"take the role away until they are linked", describe(person.User), why, role)
		case p.replaces(person.User.Source), provider(person.User.Source):
			p.tie(person)
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
	case person.isHere(p.source, p.o.w.rec) && (!p.facts.complete && !p.facts.leaves(u.ID) || p.facts.listed(u.ID)):
		p.refuse(false, "is another id of this source under the same %s as %s, whom it still lists: correct the %s of whoever it is not", l.how, describe(u), l.how)
	default:
		p.tie(person)
	}
}

// isHere tells whether the source knows the person by another id than the record's.
func (p *Person) isHere(source core.SourceID, r directory.Record) bool {
	return slices.ContainsFunc(p.Identities, func(e core.ExternalIdentity) bool {
		return e.Source == source && e.Kind == r.KeyKind && e.ImmutableID != r.Key
	})
}

// tie makes the record that of somebody whom the source did not have, unless another record of the listing is.
func (p *planner) tie(person *Person) {
	key := keyOf(p.o.w.rec)
	if other, done := p.facts.tied[person.User.ID]; done && other != key {
		p.refuse(false, "may be %s, but so may another record of the source: nobody was made", describe(person.User))
		return
	}
	p.facts.tied[person.User.ID] = key
	p.known(person)
}

// contested tells whether somebody else in the source may be the person as well: another record with a username or UPN of theirs or,
// where only an e-mail address says who it is, with any address of theirs, in the listing or known before.
func (p *planner) contested(m match) bool {
	mine := p.o.w.byNames()
	counter := p.facts.claims
	if m.weak {
		counter = p.facts.called
		for _, c := range mine {
			if slices.ContainsFunc(p.state.holders[c.folded], func(h core.NameHolder) bool {
				return h.UserSource == p.source && h.ValidTo.IsZero() && (strong(h.Kind) || h.Kind == core.NameEmail)
			}) {
				return true
			}
		}
	}
	return slices.ContainsFunc(m.person.Names, func(n core.LoginName) bool {
		if !n.ValidTo.IsZero() || !strong(n.Kind) && (!m.weak || n.Kind != core.NameEmail) {
			return false
		}
		others := counter.times(string(n.Folded))
		if slices.ContainsFunc(mine, func(c candidate) bool { return c.folded == n.Folded && (m.weak || c.what != emailAddress) }) {
			others--
		}
		return others > 0
	})
}

// match is somebody who may be a record's person by name.
type match struct {
	person *Person
	why    string // what is the same
	weak   bool   // an e-mail address has a part in it
}

// switchTime is how long a switch of sources takes at most: whoever left the replaced source before that is somebody who left, and
// the name may be another person's by now.
const switchTime = 30 * 24 * time.Hour

// byName looks for the one living person of another source with the record's UPN, username or e-mail address as username or
// e-mail address. People of a source that this one replaces count when they were soft-deleted lately too.
func (p *planner) byName() (m match) {
	found := map[core.UserID]bool{}
	for _, candidate := range p.o.w.byNames() {
		for _, h := range p.state.holders[candidate.folded] {
			owner := p.state.people[h.UserID]
			if owner == nil || !h.ValidTo.IsZero() || h.UserSource == p.source || h.UserSource == core.LocalSource {
				continue
			}
			if left := owner.User.DeletedAt; !left.IsZero() && (!p.replaces(h.UserSource) || p.now.Sub(left) > switchTime) {
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
			weak := candidate.what == emailAddress || !strong(h.Kind)
			switch {
			case !found[h.UserID]:
				found[h.UserID] = true
				if m.person == nil {
					m = match{owner, candidate.what, weak}
				}
			case m.person == owner:
				m.weak = m.weak && weak
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
		return match{}
	}
	return m
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

const emailAddress = "e-mail address"

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
			what = emailAddress
		case core.NameSAM, core.NameNickname, core.NameAlias:
			continue
		}
		if !slices.ContainsFunc(list, func(c candidate) bool { return c.folded == n.Folded }) {
			list = append(list, candidate{what, n.Folded})
		}
	}
	return list
}
