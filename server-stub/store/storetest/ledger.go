package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// accounts opens the funding account and one of a new person.
func accounts(t *testing.T, s store.Store) (person, funding core.Account) {
	t.Helper()
	u := newUser(t, s, "alex")
	update(t, s, func(tx store.Tx) (err error) {
		if person, err = tx.EnsureAccount(t.Context(), core.AccountUser, u.ID, "EUR"); err != nil {
			return err
		}
		funding, err = tx.EnsureAccount(t.Context(), core.AccountFunding, 0, "EUR")
		return err
	})
	return person, funding
}

// transfer is a transfer with every field set. The store does not look at sums and hashes.
func transfer(seq int64, person, funding core.Account) core.Transfer {
	return core.Transfer{
		Seq: seq, IdempotencyKey: fmt.Sprint("key ", seq), BodyDigest: [32]byte{1, byte(seq)}, Kind: core.TransferCredit,
		At: day.Add(time.Duration(seq) * time.Hour), Actor: "admin", Assurance: core.AssuranceAdmin, Currency: "EUR",
		Entries: []core.Entry{
			{Account: person.ID, Amount: 5, Balance: core.Amount(5 * seq), Floor: -7, Kind: core.AccountUser, UserID: person.UserID},
			{Account: funding.ID, Amount: -5, Balance: core.Amount(-5 * seq), Kind: core.AccountFunding},
		},
		NoteDigest: [32]byte{2}, PrevHash: [32]byte{3, byte(seq - 1)}, Hash: [32]byte{3, byte(seq)},
	}
}

func book(t *testing.T, s store.Store, list ...core.Transfer) {
	t.Helper()
	for _, tr := range list {
		update(t, s, func(tx store.Tx) error { return tx.AppendTransfer(t.Context(), tr) })
	}
}

// newHold is a pending hold with every field set.
func newHold(t *testing.T, s store.Store, key string, a core.Account, expires time.Time) core.Hold {
	t.Helper()
	h := core.Hold{
		IdempotencyKey: key, BodyDigest: [32]byte{4}, Account: a.ID, Amount: 9, State: core.HoldPending, CreatedAt: day, ExpiresAt: expires,
	}
	update(t, s, func(tx store.Tx) (err error) {
		h.ID, err = tx.CreateHold(t.Context(), h)
		return err
	})
	return h
}

