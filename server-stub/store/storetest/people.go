package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

var userTests = []test{
	{"every field comes back", func(t *testing.T, s store.Store) {
		want := core.User{
			Username: "alex.test", DisplayName: "Alex Täst", Email: "alex@example.org", Department: "Physics", Office: "B 12",
			Source: "corp", Overdraft: 50000, Disabled: true, DisabledBySource: true, DeletedAt: day, ErasedAt: day.Add(time.Hour),
			Language: "fr-CH", KeepsUsername: true,
			CreatedAt: day.Add(-time.Hour), UpdatedAt: day.Add(time.Minute),
		}
		update(t, s, func(tx store.Tx) (err error) {
			want.ID, err = tx.CreateUser(t.Context(), want)
			return err
		})
		wantUser(t, s, want)

		want = core.User{ID: want.ID, Username: "b", CreatedAt: want.CreatedAt}
		update(t, s, func(tx store.Tx) error { return tx.UpdateUser(t.Context(), want) })
		wantUser(t, s, want)
	}},
	{"a changed person is found by the new name only", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "before")
		u.Username, u.DisplayName = "after", ""
		update(t, s, func(tx store.Tx) error { return tx.UpdateUser(t.Context(), u) })
		view(t, s, func(tx store.Tx) error {
			for query, want := range map[string]int{"before": 0, "after": 1} {
				if n, err := tx.CountUsers(t.Context(), store.UserFilter{Query: query}); n != want || err != nil {
					t.Errorf("CountUsers(%q) = %d, %v; want %d", query, n, err, want)
				}
			}
			return nil
		})
	}},
	{"CreatedAt is never changed", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		changed := u
		changed.CreatedAt = day.Add(time.Hour)
		update(t, s, func(tx store.Tx) error { return tx.UpdateUser(t.Context(), changed) })
		wantUser(t, s, u)
	}},
	{"who is not there is not found", func(t *testing.T, s store.Store) {
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.User(t.Context(), 77); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("User = %v, want core.ErrNotFound", err)
			}
			return nil
		})
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.UpdateUser(t.Context(), core.User{ID: 77}) })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("UpdateUser = %v, want core.ErrNotFound", err)
		}
	}},
	{"a negative overdraft is refused", func(t *testing.T, s store.Store) {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			_, err := tx.CreateUser(t.Context(), core.User{Overdraft: -1})
			return err
		})
		if !errors.Is(err, core.ErrInvalid) {
			t.Errorf("CreateUser = %v, want core.ErrInvalid", err)
		}
	}},
	{"filters", func(t *testing.T, s store.Store) {
		corp := core.SourceID("corp")
		local := core.LocalSource
		var ids []core.UserID
		for _, u := range []core.User{
			{Username: "alex", DisplayName: "Alex MÜLLER"},
			{Username: "bea", Email: "Bea@Example.org", Source: corp},
			{Username: "100%", Source: corp},
			{Username: "gone", Source: corp, DeletedAt: day},
			{Username: "erased", ErasedAt: day},
		} {
			update(t, s, func(tx store.Tx) error {
				id, err := tx.CreateUser(t.Context(), u)
				ids = append(ids, id)
				return err
			})
		}
		for _, tt := range []struct {
			name   string
			filter store.UserFilter
			want   []string
		}{
			{"all", store.UserFilter{}, []string{"alex", "bea", "100%"}},
			{"deleted too", store.UserFilter{IncludeDeleted: true}, []string{"alex", "bea", "100%", "gone"}},
			{"deleted since", store.UserFilter{Source: &corp, DeletedSince: day}, []string{"gone"}},
			{"deleted before that", store.UserFilter{DeletedSince: day.Add(time.Microsecond)}, nil},
			{"of a source", store.UserFilter{Source: &corp}, []string{"bea", "100%"}},
			{"local", store.UserFilter{Source: &local}, []string{"alex"}},
			{"query in any case", store.UserFilter{Query: "müll"}, []string{"alex"}},
			{"query in an e-mail", store.UserFilter{Query: "@EXAMPLE"}, []string{"bea"}},
			{"query is no pattern", store.UserFilter{Query: "0%"}, []string{"100%"}},
			{"query with _", store.UserFilter{Query: "_"}, nil},
			{"after", store.UserFilter{After: ids[0]}, []string{"bea", "100%"}},
			{"limit", store.UserFilter{Limit: 1}, []string{"alex"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				view(t, s, func(tx store.Tx) error {
					list, err := tx.ListUsers(t.Context(), tt.filter)
					var got []string
					for _, u := range list {
						got = append(got, u.Username)
					}
					if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
						t.Errorf("ListUsers (-want +got): %v\n%s", err, diff)
					}
					if tt.filter.Limit > 0 || tt.filter.After > 0 {
						return nil
					}
					if n, err := tx.CountUsers(t.Context(), tt.filter); n != len(tt.want) || err != nil {
						t.Errorf("CountUsers = %d, %v; want %d", n, err, len(tt.want))
					}
					return nil
				})
			})
		}
	}},
}

