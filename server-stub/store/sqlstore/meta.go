package sqlstore

import (
	"context"
	"fmt"
)

// Meta implements store.Meta.
func (t *tx) Meta(ctx context.Context, key string) (string, error) {
	return one(ctx, t, scanText, fmt.Sprintf("read %q", key), `SELECT value FROM meta WHERE key = $1`, key)
}

// SetMeta implements store.Meta.
func (t *tx) SetMeta(ctx context.Context, key, value string) error {
	_, err := t.exec(ctx, fmt.Sprintf("write %q", key), `INSERT INTO meta (key, value) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}
