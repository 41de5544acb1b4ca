package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// sessionOf is a session with every field set.
func sessionOf(u core.User, id string) core.Session {
	return core.Session{
		ID: id, UserID: u.ID, Assurance: core.AssurancePassword,
		AccessHash: [32]byte{1, id[0]}, AccessExpires: day.Add(time.Minute),
		RefreshHash: [32]byte{2, id[0]}, PreviousHash: [32]byte{3}, PreviousExpires: day.Add(time.Second),
		RefreshExpires: day.Add(time.Hour), Device: "dev", Client: "platen 0.1.0 (linux)", Host: "pc1", Address: "192.0.2.1",
		CreatedAt: day, LastSeenAt: day.Add(time.Second), RevokedAt: time.Time{},
	}
}

var sessionTests = []test{
	{"every field comes back, by id and by access token", func(t *testing.T, s store.Store) {
		want := sessionOf(newUser(t, s, "alex"), "a")
		check := func() {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				got, err := tx.Session(t.Context(), want.ID)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("Session (-want +got): %v\n%s", err, diff)
				}
				got, err = tx.SessionByAccess(t.Context(), want.AccessHash)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("SessionByAccess (-want +got): %v\n%s", err, diff)
				}
				return nil
			})
		}
		update(t, s, func(tx store.Tx) error { return tx.CreateSession(t.Context(), want) })
		check()
		old := want.AccessHash
		want.AccessHash, want.PreviousHash, want.RevokedAt = [32]byte{9}, [32]byte{}, day.Add(time.Minute)
		update(t, s, func(tx store.Tx) error { return tx.UpdateSession(t.Context(), want) })
		check()
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.SessionByAccess(t.Context(), old); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("SessionByAccess of the old token = %v, want core.ErrNotFound", err)
			}
			return nil
		})
	}},
	{"an id, and an access token, belong to one session", func(t *testing.T, s store.Store) {
		a := sessionOf(newUser(t, s, "alex"), "a")
		update(t, s, func(tx store.Tx) error { return tx.CreateSession(t.Context(), a) })
		sameToken := a
		sameToken.ID = "b"
		for _, twin := range []core.Session{a, sameToken} {
			err := s.Update(t.Context(), func(tx store.Tx) error { return tx.CreateSession(t.Context(), twin) })
			if !errors.Is(err, core.ErrConflict) {
				t.Errorf("CreateSession(%s) = %v, want core.ErrConflict", twin.ID, err)
			}
		}
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.UpdateSession(t.Context(), core.Session{ID: "z", UserID: a.UserID}) })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("UpdateSession = %v, want core.ErrNotFound", err)
		}
	}},
	{"all of everybody are revoked at once", func(t *testing.T, s store.Store) {
		alex, bea := sessionOf(newUser(t, s, "alex"), "a"), sessionOf(newUser(t, s, "bea"), "b")
		over := sessionOf(core.User{ID: alex.UserID}, "o")
		over.RevokedAt = day
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateSession(t.Context(), alex), tx.CreateSession(t.Context(), bea), tx.CreateSession(t.Context(), over))
		})
		for _, want := range []int{2, 0} {
			update(t, s, func(tx store.Tx) error {
				n, err := tx.RevokeAllSessions(t.Context(), day.Add(time.Minute))
				if n != want {
					t.Errorf("RevokeAllSessions = %d, want %d", n, want)
				}
				return err
			})
		}
		alex.RevokedAt, bea.RevokedAt = day.Add(time.Minute), day.Add(time.Minute)
		view(t, s, func(tx store.Tx) error {
			for _, want := range []core.Session{alex, bea, over} {
				got, err := tx.Session(t.Context(), want.ID)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("Session (-want +got): %v\n%s", err, diff)
				}
			}
			return nil
		})
	}},
	{"those in force are listed, revoked and forgotten", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		sessions := map[string]core.Session{}
		for id, change := range map[string]func(*core.Session){
			"old": func(x *core.Session) { x.CreatedAt = day.Add(-time.Hour) },
			"new": func(*core.Session) {},
			"rev": func(x *core.Session) { x.RevokedAt = day },
			"exp": func(x *core.Session) { x.RefreshExpires = day },
			"bea": func(x *core.Session) { x.UserID = bea.ID },
		} {
			x := sessionOf(alex, id)
			x.AccessHash = [32]byte{id[0], id[1], id[2]}
			change(&x)
			sessions[id] = x
			update(t, s, func(tx store.Tx) error { return tx.CreateSession(t.Context(), x) })
		}
		list := func(u core.User) (ids []string) {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				list, err := tx.UserSessions(t.Context(), u.ID, day)
				for _, x := range list {
					ids = append(ids, x.ID)
				}
				return err
			})
			return ids
		}
		if diff := cmp.Diff([]string{"new", "old"}, list(alex)); diff != "" {
			t.Errorf("UserSessions (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.RevokeUserSessions(t.Context(), alex.ID, day.Add(time.Minute))
			if n != 3 { // also the expired one
				t.Errorf("RevokeUserSessions = %d, want 3", n)
			}
			return err
		})
		if got := list(alex); len(got) != 0 {
			t.Errorf("UserSessions after revoking = %v, want none", got)
		}
		if diff := cmp.Diff([]string{"bea"}, list(bea)); diff != "" {
			t.Errorf("UserSessions of another (-want +got):\n%s", diff)
		}
		update(t, s, func(tx store.Tx) error {
			n, err := tx.DeleteSessionsBefore(t.Context(), day.Add(time.Second))
			if n != 2 {
				t.Errorf("DeleteSessionsBefore = %d, want the two that ended by then", n)
			}
			return err
		})
	}},
}

