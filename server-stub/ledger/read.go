package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Limits of what is read at once.
const (
	MaxStatement = 500
	MaxHistory   = 1000
)

// BalancePoint is the balance at a time.
type BalancePoint struct {
	At      time.Time
	Balance core.Amount
}

// Balance returns the person's account; one that was never used is empty (ID 0). core.ErrNotFound for an unknown user.
func (l *Ledger) Balance(ctx context.Context, user core.UserID) (a core.Account, err error) {
	err = l.store.View(ctx, func(tx store.Tx) error {
		a, err = l.account(ctx, tx, user)
		return err
	})
	return a, err
}

func (l *Ledger) account(ctx context.Context, tx store.Tx, user core.UserID) (core.Account, error) {
	a, err := tx.UserAccount(ctx, user, l.opts.Currency)
	if !errors.Is(err, core.ErrNotFound) {
		return a, err
	}
	if _, err := tx.User(ctx, user); err != nil {
		return core.Account{}, err
	}
	return core.Account{Kind: core.AccountUser, UserID: user, Currency: l.opts.Currency}, nil
}

// Statement returns the person's lines newest first, before the given Seq (0: from the newest), at most limit and
// MaxStatement.
func (l *Ledger) Statement(ctx context.Context, user core.UserID, before int64, limit int) (lines []core.StatementLine, err error) {
	err = l.store.View(ctx, func(tx store.Tx) error {
		a, err := l.account(ctx, tx, user)
		if err != nil || a.ID == 0 {
			return err
		}
		lines, err = tx.Statement(ctx, a.ID, before, max(1, min(limit, MaxStatement)))
		return err
	})
	return lines, err
}

// BalanceHistory returns the balance at from, from+step ... up to to, at most MaxHistory points.
func (l *Ledger) BalanceHistory(ctx context.Context, user core.UserID, from, to time.Time, step time.Duration) ([]BalancePoint, error) {
	if step <= 0 || to.Before(from) || to.Sub(from)/step >= MaxHistory {
		return nil, fmt.Errorf("%w: a history from %s to %s every %s has no or too many points", core.ErrInvalid, from, to, step)
	}
	var points []BalancePoint
	err := l.store.View(ctx, func(tx store.Tx) error {
		points = nil
		a, err := l.account(ctx, tx, user)
		if err != nil {
			return err
		}
		for at := from; !at.After(to); at = at.Add(step) {
			p := BalancePoint{At: at}
			if a.ID != 0 {
				if p.Balance, err = tx.BalanceAt(ctx, a.ID, at); err != nil {
					return err
				}
			}
			points = append(points, p)
		}
		return nil
	})
	return points, err
}
