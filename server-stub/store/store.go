// Package store says how the server keeps its data: a Store runs functions in transactions, a Tx reads and writes. The
// implementations are in store/sqlstore (SQLite and PostgreSQL); store/storetest is the suite that holds both to the
// contract written here.
//
// Errors: a method returns core.ErrNotFound when what it names is not there, core.ErrConflict when a unique value is
// taken, core.ErrUnavailable (wrapped) when the database does not answer, and ctx.Err() wrapped when the context ends.
// Times are stored in UTC with microseconds; a zero time is stored as none and read back zero.
package store

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

// ErrBroken: writing has ended for good, because the disk failed in a way that leaves open what was written. Nothing is
// tried again; the program must stop and be started anew. It comes together with core.ErrUnavailable.
var ErrBroken = errors.New("the database cannot write any more: restart the server once the disk is in order")

// Store is a database. Safe for concurrent use.
type Store interface {
	// View runs fn on one consistent snapshot. fn must not write.
	View(ctx context.Context, fn func(Tx) error) error

	// Update runs fn in one serialised read-write transaction: all of it is durable when Update returns nil, none of it
	// when fn or the commit fails. fn may be run again after a serialisation failure, so it must have no effect but
	// through tx and variables it assigns anew. An error of a Tx method other than core.ErrNotFound ends the transaction:
	// Update then fails with it even if fn returns nil (where a method says it leaves the transaction usable, it does not).
	Update(ctx context.Context, fn func(Tx) error) error

	// Ping answers nil when the database answers.
	Ping(ctx context.Context) error

	// Backup writes a consistent copy of all data to w while the store stays in use. The form is the implementation's own;
	// its Restore reads it.
	Backup(ctx context.Context, w io.Writer) error

	// Close ends it. Transactions in progress are finished first.
	Close() error
}

// Tx is a transaction. It is not safe for concurrent use and ends with the function it was given to.
type Tx interface {
	Users
	Names
	NameIndex
	Identities
	Passwords
	Sessions
	Limits
	Sync
	Audit
	Meta
	Ledger
	Devices
	Web
	Directories
	SCIM
	Credentials
	Outbox
	Sources
}

// UserFilter chooses users; the zero value chooses all living ones.
type UserFilter struct {
	Query          string         // part of username, display name or e-mail, any case
	Source         *core.SourceID // only of this source
	After          core.UserID    // only with a greater id: the next page
	Limit          int            // at most so many, 0 for no limit
	IncludeDeleted bool           // soft-deleted ones too (never erased ones)
	DeletedSince   time.Time      // only those who were soft-deleted at that time or later
}

// Users keeps people.
type Users interface {
	// CreateUser stores u under a new id and returns it. u.ID is ignored. Names are separate: see PutName.
	CreateUser(ctx context.Context, u core.User) (core.UserID, error)
	User(ctx context.Context, id core.UserID) (core.User, error)
	// UpdateUser replaces every field but ID and CreatedAt.
	UpdateUser(ctx context.Context, u core.User) error
	// ListUsers returns users in the order of their ids.
	ListUsers(ctx context.Context, f UserFilter) ([]core.User, error)
	CountUsers(ctx context.Context, f UserFilter) (int, error)
}

// Names keeps login names. Uniqueness is not the store's business but for one rule: one user holds a (folded, kind,
// domain) at most once at a time.
type Names interface {
	// PutName adds names, or renews the same user's same name of that kind and domain (its ValidTo is cleared). Many at once
	// cost less than one by one.
	PutName(ctx context.Context, n ...core.LoginName) error
	// EndName ends one name at the given time.
	EndName(ctx context.Context, id int64, at time.Time) error
	// DeleteNames removes every name of a user (erasure only).
	DeleteNames(ctx context.Context, id core.UserID) error
	// UserNames returns a user's names, in force and ended, oldest first.
	UserNames(ctx context.Context, id core.UserID) ([]core.LoginName, error)
	// SourceNames hands out the names of all people whom the source keeps, user by user, each user's as UserNames has them.
	// yield must not use the transaction.
	SourceNames(ctx context.Context, source core.SourceID, yield func(core.LoginName)) error
	// Holders returns every name with this fold, in force or ended, of users that are not erased.
	Holders(ctx context.Context, folded auth.Folded) ([]core.NameHolder, error)
	// HoldersOf hands out what Holders returns for each of the folds, in no order of the folds. yield must not use the
	// transaction.
	HoldersOf(ctx context.Context, folds []auth.Folded, yield func(core.NameHolder)) error
}

