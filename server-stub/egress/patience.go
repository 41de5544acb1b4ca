package egress

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// The limits of waiting between two tries (R-SYNC-3).
const (
	MaxPause   = 10 * time.Minute // whatever Retry-After says
	FirstPause = time.Second      // without Retry-After; doubles with each try
)

// RetryAfter reads the header of that name, in seconds or as a date (RFC 9110, section 10.2.3); 0 without one.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// Pause is the time to the next try after the try-th, the first is 1: what was asked for or longer and longer, and up to a fifth
// more, so that not all who were sent away come back at once.
func Pause(asked time.Duration, try int) time.Duration {
	d := asked
	if d == 0 {
		d = FirstPause << (try - 1)
	}
	return min(d+rand.N(d/5+1), MaxPause)
}

// Wait waits, or until ctx ends, which is its error.
func Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Passing tells whether an answer with this status may be another one later.
func Passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
