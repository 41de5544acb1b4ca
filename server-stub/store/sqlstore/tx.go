package sqlstore

import (
	"context"
	"database/sql"
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

	met map[string]*sql.Stmt // texts met in this transaction that the pool has not prepared yet; nil at the first time

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

// statement returns a prepared statement, nil where the text is parsed anew, and what must be called after its use. A text
// that comes again in a transaction in which it was first met is prepared for the rest of it: a synchronisation repeats the
// same few ten thousands of times.
func (t *tx) statement(ctx context.Context, text string) (stmt *sql.Stmt, end func()) {
	if prepared := t.pool.statement(text); prepared != nil {
		stmt = t.raw.StmtContext(ctx, prepared)
		return stmt, func() { _ = stmt.Close() } // only lets go of it: the prepared one stays
	}
	if !t.pool.prepare {
		return nil, nil
	}
	stmt, again := t.met[text]
	if again && stmt == nil {
		stmt, _ = t.raw.PrepareContext(ctx, text) // what is wrong with it shows when it runs
	}
	if t.met == nil {
		t.met = map[string]*sql.Stmt{}
	}
	t.met[text] = stmt
	return stmt, func() {} // closed with the transaction
}

// exec runs a statement that returns no rows and tells how many rows it changed.
func (t *tx) exec(ctx context.Context, doing, text string, args ...any) (int64, error) {
	values, err := bind(args)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	var result sql.Result
	if stmt, end := t.statement(ctx, text); stmt != nil { //nolint:sqlclosecheck // end does, or the transaction
		defer end()
		result, err = stmt.ExecContext(ctx, values...)
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

// all returns every row of a query, read by scan.
func all[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), doing, text string, args ...any) ([]T, error) {
	values, err := bind(args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	var list []T
	if stmt, end := t.statement(ctx, text); stmt != nil { //nolint:sqlclosecheck // end does, or the transaction
		defer end()
		rows, queryErr := stmt.QueryContext(ctx, values...)
		list, err = collect(rows, queryErr, scan)
	} else {
		rows, queryErr := t.raw.QueryContext(ctx, text, values...)
		list, err = collect(rows, queryErr, scan)
	}
	if err != nil {
		return nil, t.fail(ctx, doing, err)
	}
	return list, nil
}

// collect reads all rows of a query that was started, and closes it.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
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
