package dirsync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Undo takes back what a run did, in one transaction, newest first: only what nobody changed since; the rest is told in the run's
// message. It is a run of its own, which can be undone too. The clock runs the source no more until Resume, as the directory still
// says what it said, and the next run reads everything. Who was made by the run is soft-deleted. Groups stay as they are listed.
func (s *Syncer) Undo(ctx context.Context, runID int64, reason string) (core.SyncRun, error) {
	if strings.TrimSpace(reason) == "" {
		return core.SyncRun{}, fmt.Errorf("undo synchronisation %d: %w: say why; it is kept with the run", runID, core.ErrInvalid)
	}
	source, err := s.undoable(ctx, runID)
	if err != nil {
		return core.SyncRun{}, err
	}
	if !s.begin(source) {
		return core.SyncRun{}, fmt.Errorf("%w: source %q is being synchronised just now", core.ErrConflict, source)
	}
	defer s.end(source)
	var run core.SyncRun
	var changed []core.UserID
	err = s.store.Update(ctx, func(tx store.Tx) error {
		was, err := s.mayUndo(ctx, tx, runID)
		if err != nil {
			return err
		}
		run = core.SyncRun{Source: source, Kind: core.RunUndo, StartedAt: s.now(), Undoes: runID}
		if run.ID, err = tx.CreateSyncRun(ctx, run); err != nil {
			return err
		}
		u := &undoing{
			w: &writer{s: s, ctx: ctx, tx: tx, source: source, now: run.StartedAt, run: run.ID, actor: "undo:" + string(source)},
		}
		if s.cfg.Credentials != nil {
			u.credentials = s.cfg.Credentials
		}
		if err := u.run(runID, &run); err != nil {
			return err
		}
		run.Outcome, run.FinishedAt = OutcomeOK, s.now()
		run.Message = u.message(runID, reason)
		was.UndoneBy = run.ID
		changed = u.w.changed
		if err := s.afterUndo(ctx, tx, run, was); err != nil {
			return err
		}
		return tx.UpdateSyncRun(ctx, run)
	})
	if err != nil {
		return core.SyncRun{}, fmt.Errorf("undo synchronisation %d: %w", runID, err)
	}
	s.cfg.Logger.WarnContext(ctx, "a synchronisation was undone", "source", source, "run", runID, "undone_by", run.ID)
	s.tellChanged(changed)
	return run, nil
}

// afterUndo pauses the source's clock, and makes the next run read everything.
func (s *Syncer) afterUndo(ctx context.Context, tx store.Tx, run, was core.SyncRun) error {
	if err := tx.UpdateSyncRun(ctx, was); err != nil {
		return err
	}
	if was.Undoes != 0 { // what was undone is done again
		first, err := tx.SyncRun(ctx, was.Undoes)
		if err != nil {
			return err
		}
		first.UndoneBy = 0
		if err := tx.UpdateSyncRun(ctx, first); err != nil {
			return err
		}
	}
	st, err := tx.SourceState(ctx, run.Source)
	if err != nil {
		return err
	}
	st.Bookmark = nil
	if st.PausedAt.IsZero() {
		st.PausedAt, st.PausedWhy = run.StartedAt, fmt.Sprintf("run %d was undone by run %d", was.ID, run.ID)
	}
	return tx.PutSourceState(ctx, st)
}

// undoable returns the source of a run that can be undone.
func (s *Syncer) undoable(ctx context.Context, runID int64) (source core.SourceID, err error) {
	err = s.store.View(ctx, func(tx store.Tx) error {
		run, err := s.mayUndo(ctx, tx, runID)
		source = run.Source
		return err
	})
	if err != nil {
		return "", fmt.Errorf("undo synchronisation %d: %w", runID, err)
	}
	return source, nil
}

