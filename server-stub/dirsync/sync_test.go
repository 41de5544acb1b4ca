package dirsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

func TestFirstRunCreatesPeopleWithTheirNames(t *testing.T) {
	s := newSite(t)
	alex := person("g1", "Alex")
	alex.Nickname, alex.Aliases, alex.Department, alex.Office, alex.SID = "alex.test", []string{"lexi", "ALEX@example.org"}, "Library", "B 12", "S-1-5-21-1-2-3-1104"
	run := s.mustSync(&list{id: "corp", people: []directory.Record{alex, person("g2", "kim")}})
	if run.Read != 2 || run.Created != 2 || run.Conflicts != 0 || run.FinishedAt.IsZero() || run.ID == 0 {
		t.Errorf("run %+v", run)
	}
	u := s.owner("corp", "g1")
	want := core.User{
		ID: u.ID, Username: "Alex@example.org", DisplayName: "ALEX", Email: "Alex@mail.example.org", Department: "Library", Office: "B 12", Source: "corp",
		CreatedAt: s.now, UpdatedAt: s.now,
	}
	if diff := cmp.Diff(want, u); diff != "" {
		t.Errorf("user -want +got\n%s", diff)
	}
	wantNames := []string{"alias:lexi", "email:alex@mail.example.org", "nickname:alex.test", `sam:corp\alex`, "upn:alex@example.org"}
	if diff := cmp.Diff(wantNames, s.names(u.ID)); diff != "" {
		t.Errorf("names -want +got\n%s", diff)
	}
	s.view(func(ctx context.Context, tx store.Tx) {
		if owners, err := tx.OwnersByID(ctx, core.IdentitySID, alex.SID); err != nil || len(owners) != 1 || owners[0] != u.ID {
			t.Errorf("owners of the SID: %v, %v", owners, err)
		}
	})
	if got := s.audit(); len(got) != 2 || !strings.HasPrefix(got[0], fmt.Sprintf("sync:corp user.create user:%d ", u.ID)) {
		t.Errorf("audit %q", got)
	}
	if len(s.changed) != 2 {
		t.Errorf("OnChange was told of %v, want two users", s.changed)
	}
}

func TestRunThatFindsNothingNewWritesNothingButItsRecord(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: people(20)}
	src.people[3].Disabled = true
	src.people[4].Aliases = []string{"four"}
	s.mustSync(src)
	src.people[5] = person("id-5", "renamed")
	s.mustSync(src)
	counted := &counting{Store: s.store}
	s.use(counted)
	run := s.mustSync(src)
	if counted.writes != 0 || len(s.changed) != 0 {
		t.Errorf("%d writes, OnChange for %v; want none", counted.writes, s.changed)
	}
	if run.Created+run.Updated+run.Renamed+run.Disabled+run.Restored+run.Conflicts != 0 || run.Read != 20 {
		t.Errorf("run %+v", run)
	}
}

func TestEachFieldFollowsTheDirectory(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "kim")}}
	s.mustSync(src)
	id := s.owner("corp", "g1").ID
	steps := []struct {
		field string
		edit  func(r *directory.Record)
		want  func(u core.User) bool
	}{
		{"display_name", func(r *directory.Record) { r.DisplayName = "A. Test" }, func(u core.User) bool { return u.DisplayName == "A. Test" }},
		{"email,names", func(r *directory.Record) { r.Email = "a@x.org" }, func(u core.User) bool { return u.Email == "a@x.org" }},
		{"department", func(r *directory.Record) { r.Department = "D" }, func(u core.User) bool { return u.Department == "D" }},
		{"office", func(r *directory.Record) { r.Office = "O\x00\xff" }, func(u core.User) bool { return u.Office == "O" }},
		{"department", func(r *directory.Record) { r.Department = "" }, func(u core.User) bool { return u.Department == "" }},
		{"names", func(r *directory.Record) { r.Nickname = "al" }, func(core.User) bool { return true }},
		{"username", func(r *directory.Record) { r.Username, r.UPN = "ALEX@example.org", "ALEX@example.org" }, func(u core.User) bool { return u.Username == "ALEX@example.org" }},
	}
	for _, step := range steps {
		step.edit(&src.people[0])
		run := s.mustSync(src)
		if u := s.owner("corp", "g1"); !step.want(u) || u.ID != id || run.Updated != 1 || run.Renamed != 0 {
			t.Errorf("%s: user %+v, run %+v", step.field, u, run)
		}
		lines := s.audit()
		if last := lines[len(lines)-1]; last != fmt.Sprintf("sync:corp user.update user:%d %s", id, step.field) {
			t.Errorf("audit %q, want the field %s", last, step.field)
		}
		if diff := cmp.Diff([]core.UserID{id}, s.changed); diff != "" {
			t.Errorf("OnChange %s", diff)
		}
	}
}

