package entra

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/egress"
)

// Cloud is one of Microsoft's clouds.
type Cloud string

// The clouds.
const (
	CloudGlobal Cloud = "" // also "global"
	CloudUSGov  Cloud = "usgov"
	CloudUSDoD  Cloud = "usdod"
	CloudChina  Cloud = "china"
)

// endpoints are where tokens and people come from in a cloud.
// Source: learn.microsoft.com, "National cloud deployments" of Microsoft Graph.
func (c Cloud) endpoints() (authority, graph string, ok bool) {
	switch c {
	case CloudGlobal, "global":
		return "https://login.microsoftonline.com", "https://graph.microsoft.com", true
	case CloudUSGov:
		return "https://login.microsoftonline.us", "https://graph.microsoft.us", true
	case CloudUSDoD:
		return "https://login.microsoftonline.us", "https://dod-graph.microsoft.us", true
	case CloudChina:
		return "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn", true
	}
	return "", "", false
}

// Config says which tenant is read and how. The comments of directory/configured explain each key to administrators.
type Config struct {
	ID       core.SourceID
	Tenant   string // its id, a GUID
	ClientID string // the application's id, a GUID
	// ClientSecret gives the secret, ClientCertificate certificate and key in PEM form. One of them is set. They are asked for
	// anew for each reading of the tenant.
	ClientSecret      directory.Secret
	ClientCertificate directory.Secret
	Cloud             Cloud

	// Authority and GraphURL are other addresses than the cloud's, https://HOST[:PORT]; only with AllowAnyAuthority, for tests.
	Authority         string
	GraphURL          string
	AllowAnyAuthority bool
	CAFile            string // what their certificates are signed by, PEM; empty: the system's authorities

	Username directory.UsernameRule
	Domain   string // the NetBIOS domain of all short names
	// NetBIOS are the NetBIOS names of Active Directory's domains by their DNS names, where there is more than one.
	NetBIOS map[string]string
	Guests  bool // people of other tenants who were invited
	// NoGroups leaves groups out, so that the application needs no permission to read them.
	NoGroups bool

	// Cards are the attributes with card numbers: the primary one, the secondary one and so on. AccessCode and PIN are the attributes
	// with these. See canonical for what is possible. Where one is not set, this source says nothing about such numbers.
	Cards      []string
	AccessCode string
	PIN        string
	// EmployeeIDAsCard is the compatible setting user-source.update-user-details-card-id: Y puts employeeId in front of Cards.
	EmployeeIDAsCard bool
	// ClientSecretExpires is when the client secret ends, for applications that may not read that themselves.
	ClientSecretExpires time.Time

	PageSize int // people asked for at a time, 1 to 999; 0: 999
}

// Source is an Entra ID tenant. It implements directory.Source, directory.Looker and directory.Expiring. Safe for concurrent use.
type Source struct {
	cfg       Config
	logger    *slog.Logger
	now       clock.Clock
	client    *client
	authority string
	graph     *url.URL
	scope     string
	domains   map[string]string // DNS name in lower case -> NetBIOS name

	cards        []string // attributes, as Graph spells them
	code, pin    string
	credentials  []core.CredentialKind
	selected     string // the properties that are asked for
	fingerprints fingerprints

	wait func(ctx context.Context, d time.Duration) error // replaced in tests
}

