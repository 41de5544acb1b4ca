package ipc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/buildinfo"
)

// Times and numbers of the resident's side.
const (
	helloTime      = 5 * time.Second // to say hello and what is wanted
	writeTime      = 5 * time.Second // to take a frame
	maxConnections = 32              // of one person; more are turned away
)

// Resident is who answers. It must be safe for concurrent use.
type Resident interface {
	// Do performs an action that has passed the checks of this package. ctx ends when the asking program hangs up.
	Do(ctx context.Context, action status.Action) status.Result
	// Watch waits for a snapshot newer than after.
	Watch(ctx context.Context, after uint64) (status.Snapshot, error)
}

// Listener is the resident's end of the transport. Having one means to be the only resident of this place.
type Listener struct {
	net    net.Listener
	place  Place
	verify func(net.Conn) error // tells whether the peer is the same user
	free   func()               // gives up the place
	write  time.Duration        // how long a frame may take to be taken; writeTime if zero
}

// Place is where the listener listens.
func (l *Listener) Place() Place { return l.place }

// Close ends listening and gives up the place. It is for a listener that was never served; Serve closes by itself.
func (l *Listener) Close() error {
	err := l.net.Close()
	l.free()
	return err
}

// Serve answers until ctx ends, then hangs up on everybody, waits for its goroutines and closes the listener.
func Serve(ctx context.Context, l *Listener, resident Resident, logger *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &server{listener: l, resident: resident, logger: logger, seats: make(chan struct{}, maxConnections)}
	stop := context.AfterFunc(ctx, func() { _ = l.net.Close() })
	err := s.accept(ctx)
	cancel()
	stop()
	s.conversations.Wait()
	_ = l.Close()
	return err
}

type server struct {
	listener      *Listener
	resident      Resident
	logger        *slog.Logger
	seats         chan struct{}
	conversations sync.WaitGroup
}

func (s *server) accept(ctx context.Context) error {
	for {
		conn, err := s.listener.net.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept on %s: %w", s.listener.place, err)
		}
		select {
		case s.seats <- struct{}{}:
		default:
			s.logger.WarnContext(ctx, "too many local connections")
			_ = conn.Close()
			continue
		}
		s.conversations.Go(func() {
			defer func() { <-s.seats }()
			if err := s.converse(ctx, conn); err != nil && ctx.Err() == nil && !errors.Is(err, net.ErrClosed) { // closed: they hung up
				s.logger.InfoContext(ctx, "local connection ended", "error", err)
			}
		})
	}
}

// converse has one conversation. Nothing is read before the kernel has said who it is.
func (s *server) converse(ctx context.Context, conn net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	if err := s.listener.verify(conn); err != nil {
		return err
	}
	if err := conn.SetDeadline(later(helloTime)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	var theirs hello
	if err := readFrame(conn, MaxFrame, &theirs); err != nil {
		return err
	}
	if err := writeFrame(conn, MaxFrame, hello{Platen: status.Version, Program: "platen " + buildinfo.Version}); err != nil {
		return err
	}
	if theirs.Platen != status.Version {
		return fmt.Errorf("%w: %.64q speaks version %d", ErrVersion, theirs.Program, theirs.Platen)
	}
	var r request
	if err := readFrame(conn, MaxFrame, &r); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	s.conversations.Go(func() { // the client says nothing more: whatever comes, and the end, is a hang-up
		var one [1]byte
		_, _ = conn.Read(one[:])
		cancel()
	})
	return s.answer(ctx, conn, &r)
}

func (s *server) answer(ctx context.Context, conn net.Conn, r *request) error {
	switch {
	case r.Verb == verbDo && r.Action != nil && r.After == 0:
		action := r.Action.conceal()
		if err := check(action); err != nil {
			return err
		}
		result := s.resident.Do(ctx, action)
		return s.send(conn, MaxReply, reply{Result: &result})
	case r.Verb == verbWatch && r.Action == nil:
		for after := r.After; ; {
			snapshot, err := s.resident.Watch(ctx, after)
			if err != nil {
				return nil //nolint:nilerr // they hung up, or the resident ends: nothing went wrong
			}
			after = snapshot.Seq
			if err := s.send(conn, MaxFrame, reply{Snapshot: &snapshot}); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%w: verb %.32q", ErrFrame, r.Verb)
}

// send writes a frame; who does not take it in time is dropped.
func (s *server) send(conn net.Conn, limit int, v any) error {
	if err := conn.SetWriteDeadline(later(cmp.Or(s.listener.write, writeTime))); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	return writeFrame(conn, limit, v)
}

// ErrVersion says that the two programs are of different releases: the older one must be restarted.
var ErrVersion = errors.New("the running platen is of another version; restart it")
