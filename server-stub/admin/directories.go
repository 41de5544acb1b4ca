package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// chosen are the directories a call is about.
func (s *Server) chosen(source string) ([]core.SourceID, error) {
	ids := s.Directories.IDs()
	switch {
	case source != "" && slices.Contains(ids, core.SourceID(source)):
		return []core.SourceID{core.SourceID(source)}, nil
	case source != "":
		return nil, fmt.Errorf("%w: there is no directory %q in the configuration", core.ErrNotFound, source)
	case len(ids) == 0:
		return nil, fmt.Errorf("%w: no directory is configured; write `directories:` into the configuration file", core.ErrNotFound)
	}
	return ids, nil
}

func (s *Server) syncRun(ctx context.Context, in SyncRef, progress func(Progress)) (SyncRuns, error) {
	ids, err := s.chosen(in.Source)
	if err != nil {
		return SyncRuns{}, err
	}
	out := SyncRuns{Runs: []SyncRun{}}
	for i, id := range ids {
		progress(Progress{Step: string(id), Done: int64(i), Total: int64(len(ids))})
		run, err := s.Directories.Sync(ctx, id, in.Approve)
		if err != nil && run.Outcome == "" {
			return SyncRuns{}, err
		}
		out.Runs = append(out.Runs, syncRun(run)) // a run that failed says so itself
	}
	return out, nil
}

func (s *Server) syncRuns(ctx context.Context, in SyncRef) (SyncRuns, error) {
	ids, err := s.chosen(in.Source)
	if err != nil {
		return SyncRuns{}, err
	}
	limit := in.Limit
	if limit <= 0 || limit > 100 {
		limit = 10
	}
	out := SyncRuns{}
	err = s.Store.View(ctx, func(tx store.Tx) error {
		out.Runs = []SyncRun{}
		for _, id := range ids {
			runs, err := tx.SyncRuns(ctx, id, limit)
			if err != nil {
				return err
			}
			for _, r := range runs {
				out.Runs = append(out.Runs, syncRun(r))
			}
		}
		return nil
	})
	return out, err
}

func (s *Server) syncCheck(ctx context.Context, in SyncRef) (SyncChecks, error) {
	ids, err := s.chosen(in.Source)
	if err != nil {
		return SyncChecks{}, err
	}
	out := SyncChecks{Checks: []SyncCheck{}}
	for _, id := range ids {
		says, err := s.Directories.Check(ctx, id)
		if err != nil {
			says = err.Error()
		}
		out.Checks = append(out.Checks, SyncCheck{Source: string(id), OK: err == nil, Says: says})
	}
	return out, nil
}

func syncRun(r core.SyncRun) SyncRun {
	return SyncRun{
		ID: r.ID, Source: string(r.Source), StartedAt: r.StartedAt, FinishedAt: optionalTime(r.FinishedAt), Outcome: r.Outcome, Read: r.Read,
		Created: r.Created, Updated: r.Updated, Renamed: r.Renamed, Disabled: r.Disabled, Restored: r.Restored, Conflicts: r.Conflicts, Message: r.Message,
	}
}
