package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// userRef is a reference to a user that may be none.
func userRef(id core.UserID) any {
	if id == 0 {
		return nil
	}
	return int64(id)
}

const scimTokenColumns = `id, source, hash, networks, created_at, expires_at, last_used_at, revoked_at`

func scanSCIMToken(row scanner) (store.SCIMToken, error) {
	var t store.SCIMToken
	err := row.Scan(&t.ID, &t.Source, bytesOf{t.Hash[:]}, &t.Networks, timeOf{&t.CreatedAt}, timeOf{&t.ExpiresAt}, timeOf{&t.LastUsedAt}, timeOf{&t.RevokedAt})
	return t, err
}

// CreateSCIMToken implements store.SCIM.
func (t *tx) CreateSCIMToken(ctx context.Context, k store.SCIMToken) error {
	_, err := t.exec(ctx, "add a SCIM token", `INSERT INTO scim_tokens (`+scimTokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		k.ID, k.Source, k.Hash, k.Networks, k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt)
	return err
}

// SCIMTokenByHash implements store.SCIM.
func (t *tx) SCIMTokenByHash(ctx context.Context, hash [32]byte) (store.SCIMToken, error) {
	return one(ctx, t, scanSCIMToken, "look up a SCIM token", `SELECT `+scimTokenColumns+` FROM scim_tokens WHERE hash = $1`, hash)
}

// SCIMTokens implements store.SCIM.
func (t *tx) SCIMTokens(ctx context.Context, source core.SourceID) ([]store.SCIMToken, error) {
	return all(ctx, t, scanSCIMToken, "list SCIM tokens", `SELECT `+scimTokenColumns+` FROM scim_tokens WHERE source = $1
		ORDER BY COALESCE(created_at, 0) DESC, id`, source)
}

// UpdateSCIMToken implements store.SCIM.
func (t *tx) UpdateSCIMToken(ctx context.Context, k store.SCIMToken) error {
	return t.execOne(ctx, "change a SCIM token", `UPDATE scim_tokens SET networks = $1, expires_at = $2, last_used_at = $3, revoked_at = $4 WHERE id = $5`,
		k.Networks, k.ExpiresAt, k.LastUsedAt, k.RevokedAt, k.ID)
}

const scimResourceColumns = `r.key, r.source, r.kind, r.name, r.external_id, r.external_was, COALESCE(r.user_id, 0), r.data, r.version,
	r.created_at, r.modified_at, r.deleted_at, CASE WHEN u.id IS NULL OR u.source <> r.source THEN 0
		WHEN u.deleted_at IS NOT NULL OR u.disabled = 1 AND u.disabled_by_source = 1 THEN 2 ELSE 1 END`

const scimPerson = ` LEFT JOIN users u ON u.id = r.user_id`

func scanSCIMResource(row scanner) (store.SCIMResource, error) {
	var r store.SCIMResource
	err := row.Scan(&r.ID, &r.Source, &r.Kind, &r.Name, &r.ExternalID, &r.ExternalWas, &r.UserID, &r.Data, &r.Version,
		timeOf{&r.CreatedAt}, timeOf{&r.ModifiedAt}, timeOf{&r.DeletedAt}, &r.Standing)
	return r, err
}

// CreateSCIMResource implements store.SCIM.
func (t *tx) CreateSCIMResource(ctx context.Context, r store.SCIMResource, values []store.SCIMValue) error {
	_, err := t.exec(ctx, "add a SCIM resource", `INSERT INTO scim_resources (key, source, kind, name, folded, external_id, external_was, user_id, data,
		version, created_at, modified_at, deleted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12)`,
		r.ID, r.Source, r.Kind, r.Name, strings.ToLower(r.Name), r.ExternalID, r.ExternalWas, userRef(r.UserID), r.Data, r.CreatedAt, r.ModifiedAt, r.DeletedAt)
	if err != nil {
		return err
	}
	return t.addSCIMValues(ctx, r.ID, values)
}

