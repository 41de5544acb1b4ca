package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// tx is a transaction. Its methods are in the files named after what they keep.
type tx struct {
	raw    *sql.Tx
	pool   *pool
	store  *Store
	writes bool

	failed error // the first error of a statement: the transaction cannot be committed any more
	done   bool  // commit was tried
}

var _ store.Tx = (*tx)(nil)

// fail remembers that a statement failed. PostgreSQL refuses to go on after one; SQLite would, so we see to it that both
// behave alike.
func (t *tx) fail(ctx context.Context, doing string, err error) error {
	err = t.store.explain(ctx, doing, err)
	if t.failed == nil {
		t.failed = err
	}
	return err
}

// exec runs a statement that returns no rows and tells how many rows it changed.
func (t *tx) exec(ctx context.Context, doing, text string, args ...any) (int64, error) {
	values, err := bind(args)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	var result sql.Result
	if stmt := t.pool.statement(text); stmt != nil {
		result, err = t.raw.StmtContext(ctx, stmt).ExecContext(ctx, values...)
	} else {
		result, err = t.raw.ExecContext(ctx, text, values...)
	}
	if err != nil {
		return 0, t.fail(ctx, doing, err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, t.fail(ctx, doing, err)
	}
	return n, nil
}

// execOne is exec for a statement that must change a row: core.ErrNotFound when it changed none.
func (t *tx) execOne(ctx context.Context, doing, text string, args ...any) error {
	n, err := t.exec(ctx, doing, text, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", doing, core.ErrNotFound)
	}
	return err
}

// query runs a statement that returns rows.
func (t *tx) query(ctx context.Context, doing, text string, args ...any) (*sql.Rows, error) {
	values, err := bind(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	var rows *sql.Rows
	if stmt := t.pool.statement(text); stmt != nil {
		rows, err = t.raw.StmtContext(ctx, stmt).QueryContext(ctx, values...)
	} else {
		rows, err = t.raw.QueryContext(ctx, text, values...)
	}
	if err != nil {
		return nil, t.fail(ctx, doing, err)
	}
	return rows, nil
}

// all returns every row of a query, read by scan.
func all[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), doing, text string, args ...any) ([]T, error) {
	rows, err := t.query(ctx, doing, text, args...)
	if err != nil {
		return nil, err
	}
	var list []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, errors.Join(t.fail(ctx, doing, err), rows.Close())
		}
		list = append(list, one)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, t.fail(ctx, doing, err)
	}
	return list, nil
}

// one returns the row of a query, or core.ErrNotFound.
func one[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), doing, text string, args ...any) (T, error) {
	var none T
	list, err := all(ctx, t, scan, doing, text, args...)
	switch {
	case err != nil:
		return none, err
	case len(list) == 0:
		return none, fmt.Errorf("%s: %w", doing, core.ErrNotFound)
	}
	return list[0], nil
}