func (s *Syncer) mayUndo(ctx context.Context, tx store.Tx, runID int64) (core.SyncRun, error) {
	run, err := tx.SyncRun(ctx, runID)
	switch {
	case err != nil:
		return run, err
	case run.UndoneBy != 0:
		return run, fmt.Errorf("%w: run %d undid it already", core.ErrConflict, run.UndoneBy)
	case run.Kind == core.RunRename:
		return run, fmt.Errorf("%w: it changed usernames: platen-server names migrate --undo %d takes it back", core.ErrInvalid, runID)
	case run.Outcome != OutcomeOK && run.Kind != core.RunPush:
		return run, fmt.Errorf("%w: it changed nobody (%s)", core.ErrInvalid, run.Outcome)
	case s.now().Sub(run.StartedAt) > keepJournal:
		return run, fmt.Errorf("%w: it is more than %d days ago, and its journal is gone", core.ErrInvalid, int(keepJournal.Hours()/24))
	}
	return run, nil
}

// undoing is one undo at work.
type undoing struct {
	w           *writer
	credentials Credentials
	removed     []pastName // names of the page at hand that were taken back
	left        []string   // what stays as it is, and why
	lefts       int
	people      int
}

func (u *undoing) run(runID int64, run *core.SyncRun) error {
	for before := int64(0); ; {
		rows, err := u.w.tx.Journal(u.w.ctx, runID, before, chunkSize)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			p, err := u.w.s.openPage(row)
			if err != nil {
				return err
			}
			if err := u.page(row, p, run); err != nil {
				return err
			}
			before = row.ID
		}
		if err := u.w.finish(); err != nil {
			return err
		}
	}
}

// page takes one row of the journal back.
func (u *undoing) page(row store.JournalRow, p page, run *core.SyncRun) error {
	for _, id := range slices.Backward(p.Made) {
		if err := u.unmake(id, run); err != nil {
			return err
		}
	}
	if row.User == 0 {
		return nil
	}
	if len(p.Made) > 0 {
		return u.revert(row.User, p)
	}
	person, err := u.person(row.User)
	if err != nil || person == nil {
		return err
	}
	c := edit{User: person.User}
	u.fields(&c, p)
	ends, err := u.endedNames(&c, person, p)
	if err != nil {
		return err
	}
	if err := u.putNames(&c, person, p); err != nil {
		return err
	}
	if err := u.identities(&c, p); err != nil {
		return err
	}
	if ends || len(c.EndNames)+len(c.PutNames) > 0 {
		c.Fields = append(c.Fields, "names")
	}
	u.actions(&c, person.User, run)
	if len(c.Actions) > 0 {
		u.people++
		if err := u.w.user(&c, person); err != nil {
			return err
		}
		if err := u.w.flush(); err != nil {
			return err
		}
		back := pageOf(&c, person)
		back.Removed, back.Untied = u.removed, p.Identities
		if err := u.w.keep(c.User.ID, back); err != nil {
			return err
		}
	}
	return u.revert(row.User, p)
}

// identities takes those back that the run tied, and ties those again that an undo untied.
func (u *undoing) identities(c *edit, p page) error {
	for _, e := range p.Identities {
		if err := u.w.tx.DeleteIdentity(u.w.ctx, e); err != nil {
			return err
		}
		c.Fields = appendNew(c.Fields, "identities")
	}
	for _, e := range p.Untied {
		owner, err := u.w.tx.IdentityOwner(u.w.ctx, e.Source, e.Kind, e.ImmutableID)
		switch {
		case isNotFound(err):
			c.Identities = append(c.Identities, e)
			c.Fields = appendNew(c.Fields, "identities")
		case err != nil:
			return err
		case owner != c.User.ID:
			u.leave(c.User.ID, fmt.Sprintf("its ids: a %s of source %q is that of user %d now", e.Kind, e.Source, owner))
		}
	}
	return nil
}

// revert takes cards and codes back.
func (u *undoing) revert(id core.UserID, p page) error {
	if u.credentials == nil || len(p.Credentials) == 0 {
		return nil
	}
	if err := u.credentials.Revert(u.w.ctx, u.w.tx, u.w.now, id, p.Credentials); err != nil {
		return fmt.Errorf("take the cards and codes of user %d back: %w", id, err)
	}
	return nil
}

