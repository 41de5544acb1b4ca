package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

var webTests = []test{
	{"a session's kind and proof come back", func(t *testing.T, s store.Store) {
		want := sessionOf(newUser(t, s, "alex"), "a")
		want.Kind, want.ProvenAt = core.SessionAdmin, day.Add(-time.Minute)
		update(t, s, func(tx store.Tx) error { return tx.CreateSession(t.Context(), want) })
		want.ProvenAt = day
		update(t, s, func(tx store.Tx) error { return tx.UpdateSession(t.Context(), want) })
		view(t, s, func(tx store.Tx) error {
			got, err := tx.Session(t.Context(), "a")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Session (-want +got):\n%s", diff)
			}
			return err
		})
	}},
	{"a browser's session is listed until it was idle for too long", func(t *testing.T, s store.Store) {
		u := newUser(t, s, "alex")
		for id, kind := range map[string]core.SessionKind{"c": core.SessionClient, "w": core.SessionWeb, "a": core.SessionAdmin, "o": ""} {
			one := sessionOf(u, id)
			one.Kind = kind
			update(t, s, func(tx store.Tx) error { return tx.CreateSession(t.Context(), one) })
		}
		for at, want := range map[time.Time]int{day: 4, day.Add(time.Minute): 2, day.Add(time.Hour): 0} { // access ends after a minute
			view(t, s, func(tx store.Tx) error {
				list, err := tx.UserSessions(t.Context(), u.ID, at)
				if len(list) != want {
					t.Errorf("at %v %d are listed, want %d", at, len(list), want)
				}
				return err
			})
		}
	}},
	{"roles are granted, listed and taken", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		grants := []core.RoleGrant{
			{UserID: bea.ID, Role: core.RoleAuditor, GrantedBy: "admin", GrantedAt: day},
			{UserID: alex.ID, Role: core.RoleOwner, GrantedBy: "setup", GrantedAt: day},
			{UserID: bea.ID, Role: core.RoleOwner, GrantedBy: "user:1", GrantedAt: day},
		}
		update(t, s, func(tx store.Tx) error {
			for _, g := range grants {
				if err := tx.PutRole(t.Context(), g); err != nil {
					return err
				}
			}
			again := grants[1]
			again.GrantedBy = "somebody else"
			return tx.PutRole(t.Context(), again)
		})
		wantRoles := func(want []core.RoleGrant) {
			t.Helper()
			view(t, s, func(tx store.Tx) error {
				got, err := tx.RoleGrants(t.Context())
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("RoleGrants (-want +got): %v\n%s", err, diff)
				}
				return nil
			})
		}
		wantRoles(grants)
		update(t, s, func(tx store.Tx) error { return tx.DeleteRole(t.Context(), bea.ID, core.RoleAuditor) })
		wantRoles(grants[1:])
		view(t, s, func(tx store.Tx) error {
			got, err := tx.UserRoles(t.Context(), bea.ID)
			if diff := cmp.Diff(grants[2:], got); diff != "" {
				t.Errorf("UserRoles (-want +got):\n%s", diff)
			}
			return err
		})
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteRole(t.Context(), bea.ID, core.RoleAuditor) })
		if !errors.Is(err, core.ErrNotFound) {
			t.Errorf("DeleteRole of one not there = %v", err)
		}
	}},
	{"passkeys come back, and belong to one person", func(t *testing.T, s store.Store) {
		alex, bea := newUser(t, s, "alex"), newUser(t, s, "bea")
		key := core.Passkey{ID: "id-1", UserID: alex.ID, Handle: [32]byte{1, 2}, Name: "laptop", Credential: `{"a":1}`, CreatedAt: day}
		other := key
		other.ID, other.CreatedAt = "id-2", day.Add(time.Second)
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreatePasskey(t.Context(), other), tx.CreatePasskey(t.Context(), key))
		})
		stolen := key
		stolen.UserID = bea.ID
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.CreatePasskey(t.Context(), stolen) }); !errors.Is(err, core.ErrConflict) {
			t.Errorf("CreatePasskey of a known id = %v", err)
		}
		key.Name, key.Credential, key.LastUsedAt = "phone", `{"a":2}`, day.Add(time.Hour)
		update(t, s, func(tx store.Tx) error { return tx.UpdatePasskey(t.Context(), key) })
		view(t, s, func(tx store.Tx) error {
			got, err := tx.UserPasskeys(t.Context(), alex.ID)
			if diff := cmp.Diff([]core.Passkey{key, other}, got); diff != "" || err != nil {
				t.Errorf("UserPasskeys (-want +got): %v\n%s", err, diff)
			}
			one, err := tx.Passkey(t.Context(), "id-1")
			if diff := cmp.Diff(key, one); diff != "" {
				t.Errorf("Passkey (-want +got):\n%s", diff)
			}
			return err
		})
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.DeletePasskey(t.Context(), bea.ID, "id-1") }); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("DeletePasskey of another's = %v", err)
		}
		update(t, s, func(tx store.Tx) error { return tx.DeletePasskey(t.Context(), alex.ID, "id-1") })
		view(t, s, func(tx store.Tx) error {
			if _, err := tx.Passkey(t.Context(), "id-1"); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("Passkey of a removed one = %v", err)
			}
			return nil
		})
	}},
	{"a flow is taken once", func(t *testing.T, s store.Store) {
		f := core.Flow{Hash: [32]byte{1}, Browser: [32]byte{2}, Kind: "oidc", Data: "{}", ExpiresAt: day}
		late := core.Flow{Hash: [32]byte{3}, Browser: [32]byte{2}, Kind: "oidc", Data: "{}", ExpiresAt: day.Add(time.Hour)}
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.CreateFlow(t.Context(), f), tx.CreateFlow(t.Context(), late))
		})
		update(t, s, func(tx store.Tx) error {
			got, err := tx.TakeFlow(t.Context(), f.Hash)
			if diff := cmp.Diff(f, got); diff != "" {
				t.Errorf("TakeFlow (-want +got):\n%s", diff)
			}
			return err
		})
		update(t, s, func(tx store.Tx) error {
			if _, err := tx.TakeFlow(t.Context(), f.Hash); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("TakeFlow again = %v", err)
			}
			return nil
		})
		update(t, s, func(tx store.Tx) error {
			for before, want := range map[time.Time]int{day.Add(time.Hour): 0} {
				if n, err := tx.DeleteFlowsBefore(t.Context(), before); n != want || err != nil {
					t.Errorf("DeleteFlowsBefore = %d, %v", n, err)
				}
			}
			n, err := tx.DeleteFlowsBefore(t.Context(), day.Add(2*time.Hour))
			if n != 1 {
				t.Errorf("DeleteFlowsBefore = %d, want 1", n)
			}
			return err
		})
	}},
}
