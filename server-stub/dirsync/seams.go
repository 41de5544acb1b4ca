package dirsync

import (
	"context"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// Credentials plans and keeps cards, access codes and PINs in the transactions of a run. server-stub/credentials implements it.
type Credentials interface {
	// Begin starts one run over one source.
	Begin(source core.SourceID) CredentialRun
	// Revert takes back what Apply did, in the transaction of an undo. undo is what Apply returned.
	Revert(ctx context.Context, tx store.Tx, at time.Time, user core.UserID, undo []byte) error
}

// CredentialRun plans for the records of one run. It remembers what it planned, so that two records of a run do not get one card.
type CredentialRun interface {
	// Plan compares what records bring with what their people have, and answers in the same order. It changes nothing.
	Plan(ctx context.Context, tx store.Tx, items []CredentialItem) ([]CredentialPlan, error)
	// Apply keeps a plan for the user, who exists by now, and returns how to take it back (nil: nothing was done).
	Apply(ctx context.Context, tx store.Tx, at time.Time, user core.User, p CredentialPlan) (undo []byte, notices []Notice, err error)
}

// Expecter is a CredentialRun that wants to know how many people there will be: the length of codes depends on it (R-CODE-1).
type Expecter interface {
	CredentialRun
	// Expect says how many people of all sources there will be at most after the run, those included who were there before. It is
	// called before the first Plan.
	Expect(people int)
}

// CredentialItem is a record and the person it is about, ID 0 for a new one.
type CredentialItem struct {
	User   core.User
	Record directory.Record
}

// CredentialPlan says what happens to one person's cards, code and PIN.
type CredentialPlan struct {
	Fields   []string // "cards", "code", "pin": what changes
	Details  []string // for the administrator, without the secrets: "card ...1234 added"
	Weak     []string // codes taken although weak, or refused for it, with the reason
	Problems []string // what was left out and why: "the card ...1234 is already that of user 12"
	Data     any      // the implementation's own
}

// Empty tells whether nothing changes.
func (p CredentialPlan) Empty() bool { return len(p.Fields) == 0 }

// NoticeKind says what a person is told.
type NoticeKind string

// The kinds of notices.
const (
	NoticeWelcome      NoticeKind = "welcome"       // a new account: how to begin, with code and cards where there are some (A3-25)
	NoticeCodeReplaced NoticeKind = "code_replaced" // the directory deleted the code, so a new one was made (A3-20, A3-21)
	NoticeCodeChanged  NoticeKind = "code_changed"  // the directory changed the code (A3-19)
)

// Notice is something a person should be told. The site's settings decide whether a mail comes of it.
type Notice struct {
	Kind  NoticeKind
	User  core.User
	Code  secret.String // the code in force, empty for none or where the site never shows it
	Cards []string      // the ends of their numbers
}

// Notify hands a notice over, in the transaction that the notice is about: what is rolled back is told to nobody.
type Notify func(ctx context.Context, tx store.Tx, n Notice) error
