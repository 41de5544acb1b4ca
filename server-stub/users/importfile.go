package users

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// Format is the form of an import file.
type Format string

// The formats. FormatAuto takes FormatCSV when the first line names columns, else FormatPaperCut.
//
// FormatCSV is our own: the first line names the columns, in any order, separated by commas, semicolons or tabs:
//
//	username      required
//	display_name, email, department, office
//	aliases       more names, separated by ; (quote the column where ; separates the columns)
//	cards         card numbers, the primary one first, separated like aliases; they replace those of earlier imports
//	access_code   instead of the one that is made
//	pin           4 to 16 digits, beside a card or a code
//	password      at least 8 characters
//	overdraft     how far the balance may go below zero: 5.00
//	balance       what the balance should be: 12.34
//	disabled      yes or no
//
// FormatPaperCut and FormatPaperCutInternal are the tab-delimited files of PaperCut NG/MF's "Batch import and update user
// data" and "Batch internal user import and update": no header, columns in this order, those at the end may be missing,
// empty ones change nothing. Source: the vendor's manual, papercut.com/help/manuals/ng-mf/applicationserver/user-import-update
// (as of September 2025), its article "Batch User Import/Update Example .tsv files", and the manual of version 12.
//
//	standard: username, credit balance, restricted status, full name, e-mail, department, office, primary card number,
//	          card PIN, notes, secondary card number, other e-mail addresses, username alias, home folder
//	internal: username, password, credit balance, restricted status, full name, e-mail, department, office, primary card
//	          number, card PIN, notes, secondary card number, home folder
//
// Of these, restricted status, notes, other e-mail addresses and home folder are not imported; the result says so.
const (
	FormatAuto             Format = ""
	FormatCSV              Format = "csv"
	FormatPaperCut         Format = "papercut"
	FormatPaperCutInternal Format = "papercut-internal"
)

// ParseFormat accepts the constants' texts, and "auto".
func ParseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case FormatAuto, FormatCSV, FormatPaperCut, FormatPaperCutInternal:
		return f, nil
	}
	if text == "auto" {
		return FormatAuto, nil
	}
	return "", fmt.Errorf("%w: format %q: write csv, papercut, papercut-internal or auto", core.ErrInvalid, text)
}

// columns of a format, as they are named in messages.
func (f Format) columns() []string {
	switch f {
	case FormatPaperCut:
		return []string{"username", "balance", "restricted", "display_name", "email", "department", "office", "card", "card PIN", "notes", "second card", "other e-mail addresses", "aliases", "home folder"}
	case FormatPaperCutInternal:
		return []string{"username", "password", "balance", "restricted", "display_name", "email", "department", "office", "card", "card PIN", "notes", "second card", "home folder"}
	case FormatCSV, FormatAuto:
	}
	return []string{"username", "display_name", "email", "department", "office", "aliases", "cards", "access_code", "pin", "password", "overdraft", "balance", "disabled"}
}

// importTable is a parsed file.
type importTable struct {
	format  Format
	rows    []importRow
	ignored []string
}

// importRow is one line. Empty columns are "" or nil.
type importRow struct {
	line                                           int
	username, displayName, email, dept, officeName string
	aliases                                        []string
	password                                       secret.String
	cards                                          []secret.String
	code, pin                                      secret.String
	overdraft, balance                             *core.Amount
	disabled                                       *bool
	err                                            error
}

// parseImport reads the whole file. Mistakes of single lines are in the rows.
func parseImport(file io.Reader, format Format) (importTable, error) {
	// Excel writes "Unicode text" as UTF-16 with a byte order mark.
	in := bufio.NewReader(transform.NewReader(file, unicode.BOMOverride(transform.Nop)))
	first, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return importTable{}, fmt.Errorf("read the import file: %w", err)
	}
	head, _, _ := strings.Cut(string(first), "\n")
	comma, header := separator(head)
	switch {
	case strings.TrimSpace(string(first)) == "":
		return importTable{}, &ImportError{Problems: []Problem{{1, "the file is empty"}}}
	case format == FormatAuto && header:
		format = FormatCSV
	case format == FormatAuto && strings.Contains(head, "\t"):
		format = FormatPaperCut
	case format == FormatAuto || format == FormatCSV && !header:
		return importTable{}, &ImportError{Problems: []Problem{{1, "the first line must name the columns, beginning with username: " + strings.Join(FormatCSV.columns(), ",")}}}
	}
	if format != FormatCSV {
		comma = '\t'
	}
	return readTable(in, format, comma)
}

// separator guesses what separates the columns of our own format, and whether the line is its header at all.
func separator(head string) (comma rune, header bool) {
	head = strings.TrimSpace(head)
	comma = ','
	for _, c := range ",;\t" {
		if strings.ContainsRune(head, c) {
			comma = c
			break
		}
	}
	names := splitHeader(strings.Split(head, string(comma)))
	if !slices.Contains(names, "username") {
		return comma, false
	}
	known := 0
	for _, n := range names {
		if slices.Contains(FormatCSV.columns(), n) {
			known++
		}
	}
	return comma, known == len(names) || names[0] == "username" && comma != '\t'
}

func splitHeader(fields []string) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = strings.ToLower(strings.Trim(strings.TrimSpace(f), `"`))
	}
	return names
}

