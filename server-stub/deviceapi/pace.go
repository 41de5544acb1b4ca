package deviceapi

import (
	"net"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

// How fast new connections are taken. When a server comes back, all of its devices do at the same moment: their handshakes must
// not stand before the people who are signed in. The rest waits in the system's queue, where it costs nothing; five thousand
// are through in 45 seconds. Measured on two cores, with the five thousand on the same ones (make bench, storm): at 110 a second
// the p99 of others is 1.7 times what it was, at 400 a second 40 times.
const (
	connectionsPerSecond = 110
	connectionsAtOnce    = 4
	connectionEvery      = time.Second / connectionsPerSecond
)

// Pace returns l with connections that come no faster than the server can shake hands beside its other work.
func Pace(l net.Listener, now clock.Clock) net.Listener {
	return &paced{Listener: l, now: now, closed: make(chan struct{})}
}

// paced takes a connection when its turn has come.
type paced struct {
	net.Listener
	now    clock.Clock
	closed chan struct{}
	close  sync.Once

	mu   sync.Mutex
	turn time.Time // of the next connection; a past one is saved up
}

// Accept implements net.Listener.
func (p *paced) Accept() (net.Conn, error) {
	if wait := p.take(p.now()); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.closed: // the listener says so
		}
	}
	return p.Listener.Accept()
}

// take takes the next turn and says how long it is until then.
func (p *paced) take(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	saved := now.Add(-connectionsAtOnce * connectionEvery)
	if p.turn.Before(saved) || p.turn.After(now.Add(time.Second)) { // long ago, or the clock was set back
		p.turn = saved
	}
	p.turn = p.turn.Add(connectionEvery)
	return p.turn.Sub(now)
}

// Close implements net.Listener.
func (p *paced) Close() error {
	p.close.Do(func() { close(p.closed) })
	return p.Listener.Close()
}
