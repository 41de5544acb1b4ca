package sqlstore

import (
	"context"
	"fmt"
	"strings"
)

// How much one statement takes at once. Both are far below what the databases allow; larger ones gain nothing.
const (
	insertRows = 50  // rows of an INSERT
	lookupKeys = 200 // keys of an IN (...)
)

// insert is an INSERT of many rows: "INSERT INTO t (a, b) VALUES", two columns, and what stands behind the rows.
type insert struct {
	into    string
	columns int
	behind  string
}

// text is the statement for that many rows. There are two of them for each insert, so that they stay prepared.
func (i insert) text(rows int) string {
	var b strings.Builder
	b.WriteString(i.into)
	for row := range rows {
		separator := ", ("
		if row == 0 {
			separator = " ("
		}
		for column := range i.columns {
			b.WriteString(separator)
			fmt.Fprintf(&b, "$%d", row*i.columns+column+1)
			separator = ", "
		}
		b.WriteString(")")
	}
	return b.String() + " " + i.behind
}

// execMany inserts rows and tells how many the database took.
func execMany[T any](ctx context.Context, t *tx, doing string, i insert, rows []T, values func(T) []any) (int64, error) {
	taken := int64(0)
	for len(rows) > 0 {
		n := 1
		if len(rows) >= insertRows {
			n = insertRows
		}
		args := make([]any, 0, n*i.columns)
		for _, row := range rows[:n] {
			args = append(args, values(row)...)
		}
		took, err := t.exec(ctx, doing, i.text(n), args...)
		if err != nil {
			return taken, err
		}
		taken, rows = taken+took, rows[n:]
	}
	return taken, nil
}

// each hands out every row of a query as it comes.
func each[T any](ctx context.Context, t *tx, scan func(scanner) (T, error), doing, text string, yield func(T), args ...any) error {
	_, err := all(ctx, t, func(row scanner) (struct{}, error) {
		v, err := scan(row)
		if err == nil {
			yield(v)
		}
		return struct{}{}, err
	}, doing, text, args...)
	return err
}

// eachOf is each for a query with "IN (%s)" and many keys; fixed are the arguments before them.
func eachOf[K, T any](ctx context.Context, t *tx, scan func(scanner) (T, error), doing, text string, keys []K, yield func(T), fixed ...any) error {
	places := make([]string, lookupKeys)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", len(fixed)+i+1)
	}
	text = fmt.Sprintf(text, strings.Join(places, ", "))
	for len(keys) > 0 {
		args := append(make([]any, 0, len(fixed)+lookupKeys), fixed...)
		for i := range lookupKeys {
			args = append(args, keys[min(i, len(keys)-1)]) // the last one again and again: the text stays the same
		}
		if err := each(ctx, t, scan, doing, text, yield, args...); err != nil {
			return err
		}
		keys = keys[min(lookupKeys, len(keys)):]
	}
	return nil
}
