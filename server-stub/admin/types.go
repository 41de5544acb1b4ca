package admin

import (
	"time"

	"github.com/platenprint/platen/server-stub/config"
)

// The verbs.
const (
	VerbStatus        = "status"
	VerbUserAdd       = "user.add"
	VerbUserImport    = "user.import"
	VerbUserCredit    = "user.credit"
	VerbUserList      = "user.list"
	VerbUserShow      = "user.show"
	VerbUserSet       = "user.set"
	VerbUserAlias     = "user.alias"
	VerbUserDisable   = "user.disable"
	VerbUserEnable    = "user.enable"
	VerbUserErase     = "user.erase"
	VerbUserSessions  = "user.sessions"
	VerbSessionRevoke = "session.revoke"
	VerbNameFree      = "name.free"
	VerbProposals     = "name.proposals"
	VerbDecide        = "name.decide"
	VerbLedgerVerify  = "ledger.verify"
	VerbLedgerShow    = "ledger.show"
	VerbConfigShow    = "config.show"
	VerbSyncRun       = "sync.run"
	VerbSyncRuns      = "sync.runs"
	VerbSyncCheck     = "sync.check"
	VerbBackupCreate  = "backup.create"
)

// Nothing is the input or output of verbs that need none.
type Nothing struct{}

// Status says how the server is.
type Status struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Addresses []string  `json:"addresses"`
	CAFile    string    `json:"ca_file,omitempty"`
	CAPin     string    `json:"ca_pin"`
	Devices   string    `json:"devices,omitempty"` // host:port where computers enrol, "" when it is off
	Setup     string    `json:"setup,omitempty"`   // where the first owner is set up, "" once that is done
	Database  string    `json:"database"`          // "sqlite" or "postgres"
	Users     int       `json:"users"`
	Streams   int       `json:"streams"`
	Ledger    string    `json:"ledger"`            // what the last verification found
	Problem   string    `json:"problem,omitempty"` // why it is not ready
	Mail      string    `json:"mail,omitempty"`    // why mail cannot be sent now
	// Kept is how many people left longer ago than retention keeps them, but have or owe money.
	Kept int `json:"kept,omitempty"`
	// Directories are as sync.list has them.
	Directories []Directory `json:"directories"`
}

// User is a person as administrators see them.
type User struct {
	ID          int64      `json:"id"`
	Username    string     `json:"username"`
	DisplayName string     `json:"display_name,omitempty"`
	Email       string     `json:"email,omitempty"`
	Department  string     `json:"department,omitempty"`
	Office      string     `json:"office,omitempty"`
	Source      string     `json:"source"` // "local" or the directory's id
	State       string     `json:"state"`  // active, disabled, deleted
	Balance     string     `json:"balance"`
	Held        string     `json:"held,omitempty"`
	Overdraft   string     `json:"overdraft,omitempty"`
	CreatedAt   time.Time  `json:"created_at"`
	DeletedAt   *time.Time `json:"deleted_at,omitempty"`
}

// Name is one name of a person.
type Name struct {
	Name   string     `json:"name"`
	Kind   string     `json:"kind"`
	Domain string     `json:"domain,omitempty"`
	Source string     `json:"source"`
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until,omitempty"`
}

