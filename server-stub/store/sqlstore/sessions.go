package sqlstore

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const sessionColumns = `id, user_id, kind, assurance, proven_at, access_hash, access_expires, refresh_hash, previous_hash,
	previous_expires, refresh_expires, client, host, address, created_at, last_seen_at, revoked_at, device`

func scanSession(row scanner) (core.Session, error) {
	var s core.Session
	err := row.Scan(&s.ID, &s.UserID, &s.Kind, &s.Assurance, timeOf{&s.ProvenAt}, bytesOf{s.AccessHash[:]}, timeOf{&s.AccessExpires},
		bytesOf{s.RefreshHash[:]}, bytesOf{s.PreviousHash[:]}, timeOf{&s.PreviousExpires}, timeOf{&s.RefreshExpires},
		&s.Client, &s.Host, &s.Address, timeOf{&s.CreatedAt}, timeOf{&s.LastSeenAt}, timeOf{&s.RevokedAt}, &s.Device)
	return s, err
}

// CreateSession implements store.Sessions.
func (t *tx) CreateSession(ctx context.Context, s core.Session) error {
	_, err := t.exec(ctx, "create a session", `INSERT INTO sessions (id, user_id, assurance, access_hash, access_expires,
			refresh_hash, previous_hash, previous_expires, refresh_expires, client, host, address, created_at,
			last_seen_at, revoked_at, kind, proven_at, device)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		s.ID, s.UserID, s.Assurance, s.AccessHash, s.AccessExpires, s.RefreshHash, s.PreviousHash, s.PreviousExpires,
		s.RefreshExpires, s.Client, s.Host, s.Address, s.CreatedAt, s.LastSeenAt, s.RevokedAt, s.Kind, s.ProvenAt,
		s.Device)
	return err
}

// Session implements store.Sessions.
func (t *tx) Session(ctx context.Context, id string) (core.Session, error) {
	return one(ctx, t, scanSession, "read a session", `SELECT `+sessionColumns+` FROM sessions WHERE id = $1`, id)
}

// SessionByAccess implements store.Sessions.
func (t *tx) SessionByAccess(ctx context.Context, accessHash [32]byte) (core.Session, error) {
	return one(ctx, t, scanSession, "find a session by its access token",
		`SELECT `+sessionColumns+` FROM sessions WHERE access_hash = $1`, accessHash)
}

// UpdateSession implements store.Sessions.
func (t *tx) UpdateSession(ctx context.Context, s core.Session) error {
	return t.execOne(ctx, "change a session", `UPDATE sessions SET user_id = $1, assurance = $2, access_hash = $3,
			access_expires = $4, refresh_hash = $5, previous_hash = $6, previous_expires = $7, refresh_expires = $8,
			client = $9, host = $10, address = $11, created_at = $12, last_seen_at = $13, revoked_at = $14,
			kind = $15, proven_at = $16, device = $17
		WHERE id = $18`,
		s.UserID, s.Assurance, s.AccessHash, s.AccessExpires, s.RefreshHash, s.PreviousHash, s.PreviousExpires,
		s.RefreshExpires, s.Client, s.Host, s.Address, s.CreatedAt, s.LastSeenAt, s.RevokedAt, s.Kind, s.ProvenAt,
		s.Device, s.ID)
}

// UserSessions implements store.Sessions.
func (t *tx) UserSessions(ctx context.Context, id core.UserID, now time.Time) ([]core.Session, error) {
	return all(ctx, t, scanSession, "list a user's sessions", `SELECT `+sessionColumns+` FROM sessions
		WHERE user_id = $1 AND revoked_at IS NULL AND refresh_expires > $2 AND (kind NOT IN ('web', 'admin') OR access_expires > $2)
		ORDER BY COALESCE(created_at, 0) DESC, id`, id, now)
}

// RevokeUserSessions implements store.Sessions.
func (t *tx) RevokeUserSessions(ctx context.Context, id core.UserID, at time.Time) (int, error) {
	n, err := t.exec(ctx, "revoke a user's sessions",
		`UPDATE sessions SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL`, at, id)
	return int(n), err
}

// RevokeAllSessions implements store.Sessions.
func (t *tx) RevokeAllSessions(ctx context.Context, at time.Time) (int, error) {
	n, err := t.exec(ctx, "revoke all sessions", `UPDATE sessions SET revoked_at = $1 WHERE revoked_at IS NULL`, at)
	return int(n), err
}

// DeleteSessionsBefore implements store.Sessions.
func (t *tx) DeleteSessionsBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget old sessions",
		`DELETE FROM sessions WHERE revoked_at < $1 OR refresh_expires < $1`, before)
	return int(n), err
}
