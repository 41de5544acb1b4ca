// Package configured makes directory sources from the `directories:` list of the server's configuration file. One
// entry is one source:
//
//	directories:
//	  - id: corp                       # names the source for good: people belong to it
//	    type: ldap
//	    url: ldaps://dc1.corp.example.org    # or a list; the next is tried when one cannot be reached
//	    ca_file: /etc/platen/corp-ca.pem     # without it the system's authorities
//	    bind_dn: CN=Platen,OU=Services,DC=corp,DC=example,DC=org
//	    bind_password_file: /etc/platen/corp-password
//	  - id: cloud
//	    type: entra
//	    tenant: 11111111-2222-3333-4444-555555555555
//	    client_id: 66666666-7777-8888-9999-000000000000
//	    client_secret_file: /etc/platen/cloud-secret
//	  - id: hr
//	    type: csv
//	    path: /srv/export/people.csv
package configured

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/csvfile"
	"github.com/platenprint/platen/server-stub/directory/entra"
	"github.com/platenprint/platen/server-stub/directory/ldap"
)

// Types of sources.
const (
	TypeCSV   = "csv"
	TypeLDAP  = "ldap"
	TypeEntra = "entra"
)

// Config is one entry of the list.
type Config struct {
	// ID names the source: small letters, digits, dot, hyphen and underscore. People belong to it, so it stays the same
	// when the directory moves to another server.
	ID   string `yaml:"id"`
	Type string `yaml:"type"` // csv, ldap or entra

	// Username chooses the username: upn, sam, nickname or mail; auto (the default) takes the first of these there is.
	Username string `yaml:"username,omitempty"`
	// UPNAsUsername is the compatible setting user-source.ad.upn-as-username: for Active Directory Y takes the UPN and N
	// the sAMAccountName; elsewhere it has no effect. Not set: Username decides. See also TruncatesUPNs.
	UPNAsUsername *bool `yaml:"upn_as_username,omitempty"`
	// Domain is the NetBIOS domain of the short names, where the directory does not tell it.
	Domain string `yaml:"domain,omitempty"`
	// UPNSuffixes are the suffixes that belong to this source; short names are completed by, and names truncated at, no
	// other ones.
	UPNSuffixes []string `yaml:"upn_suffixes,omitempty"`

	// Interval is the time between synchronisations: 5 minutes for csv, an hour for others, a minute at least.
	Interval time.Duration `yaml:"interval,omitempty"`
	Brake    Brake         `yaml:"brake,omitempty"`
	Lockout  Lockout       `yaml:"lockout,omitempty"`

	// Path is the file of a csv source.
	Path string `yaml:"path,omitempty"`

	// CAFile has what the directory's certificate is signed by, PEM; not set: the system's authorities. For ldap and entra.
	CAFile string `yaml:"ca_file,omitempty"`
	// PageSize is how many people are asked for at a time: 1000 for ldap, 999 for entra.
	PageSize int `yaml:"page_size,omitempty"`

	// These are for ldap; see the package ldap.
	URL              URLs              `yaml:"url,omitempty"`
	StartTLS         bool              `yaml:"start_tls,omitempty"`
	ServerName       string            `yaml:"server_name,omitempty"`
	BindDN           string            `yaml:"bind_dn,omitempty"`
	BindPasswordFile string            `yaml:"bind_password_file,omitempty"`
	BaseDN           string            `yaml:"base_dn,omitempty"`
	Filter           string            `yaml:"filter,omitempty"`
	Product          string            `yaml:"product,omitempty"` // ad, openldap or entra-ds; not set: asked from the server
	Attributes       map[string]string `yaml:"attributes,omitempty"`
	Timeout          time.Duration     `yaml:"timeout,omitempty"`
	PageTimeout      time.Duration     `yaml:"page_timeout,omitempty"`

	// These are for entra; see the package entra.
	Tenant                string            `yaml:"tenant,omitempty"`
	ClientID              string            `yaml:"client_id,omitempty"`
	ClientSecretFile      string            `yaml:"client_secret_file,omitempty"`
	ClientCertificateFile string            `yaml:"client_certificate_file,omitempty"`
	Cloud                 string            `yaml:"cloud,omitempty"`           // global, usgov, usdod or china; not set: global
	NetBIOSDomains        map[string]string `yaml:"netbios_domains,omitempty"` // DNS name of a domain to its NetBIOS name
	Guests                bool              `yaml:"guests,omitempty"`
	Authority             string            `yaml:"authority,omitempty"` // for tests, as is GraphURL
	GraphURL              string            `yaml:"graph_url,omitempty"`
	AllowAnyAuthority     bool              `yaml:"allow_any_authority,omitempty"`
}

