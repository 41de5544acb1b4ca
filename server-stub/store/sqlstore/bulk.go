package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// insertRows is how many rows of an INSERT one statement takes at once. It is far below what the databases allow; more gain nothing.
const insertRows = 50

// lookupKeys returns how many keys of an IN (...) one statement takes for that many: one of few sizes, so that there are few texts,
// which stay prepared. Every place is bound, so a single key is not asked for with places for many.
func lookupKeys(keys int) int {
	for _, size := range [...]int{1, 8, 40} {
		if keys <= size {
			return size
		}
	}
	return 200
}

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
	for len(keys) > 0 {
		size := lookupKeys(len(keys))
		args := append(make([]any, 0, len(fixed)+size), fixed...)
		for i := range size {
			args = append(args, keys[min(i, len(keys)-1)]) // the last one again and again: the text stays the same
		}
		if err := each(ctx, t, scan, doing, fmt.Sprintf(text, places(len(fixed), size)), yield, args...); err != nil {
			return err
		}
		keys = keys[min(size, len(keys)):]
	}
	return nil
}

// places are "$1, $2, ...", so many, after some arguments.
func places(after, n int) string {
	b := make([]byte, 0, 6*n)
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(append(b, '$'), int64(after+i+1), 10)
	}
	return string(b)
}
