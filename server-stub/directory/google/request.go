package google

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/platenprint/platen/server-stub/egress"
)

// The limits of waiting (R-SYNC-3).
const (
	maxTries    = 6                // of one request, in a read
	checkTries  = 2                // of one request, while an administrator waits
	maxWaiting  = 30 * time.Minute // in one read, all pauses together
	pageTimeout = 30 * time.Second // for one answer, to its end
)

// The caps of a listing: whoever reaches one is broken, not large.
const (
	maxPages = 20_000
	maxIdle  = 100     // pages in a row with nothing new
	maxToken = 8 << 10 // of a page, in bytes

	maxAnswer = 4 << 20 // bytes; 500 people are about half a megabyte
)

var errBlocked = egress.ErrBlocked

// client is the way to the token endpoint and to the API, and to nobody else, whatever an answer of theirs says.
type client struct{ http *http.Client }

func newClient(api, tokenURL, caFile string) (*client, error) {
	token, err := url.Parse(tokenURL)
	if err != nil {
		return nil, err
	}
	allowed := []string{api, token.Scheme + "://" + token.Host}
	c, err := egress.New(egress.Options{Configured: allowed, CAFile: caFile, Timeout: pageTimeout, MaxBody: maxAnswer})
	if err != nil {
		return nil, err
	}
	c.Transport = &gate{c.Transport, allowed}
	return &client{c}, nil
}

// gate lets requests to those origins through.
type gate struct {
	next    http.RoundTripper
	allowed []string
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if !slices.Contains(g.allowed, strings.ToLower(req.URL.Scheme+"://"+req.URL.Host)) {
		return nil, fmt.Errorf("%w: %s is neither the API nor its token endpoint", errBlocked, req.URL.Host)
	}
	return g.next.RoundTrip(req)
}

// failure is a step that failed.
type failure struct {
	step       string
	status     int    // of HTTP; 0: there was no answer
	reason     string // of Google
	err        error
	remedy     string
	again      bool // it may pass
	tooLong    bool // the answer is longer than we take
	retryAfter time.Duration
}

// Error implements error.
func (f *failure) Error() string {
	text := f.step + ": " + f.err.Error()
	switch {
	case f.status != 0 && f.reason != "" && !strings.Contains(text, f.reason):
		text = fmt.Sprintf("%s (HTTP %d %s)", text, f.status, f.reason)
	case f.status != 0:
		text = fmt.Sprintf("%s (HTTP %d)", text, f.status)
	}
	if f.remedy != "" {
		text += ": " + f.remedy
	}
	return text
}

// Unwrap implements errors.Unwrap.
func (f *failure) Unwrap() error { return f.err }

// quota are the reasons of 403 that pass. Source: Directory API, "Limits and quotas". dailyLimitExceeded does not, for hours.
var quota = []string{"quotaExceeded", "userRateLimitExceeded", "rateLimitExceeded"}

// session is one reading of the customer. Safe for concurrent use.
type session struct {
	s       *Source
	account account
	scopes  []string
	tries   int // of one request

	mu     sync.Mutex // guards what follows
	tokens oauth2.TokenSource
	waited time.Duration
}

// open prepares a session for some scopes, without connecting.
func (s *Source) open(tries int, scopes ...string) (*session, error) {
	a, err := s.account()
	if err != nil {
		return nil, err
	}
	return &session{s: s, account: a, scopes: scopes, tries: tries}, nil
}

// token gets an access token; another one than old.
func (se *session) token(ctx context.Context, old string) (string, error) {
	se.mu.Lock()
	defer se.mu.Unlock()
	for range 2 {
		if se.tokens == nil {
			se.tokens = se.s.tokens(ctx, se.account, se.scopes)
		}
		t, err := se.tokens.Token()
		if err != nil {
			se.tokens = nil
			return "", se.s.noToken(ctx, se.account, se.scopes, err)
		}
		if t.AccessToken != old {
			return t.AccessToken, nil
		}
		se.tokens = nil
	}
	return old, nil // Google gives the same one again
}

// request is one call of the API.
type request struct {
	step   string // for errors
	method string
	path   string // escaped
	query  url.Values
	body   any // nil: none
	remedy string
}

// call makes one request and hands its answer to take, within the limits of waiting. What take refuses is asked for again.
func (se *session) call(ctx context.Context, r request, take func(io.Reader) error) error {
	used, renewed := "", false
	for try := 1; ; try++ {
		token, err := se.token(ctx, used)
		if err == nil {
			err = se.try(ctx, r, token, take)
		}
		if err == nil {
			return nil
		}
		f, ok := errors.AsType[*failure](err)
		if !ok || ctx.Err() != nil {
			return err
		}
		if f.status == http.StatusUnauthorized && token != "" && !renewed { // the token ended, or was ended: once, with a new one
			used, renewed = token, true
			continue
		}
		used = ""
		if !f.again {
			return err
		}
		if try >= se.tries {
			return fmt.Errorf("%w; tried %d times", err, try)
		}
		d := egress.Pause(f.retryAfter, try)
		if !se.mayWait(d) {
			return fmt.Errorf("%w; waited longer than %s already", err, maxWaiting)
		}
		se.s.logger.Info("the directory asks to wait, or failed for now", "step", f.step, "status", f.status, "reason", f.reason, "try", try, "pause", d)
		if err := se.s.wait(ctx, d); err != nil {
			return errors.Join(f, err)
		}
	}
}

