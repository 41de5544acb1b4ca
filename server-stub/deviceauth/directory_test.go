package deviceauth_test

import (
	"errors"
	"testing"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/deviceauth"
	"github.com/platenprint/platen/server-stub/store"
)

// outsider adds somebody whom no directory of the configuration keeps, with the ids given.
func (f *fixture) outsider(t *testing.T, upn string, source core.SourceID, ids ...core.ExternalIdentity) core.UserID {
	t.Helper()
	var id core.UserID
	f.update(t, func(tx store.Tx) (err error) {
		if id, err = tx.CreateUser(t.Context(), core.User{Username: upn, Source: source, CreatedAt: start}); err != nil {
			return err
		}
		for _, e := range ids {
			e.UserID = id
			err = errors.Join(err, tx.PutIdentity(t.Context(), e))
		}
		return errors.Join(err, tx.PutName(t.Context(),
			core.LoginName{UserID: id, Name: upn, Folded: auth.Folded(upn), Kind: core.NameUPN, Source: source, ValidFrom: start}))
	})
	return id
}

// The local owner of last resort is proven by a password or passkey: no machine knows them, so one that says their name says more
// than it can know. The same goes for people whom only a web provider knows.
func TestAMachineVouchesForNobodyWhomMachinesDoNotKnow(t *testing.T) {
	f := newFixture(t, groups)
	m := newMachine(t, "a")
	f.enrol(t, m, "lab")
	owner := f.outsider(t, "owner@example.org", core.LocalSource)
	f.update(t, func(tx store.Tx) error {
		return tx.PutRole(t.Context(), core.RoleGrant{UserID: owner, Role: core.RoleOwner, GrantedBy: "setup", GrantedAt: start})
	})
	f.outsider(t, "guest@example.org", "idp:google", core.ExternalIdentity{Source: "idp:google", Kind: "sub", ImmutableID: "https://accounts.google.com 1089"})
	for _, upn := range []string{"owner@example.org", "guest@example.org"} {
		for _, kind := range []string{"domain", "azuread"} {
			if _, err := f.vouch(t, m, api.OSAccount{Kind: kind, Domain: "CORP", Name: "x", UPN: upn}); !errors.Is(err, deviceauth.ErrRefused) {
				t.Errorf("%s as an account of kind %s: %v", upn, kind, err)
			}
		}
	}
	linked := f.outsider(t, "cleo@example.org", "idp:microsoft", core.ExternalIdentity{Source: "idp:microsoft", Kind: core.IdentityEntraOID, ImmutableID: tenant + "/11111111-0886-4a73-b745-c694da45ddb4"})
	code, err := f.vouch(t, m, api.OSAccount{Kind: "azuread", Domain: "AzureAD", Name: "Cleo", UPN: "cleo@example.org"})
	if err != nil {
		t.Fatal("somebody of the tenant whom no directory lists:", err)
	}
	if grant := f.who(t, code); grant.User != linked {
		t.Errorf("user %d", grant.User)
	}
}
