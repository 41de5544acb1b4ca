package dirsync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// ids returns the identities of a user, as text.
func (s *site) ids(id core.UserID) (list []string) {
	s.view(func(ctx context.Context, tx store.Tx) {
		all, err := tx.UserIdentities(ctx, id)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range all {
			list = append(list, fmt.Sprintf("%s %s %s", e.Source, e.Kind, e.ImmutableID))
		}
	})
	return list
}

// The wrong person is the worst answer: whoever claims to be somebody else by what a directory lets people or administrators write.

func TestTwoRecordsWithOneUPNNeverAdoptOnePerson(t *testing.T) {
	s := newSite(t)
	id := s.justInTime("victim@example.org", "another tenant/1")
	src := newTree("entra", oid("tid/1", "victim"), oid("tid/2", "victim"))
	run := s.mustRun(src, Settings{})
	if ids := s.ids(id); len(ids) != 1 || run.Created+run.Updated != 0 || run.Conflicts != 2 || !strings.Contains(run.Message, "somebody else in the source has a name of that user too") {
		t.Errorf("adopted: %v, %+v", ids, run)
	}
	src.remove("tid/2")
	if s.mustRun(src, Settings{}); len(s.ids(id)) != 2 {
		t.Errorf("nobody is adopted when it is clear who it is: %v", s.ids(id))
	}
}

func TestTheNewAddressOfAnotherRecordNeverTakesOverThePersonOfAReplacedSource(t *testing.T) {
	for _, first := range []string{"a", "z"} { // in whatever order they are listed
		for _, address := range []string{"victim@example.org", "victim@mail.example.org"} {
			t.Run(first+" "+address, func(t *testing.T) {
				s := newSite(t)
				s.mustRun(newTree("old", oid("old/1", "victim"), oid("old/2", "other")), Settings{})
				victim := s.owner2("old", core.IdentityEntraOID, "old/1").ID
				mallory, real := person(first+"-mallory", "mallory"), person("m-victim", "victim")
				mallory.Email, real.Email = address, "" // the directory has no address of the victim any more
				src := newTree("new", mallory, real)
				head := s.plan(src, Settings{Replaces: "old"})
				if head.Counts.Proposed != 1 || head.Counts.Linked != 1 {
					t.Errorf("plan %+v", head.Counts)
				}
				run := s.mustRun(src, Settings{Replaces: "old"})
				if got := fmt.Sprint(s.ids(victim)); !strings.Contains(got, "m-victim") || strings.Contains(got, "mallory") {
					t.Errorf("the victim is %s, %+v", got, run)
				}
				if u := s.owner("new", "m-victim"); u.ID != victim || u.DisplayName != "VICTIM" {
					t.Errorf("%+v", u)
				}
			})
		}
	}
	t.Run("nor where two records have it, or somebody who is here", func(t *testing.T) {
		s := newSite(t)
		s.mustRun(newTree("old", oid("old/1", "victim")), Settings{})
		victim := s.owner2("old", core.IdentityEntraOID, "old/1").ID
		a, b := person("1", "one"), person("2", "two")
		a.Email, b.Email = "victim@example.org", "victim@mail.example.org"
		src := newTree("new", a, b)
		if run := s.mustRun(src, Settings{Replaces: "old"}); run.Conflicts != 2 || len(s.ids(victim)) != 1 {
			t.Errorf("%+v, %v", run, s.ids(victim))
		}
		settings := Settings{Replaces: "old"}
		a.Email = "one@mail.example.org"
		src.put(a)
		src.remove("2")
		s.mustRun(src, settings) // one is made
		a.Email = "victim@example.org"
		src.put(a)
		s.mustRun(src, settings)
		b.Email = "victim@example.org"
		src.put(b)
		if run := s.mustRun(src, settings); run.Kind != core.RunChanges || run.Conflicts != 1 || len(s.ids(victim)) != 1 {
			t.Errorf("one is here with that address: %+v, %v", run, s.ids(victim))
		}
	})
}

// A name that the tenant gave to another account is no proof of who it is.
func TestAnotherAccountOfTheTenantIsAnotherPersonWhateverItsName(t *testing.T) {
	s := newSite(t)
	before := s.justInTime("victim@example.org", "tid/1")
	run := s.mustRun(newTree("entra", oid("tid/2", "victim")), Settings{})
	if got := s.ids(before); len(got) != 1 || run.Created != 0 || run.Conflicts != 1 {
		t.Errorf("%v, %+v", got, run)
	}
}

