package ledger_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/ledger"
)

// model is the ledger in a few lines: what must come out.
type model struct {
	users []*modelUser
	holds []*modelHold
	keys  map[string]any // the request that used the key, and its answer
	now   time.Time
	seq   int64
}

type modelUser struct {
	id                       core.UserID
	balance, held, overdraft core.Amount
}

type modelHold struct {
	hold core.Hold
	user *modelUser
}

type answered struct{ request, answer any }

func (u *modelUser) available() core.Amount { return u.balance - u.held + u.overdraft }

func TestLedgerAgreesWithItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t)
		defer func() {
			_ = f.stop()
			_ = f.store.Close()
		}()
		m := &model{keys: map[string]any{}, now: day}
		for range 2 {
			m.users = append(m.users, &modelUser{id: f.addUser(t, 50), overdraft: 50})
		}
		rt.Repeat(map[string]func(*rapid.T){
			"post":      func(rt *rapid.T) { m.post(t, rt, f) },
			"hold":      func(rt *rapid.T) { m.hold(t, rt, f) },
			"post hold": func(rt *rapid.T) { m.postHold(t, rt, f) },
			"void":      func(rt *rapid.T) { m.void(t, rt, f) },
			"overdraft": func(rt *rapid.T) {
				u := rapid.SampledFrom(m.users).Draw(rt, "user")
				u.overdraft = core.Amount(rapid.IntRange(0, 100).Draw(rt, "overdraft"))
				f.setUser(t, u.id, func(x *core.User) { x.Overdraft = u.overdraft })
			},
			"time": func(rt *rapid.T) { m.advance(t, rt, f) },
			"":     func(rt *rapid.T) { m.compare(t, rt, f) },
		})
		r, err := f.Verify(t.Context(), nil)
		if err != nil || !r.OK() || r.Transfers != m.seq || r.Holds != int64(len(m.holds)) {
			rt.Fatalf("Verify: %v, %v, %v; want %d transfers", r, r.Findings, err, m.seq)
		}
	})
}

func drawKey(rt *rapid.T) string { return fmt.Sprint("k", rapid.IntRange(0, 30).Draw(rt, "key")) }

func drawAmount(rt *rapid.T) core.Amount {
	return core.Amount(rapid.IntRange(1, 120).Draw(rt, "amount"))
}

// expect compares an answer with the model's: the remembered one for a used key, else that of decide.
func (m *model) expect(rt *rapid.T, key string, request any, got any, err error, decide func() (any, error)) {
	var want any
	var wantErr error
	if used, ok := m.keys[key]; ok {
		if want = used.(answered).answer; used.(answered).request != request {
			wantErr = core.ErrConflict
		}
	} else if want, wantErr = decide(); wantErr == nil {
		m.keys[key] = answered{request, want}
	}
	if !errors.Is(err, wantErr) || wantErr == nil && err != nil {
		rt.Fatalf("%+v = %v, want %v", request, err, wantErr)
	}
	if wantErr == nil && got != want {
		rt.Fatalf("%+v = %+v, want %+v", request, got, want)
	}
}

func (m *model) post(t *testing.T, rt *rapid.T, f *fixture) {
	u := rapid.SampledFrom(m.users).Draw(rt, "user")
	kind := rapid.SampledFrom([]core.TransferKind{
		core.TransferCredit, core.TransferDebit, core.TransferCharge, core.TransferRefund,
	}).Draw(rt, "kind")
	p := posting(drawKey(rt), kind, u.id, drawAmount(rt))
	p.Note = rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "note")
	got, err := f.Post(t.Context(), p)
	m.expect(rt, p.Key, p, got, err, func() (any, error) {
		change := p.Amount
		if kind == core.TransferDebit || kind == core.TransferCharge {
			if p.Amount > u.available() {
				return nil, core.ErrInsufficient
			}
			change = -p.Amount
		}
		return m.book(u, kind, change, got), nil
	})
}

