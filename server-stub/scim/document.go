package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// document is a resource while it is read and changed: its attributes in the schema's spelling, extensions under their URNs.
type document struct {
	kind   *resourceType
	o      object
	given  map[string]bool // secrets that the request speaks of, also to end them
	member members         // what happens to the members of a group
	notes  *notes
}

func newDocument(t *resourceType) *document {
	return &document{kind: t, o: object{}, given: map[string]bool{}, notes: &notes{}}
}

// parseDocument reads a stored document.
func parseDocument(t *resourceType, data string) (*document, error) {
	d := newDocument(t)
	if err := json.Unmarshal([]byte(data), &d.o); err != nil {
		return nil, fmt.Errorf("read a stored SCIM resource: %w", err)
	}
	return d, nil
}

// copied is a document that may be changed without changing this one.
func (d *document) copied() *document {
	c := newDocument(d.kind)
	c.o, _ = deepCopy(d.o).(object)
	return c
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for key, inner := range v {
			c[key] = deepCopy(inner)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, inner := range v {
			c[i] = deepCopy(inner)
		}
		return c
	}
	return v
}

// fill takes the attributes of a whole resource, or of the value of an operation without a path. Names may be written out with
// dots, URNs and conditions; what nobody knows is ignored and noted.
func (d *document) fill(in object, add bool) error {
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(in)) { // the same whatever the order was
		p, err := d.kind.parsePath(key)
		var nobody *unknown
		switch {
		case errors.As(err, &nobody):
			d.notes.ignore(key)
			continue
		case err != nil:
			return err
		case p.attr != nil && p.attr.readOnly:
			continue // a client that sends back what it read
		}
		if name := p.name(); p.only == nil {
			if seen[name] {
				return wrong(invalidSyntax, "%s stands twice", name)
			}
			seen[name] = true
		}
		if err := d.set(p, in[key], add); err != nil {
			return err
		}
	}
	return nil
}

// required says what a resource lacks.
func (d *document) required() error {
	for _, a := range d.kind.all {
		if text, _ := d.o[a.name].(string); a.required && text == "" {
			return wrong(invalidValue, "%s is required", a.name)
		}
	}
	return nil
}

// secrets takes the secrets out of the document, so that they are kept nowhere.
func (d *document) secrets() (s map[string][]string) {
	s = map[string][]string{}
	for _, ext := range d.kind.extensions {
		inner, _ := d.o[ext.urn].(object)
		for _, a := range ext.attributes {
			if !a.secret {
				continue
			}
			if d.given[a.name] {
				s[a.name] = []string{}
			}
			for _, v := range values(inner[a.name]) {
				if text, _ := textOf(v); text != "" && d.given[a.name] {
					s[a.name] = append(s[a.name], text)
				}
			}
			delete(inner, a.name)
		}
		if len(inner) == 0 {
			delete(d.o, ext.urn)
		}
	}
	return s
}

// text reads an attribute, by a path that is right.
func (d *document) text(name string) string {
	r, err := d.kind.lookup(name)
	if err != nil {
		return ""
	}
	for _, v := range values(r.get(d.o)) {
		if text, ok := textOf(v); ok {
			return text
		}
	}
	return ""
}

// typed reads a sub-attribute of the first value of that type.
func (d *document) typed(name, of, sub string) string {
	for _, e := range elements(d.o[name]) {
		if kind, _ := e["type"].(string); fold(kind) == of {
			if text, _ := e[sub].(string); text != "" {
				return text
			}
		}
	}
	return ""
}
