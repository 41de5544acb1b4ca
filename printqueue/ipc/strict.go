package ipc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// ErrFrame says that what came is not a frame of this protocol. The connection is of no use after it.
var ErrFrame = errors.New("not a frame of this protocol")

// maxDepth is how deep the JSON of a frame may nest; what we send is three deep.
const maxDepth = 8

// decode reads strict JSON: one value in UTF-8, no unknown fields, no field twice, names exactly as they are written
// (encoding/json alone takes "VERB" for "verb" and the last of two). Errors never quote what came.
func decode(text []byte, v any) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: not UTF-8", ErrFrame)
	}
	if err := checkNames(json.NewDecoder(bytes.NewReader(text))); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: the JSON is not what it must be", ErrFrame)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the JSON", ErrFrame)
	}
	return nil
}

// level is an object or array that is being read.
type level struct {
	names map[string]bool // nil in an array
	value bool            // a name was read, its value is next
}

// checkNames walks through the JSON once and looks at the names of fields.
func checkNames(d *json.Decoder) error {
	var open []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: no JSON", ErrFrame)
		}
		if len(open) > 0 {
			top := &open[len(open)-1]
			if name, ok := token.(string); ok && top.names != nil && !top.value {
				if top.names[name] || strings.ContainsFunc(name, notOurs) {
					return fmt.Errorf("%w: a field comes twice, or is none", ErrFrame)
				}
				top.names[name], top.value = true, true
				continue
			}
			top.value = false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}})
		case json.Delim('['):
			open = append(open, level{})
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) > maxDepth {
			return fmt.Errorf("%w: nested too deep", ErrFrame)
		}
	}
}

// notOurs tells whether no field of ours has the character in its name.
func notOurs(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
