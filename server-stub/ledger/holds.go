package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// MaxHoldTime is the longest time money may be held.
const MaxHoldTime = 90 * 24 * time.Hour

// sweepBatch is how many expired holds one transaction voids.
const sweepBatch = 500

// HoldRequest asks to reserve money.
type HoldRequest struct {
	Key    string // idempotency key, 1..MaxKey bytes
	User   core.UserID
	Amount core.Amount   // > 0 and at most core.MaxAmount
	For    time.Duration // how long it is held if it is not settled, at most MaxHoldTime
}

// Settlement asks to post a hold: to charge what was really used.
type Settlement struct {
	Key       string // idempotency key, not the hold's
	Hold      int64
	Amount    core.Amount // > 0 and at most what is held; the rest becomes free
	Actor     string
	Assurance core.Assurance
	Note      string
}

// Hold reserves money. Errors as Post's.
func (l *Ledger) Hold(ctx context.Context, h HoldRequest) (core.Hold, error) {
	if err := h.validate(); err != nil {
		return core.Hold{}, err
	}
	return submit(ctx, l, func(ctx context.Context, b *book) (core.Hold, error) { return b.hold(ctx, h) })
}

// PostHold charges a hold. Errors as Post's; core.ErrNotFound for an unknown hold, core.ErrConflict for one that is
// settled or has expired.
func (l *Ledger) PostHold(ctx context.Context, s Settlement) (Receipt, error) {
	p := Posting{Key: s.Key, Kind: core.TransferCharge, Amount: s.Amount, Actor: s.Actor, Assurance: s.Assurance, Note: s.Note}
	if err := p.validate(); err != nil {
		return Receipt{}, err
	}
	return submit(ctx, l, func(ctx context.Context, b *book) (Receipt, error) { return b.postHold(ctx, s.Hold, p) })
}

// VoidHold frees the money of a hold and returns it. Voiding a voided hold changes nothing; core.ErrConflict for a posted
// one, core.ErrNotFound for an unknown one.
func (l *Ledger) VoidHold(ctx context.Context, id int64) (core.Hold, error) {
	return submit(ctx, l, func(ctx context.Context, b *book) (core.Hold, error) { return b.voidHold(ctx, id) })
}

func (h HoldRequest) validate() error {
	if h.Amount <= 0 || h.Amount > core.MaxAmount {
		return fmt.Errorf("%w: the amount %s is not between 0.0001 and %s", core.ErrInvalid, h.Amount, core.MaxAmount)
	}
	if h.For <= 0 || h.For > MaxHoldTime {
		return fmt.Errorf("%w: money is held for %s, not for %s", core.ErrInvalid, MaxHoldTime, h.For)
	}
	return checkKey(h.Key)
}

func (h HoldRequest) digest() [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "platen-hold-1\n%d\n%d\n%d", h.User, h.Amount, h.For))
}

func (b *book) hold(ctx context.Context, req HoldRequest) (core.Hold, error) {
	if h, done, err := b.replayHold(ctx, req); done || err != nil {
		return h, err
	}
	who, err := b.person(ctx, req.User)
	if err != nil {
		return core.Hold{}, err
	}
	if free := who.account.Available(who.user.Overdraft); req.Amount > free {
		return core.Hold{}, refuse(core.ErrInsufficient, "%s is to be held, %s can be spent", req.Amount, free)
	}
	held, err := who.account.Held.Add(req.Amount)
	if err != nil {
		return core.Hold{}, refusal{err}
	}
	h := core.Hold{
		IdempotencyKey: req.Key, BodyDigest: req.digest(), Account: who.account.ID, Amount: req.Amount,
		State: core.HoldPending, CreatedAt: b.now, ExpiresAt: b.now.Add(req.For).Truncate(time.Microsecond),
	}
	if h.ID, err = b.tx.CreateHold(ctx, h); err != nil {
		return core.Hold{}, err
	}
	b.set(who.account, who.account.Balance, held, -who.user.Overdraft)
	return h, nil
}

