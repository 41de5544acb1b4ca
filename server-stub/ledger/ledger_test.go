package ledger_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
)

func TestEachKindMovesMoneyItsWay(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 0)
	balance := core.Amount(0)
	for i, tt := range []struct {
		kind           core.TransferKind
		amount         core.Amount
		change         core.Amount
		funding, usage core.Amount // what these accounts have afterwards
	}{
		{core.TransferCredit, 100000, 100000, -100000, 0},
		{core.TransferCharge, 825, -825, -100000, 825},
		{core.TransferRefund, 800, 800, -100000, 25},
		{core.TransferDebit, 40000, -40000, -60000, 25},
	} {
		balance += tt.change
		r := f.mustPost(t, string(tt.kind), tt.kind, user, tt.amount)
		want := ledger.Receipt{
			Seq: int64(i + 1), At: day, Kind: tt.kind, UserID: user, Amount: tt.change, Balance: balance, Hash: r.Hash,
		}
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.kind, diff)
		}
		f.wantAccount(t, user, balance, 0)
		if funding, usage := f.ownBalances(t); funding != tt.funding || usage != tt.usage {
			t.Errorf("after the %s: funding has %s, usage %s; want %s and %s", tt.kind, funding, usage, tt.funding, tt.usage)
		}
	}
	if r := wantSound(t, f.store); r.Transfers != 4 || r.Accounts != 3 {
		t.Errorf("report = %+v, want 4 transfers and 3 accounts", r)
	}
}

func TestNobodySpendsMoreThanTheyMay(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 500)
	refused := func(kind core.TransferKind, amount core.Amount) {
		t.Helper()
		_, err := f.Post(t.Context(), posting("x", kind, user, amount))
		if !errors.Is(err, core.ErrInsufficient) {
			t.Errorf("%s of %s = %v, want core.ErrInsufficient", kind, amount, err)
		}
	}
	refused(core.TransferCharge, 501)
	f.mustPost(t, "a", core.TransferCharge, user, 500)
	refused(core.TransferCharge, 1)
	refused(core.TransferDebit, 1)
	f.wantAccount(t, user, -500, 0)

	f.mustPost(t, "b", core.TransferCredit, user, 1000)
	f.mustHold(t, "h", user, 900)
	refused(core.TransferCharge, 101) // what is held cannot be spent
	f.mustPost(t, "c", core.TransferCharge, user, 100)
	if _, err := f.Hold(t.Context(), ledger.HoldRequest{Key: "h2", User: user, Amount: 1, For: time.Hour}); !errors.Is(err, core.ErrInsufficient) {
		t.Errorf("Hold of more than there is = %v, want core.ErrInsufficient", err)
	}
	f.wantAccount(t, user, 400, 900)
	wantSound(t, f.store)
}

func TestALoweredOverdraftStopsNewChargesOnly(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 1000)
	h := f.mustHold(t, "h", user, 300)
	f.mustPost(t, "a", core.TransferCharge, user, 600)
	f.setUser(t, user, func(u *core.User) { u.Overdraft = 0 })
	if _, err := f.Post(t.Context(), posting("b", core.TransferCharge, user, 1)); !errors.Is(err, core.ErrInsufficient) {
		t.Errorf("charge = %v, want core.ErrInsufficient", err)
	}
	if _, err := f.PostHold(t.Context(), ledger.Settlement{Key: "p", Hold: h.ID, Amount: 300, Actor: "system"}); err != nil {
		t.Errorf("posting what was granted: %v", err)
	}
	f.mustPost(t, "c", core.TransferCredit, user, 1)
	f.wantAccount(t, user, -899, 0)
	wantSound(t, f.store)
}

