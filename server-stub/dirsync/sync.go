package dirsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
)

// The outcomes of a run.
const (
	OutcomeOK      = "ok"
	OutcomeStopped = "stopped" // by the brake
	OutcomeFailed  = "failed"
	// OutcomeApproved is no run: from then on what a directory sends by itself may pass the brake for an hour.
	OutcomeApproved = "approved"
)

// shownConflicts is how many conflicts a run's message lists.
const shownConflicts = 20

// finishTimeout is how long the record of a failed run may take to be written after the run's own context ended.
const finishTimeout = 10 * time.Second

// Config has what a Syncer needs beside its store.
type Config struct {
	Logger *slog.Logger
	// Keys seal plans, journals and bookmarks. Nil: a key that is forgotten with the Syncer.
	Keys *keys.Keys
	// Credentials keeps cards, codes and PINs; nil leaves them alone.
	Credentials Credentials
	// Notify hands over what people should be told; nil tells nobody.
	Notify Notify
	// OnChange is called after the commit for each user that a run changed, created or deleted, so that streams, caches
	// and sessions can follow. May be nil.
	OnChange func(core.UserID)
	// OnFailure is called after each run that failed or was stopped. May be nil.
	OnFailure func(core.SyncRun)
}

// Syncer runs synchronisations. Safe for concurrent use; one source is never run twice at the same time.
type Syncer struct {
	store store.Store
	now   clock.Clock
	cfg   Config
	seals seals

	mu      sync.Mutex
	running map[core.SourceID]bool
}

// New returns a Syncer.
func New(s store.Store, now clock.Clock, cfg Config) *Syncer {
	// What was written is compared with what the store gives back: in UTC, to the microsecond.
	kept := func() time.Time { return now().UTC().Truncate(time.Microsecond) }
	return &Syncer{store: s, now: kept, cfg: cfg, seals: newSeals(cfg.Keys), running: map[core.SourceID]bool{}}
}

// Run makes the people and groups of the source what the source lists: what changed since the last time where the source can
// tell, else everything; once a day, and with Full, everything is compared. The returned run is filled in any case and kept in the
// store (unless the store itself fails). The error is nil for outcome "ok", a *StoppedError for "stopped" (the run's PlanID is what
// Apply takes then), and says what went wrong for "failed": core.ErrConflict when the source is already being synchronised.
func (s *Syncer) Run(ctx context.Context, source directory.Source, settings Settings) (core.SyncRun, error) {
	return s.sync(ctx, source, settings, "")
}

func (s *Syncer) sync(ctx context.Context, source directory.Source, settings Settings, approve string) (core.SyncRun, error) {
	id := source.ID()
	if !s.begin(id) {
		return core.SyncRun{}, fmt.Errorf("%w: source %q is being synchronised already", core.ErrConflict, id)
	}
	defer s.end(id)
	run, err := s.record(ctx, core.SyncRun{Source: id, StartedAt: s.now()})
	if err != nil {
		return run, fmt.Errorf("note the start of synchronising source %q: %w", id, err)
	}
	l, err := s.read(ctx, source, settings, &run.Kind)
	if err != nil {
		return s.fail(ctx, run, err)
	}
	run.Read, run.Kind = l.read, l.kind()
	return s.carryOut(ctx, l, run, approve)
}

// carryOut executes a listing and ends the run.
func (s *Syncer) carryOut(ctx context.Context, l *listing, run core.SyncRun, approve string) (core.SyncRun, error) {
	changed, err := s.execute(ctx, l, &run, approve)
	if stopped, ok := errors.AsType[*StoppedError](err); ok && run.PlanID == "" {
		run.PlanID, err = s.keepStopped(ctx, l, run, stopped)
	}
	if err != nil {
		return s.fail(ctx, run, err)
	}
	s.cfg.Logger.InfoContext(ctx, "directory synchronised", "source", run.Source, "kind", string(run.Kind), "read", run.Read, "created", run.Created,
		"updated", run.Updated, "renamed", run.Renamed, "disabled", run.Disabled, "restored", run.Restored, "conflicts", run.Conflicts)
	s.tellChanged(changed)
	return run, nil
}

func (s *Syncer) tellChanged(changed []core.UserID) {
	if s.cfg.OnChange == nil {
		return
	}
	told := make(map[core.UserID]bool, len(changed))
	for _, id := range changed {
		if !told[id] {
			told[id] = true
			s.cfg.OnChange(id)
		}
	}
}

// execute does the work of a listing and fills run. It returns the users that changed, after the commit.
func (s *Syncer) execute(ctx context.Context, l *listing, run *core.SyncRun, approve string) (changed []core.UserID, err error) {
	// Most runs change nothing, and one that the brake stops must not: they are planned on a snapshot that keeps no writer waiting.
	// The first one of a source, and a few changes, are not worth looking twice.
	quiet := false
	pending := l.pending
	if !l.first && (l.complete || l.people.n > chunkSize) {
		if quiet, pending, err = s.look(ctx, l, run, approve); err != nil {
			return nil, err
		}
	}
	var finished core.SyncRun
	err = s.store.Update(ctx, func(tx store.Tx) error {
		finished, changed = *run, nil
		if !quiet {
			j := s.newJob(ctx, tx, l)
			j.writes(run.ID)
			if err := j.run(); err != nil {
				return err
			}
			if approve == "" {
				if err := j.brake(); err != nil {
					return err
				}
			}
			if _, err := j.write.groups(l); err != nil {
				return err
			}
			j.tell(&finished, approve)
			changed, pending = j.write.changed, j.leftOut()
		}
		finished.Outcome, finished.FinishedAt = OutcomeOK, s.now()
		if err := s.succeeded(ctx, tx, l, finished, pending); err != nil {
			return err
		}
		return tx.UpdateSyncRun(ctx, finished)
	})
	if err != nil {
		if _, ok := errors.AsType[*StoppedError](err); ok {
			return nil, err
		}
		return nil, fmt.Errorf("store what source %q lists: %w", l.source, err)
	}
	*run = finished
	return changed, nil
}

