package machine

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
)

// How long things may take.
const (
	callTime = 75 * time.Second // with all of the below
	dialTime = 10 * time.Second
	// handTime is long: a server that comes back takes its devices one after the other, five thousand of them in 45 seconds.
	handTime = time.Minute
	idleTime = 2 * time.Minute // a person who signs in asks for a nonce and an assertion, and another may follow
)

// Proxy names the proxy of a request, nil for none.
type Proxy func(*http.Request) (*url.URL, error)

// link is a way to one device listener. It is safe for concurrent use.
type link struct {
	address string
	device  bool // we show a certificate
	wished  bool // the computer's settings named it, no token did
	http    *http.Client
	clock   clock.Clock
}

// newLink connects to nothing yet. roots are believed, nil for the system's; pair may be nil, for who is no device yet.
func newLink(address string, roots *x509.CertPool, pair *tls.Certificate, proxy Proxy, now clock.Clock) *link {
	return &link{address: address, device: pair != nil, clock: now, http: &http.Client{
		Transport:     transport(roots, pair, proxy, now),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func transport(roots *x509.CertPool, pair *tls.Certificate, proxy Proxy, now clock.Clock) *http.Transport {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Time: now}
	if pair != nil {
		// Whatever authorities the server names: it has one device CA, and says itself what it thinks of a certificate.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            (&net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handTime,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: 32 << 10,
		ReadBufferSize:         2 << 10,
		WriteBufferSize:        2 << 10,
	}
}

func (l *link) close() { l.http.CloseIdleConnections() }

// post sends in to path and reads the answer into out. Errors are of *ipc.Error, except the caller's own cancellation.
func (l *link) post(ctx context.Context, op, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	text, err := json.Marshal(in)
	if err != nil {
		return ipc.Fail(ipc.CodeInternal, op+": the request cannot be written as JSON", nil)
	}
	target := url.URL{Scheme: "https", Host: l.address, Path: path}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(text))
	if err != nil {
		return ipc.Fail(ipc.CodeInternal, op+": the server's address is of no use", nil)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "platen-deploy/"+buildinfo.Version)
	response, err := l.http.Do(request)
	if err != nil {
		return l.failed(ctx, op, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, api.MaxResponseBody+1))
	if err != nil {
		return l.failed(ctx, op, err)
	}
	if response.StatusCode/100 != 2 {
		return l.refused(op, response, body)
	}
	if !isType(response, "application/json") || len(body) > api.MaxResponseBody || json.Unmarshal(body, out) != nil {
		return ipc.Fail(ipc.CodeServer, fmt.Sprintf("%s at %s: the answer is not a Platen server's; check the address of the enrolment",
			op, l.address), nil)
	}
	return nil
}

func isType(response *http.Response, want string) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && kind == want
}

// refused makes the error for an answer that is not 2xx.
func (l *link) refused(op string, response *http.Response, body []byte) error {
	var p api.Problem
	if !isType(response, api.ContentTypeProblem) || json.Unmarshal(body, &p) != nil || !isCode(p.Code) {
		return ipc.Fail(ipc.CodeServer, fmt.Sprintf("%s at %s: the answer is %s, and not in a Platen server's form; check the address of the enrolment",
			op, l.address, plain(response.Status)), nil)
	}
	e := &ipc.Error{Code: codeOf(p.Code, response.StatusCode), API: p.Code}
	e.Text = fmt.Sprintf("%s: the server answers %s: %s", op, p.Code, plain(p.Detail))
	if p.RequestID != "" {
		e.Text += " (request " + plain(p.RequestID) + ")"
	}
	if p.RetryAt != nil {
		e.RetryAt = *p.RetryAt
	} else if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 && seconds <= 86400 {
		e.RetryAt = l.clock().Add(time.Duration(seconds) * time.Second)
	}
	return e
}