func TestTheSameKeyBooksOnce(t *testing.T) {
	f := newFixture(t)
	user, other := f.addUser(t, 0), f.addUser(t, 0)
	p := posting("k", core.TransferCredit, user, 100)
	p.Note = "Semester credit"
	first, err := f.Post(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	f.clock.advance(time.Hour)
	f.mustPost(t, "between", core.TransferCredit, user, 7)

	again, err := f.Post(t.Context(), p)
	if diff := cmp.Diff(first, again); diff != "" || err != nil {
		t.Errorf("the same again (-first +again): %v\n%s", err, diff)
	}
	stepUp := p
	stepUp.Assurance = core.AssuranceStepUp
	if again, err := f.Post(t.Context(), stepUp); again != first || err != nil {
		t.Errorf("the same over a surer road = %v, %v; want the receipt", again, err)
	}
	for name, change := range map[string]func(*ledger.Posting){
		"amount":  func(p *ledger.Posting) { p.Amount++ },
		"user":    func(p *ledger.Posting) { p.User = other },
		"kind":    func(p *ledger.Posting) { p.Kind = core.TransferRefund },
		"actor":   func(p *ledger.Posting) { p.Actor = "user:9" },
		"note":    func(p *ledger.Posting) { p.Note = "Another" },
		"no note": func(p *ledger.Posting) { p.Note = "" },
	} {
		changed := p
		change(&changed)
		if _, err := f.Post(t.Context(), changed); !errors.Is(err, core.ErrConflict) {
			t.Errorf("the key with another %s = %v, want core.ErrConflict", name, err)
		}
	}
	f.wantAccount(t, user, 107, 0)

	if _, err := f.EraseUserNotes(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if again, err := f.Post(t.Context(), p); again != first || err != nil {
		t.Errorf("the same after its note was erased = %v, %v; want the receipt", again, err)
	}
	wantSound(t, f.store)
}

func TestKeysAreSharedByTransfersAndHolds(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 1000)
	f.mustPost(t, "transfer", core.TransferCredit, user, 100)
	h := f.mustHold(t, "hold", user, 50)
	if again := f.mustHold(t, "hold", user, 50); again != h {
		t.Errorf("the same hold again = %+v, want %+v", again, h)
	}
	wantConflict := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, core.ErrConflict) {
			t.Errorf("%s = %v, want core.ErrConflict", name, err)
		}
	}
	_, err := f.Hold(t.Context(), ledger.HoldRequest{Key: "hold", User: user, Amount: 51, For: time.Hour})
	wantConflict("another hold under the key", err)
	_, err = f.Hold(t.Context(), ledger.HoldRequest{Key: "transfer", User: user, Amount: 50, For: time.Hour})
	wantConflict("a hold under a transfer's key", err)
	_, err = f.Post(t.Context(), posting("hold", core.TransferCredit, user, 50))
	wantConflict("a transfer under a hold's key", err)
	_, err = f.PostHold(t.Context(), ledger.Settlement{Key: "transfer", Hold: h.ID, Amount: 50, Actor: "admin"})
	wantConflict("a settlement under a transfer's key", err)
	f.wantAccount(t, user, 100, 50)
	wantSound(t, f.store)
}

func TestAHoldIsPostedOnce(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 0)
	f.mustPost(t, "a", core.TransferCredit, user, 1000)
	h := f.mustHold(t, "h", user, 300)
	f.wantAccount(t, user, 1000, 300)

	if _, err := f.PostHold(t.Context(), ledger.Settlement{Key: "p", Hold: h.ID, Amount: 301, Actor: "system"}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("posting more than is held = %v, want core.ErrInvalid", err)
	}
	s := ledger.Settlement{Key: "p", Hold: h.ID, Amount: 250, Actor: "system", Note: "essay.pdf"}
	first, err := f.PostHold(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if first.Amount != -250 || first.Balance != 750 || first.Kind != core.TransferCharge {
		t.Errorf("receipt = %+v", first)
	}
	if again, err := f.PostHold(t.Context(), s); again != first || err != nil {
		t.Errorf("the same again = %v, %v; want %v", again, err, first)
	}
	s.Key = "p2"
	if _, err := f.PostHold(t.Context(), s); !errors.Is(err, core.ErrConflict) {
		t.Errorf("posting it under another key = %v, want core.ErrConflict", err)
	}
	if _, err := f.VoidHold(t.Context(), h.ID); !errors.Is(err, core.ErrConflict) {
		t.Errorf("voiding it = %v, want core.ErrConflict", err)
	}
	f.wantAccount(t, user, 750, 0)
	wantSound(t, f.store)
}

func TestAHoldIsVoidedOnce(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 300)
	h := f.mustHold(t, "h", user, 300)
	first, err := f.VoidHold(t.Context(), h.ID)
	if err != nil || first.State != core.HoldVoided {
		t.Fatalf("VoidHold = %+v, %v", first, err)
	}
	if again, err := f.VoidHold(t.Context(), h.ID); again != first || err != nil {
		t.Errorf("VoidHold again = %+v, %v; want %+v", again, err, first)
	}
	if _, err := f.PostHold(t.Context(), ledger.Settlement{Key: "p", Hold: h.ID, Amount: 1, Actor: "x"}); !errors.Is(err, core.ErrConflict) {
		t.Errorf("posting it = %v, want core.ErrConflict", err)
	}
	for _, err := range []error{
		func() error { _, err := f.VoidHold(t.Context(), 99); return err }(),
		func() error {
			_, err := f.PostHold(t.Context(), ledger.Settlement{Key: "q", Hold: 99, Amount: 1, Actor: "x"})
			return err
		}(),
	} {
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an unknown hold = %v, want core.ErrNotFound", err)
		}
	}
	f.wantAccount(t, user, 0, 0)
	wantSound(t, f.store)
}

