package server

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// retention erases people whom no directory lists any more, once their time to come back is over.
type retention struct {
	rules   config.Retention
	db      store.Store
	now     clock.Clock
	logger  *slog.Logger
	balance func(ctx context.Context, user core.UserID) (core.Account, error)
	erase   func(ctx context.Context, actor string, user core.UserID) error
	kept    atomic.Int64 // whom the last look kept for their balance
}

// retained is what a look at those who left did.
type retained struct {
	Erased int
	Kept   int // whose time is over, but who have or owe money
}

// retentionPage is how many people are looked at in one transaction.
const retentionPage = 1000

// keep looks at everybody once.
func (r *retention) keep(ctx context.Context) (retained, error) {
	var out retained
	if !r.rules.Erase {
		return out, nil
	}
	before := r.now().Add(-r.rules.After)
	for after := core.UserID(0); ; {
		var page []core.User
		err := r.db.View(ctx, func(tx store.Tx) (err error) {
			page, err = tx.ListUsers(ctx, store.UserFilter{After: after, Limit: retentionPage, IncludeDeleted: true})
			return err
		})
		if err != nil {
			return out, fmt.Errorf("look for people who left: %w", err)
		}
		for _, u := range page {
			if u.DeletedAt.IsZero() || !u.DeletedAt.Before(before) {
				continue
			}
			erased, err := r.eraseOne(ctx, u.ID)
			if err != nil {
				return out, err
			}
			if erased {
				out.Erased++
			} else {
				out.Kept++
			}
		}
		if len(page) < retentionPage {
			break
		}
		after = page[len(page)-1].ID
	}
	r.kept.Store(int64(out.Kept))
	if out != (retained{}) {
		r.logger.InfoContext(ctx, "people who left long ago", "erased", out.Erased, "kept_for_their_balance", out.Kept)
	}
	return out, nil
}

func (r *retention) eraseOne(ctx context.Context, id core.UserID) (bool, error) {
	if !r.rules.WithBalance {
		a, err := r.balance(ctx, id)
		if err != nil {
			return false, fmt.Errorf("read the balance of user %d, who left: %w", id, err)
		}
		if a.Balance != 0 || a.Held != 0 {
			return false, nil
		}
	}
	if err := r.erase(ctx, "retention", id); err != nil {
		return false, fmt.Errorf("erase user %d, who left: %w", id, err)
	}
	return true, nil
}
