package dirsync

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// OnFailure is called after each run that failed or was stopped. May be nil.
	OnFailure func(core.SyncRun)
	// OnChange is called after the commit for each user that a run changed, created or deleted, so that streams, caches
	// and sessions can follow. May be nil.
	OnChange func(core.UserID)
}

// Syncer runs synchronisations. Safe for concurrent use; one source is never run twice at the same time.
type Syncer struct {
	store store.Store
	now   clock.Clock
	cfg   Config

	mu      sync.Mutex
	running map[core.SourceID]bool
}

// New returns a Syncer.
func New(s store.Store, now clock.Clock, cfg Config) *Syncer {
	return &Syncer{store: s, now: now, cfg: cfg, running: map[core.SourceID]bool{}}
}

// Options are for one run.
type Options struct {
	Brake Brake
	// Approve, when not empty, lets the run pass the brake and says why; it is kept with the run.
	Approve string
}

// Preview reads the source and returns what Sync would do, changing nothing.
func (s *Syncer) Preview(ctx context.Context, source directory.Source) (Plan, error) {
	records, err := readAll(ctx, source)
	if err != nil {
		return Plan{}, err
	}
	return s.plan(ctx, source.ID(), records)
}

// Sync makes the users of the source what the source lists. The returned run is filled in any case and kept in the store
// (unless the store itself fails). The error is nil for outcome "ok", a *StoppedError for "stopped", and says what went
// wrong for "failed": core.ErrConflict when the source is already being synchronised.
func (s *Syncer) Sync(ctx context.Context, source directory.Source, opts Options) (core.SyncRun, error) {
	if !s.begin(source.ID()) {
		return core.SyncRun{}, fmt.Errorf("%w: source %q is being synchronised already", core.ErrConflict, source.ID())
	}
	defer s.end(source.ID())
	run, err := s.record(ctx, core.SyncRun{Source: source.ID(), StartedAt: s.now()})
	if err != nil {
		return run, fmt.Errorf("note the start of synchronising source %q: %w", source.ID(), err)
	}
	changed, err := s.run(ctx, source, opts, &run)
	if err != nil {
		return s.fail(ctx, run, err)
	}
	s.cfg.Logger.Info("directory synchronised", "source", source.ID(), "read", run.Read, "created", run.Created, "updated", run.Updated,
		"renamed", run.Renamed, "disabled", run.Disabled, "restored", run.Restored, "conflicts", run.Conflicts)
	if s.cfg.OnChange != nil {
		for _, id := range changed {
			s.cfg.OnChange(id)
		}
	}
	return run, nil
}

// Follow synchronises at once and then every interval, until ctx ends. Failures are logged and tried again next time.
func (s *Syncer) Follow(ctx context.Context, source directory.Source, interval time.Duration, brake Brake) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if _, err := s.Sync(ctx, source, Options{Brake: brake}); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("directory not synchronised; nobody was changed", "source", source.ID(), "error", err)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// run does the work and fills run. It returns the users that changed, after the commit.
func (s *Syncer) run(ctx context.Context, source directory.Source, opts Options, run *core.SyncRun) ([]core.UserID, error) {
	records, err := readAll(ctx, source)
	run.Read = len(records)
	if err != nil {
		return nil, err
	}
	// Most runs change nothing: they are planned on a snapshot that keeps no writer waiting.
	p, err := s.plan(ctx, source.ID(), records)
	if err != nil {
		return nil, err
	}
	if err := brake(p, opts); err != nil {
		tell(run, p, opts)
		return nil, err
	}
	finished := *run
	var changed []core.UserID
	err = s.store.Update(ctx, func(tx store.Tx) error {
		finished, changed = *run, nil
		current := p
		if !p.Empty() {
			// Somebody may have changed something since: plan again on what is true now.
			state, err := loadState(ctx, tx, source.ID(), records)
			if err != nil {
				return err
			}
			current = plan(source.ID(), s.now(), state, records)
			if err := brake(current, opts); err != nil {
				return err
			}
			if changed, err = apply(ctx, tx, source.ID(), s.now(), current); err != nil {
				return err
			}
		}
		tell(&finished, current, opts)
		finished.Outcome, finished.FinishedAt = OutcomeOK, s.now()
		return tx.UpdateSyncRun(ctx, finished)
	})
	if err != nil {
		return nil, fmt.Errorf("store what source %q lists: %w", source.ID(), err)
	}
	*run = finished
	return changed, nil
}

func brake(p Plan, opts Options) error {
	if opts.Approve != "" {
		return nil
	}
	return opts.Brake.check(p)
}

func (s *Syncer) plan(ctx context.Context, source core.SourceID, records []wanted) (Plan, error) {
	var p Plan
	err := s.store.View(ctx, func(tx store.Tx) error {
		state, err := loadState(ctx, tx, source, records)
		if err != nil {
			return err
		}
		p = plan(source, s.now(), state, records)
		return nil
	})
	if err != nil {
		return Plan{}, fmt.Errorf("compare with source %q: %w", source, err)
	}
	return p, nil
}

// readAll reads the whole source. Without an error the records are everybody.
func readAll(ctx context.Context, source directory.Source) ([]wanted, error) {
	var records []directory.Record
	err := directory.People(ctx, source, func(r directory.Record) error {
		records = append(records, r)
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, fmt.Errorf("read source %q: %w", source.ID(), ctx.Err())
	case len(records) == 0:
		return nil, fmt.Errorf("%w: source %q lists nobody, which is never taken for \"everybody left\"; check its filter and base", core.ErrInvalid, source.ID())
	}
	return prepare(source.ID(), records), nil
}

// tell fills the counters and the message.
func tell(run *core.SyncRun, p Plan, opts Options) {
	run.Read = p.Read
	run.Created, run.Updated, run.Renamed = p.Count(ActionCreate), p.Count(ActionUpdate, ActionEnable), p.Count(ActionRename)
	run.Disabled, run.Restored, run.Conflicts = p.Count(ActionDisable, ActionDelete), p.Count(ActionRestore), len(p.Conflicts)
	var lines []string
	if opts.Approve != "" {
		lines = append(lines, "approved: "+clean(opts.Approve))
	}
	for i, c := range p.Conflicts {
		if i == shownConflicts {
			lines = append(lines, fmt.Sprintf("and %d more", len(p.Conflicts)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%s %s", clean(c.Where), c.Reason))
	}
	run.Message = strings.Join(lines, "\n")
}

// fail notes why a run changed nothing, also when the run's context is over.
func (s *Syncer) fail(ctx context.Context, run core.SyncRun, cause error) (core.SyncRun, error) {
	run.Outcome, run.Message, run.FinishedAt = OutcomeFailed, cause.Error(), s.now()
	if stopped, ok := errors.AsType[*StoppedError](cause); ok {
		run.Outcome, run.Message = OutcomeStopped, stopped.Message
		cause = stopped
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if err := s.store.Update(ctx, func(tx store.Tx) error { return tx.UpdateSyncRun(ctx, run) }); err != nil {
		return run, errors.Join(cause, fmt.Errorf("note the end of synchronising source %q: %w", run.Source, err))
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
		if len(last) == 1 && last[0].FinishedAt.IsZero() {
			last[0].Outcome, last[0].FinishedAt, last[0].Message = OutcomeFailed, run.StartedAt, "the server stopped during the run; nobody was changed"
			if err := tx.UpdateSyncRun(ctx, last[0]); err != nil {
				return err
			}
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
