package dirsync

import (
	"context"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// PlanHead is a plan in numbers.
type PlanHead struct {
	ID        string        `json:"id"`
	Source    core.SourceID `json:"source"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"`
	Full      bool          `json:"full"`   // of everything that the source lists; else of what changed
	Read      int           `json:"read"`   // people listed
	People    int           `json:"people"` // living people of the source before
	Counts    Counts        `json:"counts"`
	// Stopped is what the brake says, "" when the plan may be applied without a reason.
	Stopped string `json:"stopped,omitempty"`
	Summary string `json:"summary"` // all of this in one sentence
}

// Counts are people by what happens to them; somebody may be in several.
type Counts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Renamed   int `json:"renamed"`
	Linked    int `json:"linked"`
	Disabled  int `json:"disabled"`
	Enabled   int `json:"enabled"`
	Deleted   int `json:"deleted"`
	Restored  int `json:"restored"`
	Conflicts int `json:"conflicts"`
	Proposed  int `json:"proposed"` // of the conflicts: links that an administrator must decide
	Weak      int `json:"weak"`     // people with a weak code
	Groups    int `json:"groups"`   // groups that change
}

// FieldChange is one detail of a person, old and new. Secrets are never in it.
type FieldChange struct {
	Field string `json:"field"`
	Old   string `json:"old"`
	New   string `json:"new"`
}

// Change is what happens to one person, or why nothing does. Words says it in a sentence.
type Change struct {
	User     core.UserID   `json:"user,omitempty"` // 0 for somebody new
	Username string        `json:"username,omitempty"`
	Where    string        `json:"where,omitempty"` // where the record stands in the directory
	Actions  []Action      `json:"actions,omitempty"`
	Fields   []FieldChange `json:"fields,omitempty"`
	Details  []string      `json:"details,omitempty"`  // cards and codes, without the secrets
	Weak     []string      `json:"weak,omitempty"`     // codes that are too easy
	Problems []string      `json:"problems,omitempty"` // what was left out, and why
	Proposed core.UserID   `json:"proposed,omitempty"` // who this may be: an administrator must decide
}

// PushSet is what a directory sent by itself.
type PushSet struct {
	People     []directory.Record
	Gone       []directory.Key
	Groups     []directory.Group // with Changed: only what changed of the members
	GroupsGone []directory.Key
	// Also is called last, in the transaction of the push: what it stores is there exactly if the people are. An error takes all of
	// it back. The transaction may be run again. Nil: nothing more is stored.
	Also func(ctx context.Context, tx store.Tx, r PushResult) error
}

// PushResult says what became of a PushSet, in its order.
type PushResult struct {
	Run    int64 // the run it is part of, for Undo
	People []Pushed
	Gone   []Pushed
	Groups []int64 // ids of the groups
}

// Pushed is what became of one person.
type Pushed struct {
	Key     directory.Key
	User    core.UserID // 0 when nobody was made
	Actions []Action    // empty when nothing changed
	// Refused says why the record, or part of it, was left out; "" when it was not.
	Refused string
}
