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
//	  - id: school
//	    type: google
//	    subject: platen-reader@example.org
//	    service_account_file: /etc/platen/school-key.json
//	  - id: hr
//	    type: csv
//	    path: /srv/export/people.csv
//
// Directories that were added from the command line are such entries too (Encode, Decode), with their secrets apart.
package configured

import (
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/ldap"
)

// Types of sources.
const (
	TypeCSV    = "csv"
	TypeLDAP   = "ldap"
	TypeEntra  = "entra"
	TypeGoogle = "google"
	TypeSCIM   = "scim" // it sends its changes by itself
)

// types are those that an administrator may write, as messages list them.
var types = []string{TypeCSV, TypeLDAP, TypeEntra, TypeGoogle, TypeSCIM}

// Config is one entry of the list.
type Config struct {
	// ID names the source: small letters, digits, dot, hyphen and underscore. People belong to it, so it stays the same
	// when the directory moves to another server.
	ID   string `yaml:"id"`
	Type string `yaml:"type"` // csv, ldap, entra, google or scim

	// Username chooses the username: upn, sam, nickname or mail; auto (the default) takes the first of these there is.
	Username string `yaml:"username,omitempty"`
	// UPNAsUsername is the compatible setting user-source.ad.upn-as-username: for Active Directory Y takes the UPN and N
	// the sAMAccountName; elsewhere it has no effect. Not set: Username decides. See also TruncatesUPNs.
	UPNAsUsername *bool `yaml:"upn_as_username,omitempty"`
	// Domain is the NetBIOS domain of the short names, where the directory does not tell it.
	Domain string `yaml:"domain,omitempty"`
	// UPNSuffixes are the suffixes that belong to this source; short names are completed by, and names truncated at, no
	// other ones.
	UPNSuffixes List `yaml:"upn_suffixes,omitempty"`

	// Interval is the time between synchronisations: 5 minutes for csv, 10 for google, an hour for others, a minute at least.
	Interval time.Duration `yaml:"interval,omitempty"`
	// Manual: it is read only when an administrator says so.
	Manual  bool    `yaml:"manual,omitempty"`
	Scope   Scope   `yaml:"scope,omitempty"`
	Brake   Brake   `yaml:"brake,omitempty"`
	Lockout Lockout `yaml:"lockout,omitempty"`
	// AutoCreate and AutoUpdate: no refuses new people, or changes, of a directory that sends by itself; yes when not set.
	AutoCreate *bool `yaml:"auto_create,omitempty"`
	AutoUpdate *bool `yaml:"auto_update,omitempty"`
	// AutoDelete: no keeps people whom the directory does not list any more as they are; yes when not set.
	AutoDelete *bool `yaml:"auto_delete,omitempty"`
	// Replaces is the id of the source that this one takes over from: whoever both list under one e-mail address or UPN is
	// one person, who keeps the username.
	Replaces string `yaml:"replaces,omitempty"`
	// Notify is the address that hears of runs that fail; not set: the mail block's admins.
	Notify string `yaml:"notify,omitempty"`

	// Path is the file of a csv source.
	Path string `yaml:"path,omitempty"`

	// CAFile has what the directory's certificate is signed by, PEM; not set: the system's authorities. For ldap, entra and google.
	CAFile string `yaml:"ca_file,omitempty"`
	// PageSize is how many people are asked for at a time: 1000 for ldap, 999 for entra, 500 for google.
	PageSize int `yaml:"page_size,omitempty"`

	// These are for ldap; see the package ldap.
	URL              List            `yaml:"url,omitempty"`
	StartTLS         bool            `yaml:"start_tls,omitempty"`
	ServerName       string          `yaml:"server_name,omitempty"`
	BindDN           string          `yaml:"bind_dn,omitempty"`
	BindPasswordFile string          `yaml:"bind_password_file,omitempty"`
	BaseDN           string          `yaml:"base_dn,omitempty"`
	Filter           string          `yaml:"filter,omitempty"`
	Product          string          `yaml:"product,omitempty"`    // ad, openldap or entra-ds; not set: asked from the server
	Attributes       map[string]List `yaml:"attributes,omitempty"` // what the directory calls upn, sam, card, code, pin and so on
	GroupBaseDN      string          `yaml:"group_base_dn,omitempty"`
	GroupFilter      string          `yaml:"group_filter,omitempty"`
	Incremental      string          `yaml:"incremental,omitempty"` // auto, dirsync, usn or off: how to learn what changed
	Timeout          time.Duration   `yaml:"timeout,omitempty"`
	PageTimeout      time.Duration   `yaml:"page_timeout,omitempty"`

	// These are for entra; see the package entra.
	Tenant                string            `yaml:"tenant,omitempty"`
	ClientID              string            `yaml:"client_id,omitempty"`
	ClientSecretFile      string            `yaml:"client_secret_file,omitempty"`
	ClientCertificateFile string            `yaml:"client_certificate_file,omitempty"`
	Cloud                 string            `yaml:"cloud,omitempty"`           // global, usgov, usdod or china; not set: global
	NetBIOSDomains        map[string]string `yaml:"netbios_domains,omitempty"` // DNS name of a domain to its NetBIOS name
	Guests                bool              `yaml:"guests,omitempty"`
	// Cards, AccessCode and PIN are the attributes with these: employeeId, extensionAttribute1 to 15 and what else the package
	// entra lists. Not set: the directory says nothing about them.
	Cards      List   `yaml:"cards,omitempty"`
	AccessCode string `yaml:"access_code,omitempty"`
	PIN        string `yaml:"pin,omitempty"`
	// UpdateCardID is the compatible setting user-source.update-user-details-card-id: Y takes employeeId for the primary card.
	// Elsewhere than for entra it has no effect.
	UpdateCardID *bool `yaml:"update_user_details_card_id,omitempty"`
	// ReadGroups: no leaves groups out, so that no permission to read them is needed; yes when not set.
	ReadGroups *bool `yaml:"read_groups,omitempty"`
	// ClientSecretExpires is the day on which the client secret ends, for warnings, such as 2027-01-31. It is needed where the
	// application may not read that itself.
	ClientSecretExpires string `yaml:"client_secret_expires,omitempty"`
	Authority           string `yaml:"authority,omitempty"` // for tests, as is GraphURL
	GraphURL            string `yaml:"graph_url,omitempty"`
	AllowAnyAuthority   bool   `yaml:"allow_any_authority,omitempty"` // also for google

	// These are for google; see the package google.
	Customer           string `yaml:"customer,omitempty"` // not set: my_customer, the subject's own
	ServiceAccountFile string `yaml:"service_account_file,omitempty"`
	Subject            string `yaml:"subject,omitempty"`     // the administrator whom the service account acts for
	OrgUnits           List   `yaml:"org_units,omitempty"`   // not set: all users
	CardFields         List   `yaml:"card_fields,omitempty"` // not set: PaperCut.cardNumber; none: no cards
	CodeField          string `yaml:"code_field,omitempty"`  // not set: PaperCut.accessCode; none: no codes
	WatchURL           string `yaml:"watch_url,omitempty"`   // the https address under which Google reaches this server
	APIURL             string `yaml:"api_url,omitempty"`     // for tests
}

