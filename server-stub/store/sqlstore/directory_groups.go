package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

const groupColumns = `g.id, g.source, g.kind, g.immutable_id, g.sid, g.name, g.deleted_at`

func groupDest(g *core.Group) []any {
	return []any{&g.ID, &g.Source, &g.Kind, &g.ImmutableID, &g.SID, &g.Name, timeOf{&g.DeletedAt}}
}

func scanGroup(row scanner) (core.Group, error) {
	var g core.Group
	err := row.Scan(groupDest(&g)...)
	return g, err
}

func scanSeenGroup(row scanner) (store.DirectoryGroup, error) {
	var g store.DirectoryGroup
	err := row.Scan(append(groupDest(&g.Group), bytesOf{g.Fingerprint[:]})...)
	return g, err
}

func scanKey(row scanner) (store.Key, error) {
	var k store.Key
	err := row.Scan(&k.Kind, &k.ID)
	return k, err
}

// PutGroup implements store.Groups.
func (t *tx) PutGroup(ctx context.Context, g store.DirectoryGroup) (int64, error) {
	return one(ctx, t, scanInt, fmt.Sprintf("keep a group of %q", g.Source), `INSERT INTO directory_groups
			(source, kind, immutable_id, sid, name, search, fingerprint, deleted_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (source, kind, immutable_id) DO UPDATE SET sid = excluded.sid, name = excluded.name, search = excluded.search,
			fingerprint = excluded.fingerprint, deleted_at = excluded.deleted_at
		RETURNING id`,
		g.Source, g.Kind, g.ImmutableID, g.SID, g.Name, fold(g.Name), seen(g.Fingerprint), g.DeletedAt)
}

// DirectoryGroups implements store.Groups.
func (t *tx) DirectoryGroups(ctx context.Context, source core.SourceID, yield func(store.DirectoryGroup)) error {
	return each(ctx, t, scanSeenGroup, fmt.Sprintf("read the groups of %q", source),
		`SELECT `+groupColumns+`, g.fingerprint FROM directory_groups g WHERE g.source = $1 ORDER BY g.id`, yield, source)
}

// Groups implements store.Groups.
func (t *tx) Groups(ctx context.Context, f store.GroupFilter) ([]core.Group, error) {
	terms, args := []string{"1 = 1"}, []any{}
	if !f.IncludeDeleted {
		terms = append(terms, "g.deleted_at IS NULL")
	}
	if f.Source != nil {
		args = append(args, *f.Source)
		terms = append(terms, fmt.Sprintf("g.source = $%d", len(args)))
	}
	if f.Query != "" {
		literal := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(f.Query))
		args = append(args, "%"+literal+"%")
		terms = append(terms, fmt.Sprintf(`g.search LIKE $%d ESCAPE '\'`, len(args)))
	}
	return all(ctx, t, scanGroup, "list groups",
		`SELECT `+groupColumns+` FROM directory_groups g WHERE `+strings.Join(terms, " AND ")+` ORDER BY g.search, g.source, g.id`, args...)
}

// GroupByKey implements store.Groups.
func (t *tx) GroupByKey(ctx context.Context, source core.SourceID, k store.Key) (core.Group, error) {
	return one(ctx, t, scanGroup, fmt.Sprintf("find a group of %q", source),
		`SELECT `+groupColumns+` FROM directory_groups g WHERE g.source = $1 AND g.kind = $2 AND g.immutable_id = $3`, source, k.Kind, k.ID)
}

// PutGroupMembers implements store.Groups.
func (t *tx) PutGroupMembers(ctx context.Context, group int64, members ...store.Key) error {
	_, err := execMany(ctx, t, fmt.Sprintf("add members to group %d", group), insert{
		`INSERT INTO directory_edges (group_id, member_kind, member_id) VALUES`, 3, `ON CONFLICT (group_id, member_kind, member_id) DO NOTHING`,
	}, members, func(k store.Key) []any { return []any{group, k.Kind, k.ID} })
	return err
}

// DeleteGroupMembers implements store.Groups.
func (t *tx) DeleteGroupMembers(ctx context.Context, group int64, members ...store.Key) error {
	for _, k := range members {
		if _, err := t.exec(ctx, fmt.Sprintf("take members out of group %d", group),
			`DELETE FROM directory_edges WHERE group_id = $1 AND member_kind = $2 AND member_id = $3`, group, k.Kind, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// ClearGroupMembers implements store.Groups.
func (t *tx) ClearGroupMembers(ctx context.Context, group int64) error {
	_, err := t.exec(ctx, fmt.Sprintf("empty group %d", group), `DELETE FROM directory_edges WHERE group_id = $1`, group)
	return err
}

// GroupMembers implements store.Groups.
func (t *tx) GroupMembers(ctx context.Context, group int64) ([]store.Key, error) {
	return all(ctx, t, scanKey, fmt.Sprintf("list the members of group %d", group),
		`SELECT member_kind, member_id FROM directory_edges WHERE group_id = $1 ORDER BY member_kind, member_id`, group)
}

// edge is one direct membership.
type edge struct {
	group  int64
	member store.Key
}

// GroupEdges implements store.Groups.
func (t *tx) GroupEdges(ctx context.Context, source core.SourceID, yield func(int64, store.Key)) error {
	return each(ctx, t, func(row scanner) (e edge, err error) {
		err = row.Scan(&e.group, &e.member.Kind, &e.member.ID)
		return e, err
	}, fmt.Sprintf("read who is in the groups of %q", source), `SELECT e.group_id, e.member_kind, e.member_id
		FROM directory_groups g JOIN directory_edges e ON e.group_id = g.id
		WHERE g.source = $1 AND g.deleted_at IS NULL ORDER BY e.group_id, e.member_kind, e.member_id`,
		func(e edge) { yield(e.group, e.member) }, source)
}

// membership is a member with a group it is in.
type membership struct {
	member string
	group  core.Group
}

// ParentGroups implements store.Groups.
func (t *tx) ParentGroups(ctx context.Context, source core.SourceID, members []store.Key, yield func(store.Key, core.Group)) error {
	for kind, ids := range byKind(members) {
		if err := eachOf(ctx, t, func(row scanner) (m membership, err error) {
			err = row.Scan(append([]any{&m.member}, groupDest(&m.group)...)...)
			return m, err
		}, fmt.Sprintf("find the groups of members of %q", source), `SELECT e.member_id, `+groupColumns+`
			FROM directory_edges e JOIN directory_groups g ON g.id = e.group_id
			WHERE g.source = $1 AND g.deleted_at IS NULL AND e.member_kind = $2 AND e.member_id IN (%s) ORDER BY e.member_id, g.id`,
			ids, func(m membership) { yield(store.Key{Kind: kind, ID: m.member}, m.group) }, source, kind); err != nil {
			return err
		}
	}
	return nil
}

// byKind sorts ids by their kinds, each once.
func byKind(keys []store.Key) map[core.IdentityKind][]string {
	kinds, known := map[core.IdentityKind][]string{}, make(map[store.Key]bool, len(keys))
	for _, k := range keys {
		if !known[k] {
			known[k] = true
			kinds[k.Kind] = append(kinds[k.Kind], k.ID)
		}
	}
	return kinds
}
