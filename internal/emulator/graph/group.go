package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Group is a group object. Its members are object ids of people and groups.
type Group struct {
	ID      string   `json:"id"`
	Name    string   `json:"displayName"`
	SID     string   `json:"onPremisesSecurityIdentifier,omitempty"`
	Members []string `json:"members"`
}

// groupProperties are those of a group that the emulator knows. Members come in changes only.
var groupProperties = []string{"id", "displayName", "onPremisesSecurityIdentifier"}

// row is the group as an answer shows it, without its members.
func (g *Group) row(selected []string) map[string]any {
	row := map[string]any{"id": g.ID}
	for _, name := range selected {
		switch name {
		case "displayName":
			row[name] = g.Name
		case "onPremisesSecurityIdentifier":
			row[name] = nil
			if g.SID != "" {
				row[name] = g.SID
			}
		}
	}
	return row
}

// member is a reference to a person or a group. What is neither is taken for a person.
func (e *Emulator) member(id string) map[string]any {
	kind := "#microsoft.graph.user"
	if e.groups[id] != nil {
		kind = "#microsoft.graph.group"
	}
	return map[string]any{"@odata.type": kind, "id": id}
}

// listGroups answers /groups.
func (e *Emulator) listGroups(r *http.Request, base string) (page, error) {
	top, t, err := paging(r)
	if err != nil {
		return page{}, err
	}
	selected, err := selection(r.URL.Query().Get("$select"), "group", groupProperties, groupProperties)
	if err != nil {
		return page{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := page{Value: []map[string]any{}}
	for ; t.Next < len(e.groupOrder) && len(p.Value) < top; t.Next++ {
		if g := e.groups[e.groupOrder[t.Next]]; g != nil {
			p.Value = append(p.Value, g.row(selected))
		}
	}
	if t.Next < len(e.groupOrder) {
		p.NextLink = more(r, base, t)
	}
	return p, nil
}

// group answers /groups/ID.
func (e *Emulator) group(r *http.Request, _ string) (page, error) {
	if err := known(r, "$select"); err != nil {
		return page{}, err
	}
	selected, err := selection(r.URL.Query().Get("$select"), "group", groupProperties, groupProperties)
	if err != nil {
		return page{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[strings.ToLower(r.PathValue("id"))]
	if g == nil {
		return page{}, missing(r.PathValue("id"))
	}
	return page{Value: []map[string]any{g.row(selected)}, one: true}, nil
}

// members answers /groups/ID/members: the direct ones.
func (e *Emulator) members(r *http.Request, base string) (page, error) {
	top, t, err := paging(r)
	if err != nil {
		return page{}, err
	}
	if text := r.URL.Query().Get("$select"); text != "" && text != "id" {
		return page{}, bad("Request_UnsupportedQuery", "The emulator knows members by their ids only.")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[strings.ToLower(r.PathValue("id"))]
	if g == nil {
		return page{}, missing(r.PathValue("id"))
	}
	p := page{Value: []map[string]any{}}
	for ; t.Next < len(g.Members) && len(p.Value) < top; t.Next++ {
		p.Value = append(p.Value, e.member(g.Members[t.Next]))
	}
	if t.Next < len(g.Members) {
		p.NextLink = more(r, base, t)
	}
	return p, nil
}

// groupChange is one entry of the log of groups.
type groupChange struct {
	id         string
	properties []string // whose values changed
	created    bool
	removed    bool
	joined     []string
	left       []string
}

// told is a group in a page of changes: its properties, once, and its members, which may go over several pages.
type told struct {
	row     map[string]any
	members []map[string]any
}

// groupDelta answers /groups/delta. A group of many members is repeated over several pages.
func (e *Emulator) groupDelta(r *http.Request, base string) (page, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, p, err := e.deltaToken(r, base, len(e.groupChanges), func(text string) ([]string, error) {
		return selection(text, "group", append(slices.Clone(groupProperties), "members"), groupProperties)
	})
	if err != nil || p.DeltaLink != "" {
		return p, err
	}
	next, count := e.changedGroups(t)
	for room := deltaTop; t.Next < count && room > 0; room-- {
		g, all := next(t.Next, t.Member, room)
		if g.row != nil {
			if len(g.members) > 0 {
				g.row["members@delta"] = g.members
			}
			p.Value = append(p.Value, g.row)
		}
		room -= len(g.members)
		if !all {
			t.Member += len(g.members)
			break
		}
		t.Next, t.Member = t.Next+1, 0
	}
	e.linkDelta(&p, t, base, t.Next < count)
	return p, nil
}

// changedGroups returns how many groups a token is about, and a function that tells at most room members of one of them, from
// a member on, and whether these were the last.
func (e *Emulator) changedGroups(t token) (next func(at, from, room int) (told, bool), count int) {
	withMembers := slices.Contains(t.Select, "members")
	if t.Initial {
		return func(at, from, room int) (told, bool) {
			g := e.groups[e.groupOrder[at]]
			if g == nil {
				return told{}, true
			}
			r := told{row: g.row(t.Select)}
			if !withMembers {
				return r, true
			}
			to := min(from+room, len(g.Members))
			for _, id := range g.Members[min(from, to):to] {
				r.members = append(r.members, e.member(id))
			}
			return r, to == len(g.Members)
		}, len(e.groupOrder)
	}
	list := e.groupsSince(t, withMembers)
	return func(at, from, room int) (told, bool) {
		r := told{row: map[string]any{"id": list[at].row["id"]}}
		if from == 0 {
			r.row = list[at].row
		}
		to := min(from+room, len(list[at].members))
		r.members = list[at].members[min(from, to):to]
		return r, to == len(list[at].members)
	}, len(list)
}

// groupsSince sums up what happened to each group.
func (e *Emulator) groupsSince(t token, withMembers bool) []told {
	var order []string
	sum := map[string]*groupChange{}
	last := map[string]map[string]bool{} // group -> member -> is one
	var moved []string                   // "GROUP MEMBER", in the order of the first move
	for _, c := range e.groupChanges[t.Since:max(t.Until, t.Since)] {
		s := sum[c.id]
		if s == nil {
			s = &groupChange{id: c.id}
			sum[c.id], last[c.id] = s, map[string]bool{}
			order = append(order, c.id)
		}
		s.created, s.removed = s.created || c.created, c.removed
		s.properties = append(s.properties, c.properties...)
		for _, id := range slices.Concat(c.joined, c.left) {
			if _, known := last[c.id][id]; !known {
				moved = append(moved, c.id+" "+id)
			}
			last[c.id][id] = slices.Contains(c.joined, id)
		}
	}
	members := map[string][]map[string]any{}
	for _, text := range moved {
		group, id, _ := strings.Cut(text, " ")
		m := e.member(id)
		if !last[group][id] {
			m["@removed"] = map[string]string{"reason": "deleted"}
		}
		members[group] = append(members[group], m)
	}
	var list []told
	for _, id := range order {
		s := sum[id]
		g := e.groups[id]
		switch {
		case s.removed || g == nil:
			list = append(list, told{row: map[string]any{"id": id, "@removed": map[string]string{"reason": "deleted"}}})
			continue
		case s.created:
			s.properties = t.Select
		}
		r := told{row: g.row(slices.DeleteFunc(slices.Clone(s.properties), func(name string) bool { return !slices.Contains(t.Select, name) }))}
		if withMembers {
			r.members = members[id]
		}
		if len(r.row) > 1 || len(r.members) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// AddGroup puts a group into the tenant.
func (e *Emulator) AddGroup(g Group) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.groupOrder, g.ID) {
		e.groupOrder = append(e.groupOrder, g.ID)
	}
	e.groups[g.ID] = &g
	e.groupChanges = append(e.groupChanges, groupChange{id: g.ID, created: true, joined: slices.Clone(g.Members)})
}

// RenameGroup gives a group another name.
func (e *Emulator) RenameGroup(id, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if g := e.groups[id]; g != nil {
		g.Name = name
		e.groupChanges = append(e.groupChanges, groupChange{id: id, properties: []string{"displayName"}})
	}
}

// Join makes people or groups members of a group, and lets others leave it.
func (e *Emulator) Join(group string, joined, left []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.groups[group]
	if g == nil {
		return
	}
	c := groupChange{id: group}
	for _, id := range joined {
		if !slices.Contains(g.Members, id) {
			g.Members, c.joined = append(slices.Clone(g.Members), id), append(c.joined, id)
		}
	}
	for _, id := range left {
		if i := slices.Index(g.Members, id); i >= 0 {
			g.Members, c.left = slices.Delete(slices.Clone(g.Members), i, i+1), append(c.left, id)
		}
	}
	if len(c.joined)+len(c.left) > 0 {
		e.groupChanges = append(e.groupChanges, c)
	}
}

// RemoveGroup deletes a group for good.
func (e *Emulator) RemoveGroup(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.groups[id] != nil {
		delete(e.groups, id)
		e.groupChanges = append(e.groupChanges, groupChange{id: id, removed: true})
	}
}

// Nested makes n groups, "Group 0" and so on, that these people are spread over. Group 0 has all others beneath it, ten in each. The
// same numbers give the same groups.
func Nested(n int, people []Person) []Group {
	groups := make([]Group, n)
	for i := range groups {
		name := fmt.Sprintf("Group %d", i)
		groups[i] = Group{ID: GUID(name), Name: name}
		if i > 0 {
			parent := &groups[(i-1)/10]
			parent.Members = append(parent.Members, groups[i].ID)
		}
	}
	for i, p := range people {
		if n > 0 {
			groups[i%n].Members = append(groups[i%n].Members, p.ID())
		}
	}
	return groups
}

// ParseGroups reads a JSON list of groups; members are object ids, or UPNs of these people, or names of the groups. An id that is not
// there is made of the name.
func ParseGroups(raw []byte, people []Person) ([]Group, error) {
	var groups []Group
	if err := json.Unmarshal(raw, &groups); err != nil {
		return nil, fmt.Errorf("read the emulated groups: %w", err)
	}
	ids := map[string]string{}
	for _, p := range people {
		ids[strings.ToLower(p.text("userPrincipalName"))] = p.ID()
	}
	for i := range groups {
		g := &groups[i]
		if g.Name == "" {
			return nil, fmt.Errorf("read the emulated groups: number %d has no displayName", i+1)
		}
		if g.ID == "" {
			g.ID = GUID("group " + g.Name)
		}
		ids[strings.ToLower(g.Name)], ids[g.ID] = g.ID, g.ID
	}
	for i := range groups {
		for k, name := range groups[i].Members {
			if id := ids[strings.ToLower(name)]; id != "" {
				groups[i].Members[k] = id
			}
		}
	}
	return groups, nil
}
