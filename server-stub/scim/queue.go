package scim

import (
	"context"
	"errors"
	"sync"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// maxBatch is how many changes are made durable together at most.
const maxBatch = 64

// queue makes changes of one connection durable together: a provider has several requests under way, and making something durable costs
// the same for one and for many. Safe for concurrent use.
type queue struct {
	engine Engine

	mu      sync.Mutex
	waiting []*job // guarded by mu
	busy    bool   // guarded by mu: run is at work
}

// job is one change that waits.
type job struct {
	ctx  context.Context //nolint:containedctx // of the request that waits for it
	conn Connection
	set  dirsync.PushSet
	// finish stores what hangs on the change, in the engine's transaction, which may be run again. A *failure it returns has written
	// nothing, and what the engine did stays done.
	finish func(context.Context, store.Tx, dirsync.PushResult) error

	err  error
	done chan struct{} // closed when err is final
}

// do hands a change to the engine with what hangs on it, and returns when both are durable.
func (q *queue) do(j *job) error {
	j.done = make(chan struct{})
	q.mu.Lock()
	q.waiting = append(q.waiting, j)
	start := !q.busy
	q.busy = true
	q.mu.Unlock()
	if start {
		go q.run()
	}
	<-j.done // also when the request is over: the change is under way
	return j.err
}

// run works until nothing waits.
func (q *queue) run() {
	for {
		q.mu.Lock()
		batch := q.waiting[:min(len(q.waiting), maxBatch)]
		q.waiting = q.waiting[len(batch):]
		if len(batch) == 0 {
			q.waiting, q.busy = nil, false
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		q.together(batch)
		for _, j := range batch {
			close(j.done)
		}
	}
}

// together does all of the changes at once, or, when that does not work, one by one: then each has its own answer.
func (q *queue) together(batch []*job) {
	if len(batch) == 1 {
		q.alone(batch[0])
		return
	}
	var set dirsync.PushSet
	for _, j := range batch {
		set.People = append(set.People, j.set.People...)
		set.Gone = append(set.Gone, j.set.Gone...)
		set.Groups = append(set.Groups, j.set.Groups...)
		set.GroupsGone = append(set.GroupsGone, j.set.GroupsGone...)
	}
	set.Also = func(ctx context.Context, tx store.Tx, r dirsync.PushResult) error {
		for _, j := range batch {
			if j.err = j.finish(ctx, tx, j.part(r)); !clean(j.err) {
				return j.err
			}
		}
		return nil
	}
	first := batch[0]
	if _, err := q.engine.Push(context.WithoutCancel(first.ctx), first.conn.Source, first.conn.Settings, set); err != nil {
		for _, j := range batch {
			q.alone(j)
		}
	}
}

// clean tells whether a transaction can go on after the error.
func clean(err error) bool {
	var f *failure
	return err == nil || errors.As(err, &f)
}

func (q *queue) alone(j *job) {
	set, refused := j.set, error(nil)
	set.Also = func(ctx context.Context, tx store.Tx, r dirsync.PushResult) error {
		if refused = j.finish(ctx, tx, r); clean(refused) {
			return nil
		}
		return refused
	}
	_, err := q.engine.Push(context.WithoutCancel(j.ctx), j.conn.Source, j.conn.Settings, set)
	if j.err = refused; err != nil {
		j.err = err
	}
}

// part is what the result says of this change.
func (j *job) part(all dirsync.PushResult) dirsync.PushResult {
	out := dirsync.PushResult{Run: all.Run}
	find := func(list []dirsync.Pushed, k directory.Key) (found []dirsync.Pushed) {
		for _, p := range list {
			if p.Key == k {
				return []dirsync.Pushed{p}
			}
		}
		return nil
	}
	for _, r := range j.set.People {
		out.People = append(out.People, find(all.People, r.Identity())...)
	}
	for _, k := range j.set.Gone {
		out.Gone = append(out.Gone, find(all.Gone, k)...)
	}
	return out
}

// locks are mutexes by name. What is read, changed and written must not change meanwhile: a resource, or who has a name.
type locks struct {
	mu   sync.Mutex
	held map[lockKey]*lock
}

type lockKey struct {
	source core.SourceID
	name   string
}

type lock struct {
	sync.Mutex

	users int // guarded by locks.mu
}

// lock waits for the name and returns what gives it free.
func (l *locks) lock(source core.SourceID, name string) func() {
	k := lockKey{source, name}
	l.mu.Lock()
	if l.held == nil {
		l.held = map[lockKey]*lock{}
	}
	one := l.held[k]
	if one == nil {
		one = &lock{}
		l.held[k] = one
	}
	one.users++
	l.mu.Unlock()
	one.Lock()
	return func() {
		one.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(l.held, k)
		}
	}
}
