package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// oid is a record as Entra lists it.
func oid(id, name string) directory.Record {
	r := person(id, name)
	r.KeyKind, r.SAM, r.Domain = core.IdentityEntraOID, "", ""
	return r
}

func TestTwoConnectionsToOneDirectoryAreDetected(t *testing.T) {
	s := newSite(t)
	first, second := newTree("corp", people(5)...), newTree("corp-again", people(5)...)
	s.mustRun(first, Settings{})
	before := s.picture()
	run := s.mustRun(second, Settings{})
	if run.Created+run.Updated != 0 || run.Conflicts != 5 || !strings.HasPrefix(run.Message, `5 of the people are listed by source "corp" too, under the same ids: two sources read one directory`) {
		t.Errorf("%+v", run)
	}
	if after := s.picture(); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if run := s.mustRun(first, Settings{Full: true}); run.Updated+run.Disabled+run.Conflicts != 0 {
		t.Errorf("the first source: %+v", run)
	}
}

func TestAPersonOfTwoDirectoriesIsLinkedByTheLocalDirectorysID(t *testing.T) {
	for _, first := range []string{"AD first", "Entra first"} {
		t.Run(first, func(t *testing.T) {
			s := newSite(t)
			cloud := oid("tid/1", "user1")
			cloud.OnPremises = "id-1"
			ad, entra := newTree("ad", people(3)...), newTree("entra", cloud)
			order := []*tree{ad, entra}
			if first == "Entra first" {
				slices.Reverse(order)
			}
			s.mustRun(order[0], Settings{})
			run := s.mustRun(order[1], Settings{})
			if run.Conflicts != 0 {
				t.Errorf("%+v", run)
			}
			s.view(func(ctx context.Context, tx store.Tx) {
				a, errA := tx.IdentityOwner(ctx, "ad", core.IdentityObjectGUID, "id-1")
				b, errB := tx.IdentityOwner(ctx, "entra", core.IdentityEntraOID, "tid/1")
				if a != b || errA != nil || errB != nil {
					t.Errorf("users %d and %d, %v, %v", a, b, errA, errB)
				}
			})
			if got := fmt.Sprint(s.living()); got != "[user0 user1 user2]" {
				t.Error(got)
			}
			if run := s.mustRun(order[1], Settings{Full: true}); run.Updated+run.Conflicts != 0 {
				t.Errorf("again: %+v", run)
			}
			if run := s.mustRun(order[0], Settings{Full: true}); run.Updated+run.Conflicts+run.Disabled != 0 {
				t.Errorf("the other again: %+v", run)
			}
			if keeper := s.owner2("entra", core.IdentityEntraOID, "tid/1"); keeper.Source != order[0].id {
				t.Errorf("kept by %q", keeper.Source)
			}
		})
	}
}

func TestA1_56_AfterASwitchOfTheSourcePeopleKeepTheirUsernames(t *testing.T) {
	s := newSite(t)
	old := newTree("nick")
	for i := range 3 {
		r := directory.Record{
			Key: fmt.Sprintf("old-%d", i), KeyKind: core.IdentityEntraOID, Username: fmt.Sprintf("nick%d", i), Nickname: fmt.Sprintf("nick%d", i),
			Email: fmt.Sprintf("user%d@example.org", i), DisplayName: "old", Where: fmt.Sprint("old ", i),
		}
		old.put(r)
	}
	s.mustRun(old, Settings{})
	id := s.owner2("nick", core.IdentityEntraOID, "old-1").ID
	next := newTree("std", people(4)...)
	t.Run("a match by e-mail is only proposed", func(t *testing.T) {
		head := s.plan(next, Settings{})
		if head.Counts.Created != 1 || head.Counts.Proposed != 3 || head.Counts.Conflicts != 3 || head.Counts.Linked != 0 {
			t.Errorf("%+v", head.Counts)
		}
		words := strings.Join(s.words(head.ID), "\n")
		if !strings.Contains(words, fmt.Sprintf(`user1@example.org (CN=user1): may be user %d (source "nick"), who has the same UPN: nobody was made; if it is, say that this source replaces "nick"`, id)) {
			t.Error(words)
		}
	})
	settings := Settings{Replaces: "nick"}
	run := s.mustRun(next, settings)
	if run.Created != 1 || run.Conflicts != 0 {
		t.Errorf("%+v", run)
	}
	if got := fmt.Sprint(s.living()); got != "[nick0 nick1 nick2 user3]" {
		t.Error(got)
	}
	u := s.owner("std", "id-1")
	if u.ID != id || u.Username != "nick1" || !u.KeepsUsername || u.Source != "std" || u.DisplayName != "USER1" {
		t.Errorf("%+v", u)
	}
	if names := fmt.Sprint(s.names(id)); !strings.Contains(names, "upn:user1@example.org") || !strings.Contains(names, "username:nick1") {
		t.Errorf("names %s", names)
	}
	if run := s.mustRun(next, Settings{Replaces: "nick", Full: true}); run.Created+run.Updated+run.Renamed+run.Conflicts != 0 {
		t.Errorf("again: %+v", run)
	}
	next.put(person("id-1", "married"))
	if s.mustRun(next, settings); s.owner("std", "id-1").Username != "nick1" {
		t.Error("a renamed person lost the username of before the switch")
	}
	if run := s.mustRun(old, Settings{}); run.Created+run.Updated+run.Disabled != 0 {
		t.Errorf("the source that was replaced still changes people: %+v", run)
	}
}

