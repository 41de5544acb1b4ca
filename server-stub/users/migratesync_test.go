package users_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// listing is a directory.
type listing []directory.Record

func (listing) ID() core.SourceID                     { return "corp" }
func (listing) Check(context.Context) (string, error) { return "", nil }

func (l listing) Read(_ context.Context, _ directory.Request, sink directory.Sink) (directory.Reading, error) {
	for _, r := range l {
		if err := sink.Person(r); err != nil {
			return directory.Reading{}, err
		}
	}
	return directory.Reading{Complete: true}, nil
}

// people are alex and sam, named by a rule.
func people(rule directory.UsernameRule) listing {
	l := listing{
		{Key: "1", KeyKind: core.IdentityObjectGUID, UPN: "alex.test@example.org", SAM: "alex", Domain: "CORP", Email: "alex@mail.example.org"},
		{Key: "2", KeyKind: core.IdentityObjectGUID, UPN: "sam@example.org", SAM: "sam", Domain: "CORP"},
	}
	for i := range l {
		l[i].Username = rule.Choose(l[i])
	}
	return l
}

// The directory's next run finds people as the migration left them, and after an undo lets them be, until they are migrated again.
func TestA1_56_A1_57_TheDirectoryAgreesWithTheMigration(t *testing.T) {
	f := newFixture(t)
	syncer := dirsync.New(f.store, func() time.Time { return f.now }, dirsync.Config{Logger: slog.New(slog.DiscardHandler)})
	sync := func(l listing) core.SyncRun {
		t.Helper()
		f.now = f.now.Add(time.Hour)
		run, err := syncer.Run(t.Context(), l, dirsync.Settings{Full: true})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	id := func(name string) core.UserID {
		t.Helper()
		u, err := f.users.Find(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	sync(people(directory.UsernameSAM))
	alex, sam := id("alex"), id("sam")
	before := f.userNames(t, alex)

	m := f.migrate(t, toUPN())
	if m.Count(users.MigrateRename) != 2 {
		t.Fatalf("%+v", m)
	}
	migrated := f.userNames(t, alex)
	run := sync(people(directory.UsernameUPN))
	if run.Renamed+run.Updated+run.Created+run.Disabled+run.Conflicts != 0 {
		t.Errorf("the next run is %+v", run)
	}
	if diff := cmp.Diff(migrated, f.userNames(t, alex)); diff != "" || f.user(t, alex).Username != "alex.test@example.org" {
		t.Errorf("the next run changed:\n%s", diff)
	}

	upn := func(core.SourceID) string { return "upn" }
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run, upn, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, f.userNames(t, alex)); diff != "" {
		t.Errorf("the undo left:\n%s", diff)
	}
	sync(people(directory.UsernameUPN))
	if u := f.user(t, alex); u.Username != "alex" || f.user(t, sam).Username != "sam" {
		t.Errorf("the run after the undo renamed people again: %+v", u)
	}

	f.migrate(t, toUPN())
	moved := people(directory.UsernameUPN)
	moved[0].UPN, moved[0].Username = "alexandra@example.org", "alexandra@example.org"
	sync(moved)
	if u := f.user(t, alex); u.Username != "alexandra@example.org" || u.KeepsUsername {
		t.Errorf("people do not follow the directory after the migration: %+v", u)
	}
	for _, job := range []string{"alex", "alex.test@example.org", "alexandra@example.org"} {
		if got := f.owner(t, job); got != alex {
			t.Errorf("a job of %s is user %d's", job, got)
		}
	}
}

// A rename of a bulk migration is undone by its own command alone.
func TestARenameIsNoSynchronisation(t *testing.T) {
	f := newFixture(t)
	f.addShort(t, "alex", "alex.test@example.org")
	m := f.migrate(t, toUPN())
	syncer := dirsync.New(f.store, func() time.Time { return f.now }, dirsync.Config{Logger: slog.New(slog.DiscardHandler)})
	if _, err := syncer.Undo(t.Context(), m.Run, "wrong"); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), "names migrate --undo") {
		t.Errorf("the engine answered %v", err)
	}
	f.view(t, func(tx store.Tx) error {
		run, err := tx.SyncRun(t.Context(), m.Run)
		if run.UndoneBy != 0 {
			t.Error("it counts as undone")
		}
		return err
	})
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run, nil, nil); err != nil {
		t.Error(err)
	}
}
