package credentials_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

const (
	card = core.CredentialCard
	code = core.CredentialCode
)

// good are codes that nothing is weak about.
const (
	good  = "7QF3-MZ8K-2WX9"
	good2 = "R4TN-6HJ0-PVC5"
)

func TestA3_22_WhatTheDirectoryHasIsWhatIsInForce(t *testing.T) {
	s := newSite(t, nil)
	got := s.syncOne(core.User{}, record("alex", good, "04:A2:3B:91", "1234567890"))
	alex := got.users[0]
	for value, kind := range map[string]core.CredentialKind{good: code, "7qf3 mz8k 2wx9": code, "04a23b91": card, "1234567890": card} {
		s.wantOwner(kind, value, "alex") // row A3-26: right after the run
	}
	// Google changes both: the old ones are of no use any more.
	s.syncOne(alex, record("alex", good2, "1234567890", "99998888"))
	for value, want := range map[string]string{good: "nobody", good2: "alex"} {
		s.wantOwner(code, value, want)
	}
	for value, want := range map[string]string{"04A23B91": "nobody", "1234567890": "alex", "99998888": "alex"} {
		s.wantOwner(card, value, want)
	}
	if diff := cmp.Diff([]string{"card source 90", "card source 88", "code source "}, s.inForce(alex)); diff != "" {
		t.Errorf("in force (-want +got):\n%s", diff)
	}
}

func TestA3_26_ASyncedCodeOrCardWorksRightAfterTheSync(t *testing.T) {
	s := newSite(t, nil)
	s.sync(
		dirsync.CredentialItem{Record: record("alex", good)},
		dirsync.CredentialItem{Record: record("bea", "", "55667788")},
		dirsync.CredentialItem{Record: record("carl", "K7X2P9")}, // six characters: together with a PIN, see A3-01 and R-CODE-1
	)
	s.wantOwner(code, good, "alex")
	s.wantOwner(card, "55667788", "bea")
	s.wantOwner(code, "k7x2p9", "carl+PIN")
}

func TestA3_31_EitherOrBothFieldsMayBeFilled(t *testing.T) {
	s := newSite(t, nil)
	got := s.sync(
		dirsync.CredentialItem{Record: record("both", good, "11112222")},
		dirsync.CredentialItem{Record: record("only-card", "", "33334444")},
		dirsync.CredentialItem{Record: record("only-code", good2)},
		dirsync.CredentialItem{Record: record("neither", "")},
	)
	want := [][]string{{"card source 22", "code source "}, {"card source 44", "code generated "}, {"code source "}, {"code generated "}}
	for i, u := range got.users {
		if diff := cmp.Diff(want[i], s.inForce(u)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", u.Username, diff)
		}
	}
}

func TestA3_19_ACodeThatTheDirectoryChangesIsChangedAndTold(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good)).users[0]
	got := s.syncOne(alex, record("alex", good2))
	s.wantOwner(code, good2, "alex")
	s.wantOwner(code, good, "nobody")
	if len(got.notices) != 1 || got.notices[0].Kind != dirsync.NoticeCodeChanged || got.notices[0].Code.Reveal() != "R4TN6HJ0PVC5" {
		t.Errorf("notices = %v, want that the code changed", got.notices)
	}
	if again := s.syncOne(alex, record("alex", good2)); !again.plans[0].Empty() || again.notices != nil || again.undo[0] != nil {
		t.Errorf("the same again: %+v", again)
	}
}

func TestA3_20_A3_21_ADeletedCodeIsReplacedAtOnceAndTold(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good, "12345678")).users[0]
	got := s.syncOne(alex, record("alex", "", "12345678"))
	s.wantOwner(code, good, "nobody")
	if len(got.notices) != 1 || got.notices[0].Kind != dirsync.NoticeCodeReplaced || got.notices[0].User.ID != alex.ID {
		t.Fatalf("notices = %v, want that the code was replaced", got.notices)
	}
	s.wantOwner(code, got.notices[0].Code.Reveal(), "alex")
	if diff := cmp.Diff([]string{"78"}, got.notices[0].Cards); diff != "" {
		t.Errorf("the cards in the notice (-want +got):\n%s", diff)
	}
	if again := s.syncOne(alex, record("alex", "", "12345678")); !again.plans[0].Empty() || again.notices != nil {
		t.Errorf("the run after makes yet another code: %+v", again.plans[0])
	}
	// Also where codes are not made for everybody: who had one has one.
	s.with(func(p *credentials.Policy) { p.Generate = false })
	bea := s.syncOne(core.User{}, record("bea", good)).users[0]
	if got := s.syncOne(bea, record("bea", "")); len(got.notices) != 1 || got.notices[0].Code.Empty() {
		t.Errorf("without generate: notices = %v", got.notices)
	}
}

