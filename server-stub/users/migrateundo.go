package users

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// UndoMigration gives everybody whom a migration renamed the username back that they had, in one transaction. People whose
// username was changed since, and those whose old name is somebody else's by now, keep what they have and are told as
// conflicts. Where rule says that the directory names people as the migration did, they keep the old name against it
// (core.User.KeepsUsername) until they are migrated again. Errors: core.ErrNotFound, core.ErrConflict for a run that is no migration
// or was undone already.
func (s *Service) UndoMigration(ctx context.Context, actor string, run int64, rule func(core.SourceID) string, progress func(done, total int)) (Migration, error) {
	if progress == nil {
		progress = func(int, int) {}
	}
	if rule == nil {
		rule = func(core.SourceID) string { return "" }
	}
	var u *undo
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		m := migration{MigrateOptions: MigrateOptions{UsernameRule: rule, Progress: progress}, change: change{ctx: ctx, tx: tx, now: s.d.Clock()}, actor: actor}
		u = &undo{migration: m}
		return u.run(run)
	})
	if err != nil {
		return Migration{}, fmt.Errorf("undo the rename %d: %w", run, err)
	}
	for _, l := range u.out.Lines {
		if l.Action == MigrateRename || l.Action == MigrateFollow {
			s.d.OnChange(l.User)
		}
	}
	return u.out, nil
}