var ledgerTests = []test{
	{"accounts are opened once and keep their state", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		if want := (core.Account{ID: person.ID, Kind: core.AccountUser, UserID: person.UserID, Currency: "EUR"}); person != want {
			t.Errorf("EnsureAccount = %+v, want %+v", person, want)
		}
		person.Balance, person.Held, person.Floor, person.Version = -3, 4, -20, 5
		update(t, s, func(tx store.Tx) error { return tx.UpdateAccount(t.Context(), person) })
		update(t, s, func(tx store.Tx) error {
			for _, want := range []core.Account{person, funding} {
				if got, err := tx.EnsureAccount(t.Context(), want.Kind, want.UserID, "EUR"); got != want || err != nil {
					t.Errorf("EnsureAccount again = %+v, %v; want %+v", got, err, want)
				}
				if got, err := tx.Account(t.Context(), want.ID); got != want || err != nil {
					t.Errorf("Account = %+v, %v; want %+v", got, err, want)
				}
			}
			other, err := tx.EnsureAccount(t.Context(), core.AccountFunding, 0, "CHF")
			if err != nil {
				return err
			}
			list, err := tx.Accounts(t.Context(), 0, 10)
			if diff := cmp.Diff([]core.Account{person, funding, other}, list); diff != "" || err != nil {
				t.Errorf("Accounts (-want +got): %v\n%s", err, diff)
			}
			list, err = tx.Accounts(t.Context(), person.ID, 1)
			if diff := cmp.Diff([]core.Account{funding}, list); diff != "" || err != nil {
				t.Errorf("Accounts, second page (-want +got): %v\n%s", err, diff)
			}
			if _, err := tx.UserAccount(t.Context(), person.UserID, "CHF"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("UserAccount in another currency = %v, want core.ErrNotFound", err)
			}
			if err := tx.UpdateAccount(t.Context(), core.Account{ID: 99}); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("UpdateAccount = %v, want core.ErrNotFound", err)
			}
			return nil
		})
	}},
	{"nobody has no account", func(t *testing.T, s store.Store) {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			_, err := tx.EnsureAccount(t.Context(), core.AccountUser, 99, "EUR")
			return err
		})
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("EnsureAccount = %v, want core.ErrNotFound", err)
		}
	}},
	{"transfers come back whole and in order, and move the head", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		list := []core.Transfer{transfer(1, person, funding), transfer(2, person, funding), transfer(3, person, funding)}
		list[0].PrevHash, list[0].NoteDigest = [32]byte{}, [32]byte{}
		list[2].HoldID = newHold(t, s, "h", person, day).ID
		wantHead := func(want core.LedgerHead) {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				if got, err := tx.LedgerHead(t.Context()); got != want || err != nil {
					t.Errorf("LedgerHead = %+v, %v; want %+v", got, err, want)
				}
				return nil
			})
		}
		wantHead(core.LedgerHead{})
		book(t, s, list...)
		wantHead(core.LedgerHead{Seq: 3, Hash: list[2].Hash})
		view(t, s, func(tx store.Tx) error {
			got, err := tx.Transfers(t.Context(), 0, 10)
			if diff := cmp.Diff(list, got); diff != "" || err != nil {
				t.Errorf("Transfers (-want +got): %v\n%s", err, diff)
			}
			got, err = tx.Transfers(t.Context(), 1, 1)
			if diff := cmp.Diff(list[1:2], got); diff != "" || err != nil {
				t.Errorf("Transfers, second page (-want +got): %v\n%s", err, diff)
			}
			one, err := tx.TransferByKey(t.Context(), "key 2")
			if diff := cmp.Diff(list[1], one); diff != "" || err != nil {
				t.Errorf("TransferByKey (-want +got): %v\n%s", err, diff)
			}
			if _, err := tx.TransferByKey(t.Context(), "key 9"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("TransferByKey = %v, want core.ErrNotFound", err)
			}
			totals, err := tx.LedgerTotals(t.Context())
			want := store.LedgerTotals{Transfers: 3, Entries: 6, Keys: 4, Holds: 1, Sums: map[core.Currency]core.Amount{"EUR": 0}}
			if diff := cmp.Diff(want, totals); diff != "" || err != nil {
				t.Errorf("LedgerTotals (-want +got): %v\n%s", err, diff)
			}
			return nil
		})
	}},
	{"only what follows the head is booked, under a key of its own", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		book(t, s, transfer(1, person, funding))
		for name, change := range map[string]func(*core.Transfer){
			"the same number": func(tr *core.Transfer) { tr.Seq = 1 },
			"a gap":           func(tr *core.Transfer) { tr.Seq = 3 },
			"the same key":    func(tr *core.Transfer) { tr.IdempotencyKey = "key 1" },
		} {
			tr := transfer(2, person, funding)
			change(&tr)
			err := s.Update(t.Context(), func(tx store.Tx) error { return tx.AppendTransfer(t.Context(), tr) })
			if !errors.Is(err, core.ErrConflict) {
				t.Errorf("%s: AppendTransfer = %v, want core.ErrConflict", name, err)
			}
		}
		zero := transfer(2, person, funding)
		zero.Entries[0].Amount = 0
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.AppendTransfer(t.Context(), zero) }); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("an entry of nothing: AppendTransfer = %v, want core.ErrInvalid", err)
		}
		book(t, s, transfer(2, person, funding))
	}},
	{"a statement is newest first, with balances and notes", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		book(t, s, transfer(1, person, funding), transfer(2, person, funding), transfer(3, person, funding))
		note := core.TransferNote{Seq: 2, Salt: [16]byte{7}, Text: "Semester credit"}
		update(t, s, func(tx store.Tx) error { return tx.PutTransferNote(t.Context(), note) })
		lines := []core.StatementLine{
			{Seq: 3, At: day.Add(3 * time.Hour), Kind: core.TransferCredit, Amount: 5, Balance: 15},
			{Seq: 2, At: day.Add(2 * time.Hour), Kind: core.TransferCredit, Amount: 5, Balance: 10, Note: note.Text},
			{Seq: 1, At: day.Add(time.Hour), Kind: core.TransferCredit, Amount: 5, Balance: 5},
		}
		view(t, s, func(tx store.Tx) error {
			got, err := tx.Statement(t.Context(), person.ID, 0, 10)
			if diff := cmp.Diff(lines, got); diff != "" || err != nil {
				t.Errorf("Statement (-want +got): %v\n%s", err, diff)
			}
			got, err = tx.Statement(t.Context(), person.ID, 3, 1)
			if diff := cmp.Diff(lines[1:2], got); diff != "" || err != nil {
				t.Errorf("Statement, second page (-want +got): %v\n%s", err, diff)
			}
			for at, want := range map[time.Time]core.Amount{
				day: 0, day.Add(time.Hour): 5, day.Add(2*time.Hour + time.Minute): 10, day.Add(99 * time.Hour): 15,
			} {
				if got, err := tx.BalanceAt(t.Context(), person.ID, at); got != want || err != nil {
					t.Errorf("BalanceAt(%s) = %d, %v; want %d", at, got, err, want)
				}
			}
			return nil
		})
	}},
	{"notes of one person are deleted", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		other, _ := accounts(t, s)
		book(t, s, transfer(1, person, funding), transfer(2, other, funding))
		notes := []core.TransferNote{{Seq: 1, Salt: [16]byte{1}, Text: "a"}, {Seq: 2, Salt: [16]byte{2}, Text: "b"}}
		for _, n := range notes {
			update(t, s, func(tx store.Tx) error { return tx.PutTransferNote(t.Context(), n) })
		}
		update(t, s, func(tx store.Tx) error {
			if n, err := tx.DeleteUserNotes(t.Context(), person.UserID); n != 1 || err != nil {
				t.Errorf("DeleteUserNotes = %d, %v; want 1", n, err)
			}
			return nil
		})
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.TransferNote(t.Context(), 1); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("TransferNote of the deleted = %v, want core.ErrNotFound", err)
			}
			if got, err := tx.TransferNote(t.Context(), 2); got != notes[1] || err != nil {
				t.Errorf("TransferNote of the other = %v, %v", got, err)
			}
			got, err := tx.TransferNotes(t.Context(), 0, 2)
			if diff := cmp.Diff(notes[1:], got); diff != "" || err != nil {
				t.Errorf("TransferNotes (-want +got): %v\n%s", err, diff)
			}
			return nil
		})
	}},
	{"a hold is settled once", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		posted, voided := newHold(t, s, "p", person, day.Add(time.Hour)), newHold(t, s, "v", person, day.Add(2*time.Hour))
		pending := newHold(t, s, "n", person, day.Add(3*time.Hour))
		book(t, s, transfer(1, person, funding))
		update(t, s, func(tx store.Tx) error {
			list, err := tx.ExpiredHolds(t.Context(), day.Add(2*time.Hour), 10)
			if diff := cmp.Diff([]core.Hold{posted, voided}, list); diff != "" || err != nil {
				t.Errorf("ExpiredHolds (-want +got): %v\n%s", err, diff)
			}
			if err := tx.SettleHold(t.Context(), posted.ID, core.HoldPosted, 1, day); err != nil {
				return err
			}
			return tx.SettleHold(t.Context(), voided.ID, core.HoldVoided, 0, day.Add(time.Minute))
		})
		posted.State, posted.Seq, posted.SettledAt = core.HoldPosted, 1, day
		voided.State, voided.SettledAt = core.HoldVoided, day.Add(time.Minute)
		update(t, s, func(tx store.Tx) error {
			for _, h := range []core.Hold{posted, voided, {ID: 99}} {
				if err := tx.SettleHold(t.Context(), h.ID, core.HoldVoided, 0, day); !errors.Is(err, core.ErrConflict) {
					t.Errorf("SettleHold(%d) again = %v, want core.ErrConflict", h.ID, err)
				}
			}
			list, err := tx.Holds(t.Context(), 0, 10)
			if diff := cmp.Diff([]core.Hold{posted, voided, pending}, list); diff != "" || err != nil {
				t.Errorf("Holds (-want +got): %v\n%s", err, diff)
			}
			for name, list := range map[string]func() ([]core.Hold, error){
				"PendingHolds": func() ([]core.Hold, error) { return tx.PendingHolds(t.Context(), person.ID) },
				"ExpiredHolds": func() ([]core.Hold, error) { return tx.ExpiredHolds(t.Context(), day.Add(99*time.Hour), 10) },
				"HoldByKey":    func() ([]core.Hold, error) { h, err := tx.HoldByKey(t.Context(), "n"); return []core.Hold{h}, err },
				"Hold":         func() ([]core.Hold, error) { h, err := tx.Hold(t.Context(), pending.ID); return []core.Hold{h}, err },
				"a page":       func() ([]core.Hold, error) { return tx.Holds(t.Context(), voided.ID, 1) },
			} {
				got, err := list()
				if diff := cmp.Diff([]core.Hold{pending}, got); diff != "" || err != nil {
					t.Errorf("%s (-want +got): %v\n%s", name, err, diff)
				}
			}
			return nil
		})
		err := s.Update(t.Context(), func(tx store.Tx) error {
			_, err := tx.CreateHold(t.Context(), pending)
			return err
		})
		if !errors.Is(err, core.ErrConflict) {
			t.Errorf("CreateHold under a used key = %v, want core.ErrConflict", err)
		}
	}},
	{"what is booked stays as it is (I6)", func(t *testing.T, s store.Store) {
		person, funding := accounts(t, s)
		book(t, s, transfer(1, person, funding))
		settled, pending := newHold(t, s, "a", person, day), newHold(t, s, "b", person, day)
		update(t, s, func(tx store.Tx) error { return tx.SettleHold(t.Context(), settled.ID, core.HoldVoided, 0, day) })
		for _, statement := range []string{
			"UPDATE transfers SET actor = 'x'", "UPDATE transfers SET at = at", "DELETE FROM transfers",
			"UPDATE entries SET amount = 1", "DELETE FROM entries",
			"UPDATE accounts SET user_id = 77", "UPDATE accounts SET kind = 'usage' WHERE kind = 'funding'", "DELETE FROM accounts",
			fmt.Sprint("UPDATE holds SET state = 'pending' WHERE id = ", settled.ID),
			fmt.Sprint("UPDATE holds SET amount = 1, state = 'voided' WHERE id = ", pending.ID),
			fmt.Sprint("UPDATE holds SET amount = 1 WHERE id = ", pending.ID),
			"DELETE FROM holds",
			"INSERT INTO transfers SELECT 2, 'key 1', body_digest, kind, at, actor, assurance, hold_id, currency, note_digest, prev_hash, hash FROM transfers",
		} {
			WantRefused(t, s, statement)
		}
	}},
}