func readTable(in io.Reader, format Format, comma rune) (importTable, error) {
	t := importTable{format: format}
	r := csv.NewReader(in)
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = comma, -1, format != FormatCSV, format == FormatCSV
	columns := format.columns()
	for n := 0; ; n++ {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return importTable{}, csvProblem(err)
		}
		line, _ := r.FieldPos(0)
		if n == 0 && format == FormatCSV {
			if columns, err = header(fields); err != nil {
				return importTable{}, &ImportError{Problems: []Problem{{line, err.Error()}}}
			}
			continue
		}
		if n == 0 && strings.EqualFold(strings.TrimSpace(fields[0]), "username") || len(fields) == 1 && strings.TrimSpace(fields[0]) == "" {
			continue // a header that somebody added; an empty line
		}
		t.rows = append(t.rows, t.row(line, columns, fields))
	}
	if len(t.rows) == 0 {
		return importTable{}, &ImportError{Problems: []Problem{{1, "the file lists nobody"}}}
	}
	return t, nil
}

func csvProblem(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return &ImportError{Problems: []Problem{{parse.Line, parse.Err.Error()}}}
	}
	return fmt.Errorf("read the import file: %w", err)
}

// header checks the names of the columns.
func header(fields []string) ([]string, error) {
	names := splitHeader(fields)
	for i, n := range names {
		if !slices.Contains(FormatCSV.columns(), n) {
			return nil, fmt.Errorf("there is no column %q; there are %s", n, strings.Join(FormatCSV.columns(), ", "))
		}
		if slices.Contains(names[:i], n) {
			return nil, fmt.Errorf("the column %s is there twice", n)
		}
	}
	return names, nil
}

// row reads one line. Its first mistake is in err.
func (t *importTable) row(line int, columns, fields []string) importRow {
	row := importRow{line: line}
	if len(fields) > len(columns) {
		row.err = fmt.Errorf("the line has %d columns, at most %d are known", len(fields), len(columns))
		return row
	}
	for i, value := range fields {
		if !utf8.ValidString(value) {
			row.err = fmt.Errorf("the %s is not UTF-8; save the file as UTF-8", columns[i])
			return row
		}
		if columns[i] != "password" {
			value = strings.TrimSpace(value)
		}
		if value == "" {
			continue
		}
		if err := t.set(&row, columns[i], value); err != nil {
			row.err = err
			return row
		}
	}
	if row.username == "" {
		row.err = errors.New("the username is missing")
	}
	return row
}

func (t *importTable) set(row *importRow, column, value string) (err error) {
	switch column {
	case "username":
		row.username = value
	case "display_name":
		row.displayName = value
	case "email":
		row.email = value
	case "department":
		row.dept = value
	case "office":
		row.officeName = value
	case "password":
		row.password = secret.New(value)
	case "aliases":
		row.aliases = splitAliases(value)
	case "cards":
		for _, number := range splitAliases(value) {
			row.cards = append(row.cards, secret.New(number))
		}
	case "card", "second card":
		row.cards = append(row.cards, secret.New(value))
	case "access_code":
		row.code = secret.New(value)
	case "pin", "card PIN":
		row.pin = secret.New(value)
	case "overdraft":
		row.overdraft, err = amount(column, value)
	case "balance":
		row.balance, err = amount(column, value)
	case "disabled":
		row.disabled, err = yesNo(value)
	default:
		if !slices.Contains(t.ignored, column) {
			t.ignored = append(t.ignored, column)
		}
	}
	return err
}

func splitAliases(value string) []string {
	var aliases []string
	for a := range strings.SplitSeq(value, ";") {
		if a = strings.TrimSpace(a); a != "" {
			aliases = append(aliases, a)
		}
	}
	return aliases
}

func amount(column, value string) (*core.Amount, error) {
	a, err := core.ParseAmount(value)
	if err != nil {
		// The value is not repeated: in a file of another format it may be a password.
		return nil, fmt.Errorf("the %s is not an amount; write it like 12.34 (a dot, at most four decimals)", column)
	}
	return &a, nil
}

func yesNo(value string) (*bool, error) {
	switch strings.ToLower(value) {
	case "yes", "y", "true", "1":
		return new(true), nil
	case "no", "n", "false", "0":
		return new(false), nil
	}
	return nil, errors.New("the column disabled is neither yes nor no")
}

// fields names what the line sets, for a new user.
func (r importRow) fields() []string {
	fields := []string{"username"}
	for name, set := range map[string]bool{
		"display_name": r.displayName != "", "email": r.email != "", "department": r.dept != "", "office": r.officeName != "", "aliases": len(r.aliases) > 0,
		"password": !r.password.Empty(), "overdraft": r.overdraft != nil, "disabled": r.disabled != nil && *r.disabled,
	} {
		if set {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields[1:])
	return fields
}

func (r importRow) newUser() NewUser {
	n := NewUser{Username: r.username, DisplayName: r.displayName, Email: r.email, Department: r.dept, Office: r.officeName, Aliases: r.aliases}
	if r.overdraft != nil {
		n.Overdraft = *r.overdraft
	}
	n.Disabled = r.disabled != nil && *r.disabled
	return n
}

// change is what the line changes of a known user; empty columns change nothing.
func (r importRow) change() Change {
	given := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	return Change{DisplayName: given(r.displayName), Email: given(r.email), Department: given(r.dept), Office: given(r.officeName), Overdraft: r.overdraft}
}
