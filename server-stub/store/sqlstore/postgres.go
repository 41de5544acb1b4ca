package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/platenprint/platen/server-stub/core"
)

// migrationLock is the advisory lock that one node holds while it migrates: "platen" as bytes.
const migrationLock = 0x706c6174656e

type postgresDialect struct{}

func openPostgres(ctx context.Context, cfg Config) (*Store, error) {
	const doing = "open the PostgreSQL database"
	if cfg.URL.Empty() {
		return nil, fmt.Errorf("%w: the PostgreSQL database has no address", core.ErrInvalid)
	}
	parsed, err := pgx.ParseConfig(cfg.URL.Reveal())
	if err != nil {
		// The parser's own text repeats the address, though without the password.
		return nil, fmt.Errorf("%w: the address of the PostgreSQL database cannot be read: write postgres://user:password@host/name",
			core.ErrInvalid)
	}
	parsed.RuntimeParams["application_name"] = "platen-server"
	db := stdlib.OpenDB(*parsed, stdlib.OptionAfterConnect(waitForDisk))
	connections := cfg.Connections
	if connections <= 0 {
		connections = 10
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	p := newPool(db, false) // pgx remembers statements itself
	s := &Store{dialect: postgresDialect{}, write: p, read: p, log: cfg.Logger, broken: make(chan struct{})}

	var fsync string
	if err := db.QueryRowContext(ctx, "SHOW fsync").Scan(&fsync); err != nil {
		return nil, errors.Join(s.explain(ctx, doing, err), s.Close())
	}
	if fsync != "on" {
		cfg.Logger.WarnContext(ctx, "the database server runs with fsync off: a power cut may lose or damage what it has")
	}
	return s, nil
}

// waitForDisk makes a commit that returned durable, whatever the server's default is. Stronger settings stay.
func waitForDisk(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

func (postgresDialect) classify(err error) failure {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return classifySQLState(e.Code)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err):
		return failUnavailable
	}
	return failOther
}

// classifySQLState knows the codes of appendix A of PostgreSQL's manual.
func classifySQLState(code string) failure {
	switch code {
	case "23505": // unique_violation
		return failUnique
	case "23503": // foreign_key_violation
		return failReference
	case "23502", "23514": // not_null_violation, check_violation
		return failInvalid
	case "40001", "40P01": // a serialisation failure, a deadlock
		return failRetry
	case "53100": // disk_full
		return failFull
	case "55P03": // lock_not_available
		return failUnavailable
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return failBroken
	}
	switch code[:min(2, len(code))] {
	case "22": // data exception
		return failInvalid
	case "08", "53", "57", "58": // connection, resources, operator intervention, system error
		return failUnavailable
	}
	return failOther
}

func (postgresDialect) writeOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelSerializable}
}

func (postgresDialect) readOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (postgresDialect) rowLock() string { return " FOR UPDATE" }

func (postgresDialect) migrations() (fs.FS, error) {
	return fs.Sub(migrationFiles, "migrations/postgres")
}
func (postgresDialect) gooseDialect() goose.Dialect { return goose.DialectPostgres }

func (postgresDialect) oneWriter() bool { return false }

func (postgresDialect) gooseOptions() ([]goose.ProviderOption, error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock), lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}

func (postgresDialect) columns(ctx context.Context, tx *sql.Tx, table string) ([]column, error) {
	rows, err := tx.QueryContext(ctx, `SELECT column_name::text, data_type::text FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`, table)
	if err != nil {
		return nil, err
	}
	return scanColumns(rows, map[string]string{"bigint": "int", "text": "text", "bytea": "blob"})
}

// afterLoad lets the ids of a table go on after the greatest one.
func (d postgresDialect) afterLoad(ctx context.Context, tx *sql.Tx, table string) error {
	var sequence sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT (SELECT pg_get_serial_sequence(table_name, column_name)
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND is_identity = 'YES')`,
		table).Scan(&sequence)
	if err != nil || !sequence.Valid {
		return err
	}
	// The names come from the catalogue, for a table of our own list.
	_, err = tx.ExecContext(ctx, strings.Join([]string{
		"SELECT setval($1::regclass, COALESCE(MAX(id), 1), MAX(id) IS NOT NULL) FROM", table,
	}, " "), sequence.String)
	return err
}
