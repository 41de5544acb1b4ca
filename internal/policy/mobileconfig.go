package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/settings"
)

// Profile is what a configuration profile of macOS is made of.
type Profile struct {
	Host         string // of the server; makes the profile's identifier, so that another server's does not replace it
	Organisation string // shown to the person; may be empty
	Enforced     []Value
	Recommended  []Value       // what people may change
	Token        secret.String // enrolment token for the service; usually empty, see the package that writes the kit
	TeamID       string        // of the Apple developer who signed the package: ten letters and digits; empty: any
	Labels       []string      // launchd labels that macOS must not ask the person about
	Bundle       string        // identifier of the program that shows notifications
}

var teamPattern = regexp.MustCompile(`^[A-Z0-9]{10}$`)

// MobileConfig writes a configuration profile (Apple, Configuration Profile Reference) for the computer: the settings, no
// questions about the background services, and notifications. It is not signed; management systems sign what they deliver. Errors
// are those of Check.
func MobileConfig(p Profile) ([]byte, error) {
	enforced, err := Check(p.Enforced)
	if err != nil {
		return nil, err
	}
	recommended, err := Check(p.Recommended)
	if err != nil {
		return nil, err
	}
	if !settings.ValidHost(p.Host) {
		return nil, fmt.Errorf("%w: the server's name %q is not a host name", ErrInvalid, settings.Visible(p.Host))
	}
	if p.TeamID != "" && !teamPattern.MatchString(p.TeamID) {
		return nil, fmt.Errorf("%w: the team identifier %q is not ten capital letters and digits", ErrInvalid, settings.Visible(p.TeamID))
	}
	organisation := settings.Visible(p.Organisation)
	if organisation == "" {
		organisation = p.Host
	}
	identifier := settings.ManagedPreferences + ".site." + p.Host
	payloads := p.payloads(identifier, enforced, recommended)
	return plist(dict{
		{"PayloadContent", payloads},
		{"PayloadDescription", "Tells Platen, the print client, its server " + p.Host + "."},
		{"PayloadDisplayName", "Platen (" + p.Host + ")"},
		{"PayloadIdentifier", identifier},
		{"PayloadOrganization", organisation},
		{"PayloadRemovalDisallowed", true},
		{"PayloadScope", "System"},
		{"PayloadType", "Configuration"},
		{"PayloadUUID", uuid(identifier + hash(plist(dict{{"", payloads}})))},
		{"PayloadVersion", 1},
	}), nil
}

func (p Profile) payloads(identifier string, enforced, recommended []Value) []any {
	content := valuesOf(enforced)
	if len(recommended) > 0 {
		content = append(content, entry{settings.ManagedDefaults, valuesOf(recommended)})
	}
	list := []any{payload(identifier+".settings", settings.ManagedPreferences, "Platen: settings", content)}
	if !p.Token.Empty() {
		list = append(list, payload(identifier+".enrolment", settings.ManagedDeployPreferences, "Platen: enrolment",
			dict{{settings.RegistryToken, p.Token.Reveal()}}))
	}
	if len(p.Labels) > 0 {
		var rules []any
		for _, label := range p.Labels {
			rule := dict{{"RuleType", "Label"}, {"RuleValue", label}, {"Comment", "Platen"}}
			if p.TeamID != "" {
				rule = append(rule, entry{"TeamIdentifier", p.TeamID})
			}
			rules = append(rules, rule)
		}
		list = append(list, payload(identifier+".services", "com.apple.servicemanagement", "Platen: background services", dict{{"Rules", rules}}))
	}
	if p.Bundle != "" {
		list = append(list, payload(identifier+".notifications", "com.apple.notificationsettings", "Platen: notifications", dict{
			{"NotificationSettings", []any{dict{
				{"AlertType", 1}, // a banner that goes by itself
				{"BadgesEnabled", false},
				{"BundleIdentifier", p.Bundle},
				{"CriticalAlertEnabled", false},
				{"NotificationsEnabled", true},
				{"ShowInLockScreen", false}, // amounts are nobody else's business
				{"ShowInNotificationCenter", true},
				{"SoundsEnabled", false},
			}}},
		}))
	}
	return list
}

// payload adds what every payload has.
func payload(identifier, kind, name string, content dict) dict {
	return append(content[:len(content):len(content)],
		entry{"PayloadDisplayName", name}, entry{"PayloadIdentifier", identifier}, entry{"PayloadType", kind},
		entry{"PayloadUUID", uuid(identifier + hash(plist(content)))}, entry{"PayloadVersion", 1})
}

// valuesOf writes the values as a profile has them.
func valuesOf(values []Value) dict {
	var d dict
	for _, v := range values {
		var value any = v.Text
		switch shapeOf(v.kind()) {
		case shapeBool:
			value = v.yes()
		case shapeList:
			items := []any{}
			for _, item := range settings.ParseList(v.Text) {
				items = append(items, item)
			}
			value = items
		case shapeText, shapeChoice:
		}
		d = append(d, entry{v.Name, value})
	}
	return d
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
