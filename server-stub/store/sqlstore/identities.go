package sqlstore

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

const identityColumns = `user_id, source, kind, immutable_id`

func scanIdentity(row scanner) (core.ExternalIdentity, error) {
	var e core.ExternalIdentity
	err := row.Scan(&e.UserID, &e.Source, &e.Kind, &e.ImmutableID)
	return e, err
}

func scanUserID(row scanner) (core.UserID, error) {
	id, err := scanInt(row)
	return core.UserID(id), err
}

// PutIdentity implements store.Identities. A conflict leaves the transaction usable.
func (t *tx) PutIdentity(ctx context.Context, e core.ExternalIdentity) error {
	doing := fmt.Sprintf("tie a %s of %q to user %d", e.Kind, e.Source, e.UserID)
	if _, err := t.exec(ctx, doing, `INSERT INTO external_identities (source, kind, immutable_id, user_id)
		VALUES ($1, $2, $3, $4) ON CONFLICT (source, kind, immutable_id) DO NOTHING`,
		e.Source, e.Kind, e.ImmutableID, e.UserID); err != nil {
		return err
	}
	owner, err := t.IdentityOwner(ctx, e.Source, e.Kind, e.ImmutableID)
	if err != nil {
		return err
	}
	if owner != e.UserID {
		return fmt.Errorf("%s: %w: it is tied to user %d", doing, core.ErrConflict, owner)
	}
	return nil
}

// IdentityOwner implements store.Identities.
func (t *tx) IdentityOwner(ctx context.Context, source core.SourceID, kind core.IdentityKind, immutableID string) (core.UserID, error) {
	return one(ctx, t, scanUserID, fmt.Sprintf("find the owner of a %s of %q", kind, source),
		`SELECT user_id FROM external_identities WHERE source = $1 AND kind = $2 AND immutable_id = $3`, source, kind, immutableID)
}

// OwnersByID implements store.Identities.
func (t *tx) OwnersByID(ctx context.Context, kind core.IdentityKind, immutableID string) ([]core.UserID, error) {
	return all(ctx, t, scanUserID, fmt.Sprintf("find the owners of a %s", kind), `SELECT DISTINCT user_id
		FROM external_identities WHERE kind = $1 AND immutable_id = $2 ORDER BY user_id`, kind, immutableID)
}

// UserIdentities implements store.Identities.
func (t *tx) UserIdentities(ctx context.Context, id core.UserID) ([]core.ExternalIdentity, error) {
	return all(ctx, t, scanIdentity, fmt.Sprintf("read the identities of user %d", id),
		`SELECT `+identityColumns+` FROM external_identities WHERE user_id = $1 ORDER BY source, kind, immutable_id`, id)
}

// SourceIdentities implements store.Identities.
func (t *tx) SourceIdentities(ctx context.Context, source core.SourceID, kind core.IdentityKind) ([]core.ExternalIdentity, error) {
	return all(ctx, t, scanIdentity, fmt.Sprintf("read the identities of %q", source),
		`SELECT `+identityColumns+` FROM external_identities WHERE source = $1 AND kind = $2 ORDER BY immutable_id`, source, kind)
}

// DeleteIdentities implements store.Identities.
func (t *tx) DeleteIdentities(ctx context.Context, id core.UserID) error {
	_, err := t.exec(ctx, fmt.Sprintf("delete the identities of user %d", id),
		`DELETE FROM external_identities WHERE user_id = $1`, id)
	return err
}
