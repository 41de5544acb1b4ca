package dirsync

import (
	"strings"
	"unicode"

	"github.com/platenprint/platen/auth"
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
}

// prepare makes records ready. A record with a name that cannot be one is kept with its problem, so that its person is
// not taken for gone.
func prepare(source core.SourceID, records []directory.Record) []wanted {
	out := make([]wanted, len(records))
	for i, r := range records {
		r.DisplayName, r.Department, r.Office = clean(r.DisplayName), clean(r.Department), clean(r.Office)
		r.Username, r.UPN, r.SAM, r.Nickname, r.Email = clean(r.Username), clean(r.UPN), clean(r.SAM), clean(r.Nickname), clean(r.Email)
		w := wanted{rec: r}
		switch {
		case r.Key == "" || r.KeyKind == "":
			w.problem = "has no immutable id: the account that reads the directory may lack the right to see it"
		case r.Username == "":
			w.problem = "has no username: the directory lacks the name that the source's username rule asks for"
		}
		w.names = namesOf(source, r, &w.problem)
		out[i] = w
	}
	return out
}

// namesOf returns the login names that a record gives.
func namesOf(source core.SourceID, r directory.Record, problem *string) []core.LoginName {
	var names []core.LoginName
	add := func(kind core.NameKind, name string, domain auth.Folded) bool {
		if name == "" {
			return true
		}
		folded, err := auth.Canon(name)
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
		*problem = "has a UPN that cannot be a name (invisible characters, or too long)"
	}
	if !auth.Same(r.Username, r.UPN) && !add(core.NameUsername, r.Username, "") {
		*problem = "has a username that cannot be a name (invisible characters, or too long)"
	}
	domain, err := auth.Canon(r.Domain)
	if err != nil {
		domain = "" // no domain: the name then stands in none
	}
	// The rest only helps to find the person: what cannot be a name is left out.
	add(core.NameSAM, r.SAM, domain)
	add(core.NameNickname, r.Nickname, "")
	add(core.NameEmail, r.Email, "")
	for _, alias := range r.Aliases {
		add(core.NameAlias, clean(alias), "")
	}
	return names
}

// strong tells whether names of this kind belong to one person only.
func strong(kind core.NameKind) bool { return kind == core.NameUPN || kind == core.NameUsername }

// clean makes a directory's text fit to store and show: valid UTF-8, no control characters, not endless.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	text = strings.TrimSpace(text)
	if len(text) > maxText {
		text = strings.TrimSpace(strings.ToValidUTF8(text[:maxText], ""))
	}
	return text
}
