package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// MicrosoftID is the id under which Microsoft Entra ID stands among the identity providers.
const MicrosoftID = "microsoft"

// How a person who signs in for the first time by an identity provider is tied to somebody who is here already.
const (
	MatchNone     = "none"     // not by any name: only by an immutable id that a directory gave us
	MatchUPN      = "upn"      // Microsoft: by the exact user principal name, which is the tenant's own
	MatchEmail    = "email"    // others: by the exact e-mail address, where the provider says that it is verified
	MatchUsername = "username" // others: by the exact preferred_username
)

// Policy says what becomes of somebody whom an identity provider has proven.
type Policy struct {
	// Match is how they are found the first time; see MatchNone and its neighbours.
	Match string `yaml:"match,omitempty"`
	// Create makes an account for whoever is proven and not here yet.
	Create bool `yaml:"create,omitempty"`
	// Domains are the domains behind the @ for which the provider may speak: it matches and creates nobody else's names.
	Domains []string `yaml:"domains,omitempty"`
	// Source is the directory whose people they are, where one lists them.
	Source core.SourceID `yaml:"source,omitempty"`
}

// Microsoft is the Entra ID tenant that people sign in with.
type Microsoft struct {
	Tenant      string `yaml:"tenant"`        // the tenant's id
	ClientID    string `yaml:"client_id"`     // the public client: Platen on people's computers
	APIClientID string `yaml:"api_client_id"` // the API: the audience of the tokens that clients bring, and the pages' own client
	Scope       string `yaml:"scope,omitempty"`
	Authority   string `yaml:"authority,omitempty"` // https://login.microsoftonline.com, or that of a national cloud
	// AllowAnyAuthority permits an Authority that is no cloud of Microsoft's, for tests.
	AllowAnyAuthority bool   `yaml:"allow_any_authority,omitempty"`
	CAFile            string `yaml:"ca_file,omitempty"` // what the authority's certificate is signed by; empty for the system's
	// WebClientSecretFile has the client secret of the API's registration. With it, people can sign in on pages.
	WebClientSecretFile string `yaml:"web_client_secret_file,omitempty"`
	// MFA tells whether the tenant asks for a second factor. It changes nothing over there: it says what people are offered.
	MFA bool `yaml:"mfa"`
	// Passwords lets people sign in by account and password through Entra ID (the password grant). It works without MFA only.
	Passwords bool    `yaml:"passwords,omitempty"`
	Lockout   Lockout `yaml:"lockout,omitempty"`
	Policy    `yaml:",inline"`

	WebSecret secret.String `yaml:"-"` // from the environment; see WebClientSecret
}

// Lockout keeps our failures below the tenant's own smart lockout, as configured.Lockout does for a directory.
type Lockout struct {
	MaxFailures int           `yaml:"max_failures,omitempty"` // 8 when not set: Entra ID locks after 10, for a minute
	Window      time.Duration `yaml:"window,omitempty"`       // 10 minutes when not set
}

// Provider is another OpenID Connect provider.
type Provider struct {
	ID               string   `yaml:"id"`   // names it for good: people are tied to it
	Name             string   `yaml:"name"` // as it stands on the button
	Issuer           string   `yaml:"issuer"`
	ClientID         string   `yaml:"client_id"`
	ClientSecretFile string   `yaml:"client_secret_file,omitempty"` // none for a public client
	CAFile           string   `yaml:"ca_file,omitempty"`
	Scopes           []string `yaml:"scopes,omitempty"` // beside openid; profile and email when not set
	Policy           `yaml:",inline"`

	Secret secret.String `yaml:"-"` // from the environment; see ClientSecret
}

// SourceID is the source of people and identities that an identity provider brought, when no directory keeps them.
func SourceID(provider string) core.SourceID { return core.SourceID("idp:" + provider) }

// IssuerURL is the issuer of the tenant's version 2.0 tokens.
func (m *Microsoft) IssuerURL() string { return m.AuthorityURL() + "/v2.0" }

// AuthorityURL is the authority with the tenant.
func (m *Microsoft) AuthorityURL() string {
	return strings.TrimSuffix(m.Authority, "/") + "/" + m.Tenant
}

// WebClientSecret reads the secret of the API's registration; empty when there is none.
func (m *Microsoft) WebClientSecret() (secret.String, error) {
	return readSecret("microsoft.web_client_secret_file", m.WebClientSecretFile, m.WebSecret)
}

// HasWeb tells whether people can sign in with Microsoft on pages.
func (m *Microsoft) HasWeb() bool { return m.WebClientSecretFile != "" || !m.WebSecret.Empty() }

