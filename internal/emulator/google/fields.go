package google

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// mask is a partial response: the fields that are shown, each with its own mask, nil for all below.
type mask map[string]mask

// parseFields reads the parameter fields: a,b(c,d/e).
// Source: developers.google.com, "Performance tips", partial response.
func parseFields(text string) (mask, error) {
	m, rest, err := fieldList(text)
	if err != nil || rest != "" {
		return nil, invalid("Invalid field selection %s", text)
	}
	return m, nil
}

func fieldList(text string) (mask, string, error) {
	m := mask{}
	for {
		end := strings.IndexAny(text, ",()")
		if end < 0 {
			end = len(text)
		}
		path := strings.Split(text[:end], "/")
		at := m
		for i, name := range path {
			if name == "" {
				return nil, "", invalid("Invalid field selection %s", text)
			}
			if i < len(path)-1 {
				if at[name] == nil {
					at[name] = mask{}
				}
				at = at[name]
			}
		}
		last := path[len(path)-1]
		at[last] = nil
		text = text[end:]
		if strings.HasPrefix(text, "(") {
			below, rest, err := fieldList(text[1:])
			if err != nil || !strings.HasPrefix(rest, ")") {
				return nil, "", invalid("Invalid field selection %s", text)
			}
			at[last] = below
			text = rest[1:]
		}
		if !strings.HasPrefix(text, ",") {
			return m, text, nil
		}
		text = text[1:]
	}
}

// of shows of an object what the mask has.
func (m mask) of(o object) object {
	shown := object{}
	for name, below := range m {
		value, ok := o[name]
		if !ok {
			continue
		}
		shown[name] = below.value(value)
	}
	return shown
}

func (m mask) value(v any) any {
	if m == nil {
		return v
	}
	switch v := v.(type) {
	case object:
		return m.of(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = m.value(v[i])
		}
		return list
	}
	return v
}

func (t pageToken) text() string {
	raw, err := json.Marshal(t)
	if err != nil {
		panic(err) // a struct of texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parseToken(text string) (t pageToken, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return t, err
	}
	return t, json.Unmarshal(raw, &t)
}
