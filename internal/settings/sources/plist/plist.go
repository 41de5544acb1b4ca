// Package plist reads the simple part of an XML property list: the keys of its outermost dictionary whose values are texts,
// numbers, booleans, lists of texts, or dictionaries of these. It is a package of its own so that only the macOS build carries an XML parser.
package plist

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Entry is a key with its value as text: true and false for booleans, list items joined with commas. A dictionary has its own
// keys instead (Dict is not nil then).
type Entry struct {
	Name string
	Text string
	Dict []Entry
}

// ErrFormat says that the text is not a property list with a dictionary.
var ErrFormat = errors.New("not an XML property list")

// Parse returns the keys in their order. Values of other kinds (data, dates, dictionaries in dictionaries) are left out.
func Parse(text []byte) ([]Entry, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	if err := find(d, "plist"); err != nil {
		return nil, err
	}
	if err := find(d, "dict"); err != nil {
		return nil, err
	}
	return dict(d, true)
}

// dict reads the keys of a dictionary to its end; deeper tells whether dictionaries in it are read.
func dict(d *xml.Decoder, deeper bool) ([]Entry, error) {
	entries := []Entry{}
	key := ""
	for {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		switch t := token.(type) {
		case xml.EndElement: // of the dict
			return entries, nil
		case xml.StartElement:
			if t.Name.Local == "dict" && deeper {
				inner, err := dict(d, false)
				if err != nil {
					return nil, err
				}
				if key != "" {
					entries, key = append(entries, Entry{Name: key, Dict: inner}), ""
				}
				continue
			}
			value, ok, err := read(d, t)
			switch {
			case err != nil:
				return nil, fmt.Errorf("%w: %w", ErrFormat, err)
			case t.Name.Local == "key":
				key = value
			case ok && key != "":
				entries, key = append(entries, Entry{Name: key, Text: value}), ""
			default:
				key = ""
			}
		}
	}
}

// find skips to the next element, which must have that name.
func find(d *xml.Decoder, name string) error {
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return ErrFormat
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if start, ok := token.(xml.StartElement); ok {
			if start.Name.Local != name {
				return fmt.Errorf("%w: <%s> where <%s> should be", ErrFormat, start.Name.Local, name)
			}
			return nil
		}
	}
}

// read takes one whole element; ok tells whether it is of a kind we know.
func read(d *xml.Decoder, start xml.StartElement) (text string, ok bool, err error) {
	switch start.Name.Local {
	case "key", "string", "integer", "real":
		err = d.DecodeElement(&text, &start)
		return strings.TrimSpace(text), true, err
	case "true", "false":
		return start.Name.Local, true, d.Skip()
	case "array":
		var list struct {
			Items []string `xml:"string"`
		}
		err = d.DecodeElement(&list, &start)
		return strings.Join(list.Items, ","), true, err
	default:
		return "", false, d.Skip()
	}
}
