package csvfile

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// credentialColumns are the columns with secrets.
var credentialColumns = []struct {
	column string
	kind   core.CredentialKind
}{
	{columnCards, core.CredentialCard}, {columnAccessCode, core.CredentialCode}, {columnPIN, core.CredentialPIN},
}

var plural = map[core.CredentialKind]string{core.CredentialCard: "cards", core.CredentialCode: "access codes", core.CredentialPIN: "PINs"}

// given are the secrets that a file with these columns is the authority for.
func given(columns []string) []core.CredentialKind {
	var kinds []core.CredentialKind
	for _, c := range credentialColumns {
		if slices.Contains(columns, c.column) {
			kinds = append(kinds, c.kind)
		}
	}
	return kinds
}

// list reads values separated by ;, each once.
func list(value string) []string {
	var all []string
	for text := range strings.SplitSeq(value, ";") {
		if text = strings.TrimSpace(text); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// mangled is what a spreadsheet makes of a long number: 4.10001E+14.
var mangled = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[Ee]\+[0-9]+$`)

// number refuses what a spreadsheet destroyed. The mistake does not repeat the value, which may be a secret.
func (p *parser) number(line int, column, value string) string {
	if mangled.MatchString(value) {
		p.wrong.addf(line, "%s is a rounded number such as 4.1E+14, which a spreadsheet made of a long one: format the column as text and fill it in again", column)
	}
	return value
}

func (p *parser) cards(line int, value string) []secret.String {
	var cards []secret.String
	for _, card := range list(value) {
		cards = append(cards, secret.New(p.number(line, columnCards, card)))
	}
	return cards
}

func (p *parser) pin(line int, value string) secret.String {
	if strings.Trim(value, "0123456789") != "" {
		p.wrong.addf(line, "pin has something else than digits: write digits only")
	}
	return secret.New(value)
}

func (p *parser) language(line int, value string) string {
	if value == "" {
		return ""
	}
	if _, err := language.Parse(value); err != nil {
		p.wrong.addf(line, "language %q: write a language such as de or fr-CH", value)
	}
	return value
}

// groupPrefix is before the keys of groups, which share their space with those of people.
const groupPrefix = "group/"

// group makes somebody a member of a group, which is there from its first member on. Names that differ in case only are one
// group's.
func (p *parser) group(line int, name, member string) {
	folded, err := auth.Canon(name)
	if err != nil {
		p.wrong.addf(line, "groups %q: %v", name, err)
		return
	}
	id := groupPrefix + string(folded)
	at, ok := p.groupAt[id]
	if !ok {
		at = len(p.groups)
		p.groupAt[id] = at
		p.groups = append(p.groups, directory.Group{Key: directory.Key{Kind: core.IdentityCSVKey, ID: id}, Name: name, Where: "group " + name})
	}
	key := directory.Key{Kind: core.IdentityCSVKey, ID: member}
	if members := p.groups[at].Members; len(members) == 0 || members[len(members)-1] != key { // "Staff;staff" is one group
		p.groups[at].Members = append(members, key)
	}
}
