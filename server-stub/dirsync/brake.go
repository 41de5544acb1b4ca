package dirsync

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Brake says how much one run may change without an administrator's approval. The zero value has the defaults.
type Brake struct {
	// Disabled is the most people, in percent of the source's living ones, that a run may disable or soft-delete: 5. The same
	// share holds for the direct members of each group.
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

// tally is what the brake is held against.
type tally struct {
	people   int // living people of the source before
	disabled int // disabled and soft-deleted
	renamed  int // other usernames and UPNs, and ids that take another's place
}

// check returns a *StoppedError when that goes too far.
func (b Brake) check(t tally) error {
	b = b.withDefaults()
	if limit := max(b.Floor, t.people*b.Disabled/100); t.disabled > limit {
		return stopped("disable", t.disabled, t.people, limit)
	}
	if limit := max(b.Floor, t.people*b.Renamed/100); t.renamed > limit {
		return stopped("change the username or id of", t.renamed, t.people, limit)
	}
	return nil
}

func stopped(what string, n, people, limit int) error {
	return &StoppedError{Message: fmt.Sprintf("stopped before changing anything: the run would %s %d of %d people, more than the %d that are allowed unasked; "+
		"look whether the source still lists everybody (its filter, base or file), and if the change is right, run it again with an approval that says why", what, n, people, limit)}
}

// checkGroups holds the brake against each group's direct members. leaving are the keys of the people who are disabled or deleted.
func (b Brake) checkGroups(ctx context.Context, tx store.Tx, source core.SourceID, leaving []store.Key) error {
	b = b.withDefaults()
	if len(leaving) <= b.Floor {
		return nil
	}
	counts, groups := map[int64]int{}, map[int64]core.Group{}
	var order []int64
	if err := tx.ParentGroups(ctx, source, leaving, func(_ store.Key, g core.Group) {
		if counts[g.ID]++; counts[g.ID] == 1 {
			groups[g.ID] = g
			order = append(order, g.ID)
		}
	}); err != nil {
		return fmt.Errorf("look up the groups of who leaves source %q: %w", source, err)
	}
	for _, id := range order {
		if counts[id] <= b.Floor {
			continue
		}
		members, err := tx.GroupMembers(ctx, id)
		if err != nil {
			return fmt.Errorf("count the members of group %q: %w", groups[id].Name, err)
		}
		if limit := max(b.Floor, len(members)*b.Disabled/100); counts[id] > limit {
			return &StoppedError{Message: fmt.Sprintf("stopped before changing anything: the run would disable %d of %d members of the group %q, more than the %d "+
				"that are allowed unasked; look whether the source still lists them, and if the change is right, run it again with an approval that says why",
				counts[id], len(members), groups[id].Name, limit)}
		}
	}
	return nil
}

// brake holds the brake of the listing's settings against what a job came to.
func (j *job) brake() error {
	b := j.l.settings.Brake
	if err := b.check(tally{people: j.people, disabled: j.counts.Disabled + j.counts.Deleted, renamed: j.counts.Renamed + j.rekeys}); err != nil {
		return err
	}
	if err := b.checkGroups(j.ctx, j.tx, j.l.source, j.leaving); err != nil || j.write == nil {
		return err
	}
	return j.drip()
}
