package groups

import (
	"context"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// above is the part of the graph over one person: every group they are in.
type above struct {
	groups  map[int64]core.Group
	parents map[int64][]int64 // the groups that a group is directly in; of 0, the person's own
	depth   map[int64]int     // the length of a shortest path, 1 for the person's own
	below   map[int64]int64   // the group before on that path, 0 for none
}

// climb follows memberships up from a person, a level at a time. A group that was met is not met again, so circles end.
func climb(ctx context.Context, tx Tx, user core.UserID) (above, error) {
	a := above{groups: map[int64]core.Group{}, parents: map[int64][]int64{}, depth: map[int64]int{}, below: map[int64]int64{}}
	identities, err := tx.UserIdentities(ctx, user)
	if err != nil {
		return a, err
	}
	bySource := map[core.SourceID][]store.Key{}
	var sources []core.SourceID
	for _, e := range identities {
		if bySource[e.Source] == nil {
			sources = append(sources, e.Source)
		}
		bySource[e.Source] = append(bySource[e.Source], store.Key{Kind: e.Kind, ID: e.ImmutableID})
	}
	for _, source := range sources {
		if err := a.climbIn(ctx, tx, source, bySource[source]); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *above) climbIn(ctx context.Context, tx Tx, source core.SourceID, level []store.Key) error {
	from := map[store.Key]int64{} // the group of a key; the person's keys have none
	for depth := 1; len(level) > 0; depth++ {
		var next []store.Key
		err := tx.ParentGroups(ctx, source, level, func(member store.Key, g core.Group) {
			child := from[member]
			if child == g.ID {
				return // a group in itself
			}
			if !slices.Contains(a.parents[child], g.ID) {
				a.parents[child] = append(a.parents[child], g.ID)
			}
			if a.depth[g.ID] != 0 {
				return
			}
			key := store.Key{Kind: g.Kind, ID: g.ImmutableID}
			a.groups[g.ID], a.depth[g.ID], a.below[g.ID], from[key] = g, depth, child, g.ID
			next = append(next, key)
		})
		if err != nil {
			return err
		}
		level = next
	}
	return nil
}

// shortest returns a shortest path to the group, the person's own group first.
func (a *above) shortest(id int64) []core.Group {
	var path []core.Group
	for ; id != 0; id = a.below[id] {
		path = append(path, a.groups[id])
	}
	slices.Reverse(path)
	return path
}

// descend follows memberships down from a group, a level at a time.
func descend(ctx context.Context, tx Tx, top core.Group, direct bool) (Members, error) {
	groups := map[store.Key]core.Group{}
	err := tx.DirectoryGroups(ctx, top.Source, func(g store.DirectoryGroup) {
		if g.DeletedAt.IsZero() {
			groups[store.Key{Kind: g.Kind, ID: g.ImmutableID}] = g.Group
		}
	})
	if err != nil {
		return Members{}, err
	}
	var out Members
	people := map[core.IdentityKind][]string{}
	via := map[store.Key]core.Group{} // who lists a person: the first group met
	seen := map[int64]bool{top.ID: true}
	for level := []core.Group{top}; len(level) > 0; {
		var next []core.Group
		for _, g := range level {
			members, err := tx.GroupMembers(ctx, g.ID)
			if err != nil {
				return Members{}, err
			}
			for _, key := range members {
				inner, isGroup := groups[key]
				_, known := via[key]
				switch {
				case isGroup && !seen[inner.ID]:
					seen[inner.ID] = true
					out.Members = append(out.Members, Member{Group: inner, Direct: g.ID == top.ID, Via: g})
					next = append(next, inner)
				case !isGroup && !known:
					via[key] = g
					people[key.Kind] = append(people[key.Kind], key.ID)
				}
			}
		}
		if level = next; direct {
			break
		}
	}
	return out, out.addPeople(ctx, tx, top, people, via)
}

// addPeople adds the people behind the keys.
func (m *Members) addPeople(ctx context.Context, tx Tx, top core.Group, people map[core.IdentityKind][]string, via map[store.Key]core.Group) error {
	by := map[core.UserID]core.Group{}
	for kind, ids := range people {
		m.Unknown += len(ids)
		err := tx.SourceOwners(ctx, top.Source, kind, ids, func(id string, owner core.UserID) {
			m.Unknown--
			if _, twice := by[owner]; !twice || via[store.Key{Kind: kind, ID: id}].ID == top.ID {
				by[owner] = via[store.Key{Kind: kind, ID: id}]
			}
		})
		if err != nil {
			return err
		}
	}
	ids := make([]core.UserID, 0, len(by))
	for id := range by {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return tx.UsersOf(ctx, ids, func(u core.User) {
		if u.DeletedAt.IsZero() {
			m.Members = append(m.Members, Member{User: u, Direct: by[u.ID].ID == top.ID, Via: by[u.ID]})
		}
	})
}
