package credentials

import (
	"fmt"
	"math"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
)

// Keep says whether values can be shown again.
type Keep string

// What is kept of a value.
const (
	KeepHash   Keep = "hash"   // only what finds it; it is shown once, when it is made
	KeepReveal Keep = "reveal" // a sealed copy too, for administrators, audited
)

// Weak says what becomes of weak codes that a directory, a file or an administrator gives.
type Weak string

// The ways to treat weak codes.
const (
	WeakPIN    Weak = "pin"    // they work only together with a PIN
	WeakAccept Weak = "accept" // they work alone; they are still reported
	WeakRefuse Weak = "refuse" // they are not taken; the person gets one that is made here
)

// Alphabet says what made codes consist of.
type Alphabet string

// The alphabets. None has O, I and L, which people read as 0 and 1.
const (
	Crockford Alphabet = "crockford" // 32 characters: also without U (Douglas Crockford's Base 32)
	Alnum     Alphabet = "alnum"     // 33 characters
	Digits    Alphabet = "digits"    // for devices that have no letters; the codes are longer
)

func (a Alphabet) characters() string {
	switch a {
	case Digits:
		return "0123456789"
	case Alnum:
		return "0123456789ABCDEFGHJKMNPQRSTUVWXYZ"
	case Crockford:
	}
	return "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
}

// Format says what codes look like that are made here.
type Format struct {
	Length     int  // at least so many characters; 0 for what is needed
	AllowShort bool // Length holds even if it is less than what is needed: an administrator takes the risk
	Alphabet   Alphabet
	Group      int // characters between hyphens, as codes are shown; 0 for none
}

// Policy is what the site decided. The zero value is not usable; see DefaultPolicy.
type Policy struct {
	Generate bool // everybody gets a code
	Codes    Keep
	Cards    Keep
	Weak     Weak
	Format   Format
}

// DefaultPolicy makes a code for everybody, keeps nothing that can be shown again, and wants a PIN beside weak codes.
func DefaultPolicy() Policy {
	return Policy{Generate: true, Codes: KeepHash, Cards: KeepHash, Weak: WeakPIN, Format: Format{Alphabet: Crockford, Group: 4}}
}

// Bounds of Format.Length, in characters.
const (
	minLength = 8
	maxLength = 32
)

// Check tells what is wrong with a policy. Its error is core.ErrInvalid.
func (p Policy) Check() error {
	switch {
	case p.Codes != KeepHash && p.Codes != KeepReveal, p.Cards != KeepHash && p.Cards != KeepReveal:
		return fmt.Errorf("%w: keep: write hash or reveal", core.ErrInvalid)
	case p.Weak != WeakPIN && p.Weak != WeakAccept && p.Weak != WeakRefuse:
		return fmt.Errorf("%w: weak: write pin, accept or refuse", core.ErrInvalid)
	case p.Format.Alphabet != Crockford && p.Format.Alphabet != Alnum && p.Format.Alphabet != Digits:
		return fmt.Errorf("%w: alphabet: write crockford, alnum or digits", core.ErrInvalid)
	case p.Format.Length != 0 && (p.Format.Length < 4 || p.Format.Length > maxLength):
		return fmt.Errorf("%w: length: write a number from 4 to %d, or 0 for what is needed", core.ErrInvalid, maxLength)
	case p.Format.Length != 0 && p.Format.Length < minLength && !p.Format.AllowShort:
		return fmt.Errorf("%w: length: codes of fewer than %d characters are too easily guessed; write allow_short: yes if you take that risk", core.ErrInvalid, minLength)
	case p.Format.Group < 0 || p.Format.Group > maxLength:
		return fmt.Errorf("%w: group: write how many characters stand between hyphens, or 0 for no hyphens", core.ErrInvalid)
	}
	return nil
}

// needBits is how many bits a code needs so that a year of tries finds one of any of n people's codes with a probability of 1 in
// 1,000: the organisation allows B = min(200, max(50, 2 % of n)) failures a day (SECURITY.md C6).
func needBits(n int) float64 {
	n = max(n, 1)
	failures := min(200, max(50, float64(n)*0.02))
	return math.Log2(float64(n) * 365 * failures * 1000)
}

// For is how many characters the code of one of n people has. Those who came before keep theirs: all of them together are found no
// sooner than in half of the time, as each length serves 32 times as many people as the one before.
func (f Format) For(n int) int {
	need := max(minLength, int(math.Ceil(needBits(n)/math.Log2(float64(len(f.Alphabet.characters()))))))
	if f.Length > need || f.AllowShort && f.Length > 0 {
		return f.Length
	}
	return need
}

// Show puts hyphens into a code as people see it.
func (f Format) Show(code string) string {
	if f.Group <= 0 || len(code) <= f.Group {
		return code
	}
	var b strings.Builder
	for i := range len(code) {
		if i > 0 && i%f.Group == 0 && len(code)-i > 1 { // no single character at the end
			b.WriteByte('-')
		}
		b.WriteByte(code[i])
	}
	return b.String()
}
