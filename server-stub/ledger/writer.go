package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// batchTimeout ends a transaction that the database does not finish.
const batchTimeout = 30 * time.Second

// job is one request on its way through the writer.
type job struct {
	do   func(context.Context, *book) error // decides and books; run again when the transaction is
	err  error                              // what the last run of do refused with
	done chan error                         // gets exactly one answer, unless Run ended before it was taken
}

// refusal is an error that says no to one request, which then has written nothing.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// refuse makes a refusal of that kind.
func refuse(kind error, format string, args ...any) error {
	return refusal{fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...))}
}

// submit hands a request to the writer and waits until it is durable or refused.
func submit[T any](ctx context.Context, l *Ledger, do func(context.Context, *book) (T, error)) (T, error) {
	var none, result T
	j := &job{done: make(chan error, 1)}
	j.do = func(ctx context.Context, b *book) (err error) {
		result, err = do(ctx, b)
		return err
	}
	select {
	case l.queue <- j:
	case <-l.stopped:
		return none, fmt.Errorf("%w: the ledger has stopped", core.ErrUnavailable)
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the ledger: %w", ctx.Err())
	}
	var err error
	select {
	case err = <-j.done:
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the ledger, which may still book this (ask again with the same key): %w", ctx.Err())
	}
	if err != nil {
		return none, err
	}
	return result, nil
}

// Run books what is asked until ctx ends, and then returns nil; requests that were not taken yet fail with
// core.ErrUnavailable. It returns store.ErrBroken, and the server must stop, when the database cannot write any more. It
// may be called once.
func (l *Ledger) Run(ctx context.Context) error {
	if !l.running.CompareAndSwap(false, true) {
		return errors.New("the ledger is running already")
	}
	defer close(l.stopped)

	sweep := time.NewTicker(l.opts.SweepEvery)
	defer sweep.Stop()
	if err := l.housekeep(ctx); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-broken(l.store):
			err = store.ErrBroken
		case <-sweep.C:
			err = l.housekeep(ctx)
		case j := <-l.queue:
			err = l.batch(ctx, l.collect(j))
		}
		if err != nil {
			return fmt.Errorf("the ledger stops: %w", err)
		}
	}
}

// broken returns the channel of a store that can tell when it breaks, or one that never closes.
func broken(s store.Store) <-chan struct{} {
	if b, ok := s.(interface{ Broken() <-chan struct{} }); ok {
		return b.Broken()
	}
	return nil
}

// collect returns the first job and all that wait beside it. Callers that were answered a moment ago are let in first.
func (l *Ledger) collect(first *job) []*job {
	jobs := []*job{first}
	for yields := 0; len(jobs) < l.opts.MaxBatch; {
		select {
		case j := <-l.queue:
			jobs = append(jobs, j)
			continue
		default:
		}
		if yields == 2 {
			break
		}
		yields++
		runtime.Gosched()
	}
	return jobs
}

// batch books jobs in one transaction and answers each. The error is only one that ends the writer.
func (l *Ledger) batch(ctx context.Context, jobs []*job) error {
	err := l.commit(ctx, jobs)
	switch {
	case err == nil:
		for _, j := range jobs {
			j.done <- j.err
		}
		return nil
	case errors.Is(err, store.ErrBroken):
		for _, j := range jobs {
			j.done <- err
		}
		return err
	case len(jobs) == 1 || errors.Is(err, core.ErrUnavailable):
		l.opts.Logger.ErrorContext(ctx, "the ledger could not book", "requests", len(jobs), "error", err)
		for _, j := range jobs {
			j.done <- err
		}
		return nil
	}
	// One of them did what the database does not take, and must not fail the others.
	for _, j := range jobs {
		if err := l.batch(ctx, []*job{j}); err != nil {
			return l.failRest(jobs, j, err)
		}
	}
	return nil
}

// failRest answers the jobs that come after the last one tried.
func (l *Ledger) failRest(jobs []*job, last *job, err error) error {
	after := false
	for _, j := range jobs {
		if after {
			j.done <- err
		}
		after = after || j == last
	}
	return err
}

// commit runs jobs in one transaction, and tells OnCommit once it is durable. A batch that was begun is finished even if
// the server is stopping.
func (l *Ledger) commit(ctx context.Context, jobs []*job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), batchTimeout)
	defer cancel()
	var changes []Change
	err := l.store.Update(ctx, func(tx store.Tx) error {
		b, err := l.open(ctx, tx)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			j.err = j.do(ctx, b)
			var no refusal
			switch {
			case errors.As(j.err, &no):
				j.err = no.error
			case j.err != nil:
				return j.err
			}
		}
		changes, err = b.close(ctx)
		return err
	})
	switch {
	case err == nil && len(changes) > 0:
		l.opts.OnCommit(changes)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: the database took longer than %s: %w", core.ErrUnavailable, batchTimeout, err)
	}
	return err
}
