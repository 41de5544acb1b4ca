package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

const nameColumns = `n.id, n.user_id, n.name, n.folded, n.kind, n.domain, n.source, n.valid_from, n.valid_to`

func nameDest(n *core.LoginName) []any {
	return []any{&n.ID, &n.UserID, &n.Name, &n.Folded, &n.Kind, &n.Domain, &n.Source, timeOf{&n.ValidFrom}, timeOf{&n.ValidTo}}
}

func scanName(row scanner) (core.LoginName, error) {
	var n core.LoginName
	err := row.Scan(nameDest(&n)...)
	return n, err
}

func scanHolder(row scanner) (core.NameHolder, error) {
	var h core.NameHolder
	err := row.Scan(append(nameDest(&h.LoginName), boolOf{&h.Active}, &h.UserSource)...)
	return h, err
}

// PutName implements store.Names. A renewed name keeps its id and the time from which it was first held.
func (t *tx) PutName(ctx context.Context, names ...core.LoginName) error {
	if len(names) == 0 {
		return nil
	}
	_, err := execMany(ctx, t, fmt.Sprintf("give user %d a name", names[0].UserID), insert{
		`INSERT INTO login_names (user_id, name, folded, kind, domain, source, valid_from, valid_to) VALUES`, 8,
		`ON CONFLICT (user_id, folded, kind, domain) DO UPDATE
			SET name = excluded.name, source = excluded.source, valid_to = NULL`,
	}, lastOfEach(names), func(n core.LoginName) []any {
		return []any{n.UserID, n.Name, n.Folded, n.Kind, n.Domain, n.Source, n.ValidFrom, n.ValidTo}
	})
	return err
}

// lastOfEach leaves out names that come again: one statement may not change a row twice.
func lastOfEach(names []core.LoginName) []core.LoginName {
	type key struct {
		user   core.UserID
		folded auth.Folded
		kind   core.NameKind
		domain auth.Folded
	}
	at := make(map[key]int, len(names))
	out := make([]core.LoginName, 0, len(names))
	for _, n := range names {
		k := key{n.UserID, n.Folded, n.Kind, n.Domain}
		if i, again := at[k]; again {
			out[i] = n
			continue
		}
		at[k] = len(out)
		out = append(out, n)
	}
	return out
}

// EndName implements store.Names.
func (t *tx) EndName(ctx context.Context, id int64, at time.Time) error {
	return t.execOne(ctx, fmt.Sprintf("end name %d", id), `UPDATE login_names SET valid_to = $1 WHERE id = $2`, at, id)
}

// DeleteNames implements store.Names.
func (t *tx) DeleteNames(ctx context.Context, id core.UserID) error {
	_, err := t.exec(ctx, fmt.Sprintf("delete the names of user %d", id), `DELETE FROM login_names WHERE user_id = $1`, id)
	return err
}

// UserNames implements store.Names.
func (t *tx) UserNames(ctx context.Context, id core.UserID) ([]core.LoginName, error) {
	return all(ctx, t, scanName, fmt.Sprintf("read the names of user %d", id),
		`SELECT `+nameColumns+` FROM login_names n WHERE n.user_id = $1 ORDER BY COALESCE(n.valid_from, 0), n.id`, id)
}

// SourceNames implements store.Names.
func (t *tx) SourceNames(ctx context.Context, source core.SourceID, yield func(core.LoginName)) error {
	return each(ctx, t, scanName, fmt.Sprintf("read the names of %q", source), `SELECT `+nameColumns+`
		FROM users u JOIN login_names n ON n.user_id = u.id
		WHERE u.source = $1 AND u.erased_at IS NULL ORDER BY u.id, COALESCE(n.valid_from, 0), n.id`, yield, source)
}

const holders = `SELECT ` + nameColumns + `,
		CASE WHEN u.disabled = 0 AND u.deleted_at IS NULL THEN 1 ELSE 0 END, u.source
	FROM login_names n JOIN users u ON u.id = n.user_id
	WHERE n.folded IN (%s) AND u.erased_at IS NULL ORDER BY n.id`

// Holders implements store.Names.
func (t *tx) Holders(ctx context.Context, folded auth.Folded) ([]core.NameHolder, error) {
	return all(ctx, t, scanHolder, "find who holds a name", fmt.Sprintf(holders, "$1"), folded)
}

// HoldersOf implements store.Names.
func (t *tx) HoldersOf(ctx context.Context, folds []auth.Folded, yield func(core.NameHolder)) error {
	return eachOf(ctx, t, scanHolder, "find who holds names", holders, folds, yield)
}