// owner2 is owner for any kind of id.
func (s *site) owner2(source core.SourceID, kind core.IdentityKind, id string) (u core.User) {
	s.t.Helper()
	s.view(func(ctx context.Context, tx store.Tx) {
		uid, err := tx.IdentityOwner(ctx, source, kind, id)
		if err != nil {
			s.t.Fatal(err)
		}
		if u, err = tx.User(ctx, uid); err != nil {
			s.t.Fatal(err)
		}
	})
	return u
}

// justInTime makes somebody as a sign-in with an identity provider does.
func (s *site) justInTime(name, id string) (user core.UserID) {
	s.update(func(ctx context.Context, tx store.Tx) (err error) {
		if user, err = tx.CreateUser(ctx, core.User{Username: name, Source: "idp:entra", CreatedAt: s.now, UpdatedAt: s.now}); err != nil {
			return err
		}
		return errors.Join(
			tx.PutName(ctx, core.LoginName{UserID: user, Name: name, Folded: fold(name), Kind: core.NameUPN, Source: "idp:entra", ValidFrom: s.now}),
			tx.PutIdentity(ctx, core.ExternalIdentity{UserID: user, Source: "idp:entra", Kind: core.IdentityEntraOID, ImmutableID: id}),
		)
	})
	return user
}

func TestWhoSignedInBeforeTheDirectoryCameIsAdopted(t *testing.T) {
	s := newSite(t)
	byID := s.justInTime("maiden@example.org", "tid/1")
	byName := s.justInTime("user2@example.org", "another tenant/1")
	src := newTree("entra", oid("tid/1", "married"), oid("tid/2", "user2"), oid("tid/3", "user3"))
	run := s.mustRun(src, Settings{})
	if run.Created != 1 || run.Conflicts != 0 || run.Renamed != 1 {
		t.Errorf("%+v", run)
	}
	if u := s.owner2("entra", core.IdentityEntraOID, "tid/1"); u.ID != byID || u.Source != "entra" || u.Username != "married@example.org" {
		t.Errorf("by the id: %+v", u)
	}
	if names := s.names(byID); !slices.Contains(names, "alias:maiden@example.org") {
		t.Errorf("names %v", names)
	}
	if u := s.owner2("entra", core.IdentityEntraOID, "tid/2"); u.ID != byName || u.Source != "entra" {
		t.Errorf("by the UPN: %+v", u)
	}
	t.Run("an e-mail address is no proof", func(t *testing.T) {
		s := newSite(t)
		s.justInTime("somebody@mail.example.org", "tid/9")
		run := s.mustRun(newTree("entra", oid("tid/1", "somebody")), Settings{})
		if run.Created != 1 {
			t.Errorf("%+v", run)
		}
	})
}

func TestALinkThatIsNotClearIsRefused(t *testing.T) {
	s := newSite(t)
	old := newTree("old")
	for i, name := range []string{"one", "two"} {
		r := oid(fmt.Sprintf("tid/%d", i), name)
		r.Email = "shared@example.org"
		old.put(r)
	}
	s.mustRun(old, Settings{})
	r := person("g1", "new")
	r.Email = "shared@example.org"
	if run := s.mustRun(newTree("std", r), Settings{Replaces: "old"}); run.Created+run.Updated != 0 || run.Conflicts != 1 || !strings.Contains(run.Message, "any of the users [1 2]") {
		t.Errorf("%+v", run)
	}
	both := person("g2", "both")
	both.SID = "S-1-5-21-1"
	both.OnPremises = "x"
	for i, identity := range []core.ExternalIdentity{
		{Source: "old", Kind: core.IdentitySID, ImmutableID: "S-1-5-21-1"}, {Source: "old", Kind: core.IdentityObjectGUID, ImmutableID: "x"},
	} {
		s.update(func(ctx context.Context, tx store.Tx) error {
			identity.UserID = s.owner2("old", core.IdentityEntraOID, fmt.Sprintf("tid/%d", i)).ID
			return tx.PutIdentity(ctx, identity)
		})
	}
	if run := s.mustRun(newTree("std2", both), Settings{}); run.Created+run.Updated != 0 || run.Conflicts != 1 || !strings.Contains(run.Message, "one of them must go first") {
		t.Errorf("%+v", run)
	}
}
