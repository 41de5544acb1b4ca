package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/settings"
)

var update = flag.Bool("update", false, "rewrite docs/settings.md")

const docsFile = "../../docs/settings.md"

func TestSettingsAreDocumented(t *testing.T) {
	got := document()
	if *update {
		if err := os.WriteFile(docsFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/settings.md is not the table (go test ./client/config -run Documented -update):\n%s", diff)
	}
}

func document() string {
	var b strings.Builder
	b.WriteString(docsHead)
	for _, s := range Table() {
		value := s.Default
		if value == "" {
			value = "not set"
		}
		marks := ""
		if s.Critical {
			marks += " **!**"
		}
		if s.Machine {
			marks += " **+**"
		}
		fmt.Fprintf(&b, "| `%s`%s | %s | %s | %s |\n", s.Name, marks, s.Kind, value, s.Doc)
	}
	b.WriteString(docsMarks)
	for _, s := range Table() {
		registry, profile := types(s)
		fmt.Fprintf(&b, "| `%s` | %s | %s | `--%s` | `%s` | `%s` |\n", s.Name, registry, profile, s.Flag(), s.Env(), example(s))
	}
	b.WriteString(docsTail)
	return b.String()
}

// types says how a setting is written in the Windows registry and in a macOS profile.
func types(s Setting) (registry, profile string) {
	switch s.Kind {
	case settings.KindBool:
		return "REG_DWORD 1 or 0 (REG_SZ yes, no)", "boolean"
	case settings.KindList, settings.KindPins:
		return "REG_MULTI_SZ, or REG_SZ with commas", "array of string, or string with commas"
	case settings.KindAddress, settings.KindPath, settings.KindRules, settings.KindChoice, settings.KindAmount, settings.KindProxy:
	}
	return "REG_SZ", "string"
}

func example(s Setting) string {
	switch s.Kind {
	case settings.KindAddress:
		return s.Name + "=https://print.example.org:8443"
	case settings.KindPath:
		return s.Name + "=/etc/platen/ca.pem"
	case settings.KindPins:
		return s.Name + "=sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	case settings.KindRules:
		return s.Name + "=example.org"
	case settings.KindChoice:
		return s.Name + "=" + s.Choices[len(s.Choices)-1]
	case settings.KindBool:
		return s.Name + "=no"
	case settings.KindList:
		return s.Name + "=lab, kiosk"
	case settings.KindAmount:
		return s.Name + "=2.00"
	case settings.KindProxy:
		return s.Name + "=http://proxy.example.org:3128"
	}
	return s.Name + "="
}

func TestTheDocumentsExamplesAreTaken(t *testing.T) {
	for _, s := range Table() {
		name, value, _ := strings.Cut(example(s), "=")
		if err := readers[name](&Config{}, value); err != nil {
			t.Errorf("%s: %v", example(s), err)
		}
	}
}

const docsHead = `# Settings of a workstation

<!-- Made from the table in internal/settings/settings.go: go test ./client/config -run Documented -update -->

The name is the key in files, the value name in the Windows registry and the key in a macOS profile. Flags and environment
variables follow from it. ` + "`platen config`" + ` shows every setting with its value, where it comes from, and what a weaker source
says otherwise (` + "`--json`" + `: ` + "`overrides`" + `). ` + "`platen-deploy status`" + ` says the same of the computer's service.

| name | value | default | meaning |
|---|---|---|---|
`

const docsMarks = `
**!** decides whom the computer trusts. A bad value is never replaced by a weaker one or by the default: the program says which
value of which source is wrong and does not connect. Any other bad value is warned of, and the default holds.

**+** is read by the computer's service (platen-deploy), too: see below.

| name | Windows registry | macOS profile | flag | environment | in a file |
|---|---|---|---|---|---|
`

const docsTail = `
## Where settings stand, the strongest first

| source | Linux | macOS | Windows |
|---|---|---|---|
| policy: people cannot change it | /etc/platen/policy.conf | profile for the domain org.platenprint.platen | HKLM, then HKCU \Software\Policies\Platen |
| flag | --server-url ... | the same | the same |
| environment | PLATEN_SERVER_URL ... | the same | the same |
| user file | ~/.config/platen/platen.conf (or $XDG_CONFIG_HOME) | ~/Library/Application Support/Platen/platen.conf | %AppData%\Platen\platen.conf |
| recommended: people may change it | /etc/platen/recommended.conf | dictionary Defaults of the same profile | HKLM, then HKCU \Software\Policies\Platen\Recommended |
| machine file | /etc/platen/platen.conf | /Library/Application Support/Platen/platen.conf | %ProgramData%\Platen\platen.conf |
| site file, of a package of your own | /etc/platen/site.conf | | |
| installer | (packages write the machine file) | (packages write the machine file) | HKLM\Software\Platen, from the properties of the MSI |
| package name | | /Library/Application Support/Platen/installer-file | value InstallerFile of HKLM\Software\Platen |
| discovery | _platen._tcp, then https://print.DOMAIN/.well-known/platen | the same | the same |

The first source that has a setting wins; a policy beats what an installer was told. In the registry both views are the 64-bit one.
On macOS, a profile for one person counts more than one for the computer. On Windows, %ProgramData%\Platen\platen.conf counts only if
it belongs to SYSTEM or the Administrators and nobody else may change it.

### The name of the package

A package that people download may tell the server by its file name:

    platen--print.example.org.msi
    platen--print.example.org--8443.pkg
    platen-1.2.3-x64--print.example.org--8443--47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU.msi

The last part is the pin in base64url without padding (A-Z, a-z, 0-9, - and _; 43 characters). What browsers add does not matter:
" (1)", "(1)", "-2", " - Copy", %20, a second extension. A name whose port or pin was damaged tells nothing at all, with a
warning. Name and pin count only where nothing above names a server, and the pin only for the server of the same name. deb and rpm
packages do not know what their file was called; use the site file.

### Discovery

Where nothing else names a server, the network is asked in the domains in which the computer looks for short names: for the SRV
record _platen._tcp (RFC 2782), and for https://print.DOMAIN/.well-known/platen, which every Platen server answers and which may be a
file on another web server. Its certificate must be one of the system's store; redirects to other hosts are not followed; three
seconds are all that a start waits. If the document names another server of DOMAIN with pins (ca_pins), they hold for that one;
for a server of another domain they do not count. An address that ServerURL would not take counts as none, with a warning.

**A person confirms** a server that only a package's name or the network names, before anything about them is sent. On a shared
computer nobody can. At a server that is only confirmed the computer vouches for people if it is a device of it (its listener is on the same host, or
the computer's own settings name it), and the browser is sent to pages on its host alone: else a wrong server could sign in as them at
the right one. Where the server's own name (public_url) is another than the one that the network names, set ServerURL.

## Files

Lines of Key=value in UTF-8. Lines that start with # are comments. Space around key and value, one pair of double quotes around
the value and the case of the key do not matter. Unknown keys are warned of, with the line and the setting that was probably
meant. The same key twice: the last one counts, with a warning. At most 64 KiB.

    # /etc/platen/platen.conf
    ServerURL=https://print.example.org:8443
    CAPin=sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    UPNSuffix=example.org

## The computer's service

platen-deploy reads the settings marked **+** from what only administrators can write: policy and recommended (HKLM; the computer's
profile; /etc/platen), machine file, site file, and the MSI's properties. Never from the environment, flags, a user's file or registry,
a package's name or the network. Files, and the folders they are in, must be root's (Windows: SYSTEM's or the Administrators') and
closed to others for writing; a file that is not counts as unreadable. It reads them at its start, every minute, and within seconds
when a file changes.

With ServerURL (and CAPin or CAFile, unless the system's store knows the server) and Enrol=yes, which is the default, the computer
asks that server to become a device that vouches for its users: it asks ServerURL/.well-known/platen for the listener of devices, and
there for a certificate. An administrator of the server approves (platen-server device approve), or the computer has a token.
Where the settings change to another server, the old enrolment works until the new one does. Where they go away, a computer
that waits stops waiting; one that is a device stays one (platen-deploy forget ends that).

A server that moved its listener for devices is found again. One that was set up anew, with another certificate authority, is
joined again when CAPin (or CAFile) says so: change it by the same way by which computers got it.

### The enrolment token

It is the one secret, so it is no setting: only the service reads it, and nothing shows it. It is the text that
platen-server enrolment create prints.

| system | place | who can read it |
|---|---|---|
| Linux | /etc/platen/enrolment.token | root alone: owner root, mode 0600 or 0400, no link; anything else is refused, with a line in the log and in platen-deploy status |
| Windows | REG_SZ EnrolmentToken in HKLM\Software\Policies\Platen\Deploy | the service takes the right to read this key from users as soon as it sees the token; until then they can, and the log says so |
| macOS | string EnrolmentToken in a profile for the domain org.platenprint.deploy | every user of the computer: macOS lets them read profiles |

So make tokens that are good for few computers and days, or use none and approve in bulk. A token is used once, and not again while it stays where it is; one that is used up, too old or refused is logged once and
shown by platen-deploy status, and the computer asks for approval instead.

No setting is a secret: all are shown to the person and go into the support file.
`
