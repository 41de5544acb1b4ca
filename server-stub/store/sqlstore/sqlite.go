package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/platenprint/platen/server-stub/core"
)

// quickCheckBelow is the size in bytes up to which the whole structure of a SQLite file is checked when it is opened.
const quickCheckBelow = 64 << 20

type sqliteDialect struct{}

func openSQLite(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Path == "" {
		return nil, fmt.Errorf("%w: the SQLite database has no path", core.ErrInvalid)
	}
	if err := makePrivate(cfg.Path); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", cfg.Path, err)
	}
	readers := cfg.Readers
	if readers <= 0 {
		readers = 4
	}
	// Every connection of a pool runs the pragmas of its address.
	common := url.Values{"_pragma": {"busy_timeout(10000)", "foreign_keys(1)", "synchronous(FULL)", "trusted_schema(0)"}}
	writing := url.Values{"_pragma": append([]string{"journal_mode(WAL)", "secure_delete(1)"}, common["_pragma"]...), "_txlock": {"immediate"}}
	reading := url.Values{"_pragma": append([]string{"query_only(1)"}, common["_pragma"]...)}

	write, err := sql.Open("sqlite", fileURL(cfg.Path, writing))
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", cfg.Path, err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", fileURL(cfg.Path, reading))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", cfg.Path, err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)

	s := &Store{
		dialect: sqliteDialect{}, write: newPool(write, true), read: newPool(read, true), log: cfg.Logger,
		broken: make(chan struct{}),
	}
	if err := s.checkSQLite(ctx, cfg.Path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// makePrivate makes the file for its owner only; SQLite gives its -wal and -shm files the same mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// fileURL is the address of a SQLite file, with every character that means something in a URI escaped.
func fileURL(path string, query url.Values) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/data becomes file:///C:/data
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}
	return u.String()
}

// checkSQLite refuses a damaged file before anything is read from it.
func (s *Store) checkSQLite(ctx context.Context, path string) error {
	doing := "open the database " + path
	damaged := func(what string) error {
		return fmt.Errorf("%s: the file is damaged (%s): keep a copy of it and restore a backup", doing, what)
	}
	var journal string
	if err := s.write.db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		if s.dialect.classify(err) == failBroken {
			return damaged(err.Error())
		}
		return s.explain(ctx, doing, err)
	}
	if journal != "wal" {
		return fmt.Errorf("%s: %w: its file system cannot do write-ahead logging (mode %s): use a local disk", doing, core.ErrUnavailable, journal)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() > quickCheckBelow {
		return err
	}
	var verdict string
	if err := s.write.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		if s.dialect.classify(err) == failBroken {
			return damaged(err.Error())
		}
		return s.explain(ctx, doing, err)
	}
	if verdict != "ok" {
		return damaged(strings.ReplaceAll(verdict, "\n", " "))
	}
	return nil
}

func (sqliteDialect) classify(err error) failure {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return failOther
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return failUnique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return failReference
	case sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_CONSTRAINT_NOTNULL, sqlite3.SQLITE_CONSTRAINT_DATATYPE:
		return failInvalid
	case sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_NOMEM:
		return failUnavailable // before anything was written; on a full disk, for one
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return failFull
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return failBroken
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return failUnavailable
	}
	return failOther
}

// The write pool begins with _txlock=immediate, so a transaction never has to be upgraded; a reader's is deferred.
func (sqliteDialect) writeOptions() *sql.TxOptions { return nil }
func (sqliteDialect) readOptions() *sql.TxOptions  { return &sql.TxOptions{ReadOnly: true} }

// rowLock is empty: there is one writer.
func (sqliteDialect) rowLock() string { return "" }

func (sqliteDialect) migrations() (fs.FS, error)                    { return fs.Sub(migrationFiles, "migrations/sqlite") }
func (sqliteDialect) gooseDialect() goose.Dialect                   { return goose.DialectSQLite3 }
func (sqliteDialect) gooseOptions() ([]goose.ProviderOption, error) { return nil, nil }
func (sqliteDialect) oneWriter() bool                               { return true }

func (sqliteDialect) columns(ctx context.Context, tx *sql.Tx, table string) ([]column, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name, type FROM pragma_table_info($1) ORDER BY cid", table)
	if err != nil {
		return nil, err
	}
	return scanColumns(rows, map[string]string{"INTEGER": "int", "TEXT": "text", "BLOB": "blob"})
}

// afterLoad has nothing to do: AUTOINCREMENT goes on after the greatest id.
func (sqliteDialect) afterLoad(context.Context, *sql.Tx, string) error { return nil }

// scanColumns reads rows of name and type, with the database's types translated.
func scanColumns(rows *sql.Rows, types map[string]string) ([]column, error) {
	return collect(rows, nil, func(row scanner) (column, error) {
		var c column
		if err := row.Scan(&c.Name, &c.Type); err != nil {
			return c, err
		}
		kind, known := types[c.Type]
		if !known {
			return c, fmt.Errorf("column %s has the type %s", c.Name, c.Type)
		}
		c.Type = kind
		return c, nil
	})
}
