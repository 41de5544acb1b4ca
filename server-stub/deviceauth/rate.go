package deviceauth

import (
	"sync"
	"time"
)

const (
	// assertionsPerMinute is how many assertions one device may make: a terminal server when a shift begins. It protects this
	// process only, so it is kept in memory.
	assertionsPerMinute = 600
	mostCounted         = 100_000
)

// rate counts what devices do in a minute. Safe for concurrent use.
type rate struct {
	mu      sync.Mutex
	devices map[string]window
}

type window struct {
	from time.Time
	used int
}

func newRate() *rate { return &rate{devices: map[string]window{}} }

// allow counts one more, or says from when on there may be one.
func (r *rate) allow(device string, now time.Time) (bool, time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, known := r.devices[device]
	if !known && len(r.devices) >= mostCounted {
		clear(r.devices)
	}
	if d := now.Sub(w.from); d < 0 || d >= time.Minute {
		w = window{from: now}
	}
	if w.used >= assertionsPerMinute {
		return false, w.from.Add(time.Minute)
	}
	w.used++
	r.devices[device] = w
	return true, time.Time{}
}

// forget drops windows that are over.
func (r *rate) forget(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for device, w := range r.devices {
		if now.Sub(w.from) >= time.Minute {
			delete(r.devices, device)
		}
	}
}
