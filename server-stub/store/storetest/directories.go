package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// guid is a key of a directory.
func guid(id string) store.Key { return store.Key{Kind: core.IdentityObjectGUID, ID: id} }

// seenAs is an entry with a fingerprint.
func seenAs(u core.User, id string) store.DirectoryEntry {
	return store.DirectoryEntry{Source: "corp", Key: guid(id), Fingerprint: [16]byte{1, 2}, User: u.ID}
}

// entries returns those of a source.
func entries(t *testing.T, s store.Store, source core.SourceID) (list []store.DirectoryEntry) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		list = nil
		return tx.DirectoryEntries(t.Context(), source, func(e store.DirectoryEntry) { list = append(list, e) })
	})
	return list
}

var directoryTests = []test{
	{"entries come back in the order of their keys, and are replaced", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		want := []store.DirectoryEntry{seenAs(alex, "A"), seenAs(bea, "a"), {Source: "corp", Key: guid("b"), User: bea.ID}}
		other := store.DirectoryEntry{Source: "lab", Key: guid("a"), Fingerprint: [16]byte{9}, User: alex.ID}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(
				tx.PutDirectoryEntries(t.Context()),
				tx.PutDirectoryEntries(t.Context(), want[2], store.DirectoryEntry{Source: "corp", Key: guid("a"), User: alex.ID}, other),
				tx.PutDirectoryEntries(t.Context(), want[1], want[0], store.DirectoryEntry{Source: "corp", Key: guid("c"), User: alex.ID}),
				tx.DeleteDirectoryEntries(t.Context(), "corp", guid("c"), guid("unknown")),
			)
		})
		if diff := cmp.Diff(want, entries(t, s, "corp")); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error { return tx.LookAgain(t.Context(), "corp") })
		for _, e := range entries(t, s, "corp") {
			if e.Fingerprint != ([16]byte{}) {
				t.Errorf("still seen: %+v", e)
			}
		}
		if diff := cmp.Diff([]store.DirectoryEntry{other}, entries(t, s, "lab")); diff != "" {
			t.Errorf("the other source: -want +got\n%s", diff)
		}
	}},
	{"whatever changes a person takes the fingerprint away", func(t *testing.T, s store.Store) {
		bea := newUser(t, s, "bea")
		ctx := t.Context()
		for name, change := range map[string]func(tx store.Tx, u core.User) error{
			"the user":         func(tx store.Tx, u core.User) error { return tx.UpdateUser(ctx, u) },
			"a name ends":      func(tx store.Tx, u core.User) error { return tx.EndName(ctx, nameOf(t, tx, u).ID, day) },
			"a name comes":     func(tx store.Tx, u core.User) error { return tx.PutName(ctx, nameOf(t, tx, u)) },
			"a name goes":      func(tx store.Tx, u core.User) error { return tx.DeleteName(ctx, nameOf(t, tx, u).ID) },
			"an identity goes": func(tx store.Tx, u core.User) error { return tx.DeleteIdentities(ctx, u.ID) },
			"one asks for it":  func(tx store.Tx, u core.User) error { return tx.LookAgainAt(ctx, u.ID) },
		} {
			alex := newUser(t, s, "alex")
			update(t, s, func(tx store.Tx) error {
				return errors.Join(
					tx.PutName(ctx, core.LoginName{UserID: alex.ID, Name: "alex", Folded: "alex", Kind: core.NameUsername, ValidFrom: day}),
					tx.PutIdentity(ctx, core.ExternalIdentity{UserID: alex.ID, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: name}),
					tx.PutDirectoryEntries(ctx, seenAs(alex, name), seenAs(bea, "bea")),
				)
			})
			update(t, s, func(tx store.Tx) error { return change(tx, alex) })
			for _, e := range entries(t, s, "corp") {
				if e.User == alex.ID && e.Fingerprint != ([16]byte{}) {
					t.Errorf("%s: still seen", name)
				}
				if e.User == bea.ID && e.Fingerprint == ([16]byte{}) {
					t.Errorf("%s: bea is not seen any more", name)
				}
			}
		}
	}},
	{"groups and their members", groupsAndMembers},
	{"states", func(t *testing.T, s store.Store) {
		want := core.SourceState{
			Source: "corp", Bookmark: []byte{0, 1}, LastAttempt: day, LastSuccess: day.Add(time.Second), LastFull: day.Add(time.Minute),
			Failures: 3, Problem: "down", Told: "up", PausedAt: day.Add(time.Hour), PausedWhy: "undone",
		}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.PutSourceState(t.Context(), core.SourceState{Source: "corp"}), tx.PutSourceState(t.Context(), want))
		})
		view(t, s, func(tx store.Tx) error {
			got, err := tx.SourceState(t.Context(), "corp")
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v -want +got\n%s", err, diff)
			}
			got, err = tx.SourceState(t.Context(), "never")
			if diff := cmp.Diff(core.SourceState{Source: "never"}, got); diff != "" || err != nil {
				t.Errorf("one never seen: %v -want +got\n%s", err, diff)
			}
			list, err := tx.SourceStates(t.Context())
			if len(list) != 1 {
				t.Errorf("states: %v", list)
			}
			return err
		})
	}},
	{"plans", func(t *testing.T, s store.Store) {
		old := store.DirectoryPlan{ID: "p-1", Source: "corp", Head: []byte("h"), CreatedAt: day, ExpiresAt: day.Add(time.Hour)}
		late := store.DirectoryPlan{ID: "p-2", Source: "corp", Head: []byte("i"), CreatedAt: day.Add(time.Minute), ExpiresAt: day.Add(2 * time.Hour)}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreatePlan(t.Context(), old), tx.CreatePlan(t.Context(), late),
				tx.PutPlanPart(t.Context(), "p-1", 0, []byte("zero")), tx.PutPlanPart(t.Context(), "p-1", 1, []byte("one")),
				tx.PutPlanPart(t.Context(), "p-2", 0, []byte("other")))
		})
		view(t, s, func(tx store.Tx) error {
			list, err := tx.Plans(t.Context(), "corp")
			if diff := cmp.Diff([]store.DirectoryPlan{late, old}, list); diff != "" || err != nil {
				t.Errorf("%v -want +got\n%s", err, diff)
			}
			part, err := tx.PlanPart(t.Context(), "p-1", 1)
			if string(part) != "one" || err != nil {
				t.Errorf("part 1: %q, %v", part, err)
			}
			if _, err = tx.PlanPart(t.Context(), "p-1", 2); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("behind the last part: %v", err)
			}
			return nil
		})
		update(t, s, func(tx store.Tx) error {
			if n, err := tx.DeletePlansBefore(t.Context(), day.Add(90*time.Minute)); n != 1 || err != nil {
				t.Errorf("%d forgotten, %v", n, err)
			}
			if _, err := tx.Plan(t.Context(), "p-1"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("the old plan: %v", err)
			}
			return tx.DeletePlan(t.Context(), "p-2")
		})
	}},
	{"the journal is read backwards", func(t *testing.T, s store.Store) {
		alex := newUser(t, s, "alex")
		update(t, s, func(tx store.Tx) error {
			run, err := tx.CreateSyncRun(t.Context(), core.SyncRun{Source: "corp", StartedAt: day})
			if err != nil {
				return err
			}
			rows := []store.JournalRow{
				{Run: run, At: day, Data: []byte("created")},
				{Run: run, User: alex.ID, At: day, Data: []byte("one")},
				{Run: run, User: alex.ID, At: day.Add(time.Hour), Data: []byte("two")},
			}
			if err := tx.AppendJournal(t.Context(), rows...); err != nil {
				return err
			}
			first, err := tx.Journal(t.Context(), run, 0, 2)
			if err != nil || len(first) != 2 || string(first[0].Data) != "two" || first[1].User != alex.ID {
				t.Errorf("first page %+v, %v", first, err)
			}
			rest, err := tx.Journal(t.Context(), run, first[1].ID, 2)
			if err != nil || len(rest) != 1 || string(rest[0].Data) != "created" || rest[0].User != 0 {
				t.Errorf("second page %+v, %v", rest, err)
			}
			if n, err := tx.DeleteJournalBefore(t.Context(), day.Add(time.Minute)); n != 2 || err != nil {
				t.Errorf("%d forgotten, %v", n, err)
			}
			left, err := tx.UserJournal(t.Context(), alex.ID)
			if len(left) != 1 || !left[0].At.Equal(day.Add(time.Hour)) {
				t.Errorf("left: %+v", left)
			}
			return err
		})
	}},
	{"people by the thousand", manyPeople},
	{"an erased person leaves nothing", forgotten},
	{"entries of people, of every source", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		lab := store.DirectoryEntry{Source: "lab", Key: guid("x"), User: alex.ID}
		update(t, s, func(tx store.Tx) error {
			return tx.PutDirectoryEntries(t.Context(), lab, seenAs(alex, "alex"), seenAs(bea, "bea"))
		})
		view(t, s, func(tx store.Tx) error {
			var got []store.DirectoryEntry
			err := tx.EntriesOf(t.Context(), []core.UserID{alex.ID, 99}, func(e store.DirectoryEntry) { got = append(got, e) })
			if diff := cmp.Diff([]store.DirectoryEntry{seenAs(alex, "alex"), lab}, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			return err
		})
	}},
}

