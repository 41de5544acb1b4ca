// Package config reads the server's configuration: flags before environment before the YAML file before the defaults.
// There is one table of settings (settings.go); every value knows where it came from, and an unknown key, a key written
// twice or a value that does not fit is refused with its file and line.
package config

import (
	"log/slog"
	"net/netip"
	"net/url"

	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
)

// Config is the whole configuration, checked.
type Config struct {
	Listen       string // host:port of the HTTPS listener
	AdminListen  string // of the administrators' pages, "" when they are off
	DeviceListen string // of enrolled computers and devices, "" when it is off
	PublicURL    *url.URL
	Organisation string
	Currency     core.Currency
	UPNSuffix    usermap.Rules
	LowBalance   string // decimal, "" for none
	TopUpURL     string
	PortalURL    string
	HelpText     string
	Database     secret.String // postgres://..., empty for SQLite in the data folder
	TLSCert      string        // PEM files, both or none
	TLSKey       string

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	MetricsFrom    []netip.Prefix // who may read /metrics

	SignIn SignIn

	// Directories is the list as written, for the directory rooms to read; nil when there is none.
	Directories *yaml.Node
	// DeviceGroups is the list as written, for the devices' rooms to read; nil when there is none.
	DeviceGroups *yaml.Node
	File         string // the file they stand in, "" without one

	Microsoft *Microsoft // nil when nobody signs in with Microsoft
	Providers []Provider // the other identity providers, the usual one first

	PrintProviders names.Providers // print servers with suffixes of their own

	AccessCodes AccessCodes
	Cards       Cards
	Mail        *Mail // nil when no mail is sent

	Retention Retention
	Compat    Compat

	LogLevel slog.Level

	settings []Setting
	blocks   map[string]*yaml.Node
}

// SignIn says what a sign-in does beside checking the password.
type SignIn struct {
	Link          string   // what becomes of the computer's short name: auto, review or off
	SharedOSUsers []string // OS accounts that many people use: they are never linked to anybody
	Modes         []string // the ways of signing in (api.Method...), best first; never empty
}

// Setting is one value with its origin, as `config show` prints it. A secret's value is "***".
type Setting struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // "default", "flag --listen", "PLATEN_LISTEN", "/etc/platen/server.yaml:3"
	Doc    string `json:"doc"`
}

// Settings lists every setting in the table's order.
func (c *Config) Settings() []Setting { return c.settings }
