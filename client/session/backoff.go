package session

import "time"

// Bounds of the wait between two attempts.
const (
	minDelay = time.Second
	maxDelay = time.Minute
)

// backoff counts failures in a row and says how long to wait after each: between minDelay and a ceiling that doubles up
// to maxDelay, evenly spread ("full jitter"), so that many clients do not come back together.
type backoff struct {
	fails  int
	jitter func() float64
}

func (b *backoff) next() time.Duration {
	ceiling := min(maxDelay, minDelay<<min(b.fails+1, 6))
	b.fails++
	return minDelay + time.Duration(b.jitter()*float64(ceiling-minDelay))
}

func (b *backoff) reset() { b.fails = 0 }
