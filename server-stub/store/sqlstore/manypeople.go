package sqlstore

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

// LivingUsers implements store.ManyPeople.
func (t *tx) LivingUsers(ctx context.Context, source core.SourceID, yield func(core.UserID)) error {
	return each(ctx, t, scanUserID, fmt.Sprintf("list the people of %q", source),
		`SELECT id FROM users WHERE source = $1 AND deleted_at IS NULL AND erased_at IS NULL ORDER BY id`, yield, source)
}

// UsersOf implements store.ManyPeople.
func (t *tx) UsersOf(ctx context.Context, ids []core.UserID, yield func(core.User)) error {
	return eachOf(ctx, t, scanUser, "read users", `SELECT `+userColumns+` FROM users WHERE id IN (%s) AND erased_at IS NULL ORDER BY id`, ids, yield)
}

// NamesOf implements store.ManyPeople.
func (t *tx) NamesOf(ctx context.Context, ids []core.UserID, yield func(core.LoginName)) error {
	return eachOf(ctx, t, scanName, "read names of users", `SELECT `+nameColumns+` FROM login_names n
		WHERE n.user_id IN (%s) ORDER BY n.user_id, COALESCE(n.valid_from, 0), n.id`, ids, yield)
}

// IdentitiesOf implements store.ManyPeople.
func (t *tx) IdentitiesOf(ctx context.Context, ids []core.UserID, yield func(core.ExternalIdentity)) error {
	return eachOf(ctx, t, scanIdentity, "read identities of users",
		`SELECT `+identityColumns+` FROM external_identities WHERE user_id IN (%s) ORDER BY user_id, source, kind, immutable_id`, ids, yield)
}

// SourceOwners implements store.ManyPeople.
func (t *tx) SourceOwners(ctx context.Context, source core.SourceID, kind core.IdentityKind, ids []string, yield func(string, core.UserID)) error {
	return eachOf(ctx, t, scanOwnedID, fmt.Sprintf("find whom %q knows", source), `SELECT immutable_id, user_id FROM external_identities
		WHERE source = $1 AND kind = $2 AND immutable_id IN (%s) ORDER BY immutable_id`, ids,
		func(o ownedID) { yield(o.id, o.owner) }, source, kind)
}

// DeleteName implements store.ManyPeople.
func (t *tx) DeleteName(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, fmt.Sprintf("take name %d back", id), `DELETE FROM login_names WHERE id = $1`, id)
	return err
}

// DeleteIdentity implements store.ManyPeople.
func (t *tx) DeleteIdentity(ctx context.Context, e core.ExternalIdentity) error {
	_, err := t.exec(ctx, fmt.Sprintf("take an identity of user %d back", e.UserID), `DELETE FROM external_identities
		WHERE source = $1 AND kind = $2 AND immutable_id = $3 AND user_id = $4`, e.Source, e.Kind, e.ImmutableID, e.UserID)
	return err
}
