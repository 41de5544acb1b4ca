package users_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

func TestEraseLeavesNothingThatDirectoriesKeep(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectoryUser(t, "erased@example.org", "erased")
	ctx := t.Context()
	key := store.Key{Kind: core.IdentityEntryUUID, ID: "canary-key"}
	f.update(t, func(tx store.Tx) error {
		run, err := tx.CreateSyncRun(ctx, core.SyncRun{Source: "corp"})
		if err != nil {
			return err
		}
		group, err := tx.PutGroup(ctx, store.DirectoryGroup{Group: core.Group{Source: "corp", Kind: core.IdentityEntryUUID, ImmutableID: "g", Name: "staff"}})
		return errors.Join(
			err,
			tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: "corp", Kind: key.Kind, ImmutableID: key.ID}),
			tx.PutGroupMembers(ctx, group, key),
			tx.PutDirectoryEntries(ctx, store.DirectoryEntry{Source: "corp", Key: key, User: id}),
			tx.AppendJournal(ctx, store.JournalRow{Run: run, User: id, At: f.now, Data: []byte("canary-journal")}),
			tx.CreatePlan(ctx, store.DirectoryPlan{ID: "p-1", Source: "corp", Head: []byte("canary-plan"), CreatedAt: f.now, ExpiresAt: f.now}),
			tx.PutPlanPart(ctx, "p-1", 0, []byte("canary-part")),
		)
	})
	if err := f.users.Erase(ctx, "admin", id); err != nil {
		t.Fatal(err)
	}
	if data := databaseFiles(t, f.store); bytes.Contains(data, []byte("canary")) {
		i := bytes.Index(data, []byte("canary"))
		t.Errorf("the database still has %q", data[i:min(i+40, len(data))])
	}
}