// UpdateSCIMResource implements store.SCIM.
func (t *tx) UpdateSCIMResource(ctx context.Context, r store.SCIMResource, values []store.SCIMValue) error {
	err := t.execOne(ctx, "change a SCIM resource", `UPDATE scim_resources SET name = $1, folded = $2, external_id = $3, external_was = $4, user_id = $5,
		data = $6, version = version + 1, modified_at = $7, deleted_at = $8 WHERE key = $9 AND source = $10 AND version = $11 AND kind = `+scimKind(r.Kind),
		r.Name, strings.ToLower(r.Name), r.ExternalID, r.ExternalWas, userRef(r.UserID), r.Data, r.ModifiedAt, r.DeletedAt, r.ID, r.Source, r.Version)
	if err != nil {
		return err
	}
	return t.setSCIMValues(ctx, r.ID, values)
}

// setSCIMValues writes what differs only: most changes touch one attribute.
func (t *tx) setSCIMValues(ctx context.Context, resource string, values []store.SCIMValue) error {
	have, err := all(ctx, t, func(row scanner) (store.SCIMValue, error) {
		var v store.SCIMValue
		err := row.Scan(&v.Path, &v.Value)
		return v, err
	}, "read the values of a SCIM resource", `SELECT path, value FROM scim_values WHERE resource = $1`, resource)
	if err != nil {
		return err
	}
	for _, v := range have {
		if slices.Contains(values, v) {
			continue
		}
		if _, err := t.exec(ctx, "change the values of a SCIM resource", `DELETE FROM scim_values WHERE resource = $1 AND path = $2 AND value = $3`,
			resource, v.Path, v.Value); err != nil {
			return err
		}
	}
	return t.addSCIMValues(ctx, resource, slices.DeleteFunc(slices.Clone(values), func(v store.SCIMValue) bool { return slices.Contains(have, v) }))
}

func (t *tx) addSCIMValues(ctx context.Context, resource string, values []store.SCIMValue) error {
	_, err := execMany(ctx, t, "write the values of a SCIM resource", insert{
		`INSERT INTO scim_values (resource, path, value) VALUES`, 3, `ON CONFLICT (resource, path, value) DO NOTHING`,
	}, values, func(v store.SCIMValue) []any { return []any{resource, v.Path, v.Value} })
	return err
}

// scimKind is a kind in the text of a statement. As an argument, SQLite would plan the statement anew each time that it runs: one of the
// indexes is of people only, and whether it serves hangs on the kind.
func scimKind(kind store.SCIMKind) string {
	switch kind {
	case store.SCIMUser:
		return `'User'`
	case store.SCIMGroup:
		return `'Group'`
	}
	return `''` // there is none of another kind
}

// SCIMResource implements store.SCIM.
func (t *tx) SCIMResource(ctx context.Context, source core.SourceID, kind store.SCIMKind, id string) (store.SCIMResource, error) {
	return one(ctx, t, scanSCIMResource, "read a SCIM resource", `SELECT `+scimResourceColumns+` FROM scim_resources r`+scimPerson+`
		WHERE r.key = $1 AND r.source = $2 AND r.kind = `+scimKind(kind), id, source)
}

// scimFrom is the part of a query from FROM on, and its arguments. What is searched by a value begins at the values: SQLite, which
// knows nothing of how many there are of each, would rather read every resource. A CROSS JOIN is what it does not turn around.
func scimFrom(source core.SourceID, kind store.SCIMKind, q store.SCIMQuery) (string, []any) {
	from, args := ` FROM scim_resources r`+scimPerson+` WHERE`, []any{source}
	where := ` r.source = $1 AND r.kind = ` + scimKind(kind) + ` AND r.deleted_at IS NULL`
	if q.Deleted {
		where = ` r.source = $1 AND r.kind = ` + scimKind(kind) + ` AND r.deleted_at IS NOT NULL`
	}
	if q.Path != "" {
		from, args = ` FROM scim_values v CROSS JOIN scim_resources r`+scimPerson+` WHERE`, append(args, q.Path, q.Value)
		where += ` AND v.path = $2 AND v.value = $3 AND r.key = v.resource`
	}
	return from + where, args
}

