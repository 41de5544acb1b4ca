package store

import (
	"context"

	"github.com/platenprint/platen/server-stub/core"
)

// NameMark is a state of all names: what was written after it is new.
type NameMark struct {
	Name   int64 // the last login name
	Change int64 // the last change of a name, or of whether somebody may sign in
}

// NameIndex is for an index of all names in memory; see server-stub/names/index.
type NameIndex interface {
	// AllNames hands out every name of everybody who is not erased, in force and ended, user by user. yield must not use the
	// transaction.
	AllNames(ctx context.Context, yield func(core.NameHolder)) error
	// NameMark returns the state as the transaction sees it. ok is false where others write to the database, too: changes then
	// have no order, and no index can be kept.
	NameMark(ctx context.Context) (m NameMark, ok bool, err error)
	// NamesSince hands out everybody whose names, or right to sign in, changed since the mark, each once or more. yield must not use
	// the transaction.
	NamesSince(ctx context.Context, since NameMark, yield func(core.UserID)) error
}
