package sqlstore

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/platenprint/platen/server-stub/store"
)

// A backup is text: one JSON value per line, the same for both dialects, so that it also moves data from one to the other.
//
//	{"format":"platen-backup","version":1,"schema":2}            first line; schema is the number of the last migration
//	{"table":"users","columns":[{"name":"id","type":"int"},...]} begins a table; type is int, text or blob
//	[1,"alex",...]                                               a row: whole numbers, texts, blobs as base64, null
//	...
//	{"rows":1234,"sha256":"..."}                                 last line; the digest of all bytes before it
//
// Tables come in the order of backupTables and rows in the order of their keys, so the same data gives the same bytes.
const (
	backupFormat  = "platen-backup"
	backupVersion = 1
	maxBackupLine = 4 << 20 // bytes
)

// tableInfo is a table of a backup.
type tableInfo struct {
	name  string
	order string // of its rows
	since int64  // the migration that made it
}

// backupTables are all tables, each after those it refers to. A migration that adds a table adds it here. name_changes is none of
// them: it tells a running server what to look at again.
var backupTables = []tableInfo{
	{"users", "id", 1},
	{"login_names", "id", 1},
	{"external_identities", "source, kind, immutable_id", 1},
	{"passwords", "user_id", 1},
	{"sessions", "id", 1},
	{"attempts", "key", 1},
	{"sync_runs", "id", 1},
	{"audit_events", "id", 1},
	{"meta", "key", 1},
	{"accounts", "id", 2},
	{"holds", "id", 2},
	{"transfers", "seq", 2},
	{"entries", "seq, line", 2},
	{"transfer_notes", "seq", 2},
	{"ledger_head", "id", 2},
	{"devices", "id", 4},
	{"device_certificates", "serial", 4},
	{"device_users", "device_id, user_id", 4},
	{"enrolment_tokens", "id", 4},
	{"used_nonces", "hash", 4},
	{"one_use_codes", "hash", 4},
	{"role_grants", "user_id, role", 5},
	{"passkeys", "id", 5},
	{"web_flows", "hash", 5},
	{"directory_entries", "source, kind, immutable_id", 6},
	{"directory_groups", "id", 6},
	{"directory_edges", "group_id, member_kind, member_id", 6},
	{"directory_states", "source", 6},
	{"directory_plans", "id", 6},
	{"directory_plan_parts", "plan_id, part", 6},
	{"directory_journal", "id", 6},
	{"credentials", "id", 7},
	{"outbox", "id", 7},
	{"scim_tokens", "id", 8},
	{"scim_resources", "id", 8},
	{"scim_values", "resource, path, value", 8},
	{"scim_members", "group_id, member", 8},
	{"scim_log", "id", 8},
	{"scim_connections", "source", 8},
	{"directory_sources", "id", 9},
	{"directory_source_secrets", "source, name", 9},
}

// tablesOf returns the tables of a schema.
func tablesOf(schema int64) (list []tableInfo) {
	for _, t := range backupTables {
		if t.since <= schema {
			list = append(list, t)
		}
	}
	return list
}

// The lines of a backup that are not rows.
type (
	backupHeader struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
		Schema  int64  `json:"schema"`
	}
	backupTable struct {
		Table   string   `json:"table"`
		Columns []column `json:"columns"`
	}
	backupEnd struct {
		Rows   int64  `json:"rows"`
		SHA256 string `json:"sha256"`
	}
)

// Backup implements store.Store: see the format above. Other transactions go on meanwhile.
func (s *Store) Backup(ctx context.Context, w io.Writer) error {
	p, err := s.migrations()
	if err != nil {
		return err
	}
	schema, err := p.GetDBVersion(ctx)
	if err != nil {
		return s.explain(ctx, "back up", err)
	}
	b := newBackupWriter(w)
	return s.run(ctx, s.read, s.dialect.readOptions(), func(storeTx store.Tx) error {
		t, ok := storeTx.(*tx)
		if !ok {
			return fmt.Errorf("back up: a %T is no transaction of ours", storeTx)
		}
		if err := b.line(backupHeader{Format: backupFormat, Version: backupVersion, Schema: schema}); err != nil {
			return err
		}
		for _, table := range tablesOf(schema) {
			if err := b.table(ctx, t, table.name, table.order); err != nil {
				return s.explain(ctx, "back up "+table.name, err)
			}
		}
		return b.end()
	})
}

// backupWriter writes lines and digests them.
type backupWriter struct {
	out    *bufio.Writer
	digest hash.Hash
	rows   int64
}

func newBackupWriter(w io.Writer) *backupWriter {
	digest := sha256.New()
	return &backupWriter{out: bufio.NewWriterSize(io.MultiWriter(w, digest), 64<<10), digest: digest}
}

func (b *backupWriter) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if _, err := b.out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

// table writes one table. Its name and order are of backupTables, its columns of the database.
func (b *backupWriter) table(ctx context.Context, t *tx, name, order string) error {
	columns, err := t.store.dialect.columns(ctx, t.raw, name)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return fmt.Errorf("there is no table %s", name)
	}
	if err := b.line(backupTable{Table: name, Columns: columns}); err != nil {
		return err
	}
	rows, err := t.raw.QueryContext(ctx, strings.Join([]string{"SELECT", columnList(columns), "FROM", name, "ORDER BY", order}, " "))
	if err != nil {
		return err
	}
	_, err = collect(rows, nil, func(row scanner) (struct{}, error) { return struct{}{}, b.row(row, columns) })
	return err
}

func (b *backupWriter) row(row scanner, columns []column) error {
	values, dest := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		dest[i] = &values[i]
	}
	if err := row.Scan(dest...); err != nil {
		return err
	}
	for i, v := range values {
		if err := checkKept(v, columns[i]); err != nil {
			return fmt.Errorf("row %v: %w", values[0], err)
		}
	}
	b.rows++
	return b.line(values)
}

// checkKept refuses what the backup would not bring back as it is.
func checkKept(value any, c column) error {
	var ok bool
	switch v := value.(type) {
	case nil:
		ok = true
	case int64:
		ok = c.Type == "int"
	case string:
		ok = c.Type == "text" && utf8.ValidString(v)
	case []byte:
		ok = c.Type == "blob" // JSON writes it as base64
	}
	if !ok {
		return fmt.Errorf("column %s is damaged: a %T is kept there", c.Name, value)
	}
	return nil
}

func (b *backupWriter) end() error {
	if err := b.out.Flush(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	if err := b.line(backupEnd{Rows: b.rows, SHA256: hex.EncodeToString(b.digest.Sum(nil))}); err != nil {
		return err
	}
	if err := b.out.Flush(); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

func columnList(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// errNotEmpty is what a restore says to a database that is in use.
var errNotEmpty = errors.New("the database is not empty: a backup is restored into a new one only")

// isEmpty tells whether no table has a row, but for the head of an empty ledger.
func isEmpty(ctx context.Context, raw *sql.Tx, tables []tableInfo) error {
	for _, table := range tables {
		text := "SELECT COUNT(*) FROM " + table.name
		if table.name == "ledger_head" {
			text += " WHERE seq <> 0"
		}
		var n int64
		if err := raw.QueryRowContext(ctx, text).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return errNotEmpty
		}
	}
	return nil
}
