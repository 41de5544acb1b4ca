package wire

import (
	"errors"
	"fmt"
)

// Control goes with a request or an answer (RFC 4511 section 4.1.11).
type Control struct {
	Type     string // an OID
	Critical bool
	Value    []byte // nil: none
}

// The OIDs of the controls that are used.
const (
	OIDPaging      = "1.2.840.113556.1.4.319" // RFC 2696
	OIDShowDeleted = "1.2.840.113556.1.4.417" // MS-ADTS 3.1.1.3.4.1.14
	OIDNotify      = "1.2.840.113556.1.4.528" // MS-ADTS 3.1.1.3.4.1.9
	OIDExtendedDN  = "1.2.840.113556.1.4.529" // MS-ADTS 3.1.1.3.4.1.5
	OIDDirSync     = "1.2.840.113556.1.4.841" // MS-ADTS 3.1.1.3.4.1.3
	oidStartTLS    = "1.3.6.1.4.1.1466.20037" // RFC 4511 section 4.14
	dirSyncSecured = 0x1                      // LDAP_DIRSYNC_OBJECT_SECURITY: what the account may read, without replication rights
	dirSyncValues  = -0x80000000              // LDAP_DIRSYNC_INCREMENTAL_VALUES: not all members of a group again
	dirSyncBytes   = 8 << 20                  // the most of one answer
)

// Paging asks for the next page of at most size entries, from cookie on.
func Paging(size int, cookie []byte) Control {
	return Control{OIDPaging, true, put(nil, tagSequence, number(tagInteger, int64(size)), put(nil, tagOctetString, cookie))}
}

// ShowDeleted lets a search see deleted entries.
func ShowDeleted() Control { return Control{OIDShowDeleted, true, nil} }

// Notify makes a search stay open and answer with each entry that changes.
func Notify() Control { return Control{OIDNotify, true, nil} }

// ExtendedDN makes DNs come as <GUID=text>;<SID=text>;DN.
func ExtendedDN() Control {
	return Control{OIDExtendedDN, true, put(nil, tagSequence, number(tagInteger, 1))}
}

// DirSync asks for what changed since the cookie, nil: for everything.
func DirSync(cookie []byte) Control {
	return Control{OIDDirSync, true, put(nil, tagSequence, number(tagInteger, dirSyncSecured+dirSyncValues), number(tagInteger, dirSyncBytes), put(nil, tagOctetString, cookie))}
}

func find(controls []Control, oid string) (Control, bool) {
	for _, c := range controls {
		if c.Type == oid {
			return c, true
		}
	}
	return Control{}, false
}

// NextPage returns the cookie of the answer to a Paging request, nil on the last page.
func NextPage(controls []Control) ([]byte, error) {
	c, ok := find(controls, OIDPaging)
	if !ok {
		return nil, nil
	}
	value, _, err := expect(c.Value, tagSequence, "the paging control")
	if err != nil {
		return nil, err
	}
	if _, value, err = expect(value, tagInteger, "the size in the paging control"); err != nil {
		return nil, err
	}
	cookie, _, err := expect(value, tagOctetString, "the cookie in the paging control")
	return cookie, err
}

// AfterDirSync returns the cookie of the answer to a DirSync request, and whether there is more to ask for at once.
func AfterDirSync(controls []Control) (cookie []byte, more bool, err error) {
	c, ok := find(controls, OIDDirSync)
	if !ok {
		return nil, false, errors.New("the answer has no DirSync control")
	}
	value, _, err := expect(c.Value, tagSequence, "the DirSync control")
	if err != nil {
		return nil, false, err
	}
	flag, value, err := expect(value, tagInteger, "the flag in the DirSync control")
	if err != nil {
		return nil, false, err
	}
	n, err := integer(flag)
	if err != nil {
		return nil, false, fmt.Errorf("the flag in the DirSync control: %w", err)
	}
	if _, value, err = expect(value, tagInteger, "the size in the DirSync control"); err != nil {
		return nil, false, err
	}
	cookie, _, err = expect(value, tagOctetString, "the cookie in the DirSync control")
	return cookie, n != 0, err
}

// encodeControls is the element of a message.
func encodeControls(controls []Control) []byte {
	if len(controls) == 0 {
		return nil
	}
	var list []byte
	for _, c := range controls {
		parts := [][]byte{octets(c.Type)}
		if c.Critical {
			parts = append(parts, []byte{tagBoolean, 1, 0xff})
		}
		if c.Value != nil {
			parts = append(parts, put(nil, tagOctetString, c.Value))
		}
		list = put(list, tagSequence, parts...)
	}
	return put(nil, tagControls, list)
}

// maxControls is how many controls an answer may have.
const maxControls = 32

// parseControls reads the content of the element. Values are copied: they outlive the buffer.
func parseControls(list []byte) ([]Control, error) {
	var controls []Control
	for len(list) > 0 {
		if len(controls) == maxControls {
			return nil, fmt.Errorf("an answer has more than %d controls", maxControls)
		}
		one, rest, err := expect(list, tagSequence, "a control")
		if err != nil {
			return nil, err
		}
		oid, one, err := expect(one, tagOctetString, "the type of a control")
		if err != nil {
			return nil, err
		}
		c := Control{Type: string(oid)}
		for len(one) > 0 {
			tag, content, next, err := element(one)
			if err != nil {
				return nil, fmt.Errorf("the control %s: %w", c.Type, err)
			}
			switch tag {
			case tagBoolean:
				c.Critical = len(content) == 1 && content[0] != 0
			case tagOctetString:
				c.Value = append([]byte{}, content...)
			default:
				return nil, fmt.Errorf("the control %s: tag %#02x", c.Type, tag)
			}
			one = next
		}
		controls, list = append(controls, c), rest
	}
	return controls, nil
}
