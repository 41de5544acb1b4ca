package sqlstore

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/platenprint/platen/server-stub/core"
)

// backupSink takes what a backup holds, in its order.
type backupSink interface {
	header(ctx context.Context, h backupHeader) error
	table(ctx context.Context, t backupTable) error
	row(ctx context.Context, values []any) error // int64, string, []byte or nil, as the columns of the table say
}

// readBackup reads a backup into sink and returns nil only for a whole one: sink must keep nothing before that. Errors
// of the backup itself are core.ErrInvalid and name the line.
func readBackup(ctx context.Context, r io.Reader, sink backupSink) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxBackupLine)
	p := backupParser{sink: sink}
	digest := sha256.New()
	for lines.Scan() {
		p.number++
		if p.ended {
			return p.wrong("there is more after the end")
		}
		sum := digest.Sum(nil)
		if err := p.line(ctx, lines.Bytes(), sum); err != nil {
			return err
		}
		digest.Write(lines.Bytes())
		digest.Write([]byte{'\n'})
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		p.number++
		return p.wrong("it is longer than %d bytes", maxBackupLine)
	case err != nil:
		return fmt.Errorf("read the backup: %w", err)
	case !p.ended:
		return p.wrong("the backup is cut off after it")
	}
	return nil
}

// backupParser is where in a backup we are.
type backupParser struct {
	sink   backupSink
	number int
	begun  bool
	ended  bool
	tables []tableInfo // that are still to come
	now    backupTable
	rows   int64
}

func (p *backupParser) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: backup, line %d: %s", core.ErrInvalid, p.number, fmt.Sprintf(format, args...))
}

// line reads one line; sum is the digest of all before it.
func (p *backupParser) line(ctx context.Context, text, sum []byte) error {
	switch {
	case !p.begun:
		return p.first(ctx, text)
	case bytes.HasPrefix(text, []byte(`[`)):
		return p.row(ctx, text)
	case bytes.HasPrefix(text, []byte(`{"table":`)):
		return p.table(ctx, text)
	default:
		return p.end(text, sum)
	}
}

// decode reads one JSON value that has no other fields than v.
func (p *backupParser) decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return p.wrong("it cannot be read: %v", err)
	}
	if d.InputOffset() != int64(len(text)) {
		return p.wrong("there is more after its value")
	}
	return nil
}

func (p *backupParser) first(ctx context.Context, text []byte) error {
	var h backupHeader
	if err := p.decode(text, &h); err != nil || h.Format != backupFormat {
		return p.wrong("this is no backup of Platen")
	}
	if h.Version != backupVersion {
		return p.wrong("the backup has format %d, this program reads format %d: use the Platen that wrote it", h.Version, backupVersion)
	}
	p.begun, p.tables = true, tablesOf(h.Schema)
	return p.sink.header(ctx, h)
}

func (p *backupParser) table(ctx context.Context, text []byte) error {
	p.now = backupTable{}
	if err := p.decode(text, &p.now); err != nil {
		return err
	}
	if len(p.tables) == 0 || p.now.Table != p.tables[0].name {
		return p.wrong("the table %q does not belong there", p.now.Table)
	}
	p.tables = p.tables[1:]
	return p.sink.table(ctx, p.now)
}

func (p *backupParser) row(ctx context.Context, text []byte) error {
	var values []any
	if err := p.decode(text, &values); err != nil {
		return err
	}
	if p.now.Table == "" || len(values) != len(p.now.Columns) {
		return p.wrong("it has %d values, table %q has %d columns", len(values), p.now.Table, len(p.now.Columns))
	}
	for i, v := range values {
		read, err := readValue(v, p.now.Columns[i].Type)
		if err != nil {
			return p.wrong("column %s: %v", p.now.Columns[i].Name, err)
		}
		values[i] = read
	}
	p.rows++
	return p.sink.row(ctx, values)
}

// readValue turns a JSON value into what a column of that type keeps.
func readValue(v any, kind string) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case json.Number:
		if kind == "int" {
			return v.Int64()
		}
	case string:
		switch {
		case kind == "blob":
			return base64.StdEncoding.Strict().DecodeString(v)
		case kind == "text" && utf8.ValidString(v) && !strings.ContainsRune(v, 0):
			return v, nil
		}
	}
	return nil, fmt.Errorf("a %T is not kept in a column of type %q", v, kind)
}

func (p *backupParser) end(text, sum []byte) error {
	var e backupEnd
	if err := p.decode(text, &e); err != nil {
		return err
	}
	switch {
	case len(p.tables) > 0:
		return p.wrong("the end comes before the table %s", p.tables[0].name)
	case e.Rows != p.rows:
		return p.wrong("the backup has %d rows, it should have %d", p.rows, e.Rows)
	case e.SHA256 != hex.EncodeToString(sum):
		return p.wrong("the backup is damaged: its digest is not the one at its end")
	}
	p.ended = true
	return nil
}