func TestRenameKeepsThePersonAndTheOldNames(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "kim")}}
	s.mustSync(src)
	before := s.owner("corp", "g1")
	src.people[0] = person("g1", "alexandra")
	if run := s.mustSync(src); run.Renamed != 1 || run.Created+run.Disabled != 0 {
		t.Errorf("run %+v", run)
	}
	after := s.owner("corp", "g1")
	if after.ID != before.ID || after.Username != "alexandra@example.org" {
		t.Errorf("after the rename: %+v", after)
	}
	want := []string{"alias:alex@example.org", "email:alexandra@mail.example.org", `sam:corp\alexandra`, "upn:alexandra@example.org"}
	if diff := cmp.Diff(want, s.names(after.ID)); diff != "" {
		t.Errorf("names -want +got\n%s", diff)
	}

	t.Run("the old name stays from run to run", func(t *testing.T) {
		if run := s.mustSync(src); run.Updated+run.Renamed != 0 {
			t.Errorf("run %+v", run)
		}
		if diff := cmp.Diff(want, s.names(after.ID)); diff != "" {
			t.Errorf("names -want +got\n%s", diff)
		}
	})
	t.Run("nobody else gets the old name for 180 days", func(t *testing.T) {
		src.people = append(src.people, person("g3", "alex"))
		run := s.mustSync(src)
		if run.Conflicts != 1 || run.Created != 0 || !strings.Contains(run.Message, "kept for 180 days") {
			t.Errorf("run %+v", run)
		}
		s.now = s.now.Add(names.Reservation)
		run = s.mustSync(src)
		if run.Conflicts != 0 || run.Created != 1 {
			t.Errorf("run after 180 days %+v", run)
		}
		for _, n := range s.names(after.ID) {
			if strings.Contains(n, ":alex@example.org") {
				t.Errorf("the first holder still has %s", n)
			}
		}
		if run := s.mustSync(src); run.Conflicts+run.Updated != 0 {
			t.Errorf("the run after it %+v", run)
		}
		s.view(func(ctx context.Context, tx store.Tx) {
			holders, err := tx.Holders(ctx, "alex@example.org")
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range holders {
				if h.UserID == after.ID && names.Blocks(h, s.now) {
					t.Errorf("the first holder's name still makes it ambiguous: %+v", h)
				}
			}
		})
	})
	t.Run("back to the first name", func(t *testing.T) {
		s := newSite(t)
		src := &list{id: "corp", people: []directory.Record{person("g1", "alex")}}
		s.mustSync(src)
		first := s.names(1)
		src.people[0] = person("g1", "alexandra")
		s.mustSync(src)
		src.people[0] = person("g1", "alex")
		s.mustSync(src)
		if diff := cmp.Diff(append([]string{"alias:alexandra@example.org"}, first...), s.names(1)); diff != "" {
			t.Errorf("names -want +got\n%s", diff)
		}
		if run := s.mustSync(src); run.Updated+run.Renamed != 0 {
			t.Errorf("run %+v", run)
		}
	})
}

func TestA1_48_SwitchFromShortNamesToUPNsIsARename(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: []directory.Record{person("g1", "alex")}}
	src.people[0].Username = "alex"
	s.mustSync(src)
	if diff := cmp.Diff([]string{"email:alex@mail.example.org", `sam:corp\alex`, "upn:alex@example.org", "username:alex"}, s.names(1)); diff != "" {
		t.Errorf("names -want +got\n%s", diff)
	}
	src.people[0].Username = "alex@example.org"
	if run := s.mustSync(src); run.Renamed != 1 {
		t.Errorf("run %+v", run)
	}
	if diff := cmp.Diff([]string{"alias:alex", "email:alex@mail.example.org", `sam:corp\alex`, "upn:alex@example.org"}, s.names(1)); diff != "" {
		t.Errorf("names -want +got\n%s", diff)
	}
}

