package ldap

import (
	"context"
	"errors"
	"strconv"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory/ldap/wire"
)

// session is a connection as the service account, and what is known of the server.
type session struct {
	*connection

	wire    *wire.Conn
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
	se := &session{connection: c, wire: wire.New(c)}
	if err := s.prepare(ctx, se, password); err != nil {
		c.close()
		return nil, err
	}
	return se, nil
}

func (s *Source) prepare(ctx context.Context, se *session, password secret.String) error {
	if s.cfg.BindDN != "" {
		err := se.within(ctx, s.cfg.Timeout, func() error { return se.wire.Bind(s.cfg.BindDN, password.Reveal()) })
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
	dirSync         bool
	base            string // the only, or the default, naming context
	configuration   string // Active Directory's configuration context
	service         string // Active Directory's name of this domain controller: dsServiceName
	usn             int64  // its highestCommittedUSN, -1 when it does not tell
}

// capabilityAD is in supportedCapabilities of Active Directory (MS-ADTS 3.1.1.3.4.3.1).
const capabilityAD = "1.2.840.113556.1.4.800"

func (s *Source) rootDSE(ctx context.Context, se *session) (rootDSE, error) {
	entries, err := s.search(ctx, se, wire.Search{Scope: wire.Base, Filter: "(objectClass=*)", Attributes: []string{
		"defaultNamingContext", "namingContexts", "configurationNamingContext", "supportedCapabilities", "supportedControl", "dsServiceName", "highestCommittedUSN",
	}})
	switch {
	case err != nil:
		return rootDSE{}, s.errorf("%w: ask the server what it is: %w%s", core.ErrUnavailable, err, readRemedy(err))
	case len(entries) != 1:
		return rootDSE{}, s.errorf("%w: the server does not say what it is: let the service account read the root DSE", core.ErrUnavailable)
	}
	e := entries[0]
	root := rootDSE{base: e.Text("defaultNamingContext"), configuration: e.Text("configurationNamingContext"), service: e.Text("dsServiceName"), usn: -1}
	if usn, err := strconv.ParseInt(e.Text("highestCommittedUSN"), 10, 64); err == nil {
		root.usn = usn
	}
	for capability := range e.Values("supportedCapabilities") {
		root.activeDirectory = root.activeDirectory || string(capability) == capabilityAD
	}
	for control := range e.Values("supportedControl") {
		root.dirSync = root.dirSync || string(control) == wire.OIDDirSync
	}
	if root.base == "" {
		var contexts []string
		for context := range e.Values("namingContexts") {
			contexts = append(contexts, string(context))
		}
		if len(contexts) == 1 {
			root.base = contexts[0]
		}
	}
	return root, nil
}

// learnDomains asks Active Directory for the NetBIOS names of its domains, unless one is configured. A server that will not
// tell them is told about in the log: short names then stand in no domain and `DOMAIN\name` leads to nobody. Any other
// failure is one of the read, or a bad moment would take everybody out of the domain.
func (s *Source) learnDomains(ctx context.Context, se *session) error {
	if !se.mapping.ad || se.mapping.domain != "" {
		return nil
	}
	entries, err := s.search(ctx, se, wire.Search{
		Base: "CN=Partitions," + se.root.configuration, Scope: wire.OneLevel,
		Filter: "(&(objectClass=crossRef)(nETBIOSName=*))", Attributes: []string{"nCName", "nETBIOSName"},
	})
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
		se.mapping.domains[strings.ToLower(e.Text("nCName"))] = e.Text("nETBIOSName")
	}
	return nil
}

// search runs one search that has few entries and returns them; with an error they are not all.
func (s *Source) search(ctx context.Context, se *session, q wire.Search) (entries []*wire.Entry, err error) {
	size := 0
	err = se.within(ctx, s.cfg.Timeout, func() error {
		_, err := se.wire.Search(q, func(e *wire.Entry) error {
			if size += len(e.Raw()); len(entries) == maxSmall || size > maxSmallBytes {
				return errors.New("the server gives more entries, or longer ones, than there can be")
			}
			entries = append(entries, e.Clone())
			return nil
		})
		return err
	})
	return entries, err
}

// The most entries that a search that is not read in pages may have, and bytes of them: all are held.
const (
	maxSmall      = 10_000
	maxSmallBytes = 32 << 20
)

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
