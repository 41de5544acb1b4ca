package groups

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Tx is what the questions read; every store.Tx is one.
type Tx interface {
	Groups(ctx context.Context, f store.GroupFilter) ([]core.Group, error)
	DirectoryGroups(ctx context.Context, source core.SourceID, yield func(store.DirectoryGroup)) error
	GroupMembers(ctx context.Context, group int64) ([]store.Key, error)
	ParentGroups(ctx context.Context, source core.SourceID, members []store.Key, yield func(member store.Key, group core.Group)) error
	UserIdentities(ctx context.Context, id core.UserID) ([]core.ExternalIdentity, error)
	SourceOwners(ctx context.Context, source core.SourceID, kind core.IdentityKind, ids []string, yield func(immutableID string, owner core.UserID)) error
	UsersOf(ctx context.Context, ids []core.UserID, yield func(core.User)) error
}

// Find returns the living group that an administrator means: by its name, "SOURCE:NAME", its SID, or "id:7". Errors: core.ErrNotFound,
// core.ErrAmbiguous, core.ErrInvalid.
func Find(ctx context.Context, tx Tx, name string) (core.Group, error) {
	all, err := tx.Groups(ctx, store.GroupFilter{})
	if err != nil {
		return core.Group{}, fmt.Errorf("find the group %q: %w", name, err)
	}
	is := func(g core.Group) bool {
		return auth.Same(g.Name, name) || auth.Same(string(g.Source)+":"+g.Name, name) || g.SID != "" && strings.EqualFold(g.SID, name)
	}
	if text, ok := strings.CutPrefix(name, "id:"); ok {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return core.Group{}, fmt.Errorf("%w: write an id like id:7", core.ErrInvalid)
		}
		is = func(g core.Group) bool { return g.ID == id }
	}
	found := slices.DeleteFunc(all, func(g core.Group) bool { return !is(g) })
	switch len(found) {
	case 0:
		return core.Group{}, fmt.Errorf("find the group %q: %w", name, core.ErrNotFound)
	case 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, g := range found {
		ids[i] = fmt.Sprintf("id:%d (%s)", g.ID, g.Source)
	}
	return core.Group{}, fmt.Errorf("find the group %q: %w: write one of %s", name, core.ErrAmbiguous, strings.Join(ids, ", "))
}

// Membership is a group that somebody is in.
type Membership struct {
	Group  core.Group
	Direct bool
	// Path leads from the person's own group to this one: a shortest one, this group last.
	Path []core.Group
}

// Of returns all groups that a person is in, in the order of source, name and id.
func Of(ctx context.Context, tx Tx, user core.UserID) ([]Membership, error) {
	above, err := climb(ctx, tx, user)
	if err != nil {
		return nil, fmt.Errorf("find the groups of user %d: %w", user, err)
	}
	list := make([]Membership, 0, len(above.groups))
	for id, g := range above.groups {
		path := above.shortest(id)
		list = append(list, Membership{Group: g, Direct: len(path) == 1, Path: path})
	}
	slices.SortFunc(list, func(a, b Membership) int { return order(a.Group, b.Group) })
	return list, nil
}

func order(a, b core.Group) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// Member is somebody, or a group, in a group.
type Member struct {
	User  core.User  // ID 0 for a group
	Group core.Group // ID 0 for a person
	// Direct tells that the group itself lists the member; else Via, a group below it, does.
	Direct bool
	Via    core.Group
}

// Members are all members of a group.
type Members struct {
	Members []Member
	// Unknown is how many members are neither people nor groups here: computers, and people whom no scope lets in.
	Unknown int
}

// MembersOf returns the members of a group, groups first, in the order of their names. With direct only its own.
func MembersOf(ctx context.Context, tx Tx, g core.Group, direct bool) (Members, error) {
	out, err := descend(ctx, tx, g, direct)
	if err != nil {
		return Members{}, fmt.Errorf("find the members of the group %q: %w", g.Name, err)
	}
	slices.SortFunc(out.Members, func(a, b Member) int {
		if (a.Group.ID != 0) != (b.Group.ID != 0) {
			return cmp.Compare(b.Group.ID, a.Group.ID)
		}
		return cmp.Or(cmp.Compare(a.Group.Name, b.Group.Name), cmp.Compare(a.User.Username, b.User.Username), cmp.Compare(a.User.ID, b.User.ID))
	})
	return out, nil
}
