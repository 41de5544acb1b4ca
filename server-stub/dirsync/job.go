package dirsync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// mostPending bounds the records that a reading of changes looks at again. The daily comparison looks at all.
const mostPending = 500

// job compares one listing with what is known, in one transaction, chunk by chunk. Where it writes, all of it is rolled back with
// the transaction.
type job struct {
	s   *Syncer
	ctx context.Context
	tx  store.Tx
	l   *listing
	now time.Time

	write *writer                // nil: only look
	visit func(o *outcome) error // nil: nobody asks

	facts   *facts
	cred    CredentialRun
	counts  Counts
	people  int // living people of the source before
	rekeys  int
	lines   []string // conflicts, for the run's message
	leaving []store.Key
	edits   int             // people who are written
	unseen  int             // people whose fingerprint is new
	pending []directory.Key // records that were left out, to be looked at again
}

func (s *Syncer) newJob(ctx context.Context, tx store.Tx, l *listing) *job {
	j := &job{s: s, ctx: ctx, tx: tx, l: l, now: s.now()}
	if s.cfg.Credentials != nil {
		j.cred = s.cfg.Credentials.Begin(l.source)
	}
	return j
}

// run does it. The brake is held against j afterwards.
func (j *job) run() error {
	var err error
	if !j.l.pushed { // there it is asked only where somebody leaves
		if j.people, err = j.tx.CountUsers(j.ctx, store.UserFilter{Source: &j.l.source}); err != nil {
			return fmt.Errorf("count the people of source %q: %w", j.l.source, err)
		}
	}
	if j.facts, err = survey(j.ctx, j.tx, j.l); err != nil {
		return err
	}
	if err := j.leave(); err != nil {
		return err
	}
	if err := j.expect(); err != nil {
		return err
	}
	chunk := make([]wanted, 0, min(chunkSize, j.l.people.n))
	if err := j.l.people.records(func(_ int, r staged) error {
		if chunk = append(chunk, prepare(j.l.source, r)); len(chunk) < chunkSize {
			return nil
		}
		err := j.chunk(chunk)
		chunk = chunk[:0]
		return err
	}); err != nil {
		return err
	}
	if err := j.chunk(chunk); err != nil {
		return err
	}
	if err := j.delete(); err != nil {
		return err
	}
	for _, source := range slices.Sorted(maps.Keys(j.facts.doubles)) {
		j.lines = append([]string{fmt.Sprintf("%d of the people are listed by source %q too, under the same ids: two sources read one directory; "+
			"remove one, or say that this one replaces the other", j.facts.doubles[source], source)}, j.lines...)
	}
	return nil
}

// expect says how many people there will be, where they come in several chunks: else the first chunk's codes would be made for fewer
// people than there are in the end.
func (j *job) expect() error {
	e, ok := j.cred.(Expecter)
	if !ok || j.l.people.n <= chunkSize {
		return nil
	}
	all, err := j.tx.CountUsers(j.ctx, store.UserFilter{})
	if err != nil {
		return fmt.Errorf("count the people: %w", err)
	}
	known := len(slices.Compact(slices.Clone(j.facts.present)))
	e.Expect(all + max(0, j.l.people.n-known))
	return nil
}

// leave finds who leaves, where not everything was listed: whoever is said to be gone, and whoever fell out of the scope.
func (j *job) leave() error {
	if j.l.complete {
		return nil
	}
	ask := newOwners(j.tx, j.l.source, func(_ directory.Key, id core.UserID) { j.facts.leaving[id] = struct{}{} })
	for _, k := range j.l.gone {
		if err := ask.ask(j.ctx, k); err != nil {
			return err
		}
	}
	if err := ask.flush(j.ctx); err != nil {
		return err
	}
	for _, id := range j.facts.present {
		delete(j.facts.leaving, id)
	}
	return nil
}

// chunk plans and writes some records.
func (j *job) chunk(chunk []wanted) error {
	if len(chunk) == 0 {
		return nil
	}
	st, err := loadState(j.ctx, j.tx, j.l.source, chunk)
	if err != nil {
		return err
	}
	p := &planner{source: j.l.source, now: j.now, settings: j.l.settings, facts: j.facts, state: st}
	outcomes := make([]outcome, len(chunk))
	for i, w := range chunk {
		outcomes[i] = p.plan(i, w)
	}
	if err := j.credentials(outcomes); err != nil {
		return err
	}
	return j.settle(outcomes)
}

