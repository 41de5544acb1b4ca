package view

import (
	"strings"

	"github.com/platenprint/platen/client/status"
)

// Fact is a name and its value, for the settings page.
type Fact struct{ Name, Value, Origin string }

// Settings is the model of the settings page: facts about this computer and the versions, then every setting with its
// origin. It shows, it does not change: settings come from files and policy.
type Settings struct {
	About    []Fact
	Settings []Fact
	Loading  string // said while the settings are being fetched
	Help     string
}

// SettingsOf says what the settings page shows; d is nil while it is being fetched.
func SettingsOf(s status.Snapshot, d *status.Details, l Locale) Settings {
	m := Settings{}
	about := func(key, value string) {
		if value != "" {
			m.About = append(m.About, Fact{Name: l.text(key), Value: value})
		}
	}
	if s.User != nil {
		about("settings.account", s.User.Username)
	}
	about("settings.computer_name", s.OSAccount.Name)
	if s.HelpText != "" {
		m.Help = l.text("identify.help", "help", s.HelpText)
	}
	if d == nil {
		m.Loading = l.text("details.loading")
		return m
	}
	about("settings.server", d.ServerURL)
	about("settings.server_version", d.ServerVersion)
	about("settings.client_version", d.ClientVersion)
	for _, setting := range d.Settings {
		m.Settings = append(m.Settings, Fact{
			Name:   setting.Name,
			Value:  firstOf(setting.Value, l.text("settings.value_empty")),
			Origin: l.origin(setting.Origin),
		})
	}
	return m
}

// originKinds are the kinds of source as internal/settings/sources (and client/agent, for a server that the person has confirmed)
// writes them, before the file, key or variable.
var originKinds = []string{
	"policy", "flag", "environment", "user file", "recommended", "machine file", "site file", "installer", "package name", "discovery", "confirmed",
	"default",
}

// origin puts the kind of source into words and leaves the place as it is: "policy /etc/platen/policy.conf:3" becomes
// "set by your organisation (/etc/platen/policy.conf:3)".
func (l Locale) origin(origin string) string {
	for _, kind := range originKinds {
		where, ok := strings.CutPrefix(origin, kind)
		if !ok || where != "" && where[0] != ' ' {
			continue
		}
		words := l.text("settings.origin." + strings.ReplaceAll(kind, " ", "_"))
		if where = strings.TrimSpace(where); where != "" {
			return words + " (" + where + ")"
		}
		return words
	}
	return origin
}