func wantUser(t *testing.T, s store.Store, want core.User) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		got, err := tx.User(t.Context(), want.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("User (-want +got): %v\n%s", err, diff)
		}
		return nil
	})
}

var nameTests = []test{
	{"a name comes back, ends and is renewed", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		want := core.LoginName{
			UserID: u.ID, Name: "Alex", Folded: "alex", Kind: core.NameSAM, Domain: "corp", Source: "ad", ValidFrom: day,
		}
		update(t, s, func(tx store.Tx) error { return tx.PutName(t.Context(), want) })
		names := namesOf(t, s, u.ID)
		if len(names) != 1 {
			t.Fatalf("names = %v, want one", names)
		}
		want.ID = names[0].ID
		if diff := cmp.Diff(want, names[0]); diff != "" {
			t.Errorf("name (-want +got):\n%s", diff)
		}

		want.ValidTo = day.Add(time.Hour)
		update(t, s, func(tx store.Tx) error { return tx.EndName(t.Context(), want.ID, want.ValidTo) })
		if diff := cmp.Diff([]core.LoginName{want}, namesOf(t, s, u.ID)); diff != "" {
			t.Errorf("ended name (-want +got):\n%s", diff)
		}

		again := want
		again.Name, again.ValidFrom, again.ValidTo = "ALEX", day.Add(2*time.Hour), time.Time{}
		update(t, s, func(tx store.Tx) error { return tx.PutName(t.Context(), again) })
		again.ValidFrom = day
		if diff := cmp.Diff([]core.LoginName{again}, namesOf(t, s, u.ID)); diff != "" {
			t.Errorf("renewed name (-want +got):\n%s", diff)
		}
	}},
	{"the same text is another name in another kind or domain", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		for _, n := range []core.LoginName{
			{Kind: core.NameSAM, Domain: "a"}, {Kind: core.NameSAM, Domain: "b"}, {Kind: core.NameNickname}, {Kind: core.NameSAM, Domain: "a"},
		} {
			n.UserID, n.Folded = u.ID, "alex"
			update(t, s, func(tx store.Tx) error { return tx.PutName(t.Context(), n) })
		}
		if names := namesOf(t, s, u.ID); len(names) != 3 {
			t.Errorf("names = %v, want three", names)
		}
	}},
	{"holders are all who hold it, but for erased ones", func(t *testing.T, s store.Store) {
		var want []core.NameHolder
		for _, tt := range []struct {
			change func(*core.User)
			active bool
			erased bool
		}{
			{change: func(u *core.User) { u.Source = "corp" }, active: true},
			{change: func(u *core.User) { u.Disabled = true }},
			{change: func(u *core.User) { u.DeletedAt = day }},
			{change: func(u *core.User) { u.ErasedAt = day }, erased: true},
		} {
			u := newUser(t, s, "x")
			tt.change(&u)
			update(t, s, func(tx store.Tx) error {
				if err := tx.UpdateUser(t.Context(), u); err != nil {
					return err
				}
				return tx.PutName(t.Context(), core.LoginName{UserID: u.ID, Name: "X", Folded: "x", Kind: core.NameUPN, ValidFrom: day})
			})
			if !tt.erased {
				want = append(want, core.NameHolder{LoginName: namesOf(t, s, u.ID)[0], Active: tt.active, UserSource: u.Source})
			}
		}
		view(t, s, func(tx store.Tx) error {
			got, err := tx.Holders(t.Context(), "x")
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("Holders (-want +got): %v\n%s", err, diff)
			}
			if got, err := tx.Holders(t.Context(), auth.Folded("y")); len(got) != 0 || err != nil {
				t.Errorf("Holders of a name nobody has = %v, %v", got, err)
			}
			return nil
		})
	}},
	{"names are deleted; what is not there is not found", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		update(t, s, func(tx store.Tx) error {
			if err := tx.PutName(t.Context(), core.LoginName{UserID: u.ID, Folded: "a", Kind: core.NameAlias}); err != nil {
				return err
			}
			return tx.DeleteNames(t.Context(), u.ID)
		})
		if names := namesOf(t, s, u.ID); len(names) != 0 {
			t.Errorf("names = %v, want none", names)
		}
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.EndName(t.Context(), 99, day) })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("EndName = %v, want core.ErrNotFound", err)
		}
		err = s.Update(t.Context(), func(tx store.Tx) error {
			return tx.PutName(t.Context(), core.LoginName{UserID: 99, Folded: "a", Kind: core.NameAlias})
		})
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("PutName for nobody = %v, want core.ErrNotFound", err)
		}
	}},
}

