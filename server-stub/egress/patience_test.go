package egress

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestPause(t *testing.T) {
	for range 200 {
		for _, test := range []struct {
			asked    time.Duration
			try      int
			from, to time.Duration
		}{
			{0, 1, time.Second, 1200 * time.Millisecond},
			{0, 4, 8 * time.Second, 9600 * time.Millisecond},
			{time.Minute, 5, time.Minute, 72 * time.Second},
			{time.Hour, 1, MaxPause, MaxPause},
			{0, 20, MaxPause, MaxPause},
		} {
			if d := Pause(test.asked, test.try); d < test.from || d > test.to+time.Nanosecond {
				t.Fatalf("%+v: %v", test, d)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "10": 10 * time.Second, "-5": 0, "99999999999": 0, "soon": 0, "Sun, 22 Nov 2026 12:01:00 GMT": time.Minute, "Sun, 22 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := Wait(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("waited %v, %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Wait(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it gave %v", err)
		}
	})
}
