package store

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// SCIMKind says what a SCIM resource is.
type SCIMKind string

// The kinds of resources.
const (
	SCIMUser  SCIMKind = "User"
	SCIMGroup SCIMKind = "Group"
)

// SCIMToken lets one identity provider write to one connection. Only its hash is kept.
type SCIMToken struct {
	ID         string // public: tokens are told apart by it
	Source     core.SourceID
	Hash       [32]byte // SHA-256 of the token
	Networks   string   // comma-separated prefixes it is accepted from, "" for any
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time // to the minute
	RevokedAt  time.Time // zero while in force
}

// SCIMResource is a person or a group as the identity provider sent it: what it reads back is what it wrote. Secrets are not in it.
type SCIMResource struct {
	ID          string // random, ours
	Source      core.SourceID
	Kind        SCIMKind
	Name        string      // userName, or a group's displayName
	ExternalID  string      // the provider's own id: a hint that may change
	ExternalWas string      // the one before
	UserID      core.UserID // the person, 0 for a group
	Data        string      // JSON, without id, meta and members
	Version     int64       // grows with every change; CreateSCIMResource makes it 1
	CreatedAt   time.Time
	ModifiedAt  time.Time
	DeletedAt   time.Time // zero for living ones

	Standing SCIMStanding // as read; not stored with the resource
}

// SCIMStanding is how the person of a resource stands, which an undo, an administrator or another source may have changed behind the
// provider's back.
type SCIMStanding int64

// How people stand.
const (
	SCIMElsewhere SCIMStanding = iota // no person, or one whom another source keeps
	SCIMIn                            // not taken out by the source
	SCIMOut                           // disabled by the source, or soft-deleted
)

// SCIMValue makes a resource findable by the value of an attribute.
type SCIMValue struct {
	Path  string // such as "emails.value", in lower case
	Value string // folded by the caller
}

// SCIMQuery chooses resources of one kind of one connection. The zero value chooses all living ones.
type SCIMQuery struct {
	Path, Value string // only those with this SCIMValue, Path "" for all
	Deleted     bool   // deleted ones instead of living ones
	Offset      int
	Limit       int // 0 for no limit
}

// SCIMMember is a member of a group.
type SCIMMember struct {
	ID   string
	Kind SCIMKind
	Name string
}

// SCIMEntry is one line of the provisioning log: what became of one request that was to change something, or that failed.
type SCIMEntry struct {
	ID        int64
	At        time.Time
	Source    core.SourceID
	Token     string // the id of the token that was used
	Operation string // "create", "update", "replace", "delete", "read"
	Kind      SCIMKind
	Resource  string // the resource's id, "" where there is none
	Name      string // of the resource, as the provider has it
	UserID    core.UserID
	Status    int    // of HTTP
	Result    string // "created", "updated", "unchanged", "disabled", "enabled", "deleted", "restored", "kept", "refused", "stopped", "failed"
	Detail    string // for the administrator: what was ignored, why it was refused; no secrets, no values
	RequestID string
}

// SCIMConnection is how a connection stands.
type SCIMConnection struct {
	Source     core.SourceID
	LastSeenAt time.Time // when the provider last asked for something, to the minute
	Warning    string    // what an administrator should look into, "" for nothing
	WarnedAt   time.Time
}

// SCIM keeps what identity providers write over SCIM, their tokens, and what became of their requests.
type SCIM interface {
	CreateSCIMToken(ctx context.Context, t SCIMToken) error
	SCIMTokenByHash(ctx context.Context, hash [32]byte) (SCIMToken, error)
	// SCIMTokens returns a connection's tokens, newest first, those that are over too.
	SCIMTokens(ctx context.Context, source core.SourceID) ([]SCIMToken, error)
	// UpdateSCIMToken stores Networks, ExpiresAt, LastUsedAt and RevokedAt.
	UpdateSCIMToken(ctx context.Context, t SCIMToken) error

	// CreateSCIMResource stores a new resource; core.ErrConflict for an id that is there, or a living person of the connection with
	// the same name (letter case aside).
	CreateSCIMResource(ctx context.Context, r SCIMResource, values []SCIMValue) error
	// UpdateSCIMResource replaces every field but ID, Source, Kind and CreatedAt, and counts Version up. It is for the version that was
	// read: core.ErrNotFound when that is there no more.
	UpdateSCIMResource(ctx context.Context, r SCIMResource, values []SCIMValue) error
	// SCIMResource returns a living or deleted one.
	SCIMResource(ctx context.Context, source core.SourceID, kind SCIMKind, id string) (SCIMResource, error)
	// SCIMResources hands resources out, oldest first. yield must not use the transaction.
	SCIMResources(ctx context.Context, source core.SourceID, kind SCIMKind, q SCIMQuery, yield func(SCIMResource)) error
	CountSCIMResources(ctx context.Context, source core.SourceID, kind SCIMKind, q SCIMQuery) (int, error)
	// DeleteSCIMResource removes one for good, with its memberships.
	DeleteSCIMResource(ctx context.Context, source core.SourceID, kind SCIMKind, id string) error

	// SCIMMembers returns a group's living members in the order of their ids.
	SCIMMembers(ctx context.Context, group string) ([]SCIMMember, error)
	// ChangeSCIMMembers adds and removes members, and tells which were not there before, and which were. Only ids of resources of the
	// connection, also deleted ones, become members; the others are returned as unknown.
	ChangeSCIMMembers(ctx context.Context, source core.SourceID, group string, add, remove []string) (SCIMMemberChange, error)

	// AppendSCIMLog writes lines of the log.
	AppendSCIMLog(ctx context.Context, e ...SCIMEntry) error
	// SCIMLog returns lines with a greater id than after, oldest first; with after < 0 the newest ones, oldest of them first.
	SCIMLog(ctx context.Context, source core.SourceID, after int64, limit int) ([]SCIMEntry, error)
	// DeleteSCIMLogBefore forgets old lines and tells how many.
	DeleteSCIMLogBefore(ctx context.Context, t time.Time) (int, error)

	// SCIMConnection returns the zero value with Source set for a connection that was never used.
	SCIMConnection(ctx context.Context, source core.SourceID) (SCIMConnection, error)
	PutSCIMConnection(ctx context.Context, c SCIMConnection) error

	// DeleteSCIMUser removes everything that a provider wrote of a person (erasure only).
	DeleteSCIMUser(ctx context.Context, user core.UserID) error
}

// SCIMMemberChange says what ChangeSCIMMembers did.
type SCIMMemberChange struct{ Added, Removed, Unknown []string }
