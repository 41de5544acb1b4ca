package ldap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// Attributes of groups.
const (
	attributeMember       = "member"
	attributeUniqueMember = "uniqueMember" // groupOfUniqueNames
	attributeMemberUID    = "memberUid"    // posixGroup
	attributeObjectClass  = "objectClass"
	attributeSAM          = "sAMAccountName"
)

// groupPage is how many groups are asked for at a time: fewer than people, as one may bring thousands of members.
const groupPage = 200

// groupBase is where groups are looked for.
func (rd *reader) groupBase() string {
	switch {
	case rd.cfg.GroupBaseDN != "":
		return rd.cfg.GroupBaseDN
	case rd.se.mapping.ad && rd.se.root.base != "":
		return rd.se.root.base // people are in groups from everywhere
	}
	return rd.se.base
}

func (rd *reader) groupFilter() string {
	switch {
	case rd.cfg.GroupFilter != "":
		return rd.cfg.GroupFilter
	case rd.se.mapping.ad:
		return "(objectCategory=group)"
	}
	return "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
}

// groupKeyName is the attribute of a group's immutable id: people's own may be one that only people have.
func (m *mapping) groupKeyName() string {
	switch {
	case m.unique:
		return m.keyName()
	case m.ad:
		return attributeGUID
	}
	return attributeEntryUUID
}

// groupKey reads it.
func (m *mapping) groupKey(e *wire.Entry) string {
	value := e.Value(m.groupKeyName())
	if m.groupKeyName() == attributeGUID || m.guid {
		guid, err := guidText(value)
		if err != nil {
			return ""
		}
		return guid
	}
	return string(bytes.ToLower(bytes.TrimSpace(value)))
}

// groupAttributes lists what to ask for; without members it is what the first pass needs.
func (m *mapping) groupAttributes(members bool) []string {
	list := []string{m.groupKeyName(), attributeObjectClass}
	switch {
	case !members:
	case m.ad:
		list = append(list, attributeSAM, attributeCommonName, attributeSID, attributeMember)
	default:
		list = append(list, attributeCommonName, attributeMember, attributeUniqueMember, attributeMemberUID, attributeGIDNumber)
	}
	return list
}

// groupNames is a first pass over the groups, where members are given by name only: groups are members of groups, also of such
// that are listed before them. Where there is none, nobody need be known as a member.
func (rd *reader) groupNames(ctx context.Context) error {
	if rd.members.byGUID() {
		return nil
	}
	found := false
	err := rd.pages(ctx, rd.se, listing{
		what: "groups", size: rd.cfg.PageSize,
		search: wire.Search{Base: rd.groupBase(), Scope: wire.Subtree, Filter: rd.groupFilter(), Attributes: rd.se.mapping.groupAttributes(false)},
		entry: func(e *wire.Entry) error {
			found = true
			if key := rd.se.mapping.groupKey(e); key != "" {
				rd.members.add(key, e.DN)
			}
			for class := range e.Values(attributeObjectClass) {
				rd.members.uids = rd.members.uids || strings.EqualFold(string(class), "posixGroup")
			}
			return nil
		},
	})
	if !found {
		rd.members = nil
	}
	return err
}

// group is one that is being read.
type group struct {
	directory.Group

	sid     string // objectSid as it came: the name of those whose primary group it is
	members []id
	from    int // where the next part of the members begins, 0: these are all
}

// groups reads those that the filter finds.
func (rd *reader) groups(ctx context.Context, filter string) error {
	m := rd.se.mapping
	search := wire.Search{Base: rd.groupBase(), Scope: wire.Subtree, Filter: filter, Attributes: m.groupAttributes(true)}
	if rd.members.byGUID() {
		search.Controls = []wire.Control{wire.ExtendedDN()}
	}
	var parts []*group // of this page, for which more must be asked
	return rd.pages(ctx, rd.se, listing{
		what: "groups", search: search, size: min(groupPage, rd.cfg.PageSize),
		entry: func(e *wire.Entry) error {
			g, err := rd.groupOf(e)
			if err != nil {
				return err
			}
			if g.from > 0 || rd.since {
				parts = append(parts, g)
				return nil
			}
			return rd.handOver(g)
		},
		turn: func(bool) error {
			for _, g := range parts {
				if err := rd.rest(ctx, g); err != nil {
					return err
				}
				if err := rd.primaryMembers(ctx, g); err != nil {
					return err
				}
				if err := rd.handOver(g); err != nil {
					return err
				}
			}
			parts = nil
			return nil
		},
	})
}

