package users_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/users"
)

func TestErasingLeavesTheLedgerValid(t *testing.T) {
	f := newFixture(t)
	u := f.add(t, users.NewUser{Username: "alex", DisplayName: "Alex Test"})
	ctx, stop := context.WithCancel(t.Context())
	book := ledger.New(f.store, func() time.Time { return f.now }, ledger.Options{Currency: "EUR"})
	ended := make(chan error, 1)
	go func() { ended <- book.Run(ctx) }()
	for _, p := range []ledger.Posting{
		{Key: "a", Kind: core.TransferCredit, User: u.ID, Amount: 100000, Actor: "admin", Assurance: core.AssuranceAdmin, Note: "canary note for Alex"},
		{Key: "b", Kind: core.TransferCharge, User: u.ID, Amount: 2500, Actor: "system", Assurance: core.AssuranceMachine, Note: "canary-title.pdf"},
	} {
		if _, err := book.Post(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.users.Erase(ctx, "admin", u.ID); err != nil {
		t.Fatal(err)
	}
	report, err := book.Verify(ctx, nil)
	if err != nil || !report.OK() || report.Transfers != 2 || report.Notes != 0 {
		t.Errorf("after the erasure: %v, %v", report, err)
	}
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if data := databaseFiles(t, f.store); bytes.Contains(data, []byte("canary")) || bytes.Contains(data, []byte("Alex")) {
		t.Error("texts of the person's transfers are still in the database")
	}
}
