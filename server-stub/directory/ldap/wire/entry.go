package wire

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
)

// Entry is a search result entry. DN and values are slices of the reader's buffer: they hold until the function that was given
// the entry returns; Clone keeps them.
type Entry struct {
	DN         []byte
	attributes []attribute
	raw        []byte // name and attributes as they came
}

// maxAttributes is how many attributes an entry may have: some dozens are asked for. Each takes eight times the memory that it
// takes on the wire at least, so a server must not choose their number.
const maxAttributes = 1000

// attribute is one of an entry; values is the content of the SET, checked.
type attribute struct {
	name, values []byte
}

// ParseEntry reads the content of a SearchResultEntry (RFC 4511 section 4.5.2), which the entry then is made of.
func ParseEntry(content []byte) (*Entry, error) {
	e := new(Entry)
	return e, e.parse(content)
}

// parse reads into e, whose memory is used again.
func (e *Entry) parse(content []byte) (err error) {
	e.raw, e.attributes = content, e.attributes[:0]
	var list []byte
	if e.DN, list, err = expect(content, tagOctetString, "the name of an entry"); err != nil {
		return err
	}
	if list, _, err = expect(list, tagSequence, "the attributes of an entry"); err != nil {
		return err
	}
	for len(list) > 0 {
		if len(e.attributes) == maxAttributes {
			return fmt.Errorf("an entry has more than %d attributes", maxAttributes)
		}
		var one []byte
		var a attribute
		if one, list, err = expect(list, tagSequence, "an attribute"); err != nil {
			return err
		}
		if a.name, one, err = expect(one, tagOctetString, "the name of an attribute"); err != nil {
			return err
		}
		if a.values, _, err = expect(one, tagSet, "the values of an attribute"); err != nil {
			return err
		}
		for rest := a.values; len(rest) > 0; {
			if _, rest, err = expect(rest, tagOctetString, "a value"); err != nil {
				return err
			}
		}
		e.attributes = append(e.attributes, a)
	}
	return nil
}

// Raw is the entry as it came, for a fingerprint.
func (e *Entry) Raw() []byte { return e.raw }

// Clone returns a copy that lasts.
func (e *Entry) Clone() *Entry {
	c := new(Entry)
	_ = c.parse(bytes.Clone(e.raw)) // was parsed already
	return c
}

// Value returns the first value of the attribute, nil when there is none. Names are compared without case (RFC 4512 section 2.5).
func (e *Entry) Value(name string) []byte {
	for value := range e.Values(name) {
		return value
	}
	return nil
}

// Text is Value as text.
func (e *Entry) Text(name string) string { return string(e.Value(name)) }

// Values goes through the values of the attribute.
func (e *Entry) Values(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, a := range e.attributes {
			if sameName(a.name, name) {
				for value := range a.each() {
					if !yield(value) {
						return
					}
				}
			}
		}
	}
}

// Ranges goes through the options of attributes that have the name and an option, such as "range=0-1499" of "member;range=0-1499",
// with their values.
func (e *Entry) Ranges(name string) iter.Seq2[string, iter.Seq[[]byte]] {
	return func(yield func(string, iter.Seq[[]byte]) bool) {
		for _, a := range e.attributes {
			base, option, found := bytes.Cut(a.name, []byte{';'})
			if found && sameName(base, name) && !yield(strings.ToLower(string(option)), a.each()) {
				return
			}
		}
	}
}

func (a attribute) each() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := a.values; len(rest) > 0; {
			_, value, next, err := element(rest)
			if err != nil || !yield(value) { // no error: parse has checked it
				return
			}
			rest = next
		}
	}
}

// sameName compares attribute names, which are ASCII.
func sameName(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		d := b[i]
		if c != d && (c|0x20 != d|0x20 || c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}
