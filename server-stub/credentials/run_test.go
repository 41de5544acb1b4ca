package credentials_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/mail"
	"github.com/platenprint/platen/server-stub/store"
)

// school is Google Workspace as far as cards and codes go: a list of people.
type school struct{ people []directory.Record }

func (*school) ID() core.SourceID { return source }

func (*school) Check(context.Context) (string, error) { return "fine", nil }

func (s *school) Read(_ context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	for _, r := range s.people {
		if err := sink.Person(r); err != nil {
			return directory.Reading{}, err
		}
	}
	return directory.Reading{Complete: true}, nil
}

// synchronised is a site with a real engine and a real outbox.
type synchronised struct {
	*site
	syncer *dirsync.Syncer
	mail   *mail.Service
}

func newSynchronised(t *testing.T) *synchronised {
	t.Helper()
	s := &synchronised{site: newSite(t, nil)}
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	var err error
	if s.mail, err = mail.New(mail.Deps{
		Store: s.store, Clock: func() time.Time { return s.now }, Keys: s.keys, Logger: logger,
		Settings: mail.Settings{Host: "127.0.0.1", Port: 1, TLS: mail.StartTLS, From: "print@example.org", Language: "en", PerMinute: 60, Welcome: mail.TemplateWelcome, CodeReplaced: true, CodeChanged: true},
	}); err != nil {
		t.Fatal(err)
	}
	s.syncer = dirsync.New(s.store, func() time.Time { return s.now }, dirsync.Config{Logger: logger, Keys: s.keys, Credentials: s.Service, Notify: s.mail.Notify})
	return s
}

func (s *synchronised) run(from directory.Source) core.SyncRun {
	s.t.Helper()
	s.now = s.now.Add(time.Minute)
	run, err := s.syncer.Run(s.t.Context(), from, dirsync.Settings{})
	if err != nil || run.Outcome != dirsync.OutcomeOK {
		s.t.Fatalf("the run ended with %q: %v", run.Outcome, err)
	}
	return run
}

// queued counts waiting mail by template.
func (s *synchronised) queued() map[string]int {
	s.t.Helper()
	list, _, err := s.mail.List(s.t.Context(), []core.MailState{core.MailWaiting}, 0, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, m := range list {
		counts[m.Template]++
	}
	return counts
}

func (s *synchronised) wantQueued(welcome, changed, replaced int) {
	s.t.Helper()
	q := s.queued()
	if q["welcome"] != welcome || q["code_changed"] != changed || q["code_replaced"] != replaced {
		s.t.Errorf("mail waits: %v, want %d welcomes, %d of changed and %d of replaced codes", q, welcome, changed, replaced)
	}
}

func TestA3_19_A3_20_A3_21_A3_25_A3_26_FromTheDirectoryToTheMail(t *testing.T) {
	s := newSynchronised(t)
	from := &school{[]directory.Record{record("alex", good, "12345678"), record("bea", "", "87654321"), record("carl", "")}}
	s.run(from)
	s.wantOwner(code, good, "alex")
	s.wantOwner(card, "87654321", "bea")
	s.wantQueued(3, 0, 0)
	s.run(from) // nothing new
	s.wantQueued(3, 0, 0)

	from.people[0].AccessCode = secret.New(good2) // Google changes it
	s.run(from)
	s.wantOwner(code, good2, "alex")
	s.wantOwner(code, good, "nobody")
	s.wantQueued(3, 1, 0)

	from.people[0].AccessCode = secret.String{} // Google deletes it
	changed := s.run(from)
	s.wantOwner(code, good2, "nobody")
	s.wantQueued(3, 1, 1)

	// An undo brings the code back, and the mail that tells of another one is not sent.
	s.now = s.now.Add(time.Minute)
	if _, err := s.syncer.Undo(t.Context(), changed.ID, "a mistake in Google"); err != nil {
		t.Fatal(err)
	}
	s.wantOwner(code, good2, "alex")
	s.wantQueued(2, 0, 0)
}

func TestPeopleWhoLeaveAndComeBackHaveTheirCards(t *testing.T) {
	s := newSynchronised(t)
	all := []directory.Record{record("alex", good, "12345678"), record("bea", good2)}
	s.run(&school{all})
	s.run(&school{all[1:]})
	s.wantOwner(card, "12345678", "disabled")
	s.wantOwner(code, good, "disabled")
	s.run(&school{all})
	s.wantOwner(card, "12345678", "alex")
	s.wantOwner(code, good, "alex")
	s.wantQueued(2, 0, 0)
}

func TestAConflictIsTriedAgainWithTheNextRun(t *testing.T) {
	s := newSynchronised(t)
	from := &school{[]directory.Record{record("alex", good, "12345678"), record("bea", good2, "12345678")}}
	if run := s.run(from); run.Conflicts != 2 {
		t.Errorf("%d conflicts, want one for each of the two: %s", run.Conflicts, run.Message)
	}
	s.wantOwner(card, "12345678", "nobody")
	from.people[1].Cards = nil
	s.run(from)
	s.wantOwner(card, "12345678", "alex")
}

// What a first synchronisation of many people costs with codes, and that no two are the same. Not timed here; the log says how long it took.
func TestManyPeopleGetDifferentCodes(t *testing.T) {
	s := newSite(t, nil)
	const chunks, size = 5, 2000
	began := time.Now()
	s.update(func(tx store.Tx) error {
		run := s.Begin(source)
		for c := range chunks {
			var items []dirsync.CredentialItem
			for i := range size {
				items = append(items, dirsync.CredentialItem{Record: record(fmt.Sprint("u", c*size+i), "")})
			}
			plans, err := run.Plan(t.Context(), tx, items)
			if err != nil {
				return err
			}
			for i := range items {
				u := core.User{Username: items[i].Record.Username, CreatedAt: s.now}
				if u.ID, err = tx.CreateUser(t.Context(), u); err != nil {
					return err
				}
				if _, _, err := run.Apply(t.Context(), tx, s.now, u, plans[i]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	t.Logf("%d people with codes in %v", chunks*size, time.Since(began))
	r, err := s.Report(t.Context(), false)
	if err != nil || r.Codes != chunks*size || r.None != 0 || r.Weak != 0 {
		t.Errorf("Report = %+v, %v", r, err)
	}
	if want := (credentials.Format{Alphabet: credentials.Crockford}).For(chunks * size); r.Length != want {
		t.Errorf("a code made now has %d characters, want %d", r.Length, want)
	}
}