// replayHold answers a key that was used before; the hold is as it stands now.
func (b *book) replayHold(ctx context.Context, req HoldRequest) (h core.Hold, done bool, err error) {
	h, err = b.tx.HoldByKey(ctx, req.Key)
	switch {
	case errors.Is(err, core.ErrNotFound):
		_, err := b.tx.TransferByKey(ctx, req.Key)
		if errors.Is(err, core.ErrNotFound) {
			return core.Hold{}, false, nil
		}
		if err == nil {
			err = refuse(core.ErrConflict, "the key was used for a transfer")
		}
		return core.Hold{}, false, err
	case err != nil:
		return core.Hold{}, false, err
	case h.BodyDigest != req.digest():
		return core.Hold{}, false, refuse(core.ErrConflict, "the key was used for another hold")
	}
	return h, true, nil
}

// pending returns a hold and its account.
func (b *book) pending(ctx context.Context, id int64) (core.Hold, *core.Account, error) {
	h, err := b.tx.Hold(ctx, id)
	if errors.Is(err, core.ErrNotFound) {
		return h, nil, refuse(core.ErrNotFound, "there is no hold %d", id)
	}
	if err != nil {
		return h, nil, err
	}
	a, err := b.account(ctx, h.Account)
	return h, a, err
}

func (b *book) postHold(ctx context.Context, id int64, p Posting) (Receipt, error) {
	if r, done, err := b.replay(ctx, p, id); done || err != nil {
		return r, err
	}
	h, account, err := b.pending(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	switch {
	case h.State != core.HoldPending:
		return Receipt{}, refuse(core.ErrConflict, "hold %d is %s", id, h.State)
	case !b.now.Before(h.ExpiresAt):
		return Receipt{}, refuse(core.ErrConflict, "hold %d expired at %s", id, h.ExpiresAt.Format(time.RFC3339))
	case p.Amount > h.Amount:
		return Receipt{}, refuse(core.ErrInvalid, "hold %d is over %s, which does not cover %s", id, h.Amount, p.Amount)
	}
	usage, err := b.ownAccount(ctx, core.AccountUsage)
	if err != nil {
		return Receipt{}, err
	}
	// What was granted may be used, though the overdraft was lowered since: the account's floor stays.
	r, err := b.move(ctx, p, movement{
		account: account, other: usage, amount: -p.Amount, held: account.Held - h.Amount, floor: account.Floor, hold: id,
		digest: p.digest(id),
	})
	if err != nil {
		return Receipt{}, err
	}
	return r, b.tx.SettleHold(ctx, id, core.HoldPosted, r.Seq, b.now)
}

func (b *book) voidHold(ctx context.Context, id int64) (core.Hold, error) {
	h, account, err := b.pending(ctx, id)
	if err != nil {
		return core.Hold{}, err
	}
	switch h.State {
	case core.HoldVoided:
		return h, nil
	case core.HoldPosted:
		return core.Hold{}, refuse(core.ErrConflict, "hold %d is posted already, by transfer %d", id, h.Seq)
	case core.HoldPending:
	}
	if err := b.tx.SettleHold(ctx, id, core.HoldVoided, 0, b.now); err != nil {
		return core.Hold{}, err
	}
	b.set(account, account.Balance, account.Held-h.Amount, account.Floor)
	h.State, h.SettledAt = core.HoldVoided, b.now
	return h, nil
}

// voidExpired voids holds whose time is over and tells how many.
func (b *book) voidExpired(ctx context.Context) (int, error) {
	expired, err := b.tx.ExpiredHolds(ctx, b.now, sweepBatch)
	if err != nil {
		return 0, err
	}
	for _, h := range expired {
		if _, err := b.voidHold(ctx, h.ID); err != nil {
			return 0, err
		}
	}
	return len(expired), nil
}
