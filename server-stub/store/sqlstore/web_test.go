package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// fillWeb gives the first person something in every table of the pages.
func fillWeb(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	if err := s.Update(ctx, func(tx store.Tx) error {
		return errors.Join(
			tx.PutRole(ctx, core.RoleGrant{UserID: 1, Role: core.RoleOwner, GrantedBy: "admin", GrantedAt: day}),
			tx.CreatePasskey(ctx, core.Passkey{ID: "k", UserID: 1, Handle: [32]byte{1}, Credential: "{}", CreatedAt: day}),
			tx.CreateFlow(ctx, core.Flow{Hash: [32]byte{1}, Kind: "oidc", Data: "{}", ExpiresAt: day}),
		)
	}); err != nil {
		t.Fatal(err)
	}
}
