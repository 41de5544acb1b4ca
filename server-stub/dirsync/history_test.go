package dirsync

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

func TestHistoryTellsWhatRunsDidToAPerson(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(2)...)
	s.mustRun(src, Settings{})
	src.edit("id-1", func(r *directory.Record) { r.Department, r.Aliases = "Physics", []string{"nick"} })
	s.mustRun(src, Settings{})
	src.remove("id-1")
	s.mustRun(src, Settings{})
	list, err := s.sync.History(t.Context(), s.owner("corp", "id-1").ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		got = append(got, fmt.Sprintf("run %d of %s (%s) %s", p.Run, p.Source, p.Kind, p.Change.Words()))
	}
	want := []string{
		"run 3 of corp (changes) user1@example.org (user 2): is no longer listed and leaves; everything is kept",
		`run 2 of corp (changes) user1@example.org (user 2): department is now "Physics"; login name (alias) is now "nick"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPostgreSQLDoesTheSame(t *testing.T) {
	pictures := map[string]string{}
	for name, open := range map[string]func(testing.TB) store.Store{"SQLite": storetest.OpenSQLite, "PostgreSQL": storetest.OpenPostgres} {
		s := newSite(t)
		s.store = open(t)
		s.use(s.store)
		src := nested()
		settings := Settings{Scope: Scope{Groups: []string{"A", "D"}}}
		s.mustRun(src, settings)
		src.put(person("id-1", "renamed"))
		src.remove("id-2")
		src.group("gc", "C", "id-0")
		run := s.mustRun(src, settings)
		text := fmt.Sprint(s.picture())
		undone := s.undo(run.ID)
		text += fmt.Sprint(s.picture())
		s.undo(undone.ID)
		text += fmt.Sprint(s.picture())
		src.put(person("id-4", "again"))
		head := s.plan(src, settings)
		text += fmt.Sprint(head.Summary, s.words(head.ID))
		if _, err := s.apply("corp", head.ID, ""); err != nil {
			t.Fatal(err)
		}
		pictures[name] = text + fmt.Sprint(s.picture())
	}
	if diff := cmp.Diff(pictures["SQLite"], pictures["PostgreSQL"]); diff != "" {
		t.Errorf("-SQLite +PostgreSQL\n%s", diff)
	}
}
