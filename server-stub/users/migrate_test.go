package users_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// addShort makes a person of a directory that names people by the sAMAccountName, with everything that can hang on a person.
func (f *fixture) addShort(t *testing.T, short, upn string) core.UserID {
	t.Helper()
	var id core.UserID
	ctx := t.Context()
	f.update(t, func(tx store.Tx) (err error) {
		u := core.User{Username: short, Email: strings.ToLower(short) + "@mail.example.org", Source: "corp", CreatedAt: f.now, UpdatedAt: f.now}
		if id, err = tx.CreateUser(ctx, u); err != nil {
			return err
		}
		for _, n := range []core.LoginName{{Name: short, Kind: core.NameUsername}, {Name: short, Kind: core.NameSAM, Domain: "corp"}, {Name: upn, Kind: core.NameUPN}, {Name: u.Email, Kind: core.NameEmail}} {
			if n.Name == "" {
				continue
			}
			n.UserID, n.Source, n.ValidFrom = id, "corp", f.now
			n.Folded, _ = auth.Canon(n.Name)
			if err := tx.PutName(ctx, n); err != nil {
				return err
			}
		}
		if err := tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "guid-" + short}); err != nil {
			return err
		}
		if err := tx.PutRole(ctx, core.RoleGrant{UserID: id, Role: core.RoleAdmin, GrantedAt: f.now, GrantedBy: "admin"}); err != nil {
			return err
		}
		card := core.Credential{UserID: id, Kind: core.CredentialCard, Origin: core.OriginAdmin, Lookup: [32]byte{byte(id), 7}, Hint: "1234", CreatedAt: f.now}
		if _, err := tx.CreateCredential(ctx, card); err != nil {
			return err
		}
		session := core.Session{ID: "session-" + short, UserID: id, AccessHash: [32]byte{byte(id)}, RefreshHash: [32]byte{byte(id), 1}, CreatedAt: f.now, RefreshExpires: f.now.Add(time.Hour * 10000), AccessExpires: f.now.Add(time.Hour)}
		if err := tx.CreateSession(ctx, session); err != nil {
			return err
		}
		group, err := tx.PutGroup(ctx, store.DirectoryGroup{Group: core.Group{Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "staff", Name: "Staff"}})
		if err != nil {
			return err
		}
		account, err := tx.EnsureAccount(ctx, core.AccountUser, id, "EUR")
		if err != nil {
			return err
		}
		account.Balance = 70000
		if err := tx.UpdateAccount(ctx, account); err != nil {
			return err
		}
		return tx.PutGroupMembers(ctx, group, store.Key{Kind: core.IdentityObjectGUID, ID: "guid-" + short})
	})
	return id
}

// belongings is everything that hangs on a person but names.
type belongings struct {
	Cards      []core.Credential
	Sessions   []core.Session
	Roles      []core.RoleGrant
	Identities []core.ExternalIdentity
	Groups     []string
	Balance    core.Amount
}

func (f *fixture) belongings(t *testing.T, id core.UserID) belongings {
	t.Helper()
	var b belongings
	ctx := t.Context()
	f.view(t, func(tx store.Tx) (err error) {
		if b.Cards, err = tx.UserCredentials(ctx, id); err != nil {
			return err
		}
		if b.Sessions, err = tx.UserSessions(ctx, id, f.now); err != nil {
			return err
		}
		if b.Roles, err = tx.UserRoles(ctx, id); err != nil {
			return err
		}
		if b.Identities, err = tx.UserIdentities(ctx, id); err != nil {
			return err
		}
		var keys []store.Key
		for _, e := range b.Identities {
			keys = append(keys, store.Key{Kind: e.Kind, ID: e.ImmutableID})
		}
		err = tx.ParentGroups(ctx, "corp", keys, func(_ store.Key, g core.Group) { b.Groups = append(b.Groups, g.Name) })
		if err != nil {
			return err
		}
		account, err := tx.UserAccount(ctx, id, "EUR")
		if err == nil {
			b.Balance = account.Balance
		} else if errors.Is(err, core.ErrNotFound) {
			err = nil
		}
		return err
	})
	return b
}

func (f *fixture) view(t *testing.T, fn func(store.Tx) error) {
	t.Helper()
	if err := f.store.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) owner(t *testing.T, job string) core.UserID {
	t.Helper()
	var a names.Answer
	f.view(t, func(tx store.Tx) (err error) {
		a, err = names.FindOwner(t.Context(), tx, names.Job{Owner: job}, names.Rules{}, nil, f.now)
		return err
	})
	return a.User
}

func (f *fixture) userNames(t *testing.T, id core.UserID) []string {
	t.Helper()
	var list []string
	f.view(t, func(tx store.Tx) error {
		all, err := tx.UserNames(t.Context(), id)
		for _, n := range all {
			if n.ValidTo.IsZero() {
				list = append(list, fmt.Sprintf("%s %s %s %s", n.Kind, n.Name, n.Domain, n.Source))
			}
		}
		return err
	})
	slices.Sort(list)
	return list
}

