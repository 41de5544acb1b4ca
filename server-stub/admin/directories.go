package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

func (s *Server) directoryRoutes() {
	on(s, VerbSyncList, s.syncList)
	on(s, VerbSyncShow, s.syncShow)
	on(s, VerbSyncAdd, s.syncAdd)
	on(s, VerbSyncSet, s.syncSet)
	on(s, VerbSyncRemove, s.syncRemove)
	on(s, VerbSyncSchedule, s.syncSchedule)
	on(s, VerbSyncCheck, s.syncCheck)
	onStream(s, VerbSyncPlan, s.syncPlan)
	onLong(s, VerbSyncRun, s.syncRun)
	onLong(s, VerbSyncUndo, s.syncUndo)
	on(s, VerbSyncRuns, s.syncRuns)
	onLong(s, VerbSyncWhy, s.syncWhy)
}

// chosen are the directories a call is about.
func (s *Server) chosen(source string) ([]core.SourceID, error) {
	ids := s.Directories.IDs()
	switch {
	case source != "" && slices.Contains(ids, core.SourceID(source)):
		return []core.SourceID{core.SourceID(source)}, nil
	case source != "":
		return nil, fmt.Errorf("%w: there is no directory %q; platen-server sync list shows those there are", core.ErrNotFound, source)
	case len(ids) == 0:
		return nil, fmt.Errorf("%w: there is no directory yet; add one with: platen-server sync add", core.ErrNotFound)
	}
	return ids, nil
}

// one is the directory a call is about: the only one when it names none.
func (s *Server) one(source string) (core.SourceID, error) {
	ids, err := s.chosen(source)
	if err == nil && len(ids) > 1 {
		return "", invalid("say which directory: %s", join(ids))
	}
	if err != nil {
		return "", err
	}
	return ids[0], nil
}

func join(ids []core.SourceID) string {
	text := ""
	for i, id := range ids {
		if i > 0 {
			text += ", "
		}
		text += string(id)
	}
	return text
}

func (s *Server) syncList(ctx context.Context, _ Nothing) (DirectoryList, error) {
	list, err := s.Directories.List(ctx)
	return DirectoryList{list}, err
}

func (s *Server) syncShow(ctx context.Context, in DirectoryRef) (Directory, error) {
	id, err := s.one(in.ID)
	if err != nil {
		return Directory{}, err
	}
	return s.Directories.Show(ctx, id)
}

func (s *Server) syncAdd(ctx context.Context, in DirectoryAdd) (DirectoryAdded, error) {
	return s.Directories.Add(ctx, actor, in)
}

func (s *Server) syncSet(ctx context.Context, in DirectorySet) (DirectoryAdded, error) {
	return s.Directories.Set(ctx, actor, in)
}

func (s *Server) syncRemove(ctx context.Context, in DirectoryRef) (Count, error) {
	n, err := s.Directories.Remove(ctx, actor, core.SourceID(in.ID))
	return Count{n}, err
}

func (s *Server) syncSchedule(ctx context.Context, in DirectorySchedule) (Directory, error) {
	id, err := s.one(in.ID)
	if err != nil {
		return Directory{}, err
	}
	in.ID = string(id)
	return s.Directories.Schedule(ctx, actor, in)
}

func (s *Server) syncPlan(ctx context.Context, in SyncPlan, progress func(Progress), item func(any) error) (PlanHead, error) {
	plan := in.ID
	if plan == "" {
		id, err := s.one(in.Source)
		if err != nil {
			return PlanHead{}, err
		}
		progress(Progress{Step: "reading " + string(id)})
		head, err := s.Directories.Plan(ctx, id, in.Full)
		if err != nil {
			return PlanHead{}, err
		}
		plan = head.ID
	}
	return s.Directories.Changes(ctx, plan, func(c dirsync.Change) error { return item(PlanChange{c, words(c)}) })
}

func (s *Server) syncRun(ctx context.Context, in SyncRef, progress func(Progress)) (SyncRuns, error) {
	var ids []core.SourceID
	var err error
	if in.Plan != "" {
		var id core.SourceID
		id, err = s.planned(ctx, in)
		ids = []core.SourceID{id}
	} else {
		ids, err = s.chosen(in.Source)
	}
	if err != nil {
		return SyncRuns{}, err
	}
	out := SyncRuns{Runs: []SyncRun{}}
	for i, id := range ids {
		progress(Progress{Step: "reading " + string(id), Done: int64(i), Total: int64(len(ids))})
		run, err := s.Directories.Apply(ctx, actor, id, in.Plan, in.Reason)
		if errors.Is(err, ErrSends) && len(ids) > 1 { // nobody asked for this one
			continue
		}
		if err != nil && run.Outcome == "" {
			return SyncRuns{}, err
		}
		out.Runs = append(out.Runs, syncRun(run)) // a run that failed says so itself
	}
	return out, nil
}