// nameOf returns the person's only name.
func nameOf(t *testing.T, tx store.Tx, u core.User) core.LoginName {
	t.Helper()
	list, err := tx.UserNames(t.Context(), u.ID)
	if err != nil || len(list) != 1 {
		t.Fatalf("names %v, %v", list, err)
	}
	return list[0]
}

// newGroup keeps a group of corp.
func newGroup(t *testing.T, s store.Store, id, name string, members ...store.Key) store.DirectoryGroup {
	t.Helper()
	g := store.DirectoryGroup{Group: core.Group{Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: id, SID: "S-1-" + id, Name: name}, Fingerprint: [16]byte{7}}
	update(t, s, func(tx store.Tx) (err error) {
		if g.ID, err = tx.PutGroup(t.Context(), g); err != nil {
			return err
		}
		return tx.PutGroupMembers(t.Context(), g.ID, members...)
	})
	return g
}

func groupsAndMembers(t *testing.T, s store.Store) {
	staff := newGroup(t, s, "g1", "Staff", guid("u2"), guid("u1"), guid("g2"))
	physics := newGroup(t, s, "g2", "Physik ÄÖ", guid("u1"))
	gone := newGroup(t, s, "g3", "gone", guid("u1"))
	gone.DeletedAt, gone.Fingerprint = day, [16]byte{}
	update(t, s, func(tx store.Tx) error {
		if id, err := tx.PutGroup(t.Context(), gone); id != gone.ID || err != nil {
			t.Errorf("the same group has id %d, want %d: %v", id, gone.ID, err)
		}
		if _, err := tx.PutGroup(t.Context(), store.DirectoryGroup{Group: core.Group{Source: "lab", Kind: core.IdentityObjectGUID, ImmutableID: "g1", Name: "other"}}); err != nil {
			return err
		}
		return tx.PutGroupMembers(t.Context(), staff.ID, guid("u1"), guid("u3"))
	})
	source := core.SourceID("corp")
	view(t, s, func(tx store.Tx) error {
		ctx := t.Context()
		var all []store.DirectoryGroup
		if err := tx.DirectoryGroups(ctx, "corp", func(g store.DirectoryGroup) { all = append(all, g) }); err != nil {
			return err
		}
		if diff := cmp.Diff([]store.DirectoryGroup{staff, physics, gone}, all); diff != "" {
			t.Errorf("DirectoryGroups -want +got\n%s", diff)
		}
		for name, f := range map[string]store.GroupFilter{
			"[Physik ÄÖ Staff]":       {Source: &source},
			"[gone Physik ÄÖ Staff]":  {Source: &source, IncludeDeleted: true},
			"[Physik ÄÖ]":             {Query: "physik äö"},
			"[other Physik ÄÖ Staff]": {},
		} {
			list, err := tx.Groups(ctx, f)
			var names []string
			for _, g := range list {
				names = append(names, g.Name)
			}
			if fmt.Sprint(names) != name || err != nil {
				t.Errorf("%+v: %v, %v; want %s", f, names, err, name)
			}
		}
		g, err := tx.GroupByKey(ctx, "corp", guid("g2"))
		if diff := cmp.Diff(physics.Group, g); diff != "" || err != nil {
			t.Errorf("GroupByKey: %v -want +got\n%s", err, diff)
		}
		if _, err := tx.GroupByKey(ctx, "lab", guid("g2")); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a group of another source: %v", err)
		}
		members, err := tx.GroupMembers(ctx, staff.ID)
		if diff := cmp.Diff([]store.Key{guid("g2"), guid("u1"), guid("u2"), guid("u3")}, members); diff != "" || err != nil {
			t.Errorf("GroupMembers: %v -want +got\n%s", err, diff)
		}
		edges := 0
		if err := tx.GroupEdges(ctx, "corp", func(int64, store.Key) { edges++ }); err != nil || edges != 5 {
			t.Errorf("%d edges of living groups, %v; want 5", edges, err)
		}
		parents := map[string][]string{}
		err = tx.ParentGroups(ctx, "corp", []store.Key{guid("u1"), guid("g2"), guid("u1"), guid("nobody")}, func(k store.Key, g core.Group) {
			parents[k.ID] = append(parents[k.ID], g.Name)
		})
		if diff := cmp.Diff(map[string][]string{"u1": {"Staff", "Physik ÄÖ"}, "g2": {"Staff"}}, parents); diff != "" || err != nil {
			t.Errorf("ParentGroups: %v -want +got\n%s", err, diff)
		}
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.DeleteGroupMembers(t.Context(), staff.ID, guid("u1"), guid("nobody")), tx.ClearGroupMembers(t.Context(), physics.ID))
	})
	view(t, s, func(tx store.Tx) error {
		edges := 0
		err := tx.GroupEdges(t.Context(), "corp", func(int64, store.Key) { edges++ })
		if edges != 3 {
			t.Errorf("%d edges are left, want 3", edges)
		}
		return err
	})
}

