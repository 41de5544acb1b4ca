package entra

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving, and this file is the only one that asks
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/egress"
)

// The limits of waiting (R-SYNC-3).
const (
	maxTries    = 6                // of one page, in a read
	checkTries  = 2                // of one page, while an administrator waits
	maxPause    = 10 * time.Minute // between two tries, whatever Retry-After says
	maxWaiting  = 30 * time.Minute // in one read, all pauses together
	firstPause  = time.Second      // without Retry-After; doubles with each try
	pageTimeout = 30 * time.Second // for one page, to its end
)

// client is the way to the authority and to Graph, and to nobody else, whatever an answer of theirs says.
type client struct {
	http    *http.Client
	allowed []string // origins
}

func newClient(authority, graph, caFile string) (*client, error) {
	c, err := egress.New(egress.Options{Configured: []string{authority, graph}, CAFile: caFile})
	if err != nil {
		return nil, err
	}
	c.Timeout = pageTimeout // a page is long; its head must come as fast as any other
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
	again      bool // it may pass
	tooLong    bool // the page is longer than we take
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

// passing tells whether an answer with this status may be another one later.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads the header, in seconds or as a date; 0 without one.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// session is one read of the tenant.
type session struct {
	s          *Source
	credential *credential
	tries      int // of one page
	waited     time.Duration
}

func (s *Source) open(tries int) (*session, error) {
	c, err := s.credential()
	if err != nil {
		return nil, err
	}
	return &session{s: s, credential: c, tries: tries}, nil
}

// page gets one page. What may pass is tried again, within the limits.
func (se *session) page(ctx context.Context, address string) (*page, error) {
	for try := 1; ; try++ {
		p, err := se.try(ctx, address)
		if err == nil {
			return p, nil
		}
		f, ok := errors.AsType[*failure](err)
		if !ok || !f.again || ctx.Err() != nil {
			return nil, err
		}
		if try == se.tries {
			return nil, fmt.Errorf("%w; tried %d times", err, try)
		}
		d := pause(f.retryAfter, try)
		if se.waited += d; se.waited > maxWaiting {
			return nil, fmt.Errorf("%w; waited longer than %s already", err, maxWaiting)
		}
		se.s.logger.Info("the directory asks to wait, or failed for now", "step", f.step, "status", f.status, "try", try, "pause", d)
		if err := se.s.wait(ctx, d); err != nil {
			return nil, errors.Join(f, err)
		}
	}
}

// pause is the time to the next try: what was asked for or longer and longer, and up to a fifth more, so that not all who
// were sent away come back at once.
func pause(asked time.Duration, try int) time.Duration {
	d := asked
	if d == 0 {
		d = firstPause << (try - 1)
	}
	return min(d+rand.N(d/5+1), maxPause)
}

// wait waits, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try asks for one page once.
func (se *session) try(ctx context.Context, address string) (*page, error) {
	token, err := se.s.token(ctx, se.credential)
	if err != nil {
		return nil, err
	}
	const step = "read people"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, &failure{step: step, err: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json;odata.metadata=minimal")
	res, err := se.s.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which has the tenant's tokens of paging
		}
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		return nil, &failure{
			step: step, err: err, again: !untrusted && !errors.Is(err, egress.ErrBlocked),
			remedy: "check that this computer reaches " + se.s.graph.Host + ", and ca_file where that is set",
		}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, se.s.refused(step, res)
	}
	body := &counter{reader: res.Body}
	p, err := decode(body)
	if err != nil {
		f := &failure{step: step, err: fmt.Errorf("a page ends early or is none: %w", err), again: true}
		if body.n > egress.MaxBody {
			f.tooLong, f.again, f.remedy = true, false, "set a smaller page_size"
		}
		return nil, f
	}
	return p, nil
}

const beginAnew = "the tenant asks to begin anew, which the next synchronisation does"

// refused makes a failure of an answer that is none.
func (s *Source) refused(step string, res *http.Response) *failure {
	var answer struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	_ = json.Unmarshal(raw, &answer) // a text for people; without it the status says enough
	f := &failure{step: step, status: res.StatusCode, code: answer.Error.Code, retryAfter: retryAfter(res.Header, s.now()), again: passing(res.StatusCode)}
	f.err = errors.New(oneLine(strings.TrimSpace(answer.Error.Code + " " + answer.Error.Message)))
	if answer.Error.Code == "" {
		f.err = errors.New("refused")
	}
	switch f.status {
	case http.StatusForbidden:
		f.remedy = "the application lacks the application permission User.Read.All: add it in the app registration (not the delegated one of that name) and let an administrator consent"
	case http.StatusUnauthorized:
		f.remedy = "Graph does not take the application's token: check tenant and cloud"
	case http.StatusGone:
		f.remedy = beginAnew
	case http.StatusBadRequest:
		if f.code == "syncStateNotFound" || f.code == "Directory_ExpiredPageToken" {
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
