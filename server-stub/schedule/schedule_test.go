package schedule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// source is a directory that tells of its changes when say has something.
type source struct {
	directory.Source
	id  core.SourceID
	say chan error // nil: something changed; else it cannot be heard any more
}

func (s *source) ID() core.SourceID { return s.id }

type watcher struct{ *source }

func (w watcher) Watch(ctx context.Context, changed func()) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-w.say:
			if err != nil {
				return err
			}
			changed()
		}
	}
}

// job notes when it ran.
type job struct {
	mu     sync.Mutex
	runs   []time.Duration
	began  time.Time
	paused atomic.Bool
	fail   atomic.Bool
}

func (j *job) of(s directory.Source, interval time.Duration) Job {
	j.began = time.Now()
	return Job{
		Source: s, Interval: interval,
		Paused: func(context.Context) bool { return j.paused.Load() },
		Run: func(context.Context) error {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.runs = append(j.runs, time.Since(j.began))
			if j.fail.Load() {
				return errors.New("no")
			}
			return nil
		},
	}
}

func (j *job) expect(t *testing.T, want ...time.Duration) {
	t.Helper()
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if diff := cmp.Diff(want, j.runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	j.runs = nil
}

// inBubble runs a scheduler without jitter under a clock of the test's own.
func inBubble(t *testing.T, test func(t *testing.T, s *Scheduler)) {
	synctest.Test(t, func(t *testing.T) {
		s := New(time.Now, slog.New(slog.DiscardHandler))
		s.jitter = func() float64 { return 0.5 }
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		synctest.Wait()
		test(t, s)
		stop()
		<-ended
	})
}

func TestADirectoryRunsByTheClock(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		j := &job{}
		s.Set(j.of(&source{id: "a"}, time.Hour))
		j.expect(t, 0)
		if got := time.Until(s.Next("a")); got != time.Hour {
			t.Errorf("the next run is said to come in %v", got)
		}
		time.Sleep(2*time.Hour + time.Second)
		j.expect(t, time.Hour, 2*time.Hour)
		s.Kick("a")
		j.expect(t, 2*time.Hour+time.Second)
		s.Remove("a")
		time.Sleep(10 * time.Hour)
		j.expect(t)
	})
}

func TestA3_24_ADirectoryByHandNeverRunsByItself(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		j := &job{}
		s.Set(j.of(&source{id: "a"}, 0))
		time.Sleep(100 * time.Hour)
		s.Kick("a")
		j.expect(t)
		if !s.Next("a").IsZero() {
			t.Error("it is said to run")
		}
	})
}

func TestAPausedDirectoryRunsAgainWhenItIsResumed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		j := &job{}
		j.paused.Store(true)
		s.Set(j.of(&source{id: "a"}, time.Hour))
		time.Sleep(90 * time.Minute)
		j.expect(t)
		j.paused.Store(false)
		s.Kick("a")
		j.expect(t, 90*time.Minute)
	})
}

// A wrong password that is tried too often would lock the account: failures never make runs more frequent.
func TestFailuresMakeTheNextWaitLonger(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		j := &job{}
		j.fail.Store(true)
		s.Set(j.of(&source{id: "a"}, 20*time.Minute))
		time.Sleep(6*time.Hour + time.Second)
		m := time.Minute
		j.expect(t, 0, 20*m, 60*m, 120*m, 180*m, 240*m, 300*m, 360*m)
		j.fail.Store(false)
		time.Sleep(85 * time.Minute)
		j.expect(t, 420*m, 440*m)
	})
}

func TestTheWaitIsNeverQuiteTheSame(t *testing.T) {
	s := New(time.Now, slog.New(slog.DiscardHandler))
	for jitter, want := range map[float64]time.Duration{0: 57 * time.Minute, 0.5: time.Hour, 1: 63 * time.Minute} {
		s.jitter = func() float64 { return jitter }
		if got := s.wait(time.Hour, 0); got != want {
			t.Errorf("jitter %v waits %v, want %v", jitter, got, want)
		}
	}
}

func TestA3_23_ADirectoryThatTellsOfChangesIsReadSoon(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		j, w := &job{}, watcher{&source{id: "a", say: make(chan error)}}
		s.Set(j.of(w, 24*time.Hour))
		j.expect(t, 0)
		for range 100 { // a change of a hundred people is one run
			w.say <- nil
		}
		time.Sleep(20 * time.Second)
		j.expect(t, settle)
		for range 10 { // and the next run waits a little
			w.say <- nil
		}
		time.Sleep(20 * time.Second)
		j.expect(t, settle+apart+settle)

		w.say <- errors.New("the channel ended") // it is heard again, later
		time.Sleep(2 * time.Minute)
		w.say <- nil
		time.Sleep(time.Minute)
		j.expect(t, 40*time.Second+2*time.Minute+settle)
	})
}

// What an administrator changes is not acted upon before they can look at a plan.
func TestTheFirstRunCanWait(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		j := &job{}
		late := j.of(&source{id: "a"}, time.Hour)
		late.First = 10 * time.Minute
		s.Set(late)
		j.expect(t)
		if got := time.Until(s.Next("a")); got != 10*time.Minute {
			t.Errorf("the first run is said to come in %v", got)
		}
		time.Sleep(71 * time.Minute)
		j.expect(t, 10*time.Minute, 70*time.Minute)
	})
}

func TestAReplacedJobRunsAtOnceAndTheOldOneNoMore(t *testing.T) {
	inBubble(t, func(t *testing.T, s *Scheduler) {
		old, fresh := &job{}, &job{}
		s.Set(old.of(&source{id: "a"}, time.Hour))
		old.expect(t, 0)
		s.Set(fresh.of(&source{id: "a"}, 2*time.Hour))
		time.Sleep(3 * time.Hour)
		old.expect(t)
		fresh.expect(t, 0, 2*time.Hour)
	})
}
