package mail

import (
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/platenprint/platen/server-stub/core"
)

// Address brings an e-mail address to the form it is sent to: a domain with other letters than a to z in its ASCII form. Its error is
// core.ErrInvalid. Local parts with other letters are refused, as few mail servers take them (RFC 6531).
func Address(text string) (string, error) {
	wrong := fmt.Errorf("%w: %q is no e-mail address that mail can be sent to", core.ErrInvalid, text)
	text = strings.TrimSpace(text)
	parsed, err := netmail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return "", wrong
	}
	at := strings.LastIndexByte(text, '@')
	local, domain := text[:at], text[at+1:]
	if len(local) > 64 || strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"\<>()[],;:`, r) }) {
		return "", wrong
	}
	domain, err = idna.Lookup.ToASCII(domain)
	if err != nil || domain == "" || len(local)+1+len(domain) > 254 {
		return "", wrong
	}
	return local + "@" + domain, nil
}

// line makes one line of a name or another text that goes into a header.
func line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.In(r, unicode.Bidi_Control)
	}), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}

// lines makes a few lines of what a machine said.
func lines(text string) string {
	const most = 20
	var out []string
	for part := range strings.SplitSeq(text, "\n") {
		if part = line(part, 300); part == "" {
			continue
		}
		if len(out) == most {
			out = append(out, "…")
			break
		}
		out = append(out, part)
	}
	return strings.Join(out, "\n")
}

// personName is a name as mail calls people. One that mail programs would make a link of is none: whoever may write a name into a
// directory does not get to send links in this server's mail.
func personName(text string) string {
	text = line(text, 100)
	if folded := strings.ToLower(text); strings.ContainsAny(folded, "/\\") || strings.Contains(folded, "www.") {
		return ""
	}
	return text
}
