package admin

import (
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
)

// The verbs of synchronising, beside those of types.go.
const (
	VerbSyncPlan = "sync.plan" // answers with items of PlanChange
	VerbSyncUndo = "sync.undo"
	VerbSyncWhy  = "sync.why"
)

// ErrSends says that a directory is not read: it sends its changes by itself.
var ErrSends = fmt.Errorf("%w: this directory sends its changes by itself, so there is nothing to read", core.ErrInvalid)

// SyncPlan asks what a synchronisation would change, or with ID for a plan that was made already.
type SyncPlan struct {
	Source string `json:"source,omitempty"` // may be "" where there is one directory
	ID     string `json:"id,omitempty"`
	Full   bool   `json:"full,omitempty"` // read and compare everything
}

// PlanHead is a plan in numbers.
type PlanHead = dirsync.PlanHead

// PlanChange is what a plan does to one person or group, or why it does not.
type PlanChange struct {
	dirsync.Change

	Words string `json:"words"`
}

// SyncUndo takes a run back.
type SyncUndo struct {
	Run    int64  `json:"run"`
	Reason string `json:"reason,omitempty"`
}

// SyncWhyAsk asks about a person: one who is here, or a name that a directory may know.
type SyncWhyAsk struct {
	Person string `json:"person"`
	Source string `json:"source,omitempty"` // only in this directory
}

// SyncWhy is what is known of a person.
type SyncWhy struct {
	User *UserDetails `json:"user,omitempty"` // nil when nobody of that name is here
	// Records are what directories say.
	Records []WhyRecord `json:"records"`
	Runs    []WhyRun    `json:"runs"` // that changed the person, newest first
}

// WhyRecord is what one directory says of a person.
type WhyRecord struct {
	Source string `json:"source"`
	// Says is the whole answer in a sentence: listed, not listed, out of the scope, or why it could not be asked.
	Says    string            `json:"says"`
	Where   string            `json:"where,omitempty"`
	Details map[string]string `json:"details,omitempty"`
	// Left says what the latest run left out of the record, and why.
	Left []string `json:"left,omitempty"`
}

// WhyRun is one run that changed a person.
type WhyRun struct {
	ID      int64     `json:"id"`
	Source  string    `json:"source"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Outcome string    `json:"outcome"`
}
