package admin

import (
	"context"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/groups"
	"github.com/platenprint/platen/server-stub/store"
)

// The verbs about groups.
const (
	VerbGroupList = "group.list"
	VerbGroupShow = "group.show"
	VerbGroupWhy  = "group.why"
	VerbGroupsOf  = "group.of"
)

// GroupList chooses groups.
type GroupList struct {
	Query  string `json:"query,omitempty"`
	Source string `json:"source,omitempty"`
}

// Group is a group of a directory.
type Group struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Source string `json:"source"`
	SID    string `json:"sid,omitempty"`
}

// GroupRef names a group: its name, SOURCE:NAME, its SID, or "id:7".
type GroupRef struct {
	Group  string `json:"group"`
	Direct bool   `json:"direct,omitempty"` // only members whom the group itself lists
}

// GroupDetails is a group and who is in it.
type GroupDetails struct {
	Group
	Members []GroupMember `json:"members"`
	// Unknown is how many members are neither people nor groups here.
	Unknown int `json:"unknown"`
}

// GroupMember is a member of a group: a person or a group.
type GroupMember struct {
	Kind     string `json:"kind"` // user or group
	ID       int64  `json:"id"`
	Name     string `json:"name"` // username, or name of the group
	Direct   bool   `json:"direct"`
	Via      string `json:"via,omitempty"` // the group that lists the member, where it is another one
	Disabled bool   `json:"disabled,omitempty"`
}

// GroupsOf are the groups of a person.
type GroupsOf struct {
	User   NamedUser     `json:"user"`
	Groups []GroupOfUser `json:"groups"`
}

// GroupOfUser is a group that a person is in.
type GroupOfUser struct {
	Group
	Direct bool    `json:"direct"`
	Path   []Group `json:"path"` // from the group that lists the person to this one
}

// GroupWhy asks why somebody is in a group.
type GroupWhy struct {
	User  string `json:"user"`
	Group string `json:"group"`
	Limit int    `json:"limit,omitempty"` // paths at most
}

// GroupReason says why.
type GroupReason struct {
	User  NamedUser `json:"user"`
	Group Group     `json:"group"`
	In    bool      `json:"in"`
	Paths [][]Group `json:"paths"` // each from a group that lists the person to the group; the shortest first
	More  bool      `json:"more"`
}

func (s *Server) groupRoutes() {
	on(s, VerbGroupList, s.groupList)
	on(s, VerbGroupShow, s.groupShow)
	on(s, VerbGroupWhy, s.groupWhy)
	on(s, VerbGroupsOf, s.groupsOf)
}

func (s *Server) groupList(ctx context.Context, in GroupList) ([]Group, error) {
	f := store.GroupFilter{Query: in.Query}
	if in.Source != "" {
		id := sourceID(in.Source)
		f.Source = &id
	}
	var out []Group
	err := s.Store.View(ctx, func(tx store.Tx) error {
		list, err := tx.Groups(ctx, f)
		out = groupPath(list)
		return err
	})
	return out, err
}

func (s *Server) groupShow(ctx context.Context, in GroupRef) (GroupDetails, error) {
	var out GroupDetails
	err := s.Store.View(ctx, func(tx store.Tx) error {
		g, err := groups.Find(ctx, tx, in.Group)
		if err != nil {
			return err
		}
		found, err := groups.MembersOf(ctx, tx, g, in.Direct)
		out = GroupDetails{Group: shownGroup(g), Members: []GroupMember{}, Unknown: found.Unknown}
		for _, m := range found.Members {
			out.Members = append(out.Members, groupMember(m))
		}
		return err
	})
	return out, err
}

func groupMember(m groups.Member) GroupMember {
	out := GroupMember{Kind: "user", ID: int64(m.User.ID), Name: m.User.Username, Direct: m.Direct, Disabled: m.User.Disabled}
	if m.Group.ID != 0 {
		out.Kind, out.ID, out.Name = "group", m.Group.ID, m.Group.Name
	}
	if !m.Direct {
		out.Via = m.Via.Name
	}
	return out
}

func (s *Server) groupsOf(ctx context.Context, in UserRef) (GroupsOf, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return GroupsOf{}, err
	}
	var out GroupsOf
	err = s.Store.View(ctx, func(tx store.Tx) error {
		list, err := groups.Of(ctx, tx, u.ID)
		out = GroupsOf{User: shortUser(u), Groups: []GroupOfUser{}}
		for _, m := range list {
			out.Groups = append(out.Groups, GroupOfUser{Group: shownGroup(m.Group), Direct: m.Direct, Path: groupPath(m.Path)})
		}
		return err
	})
	return out, err
}

func (s *Server) groupWhy(ctx context.Context, in GroupWhy) (GroupReason, error) {
	u, err := s.Users.Find(ctx, in.User)
	if err != nil {
		return GroupReason{}, err
	}
	var out GroupReason
	err = s.Store.View(ctx, func(tx store.Tx) error {
		g, err := groups.Find(ctx, tx, in.Group)
		if err != nil {
			return err
		}
		why, err := groups.Why(ctx, tx, u.ID, g, in.Limit)
		out = GroupReason{User: shortUser(u), Group: shownGroup(g), In: len(why.Paths) > 0, Paths: [][]Group{}, More: why.More}
		for _, p := range why.Paths {
			out.Paths = append(out.Paths, groupPath(p))
		}
		return err
	})
	return out, err
}

func shownGroup(g core.Group) Group {
	return Group{ID: g.ID, Name: g.Name, Source: sourceName(g.Source), SID: g.SID}
}

func groupPath(list []core.Group) []Group {
	out := make([]Group, len(list))
	for i, g := range list {
		out[i] = shownGroup(g)
	}
	return out
}

func shortUser(u core.User) NamedUser {
	return NamedUser{ID: int64(u.ID), Username: u.Username, Source: sourceName(u.Source)}
}
