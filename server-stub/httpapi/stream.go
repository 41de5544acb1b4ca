package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/events"
)

const (
	// writeWithin is how long a client may take to accept an event.
	writeWithin = 10 * time.Second
	// recheckEvery is how often an open stream looks whether its session is still in force, in case the news of its end
	// did not reach this node.
	recheckEvery = 5 * time.Minute
)

// streams are the open event streams. Over HTTP/1.1 a stream is its connection, taken from net/http, and one goroutine
// with a small stack: an idle one costs a fifth of what a waiting handler does (5 against 27 KiB, measured with 5,000).
// Over HTTP/2 it is a waiting handler.
type streams struct {
	h         *Handler
	heartbeat time.Duration
	recheck   time.Duration
	ctx       context.Context // ends with shutdown; streams outlive their requests' contexts
	cancel    context.CancelFunc

	mu     sync.Mutex // guards closed, and that nothing enters after it is set
	closed bool
	open   sync.WaitGroup
}

func newStreams(h *Handler) *streams {
	ctx, cancel := context.WithCancel(context.Background())
	return &streams{h: h, heartbeat: api.HeartbeatEvery, recheck: recheckEvery, ctx: ctx, cancel: cancel}
}

// shutdown ends all streams and waits for them until ctx ends.
func (s *streams) shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.h.Hub.Close()
	done := make(chan struct{})
	go func() { s.open.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.cancel()
}

// enter counts a stream in, which then must call open.Done, unless the server is stopping.
func (s *streams) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("%w: the server is stopping", core.ErrUnavailable)
	}
	s.open.Add(1)
	return nil
}

// stream is one of them.
type stream struct {
	*streams
	sub     *events.Subscription
	session string
	user    core.User
	sent    int64 // the version of the last balance the client has
	stale   bool  // the ledger must be read again
	send    func([]byte) error
}