func TestOnlyTheUPNThatTheProviderVouchedForAdopts(t *testing.T) {
	s := newSite(t)
	victim := s.justInTime("victim@example.org", "another tenant/1")
	s.update(func(ctx context.Context, tx store.Tx) error {
		return tx.PutName(ctx, core.LoginName{UserID: victim, Name: "given@example.org", Folded: "given@example.org", Kind: core.NameUPN, ValidFrom: s.now})
	})
	byUsername := person("id-1", "mallory")
	byUsername.Username = "victim@example.org"
	for _, r := range []directory.Record{byUsername, person("id-2", "given")} {
		if run := s.mustRun(newTree("ad", r), Settings{Full: true}); run.Created != 0 || run.Conflicts != 1 || len(s.ids(victim)) != 1 {
			t.Errorf("%s: %+v, %v", r.Where, run, s.ids(victim))
		}
	}
}

// A local account that a provider's sign-in was tied to keeps to itself: the directory knows who it is, and changes nothing.
func TestALocalAccountIsNeverTakenOver(t *testing.T) {
	s := newSite(t)
	id := s.local("keeper")
	s.update(func(ctx context.Context, tx store.Tx) error {
		return tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: "idp:entra", Kind: core.IdentityEntraOID, ImmutableID: "tid/1"})
	})
	src := newTree("entra", oid("tid/1", "renamed"), oid("tid/2", "other"))
	for _, settings := range []Settings{{}, {Replaces: "old"}} {
		s.mustRun(src, settings)
		if u := s.owner2("entra", core.IdentityEntraOID, "tid/1"); u.ID != id || u.Source != core.LocalSource || u.Username != "keeper" || u.DisplayName != "" || u.Email != "" {
			t.Errorf("%+v", u)
		}
		if got := fmt.Sprint(s.names(id)); got != "[username:keeper]" {
			t.Error(got)
		}
	}
	src.remove("tid/1")
	s.mustRun(src, Settings{Full: true})
	s.view(func(ctx context.Context, tx store.Tx) {
		if u, err := tx.User(ctx, id); err != nil || !u.Active() {
			t.Errorf("%+v, %v", u, err)
		}
	})
}

// Half a year after somebody left the name may be another's; who then comes back does not share it.
func TestWhoComesBackNeverSharesTheNameThatWentToSomebodyElse(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", person("id-1", "alex"), person("id-2", "kim"))
	s.mustRun(src, Settings{})
	first := s.owner("corp", "id-1").ID
	src.remove("id-1")
	s.mustRun(src, Settings{})
	s.now = s.now.Add(179 * 24 * time.Hour)
	src.put(person("id-9", "alex"))
	if run := s.mustRun(src, Settings{}); run.Created != 0 || !strings.Contains(run.Message, "is kept for 180 days") {
		t.Fatalf("%+v", run)
	}
	s.now = s.now.Add(2 * 24 * time.Hour)
	if run := s.mustRun(src, Settings{}); run.Created != 1 {
		t.Fatalf("%+v", run)
	}
	src.put(person("id-1", "alex"))
	run := s.mustRun(src, Settings{})
	if run.Restored != 0 || !strings.Contains(run.Message, "cannot come back: the name") || s.owner("corp", "id-1").Active() {
		t.Errorf("%+v", run)
	}
	if got := s.names(s.owner("corp", "id-9").ID); !slices.Contains(got, "upn:alex@example.org") || slices.Contains(s.names(first), "upn:alex@example.org") {
		t.Errorf("%v, %v", got, s.names(first))
	}
}

// An old name still leads people, and their mail and jobs, to who had it.
func TestAFormerUsernameIsKeptForHalfAYear(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", person("id-1", "maiden"))
	s.mustRun(src, Settings{})
	src.put(person("id-1", "married"))
	s.mustRun(src, Settings{})
	first := s.owner("corp", "id-1").ID
	s.now = s.now.Add(179 * 24 * time.Hour)
	src.put(person("id-2", "maiden"))
	if run := s.mustRun(src, Settings{}); run.Created != 0 || run.Conflicts != 1 || !strings.Contains(run.Message, "is kept for 180 days") {
		t.Errorf("%+v", run)
	}
	s.now = s.now.Add(2 * 24 * time.Hour)
	if run := s.mustRun(src, Settings{}); run.Created != 1 || run.Conflicts != 0 {
		t.Errorf("%+v", run)
	}
	if second := s.owner("corp", "id-2").ID; second == first || !slices.Contains(s.names(second), "upn:maiden@example.org") || slices.Contains(s.names(first), "alias:maiden@example.org") {
		t.Errorf("%v, %v", s.names(second), s.names(first))
	}
}

