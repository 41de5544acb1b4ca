package dirsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// pushWindow is over how long the brake adds up what a directory sent by itself; one run is kept for each pushRun.
const (
	pushWindow = 24 * time.Hour
	pushRun    = time.Hour
)

// Push takes in what a directory sent by itself, in one transaction: the same planning as for a reading, for few people. What the
// result says of each person is for the answer to the directory. A *StoppedError says that the brake refused all of it: what was
// pushed in the last 24 hours would disable or rename too many. The scope of the settings is the directory's own business here.
func (s *Syncer) Push(ctx context.Context, source core.SourceID, settings Settings, set PushSet) (PushResult, error) {
	l := s.pushed(source, settings, set)
	var result PushResult
	var changed []core.UserID
	err := s.store.Update(ctx, func(tx store.Tx) error {
		var err error
		if result, changed, err = s.push(ctx, tx, l, set); err != nil || set.Also == nil {
			return err
		}
		return set.Also(ctx, tx, result)
	})
	if err != nil {
		if stopped, ok := errors.AsType[*StoppedError](err); ok {
			return PushResult{}, s.refusePush(ctx, source, stopped)
		}
		return PushResult{}, fmt.Errorf("take in what source %q sent: %w", source, err)
	}
	s.tellChanged(changed)
	return result, nil
}

// pushed makes a listing of what was sent.
func (s *Syncer) pushed(source core.SourceID, settings Settings, set PushSet) *listing {
	l := &listing{source: source, settings: settings, pushed: true, read: len(set.People), gone: set.Gone}
	for i := range set.People {
		r := set.People[i]
		b := packRecord(make([]byte, recordHead, 512), &r)
		if r.Fingerprint == (directory.Fingerprint{}) {
			r.Fingerprint = fingerprintOf(b)
		}
		kept := s.seals.kept(r.Fingerprint)
		copy(b, kept[:])
		l.people.add(b)
	}
	for i := range set.Groups {
		g := set.Groups[i]
		g.Name, g.SID = clean(g.Name), clean(g.SID)
		l.groups.add(packGroup(nil, &g))
	}
	return l
}

// push does it in a transaction.
func (s *Syncer) push(ctx context.Context, tx store.Tx, l *listing, set PushSet) (PushResult, []core.UserID, error) {
	for _, k := range set.GroupsGone {
		g, err := tx.GroupByKey(ctx, l.source, store.Key(k))
		if err != nil {
			if isNotFound(err) {
				continue
			}
			return PushResult{}, nil, err
		}
		copied := *l // a transaction may be run again: the listing stays as it is
		copied.groupsGone = append(copied.groupsGone[:len(copied.groupsGone):len(copied.groupsGone)], g.ID)
		l = &copied
	}
	recent, err := recentPushes(ctx, tx, l.source, s.now())
	if err != nil {
		return PushResult{}, nil, err
	}
	run, err := s.pushRun(ctx, tx, l.source, recent)
	if err != nil {
		return PushResult{}, nil, err
	}
	result := PushResult{Run: run.ID}
	gone := map[core.UserID]bool{}
	j := s.newJob(ctx, tx, l)
	j.writes(run.ID)
	j.visit = func(o *outcome) error {
		if o.w.rec.Key == "" && o.person != nil && o.edit.has(ActionDelete) {
			gone[o.person.User.ID] = true
			return nil
		}
		p := Pushed{Key: keyOf(o.w.rec), User: o.edit.User.ID, Actions: o.edit.Actions, Refused: strings.Join(o.problems, "; ")}
		if o.person != nil {
			p.User = o.person.User.ID
		}
		result.People = append(result.People, p)
		return nil
	}
	if err := j.run(); err != nil {
		return PushResult{}, nil, err
	}
	if err := j.brakePushes(recent); err != nil {
		return PushResult{}, nil, err
	}
	if result.Groups, err = j.write.groups(l); err != nil {
		return PushResult{}, nil, err
	}
	if result.Gone, err = goneOf(ctx, tx, l, gone); err != nil {
		return PushResult{}, nil, err
	}
	j.addTo(&run)
	run.FinishedAt = s.now()
	if err := tx.UpdateSyncRun(ctx, run); err != nil {
		return PushResult{}, nil, err
	}
	return result, j.write.changed, s.fresh(ctx, tx, l.source)
}

// fresh notes that the source was heard of, at most once a minute: every push would write it.
func (s *Syncer) fresh(ctx context.Context, tx store.Tx, source core.SourceID) error {
	st, err := tx.SourceState(ctx, source)
	if err != nil {
		return err
	}
	now := s.now()
	if st.Problem == "" && now.Sub(st.LastSuccess) < time.Minute {
		return nil
	}
	st.LastAttempt, st.LastSuccess, st.Failures, st.Problem = now, now, 0, ""
	return tx.PutSourceState(ctx, st)
}

// goneOf says what became of the people who are gone.
func goneOf(ctx context.Context, tx store.Tx, l *listing, deleted map[core.UserID]bool) ([]Pushed, error) {
	list := make([]Pushed, len(l.gone))
	for i, k := range l.gone {
		list[i].Key = k
		id, err := tx.IdentityOwner(ctx, l.source, k.Kind, k.ID)
		switch {
		case err == nil:
			list[i].User = id
		case !isNotFound(err):
			return nil, err
		}
		if deleted[id] {
			list[i].Actions = []Action{ActionDelete}
		}
	}
	return list, nil
}

