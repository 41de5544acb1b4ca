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
	"github.com/platenprint/platen/server-stub/store"
)

func (s *site) push(set PushSet) (PushResult, error) {
	s.now = s.now.Add(time.Second)
	s.changed = nil
	return s.sync.Push(s.t.Context(), "scim", Settings{}, set)
}

func (s *site) mustPush(set PushSet) PushResult {
	s.t.Helper()
	r, err := s.push(set)
	if err != nil {
		s.t.Fatalf("push: %v", err)
	}
	return r
}

func TestPushGoesThroughTheSamePlanner(t *testing.T) {
	s := newSite(t)
	alex, kim := person("g1", "alex"), person("g2", "kim")
	r := s.mustPush(PushSet{People: []directory.Record{alex, kim, person("g3", "ALEX")}})
	if len(r.People) != 3 || r.People[1].User == 0 || fmt.Sprint(r.People[1].Actions) != "[create]" || r.People[1].Key != guidKey("g2") {
		t.Fatalf("%+v", r)
	}
	if r.People[0].User != 0 || !strings.Contains(r.People[0].Refused, "several records want the name") || r.People[2].Refused == "" {
		t.Errorf("%+v", r)
	}
	alex = person("g1", "alex.test")
	r = s.mustPush(PushSet{People: []directory.Record{alex}, Groups: []directory.Group{{Key: guidKey("gr"), Name: "Staff", Members: []directory.Key{guidKey("g1"), guidKey("g2")}}}})
	id := r.People[0].User
	if id == 0 || len(s.changed) != 1 || len(r.Groups) != 1 {
		t.Errorf("%+v, told %v", r, s.changed)
	}
	if again := s.mustPush(PushSet{People: []directory.Record{alex}}); again.People[0].User != id || len(again.People[0].Actions) != 0 || again.Run != r.Run {
		t.Errorf("the same again: %+v", again)
	}
	alex.Department = "Physics"
	if got := s.mustPush(PushSet{People: []directory.Record{alex}}); fmt.Sprint(got.People[0].Actions) != "[update]" {
		t.Errorf("%+v", got)
	}
	r = s.mustPush(PushSet{Gone: []directory.Key{guidKey("g1"), guidKey("never")}, GroupsGone: []directory.Key{guidKey("gr"), guidKey("never")}})
	want := []Pushed{{Key: guidKey("g1"), User: id, Actions: []Action{ActionDelete}}, {Key: guidKey("never")}}
	if diff := cmp.Diff(want, r.Gone); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if u := s.owner("scim", "g1"); u.DeletedAt.IsZero() {
		t.Errorf("%+v", u)
	}
	s.view(func(ctx context.Context, tx store.Tx) {
		if groups, err := tx.Groups(ctx, store.GroupFilter{}); len(groups) != 0 || err != nil {
			t.Errorf("groups %v, %v", groups, err)
		}
		runs, err := tx.SyncRuns(ctx, "scim", 9)
		if err != nil || len(runs) != 1 || runs[0].Kind != core.RunPush || runs[0].Created != 2 || runs[0].Disabled != 1 || runs[0].Conflicts != 2 || runs[0].Outcome != OutcomeOK {
			t.Errorf("runs %+v, %v", runs, err)
		}
	})
	if st, err := s.sync.State(t.Context(), "scim"); err != nil || st.LastSuccess.IsZero() {
		t.Errorf("state %+v, %v", st, err)
	}
	r = s.mustPush(PushSet{People: []directory.Record{alex}})
	if r.People[0].User != id || fmt.Sprint(r.People[0].Actions) != "[restore]" {
		t.Errorf("A3_57 added again: %+v", r)
	}
}

func TestA3_56_TheBrakeHoldsForPushesOverADay(t *testing.T) {
	s := newSite(t)
	var all []directory.Record
	for i := range 100 {
		all = append(all, person(fmt.Sprint("g", i), fmt.Sprint("user", i)))
	}
	s.mustPush(PushSet{People: all})
	gone := func(i int) PushSet { return PushSet{Gone: []directory.Key{guidKey(fmt.Sprint("g", i))}} }
	for i := range 10 {
		s.now = s.now.Add(time.Hour)
		s.mustPush(gone(i))
	}
	for range 3 {
		_, err := s.push(gone(10))
		if stopped, ok := errors.AsType[*StoppedError](err); !ok || !strings.Contains(stopped.Message, "disable 11 of 100 people") {
			t.Fatalf("the eleventh of 100 in a day: %v", err)
		}
	}
	if len(s.failed) != 1 {
		t.Errorf("told %d times that it was stopped, want once an hour", len(s.failed))
	}
	if !s.owner("scim", "g10").Active() {
		t.Error("deleted although it was stopped")
	}
	s.mustPush(PushSet{People: []directory.Record{person("g200", "fresh")}}) // who is new passes
	if err := s.sync.ApprovePushes(t.Context(), "scim", ""); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("approved without a reason: %v", err)
	}
	if err := s.sync.ApprovePushes(t.Context(), "scim", "the year ended"); err != nil {
		t.Fatal(err)
	}
	for i := 10; i < 40; i++ {
		s.mustPush(gone(i))
	}
	s.now = s.now.Add(2 * time.Hour)
	if _, err := s.push(gone(40)); err == nil {
		t.Error("the approval lasts for longer than an hour")
	}
	s.now = s.now.Add(25 * time.Hour)
	s.mustPush(gone(40))
}