// codeOf says what a server's code means for who asked the service.
func codeOf(code api.Code, status int) ipc.Code {
	switch code {
	case api.CodeDeviceUnknown:
		return ipc.CodeRevoked
	case api.CodeLimited:
		return ipc.CodeLimited
	case api.CodeClock:
		return ipc.CodeClock
	case api.CodeUnavailable, api.CodeInternal:
		return ipc.CodeServer
	default:
		if status >= 500 {
			return ipc.CodeServer
		}
		return ipc.CodeRefused
	}
}

// Alerts of TLS by which a server says that it does not take our certificate (RFC 8446 section 6.2).
var notTaken = []tls.AlertError{42, 43, 44, 45, 46, 48, 49, 116}

// failed makes the error for a connection that failed.
func (l *link) failed(ctx context.Context, op string, err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s: %w", op, context.Canceled)
	}
	code, remedy := l.classify(err)
	text := fmt.Sprintf("%s at %s: %s", op, l.address, plain(err.Error()))
	if remedy != "" {
		text += "; " + remedy
	}
	return ipc.Fail(code, text, err)
}

// classify says what a failed connection means, and what an administrator does about it.
func (l *link) classify(err error) (code ipc.Code, remedy string) {
	if alert, ok := errors.AsType[tls.AlertError](err); ok && l.device && slices.Contains(notTaken, alert) {
		return ipc.CodeRevoked, "the server does not take this computer's certificate any more: enrol the computer anew"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		if l.clock().Before(invalid.Cert.NotBefore) {
			return ipc.CodeClock, "set this computer's clock, which says " + l.clock().Format(time.RFC3339)
		}
		return ipc.CodeCertificate, "renew the server's certificate, or set this computer's clock if it is wrong"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok && l.wished {
		return ipc.CodeCertificate, "set ServerURL to a name of the server that is in its certificate"
	} else if ok {
		return ipc.CodeCertificate, "enrol with a name of the server that is in its certificate"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		return ipc.CodeUnreachable, ""
	}
	if l.wished {
		return ipc.CodeCertificate, "set CAPin to the pin that the server prints when it starts, or CAFile to its ca.pem"
	}
	if !l.device {
		return ipc.CodeCertificate, "enrol with the whole token, or with --pin and the pin that the server prints when it starts"
	}
	return ipc.CodeCertificate, "it is not the server that this computer was enrolled at; if its CA was replaced, enrol the computer anew"
}

// fetchCA returns the server's certificate authority that has one of the pins. from is where they stand.
//
// It makes a normal connection that believes nobody. Such a handshake always fails, before anything is sent, and its error has
// the certificates that the server showed. What has the pinned key (SHA-256 of the SubjectPublicKeyInfo, RFC 7469 section
// 2.4) is the authority; whether the server may speak for it is checked by the connection that the caller makes next.
func fetchCA(ctx context.Context, address string, pins []api.Pin, from string, proxy Proxy, now clock.Clock) (*x509.Certificate, error) {
	const op = "fetch the server's certificate authority"
	l := newLink(address, x509.NewCertPool(), nil, proxy, now)
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	target := url.URL{Scheme: "https", Host: address}
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, target.String(), nil)
	if err != nil {
		return nil, ipc.Fail(ipc.CodeInternal, op+": the server's address is of no use", nil)
	}
	response, err := l.http.Do(request)
	if err == nil { // cannot be: nobody is believed
		_ = response.Body.Close()
		return nil, ipc.Fail(ipc.CodeInternal, op+": a certificate of nobody was believed", nil)
	}
	shown, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return nil, l.failed(ctx, op, err)
	}
	for _, cert := range shown.UnverifiedCertificates {
		if cert.BasicConstraintsValid && cert.IsCA && slices.Contains(pins, api.PinOf(cert)) {
			return cert, nil
		}
	}
	return nil, ipc.Fail(ipc.CodeCertificate, fmt.Sprintf("%s at %s: it does not show one with the pin of %s; "+
		"compare the pin with the one that the server prints when it starts: if that is right, somebody else answers in its place", op, address, from), nil)
}
