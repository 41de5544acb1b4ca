package users_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/store"
)

func TestEraseLeavesNothingThatSCIMBrought(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectoryUser(t, "erased@example.org", "erased")
	ctx := t.Context()
	f.update(t, func(tx store.Tx) error {
		return errors.Join(
			tx.CreateSCIMResource(ctx, store.SCIMResource{
				ID: "r", Source: "corp", Kind: store.SCIMUser, Name: "canary-name", ExternalID: "canary-external", UserID: id, Data: `{"title":"canary-title"}`, CreatedAt: f.now,
			}, []store.SCIMValue{{Path: "username", Value: "canary-value"}}),
			tx.AppendSCIMLog(ctx, store.SCIMEntry{At: f.now, Source: "corp", Resource: "r", Name: "canary-line", UserID: id}),
			tx.AppendSCIMLog(ctx, store.SCIMEntry{At: f.now, Source: "corp", Resource: "r", Name: "canary-refused"}),
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
