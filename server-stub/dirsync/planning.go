package dirsync

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// Plan reads everything and keeps what a run would do, for 7 days. Nobody is changed; only the plan is written.
func (s *Syncer) Plan(ctx context.Context, source directory.Source, settings Settings) (PlanHead, error) {
	if !s.begin(source.ID()) {
		return PlanHead{}, fmt.Errorf("%w: source %q is being synchronised already", core.ErrConflict, source.ID())
	}
	defer s.end(source.ID())
	began := s.now()
	l, err := s.readAll(ctx, source, settings, settings.Full)
	if err != nil {
		return PlanHead{}, err
	}
	head := PlanHead{ID: newPlanID(), Source: l.source, CreatedAt: began, ExpiresAt: began.Add(keepPlan), Full: l.complete, Read: l.read}
	if err := s.store.View(ctx, func(tx store.Tx) error { return s.measure(ctx, tx, l, &head, nil) }); err != nil {
		return PlanHead{}, fmt.Errorf("compare with source %q: %w", l.source, err)
	}
	if err := s.keepListing(ctx, l, head); err != nil {
		return PlanHead{}, fmt.Errorf("keep the plan for source %q: %w", l.source, err)
	}
	return head, nil
}

// measure fills the numbers of a plan as things stand.
func (s *Syncer) measure(ctx context.Context, tx store.Tx, l *listing, head *PlanHead, visit func(*outcome) error) error {
	j := s.newJob(ctx, tx, l)
	j.visit = visit
	if err := j.run(); err != nil {
		return err
	}
	head.People, head.Counts, head.Stopped = j.people, j.counts, ""
	head.Counts.Groups = l.groups.n + len(l.groupsGone)
	err := j.brake()
	if stopped, ok := errors.AsType[*StoppedError](err); ok {
		head.Stopped, err = stopped.Message, nil
	}
	head.Summary = head.summary()
	return err
}

// Head returns a kept plan in numbers, as things stood when it was made. core.ErrNotFound: there is none, or no more.
func (s *Syncer) Head(ctx context.Context, id string) (PlanHead, error) {
	var head PlanHead
	err := s.store.View(ctx, func(tx store.Tx) error {
		kept, err := s.openHead(ctx, tx, id)
		head = kept.Head
		return err
	})
	return head, err
}

// Plans returns the kept plans of a source, newest first.
func (s *Syncer) Plans(ctx context.Context, source core.SourceID) ([]PlanHead, error) {
	var heads []PlanHead
	err := s.store.View(ctx, func(tx store.Tx) error {
		list, err := tx.Plans(ctx, source)
		if err != nil {
			return err
		}
		heads = nil
		for _, p := range list {
			kept, err := s.openHead(ctx, tx, p.ID)
			if errors.Is(err, core.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			heads = append(heads, kept.Head)
		}
		return nil
	})
	return heads, err
}

// PlanChanges hands out what a kept plan would change as things stand now, person by person.
func (s *Syncer) PlanChanges(ctx context.Context, id string, yield func(Change) error) error {
	return s.store.View(ctx, func(tx store.Tx) error {
		l, head, err := s.openPlan(ctx, tx, id)
		if err != nil {
			return err
		}
		return s.measure(ctx, tx, l, &head, func(o *outcome) error {
			if c, some := o.change(); some {
				return yield(c)
			}
			return nil
		})
	})
}

// Apply applies exactly the listing of a kept plan to what is true now, and forgets the plan. Passing the brake needs a reason, which
// is kept with the run. A plan of everything is refused with core.ErrConflict once a later run went well: it would delete who came
// since.
func (s *Syncer) Apply(ctx context.Context, source core.SourceID, planID, reason string) (core.SyncRun, error) {
	if !s.begin(source) {
		return core.SyncRun{}, fmt.Errorf("%w: source %q is being synchronised already", core.ErrConflict, source)
	}
	defer s.end(source)
	var l *listing
	if err := s.store.View(ctx, func(tx store.Tx) error {
		var head PlanHead
		var err error
		if l, head, err = s.openPlan(ctx, tx, planID); err != nil {
			return err
		}
		if head.Source != source {
			return fmt.Errorf("%w: plan %q is of source %q, not of %q", core.ErrInvalid, planID, head.Source, source)
		}
		st, err := tx.SourceState(ctx, source)
		if err == nil && st.LastSuccess.After(head.CreatedAt) {
			return fmt.Errorf("%w: source %q was synchronised after plan %q was made, which is out of date by that: plan again", core.ErrConflict, source, planID)
		}
		return err
	}); err != nil {
		return core.SyncRun{}, fmt.Errorf("apply plan %q: %w", planID, err)
	}
	run, err := s.record(ctx, core.SyncRun{Source: source, Kind: l.kind(), PlanID: planID, Read: l.read, StartedAt: s.now()})
	if err != nil {
		return run, fmt.Errorf("note the start of applying plan %q: %w", planID, err)
	}
	if run, err = s.carryOut(ctx, l, run, strings.TrimSpace(reason)); err != nil {
		return run, err
	}
	if err := s.store.Update(ctx, func(tx store.Tx) error { return tx.DeletePlan(ctx, planID) }); err != nil && !isNotFound(err) {
		return run, fmt.Errorf("forget plan %q, which was applied: %w", planID, err)
	}
	return run, nil
}

// keepStopped keeps the listing of a run that the brake stopped, so that it can be approved as it is. It returns what stopped it.
func (s *Syncer) keepStopped(ctx context.Context, l *listing, run core.SyncRun, stopped *StoppedError) (string, error) {
	head := PlanHead{
		ID: newPlanID(), Source: l.source, CreatedAt: run.StartedAt, ExpiresAt: run.StartedAt.Add(keepPlan), Full: l.complete, Read: l.read,
	}
	if err := s.store.View(ctx, func(tx store.Tx) error { return s.measure(ctx, tx, l, &head, nil) }); err != nil {
		return "", errors.Join(stopped, err)
	}
	if err := s.keepListing(ctx, l, head); err != nil {
		return "", errors.Join(stopped, err)
	}
	return head.ID, &StoppedError{Message: stopped.Message + " (plan " + head.ID + ")"}
}

// Purge forgets plans and journals that are over.
func (s *Syncer) Purge(ctx context.Context) error {
	return s.store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.DeletePlansBefore(ctx, s.now()); err != nil {
			return err
		}
		_, err := tx.DeleteJournalBefore(ctx, s.now().Add(-keepJournal))
		return err
	})
}

func isNotFound(err error) bool { return errors.Is(err, core.ErrNotFound) }

// orText is the first of both that is not empty.
func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
