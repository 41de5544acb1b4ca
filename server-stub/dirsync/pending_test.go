package dirsync

import (
	"context"
	"fmt"
	"testing"

	"github.com/platenprint/platen/server-stub/store"
)

func TestRecordsThatWereLeftOutAreLookedAtAgain(t *testing.T) {
	s := newSite(t)
	local := s.local("user1@example.org")
	src := newTree("corp", people(3)...)
	if run := s.mustRun(src, Settings{}); run.Conflicts != 1 || run.Created != 2 {
		t.Fatalf("%+v", run)
	}
	for range 2 { // nothing changed in the directory, and the conflict is told of all the same
		if run := s.mustRun(src, Settings{}); run.Conflicts != 1 || run.Kind != "changes" {
			t.Fatalf("%+v", run)
		}
	}
	s.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteNames(ctx, local) })
	if run := s.mustRun(src, Settings{}); run.Conflicts != 0 || run.Created != 1 {
		t.Errorf("once the name is free: %+v", run)
	}
	src.looked = nil
	if s.mustRun(src, Settings{}); len(src.looked) != 0 {
		t.Errorf("looked up %v", fmt.Sprint(src.looked))
	}
}