func TestSoftDeleteAndExactRestore(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: people(3)}
	src.people[1].Aliases = []string{"nick"}
	s.mustSync(src)
	gone := src.people[1]
	id := s.owner("corp", gone.Key).ID
	s.update(func(ctx context.Context, tx store.Tx) error { // an alias given by hand comes back too
		return tx.PutName(ctx, core.LoginName{UserID: id, Name: "byhand", Folded: "byhand", Kind: core.NameAlias, ValidFrom: s.now})
	})
	before := s.picture()

	src.people = []directory.Record{src.people[0], src.people[2]}
	if run := s.mustSync(src); run.Disabled != 1 {
		t.Errorf("run %+v", run)
	}
	if u := s.owner("corp", gone.Key); u.Active() || !u.DeletedAt.Equal(s.now) {
		t.Errorf("who left is %+v", u)
	}
	if run := s.mustSync(src); run.Disabled != 0 {
		t.Errorf("deleted twice: %+v", run)
	}

	t.Run("the same name with another id is quarantined", func(t *testing.T) {
		stranger := gone
		stranger.Key = "other"
		src.people = append(src.people, stranger)
		run := s.mustSync(src)
		if run.Created != 0 || run.Conflicts != 1 || !strings.Contains(run.Message, "under another id") {
			t.Errorf("run %+v", run)
		}
		src.people = src.people[:2]
	})
	t.Run("restored as before", func(t *testing.T) {
		s.now = s.now.Add(29 * 24 * time.Hour)
		src.people = append(src.people, gone)
		if run := s.mustSync(src); run.Restored != 1 || run.Created != 0 {
			t.Errorf("run %+v", run)
		}
		if diff := cmp.Diff(before, s.picture()); diff != "" {
			t.Errorf("-before +restored\n%s", diff)
		}
	})
	t.Run("after 180 days the name may be another's, and nothing is inherited", func(t *testing.T) {
		src.people = src.people[:2]
		s.mustSync(src)
		s.now = s.now.Add(names.Reservation)
		stranger := gone
		stranger.Key = "other"
		src.people = append(src.people, stranger)
		if run := s.mustSync(src); run.Created != 1 || run.Conflicts != 0 {
			t.Errorf("run %+v", run)
		}
		if u := s.owner("corp", "other"); u.ID == id {
			t.Error("the stranger got the account of the one who left")
		}
	})
}

func TestDisabledFollowsTheDirectoryButNeverUndoesAnAdministrator(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: people(2)}
	s.mustSync(src)
	src.people[0].Disabled = true
	if run := s.mustSync(src); run.Disabled != 1 || !s.owner("corp", "id-0").Disabled {
		t.Errorf("not disabled: %+v", run)
	}
	src.people[0].Disabled = false
	if s.mustSync(src); s.owner("corp", "id-0").Disabled {
		t.Error("not enabled again")
	}
	s.update(func(ctx context.Context, tx store.Tx) error {
		u, err := tx.User(ctx, s.owner("corp", "id-1").ID)
		if err != nil {
			return err
		}
		u.Disabled = true
		return tx.UpdateUser(ctx, u)
	})
	for _, inDirectory := range []bool{false, true, false} {
		src.people[1].Disabled = inDirectory
		if s.mustSync(src); !s.owner("corp", "id-1").Disabled {
			t.Errorf("with the directory at disabled=%v the administrator's decision was undone", inDirectory)
		}
	}
	t.Run("disabled from the start, enabled later", func(t *testing.T) {
		late := person("late", "late")
		late.Disabled = true
		src.people = append(src.people, late)
		if s.mustSync(src); !s.owner("corp", "late").Disabled {
			t.Error("created enabled")
		}
		src.people[2].Disabled = false
		if s.mustSync(src); s.owner("corp", "late").Disabled {
			t.Error("still disabled")
		}
	})
}