// groupOf reads a group with as many members as came.
func (rd *reader) groupOf(e *wire.Entry) (*group, error) {
	m := rd.se.mapping
	_, dn := cutExtended(e.DN)
	g := &group{Group: directory.Group{Key: directory.Key{Kind: m.keyKind, ID: m.groupKey(e)}, Where: string(dn), Name: e.Text(attributeCommonName)}}
	if g.Key.ID == "" {
		return nil, rd.errorf("%w: the group %q shows no %s: give the service account the right to read it, or exclude such groups by group_filter", core.ErrUnavailable, dn, m.groupKeyName())
	}
	if m.ad {
		if name := e.Text(attributeSAM); name != "" {
			g.Name = name
		}
		raw := e.Value(attributeSID)
		if sid, err := sidText(raw); err == nil {
			g.SID, g.sid = sid, string(raw)
		}
	} else {
		g.sid = e.Text(attributeGIDNumber)
	}
	for _, attribute := range []string{attributeMember, attributeUniqueMember, attributeMemberUID} {
		rd.join(g, attribute, e.Values(attribute))
	}
	return g, rd.part(g, e)
}

// join adds members. A name that leads to nobody is somebody outside of what this source reads.
func (rd *reader) join(g *group, attribute string, values iter.Seq[[]byte]) {
	for value := range values {
		if who, ok := rd.members.find(attribute, value); ok {
			g.members = append(g.members, who)
		}
	}
}

// part takes the members of an answer that has only some: Active Directory gives 1500 at a time, as "member;range=0-1499", and the
// last ones as "member;range=3000-*" (MS-ADTS 3.1.1.3.1.3.3).
func (rd *reader) part(g *group, e *wire.Entry) error {
	g.from = 0
	for option, values := range e.Ranges(attributeMember) {
		bounds, isRange := strings.CutPrefix(option, "range=")
		if !isRange {
			continue
		}
		rd.join(g, attributeMember, values)
		_, end, _ := strings.Cut(bounds, "-")
		if end == "*" {
			return nil
		}
		last, err := strconv.Atoi(end)
		if err != nil || last < 0 {
			return rd.errorf("%w: read the members of %q: the server gives the part %q: nobody was changed; the next synchronisation tries again", core.ErrUnavailable, g.Where, option)
		}
		g.from = last + 1
	}
	return nil
}

// rest reads the members that are missing, part by part.
func (rd *reader) rest(ctx context.Context, g *group) error {
	for g.from > 0 {
		from := g.from
		q := wire.Search{
			Base: g.Where, Scope: wire.Base, Filter: "(objectClass=*)",
			Attributes: []string{fmt.Sprintf("%s;range=%d-*", attributeMember, from)},
		}
		if rd.members.byGUID() {
			q.Base, q.Controls = "<GUID="+g.Key.ID+">", []wire.Control{wire.ExtendedDN()} // also when it is renamed meanwhile
		}
		found := 0
		var own error
		err := rd.se.within(ctx, rd.cfg.PageTimeout, func() error {
			_, err := rd.se.wire.Search(q, func(e *wire.Entry) error {
				found++
				own = rd.part(g, e)
				return own
			})
			return err
		})
		switch {
		case own != nil:
			return own
		case err != nil:
			return rd.errorf("%w: read the members of %q from number %d on: %w%s", core.ErrUnavailable, g.Where, from, err, readRemedy(err))
		case found != 1 || g.from != 0 && g.from <= from:
			return rd.errorf("%w: read the members of %q from number %d on: the server gives no further ones: nobody was changed; the next synchronisation tries again",
				core.ErrUnavailable, g.Where, from)
		}
	}
	return nil
}

// handOver gives a group to the sink, if it is not as it was.
func (rd *reader) handOver(g *group) error {
	who, _ := idOf(g.Key.ID)
	if _, twice := rd.seen[who]; twice {
		return nil
	}
	rd.seen[who] = struct{}{}
	if g.sid != "" {
		g.members = append(g.members, rd.members.primary[g.sid]...)
	}
	slices.SortFunc(g.members, func(a, b id) int { return bytes.Compare(a[:], b[:]) })
	g.members = slices.Compact(g.members)
	g.Fingerprint = rd.groupFingerprint(g)
	if rd.sink.Unchanged(g.Key, g.Fingerprint) {
		return nil
	}
	g.Members = make([]directory.Key, len(g.members))
	for i, m := range g.members {
		g.Members[i] = rd.members.key(m)
	}
	if err := rd.sink.Group(g.Group); err != nil {
		return rd.errorf("hand over %q: %w", g.Where, err)
	}
	return nil
}

// groupFingerprint is over what is made of a group: its members may come in any order and in parts.
func (rd *reader) groupFingerprint(g *group) (f directory.Fingerprint) {
	h := sha256.New()
	fmt.Fprintf(h, "%d group %q %q %q %q\n", mappingVersion, g.Key.Kind, g.Key.ID, g.SID, g.Name)
	for _, m := range g.members {
		h.Write(m[:])
	}
	var sum [sha256.Size]byte
	copy(f[:], h.Sum(sum[:0]))
	return f
}