func namesOf(t *testing.T, s store.Store, id core.UserID) (names []core.LoginName) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		names, err = tx.UserNames(t.Context(), id)
		return err
	})
	return names
}

// bulkTests: many at once are the same as one by one, whatever the sizes of the pieces.
var bulkTests = []test{
	{"names of many people", func(t *testing.T, s store.Store) {
		alex, bea, gone := newUser(t, s, "alex"), newUser(t, s, "bea"), newUser(t, s, "gone")
		bea.Source, bea.Disabled, gone.Source, gone.ErasedAt = "corp", true, "corp", day
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.UpdateUser(t.Context(), bea), tx.UpdateUser(t.Context(), gone), tx.PutName(t.Context()))
		})
		var names []core.LoginName
		var folds []auth.Folded
		for i := range 470 {
			owner := []core.User{alex, bea, gone}[i%3]
			name := fmt.Sprintf("Name%03d", i)
			folds = append(folds, auth.Folded(strings.ToLower(name)))
			names = append(names, core.LoginName{UserID: owner.ID, Name: name, Folded: folds[i], Kind: core.NameAlias, Source: "old", ValidFrom: day})
		}
		again := slices.Clone(names[:3])
		for i := range again {
			again[i].Source = "new"
		}
		update(t, s, func(tx store.Tx) error { return tx.PutName(t.Context(), append(names, again...)...) })
		view(t, s, func(tx store.Tx) error {
			var got, want []core.LoginName
			if err := tx.SourceNames(t.Context(), "corp", func(n core.LoginName) { got = append(got, n) }); err != nil {
				return err
			}
			want, err := tx.UserNames(t.Context(), bea.ID)
			if diff := cmp.Diff(want, got); diff != "" || err != nil || len(got) != 157 {
				t.Errorf("SourceNames, %d of them (-UserNames +got): %v\n%s", len(got), err, diff)
			}
			holders := map[auth.Folded][]core.NameHolder{}
			asked := append([]auth.Folded{"nobody"}, folds...)
			if err := tx.HoldersOf(t.Context(), asked, func(h core.NameHolder) { holders[h.Folded] = append(holders[h.Folded], h) }); err != nil {
				return err
			}
			for i, folded := range asked {
				want, err := tx.Holders(t.Context(), folded)
				if diff := cmp.Diff(want, holders[folded]); diff != "" || err != nil || (len(want) == 0) != (i == 0 || i%3 == 0) {
					t.Errorf("HoldersOf %s (-Holders +got): %v\n%s", folded, err, diff)
				}
			}
			if got[0].Source != "new" || got[1].Source != "old" {
				t.Errorf("the last of the same name does not count: %+v", got[:2])
			}
			return tx.HoldersOf(t.Context(), nil, func(core.NameHolder) { t.Error("no folds have holders") })
		})
	}},
	{"identities of many people", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		var list []core.ExternalIdentity
		var ids []string
		for i := range 230 {
			ids = append(ids, fmt.Sprintf("S-%03d", i))
			list = append(list, core.ExternalIdentity{UserID: []core.UserID{alex.ID, bea.ID}[i%2], Source: "corp", Kind: core.IdentitySID, ImmutableID: ids[i]})
		}
		guid := core.ExternalIdentity{UserID: alex.ID, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "g"}
		elsewhere := core.ExternalIdentity{UserID: bea.ID, Source: "ldap", Kind: core.IdentitySID, ImmutableID: ids[0]}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.PutIdentity(t.Context(), list[:3]...), tx.PutIdentity(t.Context(), append(list, guid, elsewhere)...), tx.PutIdentity(t.Context()))
		})
		update(t, s, func(tx store.Tx) error {
			stolen := slices.Clone(list)
			stolen[101].UserID = alex.ID
			if err := tx.PutIdentity(t.Context(), stolen...); !errors.Is(err, core.ErrConflict) {
				t.Errorf("PutIdentity with one of another's = %v, want core.ErrConflict", err)
			}
			return nil
		})
		view(t, s, func(tx store.Tx) error {
			var got []core.ExternalIdentity
			err := tx.SourceIdentities(t.Context(), "corp", func(e core.ExternalIdentity) { got = append(got, e) })
			if diff := cmp.Diff(append([]core.ExternalIdentity{guid}, list...), got); diff != "" || err != nil {
				t.Errorf("SourceIdentities (-want +got): %v\n%s", err, diff)
			}
			owners := map[string][]core.UserID{}
			if err := tx.OwnersOf(t.Context(), core.IdentitySID, append(ids, "S-none", "g"), func(id string, u core.UserID) { owners[id] = append(owners[id], u) }); err != nil {
				return err
			}
			if len(owners) != len(ids) {
				t.Errorf("OwnersOf: %d ids have owners, want %d", len(owners), len(ids))
			}
			for _, id := range ids {
				want, err := tx.OwnersByID(t.Context(), core.IdentitySID, id)
				if diff := cmp.Diff(want, owners[id]); diff != "" || err != nil {
					t.Errorf("OwnersOf %s (-OwnersByID +got): %v\n%s", id, err, diff)
				}
			}
			return nil
		})
	}},
	{"audit lines keep their order", func(t *testing.T, s store.Store) {
		var events []core.AuditEvent
		for i := range 120 {
			events = append(events, core.AuditEvent{At: day, Actor: "sync:corp", Action: fmt.Sprint("a", i)})
		}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.AppendAudit(t.Context()), tx.AppendAudit(t.Context(), events...))
		})
		view(t, s, func(tx store.Tx) error {
			got, err := tx.AuditEvents(t.Context(), 0, 1000)
			slices.Reverse(got)
			for i := range got {
				got[i].ID = 0
			}
			if diff := cmp.Diff(events, got); diff != "" || err != nil {
				t.Errorf("AuditEvents (-want +got): %v\n%s", err, diff)
			}
			return nil
		})
	}},
}

