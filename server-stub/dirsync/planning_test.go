package dirsync

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

func (s *site) run(src directory.Source, settings Settings) (core.SyncRun, error) {
	s.now = s.now.Add(time.Minute)
	s.changed = nil
	return s.sync.Run(s.t.Context(), src, settings)
}

func (s *site) mustRun(src directory.Source, settings Settings) core.SyncRun {
	s.t.Helper()
	run, err := s.run(src, settings)
	if err != nil || run.Outcome != OutcomeOK {
		s.t.Fatalf("run: outcome %q, %v", run.Outcome, err)
	}
	return run
}

func (s *site) plan(src directory.Source, settings Settings) PlanHead {
	s.t.Helper()
	s.now = s.now.Add(time.Minute)
	head, err := s.sync.Plan(s.t.Context(), src, settings)
	if err != nil {
		s.t.Fatalf("plan: %v", err)
	}
	return head
}

// words are the changes of a plan.
func (s *site) words(plan string) (list []string) {
	s.t.Helper()
	if err := s.sync.PlanChanges(s.t.Context(), plan, func(c Change) error {
		list = append(list, c.Words())
		return nil
	}); err != nil {
		s.t.Fatalf("changes of plan %s: %v", plan, err)
	}
	return list
}

func (s *site) apply(source core.SourceID, plan, reason string) (core.SyncRun, error) {
	s.now = s.now.Add(time.Minute)
	s.changed = nil
	return s.sync.Apply(s.t.Context(), source, plan, reason)
}

func TestA2_01_APlanShowsWhatApplyThenDoes(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(6)...)
	src.group("g1", "Staff", "id-0", "id-1")
	s.mustRun(src, Settings{})
	src.edit("id-0", func(r *directory.Record) { r.Department = "Physics" })
	renamed := person("id-1", "renamed")
	renamed.Email, renamed.DisplayName = src.people["id-1"].Email, src.people["id-1"].DisplayName
	src.put(renamed)
	src.edit("id-2", func(r *directory.Record) { r.Disabled = true })
	src.remove("id-3")
	src.put(person("id-9", "fresh"))
	taken := person("id-8", "user4")
	src.put(taken)
	src.group("g1", "Staff", "id-0")

	before := s.picture()
	head := s.plan(src, Settings{})
	if diff := cmp.Diff(before, s.picture()); diff != "" {
		t.Fatalf("a plan changed somebody: -before +after\n%s", diff)
	}
	want := Counts{Created: 1, Updated: 1, Renamed: 1, Disabled: 1, Deleted: 1, Conflicts: 1, Proposed: 1, Groups: 1}
	if diff := cmp.Diff(want, head.Counts); diff != "" {
		t.Errorf("counts -want +got\n%s", diff)
	}
	const summary = `7 people listed by source "corp", 6 of it known here: 1 person is new, 1 changes, 1 is renamed, 1 is disabled, 1 leaves, 1 group changes, 1 thing is left out.`
	if head.Summary != summary {
		t.Errorf("summary\n%s\nwant\n%s", head.Summary, summary)
	}
	wantWords := []string{
		`user0@example.org (user 1): department is now "Physics"`,
		`user1@example.org (user 2): is renamed, and keeps the old name as an alias; username "user1@example.org" -> "renamed@example.org"; ` +
			`login name (upn) was "user1@example.org" and ends; login name (sam) was "user1" and ends; login name (upn) is now "renamed@example.org"; ` +
			`login name (sam) is now "renamed"; login name (alias) is now "user1@example.org"`,
		`user2@example.org (user 3): is disabled by the directory`,
		`user4@example.org (CN=user4): the name "user4@example.org" is the upn of user 5 (source "corp")`,
		`fresh@example.org (CN=fresh): is new`,
		`user3@example.org (user 4): is no longer listed and leaves; everything is kept`,
	}
	got := s.words(head.ID)
	if diff := cmp.Diff(wantWords, got); diff != "" {
		t.Errorf("words -want +got\n%s", diff)
	}
	run, err := s.apply("corp", head.ID, "")
	if err != nil || run.PlanID != head.ID || run.Created != 1 || run.Updated != 1 || run.Renamed != 1 || run.Disabled != 2 || run.Conflicts != 1 {
		t.Fatalf("apply: %+v, %v", run, err)
	}
	if u := s.owner("corp", "id-1"); u.ID != 2 || u.Username != "renamed@example.org" {
		t.Errorf("renamed: %+v", u)
	}
	if _, err := s.apply("corp", head.ID, ""); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("the same plan again: %v", err)
	}
	again := s.plan(src, Settings{})
	if (again.Counts != Counts{Conflicts: 1, Proposed: 1}) {
		t.Errorf("after it was applied: %+v", again.Counts)
	}
}

