package dirsync

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

func TestR_SYNC_1_ManySmallRunsThatDisableTooManyTogetherAreTold(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(100)...)
	s.mustRun(src, Settings{})
	next := 0
	leave := func(n int) string {
		for range n {
			src.remove(fmt.Sprint("id-", next))
			next++
		}
		run := s.mustRun(src, Settings{})
		if run.Disabled != n {
			t.Fatalf("%+v", run)
		}
		return run.Message
	}
	if got := leave(10); got != "" {
		t.Errorf("one run alone: %s", got)
	}
	if got := leave(1); !strings.HasPrefix(got, "2 runs disabled 11 of 100 people in 24 hours, more than the 10 that one run may unasked") {
		t.Errorf("11 in two runs: %q", got)
	}
	var runs []core.SyncRun
	var err error
	s.view(func(ctx context.Context, tx store.Tx) { runs, err = tx.SyncRuns(ctx, "corp", 1) })
	if err != nil || len(runs) != 1 {
		t.Fatal(err)
	}
	s.undo(runs[0].ID)
	if err := s.sync.Resume(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(23 * time.Hour)
	if got := s.mustRun(src, Settings{}).Message; !strings.HasPrefix(got, "2 runs disabled 11 of 100") {
		t.Errorf("the one that was undone counts: %q", got)
	}
	s.now = s.now.Add(2 * time.Hour)
	if got := leave(9); got != "" {
		t.Errorf("on the next day: %q", got)
	}
}
