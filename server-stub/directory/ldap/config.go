package ldap

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// Product says what kind of server it is.
type Product string

// The products. ProductAuto asks the server; it cannot tell Entra Domain Services from Active Directory.
const (
	ProductAuto     Product = ""
	ProductAD       Product = "ad"
	ProductOpenLDAP Product = "openldap"
	// ProductEntraDS is Microsoft Entra Domain Services over Secure LDAP: Active Directory whose username is always the
	// sAMAccountName unless Username says otherwise (row A1-53).
	ProductEntraDS Product = "entra-ds"
)

// Incremental is a way to learn what changed. Other servers than Active Directory are always read whole: that takes less than a
// second for 100,000 people, and no other way finds who was deleted.
type Incremental string

// The ways.
const (
	// IncrementalAuto takes DirSync where the service account sees deleted objects, so that nobody who left is missed, and reads
	// everything where it does not.
	IncrementalAuto Incremental = "auto"
	// IncrementalDirSync asks any domain controller for what changed, through the DirSync control. Who was deleted shows only if the
	// service account may see deleted objects; else with the next whole reading.
	IncrementalDirSync Incremental = "dirsync"
	// IncrementalUSN searches by uSNChanged, which each domain controller counts for itself: another one is read whole first. The
	// account must see deleted objects.
	IncrementalUSN Incremental = "usn"
	// IncrementalOff reads everything each time.
	IncrementalOff Incremental = "off"
)

// Config says how to reach and read the directory. The comments of directory/configured explain each key to administrators.
type Config struct {
	ID         core.SourceID
	URLs       []string // ldaps://host[:port] or, with StartTLS, ldap://host[:port]; the next one is tried when one cannot be reached
	StartTLS   bool
	CAFile     string // PEM; empty: the system's authorities
	ServerName string // the name to check in the certificate; empty: the URL's host

	BindDN       string           // a DN, or in Active Directory also a UPN; empty: anonymous
	BindPassword directory.Secret // asked anew for each connection; nil exactly when BindDN is empty

	BaseDN  string // empty: what the server calls its own
	Filter  string // which entries are people; empty: the product's usual filter
	Product Product

	GroupBaseDN string // where groups are; empty: in Active Directory the whole domain, elsewhere BaseDN
	GroupFilter string // which entries are groups; empty: the product's usual filter

	// Incremental says how to learn what changed instead of reading everybody; empty: IncrementalAuto.
	Incremental Incremental

	Username directory.UsernameRule
	// UPNAsUsername is the setting user-source.ad.upn-as-username: on Active Directory true makes the UPN the username
	// and false the sAMAccountName (rows A1-50, A1-51); elsewhere it has no effect (A1-53). nil: not set.
	UPNAsUsername *bool
	Domain        string // the NetBIOS domain of short names; empty: asked from Active Directory, none elsewhere

	// Attributes replaces the product's attribute names. Keys: see attributeKeys. Of several attributes the first that has a value
	// counts; of aliases and cards all do. Naming card, code or pin makes the directory the authority for them. No name, or an
	// empty one: not read.
	Attributes map[string][]string

	PageSize    int           // entries asked for at a time; 0: 1000
	Timeout     time.Duration // for connecting, binding and looking up one person; 0: 10 s
	PageTimeout time.Duration // for one page; 0: 60 s
}

// Source is an LDAP directory. It implements directory.Source, directory.Looker, directory.Watcher,
// directory.Expiring and directory.PasswordChecker. Safe for concurrent use.
type Source struct {
	cfg    Config
	logger *slog.Logger
	now    clock.Clock
	most   int // entries of one listing; whoever lists more is broken, not large

	mu      sync.Mutex
	refused refusal
}

var (
	_ directory.Looker          = (*Source)(nil)
	_ directory.Watcher         = (*Source)(nil)
	_ directory.Expiring        = (*Source)(nil)
	_ directory.PasswordChecker = (*Source)(nil)
)

// refusal remembers that the directory refused the service account, so that a wrong password in the configuration does
// not lock that account by being tried at every sign-in.
type refusal struct {
	password secret.String
	at       time.Time
	err      error
}

// mostEntries is the most people, or groups, that are read. A server that goes on behind them would never let a reading end.
const mostEntries = 5_000_000

// refusalPause is how long the same refused password is not tried again.
const refusalPause = time.Minute

// limitsOnce belongs to limitPackets.
var limitsOnce sync.Once

// limitPackets lowers the limits of the BER decoder that go-ldap uses: by default a server could make us take packets
// of 2 GiB, nested 1000 deep. The decoder has them as package variables only; they are set once, before the first
// connection of this package.
func limitPackets() {
	limitsOnce.Do(func() {
		ber.MaxPacketLengthBytes = 16 << 20
		ber.MaxNestingDepth = 64
	})
}

