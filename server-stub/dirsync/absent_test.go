package dirsync

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/directory"
)

// full is a run that compares everything.
func (s *site) full(src directory.Source, settings Settings) {
	s.t.Helper()
	settings.Full = true
	if run := s.mustRun(src, settings); run.Disabled != 0 || run.Created != 0 {
		s.t.Errorf("%+v", run)
	}
}

// Directories page by name, so that who is renamed in the middle of a reading is on no page.
func TestWhomAReadingMissesIsLookedForBeforeTheyAreGone(t *testing.T) {
	for _, prints := range []bool{false, true} {
		t.Run(fmt.Sprintf("fingerprints %v", prints), func(t *testing.T) {
			s := newSite(t)
			src := newTree("corp", people(6)...)
			src.prints = prints
			s.mustRun(src, Settings{})
			src.skips = map[string]bool{"id-2": true, "id-4": true}
			src.edit("id-4", func(r *directory.Record) { r.DisplayName = "Another" })
			src.remove("id-5")
			run := s.mustRun(src, Settings{Full: true})
			if run.Disabled != 1 || run.Updated != 1 || run.Read != 5 || run.Conflicts != 0 {
				t.Errorf("%+v", run)
			}
			if !s.owner("corp", "id-2").DeletedAt.IsZero() || s.owner("corp", "id-5").DeletedAt.IsZero() {
				t.Error("who is there is gone, or who is gone is there")
			}
			if u := s.owner("corp", "id-4"); u.DisplayName != "Another" {
				t.Errorf("what is new of who was looked for is lost: %+v", u)
			}
			if got := fmt.Sprint(src.looked); got != "[{objectGUID id-2} {objectGUID id-4} {objectGUID id-5}]" {
				t.Errorf("looked for %s", got)
			}
			src.looked = nil
			s.full(src, Settings{})
			if got := fmt.Sprint(src.looked); got != "[{objectGUID id-2} {objectGUID id-4}]" {
				t.Errorf("who is gone already is looked for again: %s", got)
			}
		})
	}
}

func TestAPlanLooksForWhomItsReadingMissesToo(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(6)...)
	s.mustRun(src, Settings{})
	src.skips = map[string]bool{"id-2": true}
	if head := s.plan(src, Settings{}); head.Counts.Deleted != 0 {
		t.Errorf("%+v", head.Counts)
	}
}

func TestThatNobodyCanBeLookedForChangesNobody(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(6)...)
	s.mustRun(src, Settings{})
	before := fmt.Sprint(s.picture())
	src.remove("id-1")
	src.edit("id-2", func(r *directory.Record) { r.DisplayName = "Another" })
	src.faulty = errors.New("the directory does not answer")
	s.now = s.now.Add(time.Minute)
	run, err := s.sync.Run(t.Context(), src, Settings{Full: true})
	if err == nil || run.Outcome != OutcomeFailed || !strings.Contains(run.Message, "does not answer") || !strings.Contains(run.Message, "look for 1 people") {
		t.Errorf("%+v, %v", run, err)
	}
	if fmt.Sprint(s.picture()) != before {
		t.Error("somebody was changed")
	}
	src.faulty = nil
	if run := s.mustRun(src, Settings{Full: true}); run.Disabled != 1 {
		t.Errorf("%+v", run)
	}
}

func TestManyWhoAreNotListedAreForTheBrake(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(mostAbsent+2)...)
	s.mustRun(src, Settings{})
	src.skips = map[string]bool{}
	for i := range mostAbsent + 1 {
		src.skips[fmt.Sprintf("id-%d", i)] = true
	}
	s.now = s.now.Add(time.Minute)
	run, err := s.sync.Run(t.Context(), src, Settings{Full: true})
	if err == nil || run.Outcome != OutcomeStopped || len(src.looked) != 0 {
		t.Errorf("%+v, %v, looked for %d", run, err, len(src.looked))
	}
}

func TestNobodyIsLookedForWhereNobodyIsDeleted(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(6)...)
	s.mustRun(src, Settings{NoDelete: true})
	src.remove("id-1")
	s.full(src, Settings{NoDelete: true})
	if len(src.looked) != 0 {
		t.Errorf("looked for %v", src.looked)
	}
}

// Who is looked for and found is held against the scope like anybody.
func TestWhoIsFoundOutsideTheScopeLeaves(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(4)...)
	src.group("g-1", "Printing", "id-0", "id-1", "id-2")
	scope := Settings{Scope: Scope{Groups: []string{"Printing"}}}
	s.mustRun(src, scope)
	src.skips = map[string]bool{"id-1": true, "id-2": true}
	src.group("g-1", "Printing", "id-0", "id-2")
	scope.Full = true
	if run := s.mustRun(src, scope); run.Disabled != 1 {
		t.Errorf("%+v", run)
	}
	if !s.owner("corp", "id-2").DeletedAt.IsZero() || s.owner("corp", "id-1").DeletedAt.IsZero() {
		t.Error("the scope does not decide")
	}
}