// ClientSecret reads the client's secret; empty for a public client.
func (p *Provider) ClientSecret() (secret.String, error) {
	return readSecret("providers: "+p.ID+": client_secret_file", p.ClientSecretFile, p.Secret)
}

// readSecret takes what the environment gave, or the file's one line. It is read anew each time, so that a secret can be
// replaced while the server runs.
func readSecret(key, file string, given secret.String) (secret.String, error) {
	if !given.Empty() || file == "" {
		return given, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return secret.String{}, fmt.Errorf("%s: %w", key, err)
	}
	value := strings.TrimSpace(string(text))
	if value == "" || len(value) > 4096 || strings.ContainsAny(value, "\r\n") {
		return secret.String{}, fmt.Errorf("%s: %s must have the secret in one line and nothing else", key, file)
	}
	return secret.New(value), nil
}

var (
	guid       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)
	// authorities are Microsoft's clouds: the global one, US government, and China (21Vianet).
	authorities = []string{"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}
	sharedNames = []string{"common", "organizations", "consumers"} //nolint:misspell // Microsoft's word
)

// blockCheck notes what is wrong with a block, each with the line of its key.
type blockCheck struct {
	file *file
	node *yaml.Node // a mapping
	what string     // "microsoft" or `providers: "google"`
}

func (b blockCheck) wrong(key, format string, args ...any) {
	at := b.node
	for i := 0; i+1 < len(b.node.Content); i += 2 {
		if b.node.Content[i].Value == key {
			at = b.node.Content[i]
		}
	}
	b.file.wrong(at, "%s.%s: %s", b.what, key, fmt.Sprintf(format, args...))
}

// microsoft reads and checks the block. It returns nil when the block is not fit to be looked at.
func (f *file) microsoft(node *yaml.Node) *Microsoft {
	m := &Microsoft{MFA: true, Policy: Policy{Match: MatchUPN}}
	if !f.decode("microsoft", node, m) {
		return nil
	}
	b := blockCheck{f, node, "microsoft"}
	m.Tenant, m.ClientID, m.APIClientID = strings.ToLower(m.Tenant), strings.ToLower(m.ClientID), strings.ToLower(m.APIClientID)
	switch {
	case slices.Contains(sharedNames, m.Tenant):
		b.wrong("tenant", "%q would let people of any tenant prove who they are here; write the id of your own tenant", m.Tenant)
	case !guid.MatchString(m.Tenant):
		b.wrong("tenant", "write the tenant's id, such as 11111111-2222-3333-4444-555555555555 (Entra admin centre, Overview)")
	}
	for _, id := range [][2]string{{"client_id", m.ClientID}, {"api_client_id", m.APIClientID}} {
		if !guid.MatchString(id[1]) {
			b.wrong(id[0], "write the application (client) id of the registration; `platen-server entra setup` says how it is made")
		}
	}
	if m.ClientID == m.APIClientID && guid.MatchString(m.ClientID) {
		b.wrong("api_client_id", "it is the same as client_id; the API is a registration of its own")
	}
	if m.Scope == "" {
		m.Scope = "api://" + m.APIClientID + "/sign-in"
	}
	// Clients take no other scopes: a token for one of Microsoft's own APIs is never to be given to this server.
	if i := strings.LastIndexByte(m.Scope, '/'); !strings.HasPrefix(m.Scope, "api://") || i <= len("api://") || i == len(m.Scope)-1 || strings.ContainsAny(m.Scope, " \t") {
		b.wrong("scope", "write one scope of the API, such as api://%s/sign-in", m.APIClientID)
	}
	b.authority(m)
	b.policy(&m.Policy, MatchUPN)
	if m.Lockout.MaxFailures == 0 {
		m.Lockout.MaxFailures = 8
	}
	if m.Lockout.Window == 0 {
		m.Lockout.Window = 10 * time.Minute
	}
	if m.Lockout.MaxFailures < 1 || m.Lockout.Window < time.Minute {
		b.wrong("lockout", "max_failures is 1 or more and window a minute or more; keep max_failures below the tenant's own threshold")
	}
	m.CAFile, m.WebClientSecretFile = f.relative(m.CAFile), f.relative(m.WebClientSecretFile)
	return m
}

// ScopeName is the scope as it stands in a token: the part behind the API's name.
func (m *Microsoft) ScopeName() string { return m.Scope[strings.LastIndexByte(m.Scope, '/')+1:] }

