// Package index answers "whose name is it?" from memory: server-stub/names decides, this room only knows all names without asking
// the database for each. It is for whoever asks for every print job; a sign-in asks within its own transaction. The print spooler will be
// the first to ask: until it is there only tests and figures do.
//
//	Live.Find ──▶ did anything commit since? ── no ──▶ Index (hash of the folded name ─▶ people ─▶ their names) ──▶ names
//	                  └─ yes: read whose names changed, first ─┘
//
// # Never behind
//
// The wrong person is the worst answer, so an answer is never older than what had been committed when the question was asked. The
// database counts its commits (Commits), and Find compares before it looks; the database's own triggers note whose names changed
// (store.NameIndex), so no way of writing can be forgotten here. When that cannot be read, Find fails.
//
// This holds where one process writes: SQLite. With PostgreSQL, where several nodes do, Find asks the database. So it does for
// queries with immutable ids, which are none of the index's.
//
// # Size
//
// A person's names are packed into bytes without pointers, suffixes written once for all: some 160 bytes a person with four
// names, all told. Half a million people take 76 MiB; figures are in `make bench`, group resolve.
package index
