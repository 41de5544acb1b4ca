package wire

import (
	"errors"
	"fmt"
)

// Tags of BER (X.690) and of LDAP messages (RFC 4511 section 4.2 on).
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagEnumerated  = 0x0a
	tagSequence    = 0x30
	tagSet         = 0x31

	tagBindRequest      = 0x60
	tagBindResponse     = 0x61
	tagSearchRequest    = 0x63
	tagSearchEntry      = 0x64
	tagSearchDone       = 0x65
	tagSearchReference  = 0x73
	tagExtendedRequest  = 0x77
	tagExtendedResponse = 0x78

	tagControls       = 0xa0 // [0] of a message
	tagExtendedName   = 0x80 // [0] of an extended request
	tagSimplePassword = 0x80 // [0] of a bind request
)

// errTruncated: an element claims more than there is.
var errTruncated = errors.New("an element is longer than what holds it")

// header reads the tag and the length at the start of b. n is the size of both, 0 when b is too short to tell.
func header(b []byte) (tag byte, length, n int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, nil
	}
	tag = b[0]
	if tag&0x1f == 0x1f {
		return 0, 0, 0, errors.New("a tag of several bytes, which LDAP has not")
	}
	if b[1] < 0x80 {
		return tag, int(b[1]), 2, nil
	}
	count := int(b[1] & 0x7f)
	switch {
	case count == 0:
		return 0, 0, 0, errors.New("an indefinite length, which LDAP forbids")
	case count > 4:
		return 0, 0, 0, fmt.Errorf("a length of %d bytes", count)
	case len(b) < 2+count:
		return 0, 0, 0, nil
	}
	var size uint32
	for _, c := range b[2 : 2+count] {
		size = size<<8 | uint32(c)
	}
	if size > maxMessage {
		return 0, 0, 0, fmt.Errorf("an element of %d bytes; %d are the most that is taken", size, maxMessage)
	}
	return tag, int(size), 2 + count, nil
}

// element takes the first element off b.
func element(b []byte) (tag byte, content, rest []byte, err error) {
	tag, length, n, err := header(b)
	switch {
	case err != nil:
		return 0, nil, nil, err
	case n == 0 || len(b)-n < length:
		return 0, nil, nil, errTruncated
	}
	return tag, b[n : n+length : n+length], b[n+length:], nil
}

// expect takes the first element off b, which must have the tag.
func expect(b []byte, want byte, what string) (content, rest []byte, err error) {
	tag, content, rest, err := element(b)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", what, err)
	case tag != want:
		return nil, nil, fmt.Errorf("%s: tag %#02x instead of %#02x", what, tag, want)
	}
	return content, rest, nil
}

// integer reads the content of an INTEGER or ENUMERATED.
func integer(content []byte) (int64, error) {
	if len(content) == 0 || len(content) > 8 {
		return 0, fmt.Errorf("an integer of %d bytes", len(content))
	}
	n := int64(int8(content[0])) // the sign is in the first bit
	for _, b := range content[1:] {
		n = n<<8 | int64(b)
	}
	return n, nil
}

// put appends an element made of parts.
func put(b []byte, tag byte, parts ...[]byte) []byte {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	b = append(b, tag)
	switch {
	case length < 0x80:
		b = append(b, byte(length))
	case length < 1<<8:
		b = append(b, 0x81, byte(length))
	case length < 1<<16:
		b = append(b, 0x82, byte(length>>8), byte(length))
	default:
		b = append(b, 0x84, byte(length>>24), byte(length>>16), byte(length>>8), byte(length))
	}
	for _, part := range parts {
		b = append(b, part...)
	}
	return b
}

// number is an INTEGER, or an ENUMERATED with that tag.
func number(tag byte, n int64) []byte {
	var raw [8]byte
	size := 1
	for size < 8 && (n < -1<<(8*size-1) || n >= 1<<(8*size-1)) {
		size++
	}
	for i := range size {
		raw[i] = byte(n >> (8 * (size - 1 - i)))
	}
	return put(nil, tag, raw[:size])
}

func octets(text string) []byte { return put(nil, tagOctetString, []byte(text)) }
