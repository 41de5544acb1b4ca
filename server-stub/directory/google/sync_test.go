package google

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/clock"
	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// site is a customer, a server's database, and everything between.
type site struct {
	*customer

	source *Source
	store  store.Store
	cards  *credentials.Service
	sync   *dirsync.Syncer
	told   []dirsync.Notice
}

func newSite(t *testing.T, dir emulator.Directory, change func(*Config)) *site {
	t.Helper()
	folder, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	k, err := keys.Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{customer: newCustomer(t, dir), store: storetest.OpenSQLite(t)}
	cfg := s.config()
	if change != nil {
		change(&cfg)
	}
	s.source, _ = source(t, cfg, t.Output())
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	notify := func(_ context.Context, _ store.Tx, n dirsync.Notice) error {
		s.told = append(s.told, n)
		return nil
	}
	s.cards = credentials.New(credentials.Deps{
		Store: s.store, Clock: clock.System, Keys: k, Policy: credentials.DefaultPolicy(), Hasher: passhash.New(passhash.Params{Time: 1, MemoryKiB: 64, Parallelism: 1}), Notify: notify, Logger: log,
	})
	s.sync = dirsync.New(s.store, clock.System, dirsync.Config{Logger: log, Keys: k, Credentials: s.cards, Notify: notify})
	return s
}

func (s *site) run(t *testing.T, settings dirsync.Settings) core.SyncRun {
	t.Helper()
	s.told = nil
	run, err := s.sync.Run(t.Context(), s.source, settings)
	if err != nil || run.Outcome != dirsync.OutcomeOK {
		t.Fatalf("%+v, %v", run, err)
	}
	return run
}

// owner is whose card or code it is, "" for nobody's.
func (s *site) owner(t *testing.T, kind core.CredentialKind, value string) string {
	t.Helper()
	find := s.cards.FindCard
	if kind == core.CredentialCode {
		find = s.cards.FindCode
	}
	f, err := find(t.Context(), secret.New(value))
	if err != nil {
		if !errors.Is(err, core.ErrNotFound) {
			t.Error(err)
		}
		return ""
	}
	return f.User.Username
}

func (s *site) user(t *testing.T, name string) core.User {
	t.Helper()
	for _, u := range (&bench{store: s.store}).users(t) {
		if u.Username == name {
			return u
		}
	}
	t.Fatalf("there is no %s", name)
	return core.User{}
}

// notices are those of one kind that somebody got.
func (s *site) notices(name string, kind dirsync.NoticeKind) (list []dirsync.Notice) {
	for _, n := range s.told {
		if n.User.Username == name && n.Kind == kind {
			list = append(list, n)
		}
	}
	return list
}

const (
	mia, code1, code2, card1, card2 = "mia@example.org", "7QF3MZ8K2WX9", "R4TN6HJ0PVC5", "04A1B2C3D4", "04FFEEDDCC"
)

func of(values object) emulator.User {
	return emulator.User{"primaryEmail": mia, "customSchemas": object{"PaperCut": values}}
}

// Whoever prints here already, by code, gets a card in Google: the run that brings it is enough to release with it. Nothing is asked for
// with it, and what they used until then goes on working.
func TestA3_34_WhoPrintsAlreadyReleasesWithTheSyncedCardStraightAway(t *testing.T) {
	d := school(20)
	d.Users = append(d.Users, of(object{"accessCode": code1}))
	s := newSite(t, d, nil)
	s.run(t, dirsync.Settings{})
	before := s.user(t, mia)
	if s.owner(t, core.CredentialCode, code1) != mia || s.owner(t, core.CredentialCard, card1) != "" {
		t.Fatal("mia prints by code, and has no card yet")
	}
	s.Change(mia, of(object{"cardNumber": card1, "accessCode": code1}))
	if s.owner(t, core.CredentialCard, card1) != "" {
		t.Error("the card works before the synchronisation")
	}
	s.run(t, dirsync.Settings{})
	for _, typed := range []string{card1, "04:a1:b2:c3:d4", "04-A1-B2-C3-D4"} { // as readers write it
		found, err := s.cards.FindCard(t.Context(), secret.New(typed))
		if err != nil || found.User.ID != before.ID || found.NeedsPIN {
			t.Errorf("the card %s right after the run: %s, needs a PIN: %t, %v", typed, found.User.Username, found.NeedsPIN, err)
		}
	}
	if s.owner(t, core.CredentialCode, code1) != mia {
		t.Error("the code does not work any more")
	}
	s.Change(mia, of(object{"cardNumber": card2, "accessCode": code1}))
	s.run(t, dirsync.Settings{})
	if s.owner(t, core.CredentialCard, card2) != mia || s.owner(t, core.CredentialCard, card1) != "" {
		t.Error("a new card does not take the place of the old one at once")
	}
}