// TruncatesUPNs tells whether name@suffix that nobody holds is also looked for by its short name among this source's people:
// only where upn_as_username is N for an Active Directory. A product that is asked from the server counts as one.
func (c Config) TruncatesUPNs() bool {
	return c.Type == TypeLDAP && (c.Product == "" || c.Product == string(ldap.ProductAD)) && c.UPNAsUsername != nil && !*c.UPNAsUsername
}

// Brake says how much one synchronisation may change unasked. Its fields are those of dirsync.Brake, so that one
// converts to the other.
type Brake struct {
	Disabled int `yaml:"disabled_percent,omitempty"` // of the source's people, 5 when not set
	Renamed  int `yaml:"renamed_percent,omitempty"`  // 20 when not set
	Floor    int `yaml:"floor,omitempty"`            // people always allowed, 10 when not set
}

// Lockout keeps wrong passwords below the directory's own lockout threshold, so that nobody can lock a stranger out: after
// MaxFailures failed tries, each less than Window after the one before, the directory is not asked any more until Window has
// passed since the last. MaxFailures is one less than the directory's threshold, or lower; Window is at least as long as the
// directory's. The default, 2 in 30 minutes, is safe with a threshold of 3 and more: the strictest that is common, which is
// signin.DefaultLockout.
type Lockout struct {
	MaxFailures int           `yaml:"max_failures,omitempty"` // 2 when not set: safe with a threshold of 3
	Window      time.Duration `yaml:"window,omitempty"`       // 30 minutes when not set
}

// URLs is one URL or a list.
type URLs []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (u *URLs) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		var one string
		if err := node.Decode(&one); err != nil {
			return err
		}
		*u = URLs{one}
		return nil
	}
	var list []string
	if err := node.Decode(&list); err != nil {
		return err
	}
	*u = list
	return nil
}

// minInterval is the shortest time between two synchronisations of a source.
const minInterval = time.Minute

// WithDefaults fills in what is not set.
func (c Config) WithDefaults() Config {
	if c.Interval == 0 {
		c.Interval = time.Hour
		if c.Type == TypeCSV {
			c.Interval = 5 * time.Minute
		}
	}
	if c.Lockout.MaxFailures == 0 {
		c.Lockout.MaxFailures = 2
	}
	if c.Lockout.Window == 0 {
		c.Lockout.Window = 30 * time.Minute
	}
	return c
}

