package cli

import (
	"bytes"
	"io"
	"unicode"
)

// plain writes what a terminal only shows: names and help texts come from a server and its identity providers, and what they
// hold must neither move the cursor nor make one account look like another.
type plain struct{ to io.Writer }

// Write implements io.Writer.
func (w plain) Write(p []byte) (int, error) {
	if _, err := w.to.Write(bytes.Map(tamed, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// tamed puts a space in the place of control characters and of those that turn the direction of writing around.
func tamed(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return ' '
	}
	return r
}