func TestNothingButACompleteReadChangesAnybody(t *testing.T) {
	broken := errors.New("connection lost")
	tests := []struct {
		name string
		src  list
	}{
		{"fails at once", list{err: broken}},
		{"fails after some", list{people: people(3), err: broken}},
		{"fails after everybody", list{people: people(5), err: broken}},
		{"lists nobody", list{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			s.mustSync(&list{id: "corp", people: people(5)})
			before := s.picture()
			tt.src.id = "corp"
			for i := range tt.src.people {
				tt.src.people[i].DisplayName = "changed"
			}
			run, err := s.try(&tt.src, Options{Approve: "even so"})
			if err == nil || run.Outcome != OutcomeFailed || run.Message == "" || run.FinishedAt.IsZero() {
				t.Errorf("run %+v, %v", run, err)
			}
			if diff := cmp.Diff(before, s.picture()); diff != "" {
				t.Errorf("-before +after\n%s", diff)
			}
			if len(s.changed) > 0 {
				t.Errorf("OnChange was told of %v", s.changed)
			}
			s.view(func(ctx context.Context, tx store.Tx) {
				runs, err := tx.SyncRuns(ctx, "corp", 1)
				if err != nil || len(runs) != 1 || runs[0].Outcome != OutcomeFailed {
					t.Errorf("kept run %+v, %v", runs, err)
				}
			})
		})
	}
	t.Run("the run is cancelled", func(t *testing.T) {
		s := newSite(t)
		ctx, cancel := context.WithCancel(t.Context())
		run, err := s.sync.Sync(ctx, &list{id: "corp", people: people(5), during: cancel}, Options{})
		if !errors.Is(err, context.Canceled) || run.Outcome != OutcomeFailed || len(s.picture()) != 0 {
			t.Errorf("run %+v, %v, %d users", run, err, len(s.picture()))
		}
	})
	t.Run("the store fails at each write", func(t *testing.T) {
		s := newSite(t)
		src := &list{id: "corp", people: people(4)}
		s.mustSync(src)
		before := s.picture()
		src.people[0] = person("id-0", "renamed")
		src.people[1].Disabled = true
		src.people[2] = person("id-new", "new")
		failed := 0
		for at := 1; ; at++ {
			s.use(&counting{Store: s.store, failAt: at})
			run, err := s.try(src, Options{})
			if err == nil {
				break
			}
			failed++
			if run.Outcome != OutcomeFailed || !errors.Is(err, errWrite) || len(s.changed) > 0 {
				t.Fatalf("write %d: run %+v, %v, changed %v", at, run, err, s.changed)
			}
			if diff := cmp.Diff(before, s.picture()); diff != "" {
				t.Fatalf("write %d: -before +after\n%s", at, diff)
			}
		}
		if failed < 10 {
			t.Errorf("only %d writes were seen", failed)
		}
	})
}

func TestBrake(t *testing.T) {
	tests := []struct {
		name    string
		people  int
		edit    func(src *list)
		stopped bool
		says    string
	}{
		{"10 of 12 leave: small numbers pass", 12, func(l *list) { l.people = l.people[10:] }, false, ""},
		{"11 of 12 leave", 12, func(l *list) { l.people = l.people[11:] }, true, "disable 11 of 12 people"},
		{"3 of 60 leave, with a low floor", 60, func(l *list) { l.people = l.people[3:] }, false, ""},
		{"4 of 60 leave, with a low floor", 60, func(l *list) { l.people = l.people[4:] }, true, "disable 4 of 60 people, more than the 3"},
		{"4 of 60 are disabled, with a low floor", 60, func(l *list) {
			for i := range 4 {
				l.people[i].Disabled = true
			}
		}, true, "disable 4 of 60"},
		{"12 of 60 are renamed, with a low floor", 60, func(l *list) { renameFirst(l, 12) }, false, ""},
		{"13 of 60 are renamed, with a low floor", 60, func(l *list) { renameFirst(l, 13) }, true, "change the username or id of 13 of 60"},
		{"11 get other ids", 12, func(l *list) {
			for i := range 11 {
				l.people[i].Key = "new-" + l.people[i].Key
			}
		}, true, "of 12 people"},
		{"everybody gets another department", 50, func(l *list) {
			for i := range l.people {
				l.people[i].Department = "moved"
			}
		}, false, ""},
		{"100 more arrive", 10, func(l *list) { l.people = people(110) }, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			src := &list{id: "corp", people: people(tt.people)}
			s.mustSync(src)
			before := s.picture()
			tt.edit(src)
			var brake Brake
			if strings.Contains(tt.name, "low floor") {
				brake.Floor = 1
			}
			run, err := s.try(src, Options{Brake: brake})
			if !tt.stopped {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if stopped, ok := errors.AsType[*StoppedError](err); !ok || run.Outcome != OutcomeStopped || !strings.Contains(stopped.Message, tt.says) || run.Message != stopped.Message {
				t.Fatalf("run %+v, %v; want it stopped with %q", run, err, tt.says)
			}
			if diff := cmp.Diff(before, s.picture()); diff != "" {
				t.Errorf("-before +after\n%s", diff)
			}
			run, err = s.try(src, Options{Brake: brake, Approve: "the school year ended"})
			if err != nil || run.Outcome != OutcomeOK || run.Disabled+run.Renamed == 0 || !strings.Contains(run.Message, "approved: the school year ended") {
				t.Errorf("approved run %+v, %v", run, err)
			}
		})
	}
}

