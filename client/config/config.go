package config

import (
	"errors"
	"log/slog"
	"net/url"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/settings"
	"github.com/platenprint/platen/internal/settings/sources"
)

// AuthMode is the way people sign in.
type AuthMode string

// The sign-in modes. Auto leaves the choice to the server and to what works here; every other one restricts people to it,
// as long as it can work here at all.
const (
	AuthAuto      AuthMode = "auto"
	AuthTrust     AuthMode = "trust"     // the enrolled computer vouches for the OS account
	AuthMicrosoft AuthMode = "microsoft" // Microsoft Entra ID in the system browser
	AuthBrowser   AuthMode = "browser"   // the server's identity providers in the system browser
	AuthPrompt    AuthMode = "prompt"    // account and password
)

// DeviceRole says whose computer this is.
type DeviceRole string

// The roles of a computer.
const (
	RolePersonal DeviceRole = "personal"
	RoleShared   DeviceRole = "shared"
)

// StartView is what shows the balance after log-on.
type StartView string

// What may show the balance after log-on.
const (
	StartNotification StartView = "notification"
	StartWindow       StartView = "window"
	StartNothing      StartView = "nothing"
)

// Config is the settings of one start of the client. The zero value is not useful; Load makes it. It is not changed
// afterwards and may be shared.
type Config struct {
	ServerURL          *url.URL      // https, host and port only; nil when not set or broken
	CAFile             string        // absolute path; empty: not set
	CAPin              string        // one or more sha256/... separated by commas; empty: not set
	UPNSuffix          string        // as written; empty: the server's
	UPNRules           usermap.Rules // what UPNSuffix means
	AuthMode           AuthMode
	MicrosoftAuthority *url.URL // https, host and port only; nil: Microsoft's own clouds alone
	AutoStart          bool
	Enrol              bool // the service asks by itself to make this computer a device
	DeviceRole         DeviceRole
	SharedOSUsers      []string // OS account names that several people use
	HideBalance        bool
	LowBalance         string // decimal with a dot; empty: the server's
	ShowBalanceAtStart StartView
	TopUpURL           *url.URL // nil: the server's
	Language           string   // "en", "de", "fr", "es"; empty: as the system says
	Proxy              string   // empty: found by itself; "direct"; or http://HOST:PORT
	LogLevel           slog.Level

	values sources.Values
}

// Values lists every setting in the order of the table, broken ones too.
func (c Config) Values() []Value { return append([]Value(nil), c.values...) }

// Origin tells where the setting of that name comes from.
func (c Config) Origin(name string) Origin {
	return c.values.Get(name).Origin
}

// Broken joins a BrokenError for every broken setting; nil when all is well. It is the error Load returned.
func (c Config) Broken() error {
	var broken []error
	for _, v := range c.values {
		if s, _ := settings.Lookup(v.Name); v.Problem != "" && s.Critical {
			broken = append(broken, &BrokenError{Name: v.Name, Value: v.Text, Origin: v.Origin, Reason: v.Problem})
		}
	}
	return errors.Join(broken...)
}

// Settings lists every setting with its origin, as the settings page and "platen config" show them.
func (c Config) Settings() []status.Setting {
	list := make([]status.Setting, len(c.values))
	for i, v := range c.values {
		list[i] = status.Setting{Name: v.Name, Value: v.Text, Origin: v.Origin.String()}
		if v.Problem != "" {
			list[i].Origin += ", not used: " + v.Problem
		}
	}
	return list
}