// SCIMResources implements store.SCIM.
func (t *tx) SCIMResources(ctx context.Context, source core.SourceID, kind store.SCIMKind, q store.SCIMQuery, yield func(store.SCIMResource)) error {
	from, args := scimFrom(source, kind, q)
	text := `SELECT ` + scimResourceColumns + from + ` ORDER BY r.id`
	if q.Limit > 0 {
		text += fmt.Sprintf(` LIMIT $%d OFFSET $%d`, len(args)+1, len(args)+2)
		args = append(args, q.Limit, q.Offset)
	}
	return each(ctx, t, scanSCIMResource, "list SCIM resources", text, yield, args...)
}

// CountSCIMResources implements store.SCIM.
func (t *tx) CountSCIMResources(ctx context.Context, source core.SourceID, kind store.SCIMKind, q store.SCIMQuery) (int, error) {
	from, args := scimFrom(source, kind, q)
	n, err := one(ctx, t, scanInt, "count SCIM resources", `SELECT COUNT(*)`+from, args...)
	return int(n), err
}

// DeleteSCIMResource implements store.SCIM.
func (t *tx) DeleteSCIMResource(ctx context.Context, source core.SourceID, kind store.SCIMKind, id string) error {
	return t.execOne(ctx, "delete a SCIM resource", `DELETE FROM scim_resources WHERE key = $1 AND source = $2 AND kind = `+scimKind(kind), id, source)
}

// SCIMMembers implements store.SCIM.
func (t *tx) SCIMMembers(ctx context.Context, group string) ([]store.SCIMMember, error) {
	return all(ctx, t, func(row scanner) (store.SCIMMember, error) {
		var m store.SCIMMember
		err := row.Scan(&m.ID, &m.Kind, &m.Name)
		return m, err
	}, "list the members of a SCIM group", `SELECT r.key, r.kind, r.name FROM scim_members m JOIN scim_resources r ON r.key = m.member
		WHERE m.group_id = $1 AND r.deleted_at IS NULL ORDER BY r.key`, group)
}

// ChangeSCIMMembers implements store.SCIM.
func (t *tx) ChangeSCIMMembers(ctx context.Context, source core.SourceID, group string, add, remove []string) (store.SCIMMemberChange, error) {
	var c store.SCIMMemberChange
	known := map[string]bool{}
	if len(add) > 0 {
		if err := eachOf(ctx, t, scanText, "look up members", `SELECT key FROM scim_resources WHERE source = $1 AND key IN (%s)`, add,
			func(id string) { known[id] = true }, source); err != nil {
			return c, err
		}
	}
	for _, id := range remove {
		n, err := t.exec(ctx, "remove a member", `DELETE FROM scim_members WHERE group_id = $1 AND member = $2`, group, id)
		if err != nil {
			return c, err
		}
		if n > 0 {
			c.Removed = append(c.Removed, id)
		}
	}
	for _, id := range add {
		if !known[id] {
			c.Unknown = append(c.Unknown, id)
			continue
		}
		n, err := t.exec(ctx, "add a member", `INSERT INTO scim_members (group_id, member) VALUES ($1, $2) ON CONFLICT (group_id, member) DO NOTHING`, group, id)
		if err != nil {
			return c, err
		}
		if n > 0 {
			c.Added = append(c.Added, id)
		}
	}
	return c, nil
}

const scimLogColumns = `id, at, source, token, operation, kind, resource, name, COALESCE(user_id, 0), status, result, detail, request_id`

