package entra

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is a tenant: who is in it, which apps it knows, and what it lets them do.
type Config struct {
	Tenant  string   `yaml:"tenant"`  // the tenant's id, a GUID
	Name    string   `yaml:"name"`    // as the pages show it
	Domains []string `yaml:"domains"` // verified domains; the first one is the usual one
	Apps    []App    `yaml:"apps"`
	Users   []User   `yaml:"users"`

	AccessTokenLife  Duration `yaml:"access_token_life"`  // 1h if zero
	RefreshTokenLife Duration `yaml:"refresh_token_life"` // of inactivity; 90 days if zero
	SignInFrequency  Duration `yaml:"sign_in_frequency"`  // a policy: refresh tokens end this long after sign-in; never if zero
	LockoutThreshold int      `yaml:"lockout_threshold"`  // wrong passwords in a row; 10 if zero, as smart lockout
}

// App is an app registration with its service principal.
type App struct {
	ID              string   `yaml:"id"` // the application (client) id, a GUID
	Name            string   `yaml:"name"`
	RedirectURIs    []string `yaml:"redirect_uris"`     // of the platform "mobile and desktop applications"
	WebRedirectURIs []string `yaml:"web_redirect_uris"` // of the platform "web": codes sent there need the secret
	Secret          string   `yaml:"secret"`            // a client secret; none makes it a public client only
	PublicFlows     bool     `yaml:"allow_public_client_flows"`
	IdentifierURI   string   `yaml:"identifier_uri"` // api://ID if it is empty and there are Scopes
	Scopes          []string `yaml:"scopes"`         // what it exposes, such as "sign-in"
	Roles           []string `yaml:"app_roles"`      // that app-only tokens for it carry
	// AccessTokenVersion is requestedAccessTokenVersion (api.requestedAccessTokenVersion in the manifest) of tokens FOR
	// this app: 2, or 1 and 0 (null), which both mean v1.0.
	AccessTokenVersion int      `yaml:"requested_access_token_version"`
	OptionalClaims     []string `yaml:"optional_claims"`     // email, upn, amr, auth_time, sid, login_hint, onprem_sid ... in tokens FOR this app
	AssignmentRequired bool     `yaml:"assignment_required"` // only users with it in their Apps may sign in
	// Consent is what is there already for the scopes it asks for: "granted" (the default, by pre-authorisation or an
	// administrator), "user" (each person is asked) or "admin" (an administrator has to, and has not).
	Consent    string `yaml:"consent"`
	ForceError int    `yaml:"force_error"` // an AADSTS number that each sign-in to it ends with
}

// User is a person with an account in the tenant.
type User struct {
	UPN      string   `yaml:"upn"`
	OID      string   `yaml:"oid"` // made of the UPN if empty
	Name     string   `yaml:"name"`
	Email    string   `yaml:"email"`
	SID      string   `yaml:"onprem_sid"`
	Password string   `yaml:"password"`
	MFA      string   `yaml:"mfa"`  // "off" (the default), "required" or "unregistered"
	Code     string   `yaml:"code"` // the six digits that the MFA page takes; 123456 if empty
	Apps     []string `yaml:"apps"` // ids of the apps with AssignmentRequired that the person is assigned to

	Disabled          bool `yaml:"disabled"`           // 50057
	Locked            bool `yaml:"locked"`             // 50053
	NoPassword        bool `yaml:"no_password"`        // 50056
	PasswordExpired   bool `yaml:"password_expired"`   // 50055
	MustChange        bool `yaml:"must_change"`        // 50055 for programs, a page for people
	Federated         bool `yaml:"federated"`          // the user realm says so
	OtherTenant       bool `yaml:"other_tenant"`       // 50020
	ConsentMissing    bool `yaml:"consent_missing"`    // 65001
	Blocked           bool `yaml:"blocked"`            // 53003, conditional access
	DeviceCompliance  bool `yaml:"device_compliance"`  // 53000
	DeviceJoin        bool `yaml:"device_join"`        // 53001
	DeviceAuth        bool `yaml:"device_auth"`        // 50097
	ExternalChallenge bool `yaml:"external_challenge"` // 50158
	RiskyEnrolment    bool `yaml:"risky_enrolment"`    // 53004, with mfa: unregistered
	ForceError        int  `yaml:"force_error"`        // an AADSTS number that each sign-in ends with
}

