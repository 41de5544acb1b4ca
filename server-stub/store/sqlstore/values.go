package sqlstore

import (
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/platenprint/platen/server-stub/core"
)

// scanner is a row: *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// bind turns our values into what both databases keep.
func bind(args []any) ([]any, error) {
	values := make([]any, len(args))
	for i, arg := range args {
		v, err := bindOne(arg)
		if err != nil {
			return nil, fmt.Errorf("value %d: %w", i+1, err)
		}
		values[i] = v
	}
	return values, nil
}

func bindOne(arg any) (any, error) {
	switch v := arg.(type) {
	case nil, []byte:
		return v, nil
	case time.Time:
		if v.IsZero() {
			return nil, nil
		}
		return v.UnixMicro(), nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case [32]byte:
		if v == ([32]byte{}) {
			return nil, nil
		}
		return v[:], nil
	case [16]byte:
		return v[:], nil
	}
	switch v := reflect.ValueOf(arg); v.Kind() {
	case reflect.String:
		return bindText(v.String())
	case reflect.Int, reflect.Int64:
		return v.Int(), nil
	default:
		return nil, fmt.Errorf("a %T cannot be stored", arg)
	}
}

// bindText refuses what PostgreSQL cannot keep, so that SQLite does not take it either.
func bindText(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", fmt.Errorf("%w: the text is not UTF-8 or holds a zero byte", core.ErrInvalid)
	}
	return s, nil
}

// timeOf reads a time column.
type timeOf struct{ to *time.Time }

// Scan implements sql.Scanner.
func (c timeOf) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*c.to = time.Time{}
	case int64:
		*c.to = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time is kept as %T", value)
	}
	return nil
}

// boolOf reads a column of 0 and 1.
type boolOf struct{ to *bool }

// Scan implements sql.Scanner.
func (c boolOf) Scan(value any) error {
	v, ok := value.(int64)
	if !ok {
		return fmt.Errorf("a truth value is kept as %T", value)
	}
	*c.to = v != 0
	return nil
}

// bytesOf reads a column of exactly len(to) bytes; NULL reads as zeros.
type bytesOf struct{ to []byte }

// Scan implements sql.Scanner.
func (c bytesOf) Scan(value any) error {
	clear(c.to)
	switch v := value.(type) {
	case nil:
	case []byte:
		if len(v) != len(c.to) {
			return fmt.Errorf("%d bytes are kept where %d belong", len(v), len(c.to))
		}
		copy(c.to, v)
	default:
		return fmt.Errorf("bytes are kept as %T", value)
	}
	return nil
}

// scanInt and scanText read rows of one column.
func scanInt(row scanner) (int64, error) {
	var n int64
	err := row.Scan(&n)
	return n, err
}

func scanText(row scanner) (string, error) {
	var s string
	err := row.Scan(&s)
	return s, err
}
