package dirsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// inside are the people whom a scope lets in.
type inside struct{ people map[directory.Key]struct{} }

func (in *inside) has(k directory.Key) bool { _, ok := in.people[k]; return ok }

// graph is the groups of a source with their direct members.
type graph struct {
	groups  map[directory.Key]*node
	members map[directory.Key][]directory.Key
}

type node struct{ name, sid string }

// loadGraph reads the groups as they are kept, those only that are listed: living ones for a reading of what changed.
func loadGraph(ctx context.Context, tx store.Tx, source core.SourceID, seen map[directory.Key]*seenGroup, listed func(*seenGroup) bool) (*graph, error) {
	g := &graph{groups: map[directory.Key]*node{}, members: map[directory.Key][]directory.Key{}}
	byID := map[int64]directory.Key{}
	for k, group := range seen {
		if group.DeletedAt.IsZero() && listed(group) {
			g.groups[k] = &node{name: group.Name, sid: group.SID}
			byID[group.ID] = k
		}
	}
	err := tx.GroupEdges(ctx, source, func(id int64, member store.Key) {
		if k, ok := byID[id]; ok {
			g.members[k] = append(g.members[k], directory.Key(member))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("read who is in the groups of source %q: %w", source, err)
	}
	return g, nil
}

// apply takes in what a reading says of groups.
func (g *graph) apply(groups *arena) error {
	return groups.all(func(group directory.Group) error {
		members := group.Members
		if _, known := g.groups[group.Key]; known && group.Changed {
			members = changed(g.members[group.Key], group)
		}
		n := &node{name: group.Name, sid: group.SID}
		if old := g.groups[group.Key]; old != nil && group.Changed {
			if n.name == "" {
				n.name = old.name
			}
			if n.sid == "" {
				n.sid = old.sid
			}
		}
		g.groups[group.Key], g.members[group.Key] = n, members
		return nil
	})
}

// changed returns the members with those of a change added and removed.
func changed(members []directory.Key, group directory.Group) []directory.Key {
	set := make(map[directory.Key]bool, len(members))
	for _, m := range members {
		set[m] = true
	}
	for _, m := range group.Members {
		set[m] = true
	}
	for _, m := range group.Removed {
		delete(set, m)
	}
	return slices.Collect(maps.Keys(set))
}

// find returns the group that a setting names.
func (g *graph) find(source core.SourceID, text string) (directory.Key, error) {
	want := strings.TrimSpace(text)
	var byName []directory.Key
	for k, n := range g.groups {
		switch {
		case k.ID == want, n.sid != "" && strings.EqualFold(n.sid, want):
			return k, nil
		case same(n.name, want):
			byName = append(byName, k)
		}
	}
	switch len(byName) {
	case 1:
		return byName[0], nil
	case 0:
		return directory.Key{}, fmt.Errorf("%w: source %q lists no group %q, which its scope names: nobody was changed; write the group's name, id or SID",
			core.ErrInvalid, source, want)
	}
	return directory.Key{}, fmt.Errorf("%w: source %q lists %d groups named %q, one of which its scope means: nobody was changed; write the group's id",
		core.ErrInvalid, source, len(byName), want)
}

// close returns the members of the scope's groups, of groups within them too unless the scope says direct. Groups that hold each
// other are met once (row A2-22).
func (g *graph) close(source core.SourceID, scope Scope) (*inside, error) {
	in := &inside{people: map[directory.Key]struct{}{}}
	met := map[directory.Key]bool{}
	var open []directory.Key
	for _, text := range scope.Groups {
		k, err := g.find(source, text)
		if err != nil {
			return nil, err
		}
		if !met[k] {
			met[k] = true
			open = append(open, k)
		}
	}
	for len(open) > 0 {
		k := open[len(open)-1]
		open = open[:len(open)-1]
		for _, m := range g.members[k] {
			if _, group := g.groups[m]; !group {
				in.people[m] = struct{}{}
			} else if !scope.Direct && !met[m] {
				met[m] = true
				open = append(open, m)
			}
		}
	}
	return in, nil
}

// scope returns whom the scope lets in of a whole listing.
func (s *Syncer) scope(ctx context.Context, tx store.Tx, l *listing, st *stager) (*inside, error) {
	g, err := loadGraph(ctx, tx, l.source, st.seenGroups, func(g *seenGroup) bool { return g.listed })
	if err != nil {
		return nil, err
	}
	if err := g.apply(&st.groups); err != nil {
		return nil, err
	}
	return g.close(l.source, l.settings.Scope)
}

// scopeChanges applies the scope to a listing of what changed: who came into it without having changed is looked up, who fell out
// of it leaves.
func (s *Syncer) scopeChanges(ctx context.Context, source directory.Source, l *listing, st *stager) error {
	var before, after *inside
	groups := map[directory.Key]bool{}
	if err := s.store.View(ctx, func(tx store.Tx) error {
		g, err := loadGraph(ctx, tx, l.source, st.seenGroups, func(*seenGroup) bool { return true })
		if err != nil {
			return err
		}
		if before, err = g.close(l.source, l.settings.Scope); err != nil {
			return errors.Join(directory.ErrStartOver, err) // the groups are not as this scope wants them: read them all
		}
		for _, id := range st.goneGroups {
			for k, seen := range st.seenGroups {
				if seen.ID == id {
					delete(g.groups, k)
					delete(g.members, k)
				}
			}
		}
		if err := g.apply(&st.groups); err != nil {
			return err
		}
		for k := range g.groups {
			groups[k] = true
		}
		after, err = g.close(l.source, l.settings.Scope)
		return err
	}); err != nil {
		return err
	}
	var newcomers []directory.Key
	for k := range after.people {
		if _, said := st.last[k]; !said && !before.has(k) && !groups[k] {
			newcomers = append(newcomers, k)
		}
	}
	if len(newcomers) > 0 {
		looker, ok := source.(directory.Looker)
		if !ok {
			return fmt.Errorf("source %q cannot look up who came into its scope: %w", l.source, directory.ErrStartOver)
		}
		slices.SortFunc(newcomers, compareKeys)
		if err := looker.Lookup(ctx, newcomers, st); err != nil {
			return err
		}
	}
	for i := range st.known.rows {
		row := &st.known.rows[i]
		if k := st.known.key(row); !after.has(k) {
			l.out = append(l.out, row.user)
		}
	}
	slices.Sort(l.out)
	for k, at := range st.last {
		if at >= 0 && !after.has(k) {
			st.last[k] = -1 // changed, but not in the scope: as if it were not listed
		}
	}
	return nil
}