func (s *streams) serve(w http.ResponseWriter, r *http.Request) {
	if err := s.enter(); err != nil {
		s.h.problemFor(r.Context(), err).write(w, r)
		return
	}
	st, first, err := s.start(r)
	if err != nil {
		s.open.Done()
		s.h.problemFor(r.Context(), err).write(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	switch {
	case r.Method == http.MethodHead:
		st.end()
	case r.ProtoMajor == 1:
		st.overConnection(w, r, first)
	default:
		st.overHandler(w, r, first)
	}
}

// end gives the stream's place up.
func (st *stream) end() {
	st.sub.Close()
	st.open.Done()
}

// start subscribes before it reads, and looks at the session again afterwards: neither a change nor an end can fall in
// between.
func (s *streams) start(r *http.Request) (*stream, []byte, error) {
	ctx, who := r.Context(), whoAsks(r.Context())
	sub, err := s.h.Hub.Subscribe(who.user.ID, who.session.ID)
	switch {
	case errors.Is(err, events.ErrTooMany):
		return nil, nil, core.ErrLimited
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", core.ErrUnavailable, err)
	}
	st := &stream{streams: s, sub: sub, session: who.session.ID, sent: -1}
	if last, err := strconv.ParseInt(r.Header.Get(api.HeaderLastEventID), 10, 64); err == nil {
		st.sent = last
	}
	account, err := st.read(ctx)
	if err != nil {
		sub.Close()
		return nil, nil, err
	}
	first := []byte(":\n\n") // something to send at once: it opens the stream through proxies
	if account.Version != st.sent {
		first = append(first, st.event(account)...)
	}
	return st, first, nil
}

// overConnection takes the connection and leaves net/http.
func (st *stream) overConnection(w http.ResponseWriter, r *http.Request, first []byte) {
	header := w.Header().Clone()
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		st.end()
		st.h.problemFor(r.Context(), fmt.Errorf("take over the connection: %w", err)).write(w, r)
		return
	}
	header.Set("Connection", "close") // the end of the connection is the end of the stream
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(&head) // to memory
	head.WriteString("\r\n")
	head.Write(first)
	st.send = sender(conn, st.h.Clock)
	if conn.SetDeadline(time.Time{}) != nil || st.send(head.Bytes()) != nil {
		st.end()
		_ = conn.Close()
		return
	}
	go func() {
		st.follow(nil)
		_ = conn.Close()
		st.end()
	}()
}

// sender writes to a connection within a limit of time. It is a function of its own so that the waiting goroutine keeps
// nothing of the request.
func sender(conn net.Conn, now clock.Clock) func([]byte) error {
	return func(p []byte) error {
		if err := conn.SetWriteDeadline(now().Add(writeWithin)); err != nil {
			return err
		}
		_, err := conn.Write(p)
		return err
	}
}

// overHandler stays in the handler: HTTP/2 has no connection to give away.
func (st *stream) overHandler(w http.ResponseWriter, r *http.Request, first []byte) {
	defer st.end()
	rc := http.NewResponseController(w)
	st.send = func(p []byte) error {
		if err := rc.SetWriteDeadline(st.h.Clock().Add(writeWithin)); err != nil {
			return err
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
		if err := rc.Flush(); err != nil {
			return err
		}
		return rc.SetWriteDeadline(time.Time{}) // or the stream is reset while it waits
	}
	if st.send(first) == nil {
		st.follow(r.Context().Done())
	}
}

// follow sends what happens until the client goes away, the session ends or the server stops. gone may be nil: then a
// client that went away is noticed at the next heartbeat.
func (st *stream) follow(gone <-chan struct{}) {
	beat := time.NewTicker(st.heartbeat)
	defer beat.Stop()
	var sinceCheck time.Duration
	for {
		select {
		case <-gone:
			return
		case <-st.sub.Wake():
			if !st.tell() {
				return
			}
		case <-beat.C:
			if st.send([]byte(":\n\n")) != nil {
				return
			}
			sinceCheck += st.heartbeat
			if sinceCheck >= st.recheck {
				sinceCheck, st.stale = 0, true
			}
			if st.stale && !st.tell() {
				return
			}
		}
	}
}

// tell sends what is new and reports whether the stream goes on.
func (st *stream) tell() bool {
	u := st.sub.Take()
	switch u.End {
	case events.SignedOut:
		_ = st.send([]byte("event: " + api.EventSignedOut + "\ndata: {}\n\n"))
		return false
	case events.ShuttingDown:
		return false
	case events.Open:
	}
	if u.Changed && u.Reread {
		st.stale = true
	}
	account, changed := u.Account, u.Changed && u.Account.Version > st.sent
	if st.stale {
		ctx, cancel := context.WithTimeout(st.ctx, writeWithin)
		defer cancel()
		before := st.user
		var err error
		if account, err = st.read(ctx); errors.Is(err, core.ErrUnauthenticated) {
			_ = st.send([]byte("event: " + api.EventSignedOut + "\ndata: {}\n\n"))
			return false
		} else if err != nil {
			return true // the database is away: the next heartbeat tries again
		}
		changed = account.Version > st.sent || before.Overdraft != st.user.Overdraft
	}
	if !changed {
		return true
	}
	return st.send(st.event(account)) == nil
}

// read asks whether the session is in force, and for the balance.
func (st *stream) read(ctx context.Context) (core.Account, error) {
	user, err := st.h.Sessions.Check(ctx, st.session)
	if err != nil {
		return core.Account{}, err
	}
	account, err := st.h.Ledger.Balance(ctx, user.ID)
	if err != nil {
		return core.Account{}, err
	}
	st.user, st.stale = user, false
	return account, nil
}

// event is the balance as it goes over the wire.
func (st *stream) event(account core.Account) []byte {
	data, err := json.Marshal(st.h.balanceBody(account, st.user))
	if err != nil {
		panic("httpapi: a balance cannot be written: " + err.Error())
	}
	st.sent = account.Version
	st.h.meters.sent.Inc()
	return fmt.Appendf(nil, "event: %s\nid: %d\ndata: %s\n\n", api.EventBalance, account.Version, data)
}
