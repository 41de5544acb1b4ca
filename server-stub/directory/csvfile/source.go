// Package csvfile reads people from a CSV file: for sites without a directory, for exports of a personnel system, and
// for trying Platen out. The first line names the columns:
//
//	id            the person's immutable id; when the column is missing, the upn (or username) is the id, and a rename is
//	              then seen as one person leaving and another one coming
//	username      the name the person goes by, when it is none of the following
//	upn           alex.test@example.org
//	sam, domain   the short name and the Windows (NetBIOS) domain it belongs to
//	nickname      MailNickName, the short name Windows shows on Entra-joined computers
//	email, display_name, department, office
//	aliases       more names, separated by ;
//	disabled      yes or no
//	language      of mail to the person, such as de or fr-CH
//	employee_id   never kept; a code that equals it is weak
//	cards         card numbers, separated by ;
//	access_code, pin
//	groups        names of groups, separated by ;
//
// The file is the authority for cards, access codes and PINs where it has the column: an empty field is then "has none".
// The separator is a comma, a semicolon or a tab, as the first line has it; the file is UTF-8, with or without a byte
// order mark. A file with a mistake anywhere is not read at all: the error lists each mistake with its line.
package csvfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

// maxFileSize is the most that is read: about two million people.
const maxFileSize = 256 << 20

// Config says which file is read and how.
type Config struct {
	ID       core.SourceID
	Path     string
	Username directory.UsernameRule // UsernameAuto takes the column username first
	Domain   string                 // the NetBIOS domain of short names in rows that name none
}

// Source is a CSV file as a directory. It implements directory.Source. Safe for concurrent use.
type Source struct{ cfg Config }

// New returns the source. The file is opened anew by each Read and Check, so it may be replaced at any time; replace it
// by renaming a finished file over it.
func New(cfg Config) *Source { return &Source{cfg: cfg} }

// ID implements directory.Source.
func (s *Source) ID() core.SourceID { return s.cfg.ID }

// Read implements directory.Source. The whole file is checked before the first yield. A file that is missing, empty or
// lists nobody is an error: it never means that everybody left.
func (s *Source) Read(ctx context.Context, r directory.Request, sink directory.Sink) (directory.Reading, error) {
	if r.Since != nil {
		return directory.Reading{}, s.errorf("read: %w", directory.ErrStartOver)
	}
	table, err := s.load(ctx)
	if err != nil {
		return directory.Reading{}, err
	}
	for _, p := range table.records {
		if err := ctx.Err(); err != nil {
			return directory.Reading{}, s.errorf("read: %w", err)
		}
		if err := sink.Person(p); err != nil {
			return directory.Reading{}, s.errorf("hand over %s: %w", p.Where, err)
		}
	}
	if !r.Groups {
		table.groups = nil
	}
	for _, g := range table.groups {
		if err := ctx.Err(); err != nil {
			return directory.Reading{}, s.errorf("read: %w", err)
		}
		if err := sink.Group(g); err != nil {
			return directory.Reading{}, s.errorf("hand over the group %q: %w", g.Name, err)
		}
	}
	return directory.Reading{Complete: true}, nil
}

// Check implements directory.Source.
func (s *Source) Check(ctx context.Context) (string, error) {
	table, err := s.load(ctx)
	if err != nil {
		return "", err
	}
	key := ""
	if table.keyColumn != columnID {
		key = fmt.Sprintf("; without a column id the %s is each person's id, and a changed %s makes a new person", table.keyColumn, table.keyColumn)
	}
	about := ""
	if len(table.groups) > 0 {
		about = fmt.Sprintf(" in %d groups", len(table.groups))
	}
	if kinds := given(table.columns); len(kinds) > 0 {
		words := make([]string, len(kinds))
		for i, k := range kinds {
			words[i] = plural[k]
		}
		about += ", and decides about their " + strings.Join(words, " and ")
	}
	return fmt.Sprintf("%s lists %d people%s; fields are separated by %s%s", s.cfg.Path, len(table.records), about, separatorName(table.separator), key), nil
}

func (s *Source) load(ctx context.Context) (table, error) {
	text, err := s.readFile()
	if err != nil {
		return table{}, err
	}
	t, mistakes := parse(ctx, text, s.cfg.Domain, s.cfg.Username)
	if err := ctx.Err(); err != nil {
		return table{}, s.errorf("read: %w", err)
	}
	if mistakes.count > 0 {
		return table{}, s.errorf("%s: %w", s.cfg.Path, mistakes.err())
	}
	return t, nil
}

func (s *Source) readFile() ([]byte, error) {
	info, err := os.Stat(s.cfg.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, s.errorf("%s is not there: put the file back, or correct path in the configuration; nobody was changed: %w", s.cfg.Path, err)
	case err != nil:
		return nil, s.errorf("look at %s: %w", s.cfg.Path, err)
	case !info.Mode().IsRegular():
		return nil, s.errorf("%s is not a file: correct path in the configuration: %w", s.cfg.Path, core.ErrInvalid)
	}
	f, err := os.Open(s.cfg.Path)
	if err != nil {
		return nil, s.errorf("open: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	switch {
	case err != nil:
		return nil, s.errorf("read: %w", err)
	case len(text) > maxFileSize:
		return nil, s.errorf("%s is larger than %d MiB: split it into several sources: %w", s.cfg.Path, maxFileSize>>20, core.ErrInvalid)
	}
	return text, nil
}

func (s *Source) errorf(format string, args ...any) error {
	return fmt.Errorf("csv directory %q: %w", s.cfg.ID, fmt.Errorf(format, args...))
}