func TestAHoldExpires(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 300)
	h := f.mustHold(t, "h", user, 300)
	f.clock.advance(time.Hour - time.Microsecond)
	if n, err := ledger.Sweep(t.Context(), f.Ledger); n != 0 || err != nil {
		t.Errorf("Sweep before its time = %d, %v", n, err)
	}
	f.clock.advance(time.Microsecond)
	if _, err := f.PostHold(t.Context(), ledger.Settlement{Key: "p", Hold: h.ID, Amount: 1, Actor: "x"}); !errors.Is(err, core.ErrConflict) {
		t.Errorf("posting an expired hold = %v, want core.ErrConflict", err)
	}
	if n, err := ledger.Sweep(t.Context(), f.Ledger); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v; want 1", n, err)
	}
	f.wantAccount(t, user, 0, 0)
	wantSound(t, f.store)
}

func TestBadRequestsAreRefused(t *testing.T) {
	f := newFixture(t)
	user, erased := f.addUser(t, 0), f.addUser(t, 0)
	f.setUser(t, erased, func(u *core.User) { u.ErasedAt = day })
	for name, tt := range map[string]struct {
		change func(*ledger.Posting)
		want   error
	}{
		"zero":           {func(p *ledger.Posting) { p.Amount = 0 }, core.ErrInvalid},
		"negative":       {func(p *ledger.Posting) { p.Amount = -5 }, core.ErrInvalid},
		"smallest":       {func(p *ledger.Posting) { p.Amount = math.MinInt64 }, core.ErrInvalid},
		"too much":       {func(p *ledger.Posting) { p.Amount = core.MaxAmount + 1 }, core.ErrInvalid},
		"no key":         {func(p *ledger.Posting) { p.Key = "" }, core.ErrInvalid},
		"long key":       {func(p *ledger.Posting) { p.Key = strings.Repeat("k", 129) }, core.ErrInvalid},
		"key of bytes":   {func(p *ledger.Posting) { p.Key = "\xff" }, core.ErrInvalid},
		"key of control": {func(p *ledger.Posting) { p.Key = "a\x00" }, core.ErrInvalid},
		"no actor":       {func(p *ledger.Posting) { p.Actor = "" }, core.ErrInvalid},
		"long note":      {func(p *ledger.Posting) { p.Note = strings.Repeat("n", 1025) }, core.ErrInvalid},
		"no kind":        {func(p *ledger.Posting) { p.Kind = "gift" }, core.ErrInvalid},
		"nobody":         {func(p *ledger.Posting) { p.User = 99 }, core.ErrNotFound},
		"erased":         {func(p *ledger.Posting) { p.User = erased }, core.ErrNotFound},
	} {
		p := posting("k", core.TransferCredit, user, 1)
		tt.change(&p)
		if _, err := f.Post(t.Context(), p); !errors.Is(err, tt.want) {
			t.Errorf("%s: Post = %v, want %v", name, err, tt.want)
		}
	}
	for name, h := range map[string]ledger.HoldRequest{
		"zero":     {Key: "k", User: user, For: time.Hour},
		"no time":  {Key: "k", User: user, Amount: 1},
		"too long": {Key: "k", User: user, Amount: 1, For: ledger.MaxHoldTime + 1},
		"no key":   {User: user, Amount: 1, For: time.Hour},
	} {
		if _, err := f.Hold(t.Context(), h); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%s: Hold = %v, want core.ErrInvalid", name, err)
		}
	}
	if r := wantSound(t, f.store); r.Transfers != 0 || r.Holds != 0 {
		t.Errorf("report = %+v, want nothing booked", r)
	}
}

