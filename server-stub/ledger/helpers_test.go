package ledger_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var day = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// hand is a clock moved by hand.
type hand struct{ micros atomic.Int64 }

func newHand() *hand {
	h := &hand{}
	h.micros.Store(day.UnixMicro())
	return h
}

func (h *hand) now() time.Time          { return time.UnixMicro(h.micros.Load()).UTC() }
func (h *hand) advance(d time.Duration) { h.micros.Add(d.Microseconds()) }

// fixture is a running ledger.
type fixture struct {
	*ledger.Ledger
	store store.Store
	clock *hand
	stop  func() error // ends Run and returns what it returned
}

func start(t testing.TB, s store.Store, opts ledger.Options) *fixture {
	t.Helper()
	f := &fixture{store: s, clock: newHand()}
	opts.Currency = "EUR"
	f.Ledger = ledger.New(s, f.clock.now, opts)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	stopped := false
	f.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { _ = f.stop() })
	return f
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return start(t, storetest.OpenSQLite(t), ledger.Options{})
}

// addUser makes a person.
func (f *fixture) addUser(t testing.TB, overdraft core.Amount) core.UserID {
	t.Helper()
	return addUser(t, f.store, overdraft)
}

func addUser(t testing.TB, s store.Store, overdraft core.Amount) (id core.UserID) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx store.Tx) (err error) {
		id, err = tx.CreateUser(t.Context(), core.User{Username: "someone", Overdraft: overdraft})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

func (f *fixture) setUser(t testing.TB, id core.UserID, change func(*core.User)) {
	t.Helper()
	if err := f.store.Update(t.Context(), func(tx store.Tx) error {
		u, err := tx.User(t.Context(), id)
		if err != nil {
			return err
		}
		change(&u)
		return tx.UpdateUser(t.Context(), u)
	}); err != nil {
		t.Fatal(err)
	}
}

// posting is a posting with the fields that most tests do not care about.
func posting(key string, kind core.TransferKind, user core.UserID, amount core.Amount) ledger.Posting {
	return ledger.Posting{Key: key, Kind: kind, User: user, Amount: amount, Actor: "admin", Assurance: core.AssuranceAdmin}
}

// mustPost books what must be accepted.
func (f *fixture) mustPost(t testing.TB, key string, kind core.TransferKind, user core.UserID, amount core.Amount) ledger.Receipt {
	t.Helper()
	r, err := f.Post(t.Context(), posting(key, kind, user, amount))
	if err != nil {
		t.Fatalf("Post(%s, %s, %d, %s): %v", key, kind, user, amount, err)
	}
	return r
}

func (f *fixture) mustHold(t testing.TB, key string, user core.UserID, amount core.Amount) core.Hold {
	t.Helper()
	h, err := f.Hold(t.Context(), ledger.HoldRequest{Key: key, User: user, Amount: amount, For: time.Hour})
	if err != nil {
		t.Fatalf("Hold(%s, %d, %s): %v", key, user, amount, err)
	}
	return h
}

// wantAccount checks a person's balance and what is held of it.
func (f *fixture) wantAccount(t testing.TB, user core.UserID, balance, held core.Amount) {
	t.Helper()
	a, err := f.Balance(t.Context(), user)
	if err != nil || a.Balance != balance || a.Held != held {
		t.Errorf("Balance(%d) = %s with %s held, %v; want %s with %s held", user, a.Balance, a.Held, err, balance, held)
	}
}

// ownBalances returns what the funding and the usage account have.
func (f *fixture) ownBalances(t testing.TB) (funding, usage core.Amount) {
	t.Helper()
	if err := f.store.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Accounts(t.Context(), 0, 1000)
		for _, a := range list {
			switch a.Kind {
			case core.AccountFunding:
				funding = a.Balance
			case core.AccountUsage:
				usage = a.Balance
			case core.AccountUser:
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return funding, usage
}

// wantSound checks all invariants.
func wantSound(t testing.TB, s store.Store) ledger.Report {
	t.Helper()
	r, err := ledger.Verify(t.Context(), s, nil)
	if err != nil || !r.OK() {
		t.Errorf("Verify: %v, %v\n%v", r, err, r.Findings)
	}
	return r
}
