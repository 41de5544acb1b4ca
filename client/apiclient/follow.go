package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

var (
	errNoClientConfig = errors.New("the answer is not a Platen server's")
	errNoTokens       = errors.New("the answer has no tokens")
)

// EventKind says what an Event is.
type EventKind int

// The kinds of event.
const (
	EventHeartbeat EventKind = iota // the stream is open and alive; the first Event is always one
	EventBalance                    // Event.Balance
	EventSignedOut                  // the session has ended on the server; the stream ends after it
)

// Event is one event of the stream.
type Event struct {
	Kind    EventKind
	Balance api.Balance // EventBalance only
}

// Follow opens the event stream and calls on for every event, in order and from one goroutine, until the stream ends. last is
// the version of the newest balance that is known (0: none): while it is current, no balance comes. on must return soon.
//
// It returns nil when the server ended the stream properly (a restart, or after EventSignedOut); ErrSilent when nothing, not
// even a heartbeat, came for api.SilenceLimit; an *Error for everything else, and the context's error when ctx ended. It never
// opens the stream again by itself: the caller waits between tries.
func (c *Client) Follow(ctx context.Context, access secret.String, last int64, on func(Event)) error {
	const op = "follow the balance"
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(c.silence, func() { cancel(ErrSilent) })
	defer watch.Stop()

	header := http.Header{"Accept": {"text/event-stream"}, "Cache-Control": {"no-store"}}
	if last > 0 {
		header.Set(api.HeaderLastEventID, strconv.FormatInt(last, 10))
	}
	response, err := c.send(ctx, call{op: op, method: http.MethodGet, path: api.PathEvents, token: access, header: header})
	if err != nil {
		return c.streamError(ctx, op, err)
	}
	defer func() { _ = response.Body.Close() }()
	if !isType(response, "text/event-stream") {
		return c.wrong(op, response, KindNotPlaten, "the answer is %s, not an event stream", contentType(response))
	}
	alive := func() { watch.Reset(c.silence) }
	alive()
	on(Event{Kind: EventHeartbeat})
	err = read(newParser(&aliveReader{response.Body, alive}), on)
	switch {
	case ctx.Err() != nil: // net/http may call our own breaking off a proper end
		return c.streamError(ctx, op, err)
	case err == nil:
		return nil
	case errors.Is(err, errGarbage):
		return c.wrong(op, response, KindServer, "%w", err)
	default:
		return c.streamError(ctx, op, err)
	}
}

// streamError tells our own ends of the stream from the network's.
func (c *Client) streamError(ctx context.Context, op string, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrSilent) {
		return ErrSilent
	} else if cause != nil {
		return fmt.Errorf("%s: %w", op, cause)
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return c.failed(ctx, op, fmt.Errorf("the stream broke off: %w", err))
}

// errGarbage says that the stream holds what the server never sends.
var errGarbage = errors.New("the event stream is not understood")

// read passes the frames on until the stream ends (nil) or breaks.
func read(p *parser, on func(Event)) error {
	for {
		frame, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch frame.name {
		case "": // a comment, or an event without a name, which we do not know
			on(Event{Kind: EventHeartbeat})
		case api.EventBalance:
			var balance api.Balance
			if json.Unmarshal(frame.data, &balance) != nil || balance.Amount == "" {
				return fmt.Errorf("%w: a balance that is none", errGarbage)
			}
			on(Event{Kind: EventBalance, Balance: balance})
		case api.EventSignedOut:
			on(Event{Kind: EventSignedOut})
			return nil
		default: // of a newer server
			on(Event{Kind: EventHeartbeat})
		}
	}
}

// aliveReader reports every byte that comes.
type aliveReader struct {
	from  io.Reader
	alive func()
}

func (r *aliveReader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if n > 0 {
		r.alive()
	}
	return n, err
}
