package ipc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
)

// ErrNotRunning says that no resident listens at the place.
var ErrNotRunning = errors.New("platen is not running")

// ErrOtherUser says that the other end is another user's program. Nothing was said to it.
var ErrOtherUser = errors.New("the other end belongs to another user")

// later is a deadline. Deadlines are moments of the kernel's clock, so there is nothing to inject.
func later(d time.Duration) time.Time { return clock.System().Add(d) }

// Client is the window's or the command line's end. It opens a connection for each call and is safe for concurrent use.
type Client struct {
	place   Place
	program string
}

// NewClient returns a client that introduces itself as program ("platen-window 1.2.3"). It connects to nothing yet.
func NewClient(place Place, program string) *Client { return &Client{place: place, program: program} }

// Do performs an action and waits for its result as long as ctx lets it (a sign-in answers with the first balance).
// Errors: ErrNotRunning, ErrOtherUser, ErrVersion, ErrFrame, else of the transport.
func (c *Client) Do(ctx context.Context, action status.Action) (status.Result, error) {
	var r reply
	err := c.converse(ctx, request{Verb: verbDo, Action: reveal(action)}, func(conn net.Conn) error {
		return readFrame(conn, MaxReply, &r)
	})
	if err == nil && r.Result == nil {
		err = fmt.Errorf("%w: a result was wanted", ErrFrame)
	}
	if err != nil {
		return status.Result{}, fmt.Errorf("ask the running platen to %s: %w", action.Kind, err)
	}
	return *r.Result, nil
}

// Snapshot returns what there is to show now. Errors as of Do.
func (c *Client) Snapshot(ctx context.Context) (status.Snapshot, error) {
	var now status.Snapshot
	err := c.Watch(ctx, 0, func(s status.Snapshot) bool {
		now = s
		return false
	})
	return now, err
}

// Watch calls on with every snapshot newer than after, the newest at once, until on returns false (then it returns
// nil), ctx ends, or the resident goes away (ErrNotRunning). Other errors as of Do. Snapshots may be skipped when they come
// faster than on returns.
func (c *Client) Watch(ctx context.Context, after uint64, on func(status.Snapshot) bool) error {
	err := c.converse(ctx, request{Verb: verbWatch, After: after}, func(conn net.Conn) error {
		for {
			var r reply
			if err := readFrame(conn, MaxFrame, &r); err != nil {
				return err
			}
			if r.Snapshot == nil {
				return fmt.Errorf("%w: a snapshot was wanted", ErrFrame)
			}
			if !on(*r.Snapshot) {
				return nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("watch the running platen: %w", err)
	}
	return nil
}

// converse connects, checks who is there, says hello and sends the request; rest reads what comes.
func (c *Client) converse(ctx context.Context, r request, rest func(net.Conn) error) (err error) {
	conn, err := dial(ctx, c.place)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
		switch {
		case ctx.Err() != nil && err != nil:
			err = ctx.Err()
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			err = fmt.Errorf("%w any more", ErrNotRunning)
		}
	}()
	if err := conn.SetDeadline(later(helloTime)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	if err := writeFrame(conn, MaxFrame, hello{Platen: status.Version, Program: c.program}); err != nil {
		return err
	}
	var theirs hello
	if err := readFrame(conn, MaxFrame, &theirs); err != nil {
		return err
	}
	if theirs.Platen != status.Version {
		return fmt.Errorf("%w (it speaks %d, this is %d)", ErrVersion, theirs.Platen, status.Version)
	}
	if err := writeFrame(conn, MaxFrame, r); err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	return rest(conn)
}