var identityTests = []test{
	{"an identity belongs to one person", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		sid := core.ExternalIdentity{UserID: alex.ID, Source: "ad", Kind: core.IdentitySID, ImmutableID: "S-1-5-21-1"}
		other := core.ExternalIdentity{UserID: bea.ID, Source: "ldap", Kind: core.IdentitySID, ImmutableID: "S-1-5-21-1"}
		update(t, s, func(tx store.Tx) error {
			for range 2 {
				if err := tx.PutIdentity(t.Context(), sid); err != nil {
					return err
				}
			}
			return tx.PutIdentity(t.Context(), other)
		})
		update(t, s, func(tx store.Tx) error {
			stolen := sid
			stolen.UserID = bea.ID
			if err := tx.PutIdentity(t.Context(), stolen); !errors.Is(err, core.ErrConflict) {
				t.Errorf("PutIdentity of another's = %v, want core.ErrConflict", err)
			}
			return tx.SetMeta(t.Context(), "usable", "yes")
		})
		wantMeta(t, s, "usable", "yes")
		view(t, s, func(tx store.Tx) error {
			if id, err := tx.IdentityOwner(t.Context(), "ad", core.IdentitySID, "S-1-5-21-1"); id != alex.ID || err != nil {
				t.Errorf("IdentityOwner = %d, %v; want %d", id, err, alex.ID)
			}
			if _, err := tx.IdentityOwner(t.Context(), "ad", core.IdentitySID, "S-1"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("IdentityOwner = %v, want core.ErrNotFound", err)
			}
			owners, err := tx.OwnersByID(t.Context(), core.IdentitySID, "S-1-5-21-1")
			if diff := cmp.Diff([]core.UserID{alex.ID, bea.ID}, owners); diff != "" || err != nil {
				t.Errorf("OwnersByID (-want +got): %v\n%s", err, diff)
			}
			var list []core.ExternalIdentity
			err = tx.SourceIdentities(t.Context(), "ad", func(e core.ExternalIdentity) { list = append(list, e) })
			if diff := cmp.Diff([]core.ExternalIdentity{sid}, list); diff != "" || err != nil {
				t.Errorf("SourceIdentities (-want +got): %v\n%s", err, diff)
			}
			list, err = tx.UserIdentities(t.Context(), bea.ID)
			if diff := cmp.Diff([]core.ExternalIdentity{other}, list); diff != "" || err != nil {
				t.Errorf("UserIdentities (-want +got): %v\n%s", err, diff)
			}
			return nil
		})
		update(t, s, func(tx store.Tx) error { return tx.DeleteIdentities(t.Context(), alex.ID) })
		view(t, s, func(tx store.Tx) error {
			if list, err := tx.UserIdentities(t.Context(), alex.ID); len(list) != 0 || err != nil {
				t.Errorf("UserIdentities = %v, %v; want none", list, err)
			}
			return nil
		})
	}},
	{"nobody's identity is refused", func(t *testing.T, s store.Store) {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			return tx.PutIdentity(t.Context(), core.ExternalIdentity{UserID: 5, Source: "ad", Kind: core.IdentitySID, ImmutableID: "x"})
		})
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("PutIdentity = %v, want core.ErrNotFound", err)
		}
	}},
}

var passwordTests = []test{
	{"a hash is set, replaced and deleted", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		want := func(want string) {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				got, err := tx.PasswordHash(t.Context(), u.ID)
				if want == "" && !errors.Is(err, core.ErrNotFound) || want != "" && (got != want || err != nil) {
					t.Errorf("PasswordHash = %q, %v; want %q", got, err, want)
				}
				return nil
			})
		}
		want("")
		for _, phc := range []string{"$argon2id$1", "$argon2id$2"} {
			update(t, s, func(tx store.Tx) error { return tx.SetPasswordHash(t.Context(), u.ID, phc) })
			want(phc)
		}
		for range 2 {
			update(t, s, func(tx store.Tx) error { return tx.DeletePassword(t.Context(), u.ID) })
			want("")
		}
	}},
	{"nobody has no password", func(t *testing.T, s store.Store) {
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.SetPasswordHash(t.Context(), 5, "x") })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("SetPasswordHash = %v, want core.ErrNotFound", err)
		}
	}},
}
