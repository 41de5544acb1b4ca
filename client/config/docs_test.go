package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		critical := ""
		if s.Critical {
			critical = " **!**"
		}
		fmt.Fprintf(&b, "| `%s`%s | %s | %s | `--%s` | `%s` | %s |\n", s.Name, critical, s.Kind, value, s.Flag(), s.Env(), s.Doc)
	}
	b.WriteString(docsTail)
	return b.String()
}

const docsHead = `# Settings of the client

<!-- Made from the table in internal/settings/settings.go: go test ./client/config -run Documented -update -->

The name is the key in files, the value name in the Windows registry and the key in a macOS profile. Flags and environment
variables follow from it. ` + "`platen config`" + ` shows every setting with its value and where it comes from.

| name | value | default | flag | environment | meaning |
|---|---|---|---|---|---|
`

const docsTail = `
**!** decides whom the client trusts. A bad value is never replaced by a weaker one or by the default: the client says which
value of which source is wrong and does not connect.

## Where settings stand, the strongest first

| source | Linux | macOS | Windows |
|---|---|---|---|
| policy | /etc/platen/policy.conf | profile for the domain org.platenprint.platen | HKLM, then HKCU \Software\Policies\Platen |
| flag | --server-url ... | the same | the same |
| environment | PLATEN_SERVER_URL ... | the same | the same |
| user file | ~/.config/platen/platen.conf (or $XDG_CONFIG_HOME) | ~/Library/Application Support/Platen/platen.conf | %AppData%\Platen\platen.conf |
| machine file | /etc/platen/platen.conf | /Library/Application Support/Platen/platen.conf | %ProgramData%\Platen\platen.conf |
| installer | (packages write the machine file) | (packages write the machine file) | HKLM\Software\Platen |
| discovery | DNS: SRV record _platen._tcp in the computer's search domains; ServerURL only | the same | the same |

The network is asked only where nothing else names a server, and a person confirms the server it names before anything about
them is sent.

## Files

Lines of Key=value in UTF-8. Lines that start with # are comments. Space around key and value, one pair of double quotes around
the value and the case of the key do not matter. Unknown keys are warned of, with the line and the setting that was probably
meant.

    # /etc/platen/platen.conf
    ServerURL=https://print.example.org:8443
    CAPin=sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    UPNSuffix=example.org

In the registry, texts are REG_SZ, yes and no may be REG_DWORD 1 and 0, lists may be REG_MULTI_SZ. In a profile, texts are
strings, yes and no are booleans, lists may be arrays of strings.

No setting is a secret: all are shown to the person and go into the support file.
`
