package scim

import "slices"

// members is what a request does to the members of a group.
type members struct {
	whole bool            // those it adds are all there are
	delta map[string]bool // by id: whether the member comes (or stays) or goes
}

// changes tells whether anything happens to members.
func (m *members) changes() bool { return m.whole || len(m.delta) > 0 }

func (m *members) put(id string, comes bool) {
	if m.delta == nil {
		m.delta = map[string]bool{}
	}
	m.delta[id] = comes
}

// clear removes everybody.
func (m *members) clear() { *m = members{whole: true} }

// ids are those that come, or go, in order.
func (m *members) ids(comes bool) (list []string) {
	for id, in := range m.delta {
		if in == comes {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// memberIDs reads the ids of members: a list of objects or texts, or one of them.
func memberIDs(v any) ([]string, error) {
	var ids []string
	for _, e := range values(v) {
		if o, ok := e.(object); ok {
			e = member(o, "value")
		}
		id, ok := textOf(e)
		if !ok || id == "" {
			return nil, wrong(invalidValue, "a member is an object with the member's id as its value")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (d *document) setMembers(p path, v any, add bool) error {
	if p.only != nil || p.sub != nil && p.sub.name != "value" {
		d.notes.ignore(p.name()) // type and display are ours
		return nil
	}
	ids, err := memberIDs(v)
	if err != nil {
		return err
	}
	if !add {
		d.member.clear()
	}
	for _, id := range ids {
		d.member.put(id, true)
	}
	return nil
}

// removeMembers removes members in both forms there are: members[value eq "id"], and, as Entra writes by itself, the path
// members with the ids for its value. Without either everybody goes.
func (d *document) removeMembers(p path, v any) error {
	if p.only == nil && v == nil {
		d.member.clear()
		return nil
	}
	ids, err := memberIDs(v)
	if p.only != nil {
		ids, err = chosenIDs(p.only)
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		d.member.put(id, false)
	}
	return nil
}

// chosenIDs are those of a condition on the ids of members.
func chosenIDs(f filter) ([]string, error) {
	switch f := f.(type) {
	case either:
		left, err := chosenIDs(f.left)
		if err != nil {
			return nil, err
		}
		right, err := chosenIDs(f.right)
		return append(left, right...), err
	case compare:
		if id, ok := textOf(f.want); ok && f.op == "eq" && f.attr.name == "value" {
			return []string{id}, nil
		}
	}
	return nil, wrong(invalidPath, "members are chosen by their ids: members[value eq \"...\"]")
}
