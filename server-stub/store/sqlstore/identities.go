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
func (t *tx) PutIdentity(ctx context.Context, list ...core.ExternalIdentity) error {
	if len(list) == 0 {
		return nil
	}
	doing := func(e core.ExternalIdentity) string {
		return fmt.Sprintf("tie a %s of %q to user %d", e.Kind, e.Source, e.UserID)
	}
	n, err := execMany(ctx, t, doing(list[0]), insert{
		`INSERT INTO external_identities (source, kind, immutable_id, user_id) VALUES`, 4,
		`ON CONFLICT (source, kind, immutable_id) DO NOTHING`,
	}, list, func(e core.ExternalIdentity) []any { return []any{e.Source, e.Kind, e.ImmutableID, e.UserID} })
	if err != nil || n == int64(len(list)) {
		return err
	}
	for _, e := range list { // some were there: whose?
		owner, err := t.IdentityOwner(ctx, e.Source, e.Kind, e.ImmutableID)
		if err != nil {
			return err
		}
		if owner != e.UserID {
			return fmt.Errorf("%s: %w: it is tied to user %d", doing(e), core.ErrConflict, owner)
		}
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

// ownedID is an id with one of its owners.
type ownedID struct {
	id    string
	owner core.UserID
}

func scanOwnedID(row scanner) (ownedID, error) {
	var o ownedID
	err := row.Scan(&o.id, &o.owner)
	return o, err
}

// OwnersOf implements store.Identities.
func (t *tx) OwnersOf(ctx context.Context, kind core.IdentityKind, ids []string, yield func(string, core.UserID)) error {
	return eachOf(ctx, t, scanOwnedID, fmt.Sprintf("find the owners of %ss", kind), `SELECT DISTINCT immutable_id, user_id
		FROM external_identities WHERE kind = $1 AND immutable_id IN (%s) ORDER BY immutable_id, user_id`, ids,
		func(o ownedID) { yield(o.id, o.owner) }, kind)
}

// SourceIdentities implements store.Identities.
func (t *tx) SourceIdentities(ctx context.Context, source core.SourceID, yield func(core.ExternalIdentity)) error {
	return each(ctx, t, scanIdentity, fmt.Sprintf("read the identities of %q", source),
		`SELECT `+identityColumns+` FROM external_identities WHERE source = $1 ORDER BY kind, immutable_id`, yield, source)
}

// DeleteIdentities implements store.Identities.
func (t *tx) DeleteIdentities(ctx context.Context, id core.UserID) error {
	_, err := t.exec(ctx, fmt.Sprintf("delete the identities of user %d", id),
		`DELETE FROM external_identities WHERE user_id = $1`, id)
	return err
}