// I10: a balance that would leave the range is refused, and nothing is booked.
func TestABalanceNeverOverflows(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, math.MaxInt64)
	f.mustPost(t, "open", core.TransferCredit, user, 1)
	setBalance := func(balance core.Amount) {
		t.Helper()
		if err := f.store.Update(t.Context(), func(tx store.Tx) error {
			a, err := tx.UserAccount(t.Context(), user, "EUR")
			if err != nil {
				return err
			}
			a.Balance = balance
			return tx.UpdateAccount(t.Context(), a)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for kind, balance := range map[core.TransferKind]core.Amount{
		core.TransferCredit: math.MaxInt64 - 5,
		core.TransferCharge: math.MinInt64 + 5,
	} {
		setBalance(balance)
		if _, err := f.Post(t.Context(), posting(string(kind), kind, user, 10)); err == nil {
			t.Errorf("a %s of 10 on %d was booked", kind, balance)
		}
	}
	setBalance(1)
	if r := wantSound(t, f.store); r.Transfers != 1 {
		t.Errorf("%d transfers are booked, want 1", r.Transfers)
	}
}

func TestStatementAndHistory(t *testing.T) {
	f := newFixture(t)
	user := f.addUser(t, 0)
	for i, amount := range []core.Amount{100, 20, 3} {
		p := posting(string(rune('a'+i)), core.TransferCredit, user, amount)
		p.Note = "note " + p.Key
		if _, err := f.Post(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(24 * time.Hour)
	}
	lines := []core.StatementLine{
		{Seq: 3, At: day.Add(48 * time.Hour), Kind: core.TransferCredit, Amount: 3, Balance: 123, Note: "note c"},
		{Seq: 2, At: day.Add(24 * time.Hour), Kind: core.TransferCredit, Amount: 20, Balance: 120, Note: "note b"},
		{Seq: 1, At: day, Kind: core.TransferCredit, Amount: 100, Balance: 100, Note: "note a"},
	}
	for _, tt := range []struct {
		before int64
		limit  int
		want   []core.StatementLine
	}{{0, 10, lines}, {0, 2, lines[:2]}, {2, 10, lines[2:]}, {1, 10, nil}, {0, 0, lines[:1]}} {
		got, err := f.Statement(t.Context(), user, tt.before, tt.limit)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("Statement(%d, %d) (-want +got): %v\n%s", tt.before, tt.limit, err, diff)
		}
	}
	got, err := f.BalanceHistory(t.Context(), user, day.Add(-time.Hour), day.Add(48*time.Hour), 24*time.Hour)
	want := []ledger.BalancePoint{
		{day.Add(-time.Hour), 0}, {day.Add(23 * time.Hour), 100}, {day.Add(47 * time.Hour), 120},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("BalanceHistory (-want +got): %v\n%s", err, diff)
	}
	if _, err := f.BalanceHistory(t.Context(), user, day, day.Add(time.Hour), time.Second); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("BalanceHistory of 3600 points = %v, want core.ErrInvalid", err)
	}

	quiet := f.addUser(t, 0)
	f.wantAccount(t, quiet, 0, 0)
	if got, err := f.Statement(t.Context(), quiet, 0, 5); len(got) != 0 || err != nil {
		t.Errorf("Statement of a person without bookings = %v, %v", got, err)
	}
	for name, err := range map[string]error{
		"Balance":        func() error { _, err := f.Balance(t.Context(), 99); return err }(),
		"Statement":      func() error { _, err := f.Statement(t.Context(), 99, 0, 5); return err }(),
		"BalanceHistory": func() error { _, err := f.BalanceHistory(t.Context(), 99, day, day, time.Hour); return err }(),
	} {
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%s of nobody = %v, want core.ErrNotFound", name, err)
		}
	}
}

func TestErasureLeavesTheLedgerSound(t *testing.T) {
	f := newFixture(t)
	alex, bea := f.addUser(t, 0), f.addUser(t, 0)
	for key, user := range map[string]core.UserID{"a": alex, "b": bea, "c": alex} {
		p := posting(key, core.TransferCredit, user, 100)
		p.Note = "for " + key
		if _, err := f.Post(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.EraseUserNotes(t.Context(), alex); n != 2 || err != nil {
		t.Errorf("EraseUserNotes = %d, %v; want 2", n, err)
	}
	lines, err := f.Statement(t.Context(), alex, 0, 10)
	if err != nil || len(lines) != 2 || lines[0].Note != "" || lines[1].Note != "" {
		t.Errorf("Statement after erasure = %v, %v; want two lines without notes", lines, err)
	}
	if lines, err := f.Statement(t.Context(), bea, 0, 10); err != nil || len(lines) != 1 || lines[0].Note != "for b" {
		t.Errorf("Statement of another = %v, %v", lines, err)
	}
	if r := wantSound(t, f.store); r.Notes != 1 {
		t.Errorf("%d notes are left, want 1", r.Notes)
	}
}
