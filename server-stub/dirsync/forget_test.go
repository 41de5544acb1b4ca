package dirsync

import (
	"context"
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

func TestThePlanOfASourceThatWasRemovedIsNeverApplied(t *testing.T) {
	s := newSite(t)
	src := newTree("corp", people(3)...)
	s.mustRun(src, Settings{})
	src.put(person("id-9", "planned"))
	head, other := s.plan(src, Settings{}), s.plan(newTree("hr", person("h", "hr")), Settings{})
	s.update(func(ctx context.Context, tx store.Tx) error {
		return errors.Join(Forget(ctx, tx, "corp"), Forget(ctx, tx, "never"))
	})
	if _, err := s.apply("corp", head.ID, "x"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if run := s.mustRun(src, Settings{}); run.Kind != core.RunFull || run.Created != 1 {
		t.Errorf("whoever has its id now is read from the beginning: %+v", run)
	}
	if _, err := s.apply("hr", other.ID, ""); err != nil {
		t.Errorf("the plan of another source: %v", err)
	}
}
