package admin

import "time"

// The verbs of directories, beside those of types.go.
const (
	VerbSyncList     = "sync.list"
	VerbSyncShow     = "sync.show"
	VerbSyncAdd      = "sync.add"
	VerbSyncSet      = "sync.set"
	VerbSyncRemove   = "sync.remove"
	VerbSyncSchedule = "sync.schedule"
)

// Directory is one directory, and how it stands.
type Directory struct {
	ID   string `json:"id"`
	Type string `json:"type"` // csv, ldap, entra, google or scim
	// Origin is where it can be changed: file and line of the configuration, or "command line".
	Origin string `json:"origin"`
	// Settings are its keys as the configuration file has them, without secrets.
	Settings string   `json:"settings,omitempty"`
	Secrets  []string `json:"secrets,omitempty"` // the names of those that are kept
	Every    string   `json:"every"`             // "1h0m0s", "by hand", or "sends by itself"
	People   int      `json:"people"`            // living ones

	PausedAt    *time.Time `json:"paused_at,omitempty"`
	PausedWhy   string     `json:"paused_why,omitempty"`
	LastAttempt *time.Time `json:"last_attempt,omitempty"`
	LastSuccess *time.Time `json:"last_success,omitempty"` // what is known is at least that fresh
	LastFull    *time.Time `json:"last_full,omitempty"`
	NextRun     *time.Time `json:"next_run,omitempty"`
	Failures    int        `json:"failures,omitempty"`
	Problem     string     `json:"problem,omitempty"`
	Brake       string     `json:"brake,omitempty"`
	Scope       string     `json:"scope,omitempty"`
	TenantURL   string     `json:"tenant_url,omitempty"` // of a scim directory
	Told        string     `json:"told,omitempty"`       // who hears of failures, or why nobody does
	Expiries    []Expiry   `json:"expiries,omitempty"`
	// Unknown says why it is not known when its secrets end.
	Unknown string `json:"expiries_unknown,omitempty"`
}

// Expiry is something that ends and must be renewed before.
type Expiry struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
	Days int       `json:"days"` // until then; negative: since then
}

// Directories lists them.
type DirectoryList struct {
	Directories []Directory `json:"directories"`
}

// DirectoryRef names one.
type DirectoryRef struct {
	ID string `json:"id"`
}

// DirectoryAdd adds one. Nothing is kept when it does not answer.
type DirectoryAdd struct {
	ID      string            `json:"id"`
	Type    string            `json:"type"`
	Set     []string          `json:"set,omitempty"` // KEY=VALUE, as the configuration file has them
	Secrets map[string]string `json:"secrets,omitempty"`
	// Untested keeps it although it does not answer.
	Untested bool `json:"untested,omitempty"`
}

// DirectoryAdded is one that was added or changed.
type DirectoryAdded struct {
	Directory Directory `json:"directory"`
	Says      string    `json:"says,omitempty"`  // what it answered
	Token     string    `json:"token,omitempty"` // of a scim directory, shown this once
	Note      string    `json:"note,omitempty"`  // what is not so before something else happens
}

// DirectorySet changes one.
type DirectorySet struct {
	ID       string            `json:"id"`
	Set      []string          `json:"set,omitempty"`
	Secrets  map[string]string `json:"secrets,omitempty"` // "" takes one away
	Untested bool              `json:"untested,omitempty"`
}

// DirectorySchedule says when one is synchronised. One of Every, Manual, Pause and Resume is set, or none to ask.
type DirectorySchedule struct {
	ID     string `json:"id"`
	Every  string `json:"every,omitempty"` // "30m"
	Manual bool   `json:"manual,omitempty"`
	Pause  string `json:"pause,omitempty"` // why
	Resume bool   `json:"resume,omitempty"`
}
