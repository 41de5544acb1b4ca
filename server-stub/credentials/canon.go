package credentials

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// Bounds of values, in characters of the canonical form.
const (
	minValue = 4
	maxValue = 64
	minPIN   = 4
	maxPIN   = 16
)

// CanonCode brings an access code to the one form it is kept and looked up in. Its error is core.ErrInvalid and does not repeat the code.
func CanonCode(code secret.String) (secret.String, error) {
	var b strings.Builder
	for _, r := range code.Reveal() {
		switch {
		case r == ' ' || r == '-' || r == '_' || r == '\t' || r == '\u00a0' || r == '\u2010' || r == '\u2011' || r == '\u2013':
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
		default:
			return secret.String{}, fmt.Errorf("%w: an access code has letters A to Z and digits only", core.ErrInvalid)
		}
		switch r {
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		b.WriteRune(r)
	}
	return bounded("an access code", b.String())
}

// CanonCard brings a card number to the one form it is kept and looked up in. Its error is core.ErrInvalid and does not repeat the number.
func CanonCard(number secret.String) (secret.String, error) {
	var b strings.Builder
	for _, r := range number.Reveal() {
		switch {
		case r == ' ' || r == '-' || r == ':' || r == '.' || r == '_' || r == '\t' || r == '\r' || r == '\n' || r == '\u00a0':
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		case r < '!' || r > '~':
			return secret.String{}, fmt.Errorf("%w: a card number has letters A to Z, digits and common signs only", core.ErrInvalid)
		}
		b.WriteRune(r)
	}
	return bounded("a card number", b.String())
}

// CanonPIN checks a PIN. Its error is core.ErrInvalid and does not repeat the PIN.
func CanonPIN(pin secret.String) (secret.String, error) {
	text := strings.TrimSpace(pin.Reveal())
	if len(text) < minPIN || len(text) > maxPIN || strings.Trim(text, "0123456789") != "" {
		return secret.String{}, fmt.Errorf("%w: a PIN has %d to %d digits", core.ErrInvalid, minPIN, maxPIN)
	}
	return secret.New(text), nil
}

func bounded(what, text string) (secret.String, error) {
	if len(text) < minValue || len(text) > maxValue {
		return secret.String{}, fmt.Errorf("%w: %s has %d to %d characters, not counting spaces and hyphens", core.ErrInvalid, what, minValue, maxValue)
	}
	return secret.New(text), nil
}

// hintOf is what may be told of a card: its last two characters (SECURITY.md C5).
func hintOf(card secret.String) string {
	text := card.Reveal()
	return text[max(0, len(text)-2):]
}

// named is how a card is called in messages.
func named(hint string) string { return "the card ending in " + hint }
