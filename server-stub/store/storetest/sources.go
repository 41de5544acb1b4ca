package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

var sourceTests = []test{
	{"a directory is kept with its secrets, replaced and removed", func(t *testing.T, s store.Store) {
		corp := core.ConfiguredSource{
			ID: "corp", Config: "type: ldap\n", Secrets: map[string][]byte{"bind_password": {1, 0, 2}, "other": {3}},
			CreatedAt: day, ChangedAt: day, ChangedBy: "admin",
		}
		aaa := core.ConfiguredSource{ID: "aaa", Config: "type: csv\n", CreatedAt: day, ChangedAt: day, ChangedBy: "admin"}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.PutConfiguredSource(t.Context(), corp), tx.PutConfiguredSource(t.Context(), aaa))
		})
		expectSources(t, s, aaa, corp)

		changed := corp
		changed.Config, changed.Secrets = "type: ldap\nurl: x\n", map[string][]byte{"bind_password": {9}}
		changed.CreatedAt, changed.ChangedAt, changed.ChangedBy = day.Add(time.Hour), day.Add(time.Hour), "somebody"
		update(t, s, func(tx store.Tx) error { return tx.PutConfiguredSource(t.Context(), changed) })
		changed.CreatedAt = day // the time of its making stays
		expectSources(t, s, aaa, changed)

		update(t, s, func(tx store.Tx) error { return tx.DeleteConfiguredSource(t.Context(), "corp") })
		expectSources(t, s, aaa)
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteConfiguredSource(t.Context(), "corp") })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("removing it twice: %v", err)
		}
	}},
}

func expectSources(t *testing.T, s store.Store, want ...core.ConfiguredSource) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		got, err := tx.ConfiguredSources(t.Context())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ConfiguredSources (-want +got):\n%s", diff)
		}
		return err
	})
}