var limitTests = []test{
	{"counters come back and are forgotten", func(t *testing.T, s store.Store) {
		want := core.Attempts{Key: "k", Count: 3, FirstAt: day, LastAt: day.Add(time.Minute), BlockedTo: day.Add(time.Hour)}
		check := func(want core.Attempts) {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				got, err := tx.Attempts(t.Context(), want.Key)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("Attempts (-want +got): %v\n%s", err, diff)
				}
				return nil
			})
		}
		forget := func(before time.Time, want int) {
			t.Helper()
			update(t, s, func(tx store.Tx) error {
				n, err := tx.DeleteAttemptsBefore(t.Context(), before)
				if n != want {
					t.Errorf("DeleteAttemptsBefore = %d, want %d", n, want)
				}
				return err
			})
		}
		check(core.Attempts{Key: "k"})
		update(t, s, func(tx store.Tx) error {
			return tx.PutAttempts(t.Context(), core.Attempts{Key: "k", Count: 1, FirstAt: day})
		})
		update(t, s, func(tx store.Tx) error { return tx.PutAttempts(t.Context(), want) })
		check(want)
		forget(day.Add(30*time.Minute), 0) // the block is still on
		check(want)
		forget(day.Add(2*time.Hour), 1)
		check(core.Attempts{Key: "k"})
	}},
}

var syncTests = []test{
	{"runs come back, newest first", func(t *testing.T, s store.Store) {
		first := core.SyncRun{Source: "corp", StartedAt: day}
		second := core.SyncRun{
			Source: "corp", StartedAt: day.Add(time.Hour), FinishedAt: day.Add(2 * time.Hour), Outcome: "ok", Read: 1, Created: 2,
			Updated: 3, Renamed: 4, Disabled: 5, Restored: 6, Conflicts: 7, Message: "done",
			Kind: core.RunChanges, PlanID: "p-1", UndoneBy: 8, Undoes: 9,
		}
		for _, r := range []*core.SyncRun{&first, &second, {Source: "other"}} {
			update(t, s, func(tx store.Tx) (err error) {
				r.ID, err = tx.CreateSyncRun(t.Context(), *r)
				return err
			})
		}
		first.Outcome, first.FinishedAt, first.Message, first.UndoneBy = "failed", day.Add(time.Minute), "the directory is down", second.ID
		update(t, s, func(tx store.Tx) error { return tx.UpdateSyncRun(t.Context(), first) })
		for limit, want := range map[int][]core.SyncRun{1: {second}, 9: {second, first}} {
			view(t, s, func(tx store.Tx) error {
				got, err := tx.SyncRuns(t.Context(), "corp", limit)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("SyncRuns (-want +got): %v\n%s", err, diff)
				}
				return nil
			})
		}
		view(t, s, func(tx store.Tx) error {
			got, err := tx.SyncRun(t.Context(), second.ID)
			if diff := cmp.Diff(second, got); diff != "" || err != nil {
				t.Errorf("SyncRun (-want +got): %v\n%s", err, diff)
			}
			return nil
		})
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.UpdateSyncRun(t.Context(), core.SyncRun{ID: 99}) })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("UpdateSyncRun = %v, want core.ErrNotFound", err)
		}
	}},
}

var auditTests = []test{
	{"events come back, newest first, page by page", func(t *testing.T, s store.Store) {
		var want []core.AuditEvent
		for _, action := range []string{"one", "two", "three"} {
			e := core.AuditEvent{At: day, Actor: "admin", Action: action, Target: "user:1", Detail: "d"}
			update(t, s, func(tx store.Tx) error { return tx.AppendAudit(t.Context(), e) })
			want = append([]core.AuditEvent{e}, want...)
		}
		view(t, s, func(tx store.Tx) error {
			var got []core.AuditEvent
			before := int64(0)
			for {
				page, err := tx.AuditEvents(t.Context(), before, 2)
				if err != nil || len(page) == 0 {
					for i := range got {
						got[i].ID = 0
					}
					if diff := cmp.Diff(want, got); diff != "" || err != nil {
						t.Errorf("AuditEvents (-want +got): %v\n%s", err, diff)
					}
					return nil
				}
				got = append(got, page...)
				before = page[len(page)-1].ID
			}
		})
	}},
}

var metaTests = []test{
	{"a value is set and replaced", func(t *testing.T, s store.Store) {
		wantMeta(t, s, "currency", "")
		for _, v := range []string{"EUR", "CHF"} {
			update(t, s, func(tx store.Tx) error { return tx.SetMeta(t.Context(), "currency", v) })
			wantMeta(t, s, "currency", v)
		}
	}},
}
