package schedule

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

const (
	// longestWait is how long a directory that fails again and again is left alone, unless its interval is longer.
	longestWait = time.Hour
	// settle is how long a change that a directory told of is waited upon: more come with it.
	settle = 5 * time.Second
	// apart is the least time between two runs that a directory's own word caused.
	apart = 30 * time.Second
)

// Job is one directory.
type Job struct {
	Source   directory.Source
	Interval time.Duration // 0: only by hand
	First    time.Duration // how long its first run waits; 0: it runs at once
	// Paused tells whether it must not run now.
	Paused func(ctx context.Context) bool
	// Run synchronises. It tells of failures by itself; its error only makes the next wait longer.
	Run func(ctx context.Context) error
}

// Scheduler runs jobs. Safe for concurrent use.
type Scheduler struct {
	now    clock.Clock
	logger *slog.Logger
	jitter func() float64 // from 0 to 1

	mu      sync.Mutex
	ctx     context.Context // of Run, for loops that begin later
	loops   map[core.SourceID]*loop
	waiting []Job // set before Run
	done    sync.WaitGroup
}

// loop is a job that runs.
type loop struct {
	stop   context.CancelFunc
	kicked chan struct{}
	ended  chan struct{}

	mu   sync.Mutex
	next time.Time
}

// New returns a Scheduler that does nothing before Run.
func New(now clock.Clock, logger *slog.Logger) *Scheduler {
	return &Scheduler{now: now, logger: logger, jitter: rand.Float64, loops: map[core.SourceID]*loop{}}
}

// Run runs the jobs until ctx ends, and returns when all have ended.
func (s *Scheduler) Run(ctx context.Context) {
	s.mu.Lock()
	s.ctx = ctx
	for _, j := range s.waiting {
		s.begin(j)
	}
	s.waiting = nil
	s.mu.Unlock()
	<-ctx.Done()
	s.done.Wait()
}

// Set adds a job, or replaces the one of the same source.
func (s *Scheduler) Set(j Job) {
	s.Remove(j.Source.ID())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		s.waiting = append(s.waiting, j)
		return
	}
	s.begin(j)
}

// Remove ends a job, and waits for its run in progress to stop.
func (s *Scheduler) Remove(id core.SourceID) {
	s.mu.Lock()
	l := s.loops[id]
	delete(s.loops, id)
	s.waiting = without(s.waiting, id)
	s.mu.Unlock()
	if l != nil {
		l.stop()
		<-l.ended
	}
}

func without(list []Job, id core.SourceID) (kept []Job) {
	for _, j := range list {
		if j.Source.ID() != id {
			kept = append(kept, j)
		}
	}
	return kept
}

// Kick lets a job run now. One that is synchronised by hand is left alone.
func (s *Scheduler) Kick(id core.SourceID) {
	s.mu.Lock()
	l := s.loops[id]
	s.mu.Unlock()
	if l != nil {
		l.kick()
	}
}

// Next is when a job runs next, zero when it does not by itself or runs just now.
func (s *Scheduler) Next(id core.SourceID) time.Time {
	s.mu.Lock()
	l := s.loops[id]
	s.mu.Unlock()
	if l == nil {
		return time.Time{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// begin starts a loop. s.mu is held.
func (s *Scheduler) begin(j Job) {
	if j.Interval <= 0 || s.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(s.ctx)
	l := &loop{stop: stop, kicked: make(chan struct{}, 1), ended: make(chan struct{})}
	s.loops[j.Source.ID()] = l
	s.done.Go(func() {
		defer close(l.ended)
		defer stop()
		var watch sync.WaitGroup
		if w, ok := j.Source.(directory.Watcher); ok {
			watch.Go(func() { s.watch(ctx, w, l) })
		}
		s.follow(ctx, j, l)
		watch.Wait()
	})
}

// follow runs the job again and again.
func (s *Scheduler) follow(ctx context.Context, j Job, l *loop) {
	failures := 0
	if j.First > 0 {
		s.await(ctx, l, j.First)
	}
	for ctx.Err() == nil {
		l.set(time.Time{})
		if !j.Paused(ctx) {
			if err := j.Run(ctx); err != nil {
				failures++
			} else {
				failures = 0
			}
		}
		s.await(ctx, l, s.wait(j.Interval, failures))
	}
}

// await waits for the next run.
func (s *Scheduler) await(ctx context.Context, l *loop, wait time.Duration) {
	l.set(s.now().Add(wait))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-l.kicked:
	}
}

// wait is how long after a run the next one comes: the interval, longer after failures in a row, and never quite the same, so
// that many sources and servers do not ask at one time.
func (s *Scheduler) wait(interval time.Duration, failures int) time.Duration {
	wait := interval
	for range min(failures-1, 20) {
		wait = min(2*wait, max(interval, longestWait))
	}
	return wait + time.Duration((s.jitter()-0.5)*0.1*float64(wait))
}

// watch listens to what the directory tells by itself.
func (s *Scheduler) watch(ctx context.Context, w directory.Watcher, l *loop) {
	heard := make(chan struct{}, 1)
	go s.settle(ctx, heard, l)
	for failures := 1; ctx.Err() == nil; failures++ {
		var told atomic.Bool // changed may be called from any goroutine
		err := w.Watch(ctx, func() {
			told.Store(true)
			select {
			case heard <- struct{}{}:
			default:
			}
		})
		if ctx.Err() != nil || errors.Is(err, errors.ErrUnsupported) {
			return
		}
		if told.Load() {
			failures = 1
		}
		s.logger.WarnContext(ctx, "cannot hear of a directory's changes at once; it is read by the clock", "source", string(w.ID()), "error", err)
		pause(ctx, s.wait(time.Minute, failures))
	}
}

// settle turns many words of a directory into few runs.
func (s *Scheduler) settle(ctx context.Context, heard <-chan struct{}, l *loop) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-heard:
		}
		pause(ctx, settle)
		select {
		case <-heard:
		default:
		}
		l.kick()
		pause(ctx, apart)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (l *loop) kick() {
	select {
	case l.kicked <- struct{}{}:
	default:
	}
}

func (l *loop) set(next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = next
}