// look plans on a snapshot, fills run, and tells whether there is nothing to write, and which records were left out.
func (s *Syncer) look(ctx context.Context, l *listing, run *core.SyncRun, approve string) (quiet bool, pending []directory.Key, err error) {
	looked := *run
	err = s.store.View(ctx, func(tx store.Tx) error {
		j := s.newJob(ctx, tx, l)
		if err := j.run(); err != nil {
			return err
		}
		looked = *run
		j.tell(&looked, approve)
		quiet, pending = j.nothing(), j.leftOut()
		if approve == "" {
			return j.brake()
		}
		return nil
	})
	*run = looked
	if err != nil {
		if _, ok := errors.AsType[*StoppedError](err); ok {
			return false, nil, err
		}
		return false, nil, fmt.Errorf("compare with source %q: %w", l.source, err)
	}
	return quiet, pending, nil
}

// leftOut are the records to look at again.
func (j *job) leftOut() []directory.Key {
	list := slices.Concat(j.l.pending, j.pending)
	slices.SortFunc(list, compareKeys)
	list = slices.Compact(list)
	return list[:min(len(list), mostPending)]
}

// tell fills the counters and the message.
func (j *job) tell(run *core.SyncRun, approve string) {
	run.Read = j.l.read
	run.Created, run.Renamed, run.Restored = j.counts.Created, j.counts.Renamed, j.counts.Restored
	run.Updated = j.counts.Updated + j.counts.Enabled + j.counts.Linked
	run.Disabled, run.Conflicts = j.counts.Disabled+j.counts.Deleted, j.counts.Conflicts
	var lines []string
	if approve != "" {
		lines = append(lines, "approved: "+clean(approve))
	}
	lines = append(lines, j.lines...)
	if more := j.counts.Conflicts - shownConflicts; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	run.Message = strings.Join(lines, "\n")
}

// succeeded notes how the source stands after a run that went well.
func (s *Syncer) succeeded(ctx context.Context, tx store.Tx, l *listing, run core.SyncRun, pending []directory.Key) error {
	st, err := tx.SourceState(ctx, l.source)
	if err != nil {
		return err
	}
	st.LastSuccess, st.Failures, st.Problem = run.StartedAt, 0, ""
	if l.complete {
		if l.compared {
			st.LastFull = run.StartedAt
		}
		st.Bookmark = s.sealBookmark(l.source, l.settings, l.bookmark, pending)
	} else if l.bookmark != nil {
		st.Bookmark = s.sealBookmark(l.source, l.settings, l.bookmark, pending)
	}
	return tx.PutSourceState(ctx, st)
}

// fail notes why a run changed nothing, also when the run's context is over.
func (s *Syncer) fail(ctx context.Context, run core.SyncRun, cause error) (core.SyncRun, error) {
	run.Created, run.Updated, run.Renamed, run.Disabled, run.Restored = 0, 0, 0, 0, 0
	run.Outcome, run.Message, run.FinishedAt = OutcomeFailed, cause.Error(), s.now()
	if stopped, ok := errors.AsType[*StoppedError](cause); ok {
		run.Outcome, run.Message = OutcomeStopped, stopped.Message
		cause = stopped
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if err := s.store.Update(ctx, func(tx store.Tx) error {
		st, err := tx.SourceState(ctx, run.Source)
		if err != nil {
			return err
		}
		st.Failures, st.Problem = st.Failures+1, run.Message
		if err := tx.PutSourceState(ctx, st); err != nil {
			return err
		}
		return tx.UpdateSyncRun(ctx, run)
	}); err != nil {
		return run, errors.Join(cause, fmt.Errorf("note the end of synchronising source %q: %w", run.Source, err))
	}
	if s.cfg.OnFailure != nil {
		s.cfg.OnFailure(run)
	}
	return run, cause
}

// record stores a new run and closes one that a crash left open.
func (s *Syncer) record(ctx context.Context, run core.SyncRun) (core.SyncRun, error) {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		last, err := tx.SyncRuns(ctx, run.Source, 1)
		if err != nil {
			return err
		}
		if len(last) == 1 && last[0].FinishedAt.IsZero() && last[0].Kind != core.RunPush {
			last[0].Outcome, last[0].FinishedAt, last[0].Message = OutcomeFailed, run.StartedAt, "the server stopped during the run; nobody was changed"
			if err := tx.UpdateSyncRun(ctx, last[0]); err != nil {
				return err
			}
		}
		st, err := tx.SourceState(ctx, run.Source)
		if err != nil {
			return err
		}
		st.LastAttempt = run.StartedAt
		if err := tx.PutSourceState(ctx, st); err != nil {
			return err
		}
		run.ID, err = tx.CreateSyncRun(ctx, run)
		return err
	})
	return run, err
}

func (s *Syncer) begin(id core.SourceID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] {
		return false
	}
	s.running[id] = true
	return true
}

func (s *Syncer) end(id core.SourceID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, id)
}
