package sqlstore_test

import (
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// fillSources gives the tables of directories a row each.
func fillSources(t *testing.T, s store.Store) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.PutConfiguredSource(t.Context(), core.ConfiguredSource{ID: "corp", Config: "type: csv\n", Secrets: map[string][]byte{"bind_password": {0, 1}}, CreatedAt: day})
	}); err != nil {
		t.Fatal(err)
	}
}
