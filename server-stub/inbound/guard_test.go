package inbound

import (
	"context"
	"net"
	"testing"
	"time"
)

// pipes is a listener of connections that are all from one address.
type pipes struct{ next chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) { return <-p.next, nil }
func (p *pipes) Close() error              { return nil }
func (p *pipes) Addr() net.Addr            { return &net.TCPAddr{} }

type pipe struct {
	net.Conn
	closed bool
}

func (p *pipe) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }
func (p *pipe) Close() error         { p.closed = true; return nil }

func TestGuardClosesOldStrangersOnly(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	l := &pipes{next: make(chan net.Conn, 1)}
	g := Guard(l, nil, func() time.Time { return now })
	accept := func() (*pipe, context.Context) {
		p := &pipe{}
		l.next <- p
		conn, err := g.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return p, withConnection(t.Context(), conn)
	}
	signedIn, ctx := accept()
	TrustConnection(ctx)
	working, workingCtx := accept()
	done := WorkOn(workingCtx)
	var strangers []*pipe
	for range 2 * maxStrangers {
		p, _ := accept()
		strangers = append(strangers, p)
	}
	for i, p := range strangers {
		if p.closed {
			t.Fatalf("stranger %d was closed though all came at once", i)
		}
	}
	now = now.Add(newcomer)
	latest, _ := accept()
	if !strangers[0].closed || strangers[1].closed || latest.closed || signedIn.closed || working.closed {
		t.Error("the oldest stranger, and nobody else, must make room")
	}
	done() // counted again, as the newest: another old one makes room
	if !strangers[1].closed || working.closed {
		t.Error("a connection whose request was answered must be counted again")
	}
	if err := signedIn.Close(); err != nil {
		t.Fatal(err)
	}
}