// actions says what an undo did to a person, as a run would.
func (u *undoing) actions(c *edit, before core.User, run *core.SyncRun) {
	restored := !before.DeletedAt.IsZero() && c.User.DeletedAt.IsZero()
	deleted := before.DeletedAt.IsZero() && !c.User.DeletedAt.IsZero()
	switch {
	case restored:
		c.Actions = append(c.Actions, ActionRestore)
		run.Restored++
	case deleted:
		c.Actions = append(c.Actions, ActionDelete)
		run.Disabled++
	case !before.Disabled && c.User.Disabled:
		c.Actions = append(c.Actions, ActionDisable)
		run.Disabled++
	case before.Disabled && !c.User.Disabled:
		c.Actions = append(c.Actions, ActionEnable)
		run.Updated++
	case before.Username != c.User.Username:
		c.Actions = append(c.Actions, ActionRename)
		run.Renamed++
	case len(c.Fields) > 0:
		c.Actions = append(c.Actions, ActionUpdate)
		run.Updated++
	}
}

func (u *undoing) person(id core.UserID) (*Person, error) {
	l := loader{ctx: u.w.ctx, tx: u.w.tx, source: u.w.source, state: state{people: map[core.UserID]*Person{}}}
	if err := l.load([]core.UserID{id}); err != nil {
		return nil, err
	}
	return l.state.people[id], nil
}

// unmake soft-deletes somebody whom the run made.
func (u *undoing) unmake(id core.UserID, run *core.SyncRun) error {
	person, err := u.person(id)
	if err != nil || person == nil || !person.User.DeletedAt.IsZero() {
		return err
	}
	if person.User.Source != u.w.source {
		u.leave(id, "source")
		return nil
	}
	c := edit{Actions: []Action{ActionDelete}, User: person.User, Fields: []string{"deleted_at"}}
	c.User.DeletedAt = u.w.now
	run.Disabled++
	u.people++
	if err := u.w.user(&c, person); err != nil {
		return err
	}
	if err := u.w.flush(); err != nil {
		return err
	}
	return u.w.journalled(&c, person, nil)
}

// fields puts details back that are still as the run left them.
func (u *undoing) fields(c *edit, p page) {
	for _, f := range slices.Backward(p.Fields) {
		if fieldText(c.User, f.Field) != f.New {
			u.leave(c.User.ID, f.Field)
			continue
		}
		if err := setField(&c.User, f.Field, f.Old); err != nil {
			u.leave(c.User.ID, f.Field)
			continue
		}
		c.Fields = append(c.Fields, f.Field)
	}
}

// setField is fieldText the other way round.
func setField(user *core.User, field, text string) error {
	switch field {
	case "username":
		user.Username = text
	case "display_name":
		user.DisplayName = text
	case "email":
		user.Email = text
	case "department":
		user.Department = text
	case "office":
		user.Office = text
	case "language":
		user.Language = text
	case "source":
		user.Source = core.SourceID(text)
	case "keeps_username":
		user.KeepsUsername = text == "true"
	case "disabled":
		user.Disabled, user.DisabledBySource = text != "", text == "by the directory"
	case "deleted_at":
		user.DeletedAt = time.Time{}
		if text != "" {
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return err
			}
			user.DeletedAt = at
		}
	default:
		return fmt.Errorf("%w: there is no detail %q", core.ErrInvalid, field)
	}
	return nil
}