// Whoever was disabled is counted once among the people, whoever was deleted before this day not at all.
func TestA3_56_TheBrakeOfPushesCountsEverybodyOnce(t *testing.T) {
	s := newSite(t)
	var all []directory.Record
	for i := range 101 {
		all = append(all, person(fmt.Sprint("g", i), fmt.Sprint("user", i)))
	}
	s.mustPush(PushSet{People: all})
	s.mustPush(PushSet{Gone: []directory.Key{guidKey("g100")}})
	s.now = s.now.Add(25 * time.Hour)
	disabled := func(i int) PushSet {
		r := all[i]
		r.Disabled = true
		return PushSet{People: []directory.Record{r}}
	}
	for i := range 5 {
		s.now = s.now.Add(time.Hour)
		s.mustPush(disabled(i))
		s.mustPush(PushSet{Gone: []directory.Key{guidKey(fmt.Sprint("g", 50+i))}})
	}
	for what, set := range map[string]PushSet{"disabled": disabled(5), "deleted": {Gone: []directory.Key{guidKey("g55")}}} {
		if _, err := s.push(set); err == nil || !strings.Contains(err.Error(), "disable 11 of 100 people, more than the 10") {
			t.Errorf("the eleventh of 100 in a day, %s: %v", what, err)
		}
	}
}

// What hangs on a push is stored with it or not at all.
func TestAPushAndWhatHangsOnItAreOne(t *testing.T) {
	s := newSite(t)
	trouble := errors.New("trouble")
	line := func(err error) func(context.Context, store.Tx, PushResult) error {
		return func(ctx context.Context, tx store.Tx, r PushResult) error {
			if len(r.People) != 1 || r.People[0].User == 0 {
				t.Errorf("%+v", r)
			}
			u, findErr := tx.User(ctx, r.People[0].User)
			return errors.Join(findErr, tx.AppendAudit(ctx, core.AuditEvent{At: s.now, Action: "test.also", Target: u.Username}), err)
		}
	}
	lines := func() (n int) {
		s.view(func(ctx context.Context, tx store.Tx) {
			list, err := tx.AuditEvents(ctx, 0, 100)
			for _, e := range list {
				if err == nil && e.Action == "test.also" {
					n++
				}
			}
		})
		return n
	}
	set := PushSet{People: []directory.Record{person("g1", "alex")}, Also: line(trouble)}
	if _, err := s.push(set); !errors.Is(err, trouble) || lines() != 0 || len(s.changed) != 0 {
		t.Errorf("%v, %d lines, told %v", err, lines(), s.changed)
	}
	s.view(func(ctx context.Context, tx store.Tx) {
		runs, err := tx.SyncRuns(ctx, "scim", 9)
		if n, countErr := tx.CountUsers(ctx, store.UserFilter{IncludeDeleted: true}); n != 0 || len(runs) != 0 || err != nil || countErr != nil {
			t.Errorf("%d people, runs %+v, %v, %v", n, runs, err, countErr)
		}
	})
	set.Also = line(nil)
	s.mustPush(set)
	if lines() != 1 || len(s.changed) != 1 {
		t.Errorf("%d lines, told %v", lines(), s.changed)
	}
}

func TestAPushIsUndoneByTheHour(t *testing.T) {
	s := newSite(t)
	s.mustPush(PushSet{People: []directory.Record{person("g1", "alex"), person("g2", "kim")}})
	before := s.picture()
	s.now = s.now.Add(2 * time.Hour)
	s.mustPush(PushSet{People: []directory.Record{person("g1", "renamed")}})
	r := s.mustPush(PushSet{Gone: []directory.Key{guidKey("g2")}})
	s.undo(r.Run)
	if diff := cmp.Diff(before, s.picture()); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
	if next := s.mustPush(PushSet{People: []directory.Record{person("g3", "new")}}); next.Run == r.Run {
		t.Error("pushes go on in a run that was undone")
	}
}
