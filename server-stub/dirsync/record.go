package dirsync

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// maxText is the longest text kept of a directory's attribute, in bytes.
const maxText = 512

// wanted is a record made ready: texts cleaned, names folded.
type wanted struct {
	rec     directory.Record
	names   []core.LoginName // each once, without times and owner; usernames and UPNs first
	problem string           // why the record cannot be used, "" when it can
	remarks []string         // what of it was left out, and why
	seen    bool             // the person is known with this very fingerprint
}

// prepare makes a record ready. One with a name that cannot be one, or a text that is too long, is kept with its problem, so that
// its person is not taken for gone.
func prepare(source core.SourceID, from staged) wanted {
	w, r := wanted{seen: from.seen}, from.Record
	problem := func(format string, args ...any) {
		if w.problem == "" {
			w.problem = fmt.Sprintf(format, args...)
		}
	}
	switch {
	case r.Key == "" || r.KeyKind == "":
		problem("has no immutable id: the account that reads the directory may lack the right to see it")
	case len(r.Key) > maxText:
		problem("has an immutable id of %d bytes, longer than %d", len(r.Key), maxText)
	}
	for _, text := range []struct {
		name string
		at   *string
	}{
		{"username", &r.Username},
		{"UPN", &r.UPN},
		{"short name", &r.SAM},
		{"nickname", &r.Nickname},
		{"e-mail address", &r.Email},
		{"display name", &r.DisplayName},
		{"department", &r.Department},
		{"office", &r.Office},
		{"language", &r.Language},
		{"SID", &r.SID},
	} {
		*text.at = clean(*text.at)
		if len(*text.at) > maxText {
			problem("has a %s of %d bytes, longer than %d: shorten it in the directory", text.name, len(*text.at), maxText)
			*text.at = ""
		}
	}
	if r.Username == "" {
		problem("has no username: the directory lacks the name that the source's username rule asks for")
	}
	w.rec = r
	w.names = namesOf(source, &w, problem)
	return w
}

// strongFolds returns the folds of a record's username and UPN: what it wants for its person alone.
func strongFolds(r directory.Record) (folds []auth.Folded) {
	for _, name := range []string{r.UPN, r.Username} {
		if folded, err := canon(clean(name)); err == nil && !slices.Contains(folds, folded) {
			folds = append(folds, folded)
		}
	}
	return folds
}

// namesOf returns the login names that a record gives.
func namesOf(source core.SourceID, w *wanted, problem func(string, ...any)) []core.LoginName {
	r := &w.rec
	names := make([]core.LoginName, 0, 4+len(r.Aliases))
	add := func(kind core.NameKind, name string, domain auth.Folded) bool {
		if name == "" {
			return true
		}
		folded, err := canon(name)
		if err != nil {
			return false
		}
		for _, n := range names {
			sameText := n.Folded == folded
			if sameText && n.Kind == kind && n.Domain == domain || sameText && kind == core.NameAlias && strong(n.Kind) {
				return true
			}
		}
		names = append(names, core.LoginName{Name: strings.TrimSpace(name), Folded: folded, Kind: kind, Domain: domain, Source: source})
		return true
	}
	if !add(core.NameUPN, r.UPN, "") {
		problem("has a UPN that cannot be a name (invisible characters, or too long)")
	}
	if !same(r.Username, r.UPN) && !add(core.NameUsername, r.Username, "") {
		problem("has a username that cannot be a name (invisible characters, or too long)")
	}
	for _, n := range names {
		if usermap.Lookalike(n.Folded) {
			problem("has the name %q, which mixes scripts and could be taken for another one", n.Name)
		}
	}
	domain, err := canon(r.Domain)
	if err != nil {
		domain = "" // no domain: the name then stands in none
	}
	// The rest only helps to find the person: what cannot be a name is left out.
	add(core.NameSAM, r.SAM, domain)
	add(core.NameNickname, r.Nickname, "")
	add(core.NameEmail, r.Email, "")
	for _, alias := range r.Aliases {
		alias = clean(alias)
		if !add(core.NameAlias, alias, "") {
			w.remarks = append(w.remarks, fmt.Sprintf("does not get the alias %q: it cannot be a name", shorten(alias)))
		}
	}
	return names
}

// strong tells whether names of this kind belong to one person only.
func strong(kind core.NameKind) bool { return kind == core.NameUPN || kind == core.NameUsername }

// canon is auth.Canon with a short way for the names that nearly everybody has.
func canon(name string) (auth.Folded, error) {
	if len(name) > auth.MaxNameLength || name == "" {
		return auth.Canon(name)
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return auth.Canon(name)
		}
	}
	return auth.Folded(strings.ToLower(name)), nil
}

// same is auth.Same.
func same(a, b string) bool {
	if a == b {
		return a != ""
	}
	fa, errA := canon(a)
	fb, errB := canon(b)
	return errA == nil && errB == nil && fa == fb
}

// clean makes a directory's text fit to store and show: valid UTF-8, no control characters.
func clean(text string) string {
	if plain(text) {
		return strings.TrimSpace(text)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	return strings.TrimSpace(text)
}

// plain tells whether a text is printable ASCII.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// shorten cuts a text to what fits into a message.
func shorten(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
