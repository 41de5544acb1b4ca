package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

const userColumns = `id, username, display_name, email, department, office, source, overdraft, disabled,
	disabled_by_source, deleted_at, erased_at, created_at, updated_at, language, keeps_username`

func scanUser(row scanner) (core.User, error) {
	var u core.User
	err := row.Scan(&u.ID, &u.Username, &u.DisplayName, &u.Email, &u.Department, &u.Office, &u.Source, &u.Overdraft,
		boolOf{&u.Disabled}, boolOf{&u.DisabledBySource}, timeOf{&u.DeletedAt}, timeOf{&u.ErasedAt},
		timeOf{&u.CreatedAt}, timeOf{&u.UpdatedAt}, &u.Language, boolOf{&u.KeepsUsername})
	return u, err
}

// fold makes text comparable without case.
func fold(text string) string { return cases.Fold().String(norm.NFKC.String(text)) }

// searchText is what a query is looked for in. The line ends keep a query from matching across two fields.
func searchText(u core.User) string {
	return fold(strings.Join([]string{u.Username, u.DisplayName, u.Email}, "\n"))
}

// CreateUser implements store.Users.
func (t *tx) CreateUser(ctx context.Context, u core.User) (core.UserID, error) {
	id, err := one(ctx, t, scanInt, "create a user", `INSERT INTO users (username, display_name, email, department, office,
			source, overdraft, disabled, disabled_by_source, deleted_at, erased_at, created_at, updated_at, search,
			language, keeps_username)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id`,
		u.Username, u.DisplayName, u.Email, u.Department, u.Office, u.Source, u.Overdraft, u.Disabled,
		u.DisabledBySource, u.DeletedAt, u.ErasedAt, u.CreatedAt, u.UpdatedAt, searchText(u), u.Language, u.KeepsUsername)
	return core.UserID(id), err
}

// User implements store.Users.
func (t *tx) User(ctx context.Context, id core.UserID) (core.User, error) {
	return one(ctx, t, scanUser, fmt.Sprintf("read user %d", id), `SELECT `+userColumns+` FROM users WHERE id = $1`, id)
}

// UpdateUser implements store.Users.
func (t *tx) UpdateUser(ctx context.Context, u core.User) error {
	return t.execOne(ctx, fmt.Sprintf("change user %d", u.ID), `UPDATE users SET username = $1, display_name = $2,
			email = $3, department = $4, office = $5, source = $6, overdraft = $7, disabled = $8,
			disabled_by_source = $9, deleted_at = $10, erased_at = $11, updated_at = $12, search = $13,
			language = $14, keeps_username = $15
		WHERE id = $16`,
		u.Username, u.DisplayName, u.Email, u.Department, u.Office, u.Source, u.Overdraft, u.Disabled,
		u.DisabledBySource, u.DeletedAt, u.ErasedAt, u.UpdatedAt, searchText(u), u.Language, u.KeepsUsername, u.ID)
}

// ListUsers implements store.Users.
func (t *tx) ListUsers(ctx context.Context, f store.UserFilter) ([]core.User, error) {
	where, args := userFilter(f)
	text := `SELECT ` + userColumns + ` FROM users WHERE ` + where + ` ORDER BY id`
	if f.Limit > 0 {
		args = append(args, f.Limit)
		text += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	return all(ctx, t, scanUser, "list users", text, args...)
}

// CountUsers implements store.Users. Limit and After do not matter to it.
func (t *tx) CountUsers(ctx context.Context, f store.UserFilter) (int, error) {
	f.After = 0
	where, args := userFilter(f)
	n, err := one(ctx, t, scanInt, "count users", `SELECT COUNT(*) FROM users WHERE `+where, args...)
	return int(n), err
}

// userFilter returns the condition of a filter: fixed texts, the values as arguments.
func userFilter(f store.UserFilter) (where string, args []any) {
	terms := []string{"erased_at IS NULL"}
	add := func(term string, value any) {
		args = append(args, value)
		terms = append(terms, fmt.Sprintf(term, len(args)))
	}
	switch {
	case !f.DeletedSince.IsZero():
		add("deleted_at >= $%d", f.DeletedSince)
	case !f.IncludeDeleted:
		terms = append(terms, "deleted_at IS NULL")
	}
	if f.After > 0 {
		add("id > $%d", f.After)
	}
	if f.Source != nil {
		add("source = $%d", *f.Source)
	}
	if f.Query != "" {
		literal := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(f.Query))
		add(`search LIKE $%d ESCAPE '\'`, "%"+literal+"%")
	}
	return strings.Join(terms, " AND "), args
}