// maxPageSize is what Graph gives at most; 1000 is an error there.
const maxPageSize = 999

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// New checks the configuration, without connecting. An error names the key and the remedy.
func New(cfg Config, logger *slog.Logger, now clock.Clock) (*Source, error) {
	s := &Source{cfg: cfg, logger: logger.With("source", string(cfg.ID)), now: now, domains: map[string]string{}, wait: egress.Wait}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.cfg.Tenant, s.cfg.ClientID = strings.ToLower(cfg.Tenant), strings.ToLower(cfg.ClientID)
	if s.cfg.PageSize == 0 {
		s.cfg.PageSize = maxPageSize
	}
	for dns, name := range cfg.NetBIOS {
		s.domains[strings.ToLower(dns)] = name
	}
	s.fingerprints = s.newFingerprints()
	var err error
	if s.client, err = newClient(s.authority, s.graph.String(), cfg.CAFile); err != nil {
		return nil, s.errorf("%w: ca_file: %w", core.ErrInvalid, err)
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
	authority, graph, ok := cfg.Cloud.endpoints()
	switch {
	case !guid.MatchString(cfg.Tenant):
		return wrong("tenant", "write the tenant's id (Directory ID), such as 11111111-2222-3333-4444-555555555555")
	case !guid.MatchString(cfg.ClientID):
		return wrong("client_id", "write the application's id (Application ID) of the app registration that reads the people")
	case (cfg.ClientSecret == nil) == (cfg.ClientCertificate == nil):
		return wrong("client_secret_file", "set client_secret_file or client_certificate_file, and not both")
	case !ok:
		return wrong("cloud", "%q: write global, usgov, usdod or china, or leave it out", cfg.Cloud)
	case (cfg.Authority != "" || cfg.GraphURL != "") && !cfg.AllowAnyAuthority:
		return wrong("authority", "authority and graph_url are for tests: remove them and choose cloud, or write allow_any_authority: yes too")
	case cfg.PageSize < 0 || cfg.PageSize > maxPageSize:
		return wrong("page_size", "%d: write 1 to %d", cfg.PageSize, maxPageSize)
	}
	for dns, name := range cfg.NetBIOS {
		if dns == "" || name == "" || strings.ContainsAny(name, `\/@ .`) {
			return wrong("netbios_domains", "%q: %q: write the domain's DNS name and its NetBIOS name, such as corp.example.org: CORP", dns, name)
		}
	}
	if err := s.chooseAttributes(); err != nil {
		return wrong("cards, access_code, pin", "%v", err)
	}
	s.scope = graph + "/.default"
	s.authority = authority
	if cfg.Authority != "" {
		u, err := origin(cfg.Authority)
		if err != nil {
			return wrong("authority", "%v", err)
		}
		s.authority = u.String()
	}
	if cfg.GraphURL != "" {
		graph = cfg.GraphURL
	}
	u, err := origin(graph)
	if err != nil {
		return wrong("graph_url", "%v", err)
	}
	s.graph = u
	return nil
}

// chooseAttributes reads which attributes have cards, codes and PINs, and so which properties are asked for.
func (s *Source) chooseAttributes() error {
	names := s.cfg.Cards
	if s.cfg.EmployeeIDAsCard {
		names = append([]string{employeeID}, names...)
	}
	for _, name := range names {
		attribute, err := canonical(name)
		if err != nil {
			return err
		}
		if !slices.Contains(s.cards, attribute) {
			s.cards = append(s.cards, attribute)
		}
	}
	one := func(name string, kind core.CredentialKind, attribute *string) (err error) {
		if name != "" {
			*attribute, err = canonical(name)
			s.credentials = append(s.credentials, kind)
		}
		return err
	}
	if len(s.cards) > 0 {
		s.credentials = append(s.credentials, core.CredentialCard)
	}
	if err := one(s.cfg.AccessCode, core.CredentialCode, &s.code); err != nil {
		return err
	}
	if err := one(s.cfg.PIN, core.CredentialPIN, &s.pin); err != nil {
		return err
	}
	selected := strings.Split(properties, ",")
	for _, attribute := range append(slices.Clone(s.cards), s.code, s.pin) {
		if p := property(attribute); p != "" && !slices.Contains(selected, p) {
			selected = append(selected, p)
		}
	}
	s.selected = strings.Join(selected, ",")
	return nil
}

// origin reads https://HOST[:PORT].
func origin(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(strings.ToLower(text), "/"))
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q: write https://HOST", text)
	}
	return u, nil
}

func (s *Source) errorf(format string, args ...any) error {
	return fmt.Errorf("entra directory %q: %w", s.cfg.ID, fmt.Errorf(format, args...))
}
