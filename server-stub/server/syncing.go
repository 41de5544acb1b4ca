package server

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/admin"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/configured"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/schedule"
	"github.com/platenprint/platen/server-stub/store"
)

// settingsOf is how the engine synchronises a directory.
func settingsOf(e configured.Config) dirsync.Settings {
	return dirsync.Settings{
		Brake: dirsync.Brake(e.Brake), Scope: dirsync.Scope{Groups: e.Scope.Groups, Direct: e.Scope.Direct},
		Replaces: core.SourceID(e.Replaces), NoDelete: e.AutoDelete != nil && !*e.AutoDelete,
	}
}

// start gives the scheduler every directory.
func (d *directories) start() {
	for _, c := range d.all() {
		d.schedule.Set(d.job(c))
	}
}

// job is how the scheduler runs a directory.
func (d *directories) job(c *configuredSource) schedule.Job {
	interval := c.entry.Interval
	if c.entry.Manual || c.entry.Type == configured.TypeSCIM {
		interval = 0
	}
	return schedule.Job{
		Source: c.source, Interval: interval,
		Paused: func(ctx context.Context) bool {
			state, err := d.state(ctx, c.source.ID())
			return err == nil && !state.PausedAt.IsZero()
		},
		Run: func(ctx context.Context) error {
			_, err := d.run(ctx, c)
			if err != nil && ctx.Err() == nil {
				d.logger.ErrorContext(ctx, "directory not synchronised; nobody was changed", "source", string(c.source.ID()), "error", err)
			}
			return err
		},
	}
}

func (d *directories) state(ctx context.Context, id core.SourceID) (state core.SourceState, err error) {
	err = d.db.View(ctx, func(tx store.Tx) (err error) {
		state, err = tx.SourceState(ctx, id)
		return err
	})
	return state, err
}

// alone does something with a directory once nobody else does.
func alone[T any](ctx context.Context, d *directories, id core.SourceID, do func() (T, error)) (T, error) {
	d.mu.Lock()
	turn := d.turns[id]
	if turn == nil {
		turn = make(chan struct{}, 1)
		d.turns[id] = turn
	}
	d.mu.Unlock()
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case turn <- struct{}{}:
	}
	defer func() { <-turn }()
	return do()
}

// run synchronises a directory once, and tells who must hear of it.
func (d *directories) run(ctx context.Context, c *configuredSource) (core.SyncRun, error) {
	run, err := alone(ctx, d, c.source.ID(), func() (core.SyncRun, error) { return d.syncer.Run(ctx, c.source, settingsOf(c.entry)) })
	if ctx.Err() == nil { // else the server stops: no fault of the directory
		d.tellLogged(ctx, c)
	}
	return run, err
}

// read tells whether a directory can be read at all: one that sends by itself would only fail, and count as failing.
func read(c *configuredSource) error {
	if c.entry.Type != configured.TypeSCIM {
		return nil
	}
	return fmt.Errorf("directory %q: %w; platen-server sync log %s shows what it sent", c.source.ID(), admin.ErrSends, c.source.ID())
}

// Plan implements admin.Directories.
func (d *directories) Plan(ctx context.Context, id core.SourceID, full bool) (dirsync.PlanHead, error) {
	c, err := d.find(id)
	if err != nil {
		return dirsync.PlanHead{}, err
	}
	if err := read(c); err != nil {
		return dirsync.PlanHead{}, err
	}
	settings := settingsOf(c.entry)
	settings.Full = full
	return alone(ctx, d, id, func() (dirsync.PlanHead, error) { return d.syncer.Plan(ctx, c.source, settings) })
}

// Changes implements admin.Directories.
func (d *directories) Changes(ctx context.Context, plan string, yield func(dirsync.Change) error) (dirsync.PlanHead, error) {
	head, err := d.syncer.Head(ctx, plan)
	if err != nil {
		return head, err
	}
	return head, d.syncer.PlanChanges(ctx, plan, yield)
}

// Apply implements admin.Directories.
func (d *directories) Apply(ctx context.Context, actor string, id core.SourceID, plan, reason string) (core.SyncRun, error) {
	c, err := d.find(id)
	if err != nil {
		return core.SyncRun{}, err
	}
	var run core.SyncRun
	if plan == "" {
		if err := read(c); err != nil {
			return run, err
		}
		run, err = d.run(ctx, c)
	} else {
		run, err = alone(ctx, d, id, func() (core.SyncRun, error) { return d.syncer.Apply(ctx, id, plan, reason) })
		d.tellLogged(ctx, c)
	}
	if err == nil {
		err = d.applied(ctx, id)
	}
	return run, err
}

// applied lets the clock run a directory from its first synchronisation on.
func (d *directories) applied(ctx context.Context, id core.SourceID) error {
	first := false
	err := d.db.Update(ctx, func(tx store.Tx) error {
		state, err := tx.SourceState(ctx, id)
		if first = err == nil && !state.PausedAt.IsZero() && state.PausedWhy == notYetApplied; !first {
			return err
		}
		return pause(ctx, tx, id, time.Time{}, "")
	})
	if err != nil {
		return fmt.Errorf("let the clock run directory %q: %w", id, err)
	}
	return nil
}

// Undo implements admin.Directories.
func (d *directories) Undo(ctx context.Context, id core.SourceID, run int64, reason string) (core.SyncRun, error) {
	return alone(ctx, d, id, func() (core.SyncRun, error) { return d.syncer.Undo(ctx, run, reason) })
}
