package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// living are the usernames of the people who have not left, sorted, without their domain.
func (s *site) living() (names []string) {
	s.view(func(ctx context.Context, tx store.Tx) {
		all, err := tx.ListUsers(ctx, store.UserFilter{})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, u := range all {
			name, _, _ := strings.Cut(u.Username, "@")
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return names
}

// nested is a directory with groups within groups, that hold each other.
func nested() *tree {
	src := newTree("corp", people(6)...)
	src.group("ga", "A", "gb")
	src.group("gb", "B", "id-1", "id-2", "gc")
	src.group("gc", "C", "id-3", "ga", "gc", "nobody")
	src.group("gd", "D", "id-4", "id-1")
	return src
}

func TestA1_28_AGroupThatOnlyHoldsAGroupLetsItsMembersIn(t *testing.T) {
	for _, tt := range []struct {
		name  string
		scope Scope
		want  string
	}{
		{"A2_22 groups within groups, also such that hold each other", Scope{Groups: []string{"A"}}, "[user1 user2 user3]"},
		{"the off switch: only direct members", Scope{Groups: []string{"B"}, Direct: true}, "[user1 user2]"},
		{"several groups", Scope{Groups: []string{"B", "d"}, Direct: true}, "[user1 user2 user4]"},
		{"by id", Scope{Groups: []string{"gd"}}, "[user1 user4]"},
		{"by SID", Scope{Groups: []string{"s-1-5-21-GD"}}, "[user1 user4]"},
		{"no scope", Scope{}, "[user0 user1 user2 user3 user4 user5]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			src := nested()
			s.mustRun(src, Settings{Scope: tt.scope})
			if got := fmt.Sprint(s.living()); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if run := s.mustRun(src, Settings{Scope: tt.scope, Full: true}); run.Created+run.Disabled+run.Updated != 0 {
				t.Errorf("again: %+v", run)
			}
		})
	}
}

func TestAScopeThatNamesNoGroupChangesNobody(t *testing.T) {
	s := newSite(t)
	src := nested()
	src.group("gx", "Twice")
	src.group("gy", "twice")
	s.mustRun(src, Settings{})
	before := s.picture()
	for scope, says := range map[string]string{
		"Z": `lists no group "Z"`, "twice": `lists 2 groups named "twice"`, "gx": "is in the groups of its scope",
	} {
		run, err := s.run(src, Settings{Scope: Scope{Groups: []string{scope}}})
		if !errors.Is(err, core.ErrInvalid) || run.Outcome != OutcomeFailed || !strings.Contains(err.Error(), says) {
			t.Errorf("scope %s: %+v, %v", scope, run, err)
		}
	}
	if diff := cmp.Diff(before, s.picture()); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

func TestA2_22_WhoComesIntoTheScopeIsLookedUpAndWhoFallsOutLeaves(t *testing.T) {
	for _, deltas := range []bool{false, true} {
		t.Run(fmt.Sprintf("groups say only what changed: %v", deltas), func(t *testing.T) {
			s := newSite(t)
			src := nested()
			src.deltas = deltas
			settings := Settings{Scope: Scope{Groups: []string{"A"}}}
			s.mustRun(src, settings)
			id := s.owner("corp", "id-2").ID
			src.group("gc", "C", "id-3", "ga", "id-5")
			src.group("gb", "B", "id-1", "gc")
			run := s.mustRun(src, settings)
			if got := fmt.Sprintln(s.living(), run.Kind, run.Created, run.Disabled); got != "[user1 user3 user5] changes 1 1\n" {
				t.Errorf("%s", got)
			}
			if fmt.Sprint(src.looked) != "[{objectGUID id-5}]" {
				t.Errorf("looked up %v", src.looked)
			}
			src.group("gb", "B", "id-1", "gc", "id-2")
			if run := s.mustRun(src, settings); run.Restored != 1 || s.owner("corp", "id-2").ID != id || !s.owner("corp", "id-2").Active() {
				t.Errorf("back in the scope: %+v", run)
			}
			src.edit("id-0", func(r *directory.Record) { r.Department = "outside" })
			src.edit("id-1", func(r *directory.Record) { r.Department = "inside" })
			if run := s.mustRun(src, settings); run.Updated != 1 || run.Created != 0 || s.owner("corp", "id-1").Department != "inside" {
				t.Errorf("changes inside and outside of the scope: %+v", run)
			}
			if last := src.reads[len(src.reads)-1]; last != "changes" {
				t.Errorf("reads %v", src.reads)
			}
		})
	}
}

func TestAnotherScopeReadsEverything(t *testing.T) {
	s := newSite(t)
	src := nested()
	s.mustRun(src, Settings{Scope: Scope{Groups: []string{"A"}}})
	s.mustRun(src, Settings{Scope: Scope{Groups: []string{"A", "D"}}})
	if got := fmt.Sprint(s.living(), src.reads); got != "[user1 user2 user3 user4] [full full]" {
		t.Error(got)
	}
}

func TestA2_01_GroupsAreKeptWithTheirDirectMembers(t *testing.T) {
	s := newSite(t)
	src := nested()
	picture := func() string {
		var b strings.Builder
		s.view(func(ctx context.Context, tx store.Tx) {
			groups, err := tx.Groups(ctx, store.GroupFilter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range groups {
				members, err := tx.GroupMembers(ctx, g.ID)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprint(&b, g.Name, ":")
				for _, m := range members {
					fmt.Fprint(&b, " ", m.ID)
				}
				fmt.Fprint(&b, "; ")
			}
		})
		return b.String()
	}
	s.mustRun(src, Settings{})
	if got := picture(); got != "A: gb; B: gc id-1 id-2; C: ga gc id-3 nobody; D: id-1 id-4; " {
		t.Errorf("first: %s", got)
	}
	src.group("ga", "Alpha", "gb", "id-0")
	src.dropGroup("gd")
	s.mustRun(src, Settings{})
	const want = "Alpha: gb id-0; B: gc id-1 id-2; C: ga gc id-3 nobody; "
	if got := picture(); got != want {
		t.Errorf("changes: %s", got)
	}
	src.deltas = true
	src.group("gb", "B", "id-2", "id-5")
	s.mustRun(src, Settings{})
	const changed = "Alpha: gb id-0; B: id-2 id-5; C: ga gc id-3 nobody; "
	if got := picture(); got != changed {
		t.Errorf("members that came and went: %s", got)
	}
	src.group("gd", "D", "id-4")
	src.group("ge", "E", "id-4")
	src.dropGroup("gc")
	s.now = s.now.Add(compareEvery)
	s.mustRun(src, Settings{})
	if got := picture(); got != "Alpha: gb id-0; B: id-2 id-5; D: id-4; E: id-4; " {
		t.Errorf("read whole: %s", got)
	}
}

func TestWhatDidNotChangeIsNotLookedAtAgain(t *testing.T) {
	for _, prints := range []bool{false, true} {
		t.Run(fmt.Sprintf("the source makes fingerprints: %v", prints), func(t *testing.T) {
			s := newSite(t)
			src := &tree{}
			*src = *newTree("corp", people(30)...)
			src.prints = prints
			src.group("g1", "G", "id-1")
			s.mustRun(src, Settings{})
			src.listings = 0
			src.oldest = 1 << 20 // no bookmark is of use: it is read whole
			counted := &counting{Store: s.store}
			s.use(counted)
			src.edit("id-3", func(r *directory.Record) { r.Office = "B 12" })
			if run := s.mustRun(src, Settings{}); run.Updated != 1 || run.Read != 30 || counted.writes > 3 {
				t.Errorf("%+v, %d writes", run, counted.writes)
			}
			if prints && src.listings != 1 {
				t.Errorf("%d people were taken apart, want 1", src.listings)
			}
			// What changes here is looked at again, although the directory says what it said.
			s.update(func(ctx context.Context, tx store.Tx) error {
				u, err := tx.User(ctx, s.owner("corp", "id-4").ID)
				u.Department = "by hand"
				return errors.Join(err, tx.UpdateUser(ctx, u))
			})
			if run := s.mustRun(src, Settings{}); run.Updated != 1 || s.owner("corp", "id-4").Department != "" {
				t.Errorf("after a change by hand: %+v", run)
			}
			src.listings = 0
			s.now = s.now.Add(compareEvery)
			if run := s.mustRun(src, Settings{}); run.Updated != 0 || prints && src.listings != 30 {
				t.Errorf("once a day everything is compared: %+v, %d taken apart", run, src.listings)
			}
		})
	}
}

func TestChangesSinceTheLastRun(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(20)...)
	src.replays = true
	s.mustRun(src, Settings{})
	src.put(person("id-1", "renamed"))
	src.edit("id-2", func(r *directory.Record) { r.Office = "first" })
	src.edit("id-2", func(r *directory.Record) { r.Office = "second" })
	src.remove("id-3")
	src.put(person("id-new", "new"))
	src.remove("id-4")
	src.put(person("id-4", "user4"))
	src.remove("never-known")
	run := s.mustRun(src, Settings{})
	if run.Kind != core.RunChanges || run.Renamed != 1 || run.Updated != 1 || run.Disabled != 1 || run.Created != 1 || run.Restored != 0 || run.Conflicts != 0 {
		t.Errorf("%+v", run)
	}
	if s.owner("corp", "id-2").Office != "second" || s.owner("corp", "id-3").DeletedAt.IsZero() || !s.owner("corp", "id-4").DeletedAt.IsZero() {
		t.Error("not what the directory says")
	}
	if run := s.mustRun(src, Settings{}); run.Created+run.Updated+run.Renamed+run.Disabled+run.Restored != 0 || run.Kind != core.RunChanges {
		t.Errorf("no change: %+v", run)
	}
	t.Run("a bookmark that is too old reads everything", func(t *testing.T) {
		src.remove("id-5")
		src.oldest = 1 << 20
		run := s.mustRun(src, Settings{})
		if run.Kind != core.RunFull || run.Disabled != 1 {
			t.Errorf("%+v, reads %v", run, src.reads)
		}
		src.oldest = 0
	})
	t.Run("a fault keeps the bookmark", func(t *testing.T) {
		src.remove("id-6")
		src.fault = errors.New("the line broke")
		if run, err := s.run(src, Settings{}); err == nil || run.Outcome != OutcomeFailed {
			t.Errorf("%+v, %v", run, err)
		}
		src.fault = nil
		if run := s.mustRun(src, Settings{}); run.Kind != core.RunChanges || run.Disabled != 1 {
			t.Errorf("%+v", run)
		}
	})
	t.Run("the brake keeps it too", func(t *testing.T) {
		for i := 7; i < 20; i++ {
			src.remove(fmt.Sprintf("id-%d", i))
		}
		run, err := s.run(src, Settings{})
		if run.Outcome != OutcomeStopped {
			t.Fatalf("%+v, %v", run, err)
		}
		if run, err = s.run(src, Settings{}); run.Outcome != OutcomeStopped {
			t.Fatalf("the second time: %+v, %v", run, err)
		}
		if run, err := s.apply("corp", run.PlanID, "yes"); err != nil || run.Disabled != 13 || run.Kind != core.RunChanges {
			t.Errorf("approved: %+v, %v", run, err)
		}
		if run := s.mustRun(src, Settings{}); run.Disabled != 0 || run.Kind != core.RunChanges {
			t.Errorf("after it: %+v", run)
		}
	})
	t.Run("and once a day everything is read", func(t *testing.T) {
		s.now = s.now.Add(compareEvery)
		if run := s.mustRun(src, Settings{}); run.Kind != core.RunFull {
			t.Errorf("%+v", run)
		}
		st, err := s.sync.State(t.Context(), "corp")
		if err != nil || !st.LastFull.Equal(s.now) || !st.LastSuccess.Equal(s.now) {
			t.Errorf("state %+v, %v", st, err)
		}
	})
}

func TestA3_38_A3_54_NobodyIsDeletedWhereThatIsSwitchedOff(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(5)...)
	s.mustRun(src, Settings{NoDelete: true})
	src.remove("id-1")
	for name, full := range map[string]bool{"changes": false, "full": true} {
		if run := s.mustRun(src, Settings{NoDelete: true, Full: full}); run.Disabled != 0 || !s.owner("corp", "id-1").Active() {
			t.Errorf("%s: %+v", name, run)
		}
	}
	if run := s.mustRun(src, Settings{}); run.Disabled != 1 {
		t.Errorf("A3_55 switched on again: %+v", run)
	}
	src.edit("id-2", func(r *directory.Record) { r.Disabled = true })
	if s.mustRun(src, Settings{NoDelete: true}); !s.owner("corp", "id-2").Disabled {
		t.Error("the switch keeps the directory from disabling, too")
	}
}