func (f *fixture) user(t *testing.T, id core.UserID) core.User {
	t.Helper()
	var u core.User
	f.view(t, func(tx store.Tx) (err error) {
		u, err = tx.User(t.Context(), id)
		return err
	})
	return u
}

func toUPN() users.MigrateOptions {
	return users.MigrateOptions{To: users.MigrateUPN, UsernameRule: func(core.SourceID) string { return "upn" }}
}

func (f *fixture) migrate(t *testing.T, o users.MigrateOptions) users.Migration {
	t.Helper()
	m, err := f.users.Migrate(t.Context(), "admin", o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func actions(m users.Migration) map[string]users.MigrateAction {
	out := map[string]users.MigrateAction{}
	for _, l := range m.Lines {
		out[l.Old] = l.Action
	}
	return out
}

func TestA1_48_A1_57_MigrationIsPreviewedAppliedAndUndone(t *testing.T) {
	for name, open := range map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{store: open(t), now: start, hasher: passhash.New(passhash.Params{Time: 1, MemoryKiB: 8, Parallelism: 1})}
			f.users = users.New(users.Deps{Store: f.store, Clock: func() time.Time { return f.now }, Hasher: f.hasher, OnChange: func(id core.UserID) { f.changed = append(f.changed, id) }})
			testMigration(t, f)
		})
	}
}

func testMigration(t *testing.T, f *fixture) {
	alex := f.addShort(t, "alex", "alex.test@example.org")
	sam := f.addShort(t, "sam", "sam@example.org")
	mia := f.addShort(t, "mia", "") // the directory tells no UPN
	f.addDirectoryUser(t, "kim@example.org", "kim")
	visitor := f.add(t, users.NewUser{Username: "visitor"})
	before, namesBefore := f.belongings(t, alex), f.userNames(t, alex)
	if len(before.Cards) != 1 || len(before.Sessions) != 1 || len(before.Groups) != 1 || len(before.Roles) != 1 || before.Balance == 0 {
		t.Fatalf("the person has not everything: %+v", before)
	}

	preview := toUPN()
	preview.Preview = true
	m := f.migrate(t, preview)
	want := map[string]users.MigrateAction{"alex": users.MigrateRename, "sam": users.MigrateRename, "mia": users.MigrateSkip}
	if diff := cmp.Diff(want, actions(m)); diff != "" || m.Run != 0 || m.People != 4 {
		t.Errorf("preview: run %d, %d people, %s", m.Run, m.People, diff)
	}
	if f.user(t, alex).Username != "alex" {
		t.Fatal("the preview renamed somebody")
	}

	f.now = f.now.Add(time.Hour)
	var told []int
	apply := toUPN()
	apply.Progress = func(done, total int) { told = append(told, done, total) }
	m = f.migrate(t, apply)
	if diff := cmp.Diff(want, actions(m)); diff != "" || m.Run == 0 || len(told) == 0 {
		t.Errorf("run %d, progress %v, %s", m.Run, told, diff)
	}
	if u := f.user(t, alex); u.Username != "alex.test@example.org" || u.ID != alex {
		t.Errorf("alex is %+v", u)
	}
	if got := f.user(t, mia).Username + f.user(t, visitor.ID).Username; got != "miavisitor" {
		t.Errorf("somebody without a UPN was renamed: %s", got)
	}
	if diff := cmp.Diff(before, f.belongings(t, alex)); diff != "" {
		t.Errorf("A1_57: what hangs on the person changed:\n%s", diff)
	}
	for _, job := range []string{"alex", "ALEX", "alex.test@example.org"} {
		if got := f.owner(t, job); got != alex {
			t.Errorf("a job of %s is user %d's", job, got)
		}
	}
	if !slices.Contains(f.changed, alex) || !slices.Contains(f.changed, sam) {
		t.Errorf("told of %v only", f.changed)
	}
	f.view(t, func(tx store.Tx) error {
		run, err := tx.SyncRun(t.Context(), m.Run)
		if err != nil || run.Kind != core.RunRename || run.Renamed != 2 {
			t.Errorf("the run is kept as %+v, %v", run, err)
		}
		return nil
	})

	f.now = f.now.Add(time.Hour)
	back, err := f.users.UndoMigration(t.Context(), "admin", m.Run, nil, nil)
	if err != nil || back.Count(users.MigrateRename) != 2 {
		t.Fatalf("undo: %+v, %v", back, err)
	}
	if got := f.user(t, alex).Username; got != "alex" {
		t.Errorf("after the undo alex is %s", got)
	}
	if diff := cmp.Diff(namesBefore, f.userNames(t, alex)); diff != "" {
		t.Errorf("names after the undo:\n%s", diff)
	}
	if diff := cmp.Diff(before, f.belongings(t, alex)); diff != "" {
		t.Errorf("what hangs on the person changed by the undo:\n%s", diff)
	}
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run+100, nil, nil); !errors.Is(err, core.ErrNotFound) || !strings.Contains(err.Error(), "--list shows them") {
		t.Errorf("a run that is not there: %v", err)
	}
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run, nil, nil); !errors.Is(err, core.ErrConflict) {
		t.Errorf("undone twice: %v", err)
	}
	again := f.migrate(t, toUPN())
	if diff := cmp.Diff(want, actions(again)); diff != "" {
		t.Errorf("a second time: %s", diff)
	}
	if diff := cmp.Diff(before, f.belongings(t, alex)); diff != "" {
		t.Errorf("a second time:\n%s", diff)
	}
}

