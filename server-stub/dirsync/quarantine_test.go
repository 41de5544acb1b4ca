package dirsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
)

// Whatever is wrong with some records: they are left out with a reason, and the rest goes on.
func TestR_SYNC_2_OddRecordsAreQuarantinedAndTheRestGoesOn(t *testing.T) {
	withCard := func(id, name, card string) directory.Record {
		r := person(id, name)
		r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCard}, secrets(card)
		return r
	}
	for _, tt := range []struct {
		name string
		odd  func() []directory.Record
		says []string
		made int // of the odd ones
	}{
		{"an attribute that is too long", func() []directory.Record {
			r := person("o1", "odd")
			r.Department = strings.Repeat("x", maxText+1)
			return []directory.Record{r}
		}, []string{"CN=odd has a department of 513 bytes, longer than 512"}, 0},
		{"a username that is too long", func() []directory.Record {
			return []directory.Record{person("o1", strings.Repeat("x", 400))}
		}, []string{"has a UPN that cannot be a name"}, 0},
		{"a UPN that two have", func() []directory.Record {
			return []directory.Record{person("o1", "odd"), person("o2", "odd")}
		}, []string{`several records want the name "odd@example.org"`}, 0},
		{"a name that mixes scripts", func() []directory.Record {
			return []directory.Record{person("o1", "us\u0435r0")}
		}, []string{"mixes scripts"}, 0},
		{"a card that is somebody's: the person is made without it", func() []directory.Record {
			return []directory.Record{withCard("o1", "odd", "12345678"), withCard("o2", "even", "12345678")}
		}, []string{"the card ...5678 is already that of user"}, 2},
		{"an id that two have", func() []directory.Record {
			return []directory.Record{person("o1", "odd"), person("o1", "even")}
		}, []string{"has an immutable id that several records have"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.cred = newWallet()
			s.use(s.store)
			src := &list{id: "corp", people: append(people(3), tt.odd()...)}
			run := s.mustSync(src)
			if run.Created != 3+tt.made || run.Conflicts == 0 {
				t.Errorf("%+v", run)
			}
			for _, says := range tt.says {
				if !strings.Contains(run.Message, says) {
					t.Errorf("the message lacks %q:\n%s", says, run.Message)
				}
			}
			again := s.mustSync(src)
			if again.Conflicts != run.Conflicts || again.Created+again.Updated+again.Disabled != 0 {
				t.Errorf("they are told of every time: %+v", again)
			}
			src.people = append(people(3), person("o9", "fine"))
			if last := s.mustSync(src); last.Conflicts != 0 {
				t.Errorf("once it is put right: %+v", last)
			}
		})
	}
}

func TestAttributesThatAreTooLongLeaveThePersonAsIs(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(2)...)
	s.mustRun(src, Settings{})
	before := s.picture()
	src.edit("id-1", func(r *directory.Record) { r.DisplayName = strings.Repeat("ä", maxText) })
	if run := s.mustRun(src, Settings{}); run.Conflicts != 1 || run.Updated+run.Disabled != 0 || fmt.Sprint(before) != fmt.Sprint(s.picture()) {
		t.Errorf("%+v", run)
	}
}

func TestA3_57_WhoIsAddedAgainHasEverythingAgain(t *testing.T) {
	s := newSite(t)
	w := newWallet()
	s.cred = w
	s.use(s.store)
	manager := sessions.New(s.store, func() time.Time { return s.now.Add(5 * time.Second) }, sessions.Options{}) // what ends does so after the commit
	s.sync.cfg.OnChange = func(id core.UserID) { manager.UserChanged(context.WithoutCancel(t.Context()), id) }
	src := newTree("corp", people(3)...)
	src.edit("id-1", func(r *directory.Record) {
		r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCard}, secrets("12345678")
	})
	s.mustRun(src, Settings{})
	u := s.owner("corp", "id-1")
	tokens, _, err := manager.Issue(t.Context(), u.ID, sessions.Info{StaySignedIn: true})
	if err != nil {
		t.Fatal(err)
	}
	over, ended, err := manager.Issue(t.Context(), u.ID, sessions.Info{StaySignedIn: true})
	if err != nil {
		t.Fatal(err)
	}
	before := s.picture()
	src.remove("id-1")
	s.mustRun(src, Settings{})
	if _, _, err := manager.Authenticate(t.Context(), tokens.Access); err == nil {
		t.Error("A3_56 the tokens of somebody who left still work")
	}
	if err := manager.Revoke(t.Context(), "admin", u.ID, ended.ID); err != nil { // in the same minute
		t.Error(err)
	}
	if fmt.Sprint(w.cards[u.ID]) != "[12345678]" {
		t.Errorf("cards %v", w.cards)
	}
	s.now = s.now.Add(20 * 24 * time.Hour)
	if _, err := manager.Purge(t.Context()); err != nil {
		t.Error(err)
	}
	back := person("id-1", "user1")
	back.Credentials, back.Cards = []core.CredentialKind{core.CredentialCard}, secrets("12345678")
	src.put(back)
	run := s.mustRun(src, Settings{})
	if run.Restored != 1 || run.Created != 0 {
		t.Errorf("%+v", run)
	}
	if after := s.picture(); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	next, _, err := manager.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
	if err != nil {
		t.Fatalf("the tokens of before: %v", err)
	}
	if _, got, err := manager.Authenticate(t.Context(), next.Access); err != nil || got.ID != u.ID {
		t.Errorf("the tokens of before: user %d, %v", got.ID, err)
	}
	if _, _, err := manager.Refresh(t.Context(), over.Refresh, sessions.Info{}); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("a session that an administrator ended: %v", err)
	}
}

