package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Check looks at what was restored before it counts; an error undoes the restore. ledger.Verify is the one to use.
type Check func(ctx context.Context, s store.Store) error

// Amend changes what was restored before it counts, in the restore's own transaction; an error undoes the restore. It may run
// on the schema of an older program, so it gets only tables that are as they always were.
type Amend func(ctx context.Context, tx Amendable) error

// Amendable is what Amend may change.
type Amendable interface {
	store.Sessions
	store.Audit
}

// Restore reads a backup of either dialect into a new database: a SQLite file that does not exist yet, or a PostgreSQL
// database without rows. An older schema is brought up to date. amend may be nil. On any error, also of amend or a check,
// nothing is restored: there is no SQLite file, and the PostgreSQL database is as empty as before. core.ErrInvalid says that
// the backup is damaged, core.ErrConflict that the database is in use; a *SchemaError that a newer program wrote it. One
// exception: a backup of an older schema whose check fails stays in the PostgreSQL database, which must then be made anew.
func Restore(ctx context.Context, cfg Config, r io.Reader, amend Amend, checks ...Check) error {
	if cfg.Driver == PostgreSQL {
		return restoreInto(ctx, cfg, r, amend, checks)
	}
	if cfg.Path == "" {
		return fmt.Errorf("restore: %w: the SQLite database has no path", core.ErrInvalid)
	}
	switch _, err := os.Stat(cfg.Path); {
	case err == nil:
		return fmt.Errorf("restore: %w: %s exists: a backup is restored into a new database only", core.ErrConflict, cfg.Path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("restore: %w", err)
	}
	// The file gets its name once it is whole, so that a server can never start with half of it.
	final := cfg.Path
	cfg.Path += ".restoring"
	if err := removeSQLite(cfg.Path); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := restoreInto(ctx, cfg, r, amend, checks); err != nil {
		return errors.Join(err, removeSQLite(cfg.Path))
	}
	if err := publish(cfg.Path, final); err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), removeSQLite(cfg.Path))
	}
	return nil
}

