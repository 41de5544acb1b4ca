package scim

import "strings"

// ref names an attribute of a resource: of the core schema, or of an extension.
type ref struct {
	ext  *schema    // nil: the core schema
	attr *attribute // nil: the extension as a whole
	sub  *attribute // nil: the attribute as a whole
}

// skip tells whether the attribute is none of our business.
func (r ref) skip() bool { return r.attr != nil && r.attr.skip }

// leaf is the attribute at the end.
func (r ref) leaf() *attribute {
	if r.sub != nil {
		return r.sub
	}
	return r.attr
}

// name is how the attribute is called in messages.
func (r ref) name() string {
	var parts []string
	if r.attr != nil {
		parts = append(parts, r.attr.name)
	}
	if r.sub != nil {
		parts = append(parts, r.sub.name)
	}
	name := strings.Join(parts, ".")
	switch {
	case r.ext == nil:
		return name
	case name == "":
		return r.ext.urn
	}
	return r.ext.urn + ":" + name
}

// unknown says how a name fails to name an attribute.
type unknown struct {
	name   string
	schema bool // it is the schema that we do not know: then it is ignored, as RFC 7644 section 3.5.2 allows
}

func (u *unknown) Error() string { return "there is no attribute " + shorten(u.name) }

// lookup finds the attribute that a name such as "name.givenName" or "urn:...:User:department" means.
func (t *resourceType) lookup(name string) (ref, error) {
	var r ref
	list, rest := t.all, name
	if len(name) >= 4 && (strings.EqualFold(name[:4], "urn:") || strings.EqualFold(name[:4], "http")) {
		inside, tail, known := t.schemaOf(name)
		if !known {
			return ref{}, &unknown{name, true}
		}
		if r.ext = inside; inside != nil {
			list = inside.attributes
		}
		if rest = tail; rest == "" {
			if inside == nil {
				return ref{}, &unknown{name, false}
			}
			return r, nil
		}
	}
	attr, sub, dotted := strings.Cut(rest, ".")
	if r.attr = find(list, attr); r.attr == nil {
		return ref{}, &unknown{name, false}
	}
	if !dotted || r.attr.skip {
		return r, nil
	}
	if r.sub = find(r.attr.sub, sub); r.sub == nil {
		return ref{}, &unknown{name, false}
	}
	return r, nil
}

// schemaOf takes the URN of a schema off a name. inside is nil for the core schema.
func (t *resourceType) schemaOf(name string) (inside *schema, rest string, known bool) {
	if rest, ok := under(name, t.core.urn); ok {
		return nil, rest, true
	}
	for i := range t.extensions {
		if rest, ok := under(name, t.extensions[i].urn); ok {
			return &t.extensions[i], rest, true
		}
	}
	return nil, "", false
}

// under returns what stands behind the URN in the name, if the name is of that schema.
func under(name, urn string) (string, bool) {
	if len(name) < len(urn) || !strings.EqualFold(name[:len(urn)], urn) {
		return "", false
	}
	if name = name[len(urn):]; name == "" {
		return "", true
	}
	if name[0] != ':' && name[0] != '.' {
		return "", false
	}
	return name[1:], true
}

// path is where a PATCH operation goes: "emails[type eq \"work\"].value" (RFC 7644 section 3.5.2).
type path struct {
	ref
	only filter // which of the values; nil: all
}

// parsePath reads a path. An *unknown says that it names nothing of ours.
func (t *resourceType) parsePath(in string) (path, error) {
	if len(in) > maxFilter {
		return path{}, wrong(invalidPath, "the path is longer than %d bytes", maxFilter)
	}
	p := &parser{in: strings.TrimSpace(in), lookup: t.lookup, fail: invalidPath}
	name := p.word()
	if name == "" {
		return path{}, p.wrong("a path begins with the name of an attribute")
	}
	r, err := t.lookup(name)
	if err != nil || r.skip() {
		return path{ref: r}, err
	}
	out := path{ref: r}
	if p.peek() == '[' {
		if out.only, out.sub, err = p.brackets(r); err != nil {
			return path{}, err
		}
	}
	if p.pos != len(p.in) {
		return path{}, p.wrong("something stands behind the path")
	}
	return out, nil
}