func scanSCIMEntry(row scanner) (store.SCIMEntry, error) {
	var e store.SCIMEntry
	err := row.Scan(&e.ID, timeOf{&e.At}, &e.Source, &e.Token, &e.Operation, &e.Kind, &e.Resource, &e.Name, &e.UserID, &e.Status, &e.Result, &e.Detail, &e.RequestID)
	return e, err
}

// AppendSCIMLog implements store.SCIM.
func (t *tx) AppendSCIMLog(ctx context.Context, e ...store.SCIMEntry) error {
	_, err := execMany(ctx, t, "write the provisioning log", insert{
		`INSERT INTO scim_log (at, source, token, operation, kind, resource, name, user_id, status, result, detail, request_id) VALUES`, 12, ``,
	}, e, func(e store.SCIMEntry) []any {
		return []any{e.At, e.Source, e.Token, e.Operation, e.Kind, e.Resource, e.Name, userRef(e.UserID), e.Status, e.Result, e.Detail, e.RequestID}
	})
	return err
}

// SCIMLog implements store.SCIM.
func (t *tx) SCIMLog(ctx context.Context, source core.SourceID, after int64, limit int) ([]store.SCIMEntry, error) {
	if after >= 0 {
		return all(ctx, t, scanSCIMEntry, "read the provisioning log", `SELECT `+scimLogColumns+` FROM scim_log
			WHERE source = $1 AND id > $2 ORDER BY id LIMIT $3`, source, after, limit)
	}
	list, err := all(ctx, t, scanSCIMEntry, "read the provisioning log", `SELECT `+scimLogColumns+` FROM scim_log
		WHERE source = $1 ORDER BY id DESC LIMIT $2`, source, limit)
	slices.Reverse(list)
	return list, err
}

// DeleteSCIMLogBefore implements store.SCIM.
func (t *tx) DeleteSCIMLogBefore(ctx context.Context, before time.Time) (int, error) {
	n, err := t.exec(ctx, "forget lines of the provisioning log", `DELETE FROM scim_log WHERE at < $1`, before)
	return int(n), err
}

// SCIMConnection implements store.SCIM.
func (t *tx) SCIMConnection(ctx context.Context, source core.SourceID) (store.SCIMConnection, error) {
	c, err := one(ctx, t, func(row scanner) (store.SCIMConnection, error) {
		var c store.SCIMConnection
		err := row.Scan(&c.Source, timeOf{&c.LastSeenAt}, &c.Warning, timeOf{&c.WarnedAt})
		return c, err
	}, "read how a SCIM connection stands", `SELECT source, last_seen_at, warning, warned_at FROM scim_connections WHERE source = $1`, source)
	if errors.Is(err, core.ErrNotFound) {
		return store.SCIMConnection{Source: source}, nil
	}
	return c, err
}

// PutSCIMConnection implements store.SCIM.
func (t *tx) PutSCIMConnection(ctx context.Context, c store.SCIMConnection) error {
	_, err := t.exec(ctx, "note how a SCIM connection stands", `INSERT INTO scim_connections (source, last_seen_at, warning, warned_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (source) DO UPDATE SET last_seen_at = excluded.last_seen_at, warning = excluded.warning,
			warned_at = excluded.warned_at`, c.Source, c.LastSeenAt, c.Warning, c.WarnedAt)
	return err
}

// DeleteSCIMUser implements store.SCIM.
func (t *tx) DeleteSCIMUser(ctx context.Context, user core.UserID) error {
	for _, text := range []string{
		`DELETE FROM scim_log WHERE user_id = $1 OR resource IN (SELECT key FROM scim_resources WHERE user_id = $1)`,
		`DELETE FROM scim_resources WHERE user_id = $1`,
	} {
		if _, err := t.exec(ctx, fmt.Sprintf("delete what SCIM brought of user %d", user), text, user); err != nil {
			return err
		}
	}
	return nil
}
