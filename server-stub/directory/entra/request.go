package entra

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving, and this file is the only one that asks
	"net/url"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/egress"
)

// The limits of waiting (R-SYNC-3).
const (
	maxTries    = 6                // of one page, in a read
	checkTries  = 2                // of one page, while an administrator waits
	maxWaiting  = 30 * time.Minute // in one read, all pauses together
	pageTimeout = time.Minute      // for one page, to its end
	maxPage     = 8 << 20          // bytes of a page; one of 999 people has about 1 MiB
)

// client is the way to the authority and to Graph, and to nobody else, whatever an answer of theirs says.
type client struct {
	http    *http.Client
	allowed []string // origins
}

func newClient(authority, graph, caFile string) (*client, error) {
	c, err := egress.New(egress.Options{Configured: []string{authority, graph}, CAFile: caFile, Timeout: pageTimeout, MaxBody: maxPage})
	if err != nil {
		return nil, err
	}
	return &client{c, []string{authority, graph}}, nil
}

// Do implements policy.Transporter.
func (c *client) Do(req *http.Request) (*http.Response, error) {
	for _, origin := range c.allowed {
		if strings.EqualFold(req.URL.Scheme+"://"+req.URL.Host, origin) {
			return c.http.Do(req)
		}
	}
	return nil, fmt.Errorf("%w: %s is neither the authority nor Graph", egress.ErrBlocked, req.URL.Host)
}

// failure is a step that failed.
type failure struct {
	step       string
	status     int    // of HTTP; 0: there was no answer
	code       string // of Graph
	err        error
	remedy     string
	permission string // that is missing
	again      bool   // it may pass
	tooLong    bool   // the page is longer than we take
	retryAfter time.Duration
}

// Error implements error.
func (f *failure) Error() string {
	text := f.step + ": " + f.err.Error()
	if f.status != 0 {
		text = fmt.Sprintf("%s: %s (HTTP %d)", f.step, f.err.Error(), f.status)
	}
	if f.remedy != "" {
		text += ": " + f.remedy
	}
	return text
}

// Unwrap implements errors.Unwrap.
func (f *failure) Unwrap() error { return f.err }

// question is a request and what is said about it when it fails.
type question struct {
	step       string
	permission string // what the application needs for it
	address    string
	body       []byte // nil: GET, else POST
}

// session is one reading of the tenant.
type session struct {
	s          *Source
	credential *credential
	tries      int // of one page
	waited     time.Duration
	pages      int // that were read
}

func (s *Source) open(tries int) (*session, error) {
	c, err := s.credential()
	if err != nil {
		return nil, err
	}
	return &session{s: s, credential: c, tries: tries}, nil
}

// page gets one page. What may pass is tried again, within the limits.
func (se *session) page(ctx context.Context, q question) (*page, error) {
	var p *page
	err := se.patiently(ctx, func() error {
		return se.once(ctx, q, func(body io.Reader) (err error) {
			p, err = decode(body)
			return err
		})
	})
	return p, err
}

// patiently tries again what may pass, within the limits.
func (se *session) patiently(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if err == nil {
			return nil
		}
		f, ok := errors.AsType[*failure](err)
		if !ok || !f.again || ctx.Err() != nil {
			return err
		}
		if try == se.tries {
			return fmt.Errorf("%w; tried %d times", err, try)
		}
		d := egress.Pause(f.retryAfter, try)
		if se.waited += d; se.waited > maxWaiting {
			return fmt.Errorf("%w; waited longer than %s already", err, maxWaiting)
		}
		se.s.logger.Info("the directory asks to wait, or failed for now", "step", f.step, "status", f.status, "try", try, "pause", d)
		if err := se.s.wait(ctx, d); err != nil {
			return errors.Join(f, err)
		}
	}
}

// once asks once. An error of take means that the answer is none, unless it is a failure itself.
func (se *session) once(ctx context.Context, q question, take func(io.Reader) error) error {
	token, err := se.s.token(ctx, se.credential)
	if err != nil {
		return err
	}
	method, sent := http.MethodGet, io.Reader(http.NoBody)
	if q.body != nil {
		method, sent = http.MethodPost, bytes.NewReader(q.body)
	}
	req, err := http.NewRequestWithContext(ctx, method, q.address, sent)
	if err != nil {
		return &failure{step: q.step, err: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json;odata.metadata=minimal")
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := se.s.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which has the tenant's tokens of paging
		}
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		return &failure{
			step: q.step, err: err, again: !untrusted && !errors.Is(err, egress.ErrBlocked),
			remedy: "check that this computer reaches " + se.s.graph.Host + ", and ca_file where that is set",
		}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		raw, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
		return se.s.refused(q, res.StatusCode, res.Header, raw)
	}
	body := &counter{reader: res.Body}
	err = take(body)
	if _, told := errors.AsType[*failure](err); err == nil || told {
		return err
	}
	f := &failure{step: q.step, err: fmt.Errorf("a page ends early or is none: %w", err), again: true}
	if body.n > maxPage {
		f.tooLong, f.again, f.remedy = true, false, "set a smaller page_size"
	}
	return f
}

const beginAnew = "the tenant asks to begin anew, which the next synchronisation does"

// refused makes a failure of an answer that is none. raw is its body.
func (s *Source) refused(q question, status int, header http.Header, raw []byte) *failure {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(raw, &answer) // a text for people; without it the status says enough
	f := &failure{step: q.step, status: status, code: answer.Error.Code, retryAfter: egress.RetryAfter(header, s.now()), again: egress.Passing(status)}
	f.err = errors.New(oneLine(strings.TrimSpace(answer.Error.Code + " " + answer.Error.Message)))
	if answer.Error.Code == "" {
		f.err = errors.New("refused")
	}
	switch f.status {
	case http.StatusForbidden:
		f.remedy, f.permission = s.grant(q.permission), q.permission
	case http.StatusUnauthorized:
		f.remedy = "Graph does not take the application's token: check tenant and cloud"
	case http.StatusGone:
		f.remedy = beginAnew
	case http.StatusBadRequest:
		if startsOver[f.code] {
			f.remedy = beginAnew
		}
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.remedy = "Graph is busy; the next synchronisation tries again"
	}
	return f
}

// counter counts what was read.
type counter struct {
	reader io.Reader
	n      int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.n += int64(n)
	return n, err
}

// unavailable gives an error of a session its kind and the name of the source.
func (s *Source) unavailable(err error) error { return s.errorf("%w: %w", core.ErrUnavailable, err) }
