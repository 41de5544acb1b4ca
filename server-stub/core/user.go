package core

import (
	"time"

	"github.com/platenprint/platen/auth"
)

// UserID is a person's immutable internal id. A username is an attribute, never a key. Zero is nobody.
type UserID int64

// SourceID names a directory source of the configuration ("corp-ad"). LocalSource is for accounts kept here only.
type SourceID string

// LocalSource is the source of accounts made by hand: their password is checked here.
const LocalSource SourceID = ""

// User is one person.
type User struct {
	ID          UserID
	Username    string // as shown; unique by its fold among all living users, see LoginName
	DisplayName string
	Email       string
	Department  string
	Office      string
	Language    string   // BCP 47, the language of mail to the person; "" for the site's
	Source      SourceID // the directory that keeps this person, or LocalSource
	Overdraft   Amount   // how far the balance may go below zero, >= 0

	Disabled bool
	// KeepsUsername: the username does not follow the directory (the person came from a source that the directory replaced, row
	// A1-56), until `names migrate` renames them.
	KeepsUsername bool

	// DisabledBySource tells that the directory disabled the account, so it may enable it again. What an administrator
	// disabled is Disabled without it, and no directory overrules that. Only set together with Disabled.
	DisabledBySource bool

	DeletedAt time.Time // when a directory stopped listing the person (soft delete), zero for living users
	ErasedAt  time.Time // when `user erase` removed the person's data; such a user keeps only its id

	CreatedAt, UpdatedAt time.Time
}

// Active tells whether the person may sign in: neither disabled nor deleted nor erased.
func (u User) Active() bool { return !u.Disabled && u.DeletedAt.IsZero() && u.ErasedAt.IsZero() }

// NameKind says what a login name is.
type NameKind string

// The kinds of login names. Which one decides when several people hold the same text is the business of server-stub/names.
const (
	NameUPN      NameKind = "upn"
	NameUsername NameKind = "username" // the username of an account without a UPN
	NameSAM      NameKind = "sam"
	NameNickname NameKind = "nickname"
	NameAlias    NameKind = "alias"
	NameEmail    NameKind = "email"
)

// LoginName is one name by which a person may be known. A name that ended (ValidTo set) still keeps others from
// inheriting it for a time.
type LoginName struct {
	ID        int64
	UserID    UserID
	Name      string
	Folded    auth.Folded
	Kind      NameKind
	Domain    auth.Folded // the NetBIOS domain of a SAM name, folded, "" where there is none
	Source    SourceID    // who gave it: a directory, or LocalSource for one given by hand
	ValidFrom time.Time
	ValidTo   time.Time // zero while the name is in force
}

// NameHolder is a login name together with what deciding needs to know of its holder.
type NameHolder struct {
	LoginName
	Active     bool     // see User.Active
	UserSource SourceID // the holder's own source
}

// IdentityKind says which identifier of a directory is meant.
type IdentityKind string

// The kinds of immutable identifiers.
const (
	IdentityObjectGUID IdentityKind = "objectGUID" // Active Directory, RFC 4122 text form, lower case
	IdentityEntryUUID  IdentityKind = "entryUUID"  // RFC 4530
	IdentitySID        IdentityKind = "sid"        // S-1-5-21-...
	IdentityEntraOID   IdentityKind = "oid"        // "tid/oid"
	IdentityGoogleID   IdentityKind = "googleID"
	IdentitySCIMID     IdentityKind = "scimID"
	IdentityCSVKey     IdentityKind = "csvKey" // the id column of a CSV directory
)

// ExternalIdentity ties a person to a directory's immutable id. (Source, Kind, ImmutableID) is unique.
type ExternalIdentity struct {
	UserID      UserID
	Source      SourceID
	Kind        IdentityKind
	ImmutableID string
}

// Assurance says how sure we are who acted; it is stored with every session, job and ledger row.
type Assurance string

// The levels of SECURITY.md C3, weakest first. Name-only trust does not exist.
const (
	AssurancePassword Assurance = "password"
	AssuranceMachine  Assurance = "machine" // T1: asserted by an enrolled machine
	AssuranceKerberos Assurance = "kerberos"
	AssuranceOIDC     Assurance = "oidc"
	AssuranceStepUp   Assurance = "step-up"
	AssuranceAdmin    Assurance = "admin" // by the administrator of the host, over the admin socket
)

// Session is one signed-in client: a family of tokens. Only hashes of tokens are ever stored.
type Session struct {
	ID        string // 128 random bits, base32; also the first part of its refresh tokens
	UserID    UserID
	Kind      SessionKind
	Assurance Assurance
	ProvenAt  time.Time // when the person last proved who they are; zero in sessions older than this field

	AccessHash    [32]byte // SHA-256 of the current access token
	AccessExpires time.Time

	RefreshHash     [32]byte  // SHA-256 of the current refresh token
	PreviousHash    [32]byte  // of the one before, zero when it can no longer be used
	PreviousExpires time.Time // until when the previous one is accepted, once, while its successor is unused
	RefreshExpires  time.Time // the session ends then if it is not refreshed

	Device     string // the device that vouched for the person, "" when somebody proved who they are
	Client     string // what signed in, such as "platen 0.1.0 (linux)"
	Host       string // the computer's own name, as it says
	Address    string // where it last came from
	CreatedAt  time.Time
	LastSeenAt time.Time
	RevokedAt  time.Time // zero while in force
}

// Attempts counts failures of one key (a name, a network). The window is counted from the last failure, as Active
// Directory's lockout observation window is.
type Attempts struct {
	Key       string // an HMAC, so that the table lists nobody's names
	Count     int
	FirstAt   time.Time
	LastAt    time.Time
	BlockedTo time.Time
}

// SyncRun is the record of one synchronisation of a source.
type SyncRun struct {
	ID         int64
	Source     SourceID
	Kind       RunKind
	StartedAt  time.Time
	FinishedAt time.Time // zero while it runs
	Outcome    string    // "ok", "stopped" (the deletion brake) or "failed"
	PlanID     string    // the plan that was applied, or that waits for approval after "stopped"; "" for none
	UndoneBy   int64     // the run that undid this one, 0 for none
	Undoes     int64     // the run that this one undid, 0 for none
	Read       int       // records read from the source
	Created    int
	Updated    int
	Renamed    int
	Disabled   int
	Restored   int
	Conflicts  int
	Message    string // what the administrator should know or do
}

// RunKind says what a run read.
type RunKind string

// The kinds of runs.
const (
	RunFull    RunKind = ""        // everything
	RunChanges RunKind = "changes" // what changed since the run before
	RunPush    RunKind = "push"    // what the directory sent by itself (SCIM)
	RunUndo    RunKind = "undo"    // took back what another run did
	RunRename  RunKind = "rename"  // a bulk rename of usernames
)

// AuditEvent is one line of the audit log, written in the same transaction as the change it tells of.
type AuditEvent struct {
	ID     int64
	At     time.Time
	Actor  string // "admin", "user:12", "sync:corp-ad"
	Action string // "user.disable"
	Target string // "user:12"
	Detail string // never a secret, never personal text: ids and field names
}
