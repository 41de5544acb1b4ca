package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched is a store whose updates are counted and can be made to wait or fail.
type watched struct {
	store.Store
	updates atomic.Int64
	before  func() error // called before an update; an error is returned instead of updating
	after   func() error // called before the commit; an error undoes the update
}

func (w *watched) Update(ctx context.Context, fn func(store.Tx) error) error {
	w.updates.Add(1)
	if w.before != nil {
		if err := w.before(); err != nil {
			return err
		}
	}
	return w.Store.Update(ctx, func(tx store.Tx) error {
		err := fn(tx)
		if err == nil && w.after != nil {
			err = w.after()
		}
		return err
	})
}

func TestRequestsThatWaitShareATransaction(t *testing.T) {
	gate := make(chan struct{})
	entered := make(chan struct{}, 1)
	var armed atomic.Bool
	w := &watched{Store: storetest.OpenSQLite(t)}
	w.before = func() error {
		if armed.CompareAndSwap(true, false) {
			entered <- struct{}{}
			<-gate
		}
		return nil
	}
	f := start(t, w, ledger.Options{})
	user := f.addUser(t, 0)
	poor := f.addUser(t, 0)

	armed.Store(true)
	var wg sync.WaitGroup
	wg.Go(func() { f.mustPost(t, "first", core.TransferCredit, user, 1) })
	<-entered
	const crowd = 50
	before := w.updates.Load()
	for i := range crowd {
		wg.Go(func() { f.mustPost(t, fmt.Sprint("crowd", i), core.TransferCredit, user, 1) })
		wg.Go(func() { // refused ones among them
			if _, err := f.Post(t.Context(), posting(fmt.Sprint("poor", i), core.TransferCharge, poor, 1)); !errors.Is(err, core.ErrInsufficient) {
				t.Errorf("charge of a poor person = %v, want core.ErrInsufficient", err)
			}
		})
		wg.Go(func() { // and the same key again and again
			f.mustPost(t, "same", core.TransferCredit, user, 1)
		})
	}
	close(gate)
	wg.Wait()
	if n := w.updates.Load() - before; n > crowd {
		t.Errorf("%d requests took %d transactions, want far fewer", 3*crowd, n)
	}
	f.wantAccount(t, user, 1+crowd+1, 0)
	wantSound(t, f.store)
}

// poison makes one posting fail in the database, not in our checks.
type poison struct {
	store.Store
	key string
}

type poisonTx struct {
	store.Tx
	key string
}

var errPoison = errors.New("the database does not like this one")

func (p poison) Update(ctx context.Context, fn func(store.Tx) error) error {
	return p.Store.Update(ctx, func(tx store.Tx) error { return fn(poisonTx{tx, p.key}) })
}

func (p poisonTx) AppendTransfer(ctx context.Context, t core.Transfer) error {
	if t.IdempotencyKey == p.key {
		return errPoison
	}
	return p.Tx.AppendTransfer(ctx, t)
}

func TestOneThatTheDatabaseRefusesDoesNotFailTheOthers(t *testing.T) {
	f := start(t, poison{storetest.OpenSQLite(t), "bad"}, ledger.Options{})
	user := f.addUser(t, 0)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { f.mustPost(t, fmt.Sprint("good", i), core.TransferCredit, user, 1) })
		if i == 10 {
			wg.Go(func() {
				if _, err := f.Post(t.Context(), posting("bad", core.TransferCredit, user, 1)); !errors.Is(err, errPoison) {
					t.Errorf("Post = %v, want the database's error", err)
				}
			})
		}
	}
	wg.Wait()
	f.wantAccount(t, user, 20, 0)
	wantSound(t, f.store)
}

func TestNothingIsAcknowledgedWhileTheDatabaseFails(t *testing.T) {
	var down atomic.Bool
	w := &watched{Store: storetest.OpenSQLite(t)}
	w.after = func() error {
		if down.Load() {
			return fmt.Errorf("%w: the disk of the database is full", core.ErrUnavailable)
		}
		return nil
	}
	changes := make(chan []ledger.Change, 10)
	f := start(t, w, ledger.Options{OnCommit: func(c []ledger.Change) { changes <- c }})
	user := f.addUser(t, 0)
	down.Store(true)
	for range 3 {
		if _, err := f.Post(t.Context(), posting("k", core.TransferCredit, user, 5)); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("Post = %v, want core.ErrUnavailable", err)
		}
	}
	if len(changes) != 0 {
		t.Error("OnCommit was told of something that was not booked")
	}
	down.Store(false) // it recovers without a restart
	r := f.mustPost(t, "k", core.TransferCredit, user, 5)
	a, err := f.Balance(t.Context(), user)
	if err != nil || r.Balance != 5 {
		t.Fatalf("balance %s, %v; want 5", r.Balance, err)
	}
	if diff := cmp.Diff([]ledger.Change{{UserID: user, Account: a}}, <-changes); diff != "" {
		t.Errorf("OnCommit (-want +got):\n%s", diff)
	}
}

