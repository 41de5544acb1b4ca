package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// The audit event that anchors the chain: whoever cuts off or rewrites the ledger's end must also rewrite the audit log,
// which is exported elsewhere.
const (
	anchorAction = "ledger.anchor"
	anchorMeta   = "ledger_anchor_day"
	anchorFormat = "seq=%d hash=%s"
)

// housekeep voids expired holds and anchors the chain once a day. The error is only one that ends the writer.
func (l *Ledger) housekeep(ctx context.Context) error {
	for {
		n := 0
		err := l.commit(ctx, []*job{{do: func(ctx context.Context, b *book) (err error) {
			if err := b.anchor(ctx); err != nil {
				return err
			}
			n, err = b.voidExpired(ctx)
			return err
		}}})
		switch {
		case errors.Is(err, store.ErrBroken):
			return err
		case err != nil:
			l.opts.Logger.ErrorContext(ctx, "the ledger could not tidy up", "error", err)
			return nil
		case n < sweepBatch || ctx.Err() != nil:
			return nil
		}
	}
}

// anchor writes the head into the audit log, once a day.
func (b *book) anchor(ctx context.Context) error {
	today := b.now.Format(time.DateOnly)
	last, err := b.tx.Meta(ctx, anchorMeta)
	if err != nil && !errors.Is(err, core.ErrNotFound) || last == today || b.head.Seq == 0 {
		return ignoreNotFound(err)
	}
	if err := b.tx.SetMeta(ctx, anchorMeta, today); err != nil {
		return err
	}
	return b.tx.AppendAudit(ctx, core.AuditEvent{
		At: b.now, Actor: "system", Action: anchorAction, Target: "ledger",
		Detail: fmt.Sprintf(anchorFormat, b.head.Seq, hex.EncodeToString(b.head.Hash[:])),
	})
}

func ignoreNotFound(err error) error {
	if errors.Is(err, core.ErrNotFound) {
		return nil
	}
	return err
}
