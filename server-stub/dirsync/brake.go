package dirsync

import (
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

// Brake says how much one run may change without an administrator's approval. The zero value has the defaults.
type Brake struct {
	// Disabled is the most people, in percent of the source's living ones, that a run may disable or soft-delete: 5.
	Disabled int
	// Renamed is the same for usernames, UPNs and ids: 20.
	Renamed int
	// Floor is how many are always allowed, so that small sources are not stopped by two leavers: 10.
	Floor int
}

func (b Brake) withDefaults() Brake {
	if b.Disabled == 0 {
		b.Disabled = 5
	}
	if b.Renamed == 0 {
		b.Renamed = 20
	}
	if b.Floor == 0 {
		b.Floor = 10
	}
	return b
}

// StoppedError says that the brake stopped a run; nothing was changed. It is core.ErrConflict.
type StoppedError struct{ Message string }

func (e *StoppedError) Error() string { return e.Message }

// Is makes errors.Is(err, core.ErrConflict) true.
func (e *StoppedError) Is(target error) bool { return target == core.ErrConflict }

// check returns a *StoppedError when the plan goes too far.
func (b Brake) check(p Plan) error {
	b = b.withDefaults()
	disabled := p.Count(ActionDisable, ActionDelete)
	if limit := max(b.Floor, p.People*b.Disabled/100); disabled > limit {
		return stopped("disable", disabled, p.People, limit)
	}
	renamed := p.Count(ActionRename)
	for _, c := range p.Conflicts {
		if c.rekey {
			renamed++
		}
	}
	if limit := max(b.Floor, p.People*b.Renamed/100); renamed > limit {
		return stopped("change the username or id of", renamed, p.People, limit)
	}
	return nil
}

func stopped(what string, n, people, limit int) error {
	return &StoppedError{Message: fmt.Sprintf("stopped before changing anything: the run would %s %d of %d people, more than the %d that are allowed unasked; "+
		"look whether the source still lists everybody (its filter, base or file), and if the change is right, run it again with an approval that says why", what, n, people, limit)}
}
