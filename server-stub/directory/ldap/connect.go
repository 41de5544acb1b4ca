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
	"strings"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// connection is one encrypted connection. go-ldap knows no contexts, so each step is run by within.
type connection struct {
	ldap *goldap.Conn
	raw  net.Conn
	host string
}

func (c *connection) close() {
	_ = c.raw.Close() // first, so that a server that does not read keeps nobody waiting
	_ = c.ldap.Close()
}

// within runs one step on the connection and cuts the connection when ctx ends or the time is over.
func (c *connection) within(ctx context.Context, timeout time.Duration, step func() error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.raw.Close() })
	defer stop()
	err := step()
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s gave no complete answer within %s: %w", c.host, timeout, ctx.Err())
	}
	return err
}

// dial connects to the first server that can be reached, encrypted and with its certificate checked.
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
	if u.Scheme == "ldaps" {
		encrypted := tls.Client(raw, config)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, explainTLS(err, config.ServerName)
		}
		c := &connection{ldap: goldap.NewConn(encrypted, true), raw: raw, host: u.Host}
		c.ldap.Start()
		return c, nil
	}
	c := &connection{ldap: goldap.NewConn(raw, false), raw: raw, host: u.Host}
	c.ldap.Start()
	err = c.within(ctx, s.cfg.Timeout, func() error { return c.ldap.StartTLS(config) })
	if _, encrypted := c.ldap.TLSConnectionState(); err == nil && !encrypted {
		err = errors.New("the connection is not encrypted after StartTLS")
	}
	if err != nil {
		c.close()
		return nil, explainTLS(fmt.Errorf("start TLS: %w", err), config.ServerName)
	}
	return c, nil
}

