package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/store"
)

// fillSCIM puts a row into every table of SCIM.
func fillSCIM(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	if err := s.Update(ctx, func(tx store.Tx) error {
		return errors.Join(
			tx.CreateSCIMToken(ctx, store.SCIMToken{ID: "a", Source: "entra", Hash: [32]byte{1}, CreatedAt: day}),
			tx.CreateSCIMResource(ctx, store.SCIMResource{ID: "u", Source: "entra", Kind: store.SCIMUser, Name: "alex", UserID: 1, Data: "{}"}, []store.SCIMValue{{Path: "p", Value: "v"}}),
			tx.CreateSCIMResource(ctx, store.SCIMResource{ID: "g", Source: "entra", Kind: store.SCIMGroup, Name: "g", Data: "{}"}, nil),
			func() error { _, err := tx.ChangeSCIMMembers(ctx, "entra", "g", []string{"u"}, nil); return err }(),
			tx.AppendSCIMLog(ctx, store.SCIMEntry{Source: "entra", At: day}),
			tx.PutSCIMConnection(ctx, store.SCIMConnection{Source: "entra", LastSeenAt: day}),
		)
	}); err != nil {
		t.Fatal(err)
	}
}
