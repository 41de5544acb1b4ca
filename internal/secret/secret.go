// Package secret has the type for passwords and tokens in transit. A String cannot be printed, logged or marshalled
// by accident: every formatting road shows "***", or an address at worst. Only Reveal gives the text, so its callers are
// easy to review.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const hidden = "***"

// String holds a password, token or key. The zero value is empty. Compare with Equal; == does not compile.
//
// The text is behind a pointer, because package fmt cannot call the methods of a value in an unexported field: what it
// then prints is an address.
type String struct {
	_    [0]func() // makes it incomparable
	text *string
}

// New wraps text.
func New(text string) String { return String{text: &text} }

// Reveal returns the text. Call it only where the secret leaves for its destination (a bind, a hash, a request body).
func (s String) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Equal tells whether both hold the same text, in a time that depends on their lengths only.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Empty tells whether there is no text.
func (s String) Empty() bool { return s.Reveal() == "" }

// String implements fmt.Stringer and shows nothing.
func (s String) String() string { return hidden }

// Format implements fmt.Formatter, so that %v, %+v, %#v, %q, %x and %s of a String, also inside a struct, show nothing.
func (s String) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer and shows nothing.
func (s String) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler (JSON and YAML too) and shows nothing: what must carry the text on the
// wire calls Reveal into a plain string field on purpose.
func (s String) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText implements encoding.TextUnmarshaler, so that requests and files can be read straight into a String.
func (s *String) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}
