package csvfile

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// The columns a file may have.
const (
	columnID          = "id"
	columnUsername    = "username"
	columnUPN         = "upn"
	columnSAM         = "sam"
	columnDomain      = "domain"
	columnNickname    = "nickname"
	columnEmail       = "email"
	columnAliases     = "aliases"
	columnDisplayName = "display_name"
	columnDepartment  = "department"
	columnOffice      = "office"
	columnDisabled    = "disabled"
	columnLanguage    = "language"
	columnEmployeeID  = "employee_id"
	columnCards       = "cards"
	columnAccessCode  = "access_code"
	columnPIN         = "pin"
	columnGroups      = "groups"
)

// maxField is the longest text accepted in a field, in bytes.
const maxField = 1024

func allowedColumns() []string {
	return []string{
		columnID, columnUsername, columnUPN, columnSAM, columnDomain, columnNickname, columnEmail, columnAliases,
		columnDisplayName, columnDepartment, columnOffice, columnDisabled, columnLanguage, columnEmployeeID, columnCards, columnAccessCode,
		columnPIN, columnGroups,
	}
}

// table is a file without mistakes.
type table struct {
	records   []directory.Record
	groups    []directory.Group
	columns   []string
	keyColumn string
	separator rune
}

// parse reads a whole file. When there are mistakes the table is of no use.
func parse(ctx context.Context, text []byte, domain string, rule directory.UsernameRule) (table, *mistakes) {
	wrong := &mistakes{}
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		wrong.addf(1, "the file is UTF-16: save it as CSV UTF-8")
		return table{}, wrong
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if len(bytes.TrimSpace(text)) == 0 {
		wrong.addf(1, "the file is empty; it must name its columns in the first line, then list at least one person")
		return table{}, wrong
	}
	p := &parser{wrong: wrong, domain: domain, rule: rule, seen: map[auth.Folded]int{}, groupAt: map[string]int{}}
	p.separator = detectSeparator(text)
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = p.separator
	r.FieldsPerRecord = -1 // counted here, to say it in our words
	r.ReuseRecord = true
	for ctx.Err() == nil {
		fields, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return p.finish(), wrong
		case errors.As(err, &bad):
			wrong.addf(bad.StartLine, "%s", quoteReason(bad)) // where the person begins: an unclosed quote ends far below
			continue
		case err != nil:
			wrong.addf(1, "the file cannot be read on: %v", err)
			return table{}, wrong
		}
		line, _ := r.FieldPos(0)
		if p.columns == nil {
			if !p.header(line, fields) {
				return table{}, wrong // without its columns the rest would be noise
			}
			continue
		}
		p.row(line, fields)
	}
	return table{}, wrong
}

