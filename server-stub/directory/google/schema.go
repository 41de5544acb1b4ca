package google

import (
	"context"
	"fmt"
	"net/http" //nolint:depguard // this directory is an HTTP API; the rule means serving
	"net/url"
	"slices"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
)

// shape says which custom fields there are, of those that are wanted.
type shape struct {
	cards []field
	code  field
	kinds []core.CredentialKind // what the customer is the authority for
	mask  []string              // the schemas that are asked for
	hints []string              // for the administrator
}

// shape asks which custom fields there are. A default one that is not there is no authority for anything: a schema that somebody
// deletes takes nobody's card. One that the configuration names must be there.
func (se *session) shape(ctx context.Context) (shape, error) {
	var sh shape
	s := se.s
	if !s.wantsFields() {
		return sh, nil
	}
	found := map[string]schemaField{}
	r := request{
		step: "read the custom schemas", method: http.MethodGet, path: "/admin/directory/v1/customer/" + url.PathEscape(s.cfg.Customer) + "/schemas",
		query: url.Values{"fields": {"kind,schemas(schemaName,fields(fieldName,fieldType,readAccessType,multiValued))"}, "prettyPrint": {"false"}},
	}
	if err := se.pages(ctx, r, "schemas", func(p *page) (int, error) {
		for _, schema := range p.schemas {
			for _, f := range schema.Fields {
				found[schema.Name+"."+f.Name] = f
			}
		}
		return len(p.schemas), nil
	}); err != nil {
		return sh, err
	}
	use := func(f field, key string, kind core.CredentialKind) (bool, error) {
		at, ok := found[f.String()]
		switch {
		case !ok && f.wanted:
			return false, &failure{
				step: "read the custom schemas", err: fmt.Errorf("the customer has no custom field %s", f),
				remedy: fmt.Sprintf("make the category %s with the field %s in admin.google.com > Directory > Users > More options > Manage custom attributes, or correct %s; nobody was changed", f.schema, f.name, key),
			}
		case !ok:
			sh.hints = append(sh.hints, fmt.Sprintf("there is no custom field %s, so Google says nothing about %s", f, map[core.CredentialKind]string{core.CredentialCard: "cards", core.CredentialCode: "access codes"}[kind]))
			return false, nil
		case at.Access == "ALL_DOMAIN_USERS":
			sh.hints = append(sh.hints, fmt.Sprintf("everybody of the customer can read %s, so change its visibility to “Visible to user and admin”", f))
		}
		if !slices.Contains(sh.mask, f.schema) {
			sh.mask = append(sh.mask, f.schema)
		}
		if !slices.Contains(sh.kinds, kind) {
			sh.kinds = append(sh.kinds, kind)
		}
		return true, nil
	}
	for _, f := range s.cards {
		ok, err := use(f, "card_fields", core.CredentialCard)
		if err != nil {
			return sh, err
		}
		if ok {
			sh.cards = append(sh.cards, f)
		}
	}
	if s.code.name != "" {
		ok, err := use(s.code, "code_field", core.CredentialCode)
		if err != nil {
			return sh, err
		}
		if ok {
			sh.code = s.code
		}
	}
	return sh, nil
}

func (s *Source) wantsFields() bool { return len(s.cards) > 0 || s.code.name != "" }

// String tells what is read, for the administrator.
func (sh shape) String() string {
	var list []string
	if len(sh.cards) > 0 {
		names := make([]string, len(sh.cards))
		for i, f := range sh.cards {
			names[i] = f.String()
		}
		list = append(list, "cards are in "+strings.Join(names, " and "))
	}
	if sh.code.name != "" {
		list = append(list, "access codes are in "+sh.code.String())
	}
	return strings.Join(append(list, sh.hints...), "; ")
}
