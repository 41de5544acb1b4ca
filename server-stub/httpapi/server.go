package httpapi

import (
	"container/list"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Limits of connections (R-SLOW-1).
const (
	bodyReadTimeout = 10 * time.Second
	maxHeaderBytes  = 16 << 10
	// maxStrangers is how many connections one address may hold on which nobody has signed in yet.
	maxStrangers = 64
)

// Server returns the HTTP server of the handler, with limits against slow and greedy clients.
func (h *Handler) Server(tlsConfig *tls.Config) *http.Server {
	return &http.Server{
		Handler:                      h,
		TLSConfig:                    tlsConfig,
		ReadHeaderTimeout:            5 * time.Second,
		ReadTimeout:                  30 * time.Second,
		WriteTimeout:                 30 * time.Second, // event streams set their own
		IdleTimeout:                  2 * time.Minute,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(h.Logger.Handler(), slog.LevelDebug),
		ConnContext:                  withConnection,
	}
}

// Guard limits the connections that one address holds without anybody having signed in on them. When there is one too
// many the oldest is closed: a client that dawdles loses its place, one that comes to sign in gets one. Connections from
// trusted proxies are not counted, and those of people signed in never are (terminal servers, NAT).
func Guard(l net.Listener, trusted []netip.Prefix) net.Listener {
	return &guard{Listener: l, trusted: trusted, strangers: map[netip.Addr]*list.List{}}
}

type guard struct {
	net.Listener
	trusted []netip.Prefix

	mu        sync.Mutex
	strangers map[netip.Addr]*list.List // of *guarded, the oldest first
}

// guarded is a connection that may be a stranger's.
type guarded struct {
	net.Conn
	guard *guard
	addr  netip.Addr
	place *list.Element // nil once it is no stranger's; guarded by guard.mu
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
	if oldest := g.admit(c); oldest != nil {
		_ = oldest.Close()
	}
	return c, nil
}

// admit gives c a place and returns the connection that loses its own for it, if one does.
func (g *guard) admit(c *guarded) *guarded {
	g.mu.Lock()
	defer g.mu.Unlock()
	places := g.strangers[c.addr]
	if places == nil {
		places = list.New()
		g.strangers[c.addr] = places
	}
	c.place = places.PushBack(c)
	if places.Len() <= maxStrangers {
		return nil
	}
	oldest, _ := places.Front().Value.(*guarded)
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

func (c *guarded) leave() {
	c.guard.mu.Lock()
	defer c.guard.mu.Unlock()
	c.guard.remove(c)
}

// Close implements net.Conn.
func (c *guarded) Close() error {
	c.leave()
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

// trustConnection notes that somebody signed in on the connection.
func trustConnection(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*guarded); ok {
		c.leave()
	}
}
