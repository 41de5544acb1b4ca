package core

import (
	"encoding/hex"
	"testing"
	"time"
)

func sampleTransfer() Transfer {
	return Transfer{
		Seq: 7, IdempotencyKey: "key", BodyDigest: [32]byte{1}, Kind: TransferCharge,
		At: time.Date(2026, 11, 21, 8, 0, 0, 1000, time.UTC), Actor: "user:3", Assurance: AssuranceMachine, HoldID: 4,
		Currency: "EUR", NoteDigest: [32]byte{2},
		Entries: []Entry{
			{Account: 1, Amount: -825, Balance: 175, Floor: -100, Kind: AccountUser, UserID: 3},
			{Account: 2, Amount: 825, Balance: 825, Kind: AccountUsage},
		},
	}
}

// A change of the encoding would break every ledger there is: this value must never change.
func TestChainHashIsFrozen(t *testing.T) {
	const want = "a4a6e5ad7d597a208fc54b6a6c7add395d044c49050b55a4d582ddaf9655206b"
	got := sampleTransfer().ChainHash([32]byte{9})
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("ChainHash = %x, want %s", got, want)
	}
}

func TestChainHashCoversEveryField(t *testing.T) {
	want := sampleTransfer().ChainHash([32]byte{9})
	for name, change := range map[string]func(*Transfer){
		"seq":         func(t *Transfer) { t.Seq++ },
		"key":         func(t *Transfer) { t.IdempotencyKey = "kez" },
		"body":        func(t *Transfer) { t.BodyDigest[31]++ },
		"kind":        func(t *Transfer) { t.Kind = TransferRefund },
		"time":        func(t *Transfer) { t.At = t.At.Add(time.Microsecond) },
		"actor":       func(t *Transfer) { t.Actor = "user:4" },
		"assurance":   func(t *Transfer) { t.Assurance = AssurancePassword },
		"hold":        func(t *Transfer) { t.HoldID = 0 },
		"currency":    func(t *Transfer) { t.Currency = "CHF" },
		"note":        func(t *Transfer) { t.NoteDigest = [32]byte{} },
		"no entry":    func(t *Transfer) { t.Entries = t.Entries[:1] },
		"account":     func(t *Transfer) { t.Entries[0].Account = 5 },
		"amount":      func(t *Transfer) { t.Entries[0].Amount = 825 },
		"balance":     func(t *Transfer) { t.Entries[1].Balance++ },
		"floor":       func(t *Transfer) { t.Entries[0].Floor-- },
		"owner":       func(t *Transfer) { t.Entries[0].UserID = 4 },
		"owner kind":  func(t *Transfer) { t.Entries[1].Kind = AccountFunding },
		"order":       func(t *Transfer) { t.Entries[0], t.Entries[1] = t.Entries[1], t.Entries[0] },
		"field edges": func(t *Transfer) { t.Actor, t.Assurance = "user:3m", "achine" },
	} {
		tr := sampleTransfer()
		change(&tr)
		if tr.ChainHash([32]byte{9}) == want {
			t.Errorf("%s: the hash does not change with it", name)
		}
	}
	if sampleTransfer().ChainHash([32]byte{8}) == want {
		t.Error("the hash does not change with the one before")
	}
}

func TestNoteDigestIsSalted(t *testing.T) {
	a := TransferNote{Salt: [16]byte{1}, Text: "thesis.pdf"}
	b := TransferNote{Salt: [16]byte{2}, Text: "thesis.pdf"}
	if a.Digest() == b.Digest() {
		t.Error("the same text under two salts has one digest")
	}
	if (TransferNote{Salt: [16]byte{1}}).Digest() != ([32]byte{}) {
		t.Error("no text has a digest")
	}
}

func TestAvailable(t *testing.T) {
	for _, tt := range []struct {
		a         Account
		overdraft Amount
		want      Amount
	}{
		{Account{Balance: 10, Held: 3}, 0, 7},
		{Account{Balance: 10, Held: 3}, 5, 12},
		{Account{Balance: -4}, 5, 1},
		{Account{Balance: -6}, 5, 0},
	} {
		if got := tt.a.Available(tt.overdraft); got != tt.want {
			t.Errorf("%+v.Available(%d) = %d, want %d", tt.a, tt.overdraft, got, tt.want)
		}
	}
}
