package sqlstore

import (
	"context"
	"database/sql"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// failure says what a database error means for us.
type failure int

const (
	failOther       failure = iota // a fault of ours
	failUnique                     // a unique value is taken
	failReference                  // it names a row that is not there
	failInvalid                    // a value the column refuses
	failRetry                      // the transaction was rolled back and may succeed when run again
	failUnavailable                // the database does not answer, or is locked
	failFull                       // the disk is full; rolled back
	failBroken                     // reading or writing the disk failed, or the file is damaged
)

// dialect is what differs between the databases.
type dialect interface {
	// classify tells what an error of the driver means; errors that are not the driver's are failOther.
	classify(err error) failure
	// writeOptions and readOptions start a transaction of Update and of View.
	writeOptions() *sql.TxOptions
	readOptions() *sql.TxOptions
	// rowLock is appended to a SELECT to lock its rows until the end of the transaction.
	rowLock() string
	// migrations are the files of this dialect; provider makes goose ready to apply them.
	migrations() (fs.FS, error)
	// oneWriter tells that nobody but this process writes to the database.
	oneWriter() bool
	gooseDialect() goose.Dialect
	gooseOptions() ([]goose.ProviderOption, error)
	// columns returns the columns of a table in their order, as name and type "int", "text" or "blob".
	columns(ctx context.Context, tx *sql.Tx, table string) ([]column, error)
	// afterLoad is run at the end of a restore, in its transaction: whatever the dialect needs once rows with given ids
	// were inserted.
	afterLoad(ctx context.Context, tx *sql.Tx, table string) error
}

// column is one column of a table.
type column struct {
	Name string `json:"name"`
	Type string `json:"type"` // "int", "text" or "blob"
}