func renameFirst(l *list, n int) {
	for i := range n {
		l.people[i] = person(l.people[i].Key, "renamed"+l.people[i].SAM)
	}
}

func TestConflictsAreReportedNotGuessed(t *testing.T) {
	t.Run("two new people want one username", func(t *testing.T) {
		s := newSite(t)
		run := s.mustSync(&list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "ALEX"), person("g3", "kim")}})
		if run.Created != 1 || run.Conflicts != 2 || strings.Count(run.Message, "several records want the name") != 2 {
			t.Errorf("run %+v", run)
		}
	})
	t.Run("the holder of a username keeps it", func(t *testing.T) {
		s := newSite(t)
		src := &list{id: "corp", people: []directory.Record{person("g1", "alex")}}
		s.mustSync(src)
		src.people = append(src.people, person("g2", "alex"))
		if run := s.mustSync(src); run.Created+run.Updated != 0 || run.Conflicts != 1 {
			t.Errorf("run %+v", run)
		}
	})
	t.Run("one person's UPN is another's username", func(t *testing.T) {
		s := newSite(t)
		odd := person("g2", "kim")
		odd.Username = "alex@example.org"
		if run := s.mustSync(&list{id: "corp", people: []directory.Record{person("g1", "alex"), odd}}); run.Created != 0 || run.Conflicts != 2 {
			t.Errorf("run %+v", run)
		}
	})
	t.Run("a local account has the username", func(t *testing.T) {
		s := newSite(t)
		id := s.local("alex@example.org")
		run := s.mustSync(&list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "kim")}})
		if run.Created != 1 || run.Conflicts != 1 || !strings.Contains(run.Message, fmt.Sprintf("CN=alex the name \"alex@example.org\" is the username of user %d (a local account)", id)) {
			t.Errorf("run %+v", run)
		}
	})
	t.Run("a name taken keeps the old name but everything else follows", func(t *testing.T) {
		s := newSite(t)
		src := &list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "kim")}}
		s.mustSync(src)
		names := s.names(s.owner("corp", "g1").ID)
		src.people[0] = person("g1", "kim")
		src.people[0].Disabled, src.people[0].Department = true, "moved"
		run := s.mustSync(src)
		u := s.owner("corp", "g1")
		if run.Conflicts != 1 || u.Username != "alex@example.org" || !u.Disabled || u.Department != "moved" {
			t.Errorf("run %+v, user %+v", run, u)
		}
		if diff := cmp.Diff(names, s.names(u.ID)); diff != "" {
			t.Errorf("names -want +got\n%s", diff)
		}
	})
	t.Run("two people swap their usernames", func(t *testing.T) {
		s := newSite(t)
		src := &list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "kim")}}
		s.mustSync(src)
		src.people[0], src.people[1] = person("g1", "kim"), person("g2", "alex")
		run := s.mustSync(src)
		if run.Conflicts != 2 || s.owner("corp", "g1").Username != "alex@example.org" || s.owner("corp", "g2").Username != "kim@example.org" {
			t.Errorf("run %+v", run)
		}
	})
	t.Run("records that cannot be used do not make people leave", func(t *testing.T) {
		s := newSite(t)
		src := &list{id: "corp", people: people(4)}
		s.mustSync(src)
		before := s.picture()
		src.people[0].Username = ""
		src.people[1].UPN = "us\u200der1@example.org"
		src.people = append(src.people, src.people[2])
		src.people = append(src.people, directory.Record{Where: "CN=hidden", Username: "x", UPN: "x"})
		run := s.mustSync(src)
		if run.Conflicts != 4 || run.Disabled+run.Created+run.Updated != 0 {
			t.Errorf("run %+v", run)
		}
		if diff := cmp.Diff(before, s.picture()); diff != "" {
			t.Errorf("-before +after\n%s", diff)
		}
	})
	t.Run("a short name linked in one domain is no username", func(t *testing.T) {
		s := newSite(t)
		id := s.local("somebody")
		s.update(func(ctx context.Context, tx store.Tx) error {
			return tx.PutName(ctx, core.LoginName{UserID: id, Name: "alex", Folded: "alex", Kind: core.NameAlias, Domain: "lab", ValidFrom: s.now})
		})
		alex := person("g1", "alex")
		alex.Username = "alex"
		if run := s.mustSync(&list{id: "corp", people: []directory.Record{alex}}); run.Created != 1 || run.Conflicts != 0 {
			t.Errorf("run %+v", run)
		}
	})
	t.Run("an alias never takes somebody's username", func(t *testing.T) {
		s := newSite(t)
		greedy := person("g1", "alex")
		greedy.Aliases = []string{"kim@example.org", "fine"}
		run := s.mustSync(&list{id: "corp", people: []directory.Record{greedy, person("g2", "kim")}})
		if run.Created != 2 || run.Conflicts != 1 {
			t.Errorf("run %+v", run)
		}
		if got := s.names(s.owner("corp", "g1").ID); !strings.Contains(fmt.Sprint(got), "alias:fine") || strings.Contains(fmt.Sprint(got), "kim") {
			t.Errorf("names %v", got)
		}
	})
}