func TestFromGoogleToTheDevice(t *testing.T) {
	d := school(20)
	d.Users = append(d.Users, of(object{"cardNumber": card1, "accessCode": code1}))
	s := newSite(t, d, nil)
	s.run(t, dirsync.Settings{})
	t.Run("A3_26_code_and_card_work_right_after_the_run", func(t *testing.T) {
		if s.owner(t, core.CredentialCode, code1) != mia || s.owner(t, core.CredentialCard, card1) != mia {
			t.Error("they do not")
		}
	})
	t.Run("A3_33_they_are_with_the_person_they_were_set_for", func(t *testing.T) {
		for name, card := range map[string]string{mia: card1, "person3@example.org": "04A100000003"} {
			if got := s.owner(t, core.CredentialCard, card); got != name {
				t.Errorf("the card of %s is that of %q", name, got)
			}
		}
	})
	t.Run("A3_19_a_changed_code", func(t *testing.T) {
		s.Change(mia, of(object{"cardNumber": card1, "accessCode": code2}))
		s.run(t, dirsync.Settings{})
		if s.owner(t, core.CredentialCode, code1) != "" || s.owner(t, core.CredentialCode, code2) != mia {
			t.Error("the old code works, or the new one does not")
		}
	})
	for _, row := range []string{"A3_20_A3_21_a_deleted_code_is_replaced_and_told"} {
		t.Run(row, func(t *testing.T) {
			s.Change(mia, of(object{"cardNumber": card1}))
			s.run(t, dirsync.Settings{})
			told := s.notices(mia, dirsync.NoticeCodeReplaced)
			if s.owner(t, core.CredentialCode, code2) != "" || len(told) != 1 {
				t.Fatalf("the deleted code works, or nobody was told: %v", told)
			}
			if s.owner(t, core.CredentialCode, told[0].Code.Reveal()) != mia {
				t.Error("the new code does not work")
			}
		})
	}
	t.Run("A3_22_Google_is_the_only_source_of_truth", func(t *testing.T) {
		s.Change(mia, of(object{"cardNumber": card2, "accessCode": code1}))
		s.run(t, dirsync.Settings{})
		if s.owner(t, core.CredentialCard, card1) != "" || s.owner(t, core.CredentialCard, card2) != mia || s.owner(t, core.CredentialCode, code1) != mia {
			t.Error("what is in force is not what Google has")
		}
	})
	t.Run("a schema that is deleted takes nobody's card", func(t *testing.T) {
		s.SetSchemas()
		s.run(t, dirsync.Settings{})
		if s.owner(t, core.CredentialCard, card2) != mia || s.owner(t, core.CredentialCode, code1) != mia {
			t.Error("it does")
		}
		s.SetSchemas(emulator.PaperCut())
	})
	t.Run("A3_38_without_auto_delete_who_is_gone_stays", func(t *testing.T) {
		s.Remove("person7@example.org")
		s.run(t, dirsync.Settings{NoDelete: true})
		if u := s.user(t, "person7@example.org"); u.Disabled || !u.DeletedAt.IsZero() {
			t.Errorf("%+v", u)
		}
		s.run(t, dirsync.Settings{})
		if u := s.user(t, "person7@example.org"); u.DeletedAt.IsZero() {
			t.Errorf("%+v", u)
		}
	})
}

func TestA2_22_PeopleOfGroupsWithinGroups(t *testing.T) {
	s := newSite(t, school(10), nil)
	run := s.run(t, dirsync.Settings{Scope: dirsync.Scope{Groups: []string{"staff@example.org"}}})
	if run.Created != 5 {
		t.Errorf("%d people of staff@, whose only member is science@", run.Created)
	}
	_, err := s.sync.Run(t.Context(), s.source, dirsync.Settings{Scope: dirsync.Scope{Groups: []string{"nobody@example.org"}}})
	if err == nil || !strings.Contains(err.Error(), "nobody@example.org") {
		t.Errorf("%v", err)
	}
}
