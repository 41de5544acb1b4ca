package config

import (
	"log/slog"
	"strings"
	"unicode"
)

// Setting is one line of the table: all there is to know about a setting but its value.
type Setting struct {
	Name     string // key in files, value name in the registry, key in a macOS profile; case does not matter in files
	Kind     string // what kind of value, in a word or two, for the documentation
	Default  string
	Critical bool   // decides whom the client trusts: a bad value breaks the setting
	Doc      string // one line

	// read checks a text and puts its meaning into the Config. The error's text is the end of a sentence for people.
	read func(c *Config, text string) error
}

// Flag is the setting's command line flag without the dashes: "server-url".
func (s Setting) Flag() string { return strings.ToLower(strings.Join(words(s.Name), "-")) }

// Env is the setting's environment variable: "PLATEN_SERVER_URL".
func (s Setting) Env() string { return "PLATEN_" + strings.ToUpper(strings.Join(words(s.Name), "_")) }

// words cuts a name such as "SharedOSUsers" into Shared, OS, Users.
func words(name string) []string {
	var list []string
	runes := []rune(name)
	start := 0
	for i := 1; i < len(runes); i++ {
		lowBefore := unicode.IsLower(runes[i-1])
		lowAfter := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(runes[i]) && (lowBefore || lowAfter) {
			list = append(list, string(runes[start:i]))
			start = i
		}
	}
	return append(list, string(runes[start:]))
}

// Table lists every setting, in the order in which they are shown.
func Table() []Setting {
	return []Setting{
		{
			Name: "ServerURL", Kind: "https address", Critical: true,
			Doc:  "The print server, such as https://print.example.org:8443. Always https, host and port only.",
			read: func(c *Config, text string) error { return readURL(&c.ServerURL, text, originOnly) },
		},
		{
			Name: "CAFile", Kind: "file path", Critical: true,
			Doc:  "PEM file with the certificate authority of the server. It replaces the system's store for Platen.",
			read: func(c *Config, text string) error { return readPath(&c.CAFile, text) },
		},
		{
			Name: "CAPin", Kind: "pin", Critical: true,
			Doc:  "Pin of the server's certificate authority, sha256/BASE64, as the server prints it; several separated by commas.",
			read: func(c *Config, text string) error { return readPins(&c.CAPin, text) },
		},
		{
			Name: "UPNSuffix", Kind: "suffix rules",
			Doc:  "What makes an account name of a short name: example.org, or rules such as CORP=example.org;10.1.0.0/16=lab.example.org. Not set: the server's.",
			read: readRules,
		},
		{
			Name: "AuthMode", Kind: "choice", Default: string(AuthAuto), Critical: true,
			Doc: "How people sign in: auto (as the server and the computer's group say), or only by trust, microsoft, browser or prompt.",
			read: func(c *Config, text string) error {
				return readChoice(&c.AuthMode, text, AuthAuto, AuthTrust, AuthMicrosoft, AuthBrowser, AuthPrompt)
			},
		},
		{
			Name: "MicrosoftAuthority", Kind: "https address", // not critical: without it the client trusts fewer, not others
			Doc:  "One more place, beside Microsoft's own clouds, where the server may send people to sign in with Microsoft; host and port only.",
			read: func(c *Config, text string) error { return readURL(&c.MicrosoftAuthority, text, originOnly) },
		},
		{
			Name: "AutoStart", Kind: "yes or no", Default: "yes",
			Doc:  "Whether the client starts when somebody logs on.",
			read: func(c *Config, text string) error { return readBool(&c.AutoStart, text) },
		},
		{
			Name: "DeviceRole", Kind: "choice", Default: string(RolePersonal),
			Doc:  "personal, or shared: a computer many people use, which keeps nothing of them.",
			read: func(c *Config, text string) error { return readChoice(&c.DeviceRole, text, RolePersonal, RoleShared) },
		},
		{
			Name: "SharedOSUsers", Kind: "list",
			Doc:  "Accounts of the operating system that several people use, separated by commas: the client asks who is printing.",
			read: func(c *Config, text string) error { return readList(&c.SharedOSUsers, text) },
		},
		{
			Name: "HideBalance", Kind: "yes or no", Default: "no",
			Doc:  "Show no amount anywhere.",
			read: func(c *Config, text string) error { return readBool(&c.HideBalance, text) },
		},
		{
			Name: "LowBalance", Kind: "amount",
			Doc:  "Below this amount the balance counts as low, such as 2.00. Not set: the server's.",
			read: func(c *Config, text string) error { return readAmount(&c.LowBalance, text) },
		},
		{
			Name: "ShowBalanceAtStart", Kind: "choice", Default: string(StartNotification),
			Doc: "What shows the balance after log-on: notification, window or nothing.",
			read: func(c *Config, text string) error {
				return readChoice(&c.ShowBalanceAtStart, text, StartNotification, StartWindow, StartNothing)
			},
		},
		{
			Name: "TopUpURL", Kind: "https address",
			Doc:  "Where people buy credit. Not set: the server's.",
			read: func(c *Config, text string) error { return readURL(&c.TopUpURL, text, anyPath) },
		},
		{
			Name: "Language", Kind: "choice",
			Doc:  "en, de, fr or es. Not set: as the system says.",
			read: func(c *Config, text string) error { return readChoice(&c.Language, text, "en", "de", "fr", "es") },
		},
		{
			Name: "Proxy", Kind: "http address or direct",
			Doc:  "http://HOST:PORT, or direct for none. Not set: the environment's, then the system's. Never holds a password.",
			read: func(c *Config, text string) error { return readProxy(&c.Proxy, text) },
		},
		{
			Name: "LogLevel", Kind: "choice", Default: "info",
			Doc: "How much the log says: error, warn, info or debug.",
			read: func(c *Config, text string) error {
				var name string
				if err := readChoice(&name, text, "error", "warn", "info", "debug"); err != nil {
					return err
				}
				return (*slog.Level)(&c.LogLevel).UnmarshalText([]byte(name))
			},
		},
	}
}

// Lookup finds a setting by its name, whatever the case.
func Lookup(name string) (Setting, bool) {
	for _, s := range Table() {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return Setting{}, false
}

// urlShape says what an address may have beside scheme and host.
type urlShape int

const (
	originOnly urlShape = iota // nothing but a port
	anyPath                    // path and query too
)
