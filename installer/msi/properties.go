package msi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/settings"
)

// Property is a public property of the package: NAME=VALUE on the command line of msiexec, or in a transform.
type Property struct {
	Name    string // upper case, which makes it public
	Value   string // where it is kept: a value of settings.RegistryInstaller; empty: it is not kept
	Doc     string // what it means, for administrators
	Allowed string // condition that must hold, or nothing is changed; empty: everything is taken
	Must    string // the condition in words: "must be 0 or 1"
}

// Message is what people read when the condition does not hold. Windows Installer puts the value in the place of [NAME].
func (p Property) Message() string {
	return fmt.Sprintf("%[1]s is \"[%[1]s]\", but it %[2]s. Nothing was changed.", p.Name, p.Must)
}

// Unchanged is the condition that a property is what the registry says, unless an administrator changes it: everybody may repair
// an installed product, and Windows Installer does that as SYSTEM, with the properties they give. AdminUser tells who somebody
// really is (MSIUSEREALADMINDETECTION); S-1-5-18 is SYSTEM, as Intune and group policy are.
func (p Property) Unchanged() string {
	return fmt.Sprintf(`NOT Installed OR AdminUser OR UserSID = "S-1-5-18" OR %[1]s = PREV_%[1]s`, p.Name)
}

// keepData is the property that keeps what Platen has stored when it is removed.
const keepData = "KEEPDATA"

// Properties are the package's properties, in the order of the documentation. What the settings may be is taken from their table.
func Properties() []Property {
	list := []Property{
		fromSetting("ServerURL", `SERVERURL ~<< "https://" AND NOT SERVERURL ~= "https://" AND NOT SERVERURL >< " "`,
			"must begin with https://, such as https://print.example.org:8443"),
		fromSetting("CAPin", `CAPIN << "sha256/" AND NOT CAPIN = "sha256/"`,
			"must be the pin that the server prints when it starts, which begins with sha256/"),
		fromSetting("UPNSuffix", `NOT UPNSUFFIX << "#"`, "must not begin with #"), // which Windows Installer takes for a type
		fromSetting("AuthMode", "", ""),
		fromSetting("AutoStart", "", ""),
		fromSetting("DeviceRole", "", ""),
	}
	return append(list, Property{
		Name:    keepData,
		Doc:     "1 keeps, at an uninstallation, what Platen has stored: the computer's key and certificate, logs, and people's sign-ins.",
		Allowed: strings.TrimPrefix(oneOf(keepData, switches), unlessInstalled), // judged where it counts: at the uninstallation
		Must:    "must be one of " + strings.Join(switches, ", "),
	})
}

// switches are how a yes or no is written.
var switches = []string{"1", "0", "yes", "no"}

// unlessInstalled begins the conditions of settings. An installed product is not judged: a bad value in the registry must not
// keep it from being repaired or removed.
const unlessInstalled = "Installed OR "

// fromSetting makes the property of a setting. allowed is empty for settings that know themselves what they may be.
func fromSetting(name, allowed, must string) Property {
	s, ok := settings.Lookup(name)
	if !ok {
		panic("no setting " + name) // a constant of this file
	}
	p := Property{Name: strings.ToUpper(name), Value: s.Name, Doc: s.Doc, Must: must}
	choices := s.Choices
	if s.Kind == settings.KindBool {
		choices = switches
	}
	switch {
	case allowed != "":
		p.Allowed = fmt.Sprintf("%sNOT %s OR (%s)", unlessInstalled, p.Name, allowed)
	case choices != nil:
		p.Allowed, p.Must = oneOf(p.Name, choices), "must be one of "+strings.Join(choices, ", ")
	}
	return p
}

// oneOf is the condition that a property is unset or one of the choices.
func oneOf(name string, choices []string) string {
	terms := []string{"NOT " + name}
	for _, choice := range choices {
		terms = append(terms, fmt.Sprintf("%s ~= %q", name, choice))
	}
	return unlessInstalled + strings.Join(terms, " OR ")
}

// is the condition that a switch is set to a value, which has two spellings.
func is(name, digit, word string) string {
	return fmt.Sprintf("(%[1]s = %[2]q OR %[1]s ~= %[3]q)", name, digit, word)
}

// remembered are the properties that the registry keeps.
func remembered() []Property {
	return slices.DeleteFunc(Properties(), func(p Property) bool { return p.Value == "" })
}