// TruncatesUPNs tells whether name@suffix that nobody holds is also looked for by its short name among this source's people:
// only where upn_as_username is N for an Active Directory. A product that is asked from the server counts as one.
func (c Config) TruncatesUPNs() bool {
	return c.Type == TypeLDAP && (c.Product == "" || c.Product == string(ldap.ProductAD)) && c.UPNAsUsername != nil && !*c.UPNAsUsername
}

// HasCards tells whether the settings say where card numbers are, as far as the type leaves that open.
func (c Config) HasCards() bool {
	switch c.Type {
	case TypeLDAP:
		return len(c.Attributes["card"]) > 0
	case TypeEntra:
		return len(c.Cards) > 0 || c.UpdateCardID != nil && *c.UpdateCardID
	}
	return true
}

// UsernameRule is the rule as users' migrations want it: what the settings come to.
func (c Config) UsernameRule() string {
	switch {
	case c.Username != "":
		return c.Username
	case c.Type == TypeLDAP && c.Product == string(ldap.ProductEntraDS):
		return string(directory.UsernameSAM)
	case c.Type == TypeLDAP && c.Product != string(ldap.ProductOpenLDAP) && c.UPNAsUsername != nil:
		if *c.UPNAsUsername {
			return string(directory.UsernameUPN)
		}
		return string(directory.UsernameSAM)
	case c.Type == TypeEntra:
		return string(directory.UsernameUPN)
	}
	return "auto"
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

// Scope says who of the directory's people is wanted. The zero value is everybody.
type Scope struct {
	// Groups are groups by name, immutable id or SID: whoever is in none of them counts as not listed.
	Groups List `yaml:"groups,omitempty"`
	// Direct: only direct members count, not those of groups within the groups.
	Direct bool `yaml:"direct,omitempty"`
}

// List is one text or a list of them.
type List []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (u *List) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		var one string
		if err := node.Decode(&one); err != nil {
			return err
		}
		*u = List{one}
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
	if c.Interval == 0 && c.Type != TypeSCIM {
		c.Interval = time.Hour
		switch c.Type {
		case TypeCSV:
			c.Interval = 5 * time.Minute
		case TypeGoogle:
			c.Interval = 10 * time.Minute
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
	for _, path := range []*string{&c.Path, &c.CAFile, &c.BindPasswordFile, &c.ClientSecretFile, &c.ClientCertificateFile, &c.ServiceAccountFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	return c
}
