package session

import "time"

// Bounds of the wait between two attempts.
const (
	minDelay   = time.Second
	firstDelay = 4 * time.Second // the most that the first wait takes: wide enough for a whole site to come back
	maxDelay   = time.Minute
)

// backoff counts failures in a row and says how long to wait after each: between minDelay and a ceiling that doubles
// from firstDelay up to maxDelay, evenly spread ("full jitter"), so that many clients do not come back together.
type backoff struct {
	fails  int
	jitter func() float64
}

func (b *backoff) next() time.Duration {
	ceiling := min(maxDelay, firstDelay<<min(b.fails, 6))
	b.fails++
	return minDelay + time.Duration(b.jitter()*float64(ceiling-minDelay))
}

func (b *backoff) reset() { b.fails = 0 }
