// Package directory says what a directory source is: something that lists people and groups and may check passwords. Each
// product has a folder of its own (csvfile, ldap, entra, google). Sources only read; dirsync alone writes.
//
// A source is read whole, or from a bookmark on, where it can tell what changed:
//
//	Read(since nil)      ─▶ everybody and every group; who is not listed is gone ─▶ Reading{Complete: true, Next: bookmark}
//	Read(since bookmark) ─▶ who changed, whole, and who is gone                  ─▶ Reading{Complete: false, Next: bookmark}
//	                     ─▶ ErrStartOver: the bookmark is too old; read whole
package directory

import (
	"context"
	"errors"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// Key is a directory's immutable id of a person or a group. It survives renames and moves.
type Key struct {
	Kind core.IdentityKind
	ID   string
}

// Fingerprint tells whether an entry is as it was: a digest of everything a source reads of it, and of the settings that
// decide how it is read. Zero is none.
type Fingerprint [16]byte

// Record is one person as a source lists it, always whole. Texts are as the directory has them; an empty text is "not there".
type Record struct {
	// Key is the directory's immutable id, and KeyKind what it is. Required: it survives renames.
	Key     string
	KeyKind core.IdentityKind
	SID     string // a second identity, where the directory has Windows SIDs
	// OnPremises is the objectGUID of the same person in the Active Directory that this directory is fed from (Entra's
	// onPremisesImmutableId), in the form of core.IdentityObjectGUID. It links the two without any name.
	OnPremises string

	// Username is the name the person goes by here: what the source's UsernameRule chose. Empty when the record lacks
	// what the rule asks for; dirsync then reports the record and leaves it out.
	Username    string
	UPN         string
	SAM         string // sAMAccountName or uid: the short name
	Domain      string // the NetBIOS domain the SAM belongs to, where known
	Nickname    string // MailNickName
	Email       string
	Aliases     []string
	DisplayName string
	Department  string
	Office      string
	Language    string // BCP 47, such as "de" or "fr-CH": the language of mail to the person
	EmployeeID  string // never kept; a code that equals it is weak (R-CODE-2)
	Disabled    bool

	// Credentials says which kinds of secrets this source is the authority for: an empty one of those is "has none", and what the
	// source gave before ends. The values of other kinds are not looked at.
	Credentials []core.CredentialKind
	Cards       []secret.String
	AccessCode  secret.String
	PIN         secret.String

	// Fingerprint is that of Sink.Unchanged, where the source makes one; zero: dirsync makes its own of the fields above.
	Fingerprint Fingerprint

	// Locator is how this source finds the person again to check a password (a DN); it may change with every run and is
	// kept nowhere.
	Locator string
	// Where tells an administrator where the record stands: "line 12", "uid=alex,ou=people,dc=example,dc=org".
	Where string
}

// Identity is the record's key.
func (r Record) Identity() Key { return Key{r.KeyKind, r.Key} }

// Group is one group as a source lists it: its direct members only. dirsync closes memberships transitively, so a source
// lists groups within groups as members like people.
type Group struct {
	Key  Key
	SID  string
	Name string // as people know it
	// Members are direct members, people and groups, also such that the source does not list. Those of a group with Changed
	// are only the new ones.
	Members []Key
	// Changed: the group's other members stay as they are known, but for Removed. Only in a reading that is not complete.
	Changed bool
	Removed []Key

	Fingerprint Fingerprint // as that of Record
	Where       string
}

// Sink takes what a source reads, in any order, each entry once. It is called from one goroutine. A source stops at its
// first error and returns it.
type Sink interface {
	// Unchanged tells whether the person or group is known with this very fingerprint. Then it counts as listed, and Person or
	// Group must not be called for it: a source need not even take the entry apart.
	Unchanged(k Key, f Fingerprint) bool
	Person(Record) error
	Group(Group) error
	// Gone says that a person or group is not there any more. Only in a reading that is not complete; a key that was never known is
	// let pass.
	Gone(Key) error
}

// Bookmark is where the next reading goes on. Only its source understands it; dirsync keeps it (sealed, as it may hold a token)
// together with what was applied.
type Bookmark []byte

// Request says what to read.
type Request struct {
	Since  Bookmark // nil: everything
	Groups bool     // whether groups are wanted
}

// Reading says what was read.
type Reading struct {
	Complete bool     // everything was listed: what was not is gone
	Next     Bookmark // nil where the source cannot tell what changes from now on
}

// ErrStartOver: the bookmark is of no use any more (too old, another server, another filter). Read everything.
var ErrStartOver = errors.New("the directory no longer knows what changed since the last synchronisation")

// Source is one configured directory. Safe for concurrent use.
type Source interface {
	// ID is the id of the configuration, unique among sources.
	ID() core.SourceID

	// Read reads everything, or what changed. A nil error means that all of it was read; any other one, also one of the sink,
	// "not all of it": the caller must then change nobody (R-SYNC-2). Errors name the source, the step and the remedy.
	// Read must stop soon after ctx ends, and hold no more than a page in memory.
	Read(ctx context.Context, r Request, sink Sink) (Reading, error)

	// Check connects and reads a little, and returns what it saw in one sentence for the administrator. Its error names the
	// missing right or setting.
	Check(ctx context.Context) (string, error)
}

// Looker is a Source that can read single people. dirsync asks it for members of a group in the scope whom an incremental reading
// did not bring.
type Looker interface {
	Source

	// Lookup hands over each of the people, or says that they are gone.
	Lookup(ctx context.Context, keys []Key, sink Sink) error
}

// Watcher is a Source that hears of changes at once.
type Watcher interface {
	Source

	// Watch calls changed soon after something changed, until ctx ends or it cannot hear any more, which is its error. changed
	// returns at once.
	Watch(ctx context.Context, changed func()) error
}

// Expiry is something that ends and must be renewed before: a client secret, a certificate, a token.
type Expiry struct {
	What string // "the client secret of application 6666...", in words that tell where to renew it
	At   time.Time
}

// Expiring is a Source that knows when what it signs in with ends.
type Expiring interface {
	Source

	Expiries(ctx context.Context) ([]Expiry, error)
}

// PasswordChecker is a Source that can check passwords itself.
type PasswordChecker interface {
	Source

	// CheckPassword asks the directory whether this is the person's password. key and kind are an identity that Read gave.
	// It returns nil, core.ErrWrongCredentials, core.ErrDisabled (password right or unknowable, account not usable),
	// core.ErrPasswordExpired, core.ErrLimited (locked out there) or core.ErrUnavailable. It must not try twice: every
	// call is at most one failed bind there, and an empty password never reaches the directory (R-LDAP-1).
	CheckPassword(ctx context.Context, kind core.IdentityKind, key string, password secret.String) error
}