// The values of User.MFA and App.Consent.
const (
	MFAOff          = "off"
	MFARequired     = "required"
	MFAUnregistered = "unregistered"

	ConsentGranted = "granted"
	ConsentUser    = "user"
	ConsentAdmin   = "admin"
)

// Duration is a time.Duration written as in Go, such as "1h30m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// LoadConfig reads a tenant from a YAML file. A key that it does not know is an error.
func LoadConfig(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the emulated tenant: %w", err)
	}
	c, err := ParseConfig(raw)
	if err != nil {
		return Config{}, fmt.Errorf("read the emulated tenant from %s: %w", path, err)
	}
	return c, nil
}

// ParseConfig reads a tenant from YAML and completes it.
func ParseConfig(raw []byte) (Config, error) {
	var c Config
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, err
	}
	return c, c.complete()
}

// complete fills in what may be left out, and says what is wrong with the rest.
func (c *Config) complete() error {
	if !isGUID(c.Tenant) {
		return fmt.Errorf("tenant: %q is no GUID", c.Tenant)
	}
	c.Tenant = strings.ToLower(c.Tenant)
	if c.Name == "" {
		c.Name = "Emulated tenant"
	}
	setDefault(&c.AccessTokenLife, Duration(time.Hour))
	setDefault(&c.RefreshTokenLife, Duration(90*24*time.Hour))
	setDefault(&c.LockoutThreshold, 10)
	c.Apps, c.Users = slices.Clone(c.Apps), slices.Clone(c.Users)
	for i := range c.Apps {
		if err := c.Apps[i].complete(); err != nil {
			return fmt.Errorf("apps[%d]: %w", i, err)
		}
	}
	for i := range c.Users {
		if err := c.Users[i].complete(); err != nil {
			return fmt.Errorf("users[%d]: %w", i, err)
		}
	}
	return nil
}

func (a *App) complete() error {
	if !isGUID(a.ID) {
		return fmt.Errorf("id: %q is no GUID", a.ID)
	}
	a.ID = strings.ToLower(a.ID)
	setDefault(&a.Name, a.ID)
	setDefault(&a.Consent, ConsentGranted)
	if len(a.Scopes) > 0 {
		setDefault(&a.IdentifierURI, "api://"+a.ID)
	}
	if !slices.Contains([]string{ConsentGranted, ConsentUser, ConsentAdmin}, a.Consent) {
		return fmt.Errorf("consent: %q is not granted, user or admin", a.Consent)
	}
	if a.AccessTokenVersion < 0 || a.AccessTokenVersion > 2 {
		return fmt.Errorf("requested_access_token_version: %d is not 0, 1 or 2", a.AccessTokenVersion)
	}
	return nil
}

func (u *User) complete() error {
	if !strings.Contains(u.UPN, "@") {
		return fmt.Errorf("upn: %q has no @", u.UPN)
	}
	setDefault(&u.OID, guidOf("user "+strings.ToLower(u.UPN)))
	setDefault(&u.Name, u.UPN)
	setDefault(&u.MFA, MFAOff)
	setDefault(&u.Code, "123456")
	if !isGUID(u.OID) {
		return fmt.Errorf("oid: %q is no GUID", u.OID)
	}
	if !slices.Contains([]string{MFAOff, MFARequired, MFAUnregistered}, u.MFA) {
		return fmt.Errorf("mfa: %q is not off, required or unregistered", u.MFA)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) app(id string) (App, bool) {
	for _, a := range c.Apps {
		if strings.EqualFold(a.ID, id) {
			return a, true
		}
	}
	return App{}, false
}

func (c *Config) user(upn string) (User, bool) {
	for _, u := range c.Users {
		if strings.EqualFold(u.UPN, strings.TrimSpace(upn)) {
			return u, true
		}
	}
	return User{}, false
}

// ours tells whether the path segment names this tenant.
func (c *Config) ours(segment string) bool {
	return strings.EqualFold(segment, c.Tenant) || anyTenant(segment) || c.hasDomain(segment)
}

// anyTenant tells whether the path segment leaves it to the account which tenant it is.
func anyTenant(segment string) bool {
	return segment == "common" || segment == "organizations" //nolint:misspell // Entra's spelling
}

func (c *Config) hasDomain(domain string) bool {
	return slices.ContainsFunc(c.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

func isGUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range text {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (r == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

// guidOf makes the same GUID of the same text.
func guidOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return formatGUID(sum[:16])
}

func formatGUID(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
