package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// verifyPage is how many transfers are read at once.
const verifyPage = 1000

// Progress is told how many of about how many transfers were read.
type Progress func(done, total int64)

// Verify reads the whole ledger and reports what is wrong with it; see the package comment for what it checks. The error
// is only one of reading. The ledger may be in use meanwhile: it is read in pieces, and only the last one, with the
// balances, is compared in one snapshot. Verdict remembers what came of it.
func (l *Ledger) Verify(ctx context.Context, progress Progress) (Report, error) {
	return l.verify(ctx, progress, nil)
}

// Verify is Ledger.Verify for a store that no ledger runs on, such as one just restored. progress may be nil.
func Verify(ctx context.Context, s store.Store, progress Progress) (Report, error) {
	return verify(ctx, s, progress, nil)
}

// verify calls rest, if there is one, between pieces.
func verify(ctx context.Context, s store.Store, progress Progress, rest func(context.Context) error) (Report, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if rest == nil {
		rest = func(context.Context) error { return nil }
	}
	v := &verifier{
		balances: map[core.AccountID]core.Amount{}, currencies: map[core.AccountID]core.Currency{},
		anchors: map[int64][]string{}, sums: map[core.Currency]core.Amount{}, progress: progress,
	}
	if err := s.View(ctx, func(tx store.Tx) error { return v.readAnchors(ctx, tx) }); err != nil {
		return Report{}, fmt.Errorf("verify the ledger: %w", err)
	}
	for {
		more := false
		if err := s.View(ctx, func(tx store.Tx) (err error) {
			more, err = v.page(ctx, tx)
			return err
		}); err != nil {
			return Report{}, fmt.Errorf("verify the ledger after transfer %d: %w", v.seq, err)
		}
		if !more {
			break
		}
		if err := rest(ctx); err != nil {
			return Report{}, fmt.Errorf("verify the ledger after transfer %d: %w", v.seq, err)
		}
	}
	if err := s.View(ctx, func(tx store.Tx) error { return v.finish(ctx, tx) }); err != nil {
		return Report{}, fmt.Errorf("verify the ledger after transfer %d: %w", v.seq, err)
	}
	return v.report, nil
}

// verifier is what was seen so far. A View that is run again must not see a page twice, so pages move it only at their
// end; stores run a View again only before it saw anything.
type verifier struct {
	report   Report
	progress Progress

	seq        int64    // of the last transfer read
	hash       [32]byte // its hash as stored
	entries    int64
	posted     int64 // transfers that post a hold
	balances   map[core.AccountID]core.Amount
	currencies map[core.AccountID]core.Currency // of the transfers that touch the account
	sums       map[core.Currency]core.Amount
	anchors    map[int64][]string // hex hashes by seq
}

func (v *verifier) bad(f Finding, format string, args ...any) {
	f.What = fmt.Sprintf(format, args...)
	v.report.add(f)
}

// readAnchors collects the anchors of the audit log.
func (v *verifier) readAnchors(ctx context.Context, tx store.Tx) error {
	before := int64(0)
	for {
		events, err := tx.AuditEvents(ctx, before, 1000)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			before = e.ID
			var seq int64
			var hash string
			if e.Action != anchorAction {
				continue
			}
			if _, err := fmt.Sscanf(e.Detail, anchorFormat, &seq, &hash); err != nil {
				v.bad(Finding{Invariant: "I7"}, "audit event %d is an anchor that cannot be read", e.ID)
				continue
			}
			v.anchors[seq] = append(v.anchors[seq], hash)
			v.report.Anchors++
		}
	}
}

// page reads the next transfers and tells whether there may be more.
func (v *verifier) page(ctx context.Context, tx store.Tx) (more bool, err error) {
	list, err := tx.Transfers(ctx, v.seq, verifyPage)
	if err != nil || len(list) == 0 {
		return false, err
	}
	notes, err := tx.TransferNotes(ctx, v.seq, list[len(list)-1].Seq)
	if err != nil {
		return false, err
	}
	head, err := tx.LedgerHead(ctx)
	if err != nil {
		return false, err
	}
	for _, t := range list {
		if err := v.transfer(ctx, tx, t); err != nil {
			return false, err
		}
	}
	v.notes(list, notes)
	v.progress(v.report.Transfers, head.Seq)
	return len(list) == verifyPage, nil
}

// transfer checks one transfer against all before it.
func (v *verifier) transfer(ctx context.Context, tx store.Tx, t core.Transfer) error {
	at := Finding{Seq: t.Seq}
	v.report.Transfers++
	v.chain(t)
	v.legs(t)
	for _, e := range t.Entries {
		v.entry(t, e)
	}
	for _, anchor := range v.anchors[t.Seq] {
		if anchor != hex.EncodeToString(t.Hash[:]) {
			at.Invariant = "I7"
			v.bad(at, "the audit log anchored another hash of it: the ledger was rewritten")
		}
	}
	delete(v.anchors, t.Seq)
	v.seq, v.hash = t.Seq, t.Hash
	if t.HoldID == 0 {
		return nil
	}
	return v.postedHold(ctx, tx, t)
}

