package users_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

type fixture struct {
	store   store.Store
	users   *users.Service
	hasher  *passhash.Hasher
	now     time.Time
	changed []core.UserID
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{store: storetest.OpenSQLite(t), now: start, hasher: passhash.New(passhash.Params{Time: 1, MemoryKiB: 8, Parallelism: 1})}
	f.users = users.New(users.Deps{
		Store: f.store, Clock: func() time.Time { return f.now }, Hasher: f.hasher,
		ChecksPasswords: func(s core.SourceID) bool { return s == "corp" },
		OnChange:        func(id core.UserID) { f.changed = append(f.changed, id) },
	})
	return f
}

func (f *fixture) add(t *testing.T, n users.NewUser) core.User {
	t.Helper()
	u, err := f.users.Add(t.Context(), "admin", n)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// addDirectoryUser makes a person as a synchronisation does.
func (f *fixture) addDirectoryUser(t *testing.T, upn, sam string) core.UserID {
	t.Helper()
	var id core.UserID
	f.update(t, func(tx store.Tx) (err error) {
		if id, err = tx.CreateUser(t.Context(), core.User{Username: upn, Source: "corp", CreatedAt: f.now, UpdatedAt: f.now}); err != nil {
			return err
		}
		for _, n := range []core.LoginName{{Name: upn, Kind: core.NameUPN}, {Name: sam, Kind: core.NameSAM, Domain: "corp"}} {
			n.UserID, n.Source, n.ValidFrom = id, "corp", f.now
			n.Folded, _ = auth.Canon(n.Name)
			if err := tx.PutName(t.Context(), n); err != nil {
				return err
			}
		}
		return tx.PutIdentity(t.Context(), core.ExternalIdentity{UserID: id, Source: "corp", Kind: core.IdentityObjectGUID, ImmutableID: "guid-" + sam})
	})
	return id
}

func (f *fixture) update(t *testing.T, fn func(tx store.Tx) error) {
	t.Helper()
	if err := f.store.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) resolve(t *testing.T, name string) names.Answer {
	t.Helper()
	var a names.Answer
	err := f.store.View(t.Context(), func(tx store.Tx) (err error) {
		a, err = names.Find(t.Context(), tx, names.Query{Text: name}, names.Rules{}, f.now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) audit(t *testing.T) []string {
	t.Helper()
	var lines []string
	err := f.store.View(t.Context(), func(tx store.Tx) error {
		events, err := tx.AuditEvents(t.Context(), 0, 100)
		for _, e := range slices.Backward(events) {
			lines = append(lines, strings.TrimSpace(e.Actor+" "+e.Action+" "+e.Target+" "+e.Detail))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func TestAddedUserIsFoundByAllNames(t *testing.T) {
	f := newFixture(t)
	u := f.add(t, users.NewUser{Username: "alex.test@example.org", DisplayName: "Alex Test", Email: "alex@mail.example.org", Aliases: []string{"alex", "Alex.Test"}, Password: secret.New("correct horse")})
	for _, name := range []string{"ALEX.TEST@example.org", "alex", "alex.test", "alex@mail.example.org"} {
		if a := f.resolve(t, name); a.User != u.ID {
			t.Errorf("%q leads to %v %d: %v", name, a.Outcome, a.User, a.Why)
		}
		if found, err := f.users.Find(t.Context(), name); err != nil || found.ID != u.ID {
			t.Errorf("Find(%q) = %d, %v", name, found.ID, err)
		}
	}
	d, err := f.users.Show(t.Context(), u.ID)
	if err != nil || !d.HasPassword || len(d.Names) != 4 || d.User.Email != "alex@mail.example.org" || d.User.DisplayName != "Alex Test" {
		t.Errorf("Show = %+v, %v", d, err)
	}
	if diff := cmp.Diff([]string{"admin user.add user:1 username"}, f.audit(t)); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(f.changed, []core.UserID{u.ID}) {
		t.Errorf("OnChange was told %v", f.changed)
	}
}

func TestAddRefuses(t *testing.T) {
	f := newFixture(t)
	f.add(t, users.NewUser{Username: "alex", Email: "alex@example.org", Aliases: []string{"lexi"}})
	f.addDirectoryUser(t, "sam.hill@example.org", "sam")
	for _, tt := range []struct {
		name string
		n    users.NewUser
		want error
	}{
		{"username of another", users.NewUser{Username: "ALEX"}, core.ErrConflict},
		{"alias of another", users.NewUser{Username: "lexi"}, core.ErrConflict},
		{"short name of a directory user", users.NewUser{Username: "sam"}, core.ErrConflict},
		{"UPN of a directory user", users.NewUser{Username: "Sam.Hill@example.org"}, core.ErrConflict},
		{"e-mail of another as username", users.NewUser{Username: "alex@example.org"}, core.ErrConflict},
		{"alias that is a username", users.NewUser{Username: "new", Aliases: []string{"alex"}}, core.ErrConflict},
		{"alias that is a UPN", users.NewUser{Username: "new", Aliases: []string{"sam.hill@example.org"}}, core.ErrConflict},
		{"e-mail that is a UPN", users.NewUser{Username: "new", Email: "sam.hill@example.org"}, core.ErrConflict},
		{"empty", users.NewUser{}, core.ErrInvalid},
		{"with a domain", users.NewUser{Username: `CORP\new`}, core.ErrInvalid},
		{"half an address", users.NewUser{Username: "new@"}, core.ErrInvalid},
		{"look-alike", users.NewUser{Username: "аlex"}, core.ErrInvalid},
		{"invisible character", users.NewUser{Username: "al\u200dex"}, core.ErrInvalid},
		{"no e-mail", users.NewUser{Username: "new", Email: "new"}, core.ErrInvalid},
		{"short password", users.NewUser{Username: "new", Password: secret.New("1234567")}, core.ErrInvalid},
		{"control character in the name", users.NewUser{Username: "new", DisplayName: "New\x07"}, core.ErrInvalid},
		{"negative overdraft", users.NewUser{Username: "new", Overdraft: -1}, core.ErrInvalid},
	} {
		_, err := f.users.Add(t.Context(), "admin", tt.n)
		wantErr(t, tt.name, err, tt.want)
		if err != nil && strings.Contains(err.Error(), "1234567") {
			t.Errorf("%s: the error has the password", tt.name)
		}
	}
	if list, err := f.users.List(t.Context(), store.UserFilter{}); len(list) != 2 || err != nil {
		t.Errorf("refused users were made: %v, %v", list, err)
	}
	_, err := f.users.Add(t.Context(), "admin", users.NewUser{Username: "other", Email: "alex@example.org"})
	wantErr(t, "a mailbox may be shared", err, nil)
}

func TestRenameKeepsTheOldName(t *testing.T) {
	f := newFixture(t)
	u := f.add(t, users.NewUser{Username: "alex"})
	if _, err := f.users.Rename(t.Context(), "admin", u.ID, "alex.test@example.org"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alex", "alex.test@example.org"} {
		if a := f.resolve(t, name); a.User != u.ID {
			t.Errorf("%q leads to %v", name, a)
		}
	}
	_, err := f.users.Add(t.Context(), "admin", users.NewUser{Username: "alex"})
	wantErr(t, "old name at once", err, core.ErrConflict)
	f.now = f.now.Add(181 * 24 * time.Hour)
	next := f.add(t, users.NewUser{Username: "alex"})
	if a := f.resolve(t, "alex"); a.User != next.ID {
		t.Errorf("after 180 days the name leads to %+v", a)
	}
	if a := f.resolve(t, "alex.test@example.org"); a.User != u.ID {
		t.Errorf("the new name leads to %+v", a)
	}
	_, err = f.users.Rename(t.Context(), "admin", u.ID, "alex")
	wantErr(t, "back to a name that was given away", err, core.ErrConflict)
}

func TestNamesOfWhoLeftTheDirectoryAreKept(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectoryUser(t, "sam@example.org", "sam")
	f.update(t, func(tx store.Tx) error {
		u, err := tx.User(t.Context(), id)
		u.DeletedAt = f.now
		return errors.Join(err, tx.UpdateUser(t.Context(), u))
	})
	_, err := f.users.Enable(t.Context(), "admin", id)
	wantErr(t, "enable whom the directory does not list", err, core.ErrConflict)
	f.now = f.now.Add(179 * 24 * time.Hour)
	for _, name := range []string{"sam@example.org", "sam"} {
		_, err := f.users.Add(t.Context(), "admin", users.NewUser{Username: name})
		wantErr(t, name+" after 179 days", err, core.ErrConflict)
	}
	f.now = f.now.Add(24 * time.Hour)
	for _, name := range []string{"sam@example.org", "sam"} {
		u := f.add(t, users.NewUser{Username: name})
		if a := f.resolve(t, name); a.User != u.ID {
			t.Errorf("%s after 180 days leads to %+v", name, a)
		}
	}
}

func TestRenameThereAndBack(t *testing.T) {
	f := newFixture(t)
	u := f.add(t, users.NewUser{Username: "alex"})
	for _, name := range []string{"lex", "alex", "Alex"} {
		got, err := f.users.Rename(t.Context(), "admin", u.ID, name)
		if err != nil || got.Username != name {
			t.Fatalf("Rename(%q) = %q, %v", name, got.Username, err)
		}
	}
	for _, name := range []string{"alex", "lex"} {
		if a := f.resolve(t, name); a.User != u.ID {
			t.Errorf("%q leads to %+v", name, a)
		}
	}
}

func TestRemovedAliasIsReservedUntilFreed(t *testing.T) {
	f := newFixture(t)
	a := f.add(t, users.NewUser{Username: "alex", Aliases: []string{"lexi"}})
	b := f.add(t, users.NewUser{Username: "sam"})
	_, err := f.users.RemoveAlias(t.Context(), "admin", a.ID, "nothing")
	wantErr(t, "no such alias", err, core.ErrNotFound)
	if _, err := f.users.RemoveAlias(t.Context(), "admin", a.ID, "LEXI"); err != nil {
		t.Fatal(err)
	}
	if got := f.resolve(t, "lexi"); got.Outcome != names.Unknown {
		t.Errorf("removed alias leads to %+v", got)
	}
	_, err = f.users.AddAlias(t.Context(), "admin", b.ID, "lexi")
	wantErr(t, "reserved", err, core.ErrConflict)
	_, err = f.users.FreeName(t.Context(), "admin", "alex")
	wantErr(t, "free a username", err, core.ErrConflict)
	_, err = f.users.FreeName(t.Context(), "admin", "nobodys")
	wantErr(t, "free nothing", err, core.ErrNotFound)
	freed, err := f.users.FreeName(t.Context(), "admin", "lexi")
	if err != nil || !slices.Equal(freed, []core.UserID{a.ID}) {
		t.Fatalf("FreeName = %v, %v", freed, err)
	}
	if _, err := f.users.AddAlias(t.Context(), "admin", b.ID, "lexi"); err != nil {
		t.Fatal(err)
	}
	if got := f.resolve(t, "lexi"); got.User != b.ID {
		t.Errorf("freed alias leads to %+v", got)
	}
}

func TestSet(t *testing.T) {
	f := newFixture(t)
	u := f.add(t, users.NewUser{Username: "alex", Email: "old@example.org", Password: secret.New("old password")})
	name, email, overdraft, password := "Alex Test", "new@example.org", core.Amount(50000), secret.New("new password")
	got, err := f.users.Set(t.Context(), "admin", u.ID, users.Change{DisplayName: &name, Email: &email, Overdraft: &overdraft, Password: &password})
	if err != nil || got.DisplayName != name || got.Email != email || got.Overdraft != overdraft {
		t.Fatalf("Set = %+v, %v", got, err)
	}
	if a := f.resolve(t, "new@example.org"); a.User != u.ID {
		t.Errorf("new e-mail leads to %+v", a)
	}
	if a := f.resolve(t, "old@example.org"); a.Outcome != names.Unknown {
		t.Errorf("old e-mail leads to %+v", a)
	}
	var phc string
	f.update(t, func(tx store.Tx) (err error) {
		phc, err = tx.PasswordHash(t.Context(), u.ID)
		return err
	})
	if ok, err := f.hasher.Verify(t.Context(), password, phc); !ok || err != nil {
		t.Errorf("the new password is %v, %v", ok, err)
	}
	f.changed = nil
	if _, err := f.users.Set(t.Context(), "admin", u.ID, users.Change{DisplayName: &name}); err != nil || len(f.changed) != 0 {
		t.Errorf("changing nothing: %v, OnChange %v", err, f.changed)
	}
	lines := f.audit(t)
	if want := "admin user.set user:1 display_name,email,overdraft,password"; len(lines) != 2 || lines[1] != want {
		t.Errorf("audit %q, want %q", lines, want)
	}
	_, err = f.users.Set(t.Context(), "admin", 99, users.Change{DisplayName: &name})
	wantErr(t, "nobody", err, core.ErrNotFound)
}

func TestDirectoryKeepsItsFields(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectoryUser(t, "sam@example.org", "sam")
	text, password, overdraft := "x", secret.New("a good password"), core.Amount(10000)
	for what, ch := range map[string]users.Change{"name": {DisplayName: &text}, "e-mail": {Email: &text}, "password": {Password: &password}} {
		_, err := f.users.Set(t.Context(), "admin", id, ch)
		wantErr(t, what, err, core.ErrConflict)
	}
	_, err := f.users.Rename(t.Context(), "admin", id, "other")
	wantErr(t, "rename", err, core.ErrConflict)
	_, err = f.users.Set(t.Context(), "admin", id, users.Change{Overdraft: &overdraft})
	wantErr(t, "overdraft is ours", err, nil)
	_, err = f.users.AddAlias(t.Context(), "admin", id, "sammy")
	wantErr(t, "alias is ours", err, nil)
}

func TestDisableAndEnable(t *testing.T) {
	f := newFixture(t)
	u := f.add(t, users.NewUser{Username: "alex"})
	if got, err := f.users.Disable(t.Context(), "admin", u.ID); err != nil || got.Active() {
		t.Fatalf("Disable = %+v, %v", got, err)
	}
	if a := f.resolve(t, "alex"); a.Outcome != names.Disabled {
		t.Errorf("disabled person: %+v", a)
	}
	if got, err := f.users.Enable(t.Context(), "admin", u.ID); err != nil || !got.Active() {
		t.Fatalf("Enable = %+v, %v", got, err)
	}
	f.changed = nil
	if _, err := f.users.Enable(t.Context(), "admin", u.ID); err != nil || len(f.changed) != 0 {
		t.Errorf("enabling twice: %v, %v", err, f.changed)
	}
	if diff := cmp.Diff([]string{"admin user.add user:1 username", "admin user.disable user:1 disabled", "admin user.enable user:1 disabled"}, f.audit(t)); diff != "" {
		t.Error(diff)
	}
}

func TestEraseLeavesNothingOfThePerson(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectoryUser(t, "canary.person@example.org", "canary.sam")
	if _, err := f.users.AddAlias(t.Context(), "admin", id, "canary.alias"); err != nil {
		t.Fatal(err)
	}
	f.update(t, func(tx store.Tx) error {
		u, err := tx.User(t.Context(), id)
		if err != nil {
			return err
		}
		u.DisplayName, u.Email, u.Department, u.Office, u.Overdraft = "canary display", "canary@mail", "canary dep", "canary office", 7
		if err := tx.UpdateUser(t.Context(), u); err != nil {
			return err
		}
		if _, _, err := users.Link(t.Context(), tx, f.now, users.Proposal{User: id, Name: "canary.proposed", Domain: "other"}, true); err != nil {
			return err
		}
		for i, revoked := range []time.Time{{}, f.now} {
			s := core.Session{ID: "s" + revoked.String(), AccessHash: [32]byte{byte(i + 1)}, UserID: id, RefreshExpires: f.now.Add(time.Hour), Host: "canary-host", Address: "192.0.2.77", CreatedAt: f.now, RevokedAt: revoked}
			if err := tx.CreateSession(t.Context(), s); err != nil {
				return err
			}
		}
		return tx.SetPasswordHash(t.Context(), id, "$argon2id$canary-hash")
	})
	if err := f.users.Erase(t.Context(), "admin", id); err != nil {
		t.Fatal(err)
	}
	f.update(t, func(tx store.Tx) error {
		u, err := tx.User(t.Context(), id)
		if want := (core.User{ID: id, Overdraft: 7, Disabled: true, ErasedAt: f.now, CreatedAt: start, UpdatedAt: f.now}); !cmp.Equal(want, u) {
			t.Errorf("left of the user: %s", cmp.Diff(want, u))
		}
		return err
	})
	_, err := f.users.Show(t.Context(), id)
	wantErr(t, "Show", err, core.ErrNotFound)
	wantErr(t, "erase again", f.users.Erase(t.Context(), "admin", id), core.ErrNotFound)
	_, err = f.users.Find(t.Context(), "canary.person@example.org")
	wantErr(t, "Find", err, core.ErrNotFound)
	next := f.add(t, users.NewUser{Username: "canary.person@example.org"})
	if next.ID == id {
		t.Error("the id was given again")
	}
	if p, err := f.users.Proposals(t.Context()); len(p) != 0 || err != nil {
		t.Errorf("proposals left: %v, %v", p, err)
	}
	if err := f.users.Erase(t.Context(), "admin", next.ID); err != nil {
		t.Fatal(err)
	}
	if data := databaseFiles(t, f.store); bytes.Contains(data, []byte("canary")) {
		i := bytes.Index(data, []byte("canary"))
		t.Errorf("the database still has %q", data[i:min(i+40, len(data))])
	}
}

// databaseFiles closes the store and returns every byte of its files. It relies on the folders of one test having one parent.
func databaseFiles(t *testing.T, s store.Store) []byte {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(t.TempDir()), "*", "platen.db*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no database files: %v", err)
	}
	var all []byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if !bytes.Contains(all, []byte("login_names")) {
		t.Fatal("these are not the database's files")
	}
	return all
}

func TestLink(t *testing.T) {
	for _, tt := range []struct {
		name   string
		p      users.Proposal
		linked bool
	}{
		{"free name", users.Proposal{Name: "alext", Domain: "NEWDOM"}, true},
		{"no domain", users.Proposal{Name: "alext"}, false},
		{"somebody's username", users.Proposal{Name: "other", Domain: "NEWDOM"}, false},
		{"somebody's short name", users.Proposal{Name: "sam", Domain: "NEWDOM"}, false},
		{"kept for its last holder", users.Proposal{Name: "kept", Domain: "NEWDOM"}, false},
		{"directory knows another short name in the domain", users.Proposal{Name: "alext", Domain: "CORP"}, false},
		{"an address", users.Proposal{Name: "alext@x.org", Domain: "NEWDOM"}, false},
		{"look-alike", users.Proposal{Name: "сора", Domain: "NEWDOM"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			tt.p.User = f.addDirectoryUser(t, "alex.test@example.org", "atest")
			f.addDirectoryUser(t, "sam@example.org", "sam")
			other := f.add(t, users.NewUser{Username: "other", Aliases: []string{"kept"}})
			if _, err := f.users.RemoveAlias(t.Context(), "admin", other.ID, "kept"); err != nil {
				t.Fatal(err)
			}
			f.update(t, func(tx store.Tx) error {
				linked, why, err := users.Link(t.Context(), tx, f.now, tt.p, false)
				if linked != tt.linked || linked == (why != "") {
					t.Errorf("Link = %v, %q", linked, why)
				}
				return err
			})
			a := f.resolve(t, tt.p.Domain+`\`+tt.p.Name)
			if tt.linked != (a.User == tt.p.User) {
				t.Errorf("the name leads to %+v", a)
			}
		})
	}
}

func TestProposalsWaitForAnAdministrator(t *testing.T) {
	f := newFixture(t)
	id := f.addDirectoryUser(t, "alex.test@example.org", "atest")
	p := users.Proposal{User: id, Name: "alext", Domain: "NEWDOM"}
	for range 2 {
		f.update(t, func(tx store.Tx) error {
			linked, _, err := users.Link(t.Context(), tx, f.now, p, true)
			if linked {
				t.Error("a proposal was linked")
			}
			return err
		})
	}
	list, err := f.users.Proposals(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "alext" {
		t.Fatalf("Proposals = %+v, %v", list, err)
	}
	if a := f.resolve(t, `NEWDOM\alext`); a.Outcome != names.Unknown {
		t.Errorf("before the decision: %+v", a)
	}
	if err := f.users.Decide(t.Context(), "admin", list[0], true); err != nil {
		t.Fatal(err)
	}
	if a := f.resolve(t, `NEWDOM\alext`); a.User != id {
		t.Errorf("after the decision: %+v", a)
	}
	wantErr(t, "decide again", f.users.Decide(t.Context(), "admin", list[0], true), core.ErrNotFound)
}
