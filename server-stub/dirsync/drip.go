package dirsync

import (
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
)

// The brake holds for one run. Many runs that each stay below it are told: they add up over dripWindow, of dripRuns at most, which
// is a run a minute.
const (
	dripWindow = 24 * time.Hour
	dripRuns   = 1500
)

// drip says so in the log and the run's message where this run and the others of a day disabled more people together than one of them may
// unasked. Nothing is stopped: that many may leave, but somebody should look. Runs that were undone do not count, nor those before
// an approval.
func (j *job) drip() error {
	disabled := j.counts.Disabled + j.counts.Deleted
	if disabled == 0 {
		return nil
	}
	recent, err := j.tx.SyncRuns(j.ctx, j.l.source, dripRuns)
	if err != nil {
		return fmt.Errorf("look at the runs of the day of source %q: %w", j.l.source, err)
	}
	all, runs := disabled, 1
	for _, r := range recent {
		if j.now.Sub(r.StartedAt) >= dripWindow || r.PlanID != "" && r.Outcome == OutcomeOK {
			break
		}
		if r.ID != j.write.run && (r.Kind == core.RunFull || r.Kind == core.RunChanges) && r.Outcome == OutcomeOK && r.UndoneBy == 0 && r.Disabled > 0 {
			all, runs = all+r.Disabled, runs+1
		}
	}
	b := j.l.settings.Brake.withDefaults()
	people := j.people + all - disabled
	if limit := max(b.Floor, people*b.Disabled/100); runs > 1 && all > limit {
		told := fmt.Sprintf("%d runs disabled %d of %d people in 24 hours, more than the %d that one run may unasked: look whether the source still lists everybody",
			runs, all, people, limit)
		j.s.cfg.Logger.WarnContext(j.ctx, "many people were disabled in small steps", "source", j.l.source, "runs", runs, "disabled", all, "people", people)
		j.lines = append([]string{told}, j.lines...)
	}
	return nil
}
