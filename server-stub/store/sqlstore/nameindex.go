package sqlstore

import (
	"context"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// AllNames implements store.NameIndex.
func (t *tx) AllNames(ctx context.Context, yield func(core.NameHolder)) error {
	return each(ctx, t, scanHolder, "read all names", `SELECT `+nameColumns+`,
			CASE WHEN u.disabled = 0 AND u.deleted_at IS NULL THEN 1 ELSE 0 END, u.source
		FROM users u JOIN login_names n ON n.user_id = u.id WHERE u.erased_at IS NULL ORDER BY u.id, n.id`, yield)
}

// NameMark implements store.NameIndex. SQLite has one writer, in this process, as the data folder is locked.
func (t *tx) NameMark(ctx context.Context) (m store.NameMark, ok bool, err error) {
	if !t.store.dialect.oneWriter() {
		return store.NameMark{}, false, nil
	}
	m, err = one(ctx, t, func(row scanner) (m store.NameMark, err error) {
		err = row.Scan(&m.Name, &m.Change)
		return m, err
	}, "read the state of all names", `SELECT COALESCE((SELECT MAX(id) FROM login_names), 0), COALESCE((SELECT MAX(id) FROM name_changes), 0)`)
	return m, err == nil, err
}

// NamesSince implements store.NameIndex.
func (t *tx) NamesSince(ctx context.Context, since store.NameMark, yield func(core.UserID)) error {
	return each(ctx, t, func(row scanner) (core.UserID, error) {
		id, err := scanInt(row)
		return core.UserID(id), err
	}, "read whose names changed", `SELECT user_id FROM login_names WHERE id > $1 UNION ALL SELECT user_id FROM name_changes WHERE id > $2`, yield, since.Name, since.Change)
}

// Commits counts how often Update may have changed something. It counts before Update returns, so whoever saw the same number before
// and after looking knows that nothing was written in between that anybody was told of.
func (s *Store) Commits() uint64 { return s.commits.Load() }
