package sqlstore

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

// SetPasswordHash implements store.Passwords.
func (t *tx) SetPasswordHash(ctx context.Context, id core.UserID, phc string) error {
	_, err := t.exec(ctx, fmt.Sprintf("set the password hash of user %d", id), `INSERT INTO passwords (user_id, phc)
		VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc`, id, phc)
	return err
}

// PasswordHash implements store.Passwords.
func (t *tx) PasswordHash(ctx context.Context, id core.UserID) (string, error) {
	return one(ctx, t, scanText, fmt.Sprintf("read the password hash of user %d", id),
		`SELECT phc FROM passwords WHERE user_id = $1`, id)
}

// DeletePassword implements store.Passwords.
func (t *tx) DeletePassword(ctx context.Context, id core.UserID) error {
	_, err := t.exec(ctx, fmt.Sprintf("delete the password hash of user %d", id), `DELETE FROM passwords WHERE user_id = $1`, id)
	return err
}