// Row A1-56: people of a replaced source were kept under their old usernames; the migration ends that.
func TestA1_56_MigrationClearsKeepsUsername(t *testing.T) {
	f := newFixture(t)
	alex := f.addShort(t, "alex", "alex.test@example.org")
	kim := f.addDirectoryUser(t, "kim@example.org", "kim")
	f.update(t, func(tx store.Tx) error {
		for _, id := range []core.UserID{alex, kim} {
			u, err := tx.User(t.Context(), id)
			if err != nil {
				return err
			}
			u.KeepsUsername = true
			if err := tx.UpdateUser(t.Context(), u); err != nil {
				return err
			}
		}
		return nil
	})
	m := f.migrate(t, toUPN())
	if diff := cmp.Diff(map[string]users.MigrateAction{"alex": users.MigrateRename, "kim@example.org": users.MigrateFollow}, actions(m)); diff != "" {
		t.Error(diff)
	}
	if f.user(t, alex).KeepsUsername || f.user(t, kim).KeepsUsername {
		t.Error("somebody still keeps the old username")
	}
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run, nil, nil); err != nil {
		t.Fatal(err)
	}
	if u := f.user(t, alex); u.Username != "alex" || !u.KeepsUsername || !f.user(t, kim).KeepsUsername {
		t.Errorf("after the undo: %+v", u)
	}
}

func TestMigrationIsRefusedWhereTheDirectoryWouldTakeItBack(t *testing.T) {
	f := newFixture(t)
	alex := f.addShort(t, "alex", "alex.test@example.org")
	o := toUPN()
	o.UsernameRule = func(core.SourceID) string { return "sam" }
	o.Preview = true
	if m := f.migrate(t, o); !strings.Contains(m.Problem, `"corp"`) || len(m.Lines) != 1 {
		t.Errorf("the preview says %q", m.Problem)
	}
	o.Preview = false
	_, err := f.users.Migrate(t.Context(), "admin", o)
	if !errors.Is(err, core.ErrConflict) || !strings.Contains(err.Error(), "upn_as_username: Y") || f.user(t, alex).Username != "alex" {
		t.Errorf("got %v; alex is %s", err, f.user(t, alex).Username)
	}
}

// After an undo a directory that names people by UPN must not rename them again with its next run.
func TestUndoHoldsAgainstTheDirectory(t *testing.T) {
	f := newFixture(t)
	alex := f.addShort(t, "alex", "alex.test@example.org")
	m := f.migrate(t, toUPN())
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run, func(core.SourceID) string { return "upn" }, nil); err != nil {
		t.Fatal(err)
	}
	if u := f.user(t, alex); !u.KeepsUsername {
		t.Errorf("%+v", u)
	}
}

func TestA1_46_MigrationNeverTakesSomebodyElsesName(t *testing.T) {
	f := newFixture(t)
	f.addShort(t, "alex", "alex.test@example.org")
	other := f.add(t, users.NewUser{Username: "other"})
	f.update(t, func(tx store.Tx) error {
		return tx.PutName(t.Context(), core.LoginName{UserID: other.ID, Name: "alex.test@example.org", Folded: "alex.test@example.org", Kind: core.NameEmail, ValidFrom: f.now})
	})
	f.addShort(t, "sam", "ѕam@example.org") // a Cyrillic letter
	f.addShort(t, "lee", "lee@example.org")
	first := f.add(t, users.NewUser{Username: "first"})
	f.update(t, func(tx store.Tx) error { // somebody was called so until yesterday
		return tx.PutName(t.Context(), core.LoginName{UserID: first.ID, Name: "lee@example.org", Folded: "lee@example.org", Kind: core.NameUPN, ValidFrom: f.now.Add(-48 * time.Hour), ValidTo: f.now.Add(-24 * time.Hour)})
	})
	m := f.migrate(t, toUPN())
	if diff := cmp.Diff(map[string]users.MigrateAction{"alex": users.MigrateConflict, "sam": users.MigrateConflict, "lee": users.MigrateConflict}, actions(m)); diff != "" || m.Run != 0 {
		t.Errorf("run %d, %s", m.Run, diff)
	}
	for i, part := range []string{"the email of user", "look alike", "kept for 180 days"} {
		if !strings.Contains(m.Lines[i].Why, part) {
			t.Errorf("%s: %s", m.Lines[i].Old, m.Lines[i].Why)
		}
	}
	f.now = f.now.Add(names.Reservation)
	if got := actions(f.migrate(t, toUPN()))["lee"]; got != users.MigrateRename {
		t.Errorf("after 180 days: %s", got)
	}
}

