package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// call is one request.
type call struct {
	op     string // for errors: "sign in"
	method string
	path   string
	query  url.Values
	token  secret.String        // access token, may be empty
	header http.Header          // may be nil
	body   any                  // nil: none
	seen   func(*http.Response) // is shown a good answer, may be nil
}

// do sends the call and reads the answer into out, which may be nil.
func (c *Client) do(ctx context.Context, r call, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	response, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if r.seen != nil {
		r.seen(response)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, api.MaxResponseBody+1))
	if err != nil {
		return c.failed(ctx, r.op, fmt.Errorf("the answer broke off: %w", err))
	}
	if len(text) > api.MaxResponseBody {
		return c.wrong(r.op, response, KindServer, "the answer is larger than %d bytes", api.MaxResponseBody)
	}
	if out == nil {
		return nil
	}
	if !isType(response, "application/json") {
		return c.wrong(r.op, response, KindNotPlaten, "the answer is %s, not JSON", contentType(response))
	}
	if json.Unmarshal(text, out) != nil { // its error may quote the answer, which may hold tokens
		return c.wrong(r.op, response, KindServer, "the answer is not the JSON it should be")
	}
	return nil
}

// send makes the request and returns the answer when it is a good one (2xx); the caller closes it. Every other answer
// becomes an error here.
func (c *Client) send(ctx context.Context, r call) (*http.Response, error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, fail(r.op, c.Host(), Error{Kind: KindConfig, Err: err})
	}
	client, err := c.connected(ctx)
	if err != nil {
		return nil, c.failed(ctx, r.op, err)
	}
	before := c.opts.Clock()
	response, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the address: Error names the host
		}
		return nil, c.failed(ctx, r.op, err)
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.noteTime(date, before, c.opts.Clock())
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer func() { _ = response.Body.Close() }()
	return nil, c.refused(r.op, response)
}

func (c *Client) request(ctx context.Context, r call) (*http.Request, error) {
	address := c.base
	address.Path, address.RawQuery = r.path, r.query.Encode()
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, errors.New("the request cannot be written as JSON")
		}
		if len(text) > api.MaxRequestBody {
			return nil, fmt.Errorf("the request is larger than %d bytes", api.MaxRequestBody)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, r.method, address.String(), body)
	if err != nil {
		return nil, err
	}
	if r.header != nil {
		request.Header = r.header
	}
	if request.Header.Get("Accept") == "" {
		request.Header.Set("Accept", "application/json")
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.opts.UserAgent != "" {
		request.Header.Set("User-Agent", c.opts.UserAgent)
	}
	if !r.token.Empty() {
		if strings.ContainsFunc(r.token.Reveal(), func(ch rune) bool { return ch <= ' ' || ch > '~' }) {
			return nil, errors.New("the token cannot be sent: it has characters that no token has")
		}
		request.Header.Set("Authorization", "Bearer "+r.token.Reveal())
	}
	return request, nil
}

// wrong makes the error for an answer that is not what it should be.
func (c *Client) wrong(op string, response *http.Response, kind Kind, format string, args ...any) error {
	return fail(op, c.Host(), Error{Kind: kind, Status: response.StatusCode, Err: fmt.Errorf(format, args...)})
}

// refused makes the error for an answer that is not 2xx.
func (c *Client) refused(op string, response *http.Response) error {
	code := response.StatusCode
	switch {
	case code/100 == 3:
		return c.wrong(op, response, KindNotPlaten, "the answer is a redirect to %s, which is not followed", redirectHost(response))
	case code == http.StatusProxyAuthRequired:
		return c.wrong(op, response, KindProxy, "a proxy wants a sign-in (407)")
	case isType(response, api.ContentTypeProblem):
		return c.answered(op, response)
	case code >= 500:
		return c.wrong(op, response, KindServer, "the answer is %s, and not in the server's own form", response.Status)
	default:
		return c.wrong(op, response, KindNotPlaten, "the answer is %s, and not in a Platen server's form", response.Status)
	}
}

// answered makes the error for a problem that the server describes (RFC 9457).
func (c *Client) answered(op string, response *http.Response) error {
	var problem api.Problem
	text, err := io.ReadAll(io.LimitReader(response.Body, api.MaxRequestBody))
	if err != nil || json.Unmarshal(text, &problem) != nil || problem.Code == "" {
		return c.wrong(op, response, KindServer, "the answer is %s, and its description cannot be read", response.Status)
	}
	e := Error{Kind: KindAnswer, Code: problem.Code, Status: response.StatusCode, RequestID: plain(problem.RequestID)}
	e.Method = knownMethod(problem.Method)
	e.Err = fmt.Errorf("the server answers %d %s: %s", response.StatusCode, problem.Code, problem.Detail)
	if len(problem.Fields) > 0 {
		e.Err = fmt.Errorf("%w (%s)", e.Err, strings.Join(problem.Fields, ", "))
	}
	if problem.RetryAt != nil {
		e.RetryAt = *problem.RetryAt
	} else if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 86400 {
		e.RetryAt = c.opts.Clock().Add(time.Duration(seconds) * time.Second)
	}
	return fail(op, c.Host(), e)
}

func isType(response *http.Response, want string) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && kind == want
}

func contentType(response *http.Response) string {
	if kind := response.Header.Get("Content-Type"); kind != "" {
		return plain(kind)
	}
	return "of no type"
}

// redirectHost names where a redirect leads, without path and query: they may hold anything.
func redirectHost(response *http.Response) string {
	location, err := response.Location()
	if err != nil {
		return "nowhere"
	}
	return location.Scheme + "://" + location.Host
}
