package ldap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// connection is one encrypted connection, its certificate checked.
type connection struct {
	net.Conn

	raw  net.Conn // below TLS
	host string
}

// close ends the connection, also for a server that does not read.
func (c *connection) close() { _ = c.raw.Close() }

// within runs one step on the connection and cuts the connection when ctx ends or the time is over, 0: never.
func (c *connection) within(ctx context.Context, timeout time.Duration, step func() error) error {
	limited, cancel := ctx, context.CancelFunc(func() {})
	if timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	stop := context.AfterFunc(limited, func() { _ = c.raw.Close() })
	defer stop()
	err := step()
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%s gave no complete answer within %s: %w", c.host, timeout, limited.Err())
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}

// dial connects to the first server that can be reached.
func (s *Source) dial(ctx context.Context) (*connection, error) {
	var failures []error
	for _, text := range s.cfg.URLs {
		c, err := s.dialOne(ctx, text)
		if err == nil {
			return c, nil
		}
		failures = append(failures, fmt.Errorf("connect to %s: %w", text, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, s.errorf("%w: %w", core.ErrUnavailable, errors.Join(failures...))
}

func (s *Source) dialOne(ctx context.Context, text string) (*connection, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldaps": "636", "ldap": "389"}[u.Scheme]
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: s.cfg.ServerName}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	if s.cfg.CAFile != "" {
		if config.RootCAs, err = readCAs(s.cfg.CAFile); err != nil {
			return nil, fmt.Errorf("%w: correct ca_file", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, fmt.Errorf("%w: check that url is right, the server runs and no firewall is in between", err)
	}
	c := &connection{raw: raw, host: u.Host}
	if u.Scheme == "ldap" {
		if err := c.within(ctx, 0, wire.New(raw).StartTLS); err != nil {
			c.close()
			return nil, fmt.Errorf("start TLS: %w: the server may not offer StartTLS; try ldaps://", err)
		}
	}
	encrypted := tls.Client(raw, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		c.close()
		return nil, explainTLS(err, config.ServerName)
	}
	c.Conn = encrypted
	return c, nil
}

// explainTLS adds the remedy.
func explainTLS(err error, name string) error {
	_, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case isUnknown:
		return fmt.Errorf("%w: set ca_file to the certificate of the authority that signed the server's", err)
	case isName:
		return fmt.Errorf("%w: write in url a name that is in the server's certificate, or set server_name to it (now: %s)", err, name)
	case isInvalid && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: renew the server's certificate, or correct the clock of this computer", err)
	}
	return fmt.Errorf("%w: check that this is an LDAPS port and that the server speaks TLS 1.2 or later", err)
}

func readCAs(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate in PEM form", path)
	}
	return pool, nil
}
