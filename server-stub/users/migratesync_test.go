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

// listing is the directory "corp".
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

// standard is the directory "std", which takes over from "corp".
type standard struct{ listing }

func (standard) ID() core.SourceID { return "std" }

// Row A1-56: after the switch from a source of short names, whoever's e-mail address is the UPN is kept under the old username, new
// people get UPNs, and the migration ends the mixture.
func TestA1_56_MixedUsernamesAfterASwitchOfSources(t *testing.T) {
	f := newFixture(t)
	syncer := dirsync.New(f.store, func() time.Time { return f.now }, dirsync.Config{Logger: slog.New(slog.DiscardHandler)})
	run := func(source directory.Source, settings dirsync.Settings) core.SyncRun {
		t.Helper()
		f.now = f.now.Add(time.Hour)
		settings.Full = true
		done, err := syncer.Run(t.Context(), source, settings)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	run(listing{{Key: "1", KeyKind: core.IdentityCSVKey, Username: "alex", Nickname: "alex", Email: "alex@example.org"}}, dirsync.Settings{})
	f.update(t, func(tx store.Tx) error {
		account, err := tx.EnsureAccount(t.Context(), core.AccountUser, 1, "EUR")
		if err != nil {
			return err
		}
		account.Balance = 70000
		return tx.UpdateAccount(t.Context(), account)
	})
	now := standard{listing{
		{Key: "tid/1", KeyKind: core.IdentityEntraOID, Username: "alex@example.org", UPN: "alex@example.org", Nickname: "alex", Email: "alex@example.org"},
		{Key: "tid/2", KeyKind: core.IdentityEntraOID, Username: "kim@example.org", UPN: "kim@example.org"},
	}}
	if done := run(now, dirsync.Settings{Replaces: "corp"}); done.Created != 1 {
		t.Errorf("the first run of the new source: %+v", done)
	}
	if u := f.user(t, 1); u.Username != "alex" || !u.KeepsUsername || u.Source != "std" {
		t.Errorf("before the migration: %+v", u)
	}
	if got := f.user(t, 2).Username; got != "kim@example.org" {
		t.Errorf("the new person is %s", got)
	}
	m := f.migrate(t, toUPN())
	if diff := cmp.Diff(map[string]users.MigrateAction{"alex": users.MigrateRename}, actions(m)); diff != "" {
		t.Error(diff)
	}
	done := run(now, dirsync.Settings{Replaces: "corp"})
	if u := f.user(t, 1); u.Username != "alex@example.org" || u.KeepsUsername || done.Renamed != 0 {
		t.Errorf("after the migration and the next run (%+v): %+v", done, u)
	}
	if got := f.belongings(t, 1).Balance; got != 70000 {
		t.Errorf("the balance is %v", got)
	}
	for _, job := range []string{"alex", "alex@example.org"} {
		if got := f.owner(t, job); got != 1 {
			t.Errorf("a job of %s is user %d's", job, got)
		}
	}
}
