package dirsync

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Forget forgets what waits for a source that is removed: its plans, and how far it was read. Another directory may get its id, and
// a plan of this one must not be applied to the people of that. The people stay, and so do the runs.
func Forget(ctx context.Context, tx store.Tx, source core.SourceID) error {
	plans, err := tx.Plans(ctx, source)
	if err != nil {
		return fmt.Errorf("forget the plans of source %q: %w", source, err)
	}
	for _, p := range plans {
		if err := tx.DeletePlan(ctx, p.ID); err != nil {
			return fmt.Errorf("forget the plans of source %q: %w", source, err)
		}
	}
	st, err := tx.SourceState(ctx, source)
	if err != nil || st.Bookmark == nil {
		return err
	}
	st.Bookmark = nil
	return tx.PutSourceState(ctx, st)
}
