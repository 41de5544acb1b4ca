package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const holdColumns = `id, idempotency_key, body_digest, account_id, amount, state, created_at, expires_at, settled_at, seq`

func scanHold(row scanner) (core.Hold, error) {
	var h core.Hold
	err := row.Scan(&h.ID, &h.IdempotencyKey, bytesOf{h.BodyDigest[:]}, &h.Account, &h.Amount, &h.State,
		timeOf{&h.CreatedAt}, timeOf{&h.ExpiresAt}, timeOf{&h.SettledAt}, &h.Seq)
	return h, err
}

// CreateHold implements store.Ledger.
func (t *tx) CreateHold(ctx context.Context, h core.Hold) (int64, error) {
	return one(ctx, t, scanInt, "hold money", `INSERT INTO holds (idempotency_key, body_digest, account_id, amount, state,
			created_at, expires_at, settled_at, seq)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		h.IdempotencyKey, h.BodyDigest, h.Account, h.Amount, h.State, h.CreatedAt, h.ExpiresAt, h.SettledAt, h.Seq)
}

// Hold implements store.Ledger.
func (t *tx) Hold(ctx context.Context, id int64) (core.Hold, error) {
	return one(ctx, t, scanHold, fmt.Sprintf("read hold %d", id), `SELECT `+holdColumns+` FROM holds WHERE id = $1`, id)
}

// HoldByKey implements store.Ledger.
func (t *tx) HoldByKey(ctx context.Context, key string) (core.Hold, error) {
	return one(ctx, t, scanHold, "find a hold by its key", `SELECT `+holdColumns+` FROM holds WHERE idempotency_key = $1`, key)
}

// Holds implements store.Ledger.
func (t *tx) Holds(ctx context.Context, after int64, limit int) ([]core.Hold, error) {
	return all(ctx, t, scanHold, "list holds", `SELECT `+holdColumns+` FROM holds WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// SettleHold implements store.Ledger.
func (t *tx) SettleHold(ctx context.Context, id int64, state core.HoldState, seq int64, at time.Time) error {
	doing := fmt.Sprintf("settle hold %d", id)
	n, err := t.exec(ctx, doing, `UPDATE holds SET state = $1, seq = $2, settled_at = $3 WHERE id = $4 AND state = $5`,
		state, seq, at, id, core.HoldPending)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w: it is not pending", doing, core.ErrConflict)
	}
	return err
}

// ExpiredHolds implements store.Ledger.
func (t *tx) ExpiredHolds(ctx context.Context, now time.Time, limit int) ([]core.Hold, error) {
	return all(ctx, t, scanHold, "find expired holds", `SELECT `+holdColumns+` FROM holds
		WHERE state = 'pending' AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2`, now, limit)
}

// PendingHolds implements store.Ledger.
func (t *tx) PendingHolds(ctx context.Context, account core.AccountID) ([]core.Hold, error) {
	return all(ctx, t, scanHold, fmt.Sprintf("read the pending holds of account %d", account),
		`SELECT `+holdColumns+` FROM holds WHERE account_id = $1 AND state = 'pending' ORDER BY id`, account)
}