func (se *session) mayWait(d time.Duration) bool {
	se.mu.Lock()
	defer se.mu.Unlock()
	se.waited += d
	return se.waited <= maxWaiting
}

// try makes a request once.
func (se *session) try(ctx context.Context, r request, token string, take func(io.Reader) error) error {
	var body io.Reader = http.NoBody
	if r.body != nil {
		raw, err := json.Marshal(r.body)
		if err != nil {
			return &failure{step: r.step, err: err}
		}
		body = bytes.NewReader(raw)
	}
	address := se.s.api + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return &failure{step: r.step, err: withoutAddress(err)}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := se.s.client.http.Do(req)
	if err != nil {
		_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
		return &failure{
			step: r.step, err: withoutAddress(err), again: !untrusted && !errors.Is(err, errBlocked),
			remedy: "check that this computer reaches " + se.s.api + ", and ca_file where that is set",
		}
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return se.refused(r, res)
	}
	if take == nil {
		return nil
	}
	counted := &counter{reader: res.Body}
	if err := take(counted); err != nil {
		if ctx.Err() != nil {
			return &failure{step: r.step, err: ctx.Err()}
		}
		f := &failure{step: r.step, err: fmt.Errorf("an answer ends early or is none: %w", err), again: true, remedy: "the next synchronisation tries again"}
		if counted.n > maxAnswer {
			f.tooLong, f.again, f.remedy = true, false, "set a smaller page_size"
		}
		return f
	}
	return nil
}

// refused makes a failure of an answer that is none.
func (se *session) refused(r request, res *http.Response) *failure {
	var answer struct {
		Error struct {
			Message string `json:"message"`
			Errors  []struct {
				Reason string `json:"reason"`
			} `json:"errors"`
		} `json:"error"`
	}
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	_ = json.Unmarshal(raw, &answer) // a text for people; without it the status says enough
	f := &failure{
		step: r.step, status: res.StatusCode, err: errors.New("refused"), again: egress.Passing(res.StatusCode), retryAfter: egress.RetryAfter(res.Header, se.s.now()), remedy: r.remedy,
	}
	if answer.Error.Message != "" {
		f.err = errors.New(oneLine(answer.Error.Message))
	}
	if len(answer.Error.Errors) > 0 {
		f.reason = oneLine(answer.Error.Errors[0].Reason)
	}
	switch {
	case f.status == http.StatusUnauthorized:
		f.remedy = "Google does not take the service account's token: check that its key and its delegation are as they were; the next synchronisation tries again"
	case slices.Contains(quota, f.reason), f.status == http.StatusTooManyRequests:
		f.again, f.remedy = true, "Google's quota is used up; the next synchronisation tries again; raise the quota of the Admin SDK API in Google Cloud's console if this stays"
	case f.reason == "dailyLimitExceeded":
		f.remedy = "Google's quota of today is used up: raise the quota of the Admin SDK API in Google Cloud's console"
	case f.reason == "accessNotConfigured":
		f.remedy = "enable the Admin SDK API in the Google Cloud project of " + se.account.email
	case f.reason == "insufficientPermissions":
		f.remedy = fmt.Sprintf("in %s give the client id %s the scopes %s", delegation, se.account.clientID, strings.Join(se.scopes, ","))
	case f.status == http.StatusForbidden:
		f.remedy = fmt.Sprintf("%s may not read this: in admin.google.com > Account > Admin roles give them a role that reads users, groups, organisational units and the schema", se.s.cfg.Subject)
	case f.status == http.StatusBadRequest && f.remedy == "":
		f.remedy = "correct customer, or remove it where the subject's own customer is meant"
	case f.again:
		f.remedy = "Google is busy; the next synchronisation tries again"
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

// pages asks for one page after the other, until there is no token for another one. take gets each and says how much of it is
// new.
func (se *session) pages(ctx context.Context, r request, list string, take func(*page) (fresh int, err error)) error {
	visited := map[[16]byte]struct{}{}
	for pages, idle := 1, 0; ; pages++ {
		if err := ctx.Err(); err != nil {
			return &failure{step: r.step, err: err}
		}
		var p *page
		if err := se.call(ctx, r, func(body io.Reader) (err error) {
			p, err = decode(body, list)
			return err
		}); err != nil {
			return err
		}
		fresh, err := take(p)
		if err != nil {
			return err
		}
		if idle++; fresh > 0 {
			idle = 0
		}
		if p.next == "" {
			return nil
		}
		wrong := func(format string, args ...any) error {
			return &failure{step: r.step, err: fmt.Errorf(format, args...), remedy: "the next synchronisation tries again"}
		}
		at := digest(p.next)
		_, again := visited[at]
		switch {
		case len(p.next) > maxToken:
			return wrong("the token of the next page is %d bytes long", len(p.next))
		case again:
			return wrong("the pages lead in a circle")
		case idle >= maxIdle:
			return wrong("%d pages in a row had nothing new", idle)
		case pages >= maxPages:
			return wrong("there is no end after %d pages", pages)
		}
		visited[at] = struct{}{}
		r.query.Set("pageToken", p.next)
	}
}

// digest is a short name of a text.
func digest(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}
