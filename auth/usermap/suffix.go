package usermap

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/platenprint/platen/auth"
)

// ErrBadRule says that a UPN suffix or a rule for one cannot be used; the text around it names it and what to write.
var ErrBadRule = errors.New("UPN suffix not usable")

// Suffix is the part of a UPN behind the @, lower case, without the @ and without a dot at the end: "example.org".
// ParseSuffix makes it. The zero value is no suffix.
type Suffix string

// ParseSuffix reads a UPN suffix as people write it: "example.org", "@example.org", " Example.org.". The error, an
// ErrBadRule, names what to write instead.
func ParseSuffix(text string) (Suffix, error) {
	s := strings.ToLower(norm.NFKC.String(strings.TrimSpace(text)))
	s = strings.TrimSuffix(strings.TrimPrefix(s, "@"), ".")
	bad := func(problem string) (Suffix, error) {
		return "", fmt.Errorf("%w: %q %s; write the part of the usernames behind the @, for example example.org", ErrBadRule, text, problem)
	}
	switch {
	case s == "":
		return bad("is empty")
	case strings.Contains(s, "://"):
		return bad("is a web address")
	case strings.Contains(s, "@"):
		return bad("is a whole address")
	case strings.ContainsAny(s, `\/`):
		return bad(`has a \ or /`)
	case !strings.Contains(s, "."):
		return bad("has no dot, so it is not a DNS domain")
	case len(s) > 253:
		return bad("is longer than 253 bytes")
	}
	for label := range strings.SplitSeq(s, ".") {
		if problem := labelProblem(label); problem != "" {
			return bad(problem)
		}
	}
	if _, err := auth.Canon(s); err != nil {
		return bad("has a character that cannot be seen")
	}
	return Suffix(s), nil
}

// labelProblem says what is wrong with one part of a domain between two dots, or "".
func labelProblem(label string) string {
	switch {
	case label == "":
		return "has two dots in a row or begins with one"
	case len(label) > 63:
		return "has a part longer than 63 bytes"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "has a part that begins or ends with a hyphen"
	case auth.Lookalike(auth.Folded(label)):
		return "mixes letters that look alike"
	}
	for _, r := range label {
		if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return fmt.Sprintf("has the character %q", r)
		}
	}
	return ""
}

// upn puts name and suffix together, or returns "" for a name that cannot be the first part of a UPN.
func (s Suffix) upn(name string) auth.Username {
	if s == "" || !fitsUPN(name) {
		return ""
	}
	return auth.Username(name + "@" + string(s))
}

// fitsUPN tells whether name can stand before the @ of a UPN: no spaces, none of the characters that Active Directory
// forbids in names (learn.microsoft.com, "sAMAccountName"), no dot at either end.
func fitsUPN(name string) bool {
	if name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
		return false
	}
	return !strings.ContainsAny(name, "@\"/\\[]:;|=,+*?<>") && !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
}

// Lookalike is auth.Lookalike for whole names: the part before the @, and each part of the domain behind it, stand for
// themselves. A Cyrillic name in a Latin domain is nobody's look-alike.
func Lookalike(name auth.Folded) bool {
	text := string(name)
	at := strings.LastIndexAny(text, `@\`)
	if at < 0 {
		return auth.Lookalike(name)
	}
	person, domain := text[:at], text[at+1:]
	if text[at] == '\\' {
		person, domain = domain, person
	}
	if auth.Lookalike(auth.Folded(person)) {
		return true
	}
	for label := range strings.SplitSeq(domain, ".") {
		if auth.Lookalike(auth.Folded(label)) {
			return true
		}
	}
	return false
}
