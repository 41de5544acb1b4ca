// Package settings is the table of the settings of a workstation: what each is called, what it takes, what it means, and who
// reads it. It is data alone, so that the client, the privileged service, the packages and the server's deployment kit say
// the same. Reading is internal/settings/sources' part; the meaning of the client's values is client/config's.
//
// The name is the key in files, the value name in the Windows registry and the key in a macOS profile; the names of the flag
// and of the environment variable follow from it.
//
// No setting is a secret, and none may become one: all of them are shown to the person and go into support files.
package settings

import (
	"strings"
	"unicode"
)

// Kind is what a setting takes, in the words of the documentation.
type Kind string

// The kinds of value.
const (
	KindAddress Kind = "https address" // https, host, perhaps a port; Path tells whether more may follow
	KindPath    Kind = "file path"     // absolute
	KindPins    Kind = "pin"           // sha256/BASE64, several separated by commas
	KindRules   Kind = "suffix rules"  // auth/usermap
	KindChoice  Kind = "choice"        // one of Choices
	KindBool    Kind = "yes or no"
	KindList    Kind = "list" // separated by commas
	KindAmount  Kind = "amount"
	KindProxy   Kind = "http address or direct"
)

// Setting is one line of the table: all there is to know about a setting but its value.
type Setting struct {
	Name     string // key in files, value name in the registry, key in a macOS profile; case does not matter in files
	Kind     Kind
	Choices  []string // of KindChoice, the default first where there is one
	Default  string
	Critical bool // decides whom the computer trusts: a bad value breaks the setting, nothing stands in for it
	Machine  bool // the privileged service reads it too, from the computer's own sources alone
	Doc      string
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

// Table lists every setting, in the order in which they are shown. The caller may change what it gets.
func Table() []Setting {
	return []Setting{
		{
			Name: "ServerURL", Kind: KindAddress, Critical: true, Machine: true,
			Doc: "The print server, such as https://print.example.org:8443. Always https, host and port only.",
		},
		{
			Name: "CAFile", Kind: KindPath, Critical: true, Machine: true,
			Doc: "PEM file with the certificate authority of the server. It replaces the system's store for Platen.",
		},
		{
			Name: "CAPin", Kind: KindPins, Critical: true, Machine: true,
			Doc: "Pin of the server's certificate authority, sha256/BASE64, as the server prints it; several separated by commas.",
		},
		{
			Name: "UPNSuffix", Kind: KindRules,
			Doc: "What makes an account name of a short name: example.org, or rules such as CORP=example.org;10.1.0.0/16=lab.example.org. Not set: the server's.",
		},
		{
			Name: "AuthMode", Kind: KindChoice, Choices: []string{"auto", "trust", "microsoft", "browser", "prompt"}, Default: "auto", Critical: true,
			Doc: "How people sign in: auto (as the server and the computer's group say), or only by trust, microsoft, browser or prompt.",
		},
		{
			Name: "MicrosoftAuthority", Kind: KindAddress, // not critical: without it the client trusts fewer, not others
			Doc: "One more place, beside Microsoft's own clouds, where the server may send people to sign in with Microsoft; host and port only.",
		},
		{
			Name: "AutoStart", Kind: KindBool, Default: "yes",
			Doc: "Whether the client starts when somebody logs on.",
		},
		{
			Name: "Enrol", Kind: KindBool, Default: "yes", Machine: true,
			Doc: "Whether the computer's service asks the server by itself to make the computer a device that vouches for its users.",
		},
		{
			Name: "DeviceRole", Kind: KindChoice, Choices: []string{"personal", "shared"}, Default: "personal",
			Doc: "personal, or shared: a computer many people use, which keeps nothing of them.",
		},
		{
			Name: "SharedOSUsers", Kind: KindList,
			Doc: "Accounts of the operating system that several people use, separated by commas: the client asks who is printing.",
		},
		{
			Name: "HideBalance", Kind: KindBool, Default: "no",
			Doc: "Show no amount anywhere.",
		},
		{
			Name: "LowBalance", Kind: KindAmount,
			Doc: "Below this amount the balance counts as low, such as 2.00. Not set: the server's.",
		},
		{
			Name: "ShowBalanceAtStart", Kind: KindChoice, Choices: []string{"notification", "window", "nothing"}, Default: "notification",
			Doc: "What shows the balance after log-on: notification, window or nothing.",
		},
		{
			Name: "TopUpURL", Kind: KindAddress,
			Doc: "Where people buy credit. Not set: the server's.",
		},
		{
			Name: "Language", Kind: KindChoice, Choices: []string{"en", "de", "fr", "es"},
			Doc: "en, de, fr or es. Not set: as the system says.",
		},
		{
			Name: "Proxy", Kind: KindProxy, Machine: true,
			Doc: "http://HOST:PORT, or direct for none. Not set: the environment's, then the system's. Never holds a password.",
		},
		{
			Name: "LogLevel", Kind: KindChoice, Choices: []string{"error", "warn", "info", "debug"}, Default: "info",
			Doc: "How much the log says: error, warn, info or debug.",
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

// The places where administrators and packages put settings, for whoever reads and whoever writes them.
const (
	RegistryPolicyMachine = `HKLM\Software\Policies\Platen` // enforced; subkey RegistryRecommended for defaults
	RegistryPolicyUser    = `HKCU\Software\Policies\Platen`
	RegistryRecommended   = `Recommended`
	RegistryInstaller     = `HKLM\Software\Platen`
	RegistryInstallerFile = `InstallerFile` // value of RegistryInstaller: the path of the MSI
	// RegistryDeploy holds RegistryToken, the one secret that a policy may bring; users must not be able to read it.
	RegistryDeploy = `HKLM\Software\Policies\Platen\Deploy`
	RegistryToken  = `EnrolmentToken`

	ManagedPreferences       = "org.platenprint.platen" // macOS preference domain of profiles
	ManagedDefaults          = "Defaults"               // dictionary in it with what people may change
	ManagedDeployPreferences = "org.platenprint.deploy" // domain with EnrolmentToken, for the service alone

	PolicyFile      = "/etc/platen/policy.conf" // Linux
	RecommendedFile = "/etc/platen/recommended.conf"
	MachineFile     = "/etc/platen/platen.conf"
	SiteFile        = "/etc/platen/site.conf"
	TokenFile       = "/etc/platen/enrolment.token"

	// MacFolder holds platen.conf and installer-file, the name of the package that was installed.
	MacFolder        = "/Library/Application Support/Platen"
	MacInstallerFile = MacFolder + "/installer-file"
)
