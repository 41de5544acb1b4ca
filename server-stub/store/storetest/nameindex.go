package storetest

import (
	"slices"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// changedSince returns whose names changed, and the new mark; ok is false where the database keeps no order.
func changedSince(t *testing.T, s store.Store, since store.NameMark) (ids []core.UserID, now store.NameMark, ok bool) {
	t.Helper()
	view(t, s, func(tx store.Tx) (err error) {
		if now, ok, err = tx.NameMark(t.Context()); err != nil || !ok {
			return err
		}
		ids = nil
		return tx.NamesSince(t.Context(), since, func(id core.UserID) { ids = append(ids, id) })
	})
	slices.Sort(ids)
	return slices.Compact(ids), now, ok
}

var nameIndexTests = []test{
	{"all names come user by user, but those of erased people", func(t *testing.T, s store.Store) {
		alex, bea, gone := newUser(t, s, "alex"), newUser(t, s, "bea"), newUser(t, s, "gone")
		update(t, s, func(tx store.Tx) error {
			for _, n := range []core.LoginName{
				{UserID: bea.ID, Name: "Bea", Folded: "bea", Kind: core.NameUsername, ValidFrom: day},
				{UserID: alex.ID, Name: "alex", Folded: "alex", Kind: core.NameSAM, Domain: "corp", ValidFrom: day},
				{UserID: alex.ID, Name: "old", Folded: "old", Kind: core.NameAlias, ValidFrom: day, ValidTo: day},
				{UserID: gone.ID, Name: "gone", Folded: "gone", Kind: core.NameAlias, ValidFrom: day},
			} {
				if err := tx.PutName(t.Context(), n); err != nil {
					return err
				}
			}
			bea.Disabled, gone.ErasedAt = true, day
			if err := tx.UpdateUser(t.Context(), bea); err != nil {
				return err
			}
			return tx.UpdateUser(t.Context(), gone)
		})
		var got []string
		view(t, s, func(tx store.Tx) error {
			return tx.AllNames(t.Context(), func(h core.NameHolder) {
				state := " ended"
				if h.ValidTo.IsZero() {
					state = ""
				}
				if !h.Active {
					state += " inactive"
				}
				got = append(got, h.Name+state)
			})
		})
		if want := []string{"alex", "old ended", "Bea inactive"}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}},
	{"every change of a name is known since a mark", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		_, mark, ok := changedSince(t, s, store.NameMark{})
		if !ok {
			return // PostgreSQL: several nodes write
		}
		name := core.LoginName{UserID: alex.ID, Name: "alex", Folded: "alex", Kind: core.NameUsername, ValidFrom: day}
		id := func() (id int64) {
			view(t, s, func(tx store.Tx) error {
				names, err := tx.UserNames(t.Context(), alex.ID)
				if err == nil {
					id = names[0].ID
				}
				return err
			})
			return id
		}
		steps := []struct {
			name string
			do   func(tx store.Tx) error
			want []core.UserID
		}{
			{"a new name", func(tx store.Tx) error { return tx.PutName(t.Context(), name) }, []core.UserID{alex.ID}},
			{"the same again", func(tx store.Tx) error { return tx.PutName(t.Context(), name) }, nil},
			{"the end of it", func(tx store.Tx) error { return tx.EndName(t.Context(), id(), day) }, []core.UserID{alex.ID}},
			{"its renewal", func(tx store.Tx) error { return tx.PutName(t.Context(), name) }, []core.UserID{alex.ID}},
			{"another department", func(tx store.Tx) error {
				alex.Department = "Lab"
				return tx.UpdateUser(t.Context(), alex)
			}, nil},
			{"a disabled account", func(tx store.Tx) error {
				bea.Disabled = true
				return tx.UpdateUser(t.Context(), bea)
			}, []core.UserID{bea.ID}},
			{"a soft delete", func(tx store.Tx) error {
				bea.DeletedAt = day
				return tx.UpdateUser(t.Context(), bea)
			}, []core.UserID{bea.ID}},
			{"another source", func(tx store.Tx) error {
				alex.Source = "corp"
				return tx.UpdateUser(t.Context(), alex)
			}, []core.UserID{alex.ID}},
			{"two at once", func(tx store.Tx) error {
				bea.DeletedAt, alex.Disabled = day.AddDate(0, 0, 1), true
				if err := tx.UpdateUser(t.Context(), bea); err != nil {
					return err
				}
				return tx.UpdateUser(t.Context(), alex)
			}, []core.UserID{alex.ID, bea.ID}},
			{"an undone name", func(tx store.Tx) error { return tx.DeleteName(t.Context(), id()) }, []core.UserID{alex.ID}},
			{"a name again", func(tx store.Tx) error { return tx.PutName(t.Context(), name) }, []core.UserID{alex.ID}},
			{"an erasure", func(tx store.Tx) error { return tx.DeleteNames(t.Context(), alex.ID) }, []core.UserID{alex.ID}},
		}
		for _, step := range steps {
			update(t, s, step.do)
			var got []core.UserID
			if got, mark, _ = changedSince(t, s, mark); !slices.Equal(got, step.want) {
				t.Errorf("%s: changed %v, want %v", step.name, got, step.want)
			}
		}
	}},
}
