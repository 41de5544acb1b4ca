package configured

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
)

func TestAttributesAreOneOrSeveral(t *testing.T) {
	list := parse(t, `
- id: corp
  type: ldap
  url: ldaps://dc.example.org
  attributes: {card: [employeeNumber, extensionAttribute1], pin: extensionAttribute2, office: ""}
  incremental: off
  group_base_dn: OU=Groups,DC=example,DC=org
`)
	want := map[string]List{"card": {"employeeNumber", "extensionAttribute1"}, "pin": {"extensionAttribute2"}, "office": {""}}
	if diff := cmp.Diff(want, list[0].Attributes); diff != "" {
		t.Errorf("attributes: -want +got\n%s", diff)
	}
	if _, err := Build(list, nil, slog.New(slog.DiscardHandler), clock.System); err != nil {
		t.Error(err)
	}
	for text, wants := range map[string][]string{
		"incremental: sometimes":      {"incremental:", "dirsync, usn or off"},
		"attributes: {card: 'a b'}":   {"attributes:", `"a b"`},
		"group_filter: '(cn=x'":       {"group_filter:"},
		"group_base_dn: example.org":  {"group_base_dn:", "dc=example,dc=org"},
		"attributes: {cards: number}": {"attributes:", "card, code, pin"},
	} {
		_, err := Build(parse(t, "- {id: corp, type: ldap, url: ldaps://dc.example.org, "+text+"}"), nil, slog.New(slog.DiscardHandler), clock.System)
		for _, want := range wants {
			if !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is not in: %v", text, want, err)
			}
		}
	}
}

func TestDocsOfLDAP(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/directories/ldap.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	t.Run("A1_07 Secure LDAP is said to cost money", func(t *testing.T) {
		if !strings.Contains(text, "Microsoft charges a monthly subscription fee") {
			t.Error("the warning is missing")
		}
	})
	t.Run("the example is one", func(t *testing.T) {
		_, entry, _ := strings.Cut(text, "```yaml\ndirectories:\n")
		entry, _, found := strings.Cut(entry, "```")
		list := parse(t, strings.ReplaceAll(entry, "    ca_file: /etc/platen/corp-ca.pem\n", ""))
		if !found || len(list) != 1 {
			t.Fatalf("%d entries", len(list))
		}
		if _, err := Build(list, nil, slog.New(slog.DiscardHandler), clock.System); err != nil {
			t.Error(err)
		}
	})
	t.Run("A1_03 A1_04 A1_06 each product is named", func(t *testing.T) {
		for _, want := range []string{"`ad`", "`entra-ds`", "`openldap`", "Windows, macOS and Linux", "Entra Connect"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing", want)
			}
		}
	})
}

func TestTruncatingIsSaidByOneKey(t *testing.T) {
	yes, no := true, false
	for name, tt := range map[string]struct {
		c    Config
		want bool
	}{
		"A1_52 Y never truncates":               {Config{Type: TypeLDAP, UPNAsUsername: &yes}, false},
		"A1_50 N truncates":                     {Config{Type: TypeLDAP, UPNAsUsername: &no}, true},
		"not set":                               {Config{Type: TypeLDAP}, false},
		"A1_53 no effect over Secure LDAP":      {Config{Type: TypeLDAP, Product: "entra-ds", UPNAsUsername: &no}, false},
		"A1_53 a name of one's own is no clash": {Config{Type: TypeLDAP, Product: "entra-ds", Username: "sam", UPNAsUsername: &yes}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.c.TruncatesUPNs(); got != tt.want {
				t.Errorf("truncates: %v", got)
			}
			tt.c.ID, tt.c.URL = "corp", List{"ldaps://dc.example.org"}
			if _, err := One(tt.c, nil, slog.New(slog.DiscardHandler), clock.System); err != nil {
				t.Error(err)
			}
		})
	}
}