// explainTLS adds the remedy. go-ldap hands on the reason of a failed StartTLS as text only, so texts are compared too.
func explainTLS(err error, name string) error {
	text := err.Error()
	unknown, isUnknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, isName := errors.AsType[x509.HostnameError](err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case isUnknown && unknown.Cert != nil, strings.Contains(text, "signed by unknown authority"):
		return fmt.Errorf("%w: set ca_file to the certificate of the authority that signed the server's", err)
	case isName, strings.Contains(text, "certificate is valid for"), strings.Contains(text, "cannot validate certificate for"):
		return fmt.Errorf("%w: write in url a name that is in the server's certificate, or set server_name to it (now: %s)", err, name)
	case isInvalid && invalid.Reason == x509.Expired, strings.Contains(text, "certificate has expired"):
		return fmt.Errorf("%w: renew the server's certificate, or correct the clock of this computer", err)
	case strings.HasPrefix(text, "start TLS"):
		return fmt.Errorf("%w: the server may not offer StartTLS; try ldaps://", err)
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

// session is a connection as the service account, and what is known of the server.
type session struct {
	*connection

	mapping *mapping
	base    string
	product Product
	root    rootDSE
}

// open connects, signs in as the service account and asks what the server is.
func (s *Source) open(ctx context.Context) (*session, error) {
	password, err := s.bindPassword()
	if err != nil {
		return nil, err
	}
	if err := s.refusedLately(password); err != nil {
		return nil, err
	}
	c, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	se := &session{connection: c}
	if err := s.prepare(ctx, se, password); err != nil {
		c.close()
		return nil, err
	}
	return se, nil
}

func (s *Source) prepare(ctx context.Context, se *session, password secret.String) error {
	if s.cfg.BindDN != "" {
		err := se.within(ctx, s.cfg.Timeout, func() error { return se.ldap.Bind(s.cfg.BindDN, password.Reveal()) })
		if err != nil {
			err = s.errorf("%w: bind as the service account %s: %w: check bind_dn, bind_password_file and that the account is not locked", core.ErrUnavailable, s.cfg.BindDN, err)
			if goldap.IsErrorWithCode(err, goldap.LDAPResultInvalidCredentials) {
				s.remember(password, err)
			}
			return err
		}
	}
	root, err := s.rootDSE(ctx, se)
	if err != nil {
		return err
	}
	se.root, se.product = root, s.cfg.Product
	if se.product == ProductAuto {
		se.product = ProductOpenLDAP
		if root.activeDirectory {
			se.product = ProductAD
		}
	}
	se.base = s.cfg.BaseDN
	if se.base == "" {
		se.base = root.base
	}
	if se.base == "" {
		return s.errorf("%w: the server does not say where its people are: set base_dn", core.ErrInvalid)
	}
	se.mapping = newMapping(s.cfg, se.product, s.now())
	return nil
}

// rootDSE is what a server says about itself (RFC 4512 section 5.1).
type rootDSE struct {
	activeDirectory bool
	base            string // the only, or the default, naming context
	configuration   string // Active Directory's configuration context
}

// capabilityAD is in supportedCapabilities of Active Directory (MS-ADTS 3.1.1.3.4.3.1).
const capabilityAD = "1.2.840.113556.1.4.800"

func (s *Source) rootDSE(ctx context.Context, se *session) (rootDSE, error) {
	entries, err := s.search(ctx, se, s.cfg.Timeout, goldap.NewSearchRequest("", goldap.ScopeBaseObject, goldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
		[]string{"defaultNamingContext", "namingContexts", "configurationNamingContext", "supportedCapabilities"}, nil))
	switch {
	case err != nil:
		return rootDSE{}, s.errorf("%w: ask the server what it is: %w", core.ErrUnavailable, err)
	case len(entries) != 1:
		return rootDSE{}, s.errorf("%w: the server does not say what it is: let the service account read the root DSE", core.ErrUnavailable)
	}
	e := entries[0]
	root := rootDSE{base: e.GetEqualFoldAttributeValue("defaultNamingContext"), configuration: e.GetEqualFoldAttributeValue("configurationNamingContext")}
	for _, capability := range e.GetEqualFoldAttributeValues("supportedCapabilities") {
		root.activeDirectory = root.activeDirectory || capability == capabilityAD
	}
	if contexts := e.GetEqualFoldAttributeValues("namingContexts"); root.base == "" && len(contexts) == 1 {
		root.base = contexts[0]
	}
	return root, nil
}

// learnDomains asks Active Directory for the NetBIOS names of its domains, when none is configured. A server that does not
// tell them is told about in the log: short names then stand in no domain and `DOMAIN\name` leads to nobody. Any other
// failure is one of the read, or a bad moment would take everybody out of the domain.
func (s *Source) learnDomains(ctx context.Context, se *session) error {
	if !se.mapping.ad || se.mapping.domain != "" {
		return nil
	}
	entries, err := s.search(ctx, se, s.cfg.Timeout, goldap.NewSearchRequest("CN=Partitions,"+se.root.configuration, goldap.ScopeSingleLevel, goldap.NeverDerefAliases,
		0, 0, false, "(&(objectClass=crossRef)(nETBIOSName=*))", []string{"nCName", "nETBIOSName"}, nil))
	hidden := goldap.IsErrorAnyOf(err, goldap.LDAPResultNoSuchObject, goldap.LDAPResultInsufficientAccessRights)
	switch {
	case err != nil && !hidden:
		return s.errorf("%w: ask for the NetBIOS names of the domains: %w: set domain if the server never tells them", core.ErrUnavailable, err)
	case err != nil || len(entries) == 0:
		s.logger.Warn("the directory does not tell the NetBIOS names of its domains; set domain, or DOMAIN\\name will find nobody", "error", err)
		return nil
	}
	se.mapping.domains = map[string]string{}
	for _, e := range entries {
		se.mapping.domains[strings.ToLower(e.GetEqualFoldAttributeValue("nCName"))] = e.GetEqualFoldAttributeValue("nETBIOSName")
	}
	return nil
}

// search runs one search and returns its entries; with an error they are not all.
func (s *Source) search(ctx context.Context, se *session, timeout time.Duration, request *goldap.SearchRequest) ([]*goldap.Entry, error) {
	var entries []*goldap.Entry
	err := se.within(ctx, timeout, func() error {
		result, err := se.ldap.Search(request)
		if result != nil {
			entries = result.Entries
		}
		return err
	})
	return entries, err
}

// bindPassword asks for the service account's password.
func (s *Source) bindPassword() (secret.String, error) {
	if s.cfg.BindDN == "" {
		return secret.String{}, nil
	}
	password, err := s.cfg.BindPassword()
	if err != nil {
		return secret.String{}, s.errorf("%w: take the password of the service account: %w: correct bind_password_file", core.ErrUnavailable, err)
	}
	if unusable(password) || strings.Contains(password.Reveal(), "\n") {
		return secret.String{}, s.errorf("%w: the service account's password is empty or has several lines: correct bind_password_file", core.ErrInvalid)
	}
	return password, nil
}

// unusable tells whether a password must not reach the directory: an empty one would be an anonymous bind, which succeeds
// (RFC 4513 section 5.1.2), and one with a NUL may be cut there.
func unusable(password secret.String) bool {
	return password.Empty() || strings.ContainsRune(password.Reveal(), 0)
}

func (s *Source) remember(password secret.String, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = refusal{password: password, at: s.now(), err: err}
}

func (s *Source) refusedLately(password secret.String) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refused.err != nil && s.refused.password.Equal(password) && s.now().Sub(s.refused.at) < refusalPause {
		return s.refused.err
	}
	return nil
}
