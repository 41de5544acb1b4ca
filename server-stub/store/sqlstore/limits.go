package sqlstore

import (
	"context"
	"errors"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

func scanAttempts(row scanner) (core.Attempts, error) {
	var a core.Attempts
	err := row.Scan(&a.Key, &a.Count, timeOf{&a.FirstAt}, timeOf{&a.LastAt}, timeOf{&a.BlockedTo})
	return a, err
}

// Attempts implements store.Limits.
func (t *tx) Attempts(ctx context.Context, key string) (core.Attempts, error) {
	a, err := one(ctx, t, scanAttempts, "read a limit",
		`SELECT key, count, first_at, last_at, blocked_to FROM attempts WHERE key = $1`, key)
	if errors.Is(err, core.ErrNotFound) {
		return core.Attempts{Key: key}, nil
	}
	return a, err
}

// PutAttempts implements store.Limits.
func (t *tx) PutAttempts(ctx context.Context, a core.Attempts) error {
	_, err := t.exec(ctx, "write a limit", `INSERT INTO attempts (key, count, first_at, last_at, blocked_to)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key) DO UPDATE SET count = excluded.count, first_at = excluded.first_at,
			last_at = excluded.last_at, blocked_to = excluded.blocked_to`,
		a.Key, a.Count, a.FirstAt, a.LastAt, a.BlockedTo)
	return err
}

// DeleteAttemptsBefore implements store.Limits.
func (t *tx) DeleteAttemptsBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget old limits", `DELETE FROM attempts
		WHERE (last_at IS NULL OR last_at < $1) AND (blocked_to IS NULL OR blocked_to < $1)`, before)
	return int(n), err
}