// Migrations returns the latest migrations, of these sources and of all directories together, newest first.
func (s *Service) Migrations(ctx context.Context, sources []core.SourceID) ([]core.SyncRun, error) {
	const latest = 100 // runs of each source
	var list []core.SyncRun
	err := s.d.Store.View(ctx, func(tx store.Tx) error {
		list = nil
		for _, source := range append([]core.SourceID{migrationSource}, sources...) {
			runs, err := tx.SyncRuns(ctx, source, latest)
			if err != nil {
				return err
			}
			list = append(list, slices.DeleteFunc(runs, func(r core.SyncRun) bool { return r.Kind != core.RunRename })...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the renames: %w", err)
	}
	slices.SortFunc(list, func(a, b core.SyncRun) int { return cmp.Compare(b.ID, a.ID) })
	return list, nil
}

// undo is one run of UndoMigration.
type undo struct {
	migration

	gone []int64 // names that were only made by the migration
}

func (u *undo) run(id int64) error {
	of, err := u.tx.SyncRun(u.ctx, id)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return fmt.Errorf("%w: there is no run %d; platen-server names migrate --list shows them", core.ErrNotFound, id)
	case err != nil:
		return err
	case of.Kind != core.RunRename:
		return fmt.Errorf("%w: run %d renamed nobody: it is undone with `sync undo`", core.ErrConflict, id)
	case of.UndoneBy != 0:
		return fmt.Errorf("%w: it was undone already, by run %d", core.ErrConflict, of.UndoneBy)
	}
	total := of.Renamed + of.Updated
	for before := int64(0); ; {
		rows, err := u.tx.Journal(u.ctx, id, before, migratePage)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := u.row(row); err != nil {
				return fmt.Errorf("user %d: %w", row.User, err)
			}
			before = row.ID
		}
		u.out.People += len(rows)
		u.Progress(u.out.People, max(total, u.out.People))
		if len(rows) < migratePage {
			break
		}
	}
	if u.out.People == 0 {
		return fmt.Errorf("%w: nothing is known any more of what it did", core.ErrConflict)
	}
	return u.finish(of)
}

// row takes one person's rename back, unless something stands against it.
func (u *undo) row(row store.JournalRow) error {
	var was migrated
	if err := json.Unmarshal(row.Data, &was); err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	line := MigrateLine{User: row.User, Old: was.New, New: was.Old, Action: MigrateRename}
	if was.Old == was.New {
		line.Action = MigrateFollow
	}
	var err error
	u.user, err = living(u.ctx, u.tx, row.User)
	if errors.Is(err, core.ErrNotFound) {
		return nil // erased
	}
	if err != nil {
		return err
	}
	if line.Why, err = u.against(was); err != nil {
		return err
	}
	if line.Why != "" {
		line.Action = MigrateConflict
		u.out.Lines = append(u.out.Lines, line)
		return nil
	}
	u.out.Lines = append(u.out.Lines, line)
	return u.back(was)
}

// against says why the person cannot go by the old name again.
func (u *undo) against(was migrated) (string, error) {
	if u.user.Username != was.New {
		return fmt.Sprintf("the username is %s by now", u.user.Username), nil
	}
	folded, err := auth.Canon(was.Old)
	if err != nil {
		return "", err
	}
	holders, err := u.tx.Holders(u.ctx, folded)
	if err != nil || was.Old == was.New {
		return "", err
	}
	for _, h := range holders {
		// Namesakes in other directories hold the same short name; only a username, a UPN or an alias is somebody's own.
		if own := strong(h.Kind) || h.Kind == core.NameAlias && h.Domain == ""; own && h.UserID != u.user.ID && h.ValidTo.IsZero() {
			return fmt.Sprintf("the old name is the %s of user %d by now", h.Kind, h.UserID), nil
		}
	}
	return "", nil
}

// back gathers what brings the person back.
func (u *undo) back(was migrated) error {
	have, err := u.tx.UserNames(u.ctx, u.user.ID)
	if err != nil {
		return err
	}
	for _, put := range was.Put {
		folded, err := auth.Canon(put.Name)
		if err != nil {
			return err
		}
		for _, n := range have {
			if !n.ValidTo.IsZero() || n.Kind != put.Kind || n.Folded != folded || n.Domain != put.Domain {
				continue
			}
			if n.Kind == core.NameAlias {
				u.gone = append(u.gone, n.ID) // the old username is one again
				continue
			}
			n.ValidTo = u.now // it was theirs for a while: it is kept for them
			u.todo.ends = append(u.todo.ends, n)
		}
	}
	for _, ended := range was.Ended {
		folded, err := auth.Canon(ended.Name)
		if err != nil {
			return err
		}
		u.todo.puts = append(u.todo.puts, core.LoginName{
			UserID: u.user.ID, Name: ended.Name, Folded: folded, Kind: ended.Kind, Domain: ended.Domain, Source: ended.Source, ValidFrom: ended.From,
		})
	}
	user := u.user
	user.Username, user.UpdatedAt = was.Old, u.now
	switch u.UsernameRule(user.Source) {
	case MigrateUPN, MigrateMail, "auto":
		user.KeepsUsername = was.Keeps || was.Old != was.New
	default:
		user.KeepsUsername = was.Keeps
	}
	u.todo.users = append(u.todo.users, user)
	u.todo.events = append(u.todo.events, core.AuditEvent{At: u.now, Actor: u.actor, Action: "user.rename.undo", Target: fmt.Sprintf("user:%d", user.ID), Detail: "username,names"})
	return nil
}

// finish writes, and the record of the undo.
func (u *undo) finish(of core.SyncRun) error {
	run := core.SyncRun{
		Source: of.Source, Kind: core.RunUndo, Undoes: of.ID, StartedAt: u.now, FinishedAt: u.now, Outcome: "ok",
		Read: u.out.People, Renamed: u.Count(MigrateRename), Updated: u.Count(MigrateFollow), Conflicts: u.Count(MigrateConflict),
		Message: fmt.Sprintf("took the usernames of run %d back", of.ID),
	}
	var err error
	if u.out.Run, err = u.tx.CreateSyncRun(u.ctx, run); err != nil {
		return err
	}
	of.UndoneBy = u.out.Run
	if err := u.tx.UpdateSyncRun(u.ctx, of); err != nil {
		return err
	}
	for _, id := range u.gone {
		if err := u.tx.DeleteName(u.ctx, id); err != nil {
			return err
		}
	}
	return u.todo.flush(&u.change)
}
