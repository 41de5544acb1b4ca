package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// graph is a Tx in memory: groups 1..n of one source; members of a group are "g2" (a group) or "alex" (a person).
type graph struct {
	groups  []core.Group
	members map[int64][]string
	people  []string // user 1 is the first
}

func newGraph(people []string, edges map[string][]string) *graph {
	g := &graph{members: map[int64][]string{}, people: people}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range edges {
			if !yield(name) {
				return
			}
		}
	})
	for i, name := range names {
		g.groups = append(g.groups, core.Group{ID: int64(i + 1), Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: name, Name: name})
		g.members[int64(i+1)] = edges[name]
	}
	return g
}

func key(id string) store.Key { return store.Key{Kind: core.IdentityObjectGUID, ID: id} }

func (g *graph) Groups(context.Context, store.GroupFilter) ([]core.Group, error) {
	return slices.Clone(g.groups), nil
}

func (g *graph) DirectoryGroups(_ context.Context, source core.SourceID, yield func(store.DirectoryGroup)) error {
	for _, x := range g.groups {
		if x.Source == source {
			yield(store.DirectoryGroup{Group: x})
		}
	}
	return nil
}

func (g *graph) GroupMembers(_ context.Context, group int64) (keys []store.Key, _ error) {
	for _, m := range g.members[group] {
		keys = append(keys, key(m))
	}
	return keys, nil
}

func (g *graph) ParentGroups(_ context.Context, source core.SourceID, members []store.Key, yield func(store.Key, core.Group)) error {
	for _, m := range members {
		for _, x := range g.groups {
			if x.Source == source && m.Kind == core.IdentityObjectGUID && slices.Contains(g.members[x.ID], m.ID) {
				yield(m, x)
			}
		}
	}
	return nil
}

func (g *graph) UserIdentities(_ context.Context, id core.UserID) ([]core.ExternalIdentity, error) {
	return []core.ExternalIdentity{{UserID: id, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: g.people[id-1]}, {UserID: id, Source: "corp", Kind: core.IdentitySID, ImmutableID: "S-1"}}, nil
}

func (g *graph) SourceOwners(_ context.Context, _ core.SourceID, _ core.IdentityKind, ids []string, yield func(string, core.UserID)) error {
	for _, id := range ids {
		if i := slices.Index(g.people, id); i >= 0 {
			yield(id, core.UserID(i+1))
		}
	}
	return nil
}

func (g *graph) UsersOf(_ context.Context, ids []core.UserID, yield func(core.User)) error {
	for _, id := range ids {
		yield(core.User{ID: id, Username: g.people[id-1]})
	}
	return nil
}

func school() *graph {
	return newGraph([]string{"mia", "sam"}, map[string][]string{
		"class 7b": {"mia"},
		"pupils":   {"class 7b", "sam"},
		"chess":    {"mia", "staff"},
		"everyone": {"pupils", "chess", "staff", "somebody else's computer"},
		"staff":    {"everyone"}, // a circle
		"alone":    {"alone"},    // in itself
	})
}

