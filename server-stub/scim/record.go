package scim

import (
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// record is the person of a document, as every other directory lists people. secrets are those that the request speaks of: of the
// others nothing is said, so what there is stays.
func record(id string, d *document, secrets map[string][]string) directory.Record {
	r := directory.Record{
		Key: id, KeyKind: core.IdentitySCIMID, Username: d.text("userName"), Nickname: d.text("nickName"), Email: d.email(),
		DisplayName: d.displayName(), Department: d.text(urnEnterprise + ":department"), EmployeeID: d.text(urnEnterprise + ":employeeNumber"),
		Office: d.typed("addresses", "other", "formatted"), Language: first(d.text("preferredLanguage"), d.text("locale")),
		Disabled: d.o["active"] == false, Where: "SCIM resource " + id,
	}
	if strings.Contains(r.Username, "@") {
		r.UPN = r.Username
	}
	if cards, ok := secrets["accessCard"]; ok {
		r.Credentials = append(r.Credentials, core.CredentialCard)
		for _, card := range cards {
			r.Cards = append(r.Cards, secret.New(card))
		}
	}
	if code, ok := secrets["accessCode"]; ok {
		r.Credentials = append(r.Credentials, core.CredentialCode)
		if len(code) > 0 {
			r.AccessCode = secret.New(code[0])
		}
	}
	return r
}

// email is the work address (row A3-51), else the primary one, else the first.
func (d *document) email() string {
	if work := d.typed("emails", "work", "value"); work != "" {
		return work
	}
	var one string
	for _, e := range elements(d.o["emails"]) {
		address, _ := e["value"].(string)
		if e["primary"] == true && address != "" {
			return address
		}
		one = first(one, address)
	}
	return one
}

func (d *document) displayName() string {
	return first(d.text("displayName"), d.text("name.formatted"), strings.TrimSpace(d.text("name.givenName")+" "+d.text("name.familyName")))
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// group is the group of a document. Members are what changes of them.
func group(id string, d *document, change store.SCIMMemberChange) directory.Group {
	keys := func(ids []string) (list []directory.Key) {
		for _, one := range ids {
			list = append(list, directory.Key{Kind: core.IdentitySCIMID, ID: one})
		}
		return list
	}
	return directory.Group{
		Key: directory.Key{Kind: core.IdentitySCIMID, ID: id}, Name: d.text("displayName"), Members: keys(change.Added),
		Changed: true, Removed: keys(change.Removed), Where: "SCIM resource " + id,
	}
}

// indexed are the attributes by which resources are found without reading all of them: those that providers match by (row A3-53).
// Any other attribute is searched as well, more slowly.
func indexed() []string {
	return []string{
		"userName", "externalId", "displayName", "nickName", "name.formatted", "emails.value", "phoneNumbers.value", urnEnterprise + ":employeeNumber",
	}
}

// values are what the resource is found by.
func (d *document) values() (list []store.SCIMValue) {
	for _, name := range indexed() {
		r, err := d.kind.lookup(name)
		if err != nil {
			continue
		}
		for _, v := range values(r.get(d.o)) {
			if text, ok := textOf(v); ok && text != "" {
				if one := (store.SCIMValue{Path: fold(r.name()), Value: key(text)}); !slices.Contains(list, one) {
					list = append(list, one)
				}
			}
		}
	}
	return list
}

// key is the form in which values are found.
func key(text string) string {
	const most = 256
	text = fold(text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// narrow finds a search that brings everything the filter holds for, and little more. id is set when the filter asks for one id.
func (t *resourceType) narrow(f filter) (q store.SCIMQuery, id string) {
	switch f := f.(type) {
	case both:
		if q, id = t.narrow(f.left); q.Path != "" || id != "" {
			return q, id
		}
		return t.narrow(f.right)
	case among:
		if inner, ok := f.inner.(both); ok {
			for _, one := range []filter{inner.left, inner.right} {
				if c, ok := one.(compare); ok {
					c.ref = ref{ext: f.ext, attr: f.attr, sub: c.attr}
					if q, _ = t.narrow(c); q.Path != "" {
						return q, ""
					}
				}
			}
		}
		if c, ok := f.inner.(compare); ok {
			c.ref = ref{ext: f.ext, attr: f.attr, sub: c.attr}
			return t.narrow(c)
		}
	case compare:
		text, ok := textOf(f.want)
		if f.op != "eq" || !ok || text == "" {
			return store.SCIMQuery{}, ""
		}
		name := f.name()
		if f.ext == nil && name == "id" {
			return store.SCIMQuery{}, text
		}
		if f.sub == nil && f.leaf().kind == kindComplex {
			name += ".value"
		}
		for _, known := range indexed() {
			if strings.EqualFold(known, name) {
				return store.SCIMQuery{Path: fold(name), Value: key(text)}, ""
			}
		}
	}
	return store.SCIMQuery{}, ""
}
