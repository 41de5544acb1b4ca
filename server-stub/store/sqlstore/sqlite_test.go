package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return storetest.OpenSQLite(t) })
}

// raw opens the file beside the store.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func mustOpen(t *testing.T, cfg sqlstore.Config) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSQLiteIsOpenedAgainWithItsData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%41.db") // characters that mean something in a URI
	for range 2 {
		s := mustOpen(t, sqlstore.Config{Path: path})
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			v, err := tx.Meta(t.Context(), "k")
			if err == nil && v != "v" {
				t.Errorf("Meta = %q, want v", v)
			}
			return tx.SetMeta(t.Context(), "k", "v")
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the file's mode is %v, want 0600", mode)
	}
}

func TestSQLiteIsDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	s := mustOpen(t, sqlstore.Config{Path: path})
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
		for pool, db := range map[string]*sql.DB{"write": sqlstore.WriteDB(s), "read": sqlstore.ReadDB(s)} {
			var got string
			if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s pool: PRAGMA %s = %q, %v; want %q", pool, pragma, got, err, want)
			}
		}
	}
}

func TestFault_F24_NewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	if err := mustOpen(t, sqlstore.Config{Path: path}).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := raw(t, path).ExecContext(t.Context(),
		"INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (9999, 1, datetime('now'))"); err != nil {
		t.Fatal(err)
	}
	_, err := sqlstore.Open(t.Context(), sqlstore.Config{Path: path})
	var newer *sqlstore.SchemaError
	if !errors.As(err, &newer) || newer.Current != 9999 || !strings.Contains(err.Error(), "use the newer Platen") {
		t.Errorf("Open = %v, want a SchemaError that says what to do", err)
	}
}

func TestFault_F6_DamagedFileIsRefused(t *testing.T) {
	for name, damage := range map[string]func([]byte){
		"no database at all": func(b []byte) { copy(b, "this is a text file, not a database") },
		"a page overwritten": func(b []byte) {
			page := b[8*4096 : 9*4096]
			for i := range page {
				page[i] = 0xAA
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "p.db")
			if err := mustOpen(t, sqlstore.Config{Path: path}).Close(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			damage(b)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := sqlstore.Open(t.Context(), sqlstore.Config{Path: path})
			if err == nil {
				_ = s.Close()
				t.Fatal("a damaged file was opened")
			}
			if !strings.Contains(err.Error(), "restore a backup") {
				t.Errorf("Open = %v, want an error that says to restore a backup", err)
			}
		})
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for name, cfg := range map[string]sqlstore.Config{
		"no such folder": {Path: filepath.Join(t.TempDir(), "no", "p.db")},
		"no path":        {},
		"no such driver": {Driver: "oracle", Path: "x"},
	} {
		if s, err := sqlstore.Open(context.Background(), cfg); err == nil {
			_ = s.Close()
			t.Errorf("%s: Open succeeded", name)
		}
	}
}

// Once the disk failed in a write, nothing is written any more, though it would work again.
func TestFault_F3_ABrokenStoreStopsWriting(t *testing.T) {
	s := mustOpen(t, sqlstore.Config{Path: filepath.Join(t.TempDir(), "p.db")})
	sqlstore.FailingDisk(s)
	if err := s.View(t.Context(), func(store.Tx) error { return sqlstore.ErrDisk }); !errors.Is(err, sqlstore.ErrDisk) || s.Err() != nil {
		t.Errorf("View = %v, store %v; a failed read must not end writing", err, s.Err())
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v", err)
	}
	write := func(tx store.Tx) error { return tx.SetMeta(t.Context(), "k", "v") }
	for i, fn := range []func(store.Tx) error{func(store.Tx) error { return sqlstore.ErrDisk }, write, write} {
		err := s.Update(t.Context(), fn)
		if !errors.Is(err, store.ErrBroken) || !errors.Is(err, core.ErrUnavailable) || !errors.Is(err, sqlstore.ErrDisk) {
			t.Errorf("Update %d = %v, want store.ErrBroken with its cause", i, err)
		}
	}
	select {
	case <-s.Broken():
	default:
		t.Error("Broken is not closed")
	}
	if err := s.Ping(t.Context()); !errors.Is(err, store.ErrBroken) {
		t.Errorf("Ping = %v, want store.ErrBroken", err)
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Meta(t.Context(), "k"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("Meta = %v, want core.ErrNotFound", err)
		}
		return nil
	}); err != nil {
		t.Errorf("reading goes on: %v", err)
	}
}
