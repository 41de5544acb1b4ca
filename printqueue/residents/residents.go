package residents

import (
	"fmt"
	"log/slog"
	"time"
)

// The programs that run in people's sessions.
const (
	residentName = "platen"
	windowName   = "platen-window"
)

// How long programs may take, and how often it is looked.
const (
	patience     = 10 * time.Second // to end in good order
	killPatience = 3 * time.Second  // to be gone after they were ended
	look         = 50 * time.Millisecond
)

// Report says what was done.
type Report struct {
	Found     int `json:"found"`     // programs of this installation that ran in sessions
	Started   int `json:"started"`   // in sessions where there was none
	Restarted int `json:"restarted"` // that go on as what is installed now
	Ended     int `json:"ended"`     // in good order
	Killed    int `json:"killed"`    // that did not end by themselves
	Accounts  int `json:"accounts"`  // people who are not logged on and of whom something was removed
	// Skipped names what was left alone on purpose: "/home/alex: on a network file system (nfs4)".
	Skipped []string `json:"skipped,omitempty"`
	// Problems says what did not work.
	Problems []string `json:"problems,omitempty"`
}

func (r *Report) problem(what string, err error) {
	r.Problems = append(r.Problems, fmt.Sprintf("%s: %v", what, err))
}

// Options say whose residents.
type Options struct {
	Dir      string        // the folder of the programs, absolute and without links
	State    string        // the service's own folder (printqueue/statedir)
	Log      *slog.Logger  // nil: none
	Patience time.Duration // 10 s if zero
}

// Clients are the programs of one installation in all sessions.
type Clients struct {
	o      Options
	system system
}

// New returns the programs in a folder.
func New(o Options) *Clients {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Patience <= 0 {
		o.Patience = patience
	}
	return &Clients{o: o, system: newSystem(o)}
}

// Find returns the programs of the installation that this program belongs to.
func Find(o Options) (*Clients, error) {
	dir, err := programs()
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	return New(o), nil
}