// recentPushes are the runs of the brake's window, newest first.
func recentPushes(ctx context.Context, tx store.Tx, source core.SourceID, now time.Time) (recent []core.SyncRun, err error) {
	runs, err := tx.SyncRuns(ctx, source, int(pushWindow/pushRun)+6)
	for _, r := range runs {
		if r.Kind == core.RunPush && now.Sub(r.StartedAt) < pushWindow {
			recent = append(recent, r)
		}
	}
	return recent, err
}

// pushRun returns the run that pushes of this hour belong to.
func (s *Syncer) pushRun(ctx context.Context, tx store.Tx, source core.SourceID, recent []core.SyncRun) (core.SyncRun, error) {
	now := s.now()
	for _, r := range recent {
		if r.Outcome == OutcomeApproved {
			break
		}
		if r.Outcome == OutcomeOK && r.UndoneBy == 0 && now.Sub(r.StartedAt) < pushRun {
			return r, nil
		}
	}
	run := core.SyncRun{Source: source, Kind: core.RunPush, StartedAt: now, FinishedAt: now, Outcome: OutcomeOK}
	var err error
	run.ID, err = tx.CreateSyncRun(ctx, run)
	return run, err
}

// ApprovePushes lets pass for an hour whatever the directory sends, and makes the brake count anew. The reason is kept as a run.
func (s *Syncer) ApprovePushes(ctx context.Context, source core.SourceID, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return fmt.Errorf("approve what source %q sends: %w: say why; it is kept", source, core.ErrInvalid)
	}
	now := s.now()
	run := core.SyncRun{Source: source, Kind: core.RunPush, StartedAt: now, FinishedAt: now, Outcome: OutcomeApproved, Message: "approved: " + clean(reason)}
	if err := s.store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.CreateSyncRun(ctx, run)
		return err
	}); err != nil {
		return fmt.Errorf("approve what source %q sends: %w", source, err)
	}
	return nil
}

// brakePushes holds the brake against what was pushed in the window. Runs that were undone do not count, nor those before an
// approval.
func (j *job) brakePushes(recent []core.SyncRun) error {
	t := tally{disabled: j.counts.Disabled + j.counts.Deleted, renamed: j.counts.Renamed + j.rekeys}
	if t.disabled+t.renamed == 0 {
		return nil
	}
	since := j.now
	for _, r := range recent {
		if r.Outcome == OutcomeApproved {
			if j.now.Sub(r.StartedAt) < pushRun {
				return nil
			}
			break
		}
		if r.UndoneBy == 0 && r.Outcome == OutcomeOK {
			t.disabled, t.renamed, since = t.disabled+r.Disabled, t.renamed+r.Renamed, r.StartedAt
		}
	}
	// How many there were before all of it. This job's own changes are written already; who was disabled is living still.
	for _, f := range []store.UserFilter{{Source: &j.l.source}, {Source: &j.l.source, DeletedSince: since}} {
		n, err := j.tx.CountUsers(j.ctx, f)
		if err != nil {
			return fmt.Errorf("count the people of source %q: %w", j.l.source, err)
		}
		t.people += n
	}
	return j.l.settings.Brake.check(t)
}

// addTo adds the counters to the hour's run.
func (j *job) addTo(run *core.SyncRun) {
	now := *run
	j.tell(&now, "")
	run.Read += now.Read
	run.Created, run.Updated, run.Renamed = run.Created+now.Created, run.Updated+now.Updated, run.Renamed+now.Renamed
	run.Disabled, run.Restored, run.Conflicts = run.Disabled+now.Disabled, run.Restored+now.Restored, run.Conflicts+now.Conflicts
	const most = 8 << 10 // bytes of messages of an hour
	if now.Message != "" && len(run.Message) < most {
		run.Message = strings.TrimPrefix(run.Message+"\n"+now.Message, "\n")
	}
}

// refusePush notes that the brake refused a push, once an hour: the directory sends it again and again.
func (s *Syncer) refusePush(ctx context.Context, source core.SourceID, stopped *StoppedError) error {
	now := s.now()
	run := core.SyncRun{Source: source, Kind: core.RunPush, StartedAt: now, FinishedAt: now, Outcome: OutcomeStopped, Message: stopped.Message}
	told := false
	err := s.store.Update(ctx, func(tx store.Tx) error {
		recent, err := recentPushes(ctx, tx, source, now)
		if err != nil {
			return err
		}
		told = false
		for _, r := range recent {
			told = told || r.Outcome == OutcomeStopped && now.Sub(r.StartedAt) < pushRun
		}
		if told {
			return nil
		}
		st, err := tx.SourceState(ctx, source)
		if err != nil {
			return err
		}
		st.Failures, st.Problem = st.Failures+1, stopped.Message
		if err := tx.PutSourceState(ctx, st); err != nil {
			return err
		}
		run.ID, err = tx.CreateSyncRun(ctx, run)
		return err
	})
	if err != nil {
		return errors.Join(stopped, fmt.Errorf("note that the brake refused what source %q sent: %w", source, err))
	}
	if !told && s.cfg.OnFailure != nil {
		s.cfg.OnFailure(run)
	}
	return stopped
}
