package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

func (s *site) undo(run int64) core.SyncRun {
	s.t.Helper()
	s.now = s.now.Add(time.Minute)
	s.changed = nil
	undone, err := s.sync.Undo(s.t.Context(), run, "it was a mistake")
	if err != nil {
		s.t.Fatalf("undo %d: %v", run, err)
	}
	return undone
}

// The wrong scope: everybody but a few leaves, an administrator even approves it, and one command brings them back.
func TestA1_02_UndoAfterAWrongScopeBringsEverybodyBack(t *testing.T) {
	s := newSite(t)
	w := newWallet()
	s.cred = w
	s.use(s.store)
	src := newTree("corp")
	for i, r := range people(60) {
		r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCard}, secrets(fmt.Sprintf("card-%04d", i))
		src.put(r)
	}
	src.group("g1", "few", "id-0", "id-1", "id-2")
	s.mustRun(src, Settings{})
	before, cards := s.picture(), fmt.Sprint(w.cards)
	scope := Settings{Scope: Scope{Groups: []string{"few"}}}
	run, err := s.run(src, scope)
	if err == nil {
		t.Fatal("the brake did not stop it")
	}
	run, err = s.apply("corp", run.PlanID, "only the few shall print")
	if err != nil || run.Disabled != 57 {
		t.Fatalf("%+v, %v", run, err)
	}
	undone := s.undo(run.ID)
	if undone.Kind != core.RunUndo || undone.Undoes != run.ID || undone.Restored != 57 || len(s.changed) != 57 {
		t.Errorf("undo %+v, %d told", undone, len(s.changed))
	}
	if diff := cmp.Diff(before, s.picture()); diff != "" || cards != fmt.Sprint(w.cards) {
		t.Errorf("-before +after the undo\n%s", diff)
	}
	st, err := s.sync.State(t.Context(), "corp")
	if err != nil || st.PausedAt.IsZero() || !strings.Contains(st.PausedWhy, fmt.Sprint("run ", run.ID)) {
		t.Errorf("the source is not paused: %+v, %v", st, err)
	}
	if err := s.sync.Resume(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	if st, _ := s.sync.State(t.Context(), "corp"); !st.PausedAt.IsZero() || st.PausedWhy != "" {
		t.Errorf("still paused: %+v", st)
	}
	if run := s.mustRun(src, Settings{}); run.Kind != core.RunFull || run.Created+run.Updated+run.Disabled+run.Restored+run.Renamed != 0 {
		t.Errorf("with the right scope again: %+v", run)
	}
	if _, err := s.sync.Undo(t.Context(), run.ID, "again"); !errors.Is(err, core.ErrConflict) {
		t.Errorf("undone twice: %v", err)
	}
}

func TestUndoTakesEveryKindOfChangeBack(t *testing.T) {
	s := newSite(t)
	w := newWallet()
	s.cred = w
	s.use(s.store)
	src := newTree("corp", people(8)...)
	src.edit("id-7", func(r *directory.Record) { r.Disabled = true })
	src.edit("id-6", func(r *directory.Record) {
		r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCard}, secrets("old-card")
	})
	src.put(person("id-gone", "gone"))
	s.mustRun(src, Settings{})
	src.remove("id-gone")
	s.mustRun(src, Settings{})
	before, cards := s.picture(), fmt.Sprint(w.cards)

	src.edit("id-0", func(r *directory.Record) {
		r.Department, r.Office, r.Email, r.DisplayName, r.Language = "d", "o", "new@mail", "New", "fr"
	})
	src.put(person("id-1", "renamed"))
	src.edit("id-2", func(r *directory.Record) { r.Aliases = []string{"nick"} })
	src.edit("id-3", func(r *directory.Record) { r.Disabled = true })
	src.remove("id-4")
	src.edit("id-5", func(r *directory.Record) { r.SID = "S-1-5-21-7" })
	src.edit("id-6", func(r *directory.Record) { r.Cards = secrets("new-card") })
	src.edit("id-7", func(r *directory.Record) { r.Disabled = false })
	src.put(person("id-gone", "gone"))
	run := s.mustRun(src, Settings{})
	after := s.picture()
	undone := s.undo(run.ID)
	if diff := cmp.Diff(before, s.picture()); diff != "" {
		t.Errorf("-before +after the undo\n%s", diff)
	}
	if got := fmt.Sprint(w.cards); got != cards {
		t.Errorf("cards %s, want %s", got, cards)
	}
	t.Run("and the undo can be undone", func(t *testing.T) {
		again := s.undo(undone.ID)
		if diff := cmp.Diff(after, s.picture()); diff != "" {
			t.Errorf("-before the undo +after it was undone\n%s", diff)
		}
		s.undo(again.ID)
		if diff := cmp.Diff(before, s.picture()); diff != "" {
			t.Errorf("a third time: -want +got\n%s", diff)
		}
	})
	t.Run("the next run does the same again", func(t *testing.T) {
		again := s.mustRun(src, Settings{})
		if again.Kind != core.RunFull || again.Renamed != run.Renamed || again.Disabled != run.Disabled || again.Restored != run.Restored {
			t.Errorf("%+v, want the changes of %+v", again, run)
		}
	})
}

