// Package directory says what a directory source is: something that lists people and may check their passwords. Each
// product has a folder of its own (csvfile, ldap; later Entra, Google, SCIM). Sources only read; dirsync alone writes.
package directory

import (
	"context"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// Record is one person as a source lists it. Texts are as the directory has them; an empty text is "not there".
type Record struct {
	// Key is the directory's immutable id, and KeyKind what it is. Required: it survives renames.
	Key     string
	KeyKind core.IdentityKind
	SID     string // a second identity, where the directory has Windows SIDs

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
	Disabled    bool

	// Locator is how this source finds the person again to check a password (a DN); it may change with every run and is
	// kept nowhere.
	Locator string
	// Where tells an administrator where the record stands: "line 12", "uid=alex,ou=people,dc=example,dc=org".
	Where string
}

// Source is one configured directory. Safe for concurrent use.
type Source interface {
	// ID is the id of the configuration, unique among sources.
	ID() core.SourceID

	// Read calls yield for every person and returns nil only when the whole directory was read. Any error, also one of
	// yield, means "not the whole of it": the caller must then change nobody (R-SYNC-2). Errors name the source, the
	// step and the remedy. Read must stop soon after ctx ends, and hold no more than a page in memory.
	Read(ctx context.Context, yield func(Record) error) error

	// Check connects and reads a little, and returns what it saw in one sentence for the administrator.
	Check(ctx context.Context) (string, error)
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
