package sqlstore

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const tokenColumns = `id, secret_hash, device_group, networks, campaign, uses, used, per_hour, hour_from, hour_used,
	created_at, created_by, expires_at, revoked_at, last_used_at, description`

func scanToken(row scanner) (core.EnrolmentToken, error) {
	var e core.EnrolmentToken
	err := row.Scan(&e.ID, bytesOf{e.SecretHash[:]}, &e.Group, &e.Networks, boolOf{&e.Campaign}, &e.Uses, &e.Used, &e.PerHour,
		timeOf{&e.HourFrom}, &e.HourUsed, timeOf{&e.CreatedAt}, &e.CreatedBy, timeOf{&e.ExpiresAt}, timeOf{&e.RevokedAt},
		timeOf{&e.LastUsedAt}, &e.Description)
	return e, err
}

// CreateEnrolmentToken implements store.Devices.
func (t *tx) CreateEnrolmentToken(ctx context.Context, e core.EnrolmentToken) error {
	_, err := t.exec(ctx, "keep an enrolment token", `INSERT INTO enrolment_tokens (`+tokenColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		e.ID, e.SecretHash, e.Group, e.Networks, e.Campaign, e.Uses, e.Used, e.PerHour, e.HourFrom, e.HourUsed, e.CreatedAt,
		e.CreatedBy, e.ExpiresAt, e.RevokedAt, e.LastUsedAt, e.Description)
	return err
}

// EnrolmentToken implements store.Devices.
func (t *tx) EnrolmentToken(ctx context.Context, id string) (core.EnrolmentToken, error) {
	return one(ctx, t, scanToken, "read an enrolment token", `SELECT `+tokenColumns+` FROM enrolment_tokens WHERE id = $1`, id)
}

// EnrolmentTokenBySecret implements store.Devices.
func (t *tx) EnrolmentTokenBySecret(ctx context.Context, secretHash [32]byte) (core.EnrolmentToken, error) {
	return one(ctx, t, scanToken, "find an enrolment token",
		`SELECT `+tokenColumns+` FROM enrolment_tokens WHERE secret_hash = $1`, secretHash)
}

// UpdateEnrolmentToken implements store.Devices.
func (t *tx) UpdateEnrolmentToken(ctx context.Context, e core.EnrolmentToken) error {
	return t.execOne(ctx, "change an enrolment token", `UPDATE enrolment_tokens SET used = $1, hour_from = $2, hour_used = $3,
		last_used_at = $4, revoked_at = $5 WHERE id = $6`, e.Used, e.HourFrom, e.HourUsed, e.LastUsedAt, e.RevokedAt, e.ID)
}

// EnrolmentTokens implements store.Devices.
func (t *tx) EnrolmentTokens(ctx context.Context) ([]core.EnrolmentToken, error) {
	return all(ctx, t, scanToken, "list enrolment tokens",
		`SELECT `+tokenColumns+` FROM enrolment_tokens ORDER BY COALESCE(created_at, 0) DESC, id`)
}

// DeleteEnrolmentTokensBefore implements store.Devices.
func (t *tx) DeleteEnrolmentTokensBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget enrolment tokens", `DELETE FROM enrolment_tokens WHERE expires_at < $1 OR revoked_at < $1`, before)
	return int(n), err
}
