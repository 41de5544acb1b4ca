// Package sqlstore keeps the server's data in SQLite or PostgreSQL: one set of SQL texts, two dialects that differ in how
// they open, lock, migrate and name their errors. It is the only package that speaks SQL.
//
// Conventions of the SQL: times are microseconds since 1970 in UTC and NULL for the zero time; truth is 0 or 1; money is
// whole ten-thousandths; hashes are bytes, NULL when all zero. Placeholders are $1, $2 ... numbered in the order of their
// first use, because drivers that bind by position would otherwise answer wrongly without an error.
//
// SQLite runs with a write-ahead log and synchronous=FULL (a commit that returned survives a power cut), one connection
// that writes and several that read snapshots. PostgreSQL runs SERIALIZABLE, and Update runs its function again after a
// serialisation failure.
//
// A write error whose outcome the operating system leaves open (an fsync that failed) ends all writing: the store reports
// store.ErrBroken from then on and closes Broken, and the program must restart. Nothing is tried again, since after a
// failed fsync a second one may succeed without having written anything.
package sqlstore