// credentials adds what happens to cards, codes and PINs.
func (j *job) credentials(outcomes []outcome) error {
	if j.cred == nil {
		return nil
	}
	var items []CredentialItem
	var of []*outcome
	for i := range outcomes {
		o := &outcomes[i]
		if o.refused || o.foreign {
			continue
		}
		item := CredentialItem{Record: o.w.rec}
		if o.person != nil {
			item.User = o.person.User
		}
		items, of = append(items, item), append(of, o)
	}
	if len(items) == 0 {
		return nil
	}
	plans, err := j.cred.Plan(j.ctx, j.tx, items)
	if err != nil {
		return fmt.Errorf("plan the cards and codes of source %q: %w", j.l.source, err)
	}
	if len(plans) != len(items) {
		return fmt.Errorf("plan the cards and codes of source %q: %d plans for %d people", j.l.source, len(plans), len(items))
	}
	for i, plan := range plans {
		o := of[i]
		o.cred = plan
		o.problems = append(o.problems, plan.Problems...)
		if plan.Empty() {
			continue
		}
		if len(o.edit.Actions) == 0 {
			o.edit = edit{Actions: []Action{ActionUpdate}, User: o.person.User}
		}
		o.edit.Fields = append(o.edit.Fields, plan.Fields...)
	}
	return nil
}

// settle counts, writes and hands out what became of some records or people.
func (j *job) settle(outcomes []outcome) error {
	for i := range outcomes {
		j.count(&outcomes[i])
	}
	if j.write != nil {
		if err := j.write.chunk(outcomes); err != nil {
			return err
		}
	}
	if j.visit == nil {
		return nil
	}
	for i := range outcomes {
		if err := j.visit(&outcomes[i]); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) count(o *outcome) {
	for _, a := range o.edit.Actions {
		switch a {
		case ActionCreate:
			j.counts.Created++
		case ActionRestore:
			j.counts.Restored++
		case ActionLink:
			j.counts.Linked++
		case ActionRename:
			j.counts.Renamed++
		case ActionUpdate:
			j.counts.Updated++
		case ActionDisable:
			j.counts.Disabled++
		case ActionEnable:
			j.counts.Enabled++
		case ActionDelete:
			j.counts.Deleted++
		case ActionRelease:
		}
	}
	if len(o.edit.Actions) > 0 || len(o.release) > 0 {
		j.edits++
	}
	if o.edit.has(ActionDisable) || o.edit.has(ActionDelete) {
		for _, e := range o.person.Identities {
			if e.Source == j.l.source && e.Kind != core.IdentitySID {
				j.leaving = append(j.leaving, store.Key{Kind: e.Kind, ID: e.ImmutableID})
			}
		}
	}
	j.counts.Conflicts += len(o.problems)
	j.rekeys += o.rekeys
	if o.proposed != 0 {
		j.counts.Proposed++
	}
	if len(o.cred.Weak) > 0 {
		j.counts.Weak++
	}
	for _, problem := range o.problems {
		j.conflict(o.w.rec.Where, problem)
	}
	if !o.clean() && o.w.rec.Key != "" && len(j.pending) < mostPending {
		j.pending = append(j.pending, keyOf(o.w.rec))
	}
	if o.news() {
		j.unseen++
	}
}

// conflict keeps the first problems for the run's message.
func (j *job) conflict(where, problem string) {
	if len(j.lines) < shownConflicts {
		j.lines = append(j.lines, fmt.Sprintf("%s %s", clean(where), problem))
	}
}

// delete plans the soft delete of whoever leaves.
func (j *job) delete() error {
	if j.l.settings.NoDelete {
		return nil
	}
	var gone []core.UserID
	if j.l.complete {
		if err := j.tx.LivingUsers(j.ctx, j.l.source, func(id core.UserID) {
			if !j.facts.listed(id) {
				gone = append(gone, id)
			}
		}); err != nil {
			return fmt.Errorf("list the people of source %q: %w", j.l.source, err)
		}
		// Whoever was made or taken over in this run is in the listing by that.
		if j.write != nil {
			slices.Sort(j.write.made)
			gone = slices.DeleteFunc(gone, func(id core.UserID) bool { _, made := slices.BinarySearch(j.write.made, id); return made })
		}
	} else {
		gone = slices.Sorted(maps.Keys(j.facts.leaving))
	}
	for part := range slices.Chunk(gone, chunkSize) {
		people := loader{ctx: j.ctx, tx: j.tx, source: j.l.source, state: state{people: map[core.UserID]*Person{}}}
		if err := people.load(part); err != nil {
			return fmt.Errorf("read who left source %q: %w", j.l.source, err)
		}
		p := &planner{source: j.l.source, now: j.now}
		var outcomes []outcome
		for _, id := range part {
			if person := people.state.people[id]; person != nil && person.User.DeletedAt.IsZero() && person.User.Source == j.l.source {
				outcomes = append(outcomes, p.gone(person))
			}
		}
		if err := j.settle(outcomes); err != nil {
			return err
		}
	}
	return nil
}

// nothing tells that nobody and no group changes, and nothing new was seen.
func (j *job) nothing() bool {
	return j.edits == 0 && j.unseen == 0 && j.l.groups.n == 0 && len(j.l.groupsGone) == 0
}
