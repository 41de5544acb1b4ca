package credentials_test

import (
	"slices"
	"testing"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/store"
)

// A card is taken away, or a code replaced, because somebody else may have it: an undo of an older run does not put it in force again.
func TestAnUndoBringsNothingBackThatAnAdministratorReplacedSince(t *testing.T) {
	s := newSite(t, nil)
	r := record("alex", good, "1111", "3333")
	r.PIN = secret.New("4711")
	alex := s.syncOne(core.User{}, r).users[0]
	r2 := record("alex", good2, "2222", "3333")
	r2.PIN = secret.New("9713")
	run := s.syncOne(alex, r2)
	s.syncOne(alex, record("alex", good2, "2222", "3333", "1111")) // the old card is listed again
	if err := s.RemoveCard(t.Context(), "admin", alex.ID, 0, secret.New("1111")); err != nil {
		t.Fatal(err) // and it is lost
	}
	fresh, err := s.NewCode(t.Context(), "admin", alex.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetPIN(t.Context(), "admin", alex.ID, secret.New("8642")); err != nil {
		t.Fatal(err)
	}
	s.update(func(tx store.Tx) error { return s.Revert(t.Context(), tx, s.now, alex.ID, run.undo[0]) })
	s.wantOwner(code, good, "nobody")
	s.wantOwner(code, good2, "nobody")
	s.wantOwner(code, fresh.Reveal(), "alex")
	s.wantOwner(card, "1111", "nobody")
	s.wantOwner(card, "2222", "nobody")
	s.wantOwner(card, "3333", "alex")
	for pin, want := range map[string]bool{"4711": false, "9713": false, "8642": true} {
		if ok, err := s.CheckPIN(t.Context(), alex.ID, secret.New(pin)); err != nil || ok != want {
			t.Errorf("CheckPIN(%s) = %v, %v", pin, ok, err)
		}
	}
	if err := s.SetPIN(t.Context(), "admin", alex.ID, secret.String{}); err != nil {
		t.Fatal(err)
	}
	if got := s.inForce(alex); len(got) != 2 || slices.ContainsFunc(got, func(c string) bool { return c[:3] == "pin" }) {
		t.Errorf("in force: %v", got)
	}
}

func TestTheStateOfACodeIsToldOfItsOwnPersonOnly(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good)).users[0]
	kim := s.syncOne(core.User{}, record("kim", good2)).users[0]
	canonical, err := credentials.CanonCode(secret.New(good))
	if err != nil {
		t.Fatal(err)
	}
	for user, want := range map[core.UserID]bool{alex.ID: true, kim.ID: false} {
		s.update(func(tx store.Tx) error {
			inForce, _, err := s.CodeState(t.Context(), tx, user, canonical)
			if inForce != want {
				t.Errorf("user %d: %v", user, inForce)
			}
			return err
		})
	}
}