func (b blockCheck) authority(m *Microsoft) {
	if m.Authority == "" {
		m.Authority = "https://" + authorities[0]
	}
	u, err := url.Parse(m.Authority)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		b.wrong("authority", "write https://HOST, without the tenant")
		return
	case !m.AllowAnyAuthority && !slices.Contains(authorities, strings.ToLower(u.Host)):
		b.wrong("authority", "%q is no cloud of Microsoft's (%s); for a test write allow_any_authority: yes too", u.Host, strings.Join(authorities, ", "))
	}
	m.Authority = "https://" + strings.ToLower(u.Host)
}

// policy checks what both kinds of provider have. ways are those of matching by a name.
func (b blockCheck) policy(p *Policy, ways ...string) {
	if p.Match == "" {
		p.Match = MatchNone
	}
	if ways = append(ways, MatchNone); !slices.Contains(ways, p.Match) {
		b.wrong("match", "write %s", choices(ways))
	}
	for i, d := range p.Domains {
		folded, err := auth.Canon(strings.TrimPrefix(d, "@"))
		if err != nil || strings.ContainsAny(string(folded), `@/\ `) || !strings.Contains(string(folded), ".") {
			b.wrong("domains", "%q: write domains such as example.org", d)
			continue
		}
		p.Domains[i] = string(folded)
	}
}

// providers reads and checks the list.
func (f *file) providers(node *yaml.Node) []Provider {
	if node.Kind != yaml.SequenceNode {
		f.wrong(node, "providers: write a list")
		return nil
	}
	var list []Provider
	seen := map[string]bool{MicrosoftID: true}
	for _, item := range node.Content {
		var p Provider
		if !f.decode("providers", item, &p) {
			continue
		}
		b := blockCheck{f, item, fmt.Sprintf("providers: %q", p.ID)}
		b.provider(&p)
		switch {
		case p.ID == MicrosoftID:
			b.wrong("id", "Microsoft Entra ID has a block of its own, microsoft:")
		case seen[p.ID]:
			b.wrong("id", "two providers have it: give each its own")
		}
		seen[p.ID] = true
		p.CAFile, p.ClientSecretFile = f.relative(p.CAFile), f.relative(p.ClientSecretFile)
		list = append(list, p)
	}
	return list
}

func (b blockCheck) provider(p *Provider) {
	if !providerID.MatchString(p.ID) {
		b.wrong("id", "write a short name of small letters, digits, dot, hyphen and underscore, such as google")
	}
	if p.Name == "" || len(p.Name) > 40 {
		b.wrong("name", "write what people call it, such as Google, in at most 40 bytes")
	}
	u, err := url.Parse(p.Issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		b.wrong("issuer", "write the issuer exactly as its openid-configuration has it, such as https://accounts.google.com")
	} else if slices.Contains(authorities, strings.ToLower(u.Host)) {
		first, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
		if !guid.MatchString(first) {
			b.wrong("issuer", "%q would let people of any tenant prove who they are here; write the issuer of one tenant", first)
		}
	}
	if p.ClientID == "" {
		b.wrong("client_id", "write the client id that the provider gave Platen")
	}
	if p.Scopes == nil {
		p.Scopes = []string{"profile", "email"}
	}
	b.policy(&p.Policy, MatchEmail, MatchUsername)
	if (p.Match != MatchNone || p.Create) && len(p.Domains) == 0 {
		b.wrong("domains", "match and create need the domains for which the provider may speak, or anybody's account there could be somebody here")
	}
}

// decode reads a mapping strictly: unknown keys, keys written twice and values that do not fit are mistakes with their line.
// It tells whether out may be looked at.
func (f *file) decode(what string, node *yaml.Node, out any) bool {
	if node.Kind != yaml.MappingNode {
		f.wrong(node, "%s: write KEY: VALUE lines here", what)
		return false
	}
	before := len(f.mistakes)
	f.knownKeys(what, node, fieldsOf(out))
	if len(f.mistakes) > before {
		return false
	}
	if err := node.Decode(out); err != nil {
		var wrong *yaml.TypeError
		if !errors.As(err, &wrong) {
			f.wrong(node, "%s: %v", what, err)
			return false
		}
		for _, text := range wrong.Errors {
			line, rest, ok := strings.Cut(strings.TrimPrefix(text, "line "), ": ")
			if !ok {
				line, rest = fmt.Sprint(node.Line), text
			}
			f.mistakes = append(f.mistakes, fmt.Errorf("%s:%s: %s: %s", f.name, line, what, rest))
		}
		return false
	}
	return true
}