func manyPeople(t *testing.T, s store.Store) {
	ctx := t.Context()
	var ids []core.UserID
	update(t, s, func(tx store.Tx) error {
		ids = nil
		for i := range 450 {
			u := core.User{Username: fmt.Sprint("u", i), Source: "corp", CreatedAt: day}
			switch i {
			case 1:
				u.DeletedAt = day
			case 2:
				u.ErasedAt = day
			case 3:
				u.Source = "lab"
			}
			id, err := tx.CreateUser(ctx, u)
			if err != nil {
				return err
			}
			ids = append(ids, id)
			if err := tx.PutName(ctx, core.LoginName{UserID: id, Name: u.Username, Folded: "u", Kind: core.NameUsername, ValidFrom: day}); err != nil {
				return err
			}
			if err := tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: u.Username}); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(tx store.Tx) error {
		living, users, names, identities := 0, 0, 0, 0
		owners := map[string]core.UserID{}
		if err := errors.Join(
			tx.LivingUsers(ctx, "corp", func(core.UserID) { living++ }),
			tx.UsersOf(ctx, ids, func(core.User) { users++ }),
			tx.NamesOf(ctx, ids, func(core.LoginName) { names++ }),
			tx.IdentitiesOf(ctx, ids, func(core.ExternalIdentity) { identities++ }),
			tx.SourceOwners(ctx, "corp", core.IdentityObjectGUID, []string{"u7", "u300", "nobody"}, func(id string, owner core.UserID) { owners[id] = owner }),
			tx.SourceOwners(ctx, "lab", core.IdentityObjectGUID, []string{"u7"}, func(id string, owner core.UserID) { owners["of lab"] = owner }),
		); err != nil {
			return err
		}
		if got := fmt.Sprint(living, users, names, identities); got != "447 449 450 450" {
			t.Errorf("living, users, names, identities = %s, want 447 449 450 450", got)
		}
		if diff := cmp.Diff(map[string]core.UserID{"u7": ids[7], "u300": ids[300]}, owners); diff != "" {
			t.Errorf("SourceOwners -want +got\n%s", diff)
		}
		return nil
	})
	update(t, s, func(tx store.Tx) error {
		n := nameOf(t, tx, core.User{ID: ids[0]})
		e := core.ExternalIdentity{UserID: ids[0], Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "u0"}
		notHis := e
		notHis.ImmutableID = "u7"
		return errors.Join(tx.DeleteName(ctx, n.ID), tx.DeleteName(ctx, n.ID), tx.DeleteIdentity(ctx, e), tx.DeleteIdentity(ctx, notHis))
	})
	view(t, s, func(tx store.Tx) error {
		names, err := tx.UserNames(ctx, ids[0])
		if len(names) != 0 || err != nil {
			t.Errorf("names %v, %v", names, err)
		}
		if _, err := tx.IdentityOwner(ctx, "corp", core.IdentityObjectGUID, "u0"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("the identity is still there: %v", err)
		}
		_, err = tx.IdentityOwner(ctx, "corp", core.IdentityObjectGUID, "u7")
		return err
	})
}