func TestA3_25_NewPeopleAreWelcomedWithCodeAndCards(t *testing.T) {
	s := newSite(t, nil)
	disabled := record("gone", "")
	disabled.Disabled = true
	got := s.sync(dirsync.CredentialItem{Record: record("alex", good, "12345678", "ABCD")}, dirsync.CredentialItem{Record: record("bea", "")}, dirsync.CredentialItem{Record: disabled})
	if len(got.notices) != 2 {
		t.Fatalf("notices = %v, want two: whoever is disabled is not welcomed", got.notices)
	}
	for i, n := range got.notices {
		if n.Kind != dirsync.NoticeWelcome || n.Code.Empty() {
			t.Errorf("notice %d = %+v", i, n)
		}
	}
	if diff := cmp.Diff([]string{"78", "CD"}, got.notices[0].Cards); diff != "" {
		t.Errorf("cards (-want +got):\n%s", diff)
	}
	s.wantOwner(code, got.notices[1].Code.Reveal(), "bea")
}

func TestA1_59_A1_60_A2_20_SeveralCardsAndAPINArrive(t *testing.T) {
	s := newSite(t, nil)
	r := record("alex", good, "1111", "2222", "3333")
	r.PIN = secret.New("4711")
	alex := s.syncOne(core.User{}, r).users[0]
	if diff := cmp.Diff([]string{"card source 11", "card source 22", "card source 33", "code source ", "pin source "}, s.inForce(alex)); diff != "" {
		t.Errorf("in force, the primary card first (-want +got):\n%s", diff)
	}
	wantPIN := func(pin string, want bool) {
		t.Helper()
		if ok, err := s.CheckPIN(t.Context(), alex.ID, secret.New(pin)); err != nil || ok != want {
			t.Errorf("CheckPIN(%s) = %v, %v, want %v", pin, ok, err, want)
		}
	}
	wantPIN("4711", true) // before it is hashed
	wantPIN("4712", false)
	if err := s.HashPINs(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantPIN("4711", true)
	wantPIN("4712", false)
	have, err := s.List(t.Context(), alex.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range have {
		if c.Kind == core.CredentialPIN && (!strings.HasPrefix(c.PHC, "$argon2id$") || c.Sealed != nil) {
			t.Errorf("the PIN is kept as %+v, want its hash only", c)
		}
	}
	if again := s.syncOne(alex, r); !again.plans[0].Empty() {
		t.Errorf("the same again: %+v", again.plans[0])
	}
	r.PIN, r.Cards = secret.New("9713"), []secret.String{secret.New("3333"), secret.New("1111")}
	s.syncOne(alex, r)
	wantPIN("9713", true)
	wantPIN("4711", false)
	if diff := cmp.Diff([]string{"card source 33", "card source 11", "code source ", "pin source "}, s.inForce(alex)); diff != "" {
		t.Errorf("in force after the order changed (-want +got):\n%s", diff)
	}
	r.PIN = secret.String{}
	s.syncOne(alex, r)
	wantPIN("9713", false)
	// Without the right to speak of cards, none of them changes.
	r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCode}, nil
	s.syncOne(alex, r)
	s.wantOwner(card, "1111", "alex")
}

func TestA1_21_ACardFindsItsPersonWithoutAnyPassword(t *testing.T) {
	s := newSite(t, nil)
	r := record("alex", good, "04A23B91")
	r.PIN = secret.New("4711")
	alex := s.syncOne(core.User{}, r).users[0] // Google's people have no password here
	f, err := s.FindCard(t.Context(), secret.New("04 a2 3b 91"))
	if err != nil || f.User.ID != alex.ID || f.NeedsPIN {
		t.Fatalf("FindCard = %+v, %v, want alex", f, err)
	}
	if ok, err := s.CheckPIN(t.Context(), f.User.ID, secret.New("4711")); err != nil || !ok {
		t.Errorf("CheckPIN = %v, %v", ok, err)
	}
}

func TestDisabledPeopleKeepWhatDoesNotWork(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good, "12345678")).users[0]
	set := func(change func(*core.User)) {
		change(&alex)
		s.update(func(tx store.Tx) error { return tx.UpdateUser(t.Context(), alex) })
	}
	set(func(u *core.User) { u.DeletedAt = s.now })
	s.wantOwner(card, "12345678", "disabled")
	s.wantOwner(code, good, "disabled")
	// Nobody else gets them meanwhile.
	got := s.syncOne(core.User{}, record("bea", good, "12345678"))
	if len(got.plans[0].Problems) != 2 {
		t.Errorf("problems = %q, want two", got.plans[0].Problems)
	}
	set(func(u *core.User) { u.DeletedAt = time.Time{} })
	s.wantOwner(card, "12345678", "alex")
	s.wantOwner(code, good, "alex")
}

