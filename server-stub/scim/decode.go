package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Limits of what a request may bring (R-SCIM-3).
const (
	maxBody       = 1 << 20
	maxFilter     = 4 << 10
	maxDepth      = 16
	maxOperations = 1000
	maxValues     = 100      // of one attribute
	maxDocument   = 64 << 10 // of a resource as it is kept, members apart
)

// object is a JSON object. Values are string, bool, json.Number, nil, object and []any.
type object = map[string]any

// decode reads one JSON object. Keys that stand twice are refused: of two values nobody could say which one is meant.
func decode(data []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := decodeValue(dec, 0)
	if err != nil {
		var f *failure
		if errors.As(err, &f) {
			return nil, f
		}
		return nil, wrong(invalidSyntax, "the body is not JSON as it must be")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, wrong(invalidSyntax, "something stands behind the JSON object")
	}
	o, ok := v.(object)
	if !ok {
		return nil, wrong(invalidSyntax, "the body is no JSON object")
	}
	return o, nil
}

func decodeValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth++; depth > maxDepth {
		return nil, wrong(invalidSyntax, "the body is nested deeper than %d levels", maxDepth)
	}
	if delim == '[' {
		return decodeList(dec, depth)
	}
	return decodeObject(dec, depth)
}

func decodeList(dec *json.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.More() {
		v, err := decodeValue(dec, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := dec.Token() // the bracket
	return list, err
}

func decodeObject(dec *json.Decoder, depth int) (any, error) {
	o := object{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		if _, twice := o[key]; twice {
			return nil, wrong(invalidSyntax, "%q stands twice in one object", shorten(key))
		}
		if o[key], err = decodeValue(dec, depth); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token() // the brace
	return o, err
}