// Identity is one immutable id of a person in a directory.
type Identity struct {
	Source string `json:"source"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
}

// Session is one signed-in client.
type Session struct {
	ID         string    `json:"id"`
	Client     string    `json:"client,omitempty"`
	Host       string    `json:"host,omitempty"`
	Address    string    `json:"address,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// UserDetails is everything about one person.
type UserDetails struct {
	User
	HasPassword bool       `json:"has_password"`
	Names       []Name     `json:"names"`
	Identities  []Identity `json:"identities"`
	Sessions    []Session  `json:"sessions"`

	Credentials []Credential `json:"credentials"` // cards, codes and PINs, without their values
}

// UserAdd adds a local account.
type UserAdd struct {
	Username    string   `json:"username"`
	DisplayName string   `json:"display_name,omitempty"`
	Email       string   `json:"email,omitempty"`
	Department  string   `json:"department,omitempty"`
	Office      string   `json:"office,omitempty"`
	Aliases     []string `json:"aliases,omitempty"`
	Password    string   `json:"password,omitempty"`
	Overdraft   string   `json:"overdraft,omitempty"`
}

// UserRef names a person: a username, another name that only they have, or "id:12".
type UserRef struct {
	User string `json:"user"`
}

// UserSet changes a person; what is nil stays.
type UserSet struct {
	User        string  `json:"user"`
	Username    *string `json:"username,omitempty"`
	DisplayName *string `json:"display_name,omitempty"`
	Email       *string `json:"email,omitempty"`
	Department  *string `json:"department,omitempty"`
	Office      *string `json:"office,omitempty"`
	Overdraft   *string `json:"overdraft,omitempty"`
	Password    *string `json:"password,omitempty"` // "" removes it
}

// UserAlias gives or takes another name.
type UserAlias struct {
	User   string `json:"user"`
	Alias  string `json:"alias"`
	Remove bool   `json:"remove,omitempty"`
}

// UserList chooses people.
type UserList struct {
	Query   string  `json:"query,omitempty"`
	Source  *string `json:"source,omitempty"` // "local" or a directory's id
	Deleted bool    `json:"deleted,omitempty"`
	After   int64   `json:"after,omitempty"`
	Limit   int     `json:"limit,omitempty"` // at most MaxList, which 0 means
}

// MaxList is the most people of one answer.
const MaxList = 1000

// Users is a page of people.
type Users struct {
	Users []User `json:"users"`
	More  bool   `json:"more"`
}

// UserCredit books money for a person: a credit, or with a negative amount a debit.
type UserCredit struct {
	User    string `json:"user"`
	Amount  string `json:"amount"`
	Comment string `json:"comment,omitempty"`
	// Key makes the call repeatable: with the same key it is booked once however often it is asked for.
	Key string `json:"key"`
}

// Receipt is what was booked.
type Receipt struct {
	User     string    `json:"user"`
	Seq      int64     `json:"seq"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Amount   string    `json:"amount"`
	Balance  string    `json:"balance"`
	Currency string    `json:"currency"`
}

// UserImport imports a file.
type UserImport struct {
	File       []byte `json:"file"`
	Format     string `json:"format,omitempty"` // csv, papercut, papercut-internal; "" recognises it
	UpdateOnly bool   `json:"update_only,omitempty"`
	Preview    bool   `json:"preview,omitempty"`
	Welcome    bool   `json:"welcome,omitempty"` // send the welcome mail to people who are added
}

// ImportLine is what an import does with a line.
type ImportLine struct {
	Line     int      `json:"line"`
	Username string   `json:"username"`
	Action   string   `json:"action"` // create, update, unchanged, skip
	Fields   []string `json:"fields,omitempty"`
	Note     string   `json:"note,omitempty"`
}

// Imported is what an import did, or in a preview would do.
type Imported struct {
	Preview   bool         `json:"preview"`
	Format    string       `json:"format"`
	Created   int          `json:"created"`
	Updated   int          `json:"updated"`
	Unchanged int          `json:"unchanged"`
	Skipped   int          `json:"skipped"`
	Booked    int          `json:"booked"` // balances that were, or would be, changed
	Ignored   []string     `json:"ignored,omitempty"`
	Lines     []ImportLine `json:"lines"`
}

// SessionRevoke ends one session of a person, or with All every one.
type SessionRevoke struct {
	User string `json:"user"`
	ID   string `json:"id,omitempty"`
	All  bool   `json:"all,omitempty"`
}

// Count tells how many things something was done to.
type Count struct {
	Count int `json:"count"`
}

// NameFree lets a name that is kept for somebody be given to another person at once.
type NameFree struct {
	Name string `json:"name"`
}

// Proposal is a name that a person's computer calls them by, waiting for an administrator (sign_in.link: review).
type Proposal struct {
	User     string    `json:"user"` // "id:12"
	Username string    `json:"username"`
	Name     string    `json:"name"`
	Domain   string    `json:"domain,omitempty"`
	At       time.Time `json:"at"`
}

// Decide accepts or drops the proposals of a name for a person.
type Decide struct {
	User   string `json:"user"`
	Name   string `json:"name"`
	Accept bool   `json:"accept"`
}

// LedgerShow asks for a statement, or without a user for the newest transfers.
type LedgerShow struct {
	User   string `json:"user,omitempty"`
	Before int64  `json:"before,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

// LedgerLine is one line of a statement.
type LedgerLine struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	User    string    `json:"user,omitempty"` // "id:12", of lines of the whole ledger
	Amount  string    `json:"amount"`
	Balance string    `json:"balance,omitempty"`
	Actor   string    `json:"actor,omitempty"`
	Note    string    `json:"note,omitempty"`
}

// Ledger is a part of it.
type Ledger struct {
	Currency string       `json:"currency"`
	HeadSeq  int64        `json:"head_seq"`
	HeadHash string       `json:"head_hash"`
	Lines    []LedgerLine `json:"lines"`
}

// LedgerReport is what a verification saw.
type LedgerReport struct {
	OK        bool     `json:"ok"`
	Summary   string   `json:"summary"`
	HeadSeq   int64    `json:"head_seq"`
	HeadHash  string   `json:"head_hash"`
	Transfers int64    `json:"transfers"`
	Accounts  int64    `json:"accounts"`
	Holds     int64    `json:"holds"`
	Findings  []string `json:"findings"`
	More      int      `json:"more"`
}

// ConfigShow is the running configuration.
type ConfigShow struct {
	Settings []config.Setting `json:"settings"`
}

// SyncRef names a directory.
type SyncRef struct {
	Source string `json:"source,omitempty"` // "" for all of them
	Limit  int    `json:"limit,omitempty"`
	// Plan is the plan to apply, Reason why it may pass the brake.
	Plan   string `json:"plan,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// SyncRun is one synchronisation.
type SyncRun struct {
	ID         int64      `json:"id"`
	Source     string     `json:"source"`
	Kind       string     `json:"kind"` // everything, changes, sent, undo or rename
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Outcome    string     `json:"outcome"`
	Read       int        `json:"read"`
	Created    int        `json:"created"`
	Updated    int        `json:"updated"`
	Renamed    int        `json:"renamed"`
	Disabled   int        `json:"disabled"`
	Restored   int        `json:"restored"`
	Conflicts  int        `json:"conflicts"`
	Message    string     `json:"message,omitempty"`
	PlanID     string     `json:"plan,omitempty"`      // applied, or waiting for approval after "stopped"
	UndoneBy   int64      `json:"undone_by,omitempty"` // the run that took this one back
	Undoes     int64      `json:"undoes,omitempty"`    // the run that this one took back
}

// SyncRuns lists synchronisations, newest first.
type SyncRuns struct {
	Runs []SyncRun `json:"runs"`
}

// SyncChecks is what the directories answered.
type SyncChecks struct {
	Checks []SyncCheck `json:"checks"`
}

// SyncCheck is what one directory answered.
type SyncCheck struct {
	Source string `json:"source"`
	OK     bool   `json:"ok"`
	Says   string `json:"says"`
}

// Progress is how far a long call is.
type Progress struct {
	Step  string `json:"step,omitempty"`
	Done  int64  `json:"done"`
	Total int64  `json:"total,omitempty"`
}
