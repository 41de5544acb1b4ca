package configured

import (
	"errors"
	"log/slog"
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