func TestAPlanReadsWellAsJSON(t *testing.T) {
	c := Change{
		User: 12, Username: "kim", Actions: []Action{ActionUpdate}, Fields: []FieldChange{{"department", "", "Physics"}}, Weak: []string{"code of 4 digits"},
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"user":12,"username":"kim","actions":["update"],"fields":[{"field":"department","old":"","new":"Physics"}],"weak":["code of 4 digits"]}`
	if string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}

func TestAPlanIsOutOfDateOnceTheSourceWasSynchronised(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	s.mustRun(src, Settings{})
	head := s.plan(src, Settings{})
	src.put(person("id-9", "fresh"))
	s.mustRun(src, Settings{})
	if _, err := s.apply("corp", head.ID, "because"); !errors.Is(err, core.ErrConflict) || !strings.Contains(err.Error(), "plan again") {
		t.Errorf("an old listing was applied: %v", err)
	}
	if u := s.owner("corp", "id-9"); !u.DeletedAt.IsZero() {
		t.Error("who came since was deleted")
	}
}

func TestAPlanIsAppliedToWhatIsTrueThen(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	head := s.plan(src, Settings{})
	id := s.local("user1@example.org")
	run, err := s.apply("corp", head.ID, "")
	if err != nil || run.Created != 2 || run.Conflicts != 1 || !strings.Contains(run.Message, fmt.Sprintf("user %d (a local account)", id)) {
		t.Errorf("%+v, %v", run, err)
	}
}

func TestPlansEnd(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	first := s.plan(src, Settings{})
	for range keepPlans {
		s.plan(src, Settings{})
	}
	if _, err := s.sync.Head(t.Context(), first.ID); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("the oldest of %d plans: %v", keepPlans+1, err)
	}
	plans, err := s.sync.Plans(t.Context(), "corp")
	if err != nil || len(plans) != keepPlans {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	if _, err := s.apply("lab", plans[0].ID, ""); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a plan of another source: %v", err)
	}
	s.now = s.now.Add(keepPlan + time.Second)
	if _, err := s.apply("corp", plans[0].ID, ""); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a plan of last week: %v", err)
	}
	if err := s.sync.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if plans, err := s.sync.Plans(t.Context(), "corp"); len(plans) != 0 || err != nil {
		t.Errorf("%d plans, %v", len(plans), err)
	}
	if len(s.picture()) != 0 {
		t.Error("somebody was made")
	}
}

func TestR_SYNC_1_AStoppedRunIsApprovedByItsPlanAndAReason(t *testing.T) {
	for _, large := range []bool{false, true} {
		t.Run(fmt.Sprintf("many changes %v", large), func(t *testing.T) {
			s := newSite(t)
			src := newTree("corp", people(40)...)
			s.mustRun(src, Settings{})
			for i := range 20 {
				src.remove(fmt.Sprintf("id-%d", i))
			}
			before := s.picture()
			run, err := s.run(src, Settings{Full: large})
			stopped, ok := errors.AsType[*StoppedError](err)
			if !ok || run.Outcome != OutcomeStopped || run.PlanID == "" || !strings.Contains(stopped.Message, "disable 20 of 40 people") || !strings.Contains(run.Message, run.PlanID) {
				t.Fatalf("%+v, %v", run, err)
			}
			if len(s.failed) != 1 || s.failed[0].ID != run.ID {
				t.Errorf("OnFailure was told of %+v", s.failed)
			}
			if _, err := s.apply("corp", run.PlanID, " "); !errors.Is(err, core.ErrConflict) {
				t.Errorf("applied without a reason: %v", err)
			}
			if diff := cmp.Diff(before, s.picture()); diff != "" {
				t.Fatalf("-before +after\n%s", diff)
			}
			st, err := s.sync.State(t.Context(), "corp")
			if err != nil || st.Failures != 2 || !strings.Contains(st.Problem, "disable 20 of 40") || !st.LastSuccess.Before(st.LastAttempt) {
				t.Errorf("state %+v, %v", st, err)
			}
			done, err := s.apply("corp", run.PlanID, "the school year ended")
			if err != nil || done.Disabled != 20 || !strings.Contains(done.Message, "approved: the school year ended") || len(s.changed) != 20 {
				t.Errorf("%+v, %v, %d told", done, err, len(s.changed))
			}
			if st, err := s.sync.State(t.Context(), "corp"); err != nil || st.Failures != 0 || st.Problem != "" {
				t.Errorf("state %+v, %v", st, err)
			}
		})
	}
}

func TestR_SYNC_1_TheBrakeHoldsForEachGroup(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(300)...)
	var members []string
	for i := range 14 {
		members = append(members, fmt.Sprintf("id-%d", i))
	}
	src.group("g1", "Physics", members...)
	src.group("g2", "everybody")
	s.mustRun(src, Settings{})
	for i := range 12 {
		src.edit(fmt.Sprintf("id-%d", i), func(r *directory.Record) { r.Disabled = true })
	}
	run, err := s.run(src, Settings{})
	if _, ok := errors.AsType[*StoppedError](err); !ok || !strings.Contains(err.Error(), `disable 12 of 14 members of the group "Physics"`) {
		t.Fatalf("12 of 300 people are 12 of 14 in a group: %+v, %v", run, err)
	}
	if run, err := s.apply("corp", run.PlanID, "the institute closed"); err != nil || run.Disabled != 12 {
		t.Errorf("%+v, %v", run, err)
	}
}

func TestPlansAreSealed(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	head := s.plan(src, Settings{})
	s.now = s.now.Add(time.Minute)
	stranger := New(s.store, func() time.Time { return s.now }, Config{Logger: s.sync.cfg.Logger})
	if _, err := stranger.Apply(t.Context(), "corp", head.ID, ""); err == nil || !strings.Contains(err.Error(), "cannot be opened") {
		t.Errorf("opened with another key: %v", err)
	}
}

func TestR_SYNC_1_OtherIDsUnderTheSameNamesStopARun(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(40)...)
	s.mustRun(src, Settings{NoDelete: true})
	for i := range 11 {
		id := fmt.Sprintf("id-%d", i)
		r := src.people[id]
		src.remove(id)
		r.Key = "new-" + id
		src.put(r)
	}
	run, err := s.run(src, Settings{NoDelete: true, Full: true})
	if run.Outcome != OutcomeStopped || !strings.Contains(run.Message, "change the username or id of 11 of 40 people") {
		t.Errorf("%+v, %v", run, err)
	}
}
