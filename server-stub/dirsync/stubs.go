package dirsync

import (
	"context"
	"errors"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// Run synchronises the source: what changed since the last time where the source can tell, else everything.
func (s *Syncer) Run(ctx context.Context, source directory.Source, settings Settings) (core.SyncRun, error) {
	return s.Sync(ctx, source, Options{Brake: settings.Brake})
}

// Plan reads everything and keeps what a run would do, for 7 days.
func (s *Syncer) Plan(ctx context.Context, source directory.Source, settings Settings) (PlanHead, error) {
	return PlanHead{}, errors.ErrUnsupported
}

// Head returns a kept plan in numbers, as things stand now.
func (s *Syncer) Head(ctx context.Context, id string) (PlanHead, error) {
	return PlanHead{}, errors.ErrUnsupported
}

// PlanChanges hands out what a kept plan would change as things stand now.
func (s *Syncer) PlanChanges(ctx context.Context, id string, yield func(Change) error) error {
	return errors.ErrUnsupported
}

// Apply applies exactly the listing of a kept plan. Passing the brake needs a reason.
func (s *Syncer) Apply(ctx context.Context, source core.SourceID, planID, reason string) (core.SyncRun, error) {
	return core.SyncRun{}, errors.ErrUnsupported
}

// Undo takes back what a run did, but for what somebody changed since, and pauses the source's clock.
func (s *Syncer) Undo(ctx context.Context, runID int64, reason string) (core.SyncRun, error) {
	return core.SyncRun{}, errors.ErrUnsupported
}

// Push takes in what a directory sent by itself, in one transaction. A *StoppedError says that the brake refused all of it.
func (s *Syncer) Push(ctx context.Context, source core.SourceID, settings Settings, set PushSet) (PushResult, error) {
	return PushResult{}, errors.ErrUnsupported
}

// State tells how a source stands.
func (s *Syncer) State(ctx context.Context, source core.SourceID) (core.SourceState, error) {
	return core.SourceState{}, errors.ErrUnsupported
}

// Pause keeps the clock from running the source.
func (s *Syncer) Pause(ctx context.Context, source core.SourceID, why string) error {
	return errors.ErrUnsupported
}

// Resume lets the clock run the source again.
func (s *Syncer) Resume(ctx context.Context, source core.SourceID) error {
	return errors.ErrUnsupported
}

// Purge forgets plans and journals that are over.
func (s *Syncer) Purge(ctx context.Context) error { return nil }