// Identities keeps the immutable ids of directories.
type Identities interface {
	// PutIdentity ties; core.ErrConflict, which leaves the transaction usable, if one of the identities is another user's. Many
	// at once cost less than one by one.
	PutIdentity(ctx context.Context, e ...core.ExternalIdentity) error
	IdentityOwner(ctx context.Context, source core.SourceID, kind core.IdentityKind, immutableID string) (core.UserID, error)
	// OwnersByID returns the users whom any source knows by this id (a SID is known to several sources).
	OwnersByID(ctx context.Context, kind core.IdentityKind, immutableID string) ([]core.UserID, error)
	UserIdentities(ctx context.Context, id core.UserID) ([]core.ExternalIdentity, error)
	// OwnersOf hands out each of the ids with the users whom any source knows by it. yield must not use the transaction.
	OwnersOf(ctx context.Context, kind core.IdentityKind, immutableIDs []string, yield func(immutableID string, owner core.UserID)) error
	// SourceIdentities hands out all of one source, in the order of kind and id. yield must not use the transaction.
	SourceIdentities(ctx context.Context, source core.SourceID, yield func(core.ExternalIdentity)) error
	DeleteIdentities(ctx context.Context, id core.UserID) error
}

// Passwords keeps the hashes of local passwords (PHC strings), and where a directory user's bind goes.
type Passwords interface {
	SetPasswordHash(ctx context.Context, id core.UserID, phc string) error
	// PasswordHash returns core.ErrNotFound for a user without a local password.
	PasswordHash(ctx context.Context, id core.UserID) (string, error)
	DeletePassword(ctx context.Context, id core.UserID) error
}

// Sessions keeps sessions by the hashes of their tokens.
type Sessions interface {
	CreateSession(ctx context.Context, s core.Session) error
	Session(ctx context.Context, id string) (core.Session, error)
	SessionByAccess(ctx context.Context, accessHash [32]byte) (core.Session, error)
	UpdateSession(ctx context.Context, s core.Session) error
	// UserSessions returns those not revoked and not expired at now, newest first. A browser's is expired when its access is: it was
	// idle for too long.
	UserSessions(ctx context.Context, id core.UserID, now time.Time) ([]core.Session, error)
	// RevokeUserSessions revokes all of a user and tells how many.
	RevokeUserSessions(ctx context.Context, id core.UserID, at time.Time) (int, error)
	// RevokeAllSessions revokes all of everybody and tells how many.
	RevokeAllSessions(ctx context.Context, at time.Time) (int, error)
	// DeleteSessionsBefore forgets sessions that were revoked or expired before t.
	DeleteSessionsBefore(ctx context.Context, t time.Time) (int, error)
}

// Limits keeps the counters of failed tries.
type Limits interface {
	// Attempts returns the zero value with Key set for a key never seen.
	Attempts(ctx context.Context, key string) (core.Attempts, error)
	PutAttempts(ctx context.Context, a core.Attempts) error
	// DeleteAttemptsBefore forgets counters whose last failure and block are before t.
	DeleteAttemptsBefore(ctx context.Context, t time.Time) (int, error)
}

// Sync keeps the records of synchronisations.
type Sync interface {
	CreateSyncRun(ctx context.Context, r core.SyncRun) (int64, error)
	UpdateSyncRun(ctx context.Context, r core.SyncRun) error
	SyncRun(ctx context.Context, id int64) (core.SyncRun, error)
	// SyncRuns returns the latest runs of a source, newest first.
	SyncRuns(ctx context.Context, source core.SourceID, limit int) ([]core.SyncRun, error)
}

// Audit keeps the audit log.
type Audit interface {
	// AppendAudit writes lines, in their order. Many at once cost less than one by one.
	AppendAudit(ctx context.Context, e ...core.AuditEvent) error
	// AuditEvents returns events newest first, before the given id (0: from the newest).
	AuditEvents(ctx context.Context, before int64, limit int) ([]core.AuditEvent, error)
}

// Meta keeps small facts about the installation by key ("installation_id", "currency", ...).
type Meta interface {
	Meta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string) error
}