func TestTwoSources(t *testing.T) {
	s := newSite(t)
	corp := &list{id: "corp", people: []directory.Record{person("g1", "alex"), person("g2", "kim")}}
	lab := &list{id: "lab", people: []directory.Record{person("l1", "sam")}}
	s.mustSync(corp)
	s.mustSync(lab)
	if s.owner("corp", "g1").ID == s.owner("lab", "l1").ID {
		t.Fatal("one user for two sources' people")
	}
	t.Run("a run leaves the other source's people alone", func(t *testing.T) {
		corp.people = corp.people[:1]
		s.mustSync(corp)
		if u := s.owner("lab", "l1"); !u.Active() {
			t.Errorf("%+v", u)
		}
	})
	t.Run("a username of the other source is not given", func(t *testing.T) {
		lab.people = append(lab.people, person("g9", "alex"))
		if run := s.mustSync(lab); run.Created != 0 || run.Conflicts != 1 || !strings.Contains(run.Message, `(source "corp")`) {
			t.Errorf("run %+v", run)
		}
		lab.people = lab.people[:1]
	})
	t.Run("a person with the same SID is the same person", func(t *testing.T) {
		const sid = "S-1-5-21-9-9-9-1000"
		mover := person("g5", "mover")
		mover.SID = sid
		corp.people = append(corp.people, mover)
		s.mustSync(corp)
		id := s.owner("corp", "g5").ID
		there := person("other-id", "mover")
		there.SID = sid
		lab.people = append(lab.people, there)
		if run := s.mustSync(lab); run.Created+run.Conflicts != 0 || run.Updated != 1 || s.owner("lab", "other-id").Source != "corp" {
			t.Errorf("listed by both: %+v", run)
		}
		corp.people = corp.people[:1]
		s.mustSync(corp)
		if run := s.mustSync(lab); run.Restored != 1 || run.Created != 0 {
			t.Errorf("moved: %+v", run)
		}
		if u := s.owner("lab", "other-id"); u.ID != id || u.Source != "lab" || !u.Active() {
			t.Errorf("moved user %+v, want id %d", u, id)
		}
		if run := s.mustSync(corp); run.Disabled+run.Updated != 0 {
			t.Errorf("the old source still touches the person: %+v", run)
		}
		corp.people = append(corp.people, mover)
		if run := s.mustSync(corp); run.Created != 0 || run.Conflicts != 0 || s.owner("corp", "g5").Source != "lab" {
			t.Errorf("listed by the old source again: %+v", run)
		}
	})
}