// planned is the directory of the plan, which the call may name too.
func (s *Server) planned(ctx context.Context, in SyncRef) (core.SourceID, error) {
	stop := errors.New("only the head is wanted")
	head, err := s.Directories.Changes(ctx, in.Plan, func(dirsync.Change) error { return stop })
	if err != nil && !errors.Is(err, stop) {
		return "", err
	}
	if in.Source != "" && core.SourceID(in.Source) != head.Source {
		return "", invalid("the plan %s is of the directory %s", in.Plan, head.Source)
	}
	return head.Source, nil
}

func (s *Server) syncUndo(ctx context.Context, in SyncUndo, progress func(Progress)) (SyncRun, error) {
	var run core.SyncRun
	err := s.Store.View(ctx, func(tx store.Tx) (err error) {
		run, err = tx.SyncRun(ctx, in.Run)
		return err
	})
	if errors.Is(err, core.ErrNotFound) {
		return SyncRun{}, fmt.Errorf("%w: there is no run %d; platen-server sync runs shows them", core.ErrNotFound, in.Run)
	}
	if err != nil {
		return SyncRun{}, err
	}
	progress(Progress{Step: fmt.Sprintf("taking back run %d of %s", run.ID, run.Source)})
	undo, err := s.Directories.Undo(ctx, run.Source, in.Run, in.Reason)
	if err != nil && undo.Outcome == "" {
		return SyncRun{}, err
	}
	return syncRun(undo), nil
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

// kindsOfRuns are the words for them.
var kindsOfRuns = map[core.RunKind]string{
	core.RunFull: "everything", core.RunChanges: "changes", core.RunPush: "sent", core.RunUndo: "undo", core.RunRename: "rename",
}

func syncRun(r core.SyncRun) SyncRun {
	return SyncRun{
		ID: r.ID, Source: string(r.Source), Kind: kindsOfRuns[r.Kind], StartedAt: r.StartedAt, FinishedAt: optionalTime(r.FinishedAt), Outcome: r.Outcome, Read: r.Read,
		Created: r.Created, Updated: r.Updated, Renamed: r.Renamed, Disabled: r.Disabled, Restored: r.Restored, Conflicts: r.Conflicts, Message: r.Message,
		PlanID: r.PlanID, UndoneBy: r.UndoneBy, Undoes: r.Undoes,
	}
}

func (s *Server) syncWhy(ctx context.Context, in SyncWhyAsk, progress func(Progress)) (SyncWhy, error) {
	out := SyncWhy{Records: []WhyRecord{}, Runs: []WhyRun{}}
	var only core.SourceID
	if in.Source != "" {
		ids, err := s.chosen(in.Source)
		if err != nil {
			return out, err
		}
		only = ids[0]
	}
	var keys []core.ExternalIdentity
	u, err := s.Users.Find(ctx, in.Person)
	switch {
	case errors.Is(err, core.ErrNotFound):
	case err != nil:
		return out, err
	default:
		d, err := s.userShow(ctx, UserRef{User: fmt.Sprintf("id:%d", u.ID)})
		if err != nil {
			return out, err
		}
		out.User = &d
		if keys, out.Runs, err = s.changedBy(ctx, u.ID); err != nil {
			return out, err
		}
	}
	progress(Progress{Step: "asking the directories"})
	out.Records, err = s.Directories.Records(ctx, only, keys, in.Person)
	return out, err
}

// changedBy returns a person's identities in directories, and the runs that changed the person.
func (s *Server) changedBy(ctx context.Context, id core.UserID) (keys []core.ExternalIdentity, runs []WhyRun, err error) {
	err = s.Store.View(ctx, func(tx store.Tx) error {
		runs = []WhyRun{}
		if keys, err = tx.UserIdentities(ctx, id); err != nil {
			return err
		}
		rows, err := tx.UserJournal(ctx, id)
		if err != nil {
			return err
		}
		seen := map[int64]bool{}
		for _, row := range rows {
			if seen[row.Run] {
				continue
			}
			seen[row.Run] = true
			run, err := tx.SyncRun(ctx, row.Run)
			if err != nil {
				return err
			}
			runs = append(runs, WhyRun{ID: run.ID, Source: string(run.Source), At: row.At, Kind: kindsOfRuns[run.Kind], Outcome: run.Outcome})
		}
		return nil
	})
	return keys, runs, err
}

func words(c dirsync.Change) string {
	if w, ok := any(c).(interface{ Words() string }); ok {
		return w.Words()
	}
	return ""
}