// book changes the model and returns the receipt; the hash is taken as it came.
func (m *model) book(u *modelUser, kind core.TransferKind, change core.Amount, got ledger.Receipt) ledger.Receipt {
	m.seq++
	u.balance += change
	return ledger.Receipt{Seq: m.seq, At: m.now, Kind: kind, UserID: u.id, Amount: change, Balance: u.balance, Hash: got.Hash}
}

func (m *model) hold(t *testing.T, rt *rapid.T, f *fixture) {
	u := rapid.SampledFrom(m.users).Draw(rt, "user")
	req := ledger.HoldRequest{
		Key: drawKey(rt), User: u.id, Amount: drawAmount(rt),
		For: time.Duration(rapid.IntRange(1, 5).Draw(rt, "hours")) * time.Hour,
	}
	got, err := f.Hold(t.Context(), req)
	m.expect(rt, req.Key, req, got.ID, err, func() (any, error) {
		if req.Amount > u.available() {
			return nil, core.ErrInsufficient
		}
		u.held += req.Amount
		h := &modelHold{hold: core.Hold{
			ID: int64(len(m.holds) + 1), Amount: req.Amount, State: core.HoldPending, ExpiresAt: m.now.Add(req.For),
		}, user: u}
		m.holds = append(m.holds, h)
		return h.hold.ID, nil
	})
}

func (m *model) drawHold(rt *rapid.T) *modelHold {
	if len(m.holds) == 0 {
		rt.Skip("no hold yet")
	}
	return rapid.SampledFrom(m.holds).Draw(rt, "hold")
}

func (m *model) settle(h *modelHold, state core.HoldState) {
	h.hold.State = state
	h.user.held -= h.hold.Amount
}

func (m *model) postHold(t *testing.T, rt *rapid.T, f *fixture) {
	h := m.drawHold(rt)
	s := ledger.Settlement{Key: drawKey(rt), Hold: h.hold.ID, Amount: drawAmount(rt), Actor: "system"}
	got, err := f.PostHold(t.Context(), s)
	m.expect(rt, s.Key, s, got, err, func() (any, error) {
		switch {
		case h.hold.State != core.HoldPending || !m.now.Before(h.hold.ExpiresAt):
			return nil, core.ErrConflict
		case s.Amount > h.hold.Amount:
			return nil, core.ErrInvalid
		}
		m.settle(h, core.HoldPosted)
		return m.book(h.user, core.TransferCharge, -s.Amount, got), nil
	})
}

func (m *model) void(t *testing.T, rt *rapid.T, f *fixture) {
	h := m.drawHold(rt)
	got, err := f.VoidHold(t.Context(), h.hold.ID)
	switch h.hold.State {
	case core.HoldPosted:
		if !errors.Is(err, core.ErrConflict) {
			rt.Fatalf("voiding a posted hold = %v, want core.ErrConflict", err)
		}
		return
	case core.HoldPending:
		m.settle(h, core.HoldVoided)
	case core.HoldVoided:
	}
	if err != nil || got.State != core.HoldVoided {
		rt.Fatalf("VoidHold = %+v, %v", got, err)
	}
}

// advance moves the clock, forth and sometimes back, and has expired holds voided.
func (m *model) advance(t *testing.T, rt *rapid.T, f *fixture) {
	by := time.Duration(rapid.IntRange(-1, 3).Draw(rt, "hours")) * time.Hour
	f.clock.advance(by)
	m.now = m.now.Add(by)
	want := 0
	for _, h := range m.holds {
		if h.hold.State == core.HoldPending && !m.now.Before(h.hold.ExpiresAt) {
			m.settle(h, core.HoldVoided)
			want++
		}
	}
	if got, err := ledger.Sweep(t.Context(), f.Ledger); got != want || err != nil {
		rt.Fatalf("Sweep = %d, %v; want %d", got, err, want)
	}
}

func (m *model) compare(t *testing.T, rt *rapid.T, f *fixture) {
	for _, u := range m.users {
		a, err := f.Balance(t.Context(), u.id)
		if err != nil || a.Balance != u.balance || a.Held != u.held {
			rt.Fatalf("Balance(%d) = %+v, %v; want %s with %s held", u.id, a, err, u.balance, u.held)
		}
	}
}
