package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// scimUser makes a resource.
func scimUser(id, name string, user core.UserID) store.SCIMResource {
	return store.SCIMResource{
		ID: id, Source: "entra", Kind: store.SCIMUser, Name: name, ExternalID: "ext-" + id, UserID: user, Data: `{"userName":"` + name + `"}`,
		Version: 1, CreatedAt: day, ModifiedAt: day,
	}
}

func scimGroup(id, name string) store.SCIMResource {
	r := scimUser(id, name, 0)
	r.Kind = store.SCIMGroup
	return r
}

// putSCIM stores new resources, each findable by its name.
func putSCIM(t *testing.T, s store.Store, list ...store.SCIMResource) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		for _, r := range list {
			if err := tx.CreateSCIMResource(t.Context(), r, []store.SCIMValue{{Path: "name", Value: r.Name}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// listSCIM returns the ids that a query finds, and checks that they are counted alike.
func listSCIM(t *testing.T, s store.Store, kind store.SCIMKind, q store.SCIMQuery) (ids []string) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		if err := tx.SCIMResources(t.Context(), "entra", kind, q, func(r store.SCIMResource) { ids = append(ids, r.ID) }); err != nil {
			return err
		}
		n, err := tx.CountSCIMResources(t.Context(), "entra", kind, q)
		if q.Limit == 0 && n != len(ids) {
			t.Errorf("counted %d, listed %v", n, ids)
		}
		return err
	})
	return ids
}

