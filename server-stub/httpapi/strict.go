package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep JSON may be nested (SECURITY.md C4).
const maxDepth = 32

// errJSON is all that is said of JSON that cannot be accepted: a message of encoding/json may quote it.
var errJSON = errors.New("the body is not acceptable JSON")

// unmarshal is encoding/json without its leniency: invalid UTF-8, a key that stands twice in one object, anything behind
// the value, and deep nesting are refused. Unknown keys are the schema's business.
func unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) || strictJSON(data) != nil {
		return errJSON
	}
	if json.Unmarshal(data, v) != nil {
		return errJSON
	}
	return nil
}

// strictJSON walks the tokens once.
func strictJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := strictValue(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errJSON
	}
	return nil
}

func strictValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil || depth > maxDepth {
		return errJSON
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	keys := map[string]bool{}
	for dec.More() {
		if delim == '{' {
			key, err := dec.Token()
			name, ok := key.(string)
			if err != nil || !ok || keys[name] {
				return errJSON
			}
			keys[name] = true
		}
		if err := strictValue(dec, depth+1); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errJSON
	}
	return nil
}

// fieldNames collects the names by which the fields of input types are known on the wire.
func fieldNames(inputs ...any) map[string]bool {
	names := map[string]bool{}
	for _, in := range inputs {
		t := reflect.TypeOf(in)
		for i := range t.NumField() {
			for _, tag := range []string{"json", "query", "path"} {
				if name, _, _ := strings.Cut(t.Field(i).Tag.Get(tag), ","); name != "" {
					names[name] = true
				}
			}
		}
	}
	return names
}
