package ipc

import (
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

// How much one user, and all of them, may ask (R-IPC-4, F23).
const (
	ratePerMinute = 30   // questions of one user in any minute
	maxSeats      = 8    // connections of one user at a time
	maxAll        = 256  // connections at a time
	maxUsers      = 4096 // users whose questions of the last minute are remembered; more are turned away
)

// limits counts. It is safe for concurrent use.
type limits struct {
	clock clock.Clock

	mu    sync.Mutex
	all   int
	seats map[string]int
	asked map[string][]time.Time // the questions of the last minute, oldest first
}

func newLimits(now clock.Clock) *limits {
	return &limits{clock: now, seats: map[string]int{}, asked: map[string][]time.Time{}}
}

// enter takes a place among all connections; leave gives it back.
func (l *limits) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= maxAll {
		return false
	}
	l.all++
	return true
}

func (l *limits) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
}

// sit takes a user's seat; rise gives it back.
func (l *limits) sit(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seats[user] >= maxSeats {
		return false
	}
	l.seats[user]++
	return true
}

func (l *limits) rise(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seats[user]--; l.seats[user] <= 0 {
		delete(l.seats, user)
	}
}

// ask counts a question. When it is one too many, it says when the next may be asked.
func (l *limits) ask(user string) (retry time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if _, known := l.asked[user]; !known && len(l.asked) >= maxUsers {
		for name, times := range l.asked {
			if len(recent(times, now)) == 0 {
				delete(l.asked, name)
			}
		}
		if len(l.asked) >= maxUsers {
			return now.Add(time.Minute), false
		}
	}
	times := recent(l.asked[user], now)
	if len(times) >= ratePerMinute {
		l.asked[user] = times
		return times[0].Add(time.Minute), false
	}
	l.asked[user] = append(times, now)
	return time.Time{}, true
}

// recent keeps the times of the last minute. A clock that was set back does not lock anybody out.
func recent(times []time.Time, now time.Time) []time.Time {
	kept := times[:0]
	for _, t := range times {
		if !t.After(now) && now.Sub(t) < time.Minute {
			kept = append(kept, t)
		}
	}
	return kept
}