func TestFault_F3_TheWriterStopsWhenTheDiskIsBroken(t *testing.T) {
	var broken atomic.Bool
	w := &watched{Store: storetest.OpenSQLite(t)}
	w.before = func() error {
		if broken.Load() {
			return fmt.Errorf("%w (%w): input/output error", core.ErrUnavailable, store.ErrBroken)
		}
		return nil
	}
	l := ledger.New(w, newHand().now, ledger.Options{Currency: "EUR"})
	ended := make(chan error, 1)
	go func() { ended <- l.Run(context.Background()) }()
	user := addUser(t, w.Store, 0)
	if _, err := l.Post(t.Context(), posting("k", core.TransferCredit, user, 5)); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if _, err := l.Post(t.Context(), posting("k2", core.TransferCredit, user, 5)); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("Post = %v, want core.ErrUnavailable", err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, store.ErrBroken) {
			t.Errorf("Run = %v, want store.ErrBroken", err)
		}
	case <-time.After(30 * time.Second): // it must not wait for the next sweep
		t.Fatal("the writer goes on")
	}
	broken.Store(false)
	if _, err := l.Post(t.Context(), posting("k3", core.TransferCredit, user, 5)); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("Post after the end = %v, want core.ErrUnavailable", err)
	}
	if r := wantSound(t, w.Store); r.Transfers != 1 {
		t.Errorf("%d transfers are booked, want 1", r.Transfers)
	}
}

func TestAVersionGrowsWithEveryChange(t *testing.T) {
	var last ledger.Change
	f := start(t, storetest.OpenSQLite(t), ledger.Options{OnCommit: func(c []ledger.Change) { last = c[len(c)-1] }})
	user := f.addUser(t, 0)
	version := int64(0)
	check := func(what string) {
		t.Helper()
		if last.UserID != user || last.Account.Version != version+1 {
			t.Errorf("after %s: %+v, want version %d of user %d", what, last, version+1, user)
		}
		version = last.Account.Version
	}
	f.mustPost(t, "a", core.TransferCredit, user, 10)
	check("a credit")
	h := f.mustHold(t, "h", user, 10)
	check("a hold")
	if _, err := f.VoidHold(t.Context(), h.ID); err != nil {
		t.Fatal(err)
	}
	check("a void")
}

func TestStoppingAndCancelling(t *testing.T) {
	s := storetest.OpenSQLite(t)
	l := ledger.New(s, newHand().now, ledger.Options{Currency: "EUR"})
	user := addUser(t, s, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Post(ctx, posting("k", core.TransferCredit, user, 5)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Post with no writer = %v, want the context's error", err)
	}
	stop, cancelRun := context.WithCancel(t.Context())
	cancelRun()
	if err := l.Run(stop); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if _, err := l.Post(t.Context(), posting("k", core.TransferCredit, user, 5)); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("Post after Run = %v, want core.ErrUnavailable", err)
	}
	if err := l.Run(t.Context()); err == nil {
		t.Error("Run ran twice")
	}
	if r := wantSound(t, s); r.Transfers != 0 {
		t.Errorf("%d transfers are booked, want none", r.Transfers)
	}
}

func TestExpiredHoldsAreVoidedByTheWriterItself(t *testing.T) {
	f := start(t, storetest.OpenSQLite(t), ledger.Options{SweepEvery: 5 * time.Millisecond})
	user := f.addUser(t, 300)
	f.mustHold(t, "h", user, 300)
	f.clock.advance(2 * time.Hour)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		a, err := f.Balance(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		if a.Held == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the hold is still pending")
		}
	}
	wantSound(t, f.store)
}

// breakable is a store that tells when it breaks.
type breakable struct {
	store.Store
	broken chan struct{}
}

func (b breakable) Broken() <-chan struct{} { return b.broken }

func TestFault_F3_TheWriterStopsThoughNobodyBooks(t *testing.T) {
	s := breakable{storetest.OpenSQLite(t), make(chan struct{})}
	l := ledger.New(s, newHand().now, ledger.Options{Currency: "EUR"})
	close(s.broken)
	if err := l.Run(t.Context()); !errors.Is(err, store.ErrBroken) {
		t.Errorf("Run = %v, want store.ErrBroken", err)
	}
}