// New checks the configuration, without connecting. An error names the key and the remedy. As a side effect it lowers
// the process-wide packet limits of the BER decoder to 16 MiB and 64 levels.
func New(cfg Config, logger *slog.Logger, now clock.Clock) (*Source, error) {
	limitPackets()
	if cfg.Incremental == "" {
		cfg.Incremental = IncrementalAuto
	}
	s := &Source{cfg: cfg, logger: logger.With("source", string(cfg.ID)), now: now, most: mostEntries}
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.cfg.PageSize == 0 {
		s.cfg.PageSize = 1000
	}
	if s.cfg.Timeout == 0 {
		s.cfg.Timeout = 10 * time.Second
	}
	if s.cfg.PageTimeout == 0 {
		s.cfg.PageTimeout = time.Minute
	}
	return s, nil
}

// ID implements directory.Source.
func (s *Source) ID() core.SourceID { return s.cfg.ID }

func (s *Source) check() error {
	cfg := s.cfg
	wrong := func(key, format string, args ...any) error {
		return s.errorf("%w: %s: %s", core.ErrInvalid, key, fmt.Sprintf(format, args...))
	}
	if len(cfg.URLs) == 0 {
		return wrong("url", "write ldaps://server.example.org")
	}
	for _, text := range cfg.URLs {
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Hostname() == "" || u.Scheme != "ldaps" && u.Scheme != "ldap" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
			return wrong("url", "%q: write ldaps://server.example.org, with a port when it is not 636", text)
		case u.Scheme == "ldap" && !cfg.StartTLS:
			return wrong("url", "%q would send passwords in the clear: use ldaps://, or start_tls: true", text)
		case u.Scheme == "ldaps" && cfg.StartTLS:
			return wrong("start_tls", "%s is encrypted from the start: remove start_tls, or write ldap://", text)
		}
	}
	if cfg.CAFile != "" {
		if _, err := readCAs(cfg.CAFile); err != nil {
			return wrong("ca_file", "%v", err)
		}
	}
	if (cfg.BindDN == "") != (cfg.BindPassword == nil) {
		return wrong("bind_dn", "bind_dn and its password (bind_password_file) belong together: set both, or none for anonymous reading")
	}
	for key, dn := range map[string]string{"base_dn": cfg.BaseDN, "group_base_dn": cfg.GroupBaseDN} {
		if _, err := goldap.ParseDN(dn); err != nil {
			return wrong(key, "%q: write it like dc=example,dc=org (%v)", dn, err)
		}
	}
	for key, filter := range map[string]string{"filter": cfg.Filter, "group_filter": cfg.GroupFilter} {
		if _, err := goldap.CompileFilter(filter); filter != "" && err != nil {
			return wrong(key, "%q: write it like (objectClass=person) (%v)", filter, err)
		}
	}
	switch cfg.Incremental {
	case IncrementalAuto, IncrementalDirSync, IncrementalUSN, IncrementalOff:
	default:
		return wrong("incremental", "%q: write auto, dirsync, usn or off", cfg.Incremental)
	}
	switch cfg.Product {
	case ProductAuto, ProductAD, ProductOpenLDAP, ProductEntraDS:
	default:
		return wrong("product", "%q: write ad, openldap or entra-ds, or leave it out", cfg.Product)
	}
	effective := cfg.Product == ProductAuto || cfg.Product == ProductAD // the key has no effect on others (row A1-53)
	if set := cfg.UPNAsUsername; effective && set != nil && cfg.Username != directory.UsernameAuto && *set != (cfg.Username == directory.UsernameUPN) {
		return wrong("upn_as_username", "it contradicts username: %s; keep one of them", cfg.Username)
	}
	for key, names := range cfg.Attributes {
		if !slices.Contains(attributeKeys(), key) {
			return wrong("attributes", "%q: the names are %s", key, strings.Join(attributeKeys(), ", "))
		}
		for _, name := range names {
			if !validAttribute(name) {
				return wrong("attributes", "%s: %q is no name of an attribute", key, name)
			}
		}
	}
	if cfg.PageSize < 0 || cfg.PageSize > 10_000 || cfg.Timeout < 0 || cfg.PageTimeout < 0 {
		return wrong("page_size", "page_size is 1 to 10000, timeouts are not negative")
	}
	return nil
}

func (s *Source) errorf(format string, args ...any) error {
	return fmt.Errorf("ldap directory %q: %w", s.cfg.ID, fmt.Errorf(format, args...))
}
