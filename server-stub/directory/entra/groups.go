package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/platenprint/platen/server-stub/directory"
)

// maxEdges is how many members all groups together may have: 340 MB.
const maxEdges = 20_000_000

// edge is a direct member of a group, or somebody who left it.
type edge struct {
	id   guid16
	left bool
}

// gathered is what was told of a group so far. Graph tells a large one in pieces, on several pages, in any order.
type gathered struct {
	name, sid string
	gone      bool
	edges     []edge
}

// gathering puts groups together.
type gathering struct {
	order  []guid16
	groups map[guid16]*gathered
	edges  int
	pages  map[[16]byte]struct{} // what was on them
}

func newGathering() *gathering {
	return &gathering{groups: map[guid16]*gathered{}, pages: map[[16]byte]struct{}{}}
}

// take takes a page, and tells whether there was anything new on it.
func (g *gathering) take(p *page) (bool, error) {
	name := p.digest()
	if _, again := g.pages[name]; again || len(p.rows) == 0 {
		return false, nil
	}
	g.pages[name] = struct{}{}
	for _, raw := range p.rows {
		var row group
		if err := json.Unmarshal(raw, &row); err != nil {
			return false, err
		}
		id, ok := parseGUID(row.ID)
		if !ok {
			return false, fmt.Errorf("a group has the id %q", row.ID)
		}
		one := g.groups[id]
		if one == nil {
			one = &gathered{}
			g.groups[id], g.order = one, append(g.order, id)
		}
		one.gone = row.Removed != nil
		if row.Name != nil {
			one.name = *row.Name
		}
		if row.SID != nil {
			one.sid = *row.SID
		}
		for _, m := range row.Members {
			// Devices, contacts and service principals do not print; an unknown type may be anybody.
			if m.Type != "" && m.Type != "#microsoft.graph.user" && m.Type != "#microsoft.graph.group" {
				continue
			}
			member, ok := parseGUID(m.ID)
			if !ok {
				return false, fmt.Errorf("the group %q has a member with the id %q", row.ID, m.ID)
			}
			one.edges = append(one.edges, edge{member, m.Removed != nil})
			if g.edges++; g.edges > maxEdges {
				return false, fmt.Errorf("the groups have more than %d members", maxEdges)
			}
		}
	}
	return true, nil
}

// settled sorts the members. What was told twice counts once, and what was told last counts.
func (one *gathered) settled() (joined, left []guid16) {
	slices.SortStableFunc(one.edges, func(a, b edge) int { return bytes.Compare(a.id[:], b.id[:]) })
	for i, e := range one.edges {
		switch {
		case i+1 < len(one.edges) && one.edges[i+1].id == e.id:
		case e.left:
			left = append(left, e.id)
		default:
			joined = append(joined, e.id)
		}
	}
	return joined, left
}

// everyGroup reads all groups with their direct members, and returns the link to their changes. That is the initial round of
// /groups/delta: it takes fewer requests than the members of one group after the other, and needs no bookmark of its own.
func (se *session) everyGroup(ctx context.Context, sink directory.Sink) (string, error) {
	s, all := se.s, newGathering()
	q := question{step: stepGroups, permission: permissionGroups, address: s.graph.String() + "/v1.0/groups/delta?$select=" + groupProperties + ",members"}
	link, err := se.walk(ctx, q, true, s.taking(all, stepGroups))
	if err != nil {
		return "", err
	}
	for _, id := range all.order {
		one := all.groups[id]
		delete(all.groups, id) // so that the groups go as their keys come
		if one.gone {
			continue
		}
		if err := s.giveGroup(id, one, sink); err != nil {
			return "", err
		}
	}
	return link, nil
}

// taking is all.take with the errors of a reading.
func (s *Source) taking(all *gathering, step string) func(*page) (bool, error) {
	return func(p *page) (bool, error) {
		news, err := all.take(p)
		if err != nil {
			return false, s.unavailable(spoilt(step, err))
		}
		return news, nil
	}
}

// giveGroup hands over a group with all its members, unless it is known as it is.
func (s *Source) giveGroup(id guid16, one *gathered, sink directory.Sink) error {
	joined, _ := one.settled()
	parts := [][]byte{[]byte(one.name), {0}, []byte(one.sid), {0}}
	for i := range joined {
		parts = append(parts, joined[i][:])
	}
	g := directory.Group{Key: s.key(id), Name: one.name, SID: one.sid, Where: where(id, one), Fingerprint: s.fingerprints.of(parts...)}
	if sink.Unchanged(g.Key, g.Fingerprint) {
		return nil
	}
	g.Members = s.keys(joined)
	if err := sink.Group(g); err != nil {
		return s.errorf("hand over the group %q: %w", one.name, err)
	}
	return nil
}

func (s *Source) keys(ids []guid16) []directory.Key {
	keys := make([]directory.Key, len(ids))
	for i, id := range ids {
		keys[i] = s.key(id)
	}
	return keys
}

func where(id guid16, one *gathered) string {
	if one.name == "" {
		return "group " + id.String()
	}
	return "group " + one.name
}