var scimTests = []test{
	{"tokens are found by their hash and end", func(t *testing.T, s store.Store) {
		old := store.SCIMToken{ID: "a", Source: "entra", Hash: [32]byte{1}, Networks: "192.0.2.0/24", CreatedAt: day, ExpiresAt: day.Add(time.Hour)}
		young := store.SCIMToken{ID: "b", Source: "entra", Hash: [32]byte{2}, CreatedAt: day.Add(time.Minute), ExpiresAt: day.Add(time.Hour)}
		other := store.SCIMToken{ID: "c", Source: "okta", Hash: [32]byte{3}, CreatedAt: day, ExpiresAt: day.Add(time.Hour)}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateSCIMToken(t.Context(), old), tx.CreateSCIMToken(t.Context(), young), tx.CreateSCIMToken(t.Context(), other))
		})
		old.LastUsedAt, old.RevokedAt, old.Networks = day.Add(time.Minute), day.Add(2*time.Minute), ""
		update(t, s, func(tx store.Tx) error { return tx.UpdateSCIMToken(t.Context(), old) })
		view(t, s, func(tx store.Tx) error {
			got, err := tx.SCIMTokens(t.Context(), "entra")
			if diff := cmp.Diff([]store.SCIMToken{young, old}, got); diff != "" {
				t.Errorf("SCIMTokens (-want +got):\n%s", diff)
			}
			if one, err := tx.SCIMTokenByHash(t.Context(), [32]byte{3}); err != nil || one.ID != "c" {
				t.Errorf("by hash: %v, %v", one, err)
			}
			if _, err := tx.SCIMTokenByHash(t.Context(), [32]byte{9}); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("an unknown hash: %v", err)
			}
			return err
		})
	}},
	{"a resource comes back, and changes only from the version that was read", func(t *testing.T, s store.Store) {
		want := scimUser("r1", "alex", newUser(t, s, "alex").ID)
		putSCIM(t, s, want)
		want.Name, want.ExternalID, want.ExternalWas, want.Data, want.ModifiedAt = "Alexandra", "e2", "ext-r1", `{}`, day.Add(time.Hour)
		update(t, s, func(tx store.Tx) error {
			return tx.UpdateSCIMResource(t.Context(), want, []store.SCIMValue{{Path: "name", Value: "alexandra"}, {Path: "mail", Value: "x"}})
		})
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.UpdateSCIMResource(t.Context(), want, nil) }); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a change of an old version: %v", err)
		}
		want.Version, want.Standing = 2, store.SCIMElsewhere // she is nobody of "entra"
		view(t, s, func(tx store.Tx) error {
			got, err := tx.SCIMResource(t.Context(), "entra", store.SCIMUser, "r1")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("SCIMResource (-want +got):\n%s", diff)
			}
			for _, wrong := range []struct {
				source core.SourceID
				kind   store.SCIMKind
				id     string
			}{{"okta", store.SCIMUser, "r1"}, {"entra", store.SCIMGroup, "r1"}, {"entra", store.SCIMUser, "r2"}} {
				if _, err := tx.SCIMResource(t.Context(), wrong.source, wrong.kind, wrong.id); !errors.Is(err, core.ErrNotFound) {
					t.Errorf("%v: %v", wrong, err)
				}
			}
			return err
		})
		for value, want := range map[store.SCIMValue]int{{Path: "name", Value: "alex"}: 0, {Path: "name", Value: "alexandra"}: 1, {Path: "mail", Value: "x"}: 1} {
			if got := listSCIM(t, s, store.SCIMUser, store.SCIMQuery{Path: value.Path, Value: value.Value}); len(got) != want {
				t.Errorf("%v finds %v", value, got)
			}
		}
	}},
	{"a resource tells how its person stands", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		putSCIM(t, s, scimUser("r1", "alex", u.ID))
		for _, tt := range []struct {
			change func()
			want   store.SCIMStanding
		}{
			{func() {}, store.SCIMElsewhere},
			{func() { u.Source = "entra" }, store.SCIMIn},
			{func() { u.Disabled = true }, store.SCIMIn}, // by an administrator
			{func() { u.DisabledBySource = true }, store.SCIMOut},
			{func() { u.Disabled, u.DisabledBySource, u.DeletedAt = false, false, day }, store.SCIMOut},
		} {
			tt.change()
			update(t, s, func(tx store.Tx) error { return tx.UpdateUser(t.Context(), u) })
			view(t, s, func(tx store.Tx) error {
				got, err := tx.SCIMResource(t.Context(), "entra", store.SCIMUser, "r1")
				if got.Standing != tt.want {
					t.Errorf("%+v stands as %d, want %d", u, got.Standing, tt.want)
				}
				return err
			})
		}
	}},
	{"a living person's name is unique in a connection, letter case aside", func(t *testing.T, s store.Store) {
		putSCIM(t, s, scimUser("r1", "Alex", 0), scimGroup("g1", "alex"), scimGroup("g2", "Alex"))
		elsewhere := scimUser("r2", "alex", 0)
		elsewhere.Source = "okta"
		putSCIM(t, s, elsewhere)
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.CreateSCIMResource(t.Context(), scimUser("r3", "aLEX", 0), nil) })
		if !errors.Is(err, core.ErrConflict) {
			t.Errorf("a second one: %v", err)
		}
		gone := scimUser("r1", "Alex", 0)
		gone.DeletedAt = day
		update(t, s, func(tx store.Tx) error {
			return tx.UpdateSCIMResource(t.Context(), gone, []store.SCIMValue{{Path: "name", Value: "alex"}})
		})
		putSCIM(t, s, scimUser("r3", "alex", 0))
		if diff := cmp.Diff([]string{"r1"}, listSCIM(t, s, store.SCIMUser, store.SCIMQuery{Path: "name", Value: "alex", Deleted: true})); diff != "" {
			t.Errorf("deleted ones:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"r3"}, listSCIM(t, s, store.SCIMUser, store.SCIMQuery{Path: "name", Value: "alex"})); diff != "" {
			t.Errorf("living ones:\n%s", diff)
		}
	}},
	{"resources are listed in pages", func(t *testing.T, s store.Store) {
		putSCIM(t, s, scimUser("z", "a", 0), scimUser("y", "b", 0), scimUser("x", "c", 0), scimGroup("w", "d"))
		if diff := cmp.Diff([]string{"z", "y", "x"}, listSCIM(t, s, store.SCIMUser, store.SCIMQuery{})); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"y"}, listSCIM(t, s, store.SCIMUser, store.SCIMQuery{Offset: 1, Limit: 1})); diff != "" {
			t.Error(diff)
		}
	}},
	{"members are resources of the connection", func(t *testing.T, s store.Store) {
		other := scimUser("o", "o", 0)
		other.Source = "okta"
		gone := scimUser("d", "d", 0)
		gone.DeletedAt = day
		putSCIM(t, s, scimUser("a", "anna", 0), scimUser("b", "bea", 0), gone, other, scimGroup("g", "group"), scimGroup("h", "nested"))
		change := func(add, remove []string, want store.SCIMMemberChange) {
			t.Helper()
			update(t, s, func(tx store.Tx) error {
				got, err := tx.ChangeSCIMMembers(t.Context(), "entra", "g", add, remove)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("ChangeSCIMMembers (-want +got):\n%s", diff)
				}
				return err
			})
		}
		change([]string{"b", "a", "o", "nobody", "h", "d"}, nil, store.SCIMMemberChange{Added: []string{"b", "a", "h", "d"}, Unknown: []string{"o", "nobody"}})
		change([]string{"a"}, []string{"b", "x"}, store.SCIMMemberChange{Removed: []string{"b"}})
		want := []store.SCIMMember{{ID: "a", Kind: store.SCIMUser, Name: "anna"}, {ID: "h", Kind: store.SCIMGroup, Name: "nested"}}
		members := func() (list []store.SCIMMember) {
			view(t, s, func(tx store.Tx) (err error) {
				list, err = tx.SCIMMembers(t.Context(), "g")
				return err
			})
			return list
		}
		if diff := cmp.Diff(want, members()); diff != "" {
			t.Error(diff)
		}
		update(t, s, func(tx store.Tx) error { return tx.DeleteSCIMResource(t.Context(), "entra", store.SCIMGroup, "h") })
		if diff := cmp.Diff(want[:1], members()); diff != "" {
			t.Error(diff)
		}
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteSCIMResource(t.Context(), "entra", store.SCIMGroup, "h") })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("deleted again: %v", err)
		}
	}},
	{"the provisioning log is read on from where one was", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		var want []store.SCIMEntry
		for i := range 4 {
			want = append(want, store.SCIMEntry{
				ID: int64(i + 1), At: day.Add(time.Duration(i) * time.Hour), Source: "entra", Token: "t", Operation: "create", Kind: store.SCIMUser, Resource: "r",
				Name: "alex", UserID: u.ID, Status: 201, Result: "created", Detail: "roles ignored", RequestID: "q",
			})
		}
		want[3].UserID = 0
		update(t, s, func(tx store.Tx) error {
			if err := tx.AppendSCIMLog(t.Context(), want...); err != nil {
				return err
			}
			return tx.AppendSCIMLog(t.Context(), store.SCIMEntry{At: day, Source: "okta"})
		})
		read := func(after int64, limit int) (list []store.SCIMEntry) {
			view(t, s, func(tx store.Tx) (err error) {
				list, err = tx.SCIMLog(t.Context(), "entra", after, limit)
				return err
			})
			return list
		}
		for _, tt := range []struct {
			after int64
			limit int
			want  []store.SCIMEntry
		}{{-1, 2, want[2:]}, {0, 3, want[:3]}, {2, 10, want[2:]}, {4, 10, nil}} {
			if diff := cmp.Diff(tt.want, read(tt.after, tt.limit)); diff != "" {
				t.Errorf("after %d (-want +got):\n%s", tt.after, diff)
			}
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteSCIMLogBefore(t.Context(), day.Add(time.Hour))
			if n != 2 { // one of them is of okta
				t.Errorf("%d were forgotten", n)
			}
			return err
		})
		if diff := cmp.Diff(want[1:], read(0, 10)); diff != "" {
			t.Error(diff)
		}
	}},
	{"a connection remembers how it stands", func(t *testing.T, s store.Store) {
		for _, want := range []store.SCIMConnection{{Source: "entra"}, {Source: "entra", LastSeenAt: day, Warning: "two", WarnedAt: day}, {Source: "entra", LastSeenAt: day.Add(1e9)}} {
			if !want.LastSeenAt.IsZero() {
				update(t, s, func(tx store.Tx) error { return tx.PutSCIMConnection(t.Context(), want) })
			}
			view(t, s, func(tx store.Tx) error {
				got, err := tx.SCIMConnection(t.Context(), "entra")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
		}
	}},
	{"an erased person leaves nothing", func(t *testing.T, s store.Store) {
		u, other := newUser(t, s, "alex"), newUser(t, s, "bea")
		putSCIM(t, s, scimUser("a", "alex", u.ID), scimUser("b", "bea", other.ID), scimGroup("g", "g"))
		update(t, s, func(tx store.Tx) error {
			if _, err := tx.ChangeSCIMMembers(t.Context(), "entra", "g", []string{"a", "b"}, nil); err != nil {
				return err
			}
			return tx.AppendSCIMLog(t.Context(), store.SCIMEntry{Source: "entra", UserID: u.ID}, store.SCIMEntry{Source: "entra", Resource: "a"}, store.SCIMEntry{Source: "entra", Resource: "b"})
		})
		update(t, s, func(tx store.Tx) error { return tx.DeleteSCIMUser(t.Context(), u.ID) })
		if diff := cmp.Diff([]string{"b"}, listSCIM(t, s, store.SCIMUser, store.SCIMQuery{})); diff != "" {
			t.Error(diff)
		}
		view(t, s, func(tx store.Tx) error {
			log, err := tx.SCIMLog(t.Context(), "entra", 0, 10)
			if len(log) != 1 || log[0].Resource != "b" {
				t.Errorf("the log has %v", log)
			}
			members, err2 := tx.SCIMMembers(t.Context(), "g")
			if len(members) != 1 || members[0].ID != "b" {
				t.Errorf("the members are %v", members)
			}
			return errors.Join(err, err2)
		})
	}},
}