func TestUndoOfAFirstRunKeepsThePeopleSoftDeleted(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(5)...)
	run := s.mustRun(src, Settings{})
	undone := s.undo(run.ID)
	if undone.Disabled != 5 {
		t.Errorf("undo %+v", undone)
	}
	for id, text := range s.picture() {
		if !strings.Contains(text, "deleted=true") {
			t.Errorf("user %d: %s", id, text)
		}
	}
	if again := s.mustRun(src, Settings{}); again.Restored != 5 || again.Created != 0 {
		t.Errorf("again %+v", again)
	}
}

func TestWhatSomebodyChangedSinceSurvivesAnUndo(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(4)...)
	s.mustRun(src, Settings{})
	src.edit("id-0", func(r *directory.Record) { r.Department, r.Office = "new", "new" })
	src.edit("id-1", func(r *directory.Record) { r.Disabled = true })
	src.put(person("id-2", "renamed"))
	run := s.mustRun(src, Settings{})
	s.update(func(ctx context.Context, tx store.Tx) error {
		first, err := tx.User(ctx, s.owner("corp", "id-0").ID)
		if err != nil {
			return err
		}
		first.Office, first.Overdraft = "by hand", 5
		second, err := tx.User(ctx, s.owner("corp", "id-1").ID)
		if err != nil {
			return err
		}
		second.DisabledBySource = false // an administrator disabled the account too
		return errors.Join(tx.UpdateUser(ctx, first), tx.UpdateUser(ctx, second))
	})
	// The old username went to somebody else meanwhile: an administrator freed it.
	renamed := s.owner("corp", "id-2")
	other := s.local("other")
	s.update(func(ctx context.Context, tx store.Tx) error {
		names, err := tx.UserNames(ctx, renamed.ID)
		if err != nil {
			return err
		}
		for _, n := range names {
			if n.Folded == "user2@example.org" && n.Kind == core.NameAlias {
				err = tx.EndName(ctx, n.ID, s.now)
			}
		}
		return errors.Join(err, tx.PutName(ctx, core.LoginName{UserID: other, Name: "user2@example.org", Folded: "user2@example.org", Kind: core.NameAlias, ValidFrom: s.now}))
	})
	undone := s.undo(run.ID)
	u := s.owner("corp", "id-0")
	if u.Department != "" || u.Office != "by hand" || u.Overdraft != 5 {
		t.Errorf("user %+v", u)
	}
	if u := s.owner("corp", "id-1"); !u.Disabled || u.DisabledBySource {
		t.Errorf("what an administrator disabled: %+v", u)
	}
	if names := s.names(renamed.ID); slices.Contains(names, "upn:user2@example.org") {
		t.Errorf("a name that is somebody else's now was given back: %v", names)
	}
	for _, says := range []string{"keeps office, which changed since", "keeps disabled, which changed since", `"user2@example.org" is somebody else's now`} {
		if !strings.Contains(undone.Message, says) {
			t.Errorf("the message lacks %q:\n%s", says, undone.Message)
		}
	}
}

func TestUndoRefusesWhatCannotBeUndone(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	run := s.mustRun(src, Settings{})
	if _, err := s.sync.Undo(t.Context(), run.ID, ""); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := s.sync.Undo(t.Context(), 99, "x"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a run that never was: %v", err)
	}
	src.fault = errors.New("down")
	failed, _ := s.run(src, Settings{})
	if _, err := s.sync.Undo(t.Context(), failed.ID, "x"); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a run that failed: %v", err)
	}
	s.now = s.now.Add(keepJournal + time.Hour)
	if err := s.sync.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.sync.Undo(t.Context(), run.ID, "x"); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a run of last month: %v", err)
	}
}