func TestWhatIsSomebodyElsesIsRefusedAndReported(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good, "12345678")).users[0]
	got := s.sync(
		dirsync.CredentialItem{Record: record("bea", "7QF3MZ8K2WX9", "1234-5678", "87654321")},
		dirsync.CredentialItem{Record: record("carl", good2, "55556666")},
		dirsync.CredentialItem{Record: record("dora", good2, "55556666")},
	)
	want := [][]string{
		{"the card ending in 78 is already that of user 1", "the access code is already that of user 1"},
		{"the card ending in 66 is given to 2 people, so none of them gets it", "the access code is given to 2 people, so none of them gets it"},
		{"the card ending in 66 is given to 2 people, so none of them gets it", "the access code is given to 2 people, so none of them gets it"},
	}
	for i, p := range got.plans {
		if diff := cmp.Diff(want[i], p.Problems); diff != "" {
			t.Errorf("problems of %s (-want +got):\n%s", got.users[i].Username, diff)
		}
	}
	s.wantOwner(card, "12345678", "alex")
	s.wantOwner(code, good, "alex")
	s.wantOwner(card, "87654321", "bea")
	s.wantOwner(card, "55556666", "nobody")
	// Everybody has a code all the same.
	for _, u := range got.users {
		if have := s.inForce(u); !strings.HasSuffix(have[len(have)-1], "code generated ") {
			t.Errorf("%s has %q, want a made code", u.Username, have)
		}
	}
	// The same in a chunk of its own: the run remembers.
	s.update(func(tx store.Tx) error {
		run := s.Begin(source)
		for i, name := range []string{"erik", "finn"} {
			plans, err := run.Plan(t.Context(), tx, []dirsync.CredentialItem{{Record: record(name, "", "77778888")}})
			if err != nil {
				return err
			}
			if len(plans[0].Problems) != i {
				t.Errorf("%s: problems %q, want %d", name, plans[0].Problems, i)
			}
		}
		return nil
	})
	_ = alex
}

func TestACardThatMovesArrives(t *testing.T) {
	s := newSite(t, nil)
	got := s.sync(dirsync.CredentialItem{Record: record("alex", good, "12345678")}, dirsync.CredentialItem{Record: record("bea", good2, "87654321")})
	alex, bea := got.users[0], got.users[1]
	// They swap cards and codes, in one run.
	moved := s.sync(dirsync.CredentialItem{User: alex, Record: record("alex", good2, "87654321")}, dirsync.CredentialItem{User: bea, Record: record("bea", good, "12345678")})
	for _, p := range moved.plans {
		if p.Problems != nil {
			t.Errorf("problems: %q", p.Problems)
		}
	}
	s.wantOwner(card, "87654321", "alex")
	s.wantOwner(card, "12345678", "bea")
	s.wantOwner(code, good, "bea")
	// And back by one undo, newest first.
	s.update(func(tx store.Tx) error {
		for _, i := range []int{1, 0} {
			if err := s.Revert(t.Context(), tx, s.now, moved.users[i].ID, moved.undo[i]); err != nil {
				return err
			}
		}
		return nil
	})
	s.wantOwner(card, "12345678", "alex")
	s.wantOwner(card, "87654321", "bea")
	s.wantOwner(code, good, "alex")
	s.wantOwner(code, good2, "bea")
}

func TestUndoTakesBackCardsCodesAndPINs(t *testing.T) {
	s := newSite(t, nil)
	r := record("alex", good, "1111")
	r.PIN = secret.New("4711")
	alex := s.syncOne(core.User{}, r).users[0]
	r2 := record("alex", good2, "2222")
	r2.PIN = secret.New("9713")
	got := s.syncOne(alex, r2)
	s.update(func(tx store.Tx) error { return s.Revert(t.Context(), tx, s.now, alex.ID, got.undo[0]) })
	s.wantOwner(code, good, "alex")
	s.wantOwner(code, good2, "nobody")
	s.wantOwner(card, "1111", "alex")
	s.wantOwner(card, "2222", "nobody")
	if ok, err := s.CheckPIN(t.Context(), alex.ID, secret.New("4711")); err != nil || !ok {
		t.Errorf("CheckPIN = %v, %v", ok, err)
	}
	if strings.Contains(string(got.undo[0]), "4711") || strings.Contains(string(got.undo[0]), "7QF3") {
		t.Errorf("the journal has a secret: %s", got.undo[0])
	}
}

