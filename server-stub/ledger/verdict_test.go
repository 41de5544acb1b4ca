package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestTheVerdictIsThatOfTheLastVerification(t *testing.T) {
	s := storetest.OpenSQLite(t)
	var log bytes.Buffer
	f := start(t, s, ledger.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if v := f.Verdict(); v.State() != ledger.Unverified || !v.At.IsZero() || !strings.Contains(v.String(), "is being verified") {
		t.Errorf("before: %v", v)
	}
	populate(t, f)
	f.VerifyOnce(t.Context())
	if v := f.Verdict(); v.State() != ledger.Sound || !v.At.Equal(day) || v.Report.Transfers != 8 || !strings.Contains(v.String(), "is sound") {
		t.Errorf("a sound ledger: %v", v)
	}
	if !strings.Contains(log.String(), "level=INFO msg=\"the ledger was verified\" transfers=8") {
		t.Errorf("log: %s", log.String())
	}

	storetest.Tamper(t, s, append(without, "UPDATE entries SET amount = 2000 WHERE seq = 1 AND line = 1")...)
	f.VerifyOnce(t.Context())
	if v := f.Verdict(); v.State() != ledger.NotSound || !strings.Contains(v.String(), "NOT sound") {
		t.Errorf("a changed ledger: %v", v)
	}
	if !strings.Contains(log.String(), "level=ERROR msg=\"the ledger is not sound\"") || !strings.Contains(log.String(), "transfer 1") {
		t.Errorf("log: %s", log.String())
	}

	// Once it is repaired, the command says so.
	storetest.Tamper(t, s, "UPDATE entries SET amount = 1000 WHERE seq = 1 AND line = 1")
	if _, err := f.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if v := f.Verdict(); v.State() != ledger.Sound {
		t.Errorf("after the repair: %v", v)
	}
}

// unreadable fails the first reads.
type unreadable struct {
	store.Store
	left atomic.Int32
}

func (s *unreadable) View(ctx context.Context, fn func(store.Tx) error) error {
	if s.left.Add(-1) >= 0 {
		return fmt.Errorf("%w: gone", core.ErrUnavailable)
	}
	return s.Store.View(ctx, fn)
}

func TestWhatCannotBeReadIsNoFindingAndTriedAgain(t *testing.T) {
	s := &unreadable{Store: storetest.OpenSQLite(t)}
	f := start(t, s, ledger.Options{RetryEvery: time.Millisecond})
	populate(t, f)
	s.left.Store(1)
	if _, err := f.Verify(t.Context(), nil); !errors.Is(err, core.ErrUnavailable) {
		t.Errorf("Verify = %v", err)
	}
	if v := f.Verdict(); v.State() != ledger.Unverified || !strings.Contains(v.String(), "could not be verified") {
		t.Errorf("unread: %v", v)
	}
	s.left.Store(3)
	f.VerifyOnce(t.Context())
	if v := f.Verdict(); v.State() != ledger.Sound {
		t.Errorf("after some tries: %v", v)
	}
}

func TestVerifyingIsCancelledAndThenSaysNothing(t *testing.T) {
	f := newFixture(t)
	populate(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	if err := ledger.VerifyWithRest(ctx, f.Ledger, func(context.Context) error { t.Error("it rests although it needs no second piece"); return nil }); err != nil {
		t.Error(err)
	}
	before := f.Verdict()
	alex := f.addUser(t, 0)
	for i := range 1200 {
		f.mustPost(t, fmt.Sprint("long", i), core.TransferCredit, alex, 1)
	}
	if err := ledger.VerifyWithRest(ctx, f.Ledger, func(ctx context.Context) error { cancel(); return ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in its rest: %v", err)
	}
	f.VerifyOnce(ctx) // returns
	if after := f.Verdict(); after.Report.Transfers != before.Report.Transfers || after.Err != nil {
		t.Errorf("the verdict became %v", after)
	}
	f.VerifyOnce(t.Context())
	if v := f.Verdict(); v.State() != ledger.Sound || v.Report.Transfers != 1208 {
		t.Errorf("in two pieces: %v", v)
	}
}