func forgotten(t *testing.T, s store.Store) {
	ctx := t.Context()
	alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
	staff := newGroup(t, s, "g1", "Staff", guid("alex"), guid("bea"))
	other := newGroup(t, s, "g2", "other", guid("bea"))
	update(t, s, func(tx store.Tx) error {
		run, err := tx.CreateSyncRun(ctx, core.SyncRun{Source: "corp"})
		return errors.Join(err,
			tx.PutIdentity(ctx, core.ExternalIdentity{UserID: alex.ID, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "alex"}),
			tx.PutDirectoryEntries(ctx, seenAs(alex, "alex"), seenAs(bea, "bea")),
			tx.AppendJournal(ctx, store.JournalRow{Run: run, User: alex.ID, At: day, Data: []byte("x")}, store.JournalRow{Run: run, User: bea.ID, At: day, Data: []byte("x")}),
			tx.CreatePlan(ctx, store.DirectoryPlan{ID: "p", Source: "corp", Head: []byte("h"), CreatedAt: day, ExpiresAt: day}), tx.PutPlanPart(ctx, "p", 0, []byte("x")))
	})
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.ForgetInDirectories(ctx, alex.ID), tx.DeleteIdentities(ctx, alex.ID))
	})
	if diff := cmp.Diff([]store.DirectoryEntry{seenAs(bea, "bea")}, entries(t, s, "corp")); diff != "" {
		t.Errorf("entries -want +got\n%s", diff)
	}
	view(t, s, func(tx store.Tx) error {
		journal, err := tx.UserJournal(ctx, alex.ID)
		if len(journal) != 0 || err != nil {
			t.Errorf("journal %v, %v", journal, err)
		}
		if journal, err := tx.UserJournal(ctx, bea.ID); len(journal) != 1 || err != nil {
			t.Errorf("journal of bea %v, %v", journal, err)
		}
		if plans, err := tx.Plans(ctx, "corp"); len(plans) != 0 || err != nil {
			t.Errorf("plans %v, %v", plans, err)
		}
		if members, err := tx.GroupMembers(ctx, staff.ID); len(members) != 1 || err != nil {
			t.Errorf("members %v, %v", members, err)
		}
		return tx.DirectoryGroups(ctx, "corp", func(g store.DirectoryGroup) {
			if again := g.Fingerprint == ([16]byte{}); again != (g.ID == staff.ID) {
				t.Errorf("group %d (of %d and %d) is looked at again: %v", g.ID, staff.ID, other.ID, again)
			}
		})
	})
}
