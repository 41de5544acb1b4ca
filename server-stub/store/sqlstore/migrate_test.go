package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

var drivers = []sqlstore.Driver{sqlstore.SQLite, sqlstore.PostgreSQL}

// statementEnds returns where statements of a migration end: after a ";" at the end of a line outside of a block.
func statementEnds(text string) (ends []int) {
	at, block := 0, false
	for line := range strings.Lines(text) {
		at += len(line)
		switch {
		case strings.HasPrefix(line, "-- +goose StatementBegin"):
			block = true
		case strings.HasPrefix(line, "-- +goose StatementEnd"):
			block = false
			ends = append(ends, at)
		case !block && strings.HasSuffix(line, ";\n"):
			ends = append(ends, at)
		}
	}
	return ends
}

// A migration that ends after any of its statements leaves the schema as it was, and the next start goes through.
func TestFault_F24_AMigrationIsAllOrNothing(t *testing.T) {
	for i, driver := range drivers {
		t.Run(string(driver), func(t *testing.T) {
			files, err := sqlstore.Migrations(driver)
			if err != nil {
				t.Fatal(err)
			}
			names, err := fs.Glob(files, "*.sql")
			if err != nil || len(names) < 2 {
				t.Fatalf("migrations %v, %v", names, err)
			}
			cfg := dialects[i].cfg(t)
			good := fstest.MapFS{}
			for _, name := range names {
				text, err := fs.ReadFile(files, name)
				if err != nil {
					t.Fatal(err)
				}
				ends := statementEnds(string(text))
				for k := 0; k < len(ends); k += 1 + len(ends)/8 {
					broken := fstest.MapFS{}
					for name, f := range good {
						broken[name] = f
					}
					broken[name] = &fstest.MapFile{Data: append(bytes.Clone(text[:ends[k]]), "SELECT no_such_column;\n"...)}
					if err := sqlstore.MigrateWith(t.Context(), cfg, broken); err == nil {
						t.Fatalf("%s: statement %d did not fail", name, k)
					}
				}
				good[name] = &fstest.MapFile{Data: text}
			}
			s := mustOpen(t, cfg)
			fill(t, s)
			if err := sound(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDialectsHaveTheSameTables(t *testing.T) {
	table := regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)
	columns := regexp.MustCompile(`(?m)^    ([a-z_]+) +[A-Z]`)
	var all [2][]string
	for i, driver := range drivers {
		files, err := sqlstore.Migrations(driver)
		if err != nil {
			t.Fatal(err)
		}
		if err := fs.WalkDir(files, ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".sql") {
				return err
			}
			text, err := fs.ReadFile(files, path)
			for _, statement := range strings.Split(string(text), ";\n") {
				if name := table.FindStringSubmatch(statement); name != nil {
					all[i] = append(all[i], fmt.Sprint(path, " ", name[1], " ", columns.FindAllString(statement, -1)))
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for j := range all[i] { // types differ
			all[i][j] = regexp.MustCompile(` +[A-Z]`).ReplaceAllString(all[i][j], "")
		}
	}
	if diff := cmp.Diff(all[0], all[1]); diff != "" || len(all[0]) != len(sqlstore.BackupTables)+1 { // name_changes is in no backup
		t.Errorf("tables (-SQLite +PostgreSQL):\n%s", diff)
	}
}

func TestEveryTableIsBackedUp(t *testing.T) {
	s := mustOpen(t, sqlstore.Config{Path: filepath.Join(t.TempDir(), "p.db")})
	rows, err := sqlstore.ReadDB(s).QueryContext(t.Context(),
		"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' AND name <> 'name_changes' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tables, slices.Sorted(slices.Values(sqlstore.BackupTables))); diff != "" {
		t.Errorf("tables of the database and of a backup (-database +backup):\n%s", diff)
	}
}

func TestABackupOfAnOlderSchemaIsBroughtUpToDate(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			old, err := sqlstore.OpenAt(t.Context(), d.cfg(t), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = old.Close() }()
			if _, err := sqlstore.WriteDB(old).ExecContext(t.Context(), `INSERT INTO users (username, display_name, email, department,
				office, source, overdraft, disabled, search) VALUES ('alex', '', '', '', '', '', 0, 0, 'alex')`); err != nil {
				t.Fatal(err)
			}
			cfg := d.cfg(t)
			if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(backup(t, old)), nil, sound); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, cfg)
			l, stop := run(t, s)
			defer stop()
			if err := credit(t.Context(), l, "k"); err != nil {
				t.Error(err)
			}
		})
	}
}

// schema2 returns where a database of schema 2 is, as that program left it, with people whom a directory or an administrator
// disabled. The dumps in testdata are never changed.
func schema2(t *testing.T, cfg sqlstore.Config) sqlstore.Config {
	t.Helper()
	driver, address, file := "sqlite", cfg.Path, "testdata/schema2.sqlite.sql"
	if cfg.Driver == sqlstore.PostgreSQL {
		driver, address, file = "pgx", cfg.URL.Reveal(), "testdata/schema2.postgres.sql"
	}
	dump, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), string(dump)); err != nil {
		t.Fatalf("load %s: %v", file, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// wantSchema2 checks that everything of schema2 is there, and who disabled whom.
func wantSchema2(t *testing.T, s *sqlstore.Store) {
	t.Helper()
	if err := sound(t.Context(), s); err != nil {
		t.Error(err)
	}
	got := map[string]string{}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.ListUsers(t.Context(), store.UserFilter{})
		for _, u := range list {
			got[u.Username] = fmt.Sprintf("disabled %v, by source %v", u.Disabled, u.DisabledBySource)
			if _, err := tx.Meta(t.Context(), fmt.Sprint("dirsync/disabled/", int64(u.ID))); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("the old mark of %s is still there: %v", u.Username, err)
			}
		}
		if _, err := tx.Meta(t.Context(), "empty"); err != nil {
			t.Errorf("another meta row: %v", err)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	const enabled, admins, sources = "disabled false, by source false", "disabled true, by source false", "disabled true, by source true"
	want := map[string]string{
		"alex": enabled, "enabled": enabled, "enabled-by-admin": enabled, "by-admin": admins, "by-source-then-admin": admins,
		"by-source": sources, "created-disabled": sources, "by-admin-then-source": sources,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who disabled whom (-want +got):\n%s", diff)
	}
}

func TestSchema2IsBroughtUpToDate(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := mustOpen(t, schema2(t, d.cfg(t)))
			wantSchema2(t, s)
			l, stop := run(t, s)
			defer stop()
			if err := credit(t.Context(), l, "new"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestABackupOfSchema2IsBroughtUpToDate(t *testing.T) {
	for _, from := range dialects {
		for _, to := range dialects {
			t.Run("from "+from.name+" to "+to.name, func(t *testing.T) {
				old, err := sqlstore.OpenAt(t.Context(), schema2(t, from.cfg(t)), 2)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = old.Close() }()
				cfg, ended := to.cfg(t), 0
				amend := func(ctx context.Context, tx sqlstore.Amendable) (err error) {
					ended, err = tx.RevokeAllSessions(ctx, day)
					return errors.Join(err, tx.AppendAudit(ctx, core.AuditEvent{At: day, Actor: "admin", Action: "backup.restore"}))
				}
				if err := sqlstore.Restore(t.Context(), cfg, bytes.NewReader(backup(t, old)), amend, sound); err != nil {
					t.Fatal(err)
				}
				if ended != 1 {
					t.Errorf("%d sessions ended, want 1", ended)
				}
				wantSchema2(t, mustOpen(t, cfg))
			})
		}
	}
}
