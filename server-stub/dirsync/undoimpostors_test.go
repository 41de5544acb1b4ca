package dirsync

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// The source keeps saying that it replaces another one for years: a newcomer with the name of somebody who left before the switch gets
// neither balance nor cards.
func TestWhoHasTheNameOfSomebodyWhoLeftTheReplacedSourceNeverInherits(t *testing.T) {
	for _, by := range []string{"UPN", "e-mail address"} {
		t.Run(by, func(t *testing.T) {
			s := newSite(t)
			old := newTree("old", oid("old/1", "leaver"), oid("old/2", "stayer"), oid("old/3", "third"))
			s.mustRun(old, Settings{})
			leaver, stayer := s.owner2("old", core.IdentityEntraOID, "old/1").ID, s.owner2("old", core.IdentityEntraOID, "old/2").ID
			old.remove("old/1")
			s.mustRun(old, Settings{Full: true})
			s.now = s.now.Add(switchTime - 24*time.Hour)
			old.remove("old/2") // the old directory is being emptied
			s.mustRun(old, Settings{Full: true})
			s.now = s.now.Add(2 * 24 * time.Hour)
			newcomer := person("id-1", "leaver")
			if by != "UPN" {
				newcomer = person("id-1", "newcomer")
				newcomer.Email = "leaver@example.org"
			}
			run := s.mustRun(newTree("new", newcomer, person("id-2", "stayer")), Settings{Replaces: "old"})
			if got := s.ids(leaver); len(got) != 1 {
				t.Errorf("somebody else got the account of who had left: %v, %+v", got, run)
			}
			if by == "UPN" && !strings.Contains(run.Message, "who left on 2026-11-21 under another id, and is kept for 180 days") {
				t.Errorf("%+v", run)
			}
			if got := s.ids(stayer); len(got) != 2 {
				t.Errorf("who left with the old source is not taken over: %v", got)
			}
		})
	}
}

func TestAnUndoNeverTiesAnIDThatIsSomebodyElsesByNow(t *testing.T) {
	s := newSite(t)
	s.mustRun(newTree("ad", person("guid-1", "first"), person("guid-2", "second")), Settings{})
	first := s.owner("ad", "guid-1").ID
	a, b := oid("tid/1", "first"), oid("tid/2", "second")
	a.OnPremises, b.OnPremises = "guid-1", "guid-2"
	src := newTree("entra", a, b)
	run := s.mustRun(src, Settings{})
	undone := s.undo(run.ID)
	if got := s.ids(first); len(got) != 1 {
		t.Errorf("still tied: %v", got)
	}
	src.put(oid("tid/1", "third")) // the cloud corrects who it is
	s.mustRun(src, Settings{})
	third := s.owner2("entra", core.IdentityEntraOID, "tid/1")
	again := s.undo(undone.ID)
	if got := s.owner2("entra", core.IdentityEntraOID, "tid/1"); got.ID != third.ID || third.ID == first {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(again.Message, `a oid of source "entra" is that of user 3 now`) {
		t.Error(again.Message)
	}
	if got := s.owner2("entra", core.IdentityEntraOID, "tid/2"); got.Username != "second@example.org" {
		t.Errorf("the rest was not done again: %+v", got)
	}
}

// Mail with codes goes to the address of the person: one that went to somebody else does not come back.
func TestAnUndoNeverGivesAnAddressBackThatSomebodyElseGotSince(t *testing.T) {
	s := newSite(t)
	first, second, shared := person("id-1", "first"), person("id-2", "second"), person("id-3", "third")
	shared.Email = "office@mail.example.org"
	other := person("id-4", "fourth")
	other.Email = shared.Email
	src := newTree("corp", first, second, shared, other)
	s.mustRun(src, Settings{})
	first.Email, shared.Email = "moved@mail.example.org", "own@mail.example.org"
	src.put(first)
	src.put(shared)
	run := s.mustRun(src, Settings{})
	second.Email = "first@mail.example.org"
	src.put(second)
	s.mustRun(src, Settings{})
	undone := s.undo(run.ID)
	if u := s.owner("corp", "id-1"); u.Email != "moved@mail.example.org" || slices.Contains(s.names(u.ID), "email:first@mail.example.org") {
		t.Errorf("%+v %v", u, s.names(u.ID))
	}
	if u := s.owner("corp", "id-3"); u.Email != "office@mail.example.org" {
		t.Errorf("an address that two people always had: %+v", u)
	}
	if !strings.Contains(undone.Message, `"first@mail.example.org" is somebody else's now`) {
		t.Error(undone.Message)
	}
}

// Whoever was erased stays so, whatever is undone.
func TestAnUndoNeverBringsBackWhoWasErased(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", person("id-1", "aaa"), person("id-2", "bbb"))
	first := s.mustRun(src, Settings{})
	id := s.owner("corp", "id-1").ID
	src.put(person("id-1", "married"))
	renamed := s.mustRun(src, Settings{})
	s.update(func(ctx context.Context, tx store.Tx) error {
		return errors.Join(tx.ForgetInDirectories(ctx, id), tx.DeleteNames(ctx, id), tx.DeleteIdentities(ctx, id),
			tx.UpdateUser(ctx, core.User{ID: id, Disabled: true, ErasedAt: s.now, CreatedAt: s.now, UpdatedAt: s.now}))
	})
	for _, undone := range []core.SyncRun{s.undo(renamed.ID), s.undo(first.ID)} {
		s.undo(undone.ID)
		s.view(func(ctx context.Context, tx store.Tx) {
			u, err := tx.User(ctx, id)
			names, namesErr := tx.UserNames(ctx, id)
			if err != nil || namesErr != nil || u.ErasedAt.IsZero() || u.Username != "" || !u.Disabled || len(names) != 0 || len(s.ids(id)) != 0 {
				t.Errorf("%+v, %v", u, names)
			}
		})
	}
}