// removeSQLite removes a SQLite file and what belongs to it.
func removeSQLite(path string) error {
	var errs []error
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// publish gives a closed SQLite file its name, durably.
func publish(from, to string) error {
	if info, err := os.Stat(from + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("%s was not closed properly", from)
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	_ = dir.Sync() // Windows cannot, and needs not
	return dir.Close()
}

func restoreInto(ctx context.Context, cfg Config, r io.Reader, amend Amend, checks []Check) error {
	s, err := connect(ctx, cfg)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := s.restore(ctx, r, amend, checks); err != nil {
		return errors.Join(fmt.Errorf("restore: %w", err), s.Close())
	}
	return s.Close()
}

// restore loads a backup in one transaction, in which the checks are run too, unless the schema must be changed first.
func (s *Store) restore(ctx context.Context, r io.Reader, amend Amend, checks []Check) (err error) {
	l := &loader{store: s}
	defer func() {
		if l.raw != nil && !l.committed {
			_ = l.raw.Rollback()
		}
	}()
	if err := readBackup(ctx, r, l); err != nil {
		return err
	}
	for _, table := range l.tables {
		if err := s.dialect.afterLoad(ctx, l.raw, table.name); err != nil {
			return s.explain(ctx, "restore "+table.name, err)
		}
	}
	if amend != nil {
		t := l.tx()
		if err := errors.Join(amend(ctx, t), t.failed); err != nil {
			return fmt.Errorf("amend what was restored: %w", err)
		}
	}
	if l.upToDate {
		if err := check(ctx, l.inside(), checks); err != nil {
			return err
		}
	}
	l.committed = true
	if err := l.raw.Commit(); err != nil {
		return s.explain(ctx, "commit", err)
	}
	if l.upToDate {
		return nil
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return check(ctx, s, checks)
}

func check(ctx context.Context, s store.Store, checks []Check) error {
	for _, c := range checks {
		if err := c(ctx, s); err != nil {
			return fmt.Errorf("check what was restored: %w", err)
		}
	}
	return nil
}

// loader is the backupSink that fills the database.
type loader struct {
	store *Store

	raw       *sql.Tx
	tables    []tableInfo
	upToDate  bool // the backup has the schema of this program
	committed bool
	insert    *sql.Stmt // of the current table
}

// header prepares an empty database of the backup's schema.
func (l *loader) header(ctx context.Context, h backupHeader) error {
	p, err := l.store.migrations()
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return l.store.explain(ctx, "read the version of the database's schema", err)
	case h.Schema > target:
		return newerSchema(h.Schema, target)
	case h.Schema < 1 || current > h.Schema:
		return fmt.Errorf("%w: the backup has schema %d, the database schema %d already: restore it into a new database",
			core.ErrConflict, h.Schema, current)
	}
	if _, err := p.UpTo(ctx, h.Schema); err != nil {
		return l.store.explain(ctx, "make the tables", err)
	}
	l.upToDate, l.tables = h.Schema == target, tablesOf(h.Schema)
	if l.raw, err = l.store.write.db.BeginTx(ctx, l.store.dialect.writeOptions()); err != nil {
		return l.store.explain(ctx, "begin a transaction", err)
	}
	if err := isEmpty(ctx, l.raw, l.tables); err != nil {
		if errors.Is(err, errNotEmpty) {
			return fmt.Errorf("%w: %w", core.ErrConflict, err)
		}
		return l.store.explain(ctx, "look whether the database is empty", err)
	}
	return nil
}

// table prepares to insert. The names in the statement are those of the database, once the backup's were found equal.
func (l *loader) table(ctx context.Context, t backupTable) error {
	columns, err := l.store.dialect.columns(ctx, l.raw, t.Table)
	if err != nil {
		return l.store.explain(ctx, "read the columns of "+t.Table, err)
	}
	if !slices.Equal(columns, t.Columns) {
		return fmt.Errorf("%w: the backup's columns of %s are not those of its schema", core.ErrInvalid, t.Table)
	}
	if err := l.closeInsert(); err != nil {
		return err
	}
	if t.Table == "ledger_head" { // the empty one that its migration makes
		if _, err := l.raw.ExecContext(ctx, "DELETE FROM ledger_head"); err != nil {
			return l.store.explain(ctx, "restore "+t.Table, err)
		}
	}
	places := make([]string, len(columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	text := strings.Join([]string{"INSERT INTO", t.Table, "(" + columnList(columns) + ") VALUES (" + strings.Join(places, ", ") + ")"}, " ")
	if l.insert, err = l.raw.PrepareContext(ctx, text); err != nil {
		return l.store.explain(ctx, "restore "+t.Table, err)
	}
	return nil
}

func (l *loader) closeInsert() error {
	if l.insert == nil {
		return nil
	}
	err := l.insert.Close()
	l.insert = nil
	return err
}

func (l *loader) row(ctx context.Context, values []any) error {
	if _, err := l.insert.ExecContext(ctx, values...); err != nil {
		if f := l.store.dialect.classify(err); f == failUnique || f == failReference || f == failInvalid {
			return fmt.Errorf("%w: the backup has a row that the database refuses: %w", core.ErrInvalid, err)
		}
		return l.store.explain(ctx, "restore a row", err)
	}
	return nil
}

// tx is the transaction of the restore.
func (l *loader) tx() *tx {
	return &tx{raw: l.raw, pool: newPool(l.store.write.db, false), store: l.store}
}

// inside is the store as the transaction of the restore sees it.
func (l *loader) inside() store.Store { return insideStore{l.tx()} }

// insideStore reads in a transaction that is not committed yet.
type insideStore struct{ tx *tx }

func (s insideStore) View(_ context.Context, fn func(store.Tx) error) error { return fn(s.tx) }

func (s insideStore) Update(context.Context, func(store.Tx) error) error {
	return fmt.Errorf("%w: a check must not write", core.ErrForbidden)
}
func (s insideStore) Ping(context.Context) error              { return nil }
func (s insideStore) Backup(context.Context, io.Writer) error { return errors.ErrUnsupported }
func (s insideStore) Close() error                            { return nil }