func TestAnAliasIsNeverTheUsernameOfSomebodyWhoIsHere(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", person("id-1", "victim"), person("id-2", "mallory"))
	s.mustRun(src, Settings{})
	s.local("owner")
	src.edit("id-2", func(r *directory.Record) { r.Aliases = []string{"Victim@example.org", "owner", "fine"} })
	run := s.mustRun(src, Settings{})
	if got := s.names(s.owner("corp", "id-2").ID); run.Kind != core.RunChanges || run.Conflicts != 2 || slices.Contains(got, "alias:victim@example.org") ||
		slices.Contains(got, "alias:owner") || !slices.Contains(got, "alias:fine") {
		t.Errorf("%v, %+v", got, run)
	}
}

func TestTheSIDOfSomebodyElseIsLeftOut(t *testing.T) {
	s := newSite(t)
	victim, mallory := person("id-1", "victim"), person("id-2", "mallory")
	victim.SID = "S-1-5-21-1-2-3-1001"
	src := newTree("corp", victim, mallory)
	s.mustRun(src, Settings{})
	mallory.SID = victim.SID
	src.put(mallory)
	run := s.mustRun(src, Settings{})
	if run.Conflicts != 1 || !strings.Contains(run.Message, "has a SID that is another person's; the SID is left out") {
		t.Errorf("%+v", run)
	}
	if got := fmt.Sprint(s.ids(s.owner("corp", "id-2").ID)); strings.Contains(got, "S-1-5") {
		t.Error(got)
	}
}

// What somebody was called once does not keep them from being known.
func TestANameOfThePastContestsNothing(t *testing.T) {
	s := newSite(t)
	old := newTree("old", oid("old/1", "maiden"))
	s.mustRun(old, Settings{})
	old.put(oid("old/1", "married"))
	s.mustRun(old, Settings{Full: true})
	id := s.owner2("old", core.IdentityEntraOID, "old/1").ID
	run := s.mustRun(newTree("new", person("id-1", "married"), person("id-2", "maiden")), Settings{Replaces: "old"})
	if got := s.ids(id); len(got) != 2 || run.Conflicts != 1 || !strings.Contains(run.Message, `was that of user 1`) {
		t.Errorf("%v, %+v", got, run)
	}
}

