package scim

import (
	"net/http"
	"strings"
	"unicode"
)

// maxValue is the longest text of an attribute, in bytes.
const maxValue = 4 << 10

// notes gathers what a request brought that was left out, for the provisioning log: names, never values.
type notes struct{ list []string }

// ignore notes the name of something left out, once.
func (n *notes) ignore(what string) {
	const most = 12
	what = shorten(what)
	if len(n.list) > most {
		return
	}
	if len(n.list) == most {
		what = "..."
	}
	for _, have := range n.list {
		if have == what {
			return
		}
	}
	n.list = append(n.list, what)
}

func (n *notes) String() string {
	if len(n.list) == 0 {
		return ""
	}
	return "ignored: " + strings.Join(n.list, ", ")
}

// read brings a value into the form its attribute has: a list for a multi-valued one. nil is "none".
func (a *attribute) read(v any, n *notes) (any, error) {
	if !a.multi {
		if list, ok := v.([]any); ok { // Entra writes [{"$ref": null, "value": "x"}] for x
			switch len(list) {
			case 0:
				return nil, nil //nolint:nilnil // no value
			case 1:
				v = list[0]
			default:
				return nil, wrong(invalidValue, "%s has one value, not %d", a.name, len(list))
			}
		}
		return a.readOne(v, n)
	}
	var list []any
	if n := len(values(v)); n > maxValues {
		return nil, refuse(http.StatusRequestEntityTooLarge, tooMany, "%s has %d values; %d are the most", a.name, n, maxValues)
	}
	for _, e := range values(v) {
		one, err := a.readOne(e, n)
		if err != nil {
			return nil, err
		}
		if one != nil {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // no value
	}
	return list, nil
}

func (a *attribute) readOne(v any, n *notes) (any, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // no value
	}
	if a.kind == kindComplex {
		return a.readComplex(v, n)
	}
	if o, ok := v.(object); ok { // {"value": "x"} for x
		inner, has := o["value"]
		if !has || inner == nil {
			return nil, wrong(invalidValue, "%s is no object", a.name)
		}
		v = inner
	}
	if a.kind == kindBoolean {
		truth, ok := truthOf(v)
		if !ok {
			return nil, wrong(invalidValue, "%s must be true or false", a.name)
		}
		return truth, nil
	}
	text, ok := textOf(v)
	switch {
	case !ok:
		return nil, wrong(invalidValue, "%s must be a text", a.name)
	case len(text) > maxValue:
		return nil, wrong(invalidValue, "%s is longer than %d bytes", a.name, maxValue)
	case strings.ContainsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || r == 0 }):
		return nil, wrong(invalidValue, "%s has characters that are not Unicode", a.name)
	}
	return text, nil
}

// readComplex reads the sub-attributes there are; a lone text is the value: Entra writes a manager so.
func (a *attribute) readComplex(v any, n *notes) (any, error) {
	in, ok := v.(object)
	if !ok {
		text, isText := textOf(v)
		if !isText || find(a.sub, "value") == nil {
			return nil, wrong(invalidValue, "%s must be an object", a.name)
		}
		in = object{"value": text}
	}
	out := object{}
	for key, inner := range in {
		sub := find(a.sub, key)
		if sub == nil {
			n.ignore(a.name + "." + key)
			continue
		}
		if _, twice := out[sub.name]; twice {
			return nil, wrong(invalidSyntax, "%s.%s stands twice", a.name, sub.name)
		}
		one, err := sub.read(inner, n)
		if err != nil {
			return nil, err
		}
		if one != nil {
			out[sub.name] = one
		}
	}
	if len(out) == 0 {
		return nil, nil //nolint:nilnil // no value
	}
	return out, nil
}
