package deviceapi

import (
	"context"
	"net"
	"sync"
)

// lines knows which connection is whose. The zero value is ready; safe for concurrent use.
type lines struct {
	mu     sync.Mutex
	device map[net.Conn]string
	conns  map[string]map[net.Conn]bool
}

type lineKey struct{}

func (l *lines) open(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, lineKey{}, conn)
}

// note tells that the device has shown itself on the connection of the request.
func (l *lines) note(ctx context.Context, device string) {
	conn, ok := ctx.Value(lineKey{}).(net.Conn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.device == nil {
		l.device, l.conns = map[net.Conn]string{}, map[string]map[net.Conn]bool{}
	}
	l.device[conn] = device
	if l.conns[device] == nil {
		l.conns[device] = map[net.Conn]bool{}
	}
	l.conns[device][conn] = true
}

func (l *lines) closed(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	device, ok := l.device[conn]
	if !ok {
		return
	}
	delete(l.device, conn)
	delete(l.conns[device], conn)
	if len(l.conns[device]) == 0 {
		delete(l.conns, device)
	}
}

func (l *lines) disconnect(device string) {
	l.mu.Lock()
	var conns []net.Conn
	for conn := range l.conns[device] {
		conns = append(conns, conn)
	}
	l.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close() // it is closed already, or will be now
	}
}