// One row of the directory must not stop everybody else's.
func TestTheLocalIDOfSomebodyElseIsLeftOut(t *testing.T) {
	a, b := oid("tid/1", "victim"), oid("tid/2", "mallory")
	a.OnPremises = "guid-1"
	t.Run("in a run", func(t *testing.T) {
		s := newSite(t)
		src := newTree("entra", a, b)
		s.mustRun(src, Settings{})
		c := b
		c.OnPremises = "guid-1"
		src.put(c)
		src.put(oid("tid/3", "innocent"))
		run := s.mustRun(src, Settings{})
		if run.Created != 1 || run.Conflicts != 1 || !strings.Contains(run.Message, "has an id of the local directory that is another person's; it is left out") {
			t.Errorf("%+v", run)
		}
		s.mustRun(newTree("ad", person("guid-1", "victim")), Settings{})
		if owner := s.owner("ad", "guid-1"); owner.Username != "victim@example.org" {
			t.Errorf("guid-1 is %+v", owner)
		}
	})
	t.Run("in a push", func(t *testing.T) {
		s := newSite(t)
		s.mustPush(PushSet{People: []directory.Record{a, b}})
		c := b
		c.OnPremises = "guid-1"
		r := s.mustPush(PushSet{People: []directory.Record{c}})
		if len(r.People) != 1 || !strings.Contains(r.People[0].Refused, "another person's") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("of a person of another source", func(t *testing.T) {
		s := newSite(t)
		s.mustRun(newTree("ad", person("guid-1", "victim")), Settings{})
		src := newTree("entra", b)
		s.mustRun(src, Settings{})
		c := b
		c.OnPremises = "guid-1"
		src.put(c)
		if run := s.mustRun(src, Settings{}); run.Conflicts != 1 {
			t.Errorf("%+v", run)
		}
		s.view(func(ctx context.Context, tx store.Tx) {
			if owners, err := tx.OwnersByID(ctx, core.IdentityObjectGUID, "guid-1"); len(owners) != 1 || err != nil {
				t.Errorf("owners %v, %v", owners, err)
			}
		})
	})
}

// A second account of the cloud with the local id of somebody whom the cloud lists is not that person.
func TestASecondIDOfOneSourceIsNotTheSamePersonWhileTheFirstIsListed(t *testing.T) {
	for _, full := range []bool{false, true} {
		for _, by := range []string{"local id", "SID"} {
			t.Run(fmt.Sprint(by, " full ", full), func(t *testing.T) {
				s := newSite(t)
				same := func(r directory.Record) directory.Record {
					if by == "SID" {
						r.SID = "S-1-5-21-1-2-3-1001"
					} else {
						r.OnPremises = "guid-1"
					}
					return r
				}
				victim := person("guid-1", "victim")
				victim.SID = "S-1-5-21-1-2-3-1001"
				s.mustRun(newTree("ad", victim), Settings{})
				id := s.owner("ad", "guid-1").ID
				a := same(oid("tid/1", "victim"))
				src := newTree("entra", a)
				s.mustRun(src, Settings{})
				src.put(same(oid("tid/2", "mallory")))
				run, err := s.run(src, Settings{Full: full})
				if got := fmt.Sprint(s.ids(id)); err != nil || run.Conflicts == 0 || strings.Contains(got, "tid/2") {
					t.Errorf("%+v, %v: the victim is %s", run, err, got)
				}
				src.remove("tid/1") // made anew in the cloud: the local id decides
				if run := s.mustRun(src, Settings{Full: true}); run.Conflicts != 0 || !strings.Contains(fmt.Sprint(s.ids(id)), "tid/2") {
					t.Errorf("%+v, %v", run, s.ids(id))
				}
			})
		}
	}
}

// Two records that one listing brings for the same person by different ids.
func TestTwoNewRecordsAreNeverOnePerson(t *testing.T) {
	s := newSite(t)
	victim := person("guid-1", "victim")
	victim.SID = "S-1-5-21-1-2-3-1001"
	s.mustRun(newTree("ad", victim), Settings{})
	a, b := oid("tid/1", "victim"), oid("tid/2", "mallory")
	a.OnPremises, b.SID = "guid-1", "S-1-5-21-1-2-3-1001"
	run := s.mustRun(newTree("entra", a, b), Settings{})
	if got := s.ids(s.owner("ad", "guid-1").ID); run.Conflicts != 1 || strings.Contains(fmt.Sprint(got), "tid/2") {
		t.Errorf("%+v, %v", run, got)
	}
}

// Whoever runs a directory gives names; roles are not theirs to take by one.
func TestNobodyGetsARoleByAName(t *testing.T) {
	grant := func(s *site, id core.UserID) {
		s.update(func(ctx context.Context, tx store.Tx) error {
			return tx.PutRole(ctx, core.RoleGrant{UserID: id, Role: core.RoleOwner, GrantedAt: s.now, GrantedBy: "cli"})
		})
	}
	t.Run("who signed in by a provider", func(t *testing.T) {
		s := newSite(t)
		owner := s.justInTime("owner@example.org", "tid/1")
		grant(s, owner)
		run := s.mustRun(newTree("ldap", person("id-1", "owner")), Settings{})
		if len(s.ids(owner)) != 1 || run.Conflicts != 1 || !strings.Contains(run.Message, `the role "owner", which nobody gets by a name`) {
			t.Errorf("%+v, %v", run, s.ids(owner))
		}
		if run := s.mustRun(newTree("entra", oid("tid/1", "owner")), Settings{}); run.Conflicts != 0 || len(s.ids(owner)) != 2 {
			t.Errorf("by the id: %+v, %v", run, s.ids(owner))
		}
	})
	t.Run("of a replaced source by an e-mail address", func(t *testing.T) {
		s := newSite(t)
		s.mustRun(newTree("old", oid("old/1", "owner"), oid("old/2", "second")), Settings{})
		first, second := s.owner2("old", core.IdentityEntraOID, "old/1").ID, s.owner2("old", core.IdentityEntraOID, "old/2").ID
		grant(s, first)
		grant(s, second)
		mallory := person("id-1", "mallory")
		mallory.Email = "owner@example.org"
		run := s.mustRun(newTree("new", mallory, person("id-2", "second")), Settings{Replaces: "old"})
		if run.Conflicts != 1 || len(s.ids(first)) != 1 || len(s.ids(second)) != 2 {
			t.Errorf("%+v, %v, %v", run, s.ids(first), s.ids(second))
		}
	})
}