func TestRCODE2_WeakCodesAreGradedAndTreatedAsThePolicySays(t *testing.T) {
	codes := map[string]struct {
		code string
		why  string
	}{
		"short":        {"K7X2P9", "it is too short"},
		"digits only":  {"83920175", "digits only need more of them"},
		"sequence":     {"123456789012", "it counts up or down"},
		"repeated":     {"ABABABABABAB", "it repeats itself"},
		"employee":     {"E4711-88XY-Q", "it is like the person's employee number"},
		"username":     {"ALEXANDRATEST9", "it is like the person's username"},
		"card":         {"04A23B91FF00", "it is like the person's card"},
		"mail address": {"a.test.77.example", "left out"},
	}
	for name, tc := range codes {
		t.Run(name, func(t *testing.T) {
			r := record("alexandratest", tc.code, "04A23B91FF00")
			r.EmployeeID = "E471188XYQ"
			for weak, want := range map[credentials.Weak]string{credentials.WeakPIN: "alexandratest+PIN", credentials.WeakAccept: "alexandratest", credentials.WeakRefuse: "nobody"} {
				s := newSite(t, func(p *credentials.Policy) { p.Weak = weak })
				for i := range 30 { // 8 digits would do for a few people
					s.user(fmt.Sprint("other", i))
				}
				got := s.syncOne(core.User{}, r)
				if tc.why == "left out" {
					if !strings.Contains(strings.Join(got.plans[0].Problems, ""), "left out") {
						t.Errorf("problems = %q", got.plans[0].Problems)
					}
					continue
				}
				if !strings.Contains(strings.Join(got.plans[0].Weak, ""), tc.why) {
					t.Errorf("%s: weak = %q, want %q", weak, got.plans[0].Weak, tc.why)
				}
				s.wantOwner(code, tc.code, want)
				if weak == credentials.WeakRefuse {
					s.wantOwner(code, got.notices[0].Code.Reveal(), "alexandratest") // one is made instead
				}
			}
		})
	}
	s := newSite(t, nil)
	if got := s.syncOne(core.User{}, record("alex", good)); got.plans[0].Weak != nil {
		t.Errorf("a good code is called weak: %q", got.plans[0].Weak)
	}
}

func TestACodeOfSomebodyElseNotLongAgoIsWeak(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good)).users[0]
	s.syncOne(alex, record("alex", good2))
	got := s.syncOne(core.User{}, record("bea", good))
	if diff := cmp.Diff([]string{"the access code works only together with a PIN: it was somebody else's not long ago"}, got.plans[0].Weak); diff != "" {
		t.Errorf("weak (-want +got):\n%s", diff)
	}
	s.wantOwner(code, good, "bea+PIN")
}

func TestAPlanChangesNothing(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good, "1111")).users[0]
	if err := s.store.View(t.Context(), func(tx store.Tx) error {
		plans, err := s.Begin(source).Plan(t.Context(), tx, []dirsync.CredentialItem{{User: alex, Record: record("alex", "", "2222")}})
		if diff := cmp.Diff([]string{"cards", "code"}, plans[0].Fields); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"the card ending in 11 ends", "the card ending in 22 is added", "a new access code is made"}, plans[0].Details); diff != "" {
			t.Errorf("details (-want +got):\n%s", diff)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.wantOwner(card, "1111", "alex")
	s.wantOwner(code, good, "alex")
}

func TestWhatADirectoryGaveIsNotEndedByAnother(t *testing.T) {
	s := newSite(t, nil)
	alex := s.syncOne(core.User{}, record("alex", good, "1111")).users[0]
	if err := s.AddCard(t.Context(), "admin", alex.ID, secret.New("2222")); err != nil {
		t.Fatal(err)
	}
	s.update(func(tx store.Tx) error { // another directory knows of none of them
		run := s.Begin("ad")
		plans, err := run.Plan(t.Context(), tx, []dirsync.CredentialItem{{User: alex, Record: directory.Record{Key: "1", Credentials: allKinds}}})
		if err != nil {
			return err
		}
		_, _, err = run.Apply(t.Context(), tx, s.now, alex, plans[0])
		return err
	})
	s.syncOne(alex, record("alex", good)) // and this one no more of its card
	s.wantOwner(card, "1111", "nobody")
	s.wantOwner(card, "2222", "alex")
	s.wantOwner(code, good, "alex")
}
