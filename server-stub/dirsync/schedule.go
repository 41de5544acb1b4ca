package dirsync

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// State tells how a source stands: how fresh what is known of it is, what went wrong, whether its clock is paused.
func (s *Syncer) State(ctx context.Context, source core.SourceID) (core.SourceState, error) {
	var st core.SourceState
	err := s.store.View(ctx, func(tx store.Tx) (err error) {
		st, err = tx.SourceState(ctx, source)
		return err
	})
	if err != nil {
		return core.SourceState{}, fmt.Errorf("read how source %q stands: %w", source, err)
	}
	return st, nil
}

// Pause keeps the clock from running the source. Run, Plan and Apply still work.
func (s *Syncer) Pause(ctx context.Context, source core.SourceID, why string) error {
	return s.setState(ctx, source, func(st *core.SourceState) { st.PausedAt, st.PausedWhy = s.now(), clean(why) })
}

// Resume lets the clock run the source again.
func (s *Syncer) Resume(ctx context.Context, source core.SourceID) error {
	return s.setState(ctx, source, func(st *core.SourceState) { st.PausedAt, st.PausedWhy = time.Time{}, "" })
}

func (s *Syncer) setState(ctx context.Context, source core.SourceID, set func(*core.SourceState)) error {
	err := s.store.Update(ctx, func(tx store.Tx) error {
		st, err := tx.SourceState(ctx, source)
		if err != nil {
			return err
		}
		set(&st)
		return tx.PutSourceState(ctx, st)
	})
	if err != nil {
		return fmt.Errorf("change how source %q stands: %w", source, err)
	}
	return nil
}