// chain checks the number, the link and the hash (I7).
func (v *verifier) chain(t core.Transfer) {
	at := Finding{Invariant: "I7", Seq: t.Seq}
	switch {
	case t.Seq != v.seq+1:
		gap := Finding{Invariant: "I7", Seq: v.seq + 1}
		v.bad(gap, "%d transfers are missing, from %d to %d", t.Seq-v.seq-1, v.seq+1, t.Seq-1)
	case t.PrevHash != v.hash:
		v.bad(at, "it does not follow transfer %d: their hashes differ", v.seq)
	}
	if t.ChainHash(t.PrevHash) != t.Hash {
		v.bad(at, "its row was changed: it does not have its hash")
	}
}

// legs checks that the two entries are those of the kind, sum to zero and are in range (I2, I10).
func (v *verifier) legs(t core.Transfer) {
	at := Finding{Invariant: "I2", Seq: t.Seq}
	other, gains, known := direction(t.Kind)
	if !known || len(t.Entries) != 2 {
		v.bad(at, "it is a %q with %d entries", t.Kind, len(t.Entries))
		return
	}
	person, own := t.Entries[0], t.Entries[1]
	switch {
	case person.Amount+own.Amount != 0:
		v.bad(at, "its entries do not sum to zero: %s and %s", person.Amount, own.Amount)
	case person.Kind != core.AccountUser || own.Kind != other || (person.Amount > 0) != gains:
		v.bad(at, "a %s of %s is between a %s and a %s account", t.Kind, person.Amount, person.Kind, own.Kind)
	}
	if person.Amount == 0 || person.Amount > core.MaxAmount || person.Amount < -core.MaxAmount {
		at.Invariant = "I10"
		v.bad(at, "its amount %s is out of range", person.Amount)
	}
}

// entry checks the running balance (I3) and the limit (I9).
func (v *verifier) entry(t core.Transfer, e core.Entry) {
	at := Finding{Invariant: "I3", Seq: t.Seq, Account: e.Account}
	v.entries++
	balance, err := v.balances[e.Account].Add(e.Amount)
	if err != nil {
		v.bad(Finding{Invariant: "I10", Seq: t.Seq, Account: e.Account}, "its balance leaves the range")
	}
	if balance != e.Balance {
		v.bad(at, "the balance after it is %s, it says %s", balance, e.Balance)
	}
	v.balances[e.Account] = balance
	if was, seen := v.currencies[e.Account]; seen && was != t.Currency {
		at.Invariant = "I1"
		v.bad(at, "it is in %s, the account in %s", t.Currency, was)
	}
	v.currencies[e.Account] = t.Currency
	v.sums[t.Currency] += e.Amount
	if e.Kind == core.AccountUser && e.Amount < 0 && (balance < e.Floor || e.Floor > 0) {
		at.Invariant = "I9"
		v.bad(at, "it took the balance to %s, the limit was %s", balance, e.Floor)
	}
}

// postedHold checks that a transfer and its hold belong together (I8).
func (v *verifier) postedHold(ctx context.Context, tx store.Tx, t core.Transfer) error {
	v.posted++
	at := Finding{Invariant: "I8", Seq: t.Seq, Hold: t.HoldID}
	h, err := tx.Hold(ctx, t.HoldID)
	switch {
	case errors.Is(err, core.ErrNotFound):
		v.bad(at, "its hold is missing")
		return nil
	case err != nil:
		return err
	case h.State != core.HoldPosted || h.Seq != t.Seq:
		v.bad(at, "its hold is %s, by transfer %d", h.State, h.Seq)
	}
	if t.Kind != core.TransferCharge || len(t.Entries) == 0 || t.Entries[0].Account != h.Account || -t.Entries[0].Amount > h.Amount {
		v.bad(at, "it is not a charge of at most %s to the account %d of its hold", h.Amount, h.Account)
	}
	return nil
}

// notes checks the texts that are still there against their digests.
func (v *verifier) notes(list []core.Transfer, notes []core.TransferNote) {
	i := 0
	for _, n := range notes {
		v.report.Notes++
		for i < len(list) && list[i].Seq < n.Seq {
			i++
		}
		if i == len(list) || list[i].Seq != n.Seq || list[i].NoteDigest != n.Digest() {
			v.bad(Finding{Invariant: "I7", Seq: n.Seq}, "its note is not the one it was booked with")
		}
	}
}

// finish reads the rest and compares what stands beside the chain, all in one snapshot.
func (v *verifier) finish(ctx context.Context, tx store.Tx) error {
	for more := true; more; {
		var err error
		if more, err = v.page(ctx, tx); err != nil {
			return err
		}
	}
	head, err := tx.LedgerHead(ctx)
	if err != nil {
		return err
	}
	v.report.Head = head
	v.end(head)
	pending, err := v.holds(ctx, tx)
	if err != nil {
		return err
	}
	if err := v.accounts(ctx, tx, pending); err != nil {
		return err
	}
	return v.totals(ctx, tx)
}

