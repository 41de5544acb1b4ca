package ipc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
)

// later is a deadline. Deadlines are moments of the kernel's clock, so there is nothing to inject.
func later(d time.Duration) time.Time { return clock.System().Add(d) }

// Client asks the service. It opens a connection for each question and is safe for concurrent use; there is nothing to close.
type Client struct{ place Place }

// Dial looks whether the service of this computer runs and is the real one. Errors are of *Error: CodeNotRunning,
// CodeImpostor.
func Dial(ctx context.Context) (*Client, error) { return DialAt(ctx, System()) }

// DialAt is Dial for another place, for tests.
func DialAt(ctx context.Context, place Place) (*Client, error) {
	conn, err := dial(ctx, place)
	if err != nil {
		return nil, failed(ctx, err)
	}
	_ = conn.Close()
	return &Client{place}, nil
}

// Status asks how the computer stands. Errors are of *Error: those of Dial, CodeVersion, CodeBroken, CodeLimited.
func (c *Client) Status(ctx context.Context) (Status, error) {
	r, err := c.ask(ctx, request{V: Version, Verb: verbStatus})
	if err != nil {
		return Status{}, err
	}
	if r.Status == nil {
		return Status{}, &Error{Code: CodeBroken, Text: "platen-deploy answers something else than was asked"}
	}
	return *r.Status, nil
}

// Assert asks the computer to vouch for the user of this process. challenge is api.Challenge of the caller's verifier, which
// alone can redeem the code (at api.PathSessionCode). Errors are of *Error: those of Status and of the handler.
func (c *Client) Assert(ctx context.Context, challenge string) (api.TrustCode, error) {
	r, err := c.ask(ctx, request{V: Version, Verb: verbAssert, Challenge: challenge})
	if err != nil {
		return api.TrustCode{}, err
	}
	if r.Code == nil {
		return api.TrustCode{}, &Error{Code: CodeBroken, Text: "platen-deploy answers something else than was asked"}
	}
	return *r.Code, nil
}

func (c *Client) ask(ctx context.Context, q request) (reply, error) {
	if err := q.check(); err != nil {
		return reply{}, &Error{Code: CodeInvalid, Text: "platen-deploy is not asked: " + err.Error(), cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime+2*ioTime)
	defer cancel()
	conn, err := dial(ctx, c.place)
	if err != nil {
		return reply{}, failed(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		if stop() {
			_ = conn.Close()
		}
	}()
	// A service that is full, or tired of us, may answer and hang up before it has heard the question.
	said := writeFrame(conn, q)
	var r reply
	if err := readFrame(conn, &r); err != nil {
		if said != nil {
			err = said
		}
		return reply{}, failed(ctx, err)
	}
	switch {
	case r.Error != nil:
		return reply{}, r.Error
	case r.V != Version:
		return reply{}, &Error{Code: CodeVersion, Text: fmt.Sprintf("platen-deploy speaks version %d, this program %d: restart the older one", r.V, Version)}
	}
	return r, nil
}

// failed makes an *Error of what went wrong on this side.
func failed(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return &Error{Code: CodeBroken, Text: "ask platen-deploy: " + err.Error(), cause: err}
}

func notRunning(place Place) error {
	return &Error{Code: CodeNotRunning, Text: fmt.Sprintf("platen-deploy is not running on this computer (nothing listens on %s)", place)}
}
