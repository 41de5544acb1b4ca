package wire

import (
	"fmt"

	goldap "github.com/go-ldap/ldap/v3"
)

// Scope is how far below the base a search looks.
type Scope int64

// The scopes (RFC 4511 section 4.5.1.2).
const (
	Base Scope = iota
	OneLevel
	Subtree
)

// Search is one search request. Aliases are not followed.
type Search struct {
	Base       string
	Scope      Scope
	SizeLimit  int    // 0: none
	Filter     string // RFC 4515; values in it are escaped by the caller
	Attributes []string
	Controls   []Control
}

// Search asks and calls entry with each entry of the answer, as it comes. Continuation references are passed over: nobody follows
// them. It returns the controls of the end. An error of entry ends it; the connection is then of no more use, as after any other
// error but a *goldap.Error, the server's own.
func (c *Conn) Search(q Search, entry func(*Entry) error) ([]Control, error) {
	op, err := q.encode()
	if err != nil {
		return nil, err
	}
	if err := c.send(op, q.Controls); err != nil {
		return nil, err
	}
	for {
		tag, content, controls, err := c.answer()
		if err != nil {
			return nil, err
		}
		switch tag {
		case tagSearchEntry:
			if err := c.entry.parse(content); err != nil {
				return nil, notLDAP(err)
			}
			if err := entry(&c.entry); err != nil {
				return nil, err
			}
		case tagSearchReference:
		case tagSearchDone:
			if err := result(content); err != nil {
				return nil, err
			}
			list, err := parseControls(controls)
			if err != nil {
				return nil, notLDAP(err)
			}
			return list, nil
		default:
			return nil, notLDAP(fmt.Errorf("an answer with the tag %#02x to a search", tag))
		}
	}
}

func (q Search) encode() ([]byte, error) {
	filter, err := goldap.CompileFilter(q.Filter)
	if err != nil {
		return nil, fmt.Errorf("the filter %s: %w", q.Filter, err)
	}
	var names []byte
	for _, name := range q.Attributes {
		names = append(names, octets(name)...)
	}
	return put(nil, tagSearchRequest, octets(q.Base), number(tagEnumerated, int64(q.Scope)), number(tagEnumerated, goldap.NeverDerefAliases),
		number(tagInteger, int64(q.SizeLimit)), number(tagInteger, 0), []byte{tagBoolean, 1, 0}, filter.Bytes(), put(nil, tagSequence, names)), nil
}