func TestTwoPeopleOfOneAddressKeepTheirNames(t *testing.T) {
	f := newFixture(t)
	a, b := f.add(t, users.NewUser{Username: "a", Email: "office@example.org"}), f.add(t, users.NewUser{Username: "b", Email: "office@example.org"})
	local := core.LocalSource
	m := f.migrate(t, users.MigrateOptions{To: users.MigrateMail, Source: &local})
	if m.Count(users.MigrateConflict) != 2 || f.user(t, a.ID).Username+f.user(t, b.ID).Username != "ab" {
		t.Errorf("%+v", m)
	}
}

func TestMigrationToMailAndBack(t *testing.T) {
	f := newFixture(t)
	a := f.add(t, users.NewUser{Username: "alex", Email: "alex@example.org"})
	before := f.userNames(t, a.ID)
	local := core.LocalSource
	m := f.migrate(t, users.MigrateOptions{To: users.MigrateMail, Source: &local})
	if f.user(t, a.ID).Username != "alex@example.org" || f.owner(t, "alex@example.org") != a.ID || f.owner(t, "alex") != a.ID {
		t.Errorf("%+v", m)
	}
	if _, err := f.users.UndoMigration(t.Context(), "admin", m.Run, nil, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, f.userNames(t, a.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestUndoLeavesAloneWhatChangedSince(t *testing.T) {
	f := newFixture(t)
	alex, sam, lee := f.addShort(t, "alex", "alex.test@example.org"), f.addShort(t, "sam", "sam@example.org"), f.addShort(t, "lee", "lee@example.org")
	m := f.migrate(t, toUPN())
	f.update(t, func(tx store.Tx) error { // the directory renamed her since
		u, err := tx.User(t.Context(), alex)
		if err != nil {
			return err
		}
		u.Username = "alexandra@example.org"
		return tx.UpdateUser(t.Context(), u)
	})
	if err := f.users.Erase(t.Context(), "admin", lee); err != nil {
		t.Fatal(err)
	}
	back, err := f.users.UndoMigration(t.Context(), "admin", m.Run, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]users.MigrateAction{"alex.test@example.org": users.MigrateConflict, "sam@example.org": users.MigrateRename}, actions(back)); diff != "" {
		t.Error(diff)
	}
	if f.user(t, alex).Username != "alexandra@example.org" || f.user(t, sam).Username != "sam" {
		t.Error("the undo went over what changed since")
	}
}

// What somebody leaves behind with a name goes to nobody who gets the name later: neither balance nor cards, sessions, groups, roles.
func TestA1_48_ANameThatANewPersonGetsInheritsNothing(t *testing.T) {
	f := newFixture(t)
	alex := f.addShort(t, "alex", "alex.test@example.org")
	f.migrate(t, toUPN())
	if _, err := f.users.Add(t.Context(), "admin", users.NewUser{Username: "alex"}); !errors.Is(err, core.ErrConflict) {
		t.Fatalf("the old name was given away at once: %v", err)
	}
	before := f.belongings(t, alex)
	f.update(t, func(tx store.Tx) error { // the directory gives another sAMAccountName
		all, err := tx.UserNames(t.Context(), alex)
		for _, n := range all {
			if err == nil && n.Kind == core.NameSAM {
				err = tx.EndName(t.Context(), n.ID, f.now)
			}
		}
		return err
	})
	f.now = f.now.Add(names.Reservation + time.Hour)
	next, err := f.users.Add(t.Context(), "admin", users.NewUser{Username: "alex"})
	if err != nil {
		t.Fatalf("180 days later: %v", err)
	}
	if diff := cmp.Diff(belongings{}, f.belongings(t, next.ID)); diff != "" {
		t.Errorf("the next alex inherited:\n%s", diff)
	}
	if got := f.owner(t, "alex"); got != next.ID {
		t.Errorf("a job of alex is user %d's, want %d", got, next.ID)
	}
	if diff := cmp.Diff(before, f.belongings(t, alex)); diff != "" {
		t.Errorf("the first one lost:\n%s", diff)
	}
}
