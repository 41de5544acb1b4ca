package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode"

	goldap "github.com/go-ldap/ldap/v3"
)

// maxMessage is the longest message that is taken: a group with some 200,000 members in one answer fits.
const maxMessage = 16 << 20

// firstBuffer is what a connection begins with: more than a TLS record.
const firstBuffer = 64 << 10

// Conn is one connection. It asks one thing at a time and is not safe for concurrent use; closing the net.Conn from elsewhere
// ends what it waits for.
type Conn struct {
	raw    net.Conn
	id     int64
	buffer []byte
	r, w   int // what was read and not taken yet is buffer[r:w]
	entry  Entry
}

// New speaks LDAP on raw, which stays the caller's to close.
func New(raw net.Conn) *Conn { return &Conn{raw: raw, buffer: make([]byte, firstBuffer)} }

// next returns the next message's content. It holds until the next call.
func (c *Conn) next() ([]byte, error) {
	for {
		have := c.buffer[c.r:c.w]
		tag, length, n, err := header(have)
		switch {
		case err != nil:
			return nil, notLDAP(err)
		case n > 0 && tag != tagSequence:
			return nil, notLDAP(fmt.Errorf("a message with the tag %#02x", tag))
		case n > 0 && len(have) >= n+length:
			c.r += n + length
			return have[n : n+length : n+length], nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// notLDAP says that the server does not keep to the protocol.
func notLDAP(err error) error { return fmt.Errorf("the answer is not LDAP, or damaged: %w", err) }

// fill reads more. The buffer grows with what has come, never with what a server only announces.
func (c *Conn) fill() error {
	if c.r > 0 && (c.r == c.w || c.w == len(c.buffer)) {
		c.w = copy(c.buffer, c.buffer[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.buffer) {
		c.buffer = append(c.buffer, make([]byte, len(c.buffer))...)
	}
	n, err := c.raw.Read(c.buffer[c.w:])
	c.w += n
	switch {
	case n > 0:
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the server ended the connection: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return err
	}
	return io.ErrNoProgress
}

// send sends a request of its own number.
func (c *Conn) send(op []byte, controls []Control) error {
	c.id++
	_, err := c.raw.Write(put(nil, tagSequence, number(tagInteger, c.id), op, encodeControls(controls)))
	return err
}

// answer reads the next answer to the last request.
func (c *Conn) answer() (tag byte, content, controls []byte, err error) {
	message, err := c.next()
	if err != nil {
		return 0, nil, nil, err
	}
	raw, rest, err := expect(message, tagInteger, "the number of a message")
	if err != nil {
		return 0, nil, nil, notLDAP(err)
	}
	id, err := integer(raw)
	if err != nil {
		return 0, nil, nil, notLDAP(err)
	}
	tag, content, rest, err = element(rest)
	if err != nil {
		return 0, nil, nil, notLDAP(err)
	}
	if id == 0 && tag == tagExtendedResponse {
		return 0, nil, nil, fmt.Errorf("the server says goodbye: %w", orUnknown(result(content)))
	}
	if id != c.id {
		return 0, nil, nil, notLDAP(fmt.Errorf("an answer to request %d instead of %d", id, c.id))
	}
	if len(rest) > 0 {
		if controls, rest, err = expect(rest, tagControls, "what follows an answer"); err != nil || len(rest) > 0 {
			return 0, nil, nil, notLDAP(errors.Join(err, fmt.Errorf("%d bytes after an answer", len(rest))))
		}
	}
	return tag, content, controls, nil
}

func orUnknown(err error) error {
	if err == nil {
		return errors.New("without a reason")
	}
	return err
}

// result reads an LDAPResult (RFC 4511 section 4.1.9): nil for success, else a *goldap.Error with its code.
func result(content []byte) error {
	raw, rest, err := expect(content, tagEnumerated, "the code of a result")
	if err != nil {
		return notLDAP(err)
	}
	code, err := integer(raw)
	if err != nil || code < 0 || code >= int64(goldap.ErrorNetwork) { // codes from there on are go-ldap's own
		return notLDAP(fmt.Errorf("a result with the code %d", code))
	}
	_, rest, err = expect(rest, tagOctetString, "the name in a result")
	if err != nil {
		return notLDAP(err)
	}
	text, _, err := expect(rest, tagOctetString, "the text of a result")
	if err != nil {
		return notLDAP(err)
	}
	if code == goldap.LDAPResultSuccess {
		return nil
	}
	return goldap.NewError(uint16(code), errors.New(OneLine(text)))
}

// maxDiagnostic is how much of a server's own words is taken, in characters.
const maxDiagnostic = 300

// OneLine makes one short line of what a server says: its words go into logs, mail and terminals.
func OneLine(text []byte) string {
	text = text[:min(len(text), 4*maxDiagnostic)]
	out := []rune(strings.Join(strings.FieldsFunc(strings.ToValidUTF8(string(text), " "), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf)
	}), " "))
	if len(out) > maxDiagnostic {
		out = append(out[:maxDiagnostic], []rune("...")...)
	}
	return string(out)
}

// only reads the one answer to a request that has one.
func (c *Conn) only(want byte) error {
	tag, content, _, err := c.answer()
	switch {
	case err != nil:
		return err
	case tag != want:
		return notLDAP(fmt.Errorf("an answer with the tag %#02x instead of %#02x", tag, want))
	}
	return result(content)
}

// Bind signs in with a name and a password. The caller must refuse an empty password: it would be an anonymous bind.
func (c *Conn) Bind(dn, password string) error {
	op := put(nil, tagBindRequest, number(tagInteger, 3), octets(dn), put(nil, tagSimplePassword, []byte(password)))
	if err := c.send(op, nil); err != nil {
		return err
	}
	return c.only(tagBindResponse)
}

// StartTLS asks for encryption. When it returns nil the caller makes a TLS connection of the net.Conn and goes on with a new Conn.
func (c *Conn) StartTLS() error {
	if err := c.send(put(nil, tagExtendedRequest, put(nil, tagExtendedName, []byte(oidStartTLS))), nil); err != nil {
		return err
	}
	if err := c.only(tagExtendedResponse); err != nil {
		return err
	}
	if c.r != c.w { // somebody in between could have written it
		return errors.New("the server goes on in the clear after it agreed to StartTLS")
	}
	return nil
}
