package apiclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
)

// How long things may take.
const (
	callTime = 30 * time.Second // a whole call: the server may have to ask a slow directory
	dialTime = 10 * time.Second // until the connection stands, and the same again for TLS
	idleTime = 20 * time.Second // an unused connection is kept for a next call
)

// Options is what a Client needs. ServerURL, Clock and Logger are required.
type Options struct {
	ServerURL *url.URL // https, host and port
	CAFile    string   // PEM file of certificate authorities to believe instead of the system's; empty: the system's
	CAPin     string   // pins of certificate authorities (api.ParsePin), separated by commas; with CAFile both must hold
	// Proxy names the proxy of a request, nil for none (proxy.Finder.Func). Nil means that no proxy is used.
	Proxy     func(*http.Request) (*url.URL, error)
	UserAgent string
	Logger    *slog.Logger
	Clock     clock.Clock
}

// Client is a connection to one server. It is safe for concurrent use.
type Client struct {
	opts    Options
	base    url.URL
	trust   trust
	silence time.Duration // api.SilenceLimit

	ready chan struct{} // holds one token: whoever takes it may read and set http
	http  *http.Client  // nil until the server's CA is known

	skew atomic.Pointer[time.Duration]
}

// New checks the options and reads CAFile. It connects to nothing. Its error is an *Error of KindConfig.
func New(opts Options) (*Client, error) {
	if opts.ServerURL == nil {
		return nil, configError("", errors.New("no ServerURL is set"))
	}
	host := opts.ServerURL.Hostname()
	if opts.ServerURL.Scheme != "https" || host == "" {
		return nil, configError(host, errors.New("ServerURL must begin with https://: nothing is ever sent over plain http"))
	}
	trust, err := newTrust(opts.CAFile, opts.CAPin)
	if err != nil {
		return nil, configError(host, err)
	}
	c := &Client{
		opts:    opts,
		base:    url.URL{Scheme: "https", Host: opts.ServerURL.Host},
		trust:   trust,
		silence: api.SilenceLimit,
		ready:   make(chan struct{}, 1),
	}
	c.ready <- struct{}{}
	return c, nil
}

// Host is the server's name, as people are told it.
func (c *Client) Host() string { return c.base.Hostname() }

// Close ends connections that are not in use. Calls under way end by their context.
func (c *Client) Close() {
	<-c.ready
	defer func() { c.ready <- struct{}{} }()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// Skew is how far the server's clock is ahead of this computer's (negative: behind), by the latest answer; false when there
// was none yet. It is exact to about two seconds.
func (c *Client) Skew() (time.Duration, bool) {
	skew := c.skew.Load()
	if skew == nil {
		return 0, false
	}
	return *skew, true
}

// ClockTolerance is how far two clocks may be apart before it is worth telling somebody.
const ClockTolerance = 5 * time.Minute

func (c *Client) noteTime(server, before, after time.Time) {
	if server.IsZero() {
		return
	}
	skew := server.Sub(before.Add(after.Sub(before) / 2))
	c.skew.Store(&skew)
}

// connected returns the HTTP client, after learning the server's CA where only its pin is known.
func (c *Client) connected(ctx context.Context) (*http.Client, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.ready:
	}
	defer func() { c.ready <- struct{}{} }()
	if c.http != nil {
		return c.http, nil
	}
	roots := c.trust.roots
	if c.trust.learn() {
		ca, err := fetchPinned(ctx, c.transport(nil), c.base, c.trust.pins)
		if err != nil {
			return nil, err
		}
		roots = x509.NewCertPool()
		roots.AddCert(ca)
		c.opts.Logger.Debug("learned the certificate authority by its pin", "subject", ca.Subject.String(), "not_after", ca.NotAfter)
	}
	c.http = &http.Client{
		Transport:     c.transport(roots),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c.http, nil
}

// forget drops the connections, so that the next call learns the CA anew: one of several pinned CAs may have replaced the other.
func (c *Client) forget() {
	<-c.ready
	defer func() { c.ready <- struct{}{} }()
	if c.http != nil && c.trust.learn() {
		c.http.CloseIdleConnections()
		c.http = nil
	}
}

// transport makes a transport that believes roots, nil for the system's.
func (c *Client) transport(roots *x509.CertPool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  c.proxy(),
		OnProxyConnectResponse: checkProxyAnswer,
		DialContext:            (&net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Time: c.opts.Clock},
		TLSHandshakeTimeout:    dialTime,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: 32 << 10,
		ReadBufferSize:         2 << 10,
		WriteBufferSize:        2 << 10,
	}
}

// proxyError says that the way through a proxy is closed.
type proxyError struct{ text string }

func (e *proxyError) Error() string { return e.text }

// proxy marks the errors of opts.Proxy as what they are.
func (c *Client) proxy() func(*http.Request) (*url.URL, error) {
	if c.opts.Proxy == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		u, err := c.opts.Proxy(r)
		if err != nil && r.Context().Err() == nil {
			err = &proxyError{err.Error()}
		}
		return u, err
	}
}

func checkProxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return &proxyError{fmt.Sprintf("the proxy %s wants a sign-in (407)", proxy.Host)}
	default:
		return &proxyError{fmt.Sprintf("the proxy %s refuses to connect (%d %s)", proxy.Host, answer.StatusCode, http.StatusText(answer.StatusCode))}
	}
}
