package scim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

func (f both) match(o object) bool   { return f.left.match(o) && f.right.match(o) }
func (f either) match(o object) bool { return f.left.match(o) || f.right.match(o) }
func (f except) match(o object) bool { return !f.inner.match(o) }

func (f among) match(o object) bool {
	return slices.ContainsFunc(elements(f.get(o)), f.inner.match)
}

// compared is the attribute whose values are compared: of emails it is emails.value (RFC 7644 section 3.4.2.2).
func (c compare) compared() *attribute {
	leaf := c.leaf()
	if leaf.kind == kindComplex {
		if value := find(leaf.sub, "value"); value != nil {
			return value
		}
	}
	return leaf
}

func (c compare) match(o object) bool {
	have := c.values(o)
	present := slices.ContainsFunc(have, func(v any) bool { return v != nil && v != "" })
	switch {
	case c.op == "pr":
		return present
	case c.want == nil:
		return present == (c.op == "ne")
	case c.op == "ne":
		return !slices.ContainsFunc(have, c.equal)
	case c.op == "eq":
		return slices.ContainsFunc(have, c.equal)
	}
	return slices.ContainsFunc(have, c.holds)
}

// values are what the attribute has to compare with.
func (c compare) values(o object) (list []any) {
	leaf := c.leaf()
	for _, v := range values(c.get(o)) {
		if inner, ok := v.(object); ok && leaf.kind == kindComplex {
			if c.op == "pr" && len(inner) > 0 {
				return []any{true}
			}
			v = inner["value"]
		}
		list = append(list, v)
	}
	return list
}

func (c compare) equal(have any) bool {
	if truth, ok := have.(bool); ok {
		want, known := truthOf(c.want)
		return known && truth == want
	}
	a, okA := textOf(have)
	b, okB := textOf(c.want)
	if !okA || !okB {
		return false
	}
	return c.folded(a) == c.folded(b)
}

func (c compare) folded(s string) string {
	if c.compared().exact {
		return s
	}
	return fold(s)
}

func (c compare) holds(have any) bool {
	a, okA := textOf(have)
	b, okB := textOf(c.want)
	if !okA || !okB {
		return false
	}
	a, b = c.folded(a), c.folded(b)
	order := strings.Compare(a, b)
	if c.compared().kind == kindTime {
		at, err1 := time.Parse(time.RFC3339, strings.ToUpper(a))
		bt, err2 := time.Parse(time.RFC3339, strings.ToUpper(b))
		if err1 != nil || err2 != nil {
			return false
		}
		order = at.Compare(bt)
	}
	switch c.op {
	case "co":
		return strings.Contains(a, b)
	case "sw":
		return strings.HasPrefix(a, b)
	case "ew":
		return strings.HasSuffix(a, b)
	case "gt":
		return order > 0
	case "ge":
		return order >= 0
	case "lt":
		return order < 0
	default: // le
		return order <= 0
	}
}

// get returns what stands at the reference, nil for nothing. Sub-attributes of a multi-valued attribute are a list.
func (r ref) get(o object) any {
	if r.ext != nil {
		inner, ok := o[r.ext.urn].(object)
		if !ok || r.attr == nil {
			return o[r.ext.urn]
		}
		o = inner
	}
	v := o[r.attr.name]
	if r.sub == nil {
		return v
	}
	var list []any
	for _, e := range elements(v) {
		if inner, ok := e[r.sub.name]; ok {
			list = append(list, inner)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// values returns the one or many values.
func values(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// elements returns the complex ones of the one or many values.
func elements(v any) (list []object) {
	for _, e := range values(v) {
		if o, ok := e.(object); ok {
			list = append(list, o)
		}
	}
	return list
}

// textOf reads a text, or a number as it was written.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// truthOf reads a truth value. Entra writes it as a text, with a capital.
func truthOf(v any) (truth, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case string:
		return strings.EqualFold(v, "true"), strings.EqualFold(v, "true") || strings.EqualFold(v, "false")
	}
	return false, false
}

// fold makes texts comparable where letter case does not count.
func fold(s string) string { return strings.ToLower(s) }
