package doctor

import (
	"regexp"
	"slices"
	"strings"
)

// Private is what must not be in a file that is sent away.
type Private struct {
	Names []string // names of people: OS account, username, display name; in CORP\alex and alex@example.org the person counts, not the domain
	Home  []string // home folders
}

// redactor takes out what identifies a person or opens a door: the names and folders of Private, addresses like
// alex@example.org, tokens, and whatever stands behind the words password, token, secret and authorization. Host names,
// pins, request ids and the technical rest stay: the helpdesk needs them.
type redactor struct {
	homes []string
	names *regexp.Regexp // nil: none
}

func newRedactor(p Private) redactor {
	r := redactor{homes: slices.DeleteFunc(slices.Clone(p.Home), func(home string) bool { return len(home) < 2 })}
	byLength := func(a, b string) int { return len(b) - len(a) }
	slices.SortFunc(r.homes, byLength)
	var names []string
	for _, name := range p.Names {
		name = strings.ToValidUTF8(name, "?")
		names = append(names, name)
		names = append(names, strings.Fields(name)...)
		if i := strings.LastIndexAny(name, `\/`); i >= 0 {
			name = name[i+1:]
		}
		person, _, _ := strings.Cut(name, "@") // the domain is nobody's name
		names = append(names, person)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return strings.TrimSpace(name) == "" })
	slices.SortFunc(names, byLength)
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	if len(names) > 0 {
		r.names = regexp.MustCompile(`(?i)(^|[^\p{L}\p{N}])(` + strings.Join(slices.Compact(names), "|") + `)($|[^\p{L}\p{N}])`)
	}
	return r
}

var (
	ourToken  = regexp.MustCompile(`plt_[a-z]_[A-Za-z0-9_-]+`)
	keyword   = regexp.MustCompile(`(?i)\b([a-z_]*(?:password|passwd|pwd|secret|token|authorization|cookie)[a-z_]*"?\s*[:=]\s*)(?:(?:bearer|basic)\s+)?("(?:[^"\\]|\\.)*"|\S+)`)
	bearer    = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`)
	userinfo  = regexp.MustCompile(`://[^/\s@"]+@`)
	mail      = regexp.MustCompile(`[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)
	keepOrNot = regexp.MustCompile(`sha256/[A-Za-z0-9+/]{43}=|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9_+=-]{32,}`)
	queryPart = regexp.MustCompile(`(https?://[^\s?"]+)\?[^\s"]*`)
)

// text redacts a text.
func (r redactor) text(s string) string {
	s = strings.ToValidUTF8(s, "?")
	for _, home := range r.homes {
		s = strings.ReplaceAll(s, home, "~")
	}
	s = userinfo.ReplaceAllString(s, "://")
	s = queryPart.ReplaceAllString(s, "$1")
	s = ourToken.ReplaceAllString(s, "<token>")
	s = bearer.ReplaceAllString(s, "$1 <secret>")
	s = keyword.ReplaceAllString(s, "$1<secret>")
	s = mail.ReplaceAllString(s, "<address>")
	s = keepOrNot.ReplaceAllStringFunc(s, func(found string) string {
		if strings.HasPrefix(found, "sha256/") || strings.Count(found, "-") == 4 && len(found) == 36 || !mixed(found) {
			return found
		}
		return "<secret>"
	})
	if r.names != nil {
		// Twice: two names that share the character between them are not both found at once.
		s = r.names.ReplaceAllString(s, "$1<name>$3")
		s = r.names.ReplaceAllString(s, "$1<name>$3")
	}
	return s
}

// mixed tells a key from a long word or a line of dashes: it has letters and digits.
func mixed(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.ContainsFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
}

func (r redactor) all(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = r.text(text)
	}
	return out
}

func (r redactor) report(report Report) Report {
	results := make([]Result, len(report.Results))
	for i, result := range report.Results {
		result.Sentence, result.Remedy, result.Details = r.text(result.Sentence), r.text(result.Remedy), r.all(result.Details)
		results[i] = result
	}
	report.Results = results
	return report
}