// end checks that the chain ends where the head says, and that no anchor lies beyond it.
func (v *verifier) end(head core.LedgerHead) {
	at := Finding{Invariant: "I7", Seq: max(head.Seq, v.seq)}
	switch {
	case head.Seq > v.seq:
		at.Seq = v.seq + 1
		v.bad(at, "it and all after it are missing: the head is transfer %d", head.Seq)
	case head.Seq < v.seq:
		v.bad(at, "it is beyond the head, which is transfer %d", head.Seq)
	case head.Hash != v.hash:
		v.bad(at, "the head has another hash")
	}
	for seq := range v.anchors {
		v.bad(Finding{Invariant: "I7", Seq: seq}, "the audit log anchored it, but it is missing")
	}
}

// holds checks the states of holds (I8) and returns what is held of each account.
func (v *verifier) holds(ctx context.Context, tx store.Tx) (map[core.AccountID]core.Amount, error) {
	pending := map[core.AccountID]core.Amount{}
	posted := int64(0)
	for after := int64(0); ; {
		list, err := tx.Holds(ctx, after, verifyPage)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			v.report.Holds++
			at := Finding{Invariant: "I8", Hold: h.ID, Account: h.Account}
			if (h.State == core.HoldPending) != h.SettledAt.IsZero() || (h.State == core.HoldPosted) != (h.Seq != 0) || h.Amount <= 0 {
				v.bad(at, "it is %s, over %s, by transfer %d", h.State, h.Amount, h.Seq)
			}
			switch h.State {
			case core.HoldPending:
				pending[h.Account] += h.Amount
			case core.HoldPosted:
				posted++
			case core.HoldVoided:
			}
			after = h.ID
		}
		if len(list) < verifyPage {
			break
		}
	}
	if posted != v.posted {
		v.bad(Finding{Invariant: "I8"}, "%d holds are posted, %d transfers post a hold", posted, v.posted)
	}
	return pending, nil
}

// accounts compares the cached balances (I3) and limits (I9).
func (v *verifier) accounts(ctx context.Context, tx store.Tx, pending map[core.AccountID]core.Amount) error {
	for after := core.AccountID(0); ; {
		list, err := tx.Accounts(ctx, after, verifyPage)
		if err != nil {
			return err
		}
		for _, a := range list {
			v.report.Accounts++
			v.account(a, pending[a.ID])
			delete(v.balances, a.ID)
			delete(pending, a.ID)
			after = a.ID
		}
		if len(list) < verifyPage {
			break
		}
	}
	for id := range v.balances {
		v.bad(Finding{Invariant: "I3", Account: id}, "it is missing, but has entries")
	}
	for id := range pending {
		v.bad(Finding{Invariant: "I8", Account: id}, "it is missing, but has pending holds")
	}
	return nil
}

func (v *verifier) account(a core.Account, held core.Amount) {
	at := Finding{Invariant: "I3", Account: a.ID}
	if a.Balance != v.balances[a.ID] {
		v.bad(at, "its balance is %s, its entries sum to %s", a.Balance, v.balances[a.ID])
	}
	if a.Held != held {
		v.bad(at, "%s is held, its pending holds sum to %s", a.Held, held)
	}
	if currency, used := v.currencies[a.ID]; used && currency != a.Currency {
		v.bad(Finding{Invariant: "I1", Account: a.ID}, "it is in %s, its transfers in %s", a.Currency, currency)
	}
	if a.Kind == core.AccountUser && (a.Balance-a.Held < a.Floor || a.Floor > 0) {
		v.bad(Finding{Invariant: "I9", Account: a.ID}, "%s less %s held is below its limit %s", a.Balance, a.Held, a.Floor)
	}
}

// totals compares what was read with what the database counts by itself (I1, I2, I4).
func (v *verifier) totals(ctx context.Context, tx store.Tx) error {
	totals, err := tx.LedgerTotals(ctx)
	if err != nil {
		return err
	}
	if totals.Transfers != v.report.Transfers || totals.Entries != v.entries || totals.Holds != v.report.Holds {
		v.bad(Finding{Invariant: "I2"}, "%d transfers, %d entries and %d holds were read, the database counts %d, %d and %d",
			v.report.Transfers, v.entries, v.report.Holds, totals.Transfers, totals.Entries, totals.Holds)
	}
	if totals.Keys != totals.Transfers+totals.Holds {
		v.bad(Finding{Invariant: "I4"}, "%d transfers and %d holds have %d different keys", totals.Transfers, totals.Holds, totals.Keys)
	}
	for currency, sum := range totals.Sums {
		if sum != 0 || v.sums[currency] != 0 {
			v.bad(Finding{Invariant: "I1"}, "all entries in %s sum to %s", currency, sum)
		}
	}
	return nil
}
