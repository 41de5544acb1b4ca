package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// MaxNameLength is the longest name accepted anywhere, in bytes: UPNs have at most 1024 characters in Active Directory
// by schema, but at most 64 before and 256 after the @ by RFC 5321, which every real directory stays under.
const MaxNameLength = 320

// ErrInvalidName says that a text cannot be a name: empty, too long, not UTF-8, or with control characters.
var ErrInvalidName = errors.New("not a valid name")

// Username is a name as a person or directory writes it: "alex.test", "alex.test@example.org", `CORP\alex`.
type Username string

// Folded is a name in the form in which names are compared, made by Canon only. Two names are the same name if and
// only if their Folded are equal.
type Folded string

// Canon folds a name: surrounding space trimmed, NFKC, Unicode case folding without locale, NFKC again (as Unicode
// 3.13 D147, toNFKC_Casefold, needs). "straße" and "strasse" fold together; "I" and "ı" do not. Canon(Canon(x)) is
// Canon(x). It fails with ErrInvalidName and never guesses: control and format characters, also the invisible ones that
// would make two names look alike, are refused, not dropped.
func Canon(name string) (Folded, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", fmt.Errorf("%w: it is empty", ErrInvalidName)
	case len(name) > MaxNameLength:
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrInvalidName, MaxNameLength)
	case !utf8.ValidString(name):
		return "", fmt.Errorf("%w: it is not UTF-8", ErrInvalidName)
	}
	if folded, ok := canonASCII(name); ok {
		return folded, nil
	}
	folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
	// One more round settles the few characters whose folding normalises to something foldable again.
	folded = norm.NFKC.String(cases.Fold().String(folded))
	folded = strings.TrimSpace(folded)
	if folded == "" || len(folded) > MaxNameLength {
		return "", fmt.Errorf("%w: nothing is left of it, or too much", ErrInvalidName)
	}
	for _, r := range folded {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Variation_Selector) || r == unicode.ReplacementChar {
			return "", fmt.Errorf("%w: it has the invisible character %U", ErrInvalidName, r)
		}
	}
	return Folded(folded), nil
}

// canonASCII is Canon for trimmed names of printable ASCII characters, which nearly all are: of those NFKC changes nothing and
// folding makes small letters. Whose name it is is asked for every job: the long way takes most of the time of an answer.
func canonASCII(name string) (Folded, bool) {
	for i := range len(name) {
		if name[i] < ' ' || name[i] > '~' {
			return "", false
		}
	}
	return Folded(strings.ToLower(name)), true
}

// Same tells whether a and b are the same name. Names that are not valid are the same as nothing.
func Same(a, b string) bool {
	fa, errA := Canon(a)
	fb, errB := Canon(b)
	return errA == nil && errB == nil && fa == fb
}
