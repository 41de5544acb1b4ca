package dirsync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// TestAnyEditsThenSyncGivesWhatTheDirectorySays edits two directories at random, with few names so that people collide,
// and holds after each run what must be true whatever happened.
func TestAnyEditsThenSyncGivesWhatTheDirectorySays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{site: newSite(t), rt: rt, ids: map[string]core.UserID{}}
		m.sources = []*list{{id: "corp"}, {id: "lab"}}
		s := m.site
		for _, src := range m.sources {
			src.people = []directory.Record{person(string(src.id)+"-keeper", string(src.id)+"keeper")} // never an empty directory
		}
		for range rapid.IntRange(1, 5).Draw(rt, "runs") {
			for range rapid.IntRange(1, 6).Draw(rt, "edits") {
				m.edit(rapid.SampledFrom(m.sources).Draw(rt, "source"))
			}
			s.now = s.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 40, 200}).Draw(rt, "days")) * 24 * time.Hour)
			for _, src := range m.sources {
				run, err := s.try(src, Options{Approve: "random edits"})
				if err != nil {
					rt.Fatal(err)
				}
				m.hold(src, run)
				before := s.picture()
				again, err := s.try(src, Options{})
				if err != nil || again.Created+again.Updated+again.Renamed+again.Disabled+again.Restored != 0 || again.Conflicts != run.Conflicts {
					rt.Fatalf("a second run does something: %+v after %+v, %v", again, run, err)
				}
				if diff := cmp.Diff(before, s.picture()); diff != "" {
					rt.Fatalf("a second run changes people: %s", diff)
				}
			}
		}
	})
}

type model struct {
	site    *site
	rt      *rapid.T
	sources []*list
	fresh   int
	ids     map[string]core.UserID // source and id -> the user, for good
}

func (m *model) edit(src *list) {
	name := func() string {
		if rapid.Bool().Draw(m.rt, "fresh") {
			m.fresh++
			return fmt.Sprintf("fresh%d", m.fresh)
		}
		return rapid.SampledFrom([]string{"alex", "kim", "sam", "ALEX"}).Draw(m.rt, "name")
	}
	id := fmt.Sprintf("%s-%d", src.id, rapid.IntRange(0, 9).Draw(m.rt, "id"))
	at := slices.IndexFunc(src.people, func(r directory.Record) bool { return r.Key == id })
	if at < 0 {
		src.people = append(src.people, person(id, name()))
		return
	}
	switch rapid.SampledFrom([]string{"remove", "rename", "move", "disable", "alias"}).Draw(m.rt, "edit") {
	case "remove":
		src.people = slices.Delete(src.people, at, at+1)
	case "rename":
		src.people[at] = person(id, name())
	case "move":
		m.fresh++
		src.people[at].Department = fmt.Sprintf("department %d", m.fresh)
	case "disable":
		src.people[at].Disabled = !src.people[at].Disabled
	case "alias":
		src.people[at].Aliases = []string{name() + "@example.org"}
	}
}

// hold checks what must be true after a run of src.
func (m *model) hold(src *list, run core.SyncRun) {
	s, rt := m.site, m.rt
	var users []core.User
	owners := map[string]core.UserID{}
	holders := map[string][]core.UserID{}
	s.view(func(ctx context.Context, tx store.Tx) {
		all, err := tx.ListUsers(ctx, store.UserFilter{IncludeDeleted: true})
		if err != nil {
			rt.Fatal(err)
		}
		users = all
		for _, u := range all {
			identities, err := tx.UserIdentities(ctx, u.ID)
			if err != nil {
				rt.Fatal(err)
			}
			for _, e := range identities {
				owners[e.ImmutableID] = e.UserID
			}
			names, err := tx.UserNames(ctx, u.ID)
			if err != nil {
				rt.Fatal(err)
			}
			mine := map[string]bool{}
			for _, n := range names {
				if n.ValidTo.IsZero() && strong(n.Kind) && !mine[string(n.Folded)] {
					mine[string(n.Folded)] = true
					holders[string(n.Folded)] = append(holders[string(n.Folded)], u.ID)
				}
			}
		}
	})
	for name, ids := range holders {
		if len(ids) > 1 {
			rt.Fatalf("users %v all have the username %s", ids, name)
		}
	}
	for id, user := range owners {
		if was, known := m.ids[id]; known && was != user {
			rt.Fatalf("%s was user %d and is user %d", id, was, user)
		}
		m.ids[id] = user
	}
	listed := map[core.UserID]bool{}
	for _, r := range src.people {
		conflict := strings.Contains(run.Message, r.Where+" ")
		id, known := owners[r.Key]
		if !known {
			if !conflict {
				rt.Fatalf("%s is neither there nor reported:\n%s", r.Where, run.Message)
			}
			continue
		}
		listed[id] = true
		u := users[slices.IndexFunc(users, func(u core.User) bool { return u.ID == id })]
		if u.DeletedAt.IsZero() && (u.DisplayName != r.DisplayName || u.Department != r.Department || u.Disabled != r.Disabled) {
			rt.Fatalf("user %+v is not what the directory says: %+v", u, r)
		}
		if !conflict && (u.Username != r.Username || !u.DeletedAt.IsZero()) {
			rt.Fatalf("user %+v is not %s and nothing was reported:\n%s", u, r.Username, run.Message)
		}
	}
	for _, u := range users {
		if u.Source == src.id && u.DeletedAt.IsZero() && !listed[u.ID] {
			rt.Fatalf("user %+v is no longer listed but active", u)
		}
	}
}
