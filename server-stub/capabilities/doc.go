// Package capabilities computes the comparison table of the requirements (A2) for this server: 22 features, each in three
// columns, one for each way of having a directory. A column is answered as if the site's directory were of that kind, with
// the ways of signing in that are configured here; the column that is the site's own is marked.
//
// A cell says yes only where what it promises is there and a test named after it goes all the way (internal/e2e/capabilities).
// No means that the configuration stands in the way, and names the key; not yet means that the part of Platen is missing.
//
// It is pure: it reads no configuration, no database and no network; see Facts.
package capabilities
