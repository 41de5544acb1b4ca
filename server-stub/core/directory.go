package core

import "time"

// CredentialKind says what somebody identifies with at a device.
type CredentialKind string

// The kinds of credentials at devices.
const (
	CredentialCard CredentialKind = "card" // the number that a reader gives of a card
	CredentialCode CredentialKind = "code" // an access code: it alone says who somebody is
	CredentialPIN  CredentialKind = "pin"  // only together with a card or a code
)

// CredentialOrigin says where a credential came from. One that a directory gave is ended only by that directory or an
// administrator.
type CredentialOrigin string

// The origins. One of a directory has its source beside it.
const (
	OriginGenerated CredentialOrigin = "generated"
	OriginAdmin     CredentialOrigin = "admin"
	OriginImport    CredentialOrigin = "import"
	OriginSource    CredentialOrigin = "source"
	OriginSelf      CredentialOrigin = "self" // the person bound it at a device
)

// Group is a directory's group as it is kept here. Its members are edges between keys of the directory, so that a member whom
// no scope lets in yet is known when one does.
type Group struct {
	ID          int64
	Source      SourceID
	Kind        IdentityKind
	ImmutableID string
	SID         string
	Name        string
	DeletedAt   time.Time // when the directory stopped listing it, zero for living ones
}

// SourceState is how one source stands. Freshness is told per source.
type SourceState struct {
	Source      SourceID
	Bookmark    []byte    // sealed; nil: the next run reads everything
	LastAttempt time.Time // when the last run began
	LastSuccess time.Time // when the last good run began: what is known is at least that fresh
	LastFull    time.Time // when everything was last read and compared
	Failures    int       // runs that failed in a row
	Problem     string    // what the last failure said, "" after a good run
	Told        string    // the problem that was last mailed about, so that nobody is told twice
	PausedAt    time.Time // the clock runs it no more, until an administrator says so; zero: it runs
	PausedWhy   string
}