// detectSeparator takes the one of comma, semicolon and tab that the first line has most of.
func detectSeparator(text []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		if n := bytes.Count(first, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func separatorName(c rune) string {
	switch c {
	case ';':
		return "semicolons"
	case '\t':
		return "tabs"
	}
	return "commas"
}

func quoteReason(e *csv.ParseError) string {
	switch {
	case errors.Is(e.Err, csv.ErrQuote):
		return `a quotation mark is not closed, or text follows one: write " inside a quoted field twice`
	case errors.Is(e.Err, csv.ErrBareQuote):
		return `a quotation mark stands inside a field that does not begin with one: put the whole field in quotation marks and write " inside it twice`
	}
	return e.Err.Error()
}

type parser struct {
	wrong     *mistakes
	domain    string
	rule      directory.UsernameRule
	separator rune
	columns   []string
	keyColumn string
	seen      map[auth.Folded]int // id -> the line that has it
	records   []directory.Record
	given     []core.CredentialKind // those that the file has a column of
	groups    []directory.Group
	groupAt   map[string]int // folded name -> where it is in groups
}

// header takes the first line; false when the file cannot be read with it.
func (p *parser) header(line int, fields []string) bool {
	before := p.wrong.count
	var columns []string
	for i, field := range fields {
		name := strings.ReplaceAll(strings.ToLower(strings.TrimSpace(field)), " ", "_")
		switch {
		case !utf8.ValidString(field):
			p.wrong.addf(line, "the name of column %d is not UTF-8: save the file as CSV UTF-8", i+1)
		case !slices.Contains(allowedColumns(), name):
			p.wrong.addf(line, "column %d is named %q; the columns may be %s", i+1, field, strings.Join(allowedColumns(), ", "))
		case slices.Contains(columns, name):
			p.wrong.addf(line, "the column %s is there twice", name)
		}
		columns = append(columns, name)
	}
	for _, c := range []string{columnID, columnUPN, columnUsername} {
		if p.keyColumn == "" && slices.Contains(columns, c) {
			p.keyColumn = c
		}
	}
	if p.keyColumn == "" && p.wrong.count == before {
		p.wrong.addf(line, "there is no column id (best: the personnel number), upn or username: one of them must tell people apart")
	}
	p.columns = columns
	p.given = given(columns)
	return p.wrong.count == before
}

// row takes one person, noting every mistake in it.
func (p *parser) row(line int, fields []string) {
	if len(fields) != len(p.columns) {
		p.wrong.addf(line, "it has %d fields but the first line names %d columns: check for a missing or extra separator", len(fields), len(p.columns))
		return
	}
	before := p.wrong.count
	rec := directory.Record{KeyKind: core.IdentityCSVKey, Where: fmt.Sprintf("line %d", line), Credentials: p.given}
	username, groups := "", []string(nil)
	for i, field := range fields {
		value := strings.TrimSpace(field)
		column := p.columns[i]
		if reason := badText(value); reason != "" {
			p.wrong.addf(line, "%s %s", column, reason)
			continue
		}
		value = strings.Clone(value) // keeps one field, not the whole line of the file
		switch column {
		case columnID:
			rec.Key = value
		case columnUsername:
			username = p.name(line, column, value)
		case columnUPN:
			rec.UPN = p.name(line, column, value)
			if value != "" && strings.Count(value, "@") != 1 {
				p.wrong.addf(line, "upn %q: write it like alex.test@example.org", value)
			}
		case columnSAM:
			rec.SAM = p.name(line, column, value)
		case columnDomain:
			rec.Domain = p.name(line, column, value)
		case columnNickname:
			rec.Nickname = p.name(line, column, value)
		case columnEmail:
			rec.Email = p.name(line, column, value)
		case columnAliases:
			for alias := range strings.SplitSeq(value, ";") {
				if alias = p.name(line, column, strings.TrimSpace(alias)); alias != "" {
					rec.Aliases = append(rec.Aliases, alias)
				}
			}
		case columnDisplayName:
			rec.DisplayName = value
		case columnDepartment:
			rec.Department = value
		case columnOffice:
			rec.Office = value
		case columnDisabled:
			rec.Disabled = p.yesNo(line, column, value)
		case columnLanguage:
			rec.Language = p.language(line, value)
		case columnEmployeeID:
			rec.EmployeeID = p.number(line, column, value)
		case columnCards:
			rec.Cards = p.cards(line, value)
		case columnAccessCode:
			rec.AccessCode = secret.New(p.number(line, column, value))
		case columnPIN:
			rec.PIN = p.pin(line, value)
		case columnGroups:
			groups = list(value)
		}
	}
	if rec.SAM != "" && rec.Domain == "" {
		rec.Domain = p.domain
	}
	rec.Username = username
	if rec.Username == "" || p.rule != directory.UsernameAuto {
		rec.Username = p.rule.Choose(rec)
	}
	switch p.keyColumn {
	case columnUPN:
		rec.Key = rec.UPN
	case columnUsername:
		rec.Key = username
	}
	if p.wrong.count > before {
		return
	}
	p.key(line, &rec)
	if rec.Username == "" {
		p.wrong.addf(line, "there is no username: fill one of the columns username, upn, sam, nickname, email%s", ruleHint(p.rule))
	}
	for _, name := range groups {
		p.group(line, name, rec.Key)
	}
	if p.wrong.count == before {
		p.records = append(p.records, rec)
	}
}

func ruleHint(rule directory.UsernameRule) string {
	if rule == directory.UsernameAuto {
		return ""
	}
	return fmt.Sprintf(" (the configuration says username: %s)", rule)
}

// key checks the id and folds it, so that an id that comes back in other case is the same.
func (p *parser) key(line int, rec *directory.Record) {
	if rec.Key == "" {
		p.wrong.addf(line, "the %s is missing: it tells people apart", p.keyColumn)
		return
	}
	folded, err := auth.Canon(rec.Key)
	if err != nil {
		p.wrong.addf(line, "%s %q: %v", p.keyColumn, rec.Key, err)
		return
	}
	if strings.HasPrefix(string(folded), groupPrefix) {
		p.wrong.addf(line, "the %s %q begins with %s, as the keys of groups do: choose another one", p.keyColumn, rec.Key, groupPrefix)
		return
	}
	if first, taken := p.seen[folded]; taken {
		p.wrong.addf(line, "the %s %q is already that of line %d", p.keyColumn, rec.Key, first)
		return
	}
	p.seen[folded] = line
	rec.Key = string(folded)
}

// name checks a login name; "" is no name.
func (p *parser) name(line int, column, value string) string {
	if value == "" {
		return ""
	}
	folded, err := auth.Canon(value)
	switch {
	case err != nil:
		p.wrong.addf(line, "%s %q: %v", column, value, err)
	case auth.Lookalike(folded):
		p.wrong.addf(line, "%s %q has letters that look like Latin ones but are not (such as a Cyrillic a): type it again", column, value)
	}
	return value
}

func (p *parser) yesNo(line int, column, value string) bool {
	switch strings.ToLower(value) {
	case "", "no", "n", "false", "0":
		return false
	case "yes", "y", "true", "1":
		return true
	}
	p.wrong.addf(line, "%s is %q: write yes or no", column, value)
	return false
}

// badText says why a field is refused, "" when it is not.
func badText(value string) string {
	switch {
	case !utf8.ValidString(value):
		return "is not UTF-8: save the file as CSV UTF-8"
	case len(value) > maxField:
		return fmt.Sprintf("is longer than %d bytes; perhaps a quotation mark is not closed", maxField)
	case strings.ContainsFunc(value, unicode.IsControl):
		return "has a line break or another control character"
	}
	return ""
}

// finish refuses a file that lists nobody.
func (p *parser) finish() table {
	if len(p.records) == 0 && p.wrong.count == 0 {
		p.wrong.addf(1, "the file lists nobody; an empty list never means that everybody left")
	}
	return table{records: p.records, groups: p.groups, columns: p.columns, keyColumn: p.keyColumn, separator: p.separator}
}
