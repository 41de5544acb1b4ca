package inbound

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

// Limits of connections on which nobody has signed in (R-SLOW-1).
const (
	// maxStrangers is how many connections one address may hold on which nobody has signed in yet, once they are older
	// than newcomer: many may come at the same moment, when a lecture begins.
	maxStrangers = 64
	newcomer     = 5 * time.Second
	// maxCrowd is how many there may be of any age.
	maxCrowd = 4096
)

// Guard limits the connections that one address holds without anybody having signed in on them. When there is one too
// many the oldest is closed: a client that dawdles loses its place, one that comes to sign in gets one. Connections from
// trusted proxies are not counted, those of people signed in never are (terminal servers, NAT), and those whose whole
// request is here are not while we work on it: two hundred people behind one address may wait for their passwords to be
// checked.
func Guard(l net.Listener, trusted []netip.Prefix, now clock.Clock) net.Listener {
	return &guard{Listener: l, trusted: trusted, now: now, strangers: map[netip.Addr]*list.List{}}
}

type guard struct {
	net.Listener
	trusted []netip.Prefix
	now     clock.Clock

	mu        sync.Mutex
	strangers map[netip.Addr]*list.List // of *guarded, the oldest first
}

// guarded is a connection that may be a stranger's.
type guarded struct {
	net.Conn
	guard *guard
	addr  netip.Addr

	// Guarded by guard.mu.
	place *list.Element // nil while it is not counted
	since time.Time     // when it got the place
	known bool          // it is counted no more: somebody signed in on it, or it is closed
}

func (g *guard) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || slices.ContainsFunc(g.trusted, func(p netip.Prefix) bool { return p.Contains(ap.Addr().Unmap()) }) {
		return conn, nil
	}
	c := &guarded{Conn: conn, guard: g, addr: ap.Addr().Unmap()}
	c.count()
	return c, nil
}

// admit gives c a place and returns the connection that loses its own for it, if one does.
func (g *guard) admit(c *guarded) *guarded {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.known {
		return nil
	}
	places := g.strangers[c.addr]
	if places == nil {
		places = list.New()
		g.strangers[c.addr] = places
	}
	c.place, c.since = places.PushBack(c), g.now()
	oldest, _ := places.Front().Value.(*guarded)
	if places.Len() <= maxStrangers || places.Len() <= maxCrowd && c.since.Sub(oldest.since) < newcomer {
		return nil
	}
	g.remove(oldest)
	return oldest
}

// remove takes c's place away; mu is held.
func (g *guard) remove(c *guarded) {
	if c.place == nil {
		return
	}
	places := g.strangers[c.addr]
	places.Remove(c.place)
	c.place = nil
	if places.Len() == 0 {
		delete(g.strangers, c.addr)
	}
}

// count gives the connection a place, at the cost of the oldest stranger if there are too many.
func (c *guarded) count() {
	if oldest := c.guard.admit(c); oldest != nil {
		_ = oldest.Close()
	}
}

// leave takes the connection out of the count, for good if it is known now.
func (c *guarded) leave(known bool) {
	c.guard.mu.Lock()
	defer c.guard.mu.Unlock()
	c.known = c.known || known
	c.guard.remove(c)
}

// Close implements net.Conn.
func (c *guarded) Close() error {
	c.leave(true)
	return c.Conn.Close()
}

type connectionKey struct{}

// withConnection is http.Server's ConnContext.
func withConnection(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if c, ok := conn.(*guarded); ok {
		return context.WithValue(ctx, connectionKey{}, c)
	}
	return ctx
}

// TrustConnection notes that somebody signed in on the connection.
func TrustConnection(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*guarded); ok {
		c.leave(true)
	}
}

// WorkOn notes that the whole request is here, until the returned function is called.
func WorkOn(ctx context.Context) func() {
	c, ok := ctx.Value(connectionKey{}).(*guarded)
	if !ok {
		return func() {}
	}
	c.leave(false)
	return c.count
}
