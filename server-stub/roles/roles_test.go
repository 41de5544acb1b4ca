package roles_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type fixture struct {
	*roles.Service
	db      store.Store
	token   string
	changed []core.UserID
	setups  int
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{db: storetest.OpenSQLite(t), token: "the-token"}
	f.Service = roles.New(roles.Deps{
		Store: f.db, Clock: func() time.Time { return now },
		OnChange: func(_ context.Context, id core.UserID) { f.changed = append(f.changed, id) },
		SetupToken: func() (secret.String, error) {
			if f.token == "" {
				return secret.String{}, core.ErrNotFound
			}
			return secret.New(f.token), nil
		},
		OnSetup: func(context.Context) { f.setups++; f.token = "" },
	})
	return f
}

func (f *fixture) person(t *testing.T, name string) (id core.UserID) {
	t.Helper()
	if err := f.db.Update(t.Context(), func(tx store.Tx) (err error) {
		id, err = tx.CreateUser(t.Context(), core.User{Username: name, CreatedAt: now})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

func (f *fixture) disable(t *testing.T, id core.UserID) {
	t.Helper()
	if err := f.db.Update(t.Context(), func(tx store.Tx) error {
		u, err := tx.User(t.Context(), id)
		if err != nil {
			return err
		}
		u.Disabled = true
		return tx.UpdateUser(t.Context(), u)
	}); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) audit(t *testing.T) (lines []string) {
	t.Helper()
	if err := f.db.View(t.Context(), func(tx store.Tx) error {
		events, err := tx.AuditEvents(t.Context(), 0, 100)
		for _, e := range events {
			lines = append([]string{fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Target, e.Detail)}, lines...)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestEveryGrantIsAudited(t *testing.T) {
	f := newFixture(t)
	alex := f.person(t, "alex")
	for _, role := range []core.Role{core.RoleHelpdesk, core.RoleHelpdesk, core.RoleAuditor} {
		if err := f.Grant(t.Context(), "admin", alex, role); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Revoke(t.Context(), "user:9", alex, core.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	if err := f.Revoke(t.Context(), "user:9", alex, core.RoleHelpdesk); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("taken twice: %v", err)
	}
	want := []string{"admin role.grant user:1 helpdesk", "admin role.grant user:1 auditor", "user:9 role.revoke user:1 helpdesk"}
	if diff := cmp.Diff(want, f.audit(t)); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]core.UserID{alex, alex, alex}, f.changed); diff != "" {
		t.Errorf("told of (-want +got):\n%s", diff)
	}
	if got, err := f.Of(t.Context(), alex); err != nil || !cmp.Equal(got, []core.Role{core.RoleAuditor}) {
		t.Errorf("roles %v, %v", got, err)
	}
}

func TestWhoMayNotSignInHasNoRoles(t *testing.T) {
	f := newFixture(t)
	alex := f.person(t, "alex")
	if err := f.Grant(t.Context(), "admin", alex, core.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	f.disable(t, alex)
	if got, err := f.Of(t.Context(), alex); err != nil || len(got) != 0 {
		t.Errorf("roles %v, %v", got, err)
	}
	if err := f.Grant(t.Context(), "admin", alex, core.RoleOwner); !errors.Is(err, core.ErrDisabled) {
		t.Errorf("a disabled owner: %v", err)
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	f := newFixture(t)
	alex, bea := f.person(t, "alex"), f.person(t, "bea")
	for _, id := range []core.UserID{alex, bea} {
		if err := f.Grant(t.Context(), "admin", id, core.RoleOwner); err != nil {
			t.Fatal(err)
		}
	}
	f.disable(t, bea) // an owner who cannot sign in is none to rely on
	if err := f.Revoke(t.Context(), "admin", alex, core.RoleOwner); !errors.Is(err, core.ErrConflict) {
		t.Errorf("the last owner who may sign in: %v", err)
	}
	if err := f.Revoke(t.Context(), "admin", bea, core.RoleOwner); err != nil {
		t.Errorf("an owner beside another: %v", err)
	}
	if got, err := f.Of(t.Context(), alex); err != nil || !cmp.Equal(got, []core.Role{core.RoleOwner}) {
		t.Errorf("roles %v, %v", got, err)
	}
}

// R-SETUP-1: there is one first owner, and the set-up is over with any owner.
func TestTheFirstOwnerIsMadeOnce(t *testing.T) {
	f := newFixture(t)
	if open, err := f.SetupOpen(t.Context()); !open || err != nil {
		t.Fatalf("open %v, %v", open, err)
	}
	for token, want := range map[string]error{"": core.ErrWrongCredentials, "the-toke": core.ErrWrongCredentials, "the-token": nil} {
		if err := f.CheckSetupToken(secret.New(token)); !errors.Is(err, want) {
			t.Errorf("token %q: %v", token, err)
		}
	}
	first := func(name string) (core.UserID, error) {
		return f.FirstOwner(t.Context(), func(tx store.Tx) (core.UserID, error) {
			return tx.CreateUser(t.Context(), core.User{Username: name, CreatedAt: now})
		})
	}
	id, err := first("alex")
	if err != nil || f.setups != 1 {
		t.Fatalf("%v, %d set-ups", err, f.setups)
	}
	if got, err := f.Of(t.Context(), id); err != nil || !cmp.Equal(got, []core.Role{core.RoleOwner}) {
		t.Errorf("roles %v, %v", got, err)
	}
	if _, err := first("eve"); !errors.Is(err, core.ErrConflict) {
		t.Errorf("a second first owner: %v", err)
	}
	if open, _ := f.SetupOpen(t.Context()); open {
		t.Error("the set-up is still open")
	}
	if err := f.CheckSetupToken(secret.New("")); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("an empty token when there is none: %v", err)
	}
	if err := f.db.View(t.Context(), func(tx store.Tx) error {
		n, err := tx.CountUsers(t.Context(), store.UserFilter{})
		if n != 1 {
			t.Errorf("%d people: the second was kept", n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAnOwnerMadeOnTheServerEndsTheSetup(t *testing.T) {
	f := newFixture(t)
	if err := f.Grant(t.Context(), "admin", f.person(t, "alex"), core.RoleOwner); err != nil {
		t.Fatal(err)
	}
	if open, err := f.SetupOpen(t.Context()); open || err != nil || f.setups != 1 {
		t.Errorf("open %v, %v, %d set-ups", open, err, f.setups)
	}
}
