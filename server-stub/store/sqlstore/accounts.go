package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

const accountColumns = `id, kind, COALESCE(user_id, 0), currency, balance, held, floor, version`

func scanAccount(row scanner) (core.Account, error) {
	var a core.Account
	err := row.Scan(&a.ID, &a.Kind, &a.UserID, &a.Currency, &a.Balance, &a.Held, &a.Floor, &a.Version)
	return a, err
}

// EnsureAccount implements store.Ledger.
func (t *tx) EnsureAccount(ctx context.Context, kind core.AccountKind, user core.UserID, currency core.Currency) (core.Account, error) {
	a, err := t.findAccount(ctx, kind, user, currency)
	if !errors.Is(err, core.ErrNotFound) {
		return a, err
	}
	var owner any
	if user != 0 {
		owner = user
	}
	return one(ctx, t, scanAccount, fmt.Sprintf("open a %s account", kind), `INSERT INTO accounts
			(kind, user_id, currency, balance, held, floor, version)
		VALUES ($1, $2, $3, 0, 0, 0, 0) RETURNING `+accountColumns, kind, owner, currency)
}

func (t *tx) findAccount(ctx context.Context, kind core.AccountKind, user core.UserID, currency core.Currency) (core.Account, error) {
	if kind == core.AccountUser {
		return t.UserAccount(ctx, user, currency)
	}
	return one(ctx, t, scanAccount, fmt.Sprintf("read the %s account", kind),
		`SELECT `+accountColumns+` FROM accounts WHERE kind = $1 AND currency = $2 AND user_id IS NULL`, kind, currency)
}

// Account implements store.Ledger.
func (t *tx) Account(ctx context.Context, id core.AccountID) (core.Account, error) {
	return one(ctx, t, scanAccount, fmt.Sprintf("read account %d", id), `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, id)
}

// UserAccount implements store.Ledger.
func (t *tx) UserAccount(ctx context.Context, user core.UserID, currency core.Currency) (core.Account, error) {
	return one(ctx, t, scanAccount, fmt.Sprintf("read the account of user %d", user),
		`SELECT `+accountColumns+` FROM accounts WHERE user_id = $1 AND currency = $2`, user, currency)
}

// UpdateAccount implements store.Ledger.
func (t *tx) UpdateAccount(ctx context.Context, a core.Account) error {
	return t.execOne(ctx, fmt.Sprintf("change account %d", a.ID),
		`UPDATE accounts SET balance = $1, held = $2, floor = $3, version = $4 WHERE id = $5`,
		a.Balance, a.Held, a.Floor, a.Version, a.ID)
}

// Accounts implements store.Ledger.
func (t *tx) Accounts(ctx context.Context, after core.AccountID, limit int) ([]core.Account, error) {
	return all(ctx, t, scanAccount, "list accounts",
		`SELECT `+accountColumns+` FROM accounts WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}