// putNames takes names back that the run gave.
func (u *undoing) putNames(c *edit, person *Person, p page) error {
	u.removed = nil
	for _, put := range p.Put {
		i := slices.IndexFunc(person.Names, put.is)
		if i < 0 || !person.Names[i].ValidTo.IsZero() {
			continue // it is gone already
		}
		have := person.Names[i]
		switch {
		case !put.Was:
			if err := u.w.tx.DeleteName(u.w.ctx, have.ID); err != nil {
				return err
			}
			u.removed = append(u.removed, past(have))
			c.Fields = appendNew(c.Fields, "names")
		case !put.EndedAt.IsZero():
			have.ValidTo = put.EndedAt
			c.EndNames = append(c.EndNames, have)
		default: // only its text or its origin changed
			have.Name, have.Source = put.OldText, put.OldFrom
			c.PutNames = append(c.PutNames, have)
		}
	}
	return nil
}

// endedNames gives names back that the run ended, unless they are somebody else's by now.
func (u *undoing) endedNames(c *edit, person *Person, p page) (some bool, err error) {
	give := func(n core.LoginName, since time.Time) error {
		free, err := u.free(c, person, n, since)
		if free {
			c.PutNames, some = append(c.PutNames, n), true
		}
		return err
	}
	for _, ended := range p.Ended {
		i := slices.IndexFunc(person.Names, ended.is)
		if i < 0 || !person.Names[i].ValidTo.Equal(ended.EndedAt) {
			continue // it is in force again, or ended anew
		}
		n := person.Names[i]
		n.ValidTo = time.Time{}
		if err := give(n, ended.EndedAt); err != nil {
			return some, err
		}
	}
	for _, n := range p.Removed {
		if slices.ContainsFunc(person.Names, n.is) {
			continue // it came back by itself
		}
		if err := give(core.LoginName{Name: n.Name, Folded: n.Folded, Kind: n.Kind, Domain: n.Domain, Source: n.Source, ValidFrom: u.w.now}, time.Time{}); err != nil {
			return some, err
		}
	}
	return some, nil
}

// free tells whether a name that the person is to get back is nobody else's by now. With a username the person keeps that too. An
// e-mail address may be several people's; one that somebody got since the run is theirs: mail of the person would go to them.
func (u *undoing) free(c *edit, person *Person, n core.LoginName, since time.Time) (bool, error) {
	if !own(n) && n.Kind != core.NameEmail {
		return true, nil
	}
	holders, err := u.w.tx.Holders(u.w.ctx, n.Folded)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(holders, func(h core.NameHolder) bool {
		if n.Kind == core.NameEmail {
			return h.UserID != person.User.ID && h.ValidTo.IsZero() && (strong(h.Kind) || h.Kind == core.NameEmail) && !h.ValidFrom.Before(since)
		}
		return h.UserID != person.User.ID && h.ValidTo.IsZero() && own(h.LoginName)
	}) {
		return true, nil
	}
	u.leave(person.User.ID, fmt.Sprintf("its names: %q is somebody else's now", n.Name))
	if n.Kind == core.NameEmail && same(c.User.Email, n.Name) {
		c.User.Email = person.User.Email
		c.Fields = slices.DeleteFunc(c.Fields, func(f string) bool { return f == "email" })
	}
	if n.Kind != core.NameEmail && isUsername(c.User, n) {
		c.User.Username = person.User.Username
		c.Fields = slices.DeleteFunc(c.Fields, func(f string) bool { return f == "username" })
	}
	return false, nil
}

// is tells whether a name is the one of the journal.
func (n pastName) is(have core.LoginName) bool {
	return have.Folded == n.Folded && have.Kind == n.Kind && have.Domain == n.Domain
}

// leave notes that something was not taken back.
func (u *undoing) leave(id core.UserID, what string) {
	if u.lefts++; len(u.left) < shownConflicts {
		u.left = append(u.left, fmt.Sprintf("user %d keeps %s, which changed since", id, what))
	}
}

func (u *undoing) message(runID int64, reason string) string {
	lines := []string{fmt.Sprintf("run %d was undone for %d people: %s; the source's schedule is paused", runID, u.people, clean(reason))}
	lines = append(lines, u.left...)
	if more := u.lefts - len(u.left); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

func appendNew(list []string, text string) []string {
	if slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}
