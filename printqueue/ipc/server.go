package ipc

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
)

// How long things may take.
const (
	ioTime     = 5 * time.Second        // to ask, and to take the answer (R-IPC-4)
	answerTime = 10 * time.Second       // to find the answer: the operating system and the server may have to be asked
	pauseTime  = 100 * time.Millisecond // after a connection that could not be accepted

	turnAwayTime = 10 * time.Millisecond
)

// ErrRunning says that there is a service at this place already.
var ErrRunning = errors.New("platen-deploy is already running")

// Handler answers. It must be safe for concurrent use. What it is told about the peer is the kernel's word.
type Handler interface {
	Status(ctx context.Context, peer Peer) Status
	// Assert vouches for the peer. Its error goes to the caller if it is an *Error, else as CodeInternal and into the log.
	Assert(ctx context.Context, peer Peer, challenge string) (api.TrustCode, error)
}

// Listener is the service's end. Having one means to be the only service of this place.
type Listener struct {
	net   net.Listener
	place Place
	io    time.Duration // ioTime; tests shorten it
}

// Listen takes the place, or fails with ErrRunning, or with what is wrong with the place and what to do about it.
func Listen(ctx context.Context, place Place) (*Listener, error) {
	l, err := listen(ctx, place)
	if err != nil {
		return nil, err
	}
	return &Listener{net: l, place: place, io: ioTime}, nil
}

// Close ends listening. It is for a listener that was never served; Serve closes by itself.
func (l *Listener) Close() error { return l.net.Close() }

// Serve answers until ctx ends, then hangs up on everybody, waits for its goroutines and closes the listener.
func Serve(ctx context.Context, l *Listener, handler Handler, logger *slog.Logger, now clock.Clock) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{listener: l, handler: handler, logger: logger, limits: newLimits(now)}
	stop := context.AfterFunc(ctx, func() { _ = l.net.Close() })
	defer stop()
	err := s.accept(ctx)
	cancel()
	s.conversations.Wait()
	_ = l.Close()
	return err
}

type server struct {
	listener      *Listener
	handler       Handler
	logger        *slog.Logger
	limits        *limits
	conversations sync.WaitGroup
}

// accept takes connections. A failure is not the end of the service: when file descriptors run out, they come back.
func (s *server) accept(ctx context.Context) error {
	for {
		conn, err := s.listener.net.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			s.logger.WarnContext(ctx, "cannot accept a local connection", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(pauseTime):
			}
			continue
		}
		if !s.limits.enter() {
			_ = conn.Close()
			continue
		}
		user, err := early(conn)
		if err != nil || !s.limits.sit(user) {
			if err == nil {
				s.turnAway(conn)
			}
			s.limits.leave()
			_ = conn.Close()
			continue
		}
		s.conversations.Go(func() {
			defer s.limits.leave()
			defer s.limits.rise(user)
			if err := s.converse(ctx, conn); err != nil && ctx.Err() == nil && !errors.Is(err, io.EOF) {
				s.logger.DebugContext(ctx, "a local connection ended", "user", user, "error", err)
			}
		})
	}
}

// turnAway tells a user who has all their seats taken to come again. It waits for nobody: a new connection has room for it.
func (s *server) turnAway(conn net.Conn) {
	now := s.limits.clock()
	if conn.SetWriteDeadline(later(turnAwayTime)) == nil {
		_ = writeFrame(conn, reply{V: Version, Error: &Error{Code: CodeLimited, RetryAt: now.Add(time.Second), Text: "this user asks platen-deploy too much at a time"}})
	}
}

// converse answers one question.
func (s *server) converse(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	var peer Peer
	var err error
	if earlyPeer {
		if peer, err = identify(conn); err != nil {
			return err
		}
	}
	if err := conn.SetDeadline(later(s.listener.io)); err != nil {
		return err
	}
	var q request
	if err := readFrame(conn, &q); err != nil {
		if errors.Is(err, ErrFrame) && s.mayAsk(peer) {
			_ = writeFrame(conn, reply{V: Version, Error: &Error{Code: CodeInvalid, Text: "platen-deploy does not know what it is asked"}})
		}
		return err
	}
	if !earlyPeer {
		if peer, err = identify(conn); err != nil {
			return err
		}
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	r := s.answer(ctx, conn, peer, q)
	r.V = Version
	if err := conn.SetWriteDeadline(later(s.listener.io)); err != nil {
		return err
	}
	return writeFrame(conn, r)
}

// mayAsk counts a question of somebody who is known already; nonsense counts, too.
func (s *server) mayAsk(peer Peer) bool {
	if !earlyPeer {
		return true
	}
	_, ok := s.limits.ask(limitKey(peer))
	return ok
}

func (s *server) answer(ctx context.Context, conn net.Conn, peer Peer, q request) reply {
	if retry, ok := s.limits.ask(limitKey(peer)); !ok {
		s.logger.DebugContext(ctx, "a user asks too much", "user", peer.key())
		return reply{Error: &Error{Code: CodeLimited, RetryAt: retry, Text: "platen-deploy was asked too often; wait a minute"}}
	}
	if q.V != Version {
		return reply{Error: &Error{Code: CodeVersion, Text: "platen and platen-deploy are of different releases: restart the older one"}}
	}
	if q.check() != nil {
		return reply{Error: &Error{Code: CodeInvalid, Text: "platen-deploy does not know what it is asked"}}
	}
	if q.Verb == verbStatus {
		status := s.handler.Status(ctx, peer)
		return reply{Status: &status}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	// The caller says nothing more: whatever comes, and the end, is a hang-up. The read ends with the connection.
	s.conversations.Go(func() {
		var one [1]byte
		_, _ = conn.Read(one[:])
		cancel()
	})
	code, err := s.handler.Assert(ctx, peer, q.Challenge)
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok && errors.Is(err, context.Canceled) { // they hung up, or the service ends
			return reply{Error: &Error{Code: CodeInternal, Text: "platen-deploy was interrupted"}}
		}
		if !ok {
			s.logger.ErrorContext(ctx, "vouch for a user", "user", peer.key(), "error", err)
			e = &Error{Code: CodeInternal, Text: "platen-deploy could not do it; its log says why"}
		}
		return reply{Error: e}
	}
	return reply{Code: &code}
}
