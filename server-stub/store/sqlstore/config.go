package sqlstore

import (
	"log/slog"

	"github.com/platenprint/platen/internal/secret"
)

// Driver names a dialect.
type Driver string

// The dialects.
const (
	SQLite     Driver = "sqlite"
	PostgreSQL Driver = "postgres"
)

// Config says which database to open.
type Config struct {
	// Driver is SQLite when empty.
	Driver Driver
	// Path is the file of a SQLite database. Its folder must exist; the file is made (0600) when there is none.
	Path string
	// URL is where a PostgreSQL database is, as libpq reads it: postgres://user:password@host/name?sslmode=verify-full.
	URL secret.String
	// Readers is how many connections may read at once beside the writer, 0 for a default of 4 (SQLite only).
	Readers int
	// Connections is how many connections are opened at most, 0 for a default of 10 (PostgreSQL only).
	Connections int
	// Logger hears of migrations; nil logs nothing.
	Logger *slog.Logger
}
