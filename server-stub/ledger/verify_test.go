package ledger_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// without drops the triggers that would stop the tampering.
var without = []string{
	"DROP TRIGGER transfers_keep_update", "DROP TRIGGER transfers_keep_delete", "DROP TRIGGER entries_keep_update",
	"DROP TRIGGER entries_keep_delete", "DROP TRIGGER accounts_keep_update", "DROP TRIGGER accounts_keep_delete",
	"DROP TRIGGER holds_keep_update", "DROP TRIGGER holds_keep_delete", "PRAGMA ignore_check_constraints = 1",
}

// populate books eight transfers of two people (accounts 1 and 3; 2 is funding, 4 usage), with one hold of each state.
func populate(t *testing.T, f *fixture) {
	t.Helper()
	alex, bea := f.addUser(t, 0), f.addUser(t, 100)
	p := posting("credit", core.TransferCredit, alex, 1000)
	p.Note = "Semester credit"
	if _, err := f.Post(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	f.mustPost(t, "bea", core.TransferCredit, bea, 500)
	f.mustPost(t, "charge", core.TransferCharge, alex, 100)
	for i := range 4 {
		f.mustPost(t, fmt.Sprint("more", i), core.TransferCredit, alex, 10)
	}
	posted, voided := f.mustHold(t, "h1", alex, 50), f.mustHold(t, "h2", alex, 60)
	f.mustHold(t, "h3", alex, 70)
	if _, err := f.PostHold(t.Context(), ledger.Settlement{Key: "p", Hold: posted.ID, Amount: 40, Actor: "system"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.VoidHold(t.Context(), voided.ID); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Anchor(t.Context(), f.Ledger); err != nil {
		t.Fatal(err)
	}
}

// rehash gives the transfers the hashes their rows have now, as somebody would who knows the code and hides a change.
func rehash(t *testing.T, s store.Store) {
	t.Helper()
	var prev [32]byte
	var statements []string
	if err := s.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Transfers(t.Context(), 0, 1000)
		for _, tr := range list {
			hash := tr.ChainHash(prev)
			was := "NULL"
			if tr.Seq > 1 {
				was = "X'" + hex.EncodeToString(prev[:]) + "'"
			}
			statements = append(statements, fmt.Sprintf("UPDATE transfers SET prev_hash = %s, hash = X'%x' WHERE seq = %d", was, hash, tr.Seq))
			prev = hash
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	storetest.Tamper(t, s, append(statements, fmt.Sprintf("UPDATE ledger_head SET hash = X'%x'", prev))...)
}

func TestVerifyNamesWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		sql    string
		rehash bool
		want   string // the start of one finding
	}{
		"an amount": {sql: "UPDATE entries SET amount = 2000 WHERE seq = 1 AND line = 1", want: "I7, transfer 1: its row was changed"},
		"an amount, hash made to fit": {
			sql: "UPDATE entries SET amount = 2000 WHERE seq = 1 AND line = 1", rehash: true, want: "I2, transfer 1: its entries do not sum to zero",
		},
		"both amounts, hash made to fit": {
			sql: "UPDATE entries SET amount = 2 * amount WHERE seq = 1", rehash: true, want: "I3, transfer 1, account 1: the balance after it",
		},
		"the whole ledger, but for the audit log": {
			sql: "UPDATE transfers SET at = at + 1 WHERE seq = 3", rehash: true, want: "I7, transfer 8: the audit log anchored another hash",
		},
		"a sum, as the database counts": {
			sql: "UPDATE entries SET amount = 2000 WHERE seq = 1 AND line = 1", rehash: true, want: "I1, the ledger: all entries in EUR sum to 0.1",
		},
		"a bit of a hash":        {sql: "UPDATE transfers SET hash = X'" + strings.Repeat("00", 32) + "' WHERE seq = 4", want: "I7, transfer 4: its row was changed"},
		"a link":                 {sql: "UPDATE transfers SET prev_hash = hash WHERE seq = 4", want: "I7, transfer 4: it does not follow transfer 3"},
		"a time":                 {sql: "UPDATE transfers SET at = at + 1 WHERE seq = 5", want: "I7, transfer 5: its row was changed"},
		"an actor":               {sql: "UPDATE transfers SET actor = 'user:1' WHERE seq = 5", want: "I7, transfer 5: its row was changed"},
		"a key":                  {sql: "UPDATE transfers SET idempotency_key = 'other' WHERE seq = 5", want: "I7, transfer 5: its row was changed"},
		"a transfer in between":  {sql: "DELETE FROM transfers WHERE seq = 4", want: "I7, transfer 4: 1 transfers are missing, from 4 to 4"},
		"the first transfer":     {sql: "DELETE FROM transfers WHERE seq = 1", want: "I7, transfer 1: 1 transfers are missing"},
		"the last transfer":      {sql: "DELETE FROM transfers WHERE seq = 8", want: "I7, transfer 8: it and all after it are missing"},
		"an entry":               {sql: "DELETE FROM entries WHERE seq = 6 AND line = 2", want: "I2, transfer 6: it is a"},
		"an orphaned entry":      {sql: "INSERT INTO entries VALUES (99, 1, 1, 5, 5, 0)", want: "I2, the ledger: 8 transfers, 16 entries"},
		"a sign":                 {sql: "UPDATE entries SET amount = -amount WHERE seq = 3", rehash: true, want: "I2, transfer 3: a charge of 0.01 is between"},
		"a cached balance":       {sql: "UPDATE accounts SET balance = balance + 1 WHERE id = 1", want: "I3, account 1: its balance is"},
		"a cached hold":          {sql: "UPDATE accounts SET held = 0 WHERE id = 1", want: "I3, account 1: 0.00 is held, its pending holds sum to 0.007"},
		"an owner":               {sql: "UPDATE accounts SET user_id = 9 WHERE id = 3", want: "I7, transfer 2: its row was changed"},
		"an account":             {sql: "DELETE FROM accounts WHERE id = 3", want: "I3, account 3: it is missing"},
		"a limit":                {sql: "UPDATE accounts SET floor = 1 WHERE id = 1", want: "I9, account 1"},
		"a limit of its time":    {sql: "UPDATE entries SET floor = -1 + balance + 2 WHERE seq = 3 AND line = 1", rehash: true, want: "I9, transfer 3, account 1: it took"},
		"a posted hold reopened": {sql: "UPDATE holds SET state = 'pending', seq = 0, settled_at = NULL WHERE id = 1", want: "I8, transfer 8, hold 1: its hold is pending"},
		"a voided hold posted":   {sql: "UPDATE holds SET state = 'posted', seq = 3 WHERE id = 2", want: "I8, the ledger: 2 holds are posted, 1 transfers"},
		"a hold made smaller":    {sql: "UPDATE holds SET amount = 39 WHERE id = 1", want: "I8, transfer 8, hold 1: it is not a charge of at most"},
		"a pending hold larger":  {sql: "UPDATE holds SET amount = 5000 WHERE id = 3", want: "I3, account 1: 0.007 is held"},
		"a hold":                 {sql: "DELETE FROM holds WHERE id = 1", want: "I8, transfer 8, hold 1: its hold is missing"},
		"a note":                 {sql: "UPDATE transfer_notes SET text = 'Bribe'", want: "I7, transfer 1: its note is not the one"},
		"a note from nowhere":    {sql: "INSERT INTO transfer_notes VALUES (2, zeroblob(16), 'x')", want: "I7, transfer 2: its note"},
		"the head's number":      {sql: "UPDATE ledger_head SET seq = 7", want: "I7, transfer 8: it is beyond the head"},
		"the head's hash":        {sql: "UPDATE ledger_head SET hash = NULL", want: "I7, transfer 8: the head has another hash"},
		"a shared key":           {sql: "UPDATE holds SET idempotency_key = 'credit' WHERE id = 1", want: "I4, the ledger"},
		"a currency":             {sql: "UPDATE accounts SET currency = 'CHF' WHERE id = 1", want: "I1, account 1: it is in CHF"},
		"an anchor":              {sql: "UPDATE audit_events SET detail = 'seq=x'", want: "I7, the ledger: audit event 1"},
		"the end, cut off neatly": {
			sql:  "DELETE FROM transfers WHERE seq = 8; DELETE FROM entries WHERE seq = 8; UPDATE ledger_head SET seq = 7, hash = (SELECT hash FROM transfers WHERE seq = 7)",
			want: "I7, transfer 8: the audit log anchored it, but it is missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := storetest.OpenSQLite(t)
			f := start(t, s, ledger.Options{})
			populate(t, f)
			wantSound(t, s)
			if err := f.stop(); err != nil {
				t.Fatal(err)
			}
			statements := append(append([]string{}, without...), strings.Split(tt.sql, "; ")...)
			storetest.Tamper(t, s, statements...)
			if tt.rehash {
				rehash(t, s)
			}
			r, err := ledger.Verify(t.Context(), s, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range r.Findings {
				if strings.HasPrefix(finding.String(), tt.want) {
					return
				}
			}
			t.Errorf("no finding starts with %q, the report says: %v", tt.want, r.Findings)
		})
	}
}

func TestVerifyNamesTheFirstBadTransferAndGoesOn(t *testing.T) {
	s := storetest.OpenSQLite(t)
	f := start(t, s, ledger.Options{})
	populate(t, f)
	storetest.Tamper(t, s, append(append([]string{}, without...), "UPDATE transfers SET actor = 'x' WHERE seq IN (3, 6)")...)
	r, err := f.Verify(t.Context(), nil)
	if err != nil || r.OK() || r.FirstBad() != 3 || len(r.Findings) != 2 || r.Findings[1].Seq != 6 {
		t.Errorf("Verify = %+v, %v; want findings at 3 and 6", r, err)
	}
	if text := r.String(); !strings.Contains(text, "NOT sound") || !strings.Contains(text, "transfer 3") {
		t.Errorf("report says %q", text)
	}
}

func TestVerifyGoesOnBesideBookings(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 0)
	for i := range 20 {
		f.mustPost(t, fmt.Sprint("before", i), core.TransferCredit, user, 1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	booked := make(chan int)
	go func() {
		n := 0
		for ctx.Err() == nil {
			if _, err := f.Post(t.Context(), posting(fmt.Sprint("during", n), core.TransferCredit, user, 1)); err != nil {
				t.Errorf("Post: %v", err)
			}
			n++
		}
		booked <- n
	}()
	for range 5 {
		last := int64(0)
		r, err := f.Verify(t.Context(), func(done, total int64) {
			if done < last || done > total {
				t.Errorf("progress went from %d to %d of %d", last, done, total)
			}
			last = done
		})
		if err != nil || !r.OK() {
			t.Errorf("Verify: %v, %v", r, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
	cancel()
	if n := <-booked; wantSound(t, f.store).Transfers != int64(20+n) {
		t.Errorf("the ledger does not have the %d transfers", 20+n)
	}
}

func TestAnchorsAreWrittenOncePerDay(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 0)
	for i, want := range []int{0, 1, 1, 2} {
		if i > 0 {
			f.mustPost(t, fmt.Sprint(i), core.TransferCredit, user, 1)
		}
		if i == 3 {
			f.clock.advance(24 * time.Hour)
		}
		if err := ledger.Anchor(t.Context(), f.Ledger); err != nil {
			t.Fatal(err)
		}
		if r := wantSound(t, f.store); r.Anchors != want {
			t.Errorf("round %d: %d anchors, want %d", i, r.Anchors, want)
		}
	}
}