// relative takes a relative file name from the folder of the configuration.
func (f *file) relative(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(f.name), name)
}

// secretsFromEnvironment takes client secrets from PLATEN_MICROSOFT_WEB_CLIENT_SECRET and
// PLATEN_PROVIDER_ID_CLIENT_SECRET, with the id in capitals and underscores.
func (c *Config) secretsFromEnvironment(getenv func(string) string) {
	if getenv == nil {
		return
	}
	if c.Microsoft != nil {
		c.Microsoft.WebSecret = secret.New(getenv("PLATEN_MICROSOFT_WEB_CLIENT_SECRET"))
	}
	if c.Mail != nil {
		c.Mail.Secret = secret.New(getenv("PLATEN_MAIL_PASSWORD"))
	}
	for i := range c.Providers {
		id := strings.NewReplacer("-", "_", ".", "_").Replace(c.Providers[i].ID)
		c.Providers[i].Secret = secret.New(getenv("PLATEN_PROVIDER_" + strings.ToUpper(id) + "_CLIENT_SECRET"))
	}
}

// modes are the ways of signing in.
var modes = []string{api.MethodTrust, api.MethodMicrosoft, api.MethodBrowser, api.MethodPrompt}

// checkModes fills in what is configured, best first, or checks that what is wanted is. It returns what is wrong.
func (c *Config) checkModes() error {
	can := map[string]string{ // what is missing, "" for nothing
		api.MethodTrust:     "",
		api.MethodMicrosoft: "",
		api.MethodBrowser:   "",
		api.MethodPrompt:    "",
	}
	if c.DeviceListen == "" {
		can[api.MethodTrust] = "it needs device_listen"
	}
	if c.Microsoft == nil {
		can[api.MethodMicrosoft] = "it needs the block microsoft:"
	}
	if len(c.Providers) == 0 && (c.Microsoft == nil || !c.Microsoft.HasWeb()) {
		can[api.MethodBrowser] = "it needs providers:, or web_client_secret_file in microsoft:"
	}
	if len(c.SignIn.Modes) > 0 {
		for _, m := range c.SignIn.Modes {
			if missing := can[m]; missing != "" {
				return fmt.Errorf("%s is not possible: %s", m, missing)
			}
		}
		return nil
	}
	can[api.MethodTrust] = orMissing(can[api.MethodTrust], c.Directories != nil || c.Microsoft != nil)
	can[api.MethodBrowser] = orMissing(can[api.MethodBrowser], len(c.Providers) > 0) // Microsoft has a better way
	for _, m := range modes {
		if can[m] == "" {
			c.SignIn.Modes = append(c.SignIn.Modes, m)
		}
	}
	return nil
}

// AddTrust lets enrolled computers vouch where the modes were not chosen: there are directories that the file does not know.
func (c *Config) AddTrust() {
	chosen := slices.ContainsFunc(c.settings, func(s Setting) bool { return s.Key == "sign_in.modes" && s.Value != "auto" })
	if !chosen && c.DeviceListen != "" && !slices.Contains(c.SignIn.Modes, api.MethodTrust) {
		c.SignIn.Modes = append([]string{api.MethodTrust}, c.SignIn.Modes...)
	}
}

func orMissing(missing string, have bool) string {
	if missing == "" && !have {
		return "nothing to use it for"
	}
	return missing
}

func setModes(c *Config, v string) error {
	for part := range strings.SplitSeq(v, ",") {
		switch part = strings.TrimSpace(part); {
		case part == "" || part == "auto":
		case !slices.Contains(modes, part):
			return fmt.Errorf("%q: write any of %s, best first, or auto for what is configured", part, strings.Join(modes, ", "))
		case slices.Contains(c.SignIn.Modes, part):
			return fmt.Errorf("%q stands there twice", part)
		default:
			c.SignIn.Modes = append(c.SignIn.Modes, part)
		}
	}
	return nil
}

// besideListen is the default place of another listener: on the address of `listen` unless it has its own, and on any free
// port where `listen` is.
func (s setting) besideListen(c *Config) string {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return s.fallback
	}
	ownHost, ownPort, _ := net.SplitHostPort(s.fallback)
	if ownHost == "" {
		ownHost = host
	}
	if port == "0" {
		ownPort = "0"
	}
	return net.JoinHostPort(ownHost, ownPort)
}

func listenOrOff(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = ""
		if v == "off" {
			return nil
		}
		if err := checkListen(v); err != nil {
			return fmt.Errorf("%w, or off", err)
		}
		*field(c) = v
		return nil
	}
}

func choices(list []string) string {
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
