package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/platenprint/platen/server-stub/store"
)

// WriteDB and ReadDB give tests the connections.
func WriteDB(s *Store) *sql.DB { return s.write.db }
func ReadDB(s *Store) *sql.DB  { return s.read.db }

// BackupTables are the names of all tables of a backup.
var BackupTables = func() (names []string) {
	for _, t := range backupTables {
		names = append(names, t.name)
	}
	return names
}()

// SCIMSearch is the query for resources by one of their values.
func SCIMSearch(deleted bool) string {
	from, _ := scimFrom("", store.SCIMUser, store.SCIMQuery{Path: "p", Value: "v", Deleted: deleted})
	return `SELECT r.key` + from + ` ORDER BY r.id`
}

// ReadBackup reads a backup and drops what it holds.
func ReadBackup(ctx context.Context, r io.Reader) error { return readBackup(ctx, r, nowhere{}) }

type nowhere struct{}

func (nowhere) header(context.Context, backupHeader) error { return nil }
func (nowhere) table(context.Context, backupTable) error   { return nil }
func (nowhere) row(context.Context, []any) error           { return nil }

// OpenAt opens a database and brings it to a schema only.
func OpenAt(ctx context.Context, cfg Config, schema int64) (*Store, error) {
	s, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p, err := s.migrations()
	if err == nil {
		_, err = p.UpTo(ctx, schema)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// MigrateWith runs other migrations than ours.
func MigrateWith(ctx context.Context, cfg Config, files fs.FS) error {
	s, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	options, err := s.dialect.gooseOptions()
	if err != nil {
		return errors.Join(err, s.Close())
	}
	p, err := goose.NewProvider(s.dialect.gooseDialect(), s.write.db, files, append(options, goose.WithLogger(goose.NopLogger()))...)
	if err == nil {
		_, err = p.Up(ctx)
	}
	return errors.Join(err, s.Close())
}

// Migrations are the files of a driver.
func Migrations(d Driver) (fs.FS, error) { return fs.Sub(migrationFiles, "migrations/"+string(d)) }

// ErrDisk stands for an error of the disk, once FailingDisk was called.
var ErrDisk = errors.New("input/output error")

type failingDisk struct{ dialect }

func (d failingDisk) classify(err error) failure {
	if errors.Is(err, ErrDisk) {
		return failBroken
	}
	return d.dialect.classify(err)
}

// FailingDisk makes the store take ErrDisk for an error of the disk.
func FailingDisk(s *Store) { s.dialect = failingDisk{s.dialect} }
