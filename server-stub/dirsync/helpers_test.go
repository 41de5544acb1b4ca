package dirsync

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// list is a directory held in memory.
type list struct {
	id     core.SourceID
	people []directory.Record
	err    error // after everybody
	during func()
}

func (l *list) ID() core.SourceID { return l.id }

func (l *list) Check(context.Context) (string, error) { return "fine", nil }

func (l *list) Read(_ context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	if l.during != nil {
		l.during()
	}
	for _, r := range l.people {
		if err := sink.Person(r); err != nil {
			return directory.Reading{}, err
		}
	}
	return directory.Reading{Complete: true}, l.err
}

// person is a record with the names a person of that short name usually has.
func person(id, name string) directory.Record {
	return directory.Record{
		Key: id, KeyKind: core.IdentityObjectGUID, Username: name + "@example.org", UPN: name + "@example.org", SAM: name, Domain: "CORP",
		Email: name + "@mail.example.org", DisplayName: strings.ToUpper(name), Where: "CN=" + name,
	}
}

// people is n of them.
func people(n int) []directory.Record {
	var all []directory.Record
	for i := range n {
		all = append(all, person(fmt.Sprintf("id-%d", i), fmt.Sprintf("user%d", i)))
	}
	return all
}

// site is a store with a Syncer and a clock.
type site struct {
	t       testing.TB
	store   store.Store
	sync    *Syncer
	now     time.Time
	changed []core.UserID
	keys    *keys.Keys
	cred    Credentials
	notify  Notify
	failed  []core.SyncRun
}

func newSite(t testing.TB) *site {
	s := &site{t: t, store: storetest.OpenSQLite(t), now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	folder, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	if s.keys, err = keys.Create(folder); err != nil {
		t.Fatal(err)
	}
	s.use(s.store)
	return s
}

func (s *site) use(st store.Store) {
	s.sync = New(st, func() time.Time { return s.now }, Config{
		Logger:   slog.New(slog.NewTextHandler(s.t.Output(), nil)),
		OnChange: func(id core.UserID) { s.changed = append(s.changed, id) },
		Keys:     s.keys, Credentials: s.cred, Notify: s.notify,
		OnFailure: func(run core.SyncRun) { s.failed = append(s.failed, run) },
	})
}

// mustSync runs a synchronisation that must end well, a minute after the last one.
func (s *site) mustSync(src directory.Source) core.SyncRun {
	s.t.Helper()
	run, err := s.try(src, Options{})
	if err != nil || run.Outcome != OutcomeOK {
		s.t.Fatalf("sync: outcome %q, %v", run.Outcome, err)
	}
	return run
}

func (s *site) try(src directory.Source, opts Options) (core.SyncRun, error) {
	s.now = s.now.Add(time.Minute)
	s.changed = nil
	return s.sync.Sync(s.t.Context(), src, opts)
}

func (s *site) view(fn func(ctx context.Context, tx store.Tx)) {
	s.t.Helper()
	if err := s.store.View(s.t.Context(), func(tx store.Tx) error { fn(s.t.Context(), tx); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) update(fn func(ctx context.Context, tx store.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), func(tx store.Tx) error { return fn(s.t.Context(), tx) }); err != nil {
		s.t.Fatal(err)
	}
}

// owner returns the user who has that id in the source.
func (s *site) owner(source core.SourceID, id string) core.User {
	s.t.Helper()
	var u core.User
	s.view(func(ctx context.Context, tx store.Tx) {
		uid, err := tx.IdentityOwner(ctx, source, core.IdentityObjectGUID, id)
		if err != nil {
			s.t.Fatalf("who is %s: %v", id, err)
		}
		if u, err = tx.User(ctx, uid); err != nil {
			s.t.Fatal(err)
		}
	})
	return u
}

// names returns the names in force, sorted: "alias:old@example.org", "sam:corp\alex".
func (s *site) names(id core.UserID) []string {
	var out []string
	s.view(func(ctx context.Context, tx store.Tx) {
		all, err := tx.UserNames(ctx, id)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, n := range all {
			if n.ValidTo.IsZero() {
				out = append(out, nameText(n))
			}
		}
	})
	slices.Sort(out)
	return out
}

func nameText(n core.LoginName) string {
	if n.Domain != "" {
		return fmt.Sprintf("%s:%s\\%s", n.Kind, n.Domain, n.Folded)
	}
	return fmt.Sprintf("%s:%s", n.Kind, n.Folded)
}

// picture is everything about everybody, as one text for each user, without the times that change by themselves.
func (s *site) picture() map[core.UserID]string {
	out := map[core.UserID]string{}
	s.view(func(ctx context.Context, tx store.Tx) {
		all, err := tx.ListUsers(ctx, store.UserFilter{IncludeDeleted: true})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, u := range all {
			identities, err := tx.UserIdentities(ctx, u.ID)
			if err != nil {
				s.t.Fatal(err)
			}
			out[u.ID] = fmt.Sprintf("%s|%s|%s|%s|%s|%s|disabled=%v deleted=%v|%v|%v", u.Username, u.DisplayName, u.Email, u.Department, u.Office, u.Source,
				u.Disabled, !u.DeletedAt.IsZero(), s.names(u.ID), identities)
		}
	})
	return out
}

// local makes an account of no directory.
func (s *site) local(name string) core.UserID {
	var id core.UserID
	s.update(func(ctx context.Context, tx store.Tx) error {
		var err error
		if id, err = tx.CreateUser(ctx, core.User{Username: name, CreatedAt: s.now, UpdatedAt: s.now}); err != nil {
			return err
		}
		return tx.PutName(ctx, core.LoginName{UserID: id, Name: name, Folded: fold(name), Kind: core.NameUsername, ValidFrom: s.now})
	})
	return id
}

func fold(name string) auth.Folded {
	folded, err := auth.Canon(name)
	if err != nil {
		panic(err)
	}
	return folded
}

func (s *site) audit() []string {
	var out []string
	s.view(func(ctx context.Context, tx store.Tx) {
		events, err := tx.AuditEvents(ctx, 0, 1000)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range events {
			out = append(out, fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Target, e.Detail))
		}
	})
	slices.Reverse(out)
	return out
}

// Options are for one run of a test.
type Options struct {
	Brake Brake
	// Approve, when not empty, lets the run pass the brake, which in the program takes the id of a plan.
	Approve string
}

// Sync is Run with nothing but a brake set.
func (s *Syncer) Sync(ctx context.Context, source directory.Source, opts Options) (core.SyncRun, error) {
	return s.sync(ctx, source, Settings{Brake: opts.Brake}, opts.Approve)
}