func TestA3_24_A3_39_SyncNowBringsNewPeopleAndTellsThem(t *testing.T) {
	s := newSite(t)
	var told []string
	s.notify = func(_ context.Context, _ store.Tx, n Notice) error {
		told = append(told, fmt.Sprint(n.Kind, " ", n.User.ID, " ", n.User.Username))
		return nil
	}
	s.use(s.store)
	src := newTree("corp", people(2)...)
	src.edit("id-1", func(r *directory.Record) { r.Disabled = true })
	s.mustRun(src, Settings{})
	if got := fmt.Sprint(told); got != "[welcome 1 user0@example.org]" {
		t.Errorf("told %s", got)
	}
	told = nil
	s.mustRun(src, Settings{Full: true})
	if len(told) != 0 {
		t.Errorf("told again %v", told)
	}
}

func TestA3_20_CardsAndCodesGoThroughCredentials(t *testing.T) {
	s := newSite(t)
	w := newWallet()
	s.cred = w
	var told []string
	s.notify = func(_ context.Context, _ store.Tx, n Notice) error {
		told = append(told, string(n.Kind))
		return nil
	}
	s.use(s.store)
	src := newTree("corp", people(2)...)
	src.edit("id-0", func(r *directory.Record) {
		r.Credentials, r.Cards = []core.CredentialKind{core.CredentialCard}, secrets("123")
	})
	head := s.plan(src, Settings{})
	if len(w.cards) != 0 || head.Counts.Weak != 1 {
		t.Errorf("planned: %v, %+v", w.cards, head.Counts)
	}
	if words := strings.Join(s.words(head.ID), "\n"); !strings.Contains(words, "is new; has 1 cards; weak: a card number of less than 6 digits") || strings.Contains(words, "123") {
		t.Error(words)
	}
	s.mustRun(src, Settings{})
	id := s.owner("corp", "id-0").ID
	if fmt.Sprint(w.cards[id]) != "[123]" || strings.Join(told, " ") != "code_changed welcome welcome" {
		t.Errorf("cards %v, told %v", w.cards, told)
	}
	src.edit("id-0", func(r *directory.Record) { r.Cards = nil })
	told = nil
	run := s.mustRun(src, Settings{})
	if run.Updated != 1 || len(w.cards[id]) != 0 || fmt.Sprint(told) != "[code_changed]" {
		t.Errorf("%+v, cards %v, told %v", run, w.cards, told)
	}
	s.undo(run.ID)
	if fmt.Sprint(w.cards[id]) != "[123]" {
		t.Errorf("undone: %v", w.cards)
	}
}

func TestA1_46_A1_52_TheUPNStaysWholeAndUsernamesOfDomainsDoNotClash(t *testing.T) {
	s := newSite(t)
	north, south := person("g1", "alex"), person("g2", "alex")
	south.Username, south.UPN, south.Domain = "alex@south.example.org", "alex@south.example.org", "SOUTH"
	run := s.mustRun(newTree("corp", north, south), Settings{})
	if run.Created != 2 || run.Conflicts != 0 {
		t.Errorf("%+v", run)
	}
	if u := s.owner("corp", "g2"); u.Username != "alex@south.example.org" {
		t.Errorf("%+v", u)
	}
	if got := fmt.Sprint(s.names(s.owner("corp", "g2").ID)); !strings.Contains(got, `sam:south\alex`) || !strings.Contains(got, "upn:alex@south.example.org") {
		t.Errorf("names %s", got)
	}
}

func TestA1_49_A2_18_A2_21_EveryOtherNameIsALoginName(t *testing.T) {
	for _, rule := range []directory.UsernameRule{directory.UsernameUPN, directory.UsernameSAM, directory.UsernameNickname, directory.UsernameMail} {
		t.Run(string(rule), func(t *testing.T) {
			s := newSite(t)
			r := directory.Record{
				Key: "g1", KeyKind: core.IdentityEntraOID, UPN: "alex@example.org", SAM: "alex-sam", Domain: "CORP", Nickname: "alex-nick",
				Email: "alex@mail.example.org", Aliases: []string{"alex-alias"},
			}
			r.Username = rule.Choose(r)
			s.mustRun(newTree("corp", r), Settings{})
			u := s.owner2("corp", core.IdentityEntraOID, "g1")
			if u.Username != r.Username {
				t.Errorf("username %q, want %q", u.Username, r.Username)
			}
			names := fmt.Sprint(s.names(u.ID))
			for _, n := range []string{"alex@example.org", "alex-sam", "alex-nick", "alex@mail.example.org", "alex-alias"} {
				if !strings.Contains(names, n) {
					t.Errorf("%s is no login name: %s", n, names)
				}
			}
		})
	}
}

func TestShortWayOfFoldingIsTheLongWay(t *testing.T) {
	for _, name := range []string{
		"", " ", "alex", "Alex@Example.ORG", `CORP\Alex`, "a b", " a", "straße", "I", "\u0130", "a\u200db", strings.Repeat("x", auth.MaxNameLength),
		strings.Repeat("x", auth.MaxNameLength+1), "a~!#$%^&*(){}|\"'", "a\x7f", "\x00",
	} {
		short, errShort := canon(name)
		long, errLong := auth.Canon(name)
		if short != long || (errShort == nil) != (errLong == nil) {
			t.Errorf("%q: %q, %v; want %q, %v", name, short, errShort, long, errLong)
		}
	}
}
