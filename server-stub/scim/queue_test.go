package scim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// counting counts pushes; the first waits until it may go on, and one with the person "bad" fails.
type counting struct {
	store store.Store
	mu    sync.Mutex
	sizes []int
	first chan struct{} // closed when the first push is there
	open  chan struct{} // closed when it may go on
}

func (c *counting) Push(ctx context.Context, _ core.SourceID, _ dirsync.Settings, set dirsync.PushSet) (dirsync.PushResult, error) {
	c.mu.Lock()
	c.sizes = append(c.sizes, len(set.People))
	n := len(c.sizes)
	c.mu.Unlock()
	if n == 1 {
		close(c.first)
		<-c.open
	}
	var out dirsync.PushResult
	for i := range set.People { // in another order
		r := set.People[len(set.People)-1-i]
		if r.Key == "bad" {
			return out, &dirsync.StoppedError{Message: "stopped"}
		}
		out.People = append(out.People, dirsync.Pushed{Key: r.Identity(), Refused: "it is " + r.Key})
	}
	return out, c.store.Update(ctx, func(tx store.Tx) error { return set.Also(ctx, tx, out) })
}

// Changes that wait while another is made durable are made durable together, and each has its own answer, also when one of them fails.
func TestChangesThatWaitAreMadeTogether(t *testing.T) {
	e := &counting{store: storetest.OpenSQLite(t), first: make(chan struct{}), open: make(chan struct{})}
	q := &queue{engine: e}
	do := func(key string) error {
		var said string
		err := q.do(&job{
			ctx: t.Context(), set: dirsync.PushSet{People: []directory.Record{{Key: key, KeyKind: core.IdentitySCIMID}}},
			finish: func(ctx context.Context, tx store.Tx, r dirsync.PushResult) error {
				said = ""
				if len(r.People) != 1 {
					return fmt.Errorf("%d results", len(r.People))
				}
				said = r.People[0].Refused
				switch key {
				case "refused":
					return refuse(409, uniqueness, "no")
				case "broken":
					return tx.DeleteSCIMResource(ctx, "x", store.SCIMUser, "y")
				}
				return tx.AppendSCIMLog(ctx, store.SCIMEntry{Source: "x", Name: key})
			},
		})
		if err == nil && said != "it is "+key {
			return fmt.Errorf("the answer was %q", said)
		}
		return err
	}
	answers := map[string]error{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	run := func(key string) {
		wg.Go(func() {
			err := do(key)
			mu.Lock()
			defer mu.Unlock()
			answers[key] = err
		})
	}
	run("first")
	<-e.first
	for _, key := range []string{"a", "b", "bad", "refused", "broken", "c"} {
		run(key)
	}
	for waiting := 0; waiting < 6; {
		q.mu.Lock()
		waiting = len(q.waiting)
		q.mu.Unlock()
	}
	close(e.open)
	wg.Wait()

	var stopped *dirsync.StoppedError
	var f *failure
	for key, err := range answers {
		ok := err == nil
		switch key {
		case "bad":
			ok = errors.As(err, &stopped)
		case "refused":
			ok = errors.As(err, &f)
		case "broken":
			ok = errors.Is(err, core.ErrNotFound)
		}
		if !ok {
			t.Errorf("%s: %v", key, err)
		}
	}
	if len(e.sizes) < 2 || e.sizes[1] != 6 {
		t.Errorf("the pushes had %v people", e.sizes)
	}
	if err := e.store.View(t.Context(), func(tx store.Tx) error {
		lines, err := tx.SCIMLog(t.Context(), "x", 0, 100)
		if len(lines) != 4 {
			t.Errorf("%d changes were stored", len(lines))
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