// Relative returns c with relative file names taken from folder, that of the configuration file.
func (c Config) Relative(folder string) Config {
	for _, path := range []*string{&c.Path, &c.CAFile, &c.BindPasswordFile, &c.ClientSecretFile, &c.ClientCertificateFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	return c
}

// Build makes the sources, in the order of the list, without connecting to any. An error names the source, the key and
// the remedy.
func Build(list []Config, logger *slog.Logger, now clock.Clock) ([]directory.Source, error) {
	sources := make([]directory.Source, 0, len(list))
	seen := map[string]int{}
	for i, c := range list {
		if first, twice := seen[c.ID]; twice {
			return nil, fmt.Errorf("%w: directories: entries %d and %d have the same id %q: give each its own", core.ErrInvalid, first+1, i+1, c.ID)
		}
		seen[c.ID] = i
		source, err := build(c.WithDefaults(), logger, now)
		if err != nil {
			return nil, fmt.Errorf("directories: entry %d: %w", i+1, err)
		}
		sources = append(sources, source)
	}
	return sources, nil
}

func build(c Config, logger *slog.Logger, now clock.Clock) (directory.Source, error) {
	wrong := func(key, format string, args ...any) error {
		return fmt.Errorf("%w: source %q: %s: %s", core.ErrInvalid, c.ID, key, fmt.Sprintf(format, args...))
	}
	if strings.Trim(c.ID, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || c.ID == "" || len(c.ID) > 64 {
		return nil, wrong("id", "write a short name of small letters, digits, dot, hyphen and underscore, such as corp")
	}
	rule, err := directory.ParseUsernameRule(c.Username)
	switch {
	case err != nil:
		return nil, fmt.Errorf("source %q: %w", c.ID, err)
	case c.Interval < minInterval:
		return nil, wrong("interval", "%s is too short: write %s or more", c.Interval, minInterval)
	case c.Brake.Disabled < 0 || c.Brake.Disabled > 100 || c.Brake.Renamed < 0 || c.Brake.Renamed > 100 || c.Brake.Floor < 0:
		return nil, wrong("brake", "percentages are 1 to 100 and floor is not negative")
	case c.Lockout.MaxFailures < 1 || c.Lockout.Window < time.Minute:
		return nil, wrong("lockout", "max_failures is 1 or more and window a minute or more; keep max_failures below the directory's own threshold")
	}
	if !slices.Contains([]string{TypeCSV, TypeLDAP, TypeEntra}, c.Type) {
		return nil, wrong("type", "%q: write csv, ldap or entra", c.Type)
	}
	for _, k := range c.keys() {
		if k.set && !slices.Contains(k.types, c.Type) {
			return nil, wrong(k.name, "it is for type: %s; remove it", strings.Join(k.types, " or "))
		}
	}
	switch c.Type {
	case TypeLDAP:
		return ldap.New(ldap.Config{
			ID: core.SourceID(c.ID), URLs: c.URL, StartTLS: c.StartTLS, CAFile: c.CAFile, ServerName: c.ServerName,
			BindDN: c.BindDN, BindPassword: file(c.BindPasswordFile), BaseDN: c.BaseDN, Filter: c.Filter, Product: ldap.Product(c.Product),
			Username: rule, UPNAsUsername: c.UPNAsUsername, Domain: c.Domain, Attributes: c.Attributes,
			PageSize: c.PageSize, Timeout: c.Timeout, PageTimeout: c.PageTimeout,
		}, logger, now)
	case TypeEntra:
		return entra.New(entra.Config{
			ID: core.SourceID(c.ID), Tenant: c.Tenant, ClientID: c.ClientID, ClientSecret: file(c.ClientSecretFile), ClientCertificate: file(c.ClientCertificateFile),
			Cloud: entra.Cloud(c.Cloud), Authority: c.Authority, GraphURL: c.GraphURL, AllowAnyAuthority: c.AllowAnyAuthority, CAFile: c.CAFile,
			Username: rule, Domain: c.Domain, NetBIOS: c.NetBIOSDomains, Guests: c.Guests, PageSize: c.PageSize,
		}, logger, now)
	}
	if c.Path == "" {
		return nil, wrong("path", "write the name of the CSV file")
	}
	return csvfile.New(csvfile.Config{ID: core.SourceID(c.ID), Path: c.Path, Username: rule, Domain: c.Domain}), nil
}

// file is the secret in a file, nil for none.
func file(path string) directory.Secret {
	if path == "" {
		return nil
	}
	return directory.SecretFile(path)
}

// key is a key of the configuration that not all types have.
type key struct {
	name  string
	set   bool
	types []string
}

// keys lists them. UPNAsUsername has no effect on sources but ldap and is let pass, as it may come from a migrated
// configuration.
func (c Config) keys() []key {
	csv, ldap, entra, servers := []string{TypeCSV}, []string{TypeLDAP}, []string{TypeEntra}, []string{TypeLDAP, TypeEntra}
	return []key{
		{"path", c.Path != "", csv},
		{"url", len(c.URL) > 0, ldap},
		{"start_tls", c.StartTLS, ldap},
		{"ca_file", c.CAFile != "", servers},
		{"server_name", c.ServerName != "", ldap},
		{"bind_dn", c.BindDN != "", ldap},
		{"bind_password_file", c.BindPasswordFile != "", ldap},
		{"base_dn", c.BaseDN != "", ldap},
		{"filter", c.Filter != "", ldap},
		{"product", c.Product != "", ldap},
		{"attributes", len(c.Attributes) > 0, ldap},
		{"page_size", c.PageSize != 0, servers},
		{"timeout", c.Timeout != 0, ldap},
		{"page_timeout", c.PageTimeout != 0, ldap},
		{"tenant", c.Tenant != "", entra},
		{"client_id", c.ClientID != "", entra},
		{"client_secret_file", c.ClientSecretFile != "", entra},
		{"client_certificate_file", c.ClientCertificateFile != "", entra},
		{"cloud", c.Cloud != "", entra},
		{"netbios_domains", len(c.NetBIOSDomains) > 0, entra},
		{"guests", c.Guests, entra},
		{"authority", c.Authority != "", entra},
		{"graph_url", c.GraphURL != "", entra},
		{"allow_any_authority", c.AllowAnyAuthority, entra},
	}
}
