package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// Key is a directory's immutable id of a person or a group, as directory.Key is.
type Key struct {
	Kind core.IdentityKind
	ID   string
}

// DirectoryEntry is what was seen last of a person whom a source lists.
type DirectoryEntry struct {
	Source core.SourceID
	Key    Key
	// Fingerprint stands for "the person is as the source lists them": zero once anything of the person changed, whoever did it.
	Fingerprint [16]byte
	User        core.UserID
}

// DirectoryGroup is a group with what was seen last of it.
type DirectoryGroup struct {
	core.Group

	Fingerprint [16]byte // zero: look again
}

// GroupFilter chooses groups; the zero value chooses all living ones.
type GroupFilter struct {
	Source         *core.SourceID // only of this source
	Query          string         // part of the name, any case
	IncludeDeleted bool
}

// DirectoryPlan is a plan that waits. Head and parts are sealed by dirsync.
type DirectoryPlan struct {
	ID                   string
	Source               core.SourceID
	Head                 []byte
	CreatedAt, ExpiresAt time.Time
}

// JournalRow is what a run did to one person, and how they were before (sealed by dirsync). Rows without a user name only ids.
type JournalRow struct {
	ID   int64
	Run  int64
	User core.UserID // 0 for none
	At   time.Time
	Data []byte
}

// Directories keeps what directories list beside people, and reads and writes people by the thousand.
type Directories interface {
	Entries
	Groups
	Plans
	Journal
	ManyPeople

	// SourceState returns the zero value with Source set for one never seen.
	SourceState(ctx context.Context, source core.SourceID) (core.SourceState, error)
	SourceStates(ctx context.Context) ([]core.SourceState, error)
	PutSourceState(ctx context.Context, s core.SourceState) error

	// ForgetInDirectories removes what hangs on a person here, plans of any source included, as any may name the person. It must come
	// before DeleteIdentities (erasure only).
	ForgetInDirectories(ctx context.Context, id core.UserID) error
}

// Entries keeps what was seen last of the people whom sources list.
type Entries interface {
	// DirectoryEntries hands out all of a source, in the order of their keys. yield must not use the transaction.
	DirectoryEntries(ctx context.Context, source core.SourceID, yield func(DirectoryEntry)) error
	// EntriesOf hands out the entries of people, of every source. yield must not use the transaction.
	EntriesOf(ctx context.Context, ids []core.UserID, yield func(DirectoryEntry)) error
	// PutDirectoryEntries adds or replaces. A later change of the person, of a name in force or of an identity takes the fingerprint
	// away, so they are put last.
	PutDirectoryEntries(ctx context.Context, e ...DirectoryEntry) error
	DeleteDirectoryEntries(ctx context.Context, source core.SourceID, keys ...Key) error
	// LookAgain takes the fingerprints of a source's people and groups away.
	LookAgain(ctx context.Context, source core.SourceID) error
	// LookAgainAt takes the fingerprints of one person away, in every source: something outside users and names changed.
	LookAgainAt(ctx context.Context, id core.UserID) error
}

// Groups keeps groups of directories and their direct members. Members are keys of the group's source, known here or not.
type Groups interface {
	// PutGroup adds or replaces the group with that source and key, and returns its id. ID is ignored.
	PutGroup(ctx context.Context, g DirectoryGroup) (int64, error)
	// DirectoryGroups hands out all of a source, soft-deleted ones included, in the order of their ids. yield must not use the
	// transaction.
	DirectoryGroups(ctx context.Context, source core.SourceID, yield func(DirectoryGroup)) error
	// Groups returns groups in the order of name, source and id.
	Groups(ctx context.Context, f GroupFilter) ([]core.Group, error)
	// GroupByKey returns the group with that key, also a soft-deleted one.
	GroupByKey(ctx context.Context, source core.SourceID, key Key) (core.Group, error)

	// PutGroupMembers adds direct members; one that is there stays.
	PutGroupMembers(ctx context.Context, group int64, members ...Key) error
	DeleteGroupMembers(ctx context.Context, group int64, members ...Key) error
	// ClearGroupMembers removes all direct members.
	ClearGroupMembers(ctx context.Context, group int64) error
	// GroupMembers returns the direct members, in the order of their keys.
	GroupMembers(ctx context.Context, group int64) ([]Key, error)
	// GroupEdges hands out every direct membership of a source's living groups. yield must not use the transaction.
	GroupEdges(ctx context.Context, source core.SourceID, yield func(group int64, member Key)) error
	// ParentGroups hands out the living groups of the source that have one of the keys as direct member. yield must not use the
	// transaction.
	ParentGroups(ctx context.Context, source core.SourceID, members []Key, yield func(member Key, group core.Group)) error
}

// Plans keeps plans that wait for approval.
type Plans interface {
	CreatePlan(ctx context.Context, p DirectoryPlan) error
	// PutPlanPart keeps one part; parts count from 0.
	PutPlanPart(ctx context.Context, plan string, part int, data []byte) error
	Plan(ctx context.Context, id string) (DirectoryPlan, error)
	// PlanPart returns core.ErrNotFound behind the last one.
	PlanPart(ctx context.Context, plan string, part int) ([]byte, error)
	// Plans returns those of a source, newest first, with their heads.
	Plans(ctx context.Context, source core.SourceID) ([]DirectoryPlan, error)
	DeletePlan(ctx context.Context, id string) error
	// DeletePlansBefore forgets plans that expired before t.
	DeletePlansBefore(ctx context.Context, t time.Time) (int, error)
}

// Journal keeps how people were before runs changed them.
type Journal interface {
	AppendJournal(ctx context.Context, rows ...JournalRow) error
	// Journal returns rows of a run, newest first, with ids below before (0: from the newest).
	Journal(ctx context.Context, run, before int64, limit int) ([]JournalRow, error)
	// UserJournal returns a person's rows of all runs, newest first.
	UserJournal(ctx context.Context, id core.UserID) ([]JournalRow, error)
	DeleteJournalBefore(ctx context.Context, t time.Time) (int, error)
}

// ManyPeople is people and what hangs on them by the thousand. No yield may use the transaction.
type ManyPeople interface {
	// LivingUsers hands out the ids of the people whom the source keeps, neither soft-deleted nor erased, in their order.
	LivingUsers(ctx context.Context, source core.SourceID, yield func(core.UserID)) error
	// UsersOf hands out the users with these ids, soft-deleted ones included, erased ones not.
	UsersOf(ctx context.Context, ids []core.UserID, yield func(core.User)) error
	// NamesOf hands out names in force and ended, each user's as UserNames has them.
	NamesOf(ctx context.Context, ids []core.UserID, yield func(core.LoginName)) error
	IdentitiesOf(ctx context.Context, ids []core.UserID, yield func(core.ExternalIdentity)) error
	// SourceOwners hands out whom one source knows by each of the ids.
	SourceOwners(ctx context.Context, source core.SourceID, kind core.IdentityKind, ids []string, yield func(immutableID string, owner core.UserID)) error
	// DeleteName and DeleteIdentity take back what a run gave (undo only). One that is gone already is no error.
	DeleteName(ctx context.Context, id int64) error
	DeleteIdentity(ctx context.Context, e core.ExternalIdentity) error
}
