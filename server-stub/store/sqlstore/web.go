package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

const roleColumns = `user_id, role, granted_by, granted_at`

func scanRole(row scanner) (core.RoleGrant, error) {
	var g core.RoleGrant
	err := row.Scan(&g.UserID, &g.Role, &g.GrantedBy, timeOf{&g.GrantedAt})
	return g, err
}

// PutRole implements store.Web.
func (t *tx) PutRole(ctx context.Context, g core.RoleGrant) error {
	_, err := t.exec(ctx, "grant a role", `INSERT INTO role_grants (user_id, role, granted_by, granted_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_id, role) DO NOTHING`, g.UserID, g.Role, g.GrantedBy, g.GrantedAt)
	return err
}

// DeleteRole implements store.Web.
func (t *tx) DeleteRole(ctx context.Context, user core.UserID, role core.Role) error {
	return t.execOne(ctx, fmt.Sprintf("take a role from user %d", user), `DELETE FROM role_grants WHERE user_id = $1 AND role = $2`, user, role)
}

// UserRoles implements store.Web.
func (t *tx) UserRoles(ctx context.Context, user core.UserID) ([]core.RoleGrant, error) {
	return all(ctx, t, scanRole, "list a user's roles", `SELECT `+roleColumns+` FROM role_grants WHERE user_id = $1 ORDER BY role`, user)
}

// RoleGrants implements store.Web.
func (t *tx) RoleGrants(ctx context.Context) ([]core.RoleGrant, error) {
	return all(ctx, t, scanRole, "list roles", `SELECT `+roleColumns+` FROM role_grants ORDER BY role, user_id`)
}

const passkeyColumns = `id, user_id, handle, name, credential, created_at, last_used_at`

func scanPasskey(row scanner) (core.Passkey, error) {
	var p core.Passkey
	err := row.Scan(&p.ID, &p.UserID, bytesOf{p.Handle[:]}, &p.Name, &p.Credential, timeOf{&p.CreatedAt}, timeOf{&p.LastUsedAt})
	return p, err
}

// CreatePasskey implements store.Web.
func (t *tx) CreatePasskey(ctx context.Context, p core.Passkey) error {
	_, err := t.exec(ctx, "add a passkey", `INSERT INTO passkeys (id, user_id, handle, name, credential, created_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, p.ID, p.UserID, p.Handle, p.Name, p.Credential, p.CreatedAt, p.LastUsedAt)
	return err
}

// Passkey implements store.Web.
func (t *tx) Passkey(ctx context.Context, id string) (core.Passkey, error) {
	return one(ctx, t, scanPasskey, "read a passkey", `SELECT `+passkeyColumns+` FROM passkeys WHERE id = $1`, id)
}

// UpdatePasskey implements store.Web.
func (t *tx) UpdatePasskey(ctx context.Context, p core.Passkey) error {
	return t.execOne(ctx, "change a passkey", `UPDATE passkeys SET name = $1, credential = $2, last_used_at = $3 WHERE id = $4`, p.Name, p.Credential, p.LastUsedAt, p.ID)
}

// UserPasskeys implements store.Web.
func (t *tx) UserPasskeys(ctx context.Context, user core.UserID) ([]core.Passkey, error) {
	return all(ctx, t, scanPasskey, "list a user's passkeys", `SELECT `+passkeyColumns+` FROM passkeys WHERE user_id = $1 ORDER BY COALESCE(created_at, 0), id`, user)
}

// DeletePasskey implements store.Web.
func (t *tx) DeletePasskey(ctx context.Context, user core.UserID, id string) error {
	return t.execOne(ctx, fmt.Sprintf("remove a passkey of user %d", user), `DELETE FROM passkeys WHERE user_id = $1 AND id = $2`, user, id)
}

const flowColumns = `hash, browser, kind, data, expires_at`

func scanFlow(row scanner) (core.Flow, error) {
	var f core.Flow
	err := row.Scan(bytesOf{f.Hash[:]}, bytesOf{f.Browser[:]}, &f.Kind, &f.Data, timeOf{&f.ExpiresAt})
	return f, err
}

// CreateFlow implements store.Web.
func (t *tx) CreateFlow(ctx context.Context, f core.Flow) error {
	_, err := t.exec(ctx, "remember what a browser began", `INSERT INTO web_flows (hash, browser, kind, data, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		f.Hash, f.Browser, f.Kind, f.Data, f.ExpiresAt)
	return err
}

// TakeFlow implements store.Web.
func (t *tx) TakeFlow(ctx context.Context, hash [32]byte) (core.Flow, error) {
	return one(ctx, t, scanFlow, "take what a browser began", `DELETE FROM web_flows WHERE hash = $1 RETURNING `+flowColumns, hash)
}

// DeleteFlowsBefore implements store.Web.
func (t *tx) DeleteFlowsBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget what browsers began", `DELETE FROM web_flows WHERE expires_at < $1`, before)
	return int(n), err
}
