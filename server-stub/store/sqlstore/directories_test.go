package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// fillDirectories gives every table of directories a row.
func fillDirectories(t *testing.T, s store.Store) {
	t.Helper()
	ctx := t.Context()
	if err := s.Update(ctx, func(tx store.Tx) error {
		key := store.Key{Kind: core.IdentityObjectGUID, ID: "g"}
		group, err := tx.PutGroup(ctx, store.DirectoryGroup{Group: core.Group{Source: "ad", Kind: key.Kind, ImmutableID: key.ID, Name: "Ä"}, Fingerprint: [16]byte{0xff}})
		return errors.Join(
			err,
			tx.PutGroupMembers(ctx, group, key),
			tx.PutDirectoryEntries(ctx, store.DirectoryEntry{Source: "ad", Key: key, Fingerprint: [16]byte{0xff}, User: 1}),
			tx.PutSourceState(ctx, core.SourceState{Source: "ad", Bookmark: []byte{0xff}, LastFull: day}),
			tx.CreatePlan(ctx, store.DirectoryPlan{ID: "p", Source: "ad", Head: []byte{0xff}, CreatedAt: day, ExpiresAt: day}),
			tx.PutPlanPart(ctx, "p", 0, []byte{0xff}),
			tx.AppendJournal(ctx, store.JournalRow{Run: 1, User: 1, At: day, Data: []byte{0xff}}),
		)
	}); err != nil {
		t.Fatal(err)
	}
}
