package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Client calls the server of one data folder.
type Client struct {
	dir  string
	http *http.Client
}

// NewClient makes a client for the server whose data folder is dir. It connects with every call.
func NewClient(dir string) *Client {
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) },
		DisableKeepAlives: true,
	}
	return &Client{dir: dir, http: &http.Client{Transport: transport}}
}

// Call asks for a verb and decodes the result into out. progress may be nil. Errors: ErrNotRunning, ErrUnknownOutcome, an
// *Error of the server.
func (c *Client) Call(ctx context.Context, verb string, in, out any, progress func(Progress)) error {
	return c.Stream(ctx, verb, in, out, progress, nil)
}

// Stream is Call for a verb that answers with many items before its result. item may be nil.
func (c *Client) Stream(ctx context.Context, verb string, in, out any, progress func(Progress), item func(json.RawMessage) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write the call: %w", err)
	}
	resp, err := c.post(ctx, verb, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	for {
		var m message
		if err := dec.Decode(&m); err != nil {
			return fmt.Errorf("%w (%w)", ErrUnknownOutcome, err)
		}
		switch {
		case m.Error != nil:
			return &Error{Kind: m.Error.Kind, Message: m.Error.Message}
		case m.Result != nil:
			if err := json.Unmarshal(m.Result, out); err != nil {
				return fmt.Errorf("read the server's answer: %w; the command and the server may be of different versions", err)
			}
			return nil
		case m.Progress != nil && progress != nil:
			progress(*m.Progress)
		case m.Item != nil && item != nil:
			if err := item(m.Item); err != nil {
				return err
			}
		}
	}
}

// Backup writes a backup to w. It is whole only when the error is nil.
func (c *Client) Backup(ctx context.Context, w io.Writer) error {
	resp, err := c.post(ctx, VerbBackupCreate, []byte("{}"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("receive the backup: %w", err)
	}
	if whole := resp.Trailer.Get(trailerWhole); whole != "yes" {
		return fmt.Errorf("the server could not finish the backup: %s", whole)
	}
	return nil
}

func (c *Client) post(ctx context.Context, verb string, body []byte) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://platen/v1/"+verb, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("write the call: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	switch {
	case err == nil && resp.StatusCode == http.StatusForbidden:
		_ = resp.Body.Close()
		return nil, &Error{Kind: "forbidden", Message: "the server answers only its own user and root; run this command as one of them"}
	case err == nil:
		return resp, nil
	case errors.Is(err, ErrNotRunning), errors.Is(err, errRefused):
		return nil, errors.Unwrap(err) // without the words of net/http
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("%w (%w)", ErrUnknownOutcome, err)
}

// errRefused says that we do not speak to what listens there.
var errRefused = errors.New("it is not answered by the server's user")