func find(t *testing.T, g *graph, name string) core.Group {
	t.Helper()
	found, err := Find(t.Context(), g, name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func text(path []core.Group) string {
	names := make([]string, len(path))
	for i, g := range path {
		names[i] = g.Name
	}
	return strings.Join(names, " > ")
}

func TestA1_28_A2_22_GroupsWithinGroups(t *testing.T) {
	list, err := Of(t.Context(), school(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range list {
		got = append(got, fmt.Sprintf("%s (%v): %s", m.Group.Name, m.Direct, text(m.Path)))
	}
	want := []string{
		"chess (true): chess",
		"class 7b (true): class 7b",
		"everyone (false): chess > everyone",
		"pupils (false): class 7b > pupils",
		"staff (false): chess > everyone > staff",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestA2_22_MembersThroughGroups(t *testing.T) {
	g := school()
	all, err := MembersOf(t.Context(), g, find(t, g, "everyone"), false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all.Members {
		got = append(got, fmt.Sprintf("%s%s direct=%v via %s", m.Group.Name, m.User.Username, m.Direct, m.Via.Name))
	}
	want := []string{
		"staff direct=true via everyone", "pupils direct=true via everyone", "class 7b direct=false via pupils", "chess direct=true via everyone",
		"mia direct=false via chess", "sam direct=false via pupils",
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || all.Unknown != 1 {
		t.Errorf("%d unknown; %s", all.Unknown, diff)
	}
	direct, err := MembersOf(t.Context(), g, find(t, g, "pupils"), true)
	if err != nil || len(direct.Members) != 2 {
		t.Errorf("direct members of pupils: %+v, %v", direct, err)
	}
}

func TestA2_22_WhyIsSheInThisGroup(t *testing.T) {
	g := school()
	why, err := Why(t.Context(), g, 1, find(t, g, "everyone"), 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range why.Paths {
		got = append(got, text(p))
	}
	if diff := cmp.Diff([]string{"chess > everyone", "class 7b > pupils > everyone"}, got); diff != "" || why.More {
		t.Errorf("more=%v; %s", why.More, diff)
	}
	if why, err = Why(t.Context(), g, 1, find(t, g, "everyone"), 1); err != nil || len(why.Paths) != 1 || !why.More {
		t.Errorf("the shortest alone: %+v, %v", why, err)
	}
	if why, err = Why(t.Context(), g, 2, find(t, g, "class 7b"), 0); err != nil || len(why.Paths) != 0 || why.More {
		t.Errorf("she is not in it: %+v, %v", why, err)
	}
}

// Twenty layers of two groups have a million paths; the shortest ones are told at once.
func TestManyPathsAreBounded(t *testing.T) {
	edges := map[string][]string{"00a": {"mia"}, "00b": {"mia"}}
	for i := 1; i <= 20; i++ {
		below := []string{fmt.Sprintf("%02da", i-1), fmt.Sprintf("%02db", i-1)}
		edges[fmt.Sprintf("%02da", i)], edges[fmt.Sprintf("%02db", i)] = below, below
	}
	edges["top"] = []string{"20a", "20b"}
	g := newGraph([]string{"mia"}, edges)
	why, err := Why(t.Context(), g, 1, find(t, g, "top"), 5)
	if err != nil || len(why.Paths) != 5 || !why.More || len(why.Paths[0]) != 22 {
		t.Errorf("%d paths, more=%v, %v", len(why.Paths), why.More, err)
	}
}

func TestFind(t *testing.T) {
	g := school()
	g.groups[0].SID = "S-1-5-21-1-2-3-9"
	g.groups = append(g.groups, core.Group{ID: 99, Source: "sales", Name: "Staff"})
	for name, want := range map[string]int64{"ALONE": 1, "sales:staff": 99, "s-1-5-21-1-2-3-9": 1, "id:99": 99} {
		if got, err := Find(t.Context(), g, name); err != nil || got.ID != want {
			t.Errorf("%s: %d, %v", name, got.ID, err)
		}
	}
	if _, err := Find(t.Context(), g, "staff"); !errors.Is(err, core.ErrAmbiguous) || !strings.Contains(err.Error(), "id:99 (sales)") {
		t.Errorf("a name of two groups: %v", err)
	}
	if _, err := Find(t.Context(), g, "nobody"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("an unknown group: %v", err)
	}
}

// Whatever the graph, circles included: who is in which group is the transitive closure, both ways, and every path holds.
func TestPropertyA2_22_Closure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		people, edges := []string{"u1", "u2"}, map[string][]string{}
		n := rapid.IntRange(1, 6).Draw(t, "groups")
		for i := range n {
			members := rapid.SliceOfDistinct(rapid.SampledFrom([]string{"u1", "u2", "g0", "g1", "g2", "g3", "g4", "g5", "x"}), func(s string) string { return s }).Draw(t, "members")
			edges[fmt.Sprintf("g%d", i)] = members
		}
		g := newGraph(people, edges)
		in := map[string]map[string]bool{} // group to what is in it
		for name, members := range edges {
			in[name] = map[string]bool{}
			for _, m := range members {
				in[name][m] = true
			}
		}
		for range n {
			for name := range in {
				for m := range in[name] {
					for deeper := range in[m] {
						in[name][deeper] = true
					}
				}
			}
		}
		for u, person := range people {
			list, err := Of(context.Background(), g, core.UserID(u+1))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, m := range list {
				got[m.Group.Name] = true
			}
			for _, group := range g.groups {
				if got[group.Name] != in[group.Name][person] {
					t.Fatalf("%s in %s: %v, want %v", person, group.Name, got[group.Name], in[group.Name][person])
				}
				below, err := MembersOf(context.Background(), g, group, false)
				if err != nil {
					t.Fatal(err)
				}
				if slices.ContainsFunc(below.Members, func(m Member) bool { return m.User.Username == person }) != in[group.Name][person] {
					t.Fatalf("%s among the members of %s: %+v", person, group.Name, below)
				}
				why, err := Why(context.Background(), g, core.UserID(u+1), group, 0)
				if err != nil || (len(why.Paths) > 0) != in[group.Name][person] {
					t.Fatalf("why %s is in %s: %+v, %v", person, group.Name, why, err)
				}
				for _, p := range why.Paths {
					at := person
					for _, step := range p {
						if !slices.Contains(edges[step.Name], at) {
							t.Fatalf("path of %s to %s: %s does not list %s", person, group.Name, step.Name, at)
						}
						at = step.Name
					}
					if at != group.Name || len(p) < len(why.Paths[0]) {
						t.Fatalf("path of %s to %s: %s", person, group.Name, text(p))
					}
				}
			}
		}
	})
}

func TestInTheDatabase(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		t.Run(name, func(t *testing.T) {
			db, ctx := open(t), t.Context()
			var mia core.UserID
			err := db.Update(ctx, func(tx store.Tx) (err error) {
				now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
				if mia, err = tx.CreateUser(ctx, core.User{Username: "mia", Source: "corp", CreatedAt: now, UpdatedAt: now}); err != nil {
					return err
				}
				if err := tx.PutIdentity(ctx, core.ExternalIdentity{UserID: mia, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "mia"}); err != nil {
					return err
				}
				for group, members := range map[string][]string{"class": {"mia"}, "school": {"class", "gone"}, "circle": {"school", "circle"}, "gone": {"mia"}} {
					g := store.DirectoryGroup{Group: core.Group{Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: group, Name: group}}
					if group == "gone" {
						g.DeletedAt = now
					}
					id, err := tx.PutGroup(ctx, g)
					if err != nil {
						return err
					}
					for _, m := range members {
						if err := tx.PutGroupMembers(ctx, id, key(m)); err != nil {
							return err
						}
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			err = db.View(ctx, func(tx store.Tx) error {
				list, err := Of(ctx, tx, mia)
				if err != nil {
					return err
				}
				var got []string
				for _, m := range list {
					got = append(got, text(m.Path))
				}
				if diff := cmp.Diff([]string{"class > school > circle", "class", "class > school"}, got); diff != "" {
					t.Error(diff)
				}
				circle, err := Find(ctx, tx, "circle")
				if err != nil {
					return err
				}
				members, err := MembersOf(ctx, tx, circle, false)
				if err != nil || len(members.Members) != 3 || members.Members[2].User.ID != mia || members.Members[2].Via.Name != "class" {
					t.Errorf("%+v, %v", members, err)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
