// Package storetest has what tests of the server need of a database: fresh ones, and the suite that holds every dialect
// to the contract of package store.
package storetest

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// OpenSQLite opens a fresh SQLite database in a folder of its own and closes it at the end of the test.
func OpenSQLite(t testing.TB) store.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "platen.db")
	return open(t, sqlstore.Config{Path: path}, "sqlite", path)
}

// OpenPostgres opens a fresh PostgreSQL database and closes it at the end of the test, which is skipped where PostgreSQL
// is missing (see testenv.Postgres).
func OpenPostgres(t testing.TB) store.Store {
	t.Helper()
	url := testenv.Postgres(t)
	return open(t, sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: secret.New(url)}, "pgx", url)
}

// opened is a store with a way around it.
type opened struct {
	*sqlstore.Store
	driver, address string
}

// Tamper runs SQL on the database behind the back of a store of this package: what a disk, or somebody with the file in
// hand, might do.
func Tamper(t testing.TB, s store.Store, statements ...string) {
	t.Helper()
	o, ok := s.(*opened)
	if !ok {
		t.Fatalf("a %T cannot be tampered with", s)
	}
	tamper(t, o.driver, o.address, statements)
}

// TamperFile is Tamper for a SQLite file.
func TamperFile(t testing.TB, path string, statements ...string) {
	t.Helper()
	tamper(t, "sqlite", path, statements)
}

func tamper(t testing.TB, driver, address string, statements []string) {
	t.Helper()
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	db.SetMaxOpenConns(1) // a setting of the session holds for all statements
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func open(t testing.TB, cfg sqlstore.Config, driver, address string) store.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the database of the test: %v", err)
		}
	})
	return &opened{Store: s, driver: driver, address: address}
}

// Run holds a dialect to the contract. open must return a fresh, empty database each time.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, suite := range []struct {
		name  string
		tests []test
	}{
		{"transactions", transactionTests},
		{"users", userTests},
		{"names", nameTests},
		{"index of names", nameIndexTests},
		{"identities", identityTests},
		{"many at once", bulkTests},
		{"passwords", passwordTests},
		{"sessions", sessionTests},
		{"web", webTests},
		{"limits", limitTests},
		{"sync", syncTests},
		{"audit", auditTests},
		{"meta", metaTests},
		{"ledger", ledgerTests},
		{"devices", deviceTests},
		{"directories", directoryTests},
		{"credentials", credentialTests},
		{"outbox", outboxTests},
		{"SCIM", scimTests},
		{"sources", sourceTests},
	} {
		t.Run(suite.name, func(t *testing.T) {
			for _, one := range suite.tests {
				t.Run(one.name, func(t *testing.T) { one.run(t, open(t)) })
			}
		})
	}
}

type test struct {
	name string
	run  func(t *testing.T, s store.Store)
}

// day is a time with the microseconds that the store promises to keep.
var day = time.Date(2026, 11, 21, 8, 30, 0, 123456000, time.UTC)

// update runs fn in an Update that must succeed.
func update(t *testing.T, s store.Store, fn func(tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

// view runs fn in a View that must succeed.
func view(t *testing.T, s store.Store, fn func(tx store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

// newUser makes a user with that name and returns it.
func newUser(t *testing.T, s store.Store, username string) core.User {
	t.Helper()
	u := core.User{Username: username, DisplayName: "Name of " + username, CreatedAt: day, UpdatedAt: day}
	update(t, s, func(tx store.Tx) error {
		id, err := tx.CreateUser(t.Context(), u)
		u.ID = id
		return err
	})
	return u
}

// WantRefused runs SQL behind the store's back that the database itself must refuse.
func WantRefused(t testing.TB, s store.Store, statement string) {
	t.Helper()
	o, ok := s.(*opened)
	if !ok {
		t.Fatalf("a %T cannot be tampered with", s)
	}
	db, err := sql.Open(o.driver, o.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := db.ExecContext(t.Context(), statement); err == nil {
		t.Errorf("the database took: %s", statement)
	}
}
