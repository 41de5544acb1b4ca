package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// However many keys are asked for, each is found once: statements have places for few, some or many of them.
func TestEveryNumberOfKeys(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	var ids []core.UserID
	if err := s.Update(ctx, func(tx store.Tx) error {
		ids = nil
		for i := range 450 {
			id, err := tx.CreateUser(ctx, core.User{Username: fmt.Sprint("u", i), Source: "corp", CreatedAt: day})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 2, 7, 8, 9, 40, 41, 199, 200, 201, 208, 240, 401, 450} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var found []core.UserID
			if err := s.View(ctx, func(tx store.Tx) error {
				found = nil
				return tx.UsersOf(ctx, ids[:n], func(u core.User) { found = append(found, u.ID) })
			}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]core.UserID(nil), ids[:n]...), found); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
