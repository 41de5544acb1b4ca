package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const credentialColumns = `id, user_id, kind, origin, source, lookup, sealed, phc, hint, weak, with_pin, place, created_at, ended_at, ended_why`

func scanCredential(row scanner) (core.Credential, error) {
	var c core.Credential
	err := row.Scan(&c.ID, &c.UserID, &c.Kind, &c.Origin, &c.Source, bytesOf{c.Lookup[:]}, &c.Sealed, &c.PHC, &c.Hint, &c.Weak,
		boolOf{&c.WithPIN}, &c.Place, timeOf{&c.CreatedAt}, timeOf{&c.EndedAt}, &c.EndedWhy)
	return c, err
}

// CreateCredential implements store.Credentials.
func (t *tx) CreateCredential(ctx context.Context, c core.Credential) (int64, error) {
	doing := fmt.Sprintf("give user %d a %s", c.UserID, c.Kind)
	ids, err := all(ctx, t, scanInt, doing, `INSERT INTO credentials (user_id, kind, origin, source, lookup, sealed, phc, hint, weak, with_pin,
			place, created_at, ended_at, ended_why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING RETURNING id`,
		c.UserID, c.Kind, c.Origin, c.Source, c.Lookup, c.Sealed, c.PHC, c.Hint, c.Weak, c.WithPIN, c.Place, c.CreatedAt, c.EndedAt, c.EndedWhy)
	switch {
	case err != nil:
		return 0, err
	case len(ids) == 0:
		return 0, fmt.Errorf("%s: %w: its value is in force already", doing, core.ErrConflict)
	}
	return ids[0], nil
}

// UpdateCredential implements store.Credentials.
func (t *tx) UpdateCredential(ctx context.Context, c core.Credential) error {
	return t.execOne(ctx, fmt.Sprintf("change the %s %d", c.Kind, c.ID), `UPDATE credentials SET sealed = $1, phc = $2, weak = $3, with_pin = $4, place = $5
		WHERE id = $6`, c.Sealed, c.PHC, c.Weak, c.WithPIN, c.Place, c.ID)
}

// EndCredentials implements store.Credentials.
func (t *tx) EndCredentials(ctx context.Context, at time.Time, why string, ids ...int64) error {
	for _, id := range ids {
		if _, err := t.exec(ctx, fmt.Sprintf("end the credential %d", id),
			`UPDATE credentials SET ended_at = $1, ended_why = $2 WHERE id = $3 AND ended_at IS NULL`, at, why, id); err != nil {
			return err
		}
	}
	return nil
}

// ReviveCredential implements store.Credentials.
func (t *tx) ReviveCredential(ctx context.Context, id int64) error {
	return t.execOne(ctx, fmt.Sprintf("put the credential %d in force again", id), `UPDATE credentials SET ended_at = NULL, ended_why = ''
		WHERE id = $1 AND ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM credentials other WHERE other.kind = credentials.kind
			AND other.lookup = credentials.lookup AND other.ended_at IS NULL)`, id)
}

// UserCredentials implements store.Credentials.
func (t *tx) UserCredentials(ctx context.Context, user core.UserID) ([]core.Credential, error) {
	return all(ctx, t, scanCredential, fmt.Sprintf("read the credentials of user %d", user),
		`SELECT `+credentialColumns+` FROM credentials WHERE user_id = $1 ORDER BY id`, user)
}

// CredentialsOf implements store.Credentials.
func (t *tx) CredentialsOf(ctx context.Context, users []core.UserID, yield func(core.Credential)) error {
	return eachOf(ctx, t, scanCredential, "read credentials", `SELECT `+credentialColumns+` FROM credentials
		WHERE ended_at IS NULL AND user_id IN (%s) ORDER BY kind, place, id`, users, yield)
}

// CredentialsByLookup implements store.Credentials.
func (t *tx) CredentialsByLookup(ctx context.Context, kind core.CredentialKind, lookups [][32]byte, yield func(core.Credential)) error {
	return eachOf(ctx, t, scanCredential, fmt.Sprintf("look %ss up", kind), `SELECT `+credentialColumns+` FROM credentials
		WHERE kind = $1 AND lookup IN (%s) ORDER BY id`, lookups, yield, kind)
}

// FindCredential implements store.Credentials.
func (t *tx) FindCredential(ctx context.Context, kind core.CredentialKind, lookup [32]byte) (core.Credential, error) {
	return one(ctx, t, scanCredential, fmt.Sprintf("find a %s", kind), `SELECT `+credentialColumns+` FROM credentials
		WHERE kind = $1 AND lookup = $2 AND ended_at IS NULL`, kind, lookup)
}

// ListCredentials implements store.Credentials.
func (t *tx) ListCredentials(ctx context.Context, kind core.CredentialKind, after int64, limit int) ([]core.Credential, error) {
	return all(ctx, t, scanCredential, fmt.Sprintf("list %ss", kind), `SELECT `+credentialColumns+` FROM credentials
		WHERE kind = $1 AND ended_at IS NULL AND id > $2 ORDER BY id LIMIT $3`, kind, after, limit)
}

// UnhashedPINs implements store.Credentials.
func (t *tx) UnhashedPINs(ctx context.Context, limit int) ([]core.Credential, error) {
	return all(ctx, t, scanCredential, "read PINs that wait to be hashed", `SELECT `+credentialColumns+` FROM credentials
		WHERE kind = $1 AND phc = '' AND ended_at IS NULL ORDER BY id LIMIT $2`, core.CredentialPIN, limit)
}

// WithoutCode implements store.Credentials.
func (t *tx) WithoutCode(ctx context.Context, after core.UserID, limit int) ([]core.UserID, error) {
	return all(ctx, t, scanUserID, "find people without a code", `SELECT id FROM users WHERE id > $1 AND deleted_at IS NULL AND erased_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM credentials c WHERE c.user_id = users.id AND c.kind = $2 AND c.ended_at IS NULL) ORDER BY id LIMIT $3`,
		after, core.CredentialCode, limit)
}

// EraseCredentials implements store.Credentials.
func (t *tx) EraseCredentials(ctx context.Context, user core.UserID, at time.Time) error {
	doing := fmt.Sprintf("erase the credentials of user %d", user)
	if _, err := t.exec(ctx, doing, `DELETE FROM credentials WHERE user_id = $1 AND kind <> $2`, user, core.CredentialCode); err != nil {
		return err
	}
	if _, err := t.exec(ctx, doing, `UPDATE credentials SET ended_at = $1, ended_why = 'erased' WHERE user_id = $2 AND ended_at IS NULL`, at, user); err != nil {
		return err
	}
	_, err := t.exec(ctx, doing, `UPDATE credentials SET sealed = NULL, weak = '', source = '' WHERE user_id = $1`, user)
	return err
}

// DeleteCredentialsBefore implements store.Credentials.
func (t *tx) DeleteCredentialsBefore(ctx context.Context, codes, others time.Time) (int, error) {
	const doing = "forget ended credentials"
	if _, err := t.exec(ctx, doing, `UPDATE credentials SET sealed = NULL WHERE ended_at < $1 AND sealed IS NOT NULL`, others); err != nil {
		return 0, err
	}
	n, err := t.exec(ctx, doing, `DELETE FROM credentials WHERE ended_at < $1 AND kind = $2 OR ended_at < $3 AND kind <> $2`, codes, core.CredentialCode, others)
	return int(n), err
}