func TestErasedPersonWhoIsStillListedIsANewPerson(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: people(2)}
	s.mustSync(src)
	id := s.owner("corp", "id-0").ID
	s.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.DeleteNames(ctx, id); err != nil {
			return err
		}
		if err := tx.DeleteIdentities(ctx, id); err != nil {
			return err
		}
		return tx.UpdateUser(ctx, core.User{ID: id, ErasedAt: s.now, UpdatedAt: s.now})
	})
	if run := s.mustSync(src); run.Created != 1 || s.owner("corp", "id-0").ID == id {
		t.Errorf("run %+v", run)
	}
}

func TestRunLeftOpenByACrashIsClosed(t *testing.T) {
	s := newSite(t)
	s.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.CreateSyncRun(ctx, core.SyncRun{Source: "corp", StartedAt: s.now})
		return err
	})
	s.mustSync(&list{id: "corp", people: people(1)})
	s.view(func(ctx context.Context, tx store.Tx) {
		runs, err := tx.SyncRuns(ctx, "corp", 10)
		if err != nil || len(runs) != 2 || runs[1].Outcome != OutcomeFailed || runs[1].FinishedAt.IsZero() {
			t.Errorf("runs %+v, %v", runs, err)
		}
	})
}

func TestOneRunOfASourceAtATime(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: people(1)}
	var inner error
	src.during = func() { _, inner = s.sync.Sync(t.Context(), src, Options{}) }
	if _, err := s.sync.Sync(t.Context(), src, Options{}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, core.ErrConflict) {
		t.Errorf("the second run: %v, want ErrConflict", inner)
	}
	src.during = nil
	s.mustSync(src)
}

func TestAccountChangedByHandDuringTheReadIsSeen(t *testing.T) {
	s := newSite(t)
	src := &list{id: "corp", people: people(1)}
	src.during = func() { s.local("user0@example.org") }
	run := s.mustSync(src)
	if run.Created != 0 || run.Conflicts != 1 {
		t.Errorf("run %+v", run)
	}
}

var errWrite = errors.New("disk full")

// counting counts writes other than of the run's record, and fails one.
type counting struct {
	store.Store
	failAt int
	writes int
}

func (c *counting) Update(ctx context.Context, fn func(store.Tx) error) error {
	return c.Store.Update(ctx, func(tx store.Tx) error { return fn(&countingTx{Tx: tx, c: c}) })
}

type countingTx struct {
	store.Tx
	c *counting
}

func (t *countingTx) write() error {
	if t.c.writes++; t.c.writes == t.c.failAt {
		return errWrite
	}
	return nil
}

func (t *countingTx) CreateUser(ctx context.Context, u core.User) (core.UserID, error) {
	if err := t.write(); err != nil {
		return 0, err
	}
	return t.Tx.CreateUser(ctx, u)
}

func (t *countingTx) UpdateUser(ctx context.Context, u core.User) error {
	return errors.Join(t.write(), t.Tx.UpdateUser(ctx, u))
}

func (t *countingTx) PutName(ctx context.Context, n ...core.LoginName) error {
	return errors.Join(t.write(), t.Tx.PutName(ctx, n...))
}

func (t *countingTx) EndName(ctx context.Context, id int64, at time.Time) error {
	return errors.Join(t.write(), t.Tx.EndName(ctx, id, at))
}

func (t *countingTx) PutIdentity(ctx context.Context, e ...core.ExternalIdentity) error {
	return errors.Join(t.write(), t.Tx.PutIdentity(ctx, e...))
}

func (t *countingTx) SetMeta(ctx context.Context, key, value string) error {
	return errors.Join(t.write(), t.Tx.SetMeta(ctx, key, value))
}

func (t *countingTx) AppendAudit(ctx context.Context, e ...core.AuditEvent) error {
	return errors.Join(t.write(), t.Tx.AppendAudit(ctx, e...))
}
