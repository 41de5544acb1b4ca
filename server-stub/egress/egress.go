// Package egress is the one HTTP client with which the server speaks to addresses that somebody configured or that an
// answer named: identity providers (R-SSRF-1). It speaks HTTPS only, follows no redirect to another host, reads at most 1 MiB and
// waits at most 5 s, unless the caller needs more, and does not connect to this computer, to neighbours on the link, to a cloud's metadata service or
// to multicast addresses: an address is looked at after its name was resolved, when the connection is made. The
// configuration may name such a host by itself ("https://localhost:8443"), and then that host and port are permitted.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The limits of one request, unless Options say otherwise.
const (
	Timeout = 5 * time.Second
	MaxBody = 1 << 20
)

// ErrBlocked: the address is one that the server must not be led to.
var ErrBlocked = errors.New("the address is not one that the server may connect to")

// Options may be left zero.
type Options struct {
	// Configured are the addresses as the administrator wrote them. Where one names localhost or an address literally, that
	// host and port are permitted.
	Configured []string
	// CAFile has the authorities that are trusted instead of the system's, PEM.
	CAFile string
	// Timeout is how long a whole request may take, to the end of its answer; Timeout if zero. To connect takes Timeout at most in
	// any case.
	Timeout time.Duration
	// MaxBody is how many bytes of an answer are read; MaxBody if zero. A longer one is an error.
	MaxBody int64
}

// New returns a client, or an error for a CAFile that cannot be read.
func New(o Options) (*http.Client, error) {
	if o.Timeout == 0 {
		o.Timeout = Timeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = MaxBody
	}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           16,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute,
		TLSHandshakeTimeout:    Timeout,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authorities for outgoing connections: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the authorities for outgoing connections: %s has no certificate in PEM form", o.CAFile)
		}
	}
	g := &gate{next: t, permitted: literals(o.Configured), maxBody: o.MaxBody}
	t.DialContext = g.dial
	return &http.Client{Transport: g, CheckRedirect: sameHost, Timeout: o.Timeout}, nil
}

// literals returns the "host:port" of those addresses that name this computer or an IP address.
func literals(configured []string) []string {
	var list []string
	for _, text := range configured {
		u, err := url.Parse(text)
		if err == nil && u.Scheme == "https" && literal(u.Hostname()) {
			list = append(list, hostPort(u))
		}
	}
	return list
}

func literal(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func sameHost(req *http.Request, via []*http.Request) error {
	if len(via) >= 3 || req.URL.Scheme != "https" || hostPort(req.URL) != hostPort(via[0].URL) {
		return fmt.Errorf("%w: redirected elsewhere", ErrBlocked)
	}
	return nil
}

// gate is the transport.
type gate struct {
	next      http.RoundTripper
	permitted []string
	maxBody   int64
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" || req.URL.User != nil {
		return nil, fmt.Errorf("%w: not https", ErrBlocked)
	}
	// Behind a proxy no address is resolved here, so what is literal is looked at now.
	if host := req.URL.Hostname(); literal(host) && !slices.Contains(g.permitted, hostPort(req.URL)) {
		addr, err := netip.ParseAddr(host)
		if err != nil || Blocked(addr) {
			return nil, fmt.Errorf("%w: %s", ErrBlocked, hostPort(req.URL))
		}
	}
	res, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body = &bounded{ReadCloser: res.Body, left: g.maxBody, most: g.maxBody}
	return res, nil
}

// dial connects, and looks at the address once it is known.
func (g *gate) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: Timeout}
	if !slices.Contains(g.permitted, strings.ToLower(address)) {
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(resolved)
			if err != nil || Blocked(ap.Addr()) {
				return fmt.Errorf("%w: %s is %s", ErrBlocked, address, resolved)
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}

// notGlobal are networks that no identity provider is in: this network, IPv6 forms of any IPv4 address (RFC 4291 section 2.5.5.1,
// 6052, 8215, 3056, 4380), and metadata services of Oracle, AWS, Google, Azure and Alibaba that have addresses of their own.
var notGlobal = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("255.255.255.255/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("fd20:ce::/32"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba's metadata service
}

// Blocked tells whether an address is one that nobody may lead the server to. Private networks are not among them: a
// provider may stand in one.
func Blocked(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return !addr.IsValid() || addr.IsLoopback() || addr.IsUnspecified() || addr.IsLinkLocalUnicast() || addr.IsMulticast() ||
		addr.IsInterfaceLocalMulticast() || slices.ContainsFunc(notGlobal, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// bounded fails a body that is longer than it may be, instead of cutting it off.
type bounded struct {
	io.ReadCloser
	left, most int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("the answer is longer than %d bytes", b.most)
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n, fmt.Errorf("the answer is longer than %d bytes", b.most)
	}
	return n, err
}
