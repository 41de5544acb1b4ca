package users

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// maxImport is the largest file that is read, in bytes: about half a million people.
const maxImport = 64 << 20

// maxProblems is how many problems are listed; the rest is counted.
const maxProblems = 100

// ImportOptions says how to import.
type ImportOptions struct {
	Format Format
	// Preview does everything but keep it: the result and the problems are those of a real run.
	Preview bool
	// Welcome sends people who are added the welcome mail, and others word of a new code, where there is mail.
	Welcome bool
	// UpdateOnly skips people who do not exist instead of adding them.
	UpdateOnly bool
}

// ImportAction is what an import does with a line.
type ImportAction string

// The actions.
const (
	ImportCreate    ImportAction = "create"
	ImportUpdate    ImportAction = "update"
	ImportUnchanged ImportAction = "unchanged"
	ImportSkip      ImportAction = "skip" // UpdateOnly and no such user
)

// ImportedLine is what an import did, or in a preview would do, with one line of the file.
type ImportedLine struct {
	Line     int
	Username string
	User     core.UserID // zero for one that a preview would create
	Action   ImportAction
	Fields   []string // what changes
	Note     string   // what was left alone and why
}

// ImportedBalance is a balance the file gives. The import itself moves no money: the caller books the difference to the
// present balance under Key, so that the same file imported twice books it once.
type ImportedBalance struct {
	Line   int
	User   core.UserID
	Amount core.Amount
	Key    string
}

// ImportResult tells what an import did.
type ImportResult struct {
	Format   Format
	Lines    []ImportedLine
	Balances []ImportedBalance
	// Ignored names columns that had values but are not imported.
	Ignored []string
}

// Count tells how many lines had the action.
func (r ImportResult) Count(a ImportAction) int {
	n := 0
	for _, l := range r.Lines {
		if l.Action == a {
			n++
		}
	}
	return n
}

// Problem is a mistake in an import file.
type Problem struct {
	Line   int
	Reason string // never has a password in it
}

// ImportError lists what is wrong with a file. It is core.ErrInvalid. Nothing of the file was imported.
type ImportError struct {
	Problems []Problem
	More     int // how many problems are not listed
}

func (e *ImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "nothing was imported, the file has %d mistakes", len(e.Problems)+e.More)
	if len(e.Problems)+e.More == 1 {
		b.Reset()
		b.WriteString("nothing was imported, the file has a mistake")
	}
	for _, p := range e.Problems {
		fmt.Fprintf(&b, "\nline %d: %s", p.Line, p.Reason)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\nand %d more", e.More)
	}
	return b.String()
}

// Is makes errors.Is(err, core.ErrInvalid) true.
func (e *ImportError) Is(target error) bool { return target == core.ErrInvalid }

func (e *ImportError) add(line int, err error) {
	if len(e.Problems) == maxProblems {
		e.More++
		return
	}
	e.Problems = append(e.Problems, Problem{line, err.Error()})
}

func (e *ImportError) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// errPreview rolls a preview back.
var errPreview = errors.New("preview only")

// Import adds and changes people from a file, all of it or nothing, and tells line by line what it did. A line whose
// username is known changes that person, any other adds one; an empty column changes nothing, so that the same file can be imported
// again. Mistakes are an *ImportError.
func (s *Service) Import(ctx context.Context, actor string, file io.Reader, o ImportOptions) (ImportResult, error) {
	data, err := io.ReadAll(io.LimitReader(file, maxImport+1))
	if err != nil {
		return ImportResult{}, fmt.Errorf("read the import file: %w", err)
	}
	if len(data) > maxImport {
		return ImportResult{}, fmt.Errorf("read the import file: %w: it is larger than %d MiB; split it", core.ErrInvalid, maxImport>>20)
	}
	table, err := parseImport(bytes.NewReader(data), o.Format)
	if err != nil {
		return ImportResult{}, err
	}
	if err := table.check(); err != nil {
		return ImportResult{}, err
	}
	hashes, err := s.hashes(ctx, table, o.Preview)
	if err != nil {
		return ImportResult{}, fmt.Errorf("import users: %w", err)
	}
	sum := sha256.Sum256(data)
	key := "import:" + hex.EncodeToString(sum[:12])
	var result ImportResult
	err = s.d.Store.Update(ctx, func(tx store.Tx) error {
		result = ImportResult{Format: table.format, Ignored: table.ignored}
		return s.importAll(ctx, tx, actor, table, o, hashes, key, &result)
	})
	if errors.Is(err, errPreview) {
		return result, nil
	}
	if err != nil {
		return ImportResult{}, fmt.Errorf("import users: %w", err)
	}
	for _, l := range result.Lines {
		if l.Action == ImportCreate || l.Action == ImportUpdate {
			s.d.OnChange(l.User)
		}
	}
	return result, nil
}

// hashes computes the hashes of new passwords before the transaction, which must not wait for them. A password that is the
// person's already gets none.
func (s *Service) hashes(ctx context.Context, t importTable, preview bool) (map[int]string, error) {
	hashes := map[int]string{}
	for _, row := range t.rows {
		if row.password.Empty() || preview {
			continue
		}
		var have string
		err := s.d.Store.View(ctx, func(tx store.Tx) error {
			u, err := find(ctx, tx, row.username, s.d.Clock())
			if err == nil {
				have, err = tx.PasswordHash(ctx, u.ID)
			}
			return err
		})
		if err != nil && !errors.Is(err, core.ErrNotFound) && !errors.Is(err, core.ErrAmbiguous) {
			return nil, err
		}
		if have != "" {
			if same, err := s.d.Hasher.Verify(ctx, row.password, have); err == nil && same {
				continue
			}
		}
		if hashes[row.line], err = s.d.Hasher.Hash(ctx, row.password); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

func (s *Service) importAll(ctx context.Context, tx store.Tx, actor string, t importTable, o ImportOptions, hashes map[int]string, key string, result *ImportResult) error {
	problems := &ImportError{}
	known := map[core.UserID]int{}
	var gifts []gift
	for _, row := range t.rows {
		c := &change{ctx: ctx, tx: tx, now: s.d.Clock()}
		line, err := s.importRow(c, actor, row, o, hashes[row.line])
		switch {
		case isMistake(err):
			problems.add(row.line, err)
			continue
		case err != nil:
			return fmt.Errorf("line %d: %w", row.line, err)
		}
		if before, twice := known[line.User]; twice && line.User != 0 {
			problems.add(row.line, fmt.Errorf("%w: it is about the same person as line %d", core.ErrInvalid, before))
			continue
		}
		known[line.User] = row.line
		if g, ok := row.gift(c.user, line.Action); ok {
			g.at = len(result.Lines)
			gifts = append(gifts, g)
		}
		if row.balance != nil && line.User != 0 {
			result.Balances = append(result.Balances, ImportedBalance{row.line, line.User, *row.balance, fmt.Sprintf("%s:%d", key, row.line)})
		}
		result.Lines = append(result.Lines, line)
	}
	if err := s.give(ctx, tx, actor, o, gifts, result, problems); err != nil {
		return err
	}
	for i := range result.Lines {
		if o.Preview && result.Lines[i].Action == ImportCreate {
			result.Lines[i].User = 0 // the id is given anew by the real run
		}
	}
	if err := problems.orNil(); err != nil {
		return err
	}
	if o.Preview {
		return errPreview
	}
	return nil
}

// isMistake tells errors of the file from those of the store.
func isMistake(err error) bool {
	return errors.Is(err, core.ErrInvalid) || errors.Is(err, core.ErrConflict) || errors.Is(err, core.ErrAmbiguous)
}

func (s *Service) importRow(c *change, actor string, row importRow, o ImportOptions, phc string) (ImportedLine, error) {
	line := ImportedLine{Line: row.line, Username: row.username}
	user, err := find(c.ctx, c.tx, row.username, c.now)
	switch {
	case errors.Is(err, core.ErrNotFound) && o.UpdateOnly:
		line.Action, line.Note = ImportSkip, "there is no such user"
		return line, nil
	case errors.Is(err, core.ErrNotFound):
		line.Action, line.Fields = ImportCreate, row.fields()
		err = c.add(actor, row.newUser(), phc)
		line.User = c.user.ID
		return line, err
	case err != nil:
		return line, err
	}
	c.user, line.User, line.Username = user, user.ID, user.Username
	if err := s.importChange(c, row, phc, o.Preview, &line); err != nil {
		return line, err
	}
	line.Fields, line.Action = c.fields, ImportUpdate
	if len(c.fields) == 0 {
		line.Action = ImportUnchanged
	}
	return line, c.save(actor, "user.import")
}

// importChange changes a known person. What their directory keeps is left alone, and said.
func (s *Service) importChange(c *change, row importRow, phc string, preview bool, line *ImportedLine) error {
	ch := row.change()
	if c.user.Source != core.LocalSource && (ch.DisplayName != nil || ch.Email != nil || ch.Department != nil || ch.Office != nil) {
		ch.DisplayName, ch.Email, ch.Department, ch.Office = nil, nil, nil, nil
		line.Note = fmt.Sprintf("name, e-mail, department and office are kept by the directory %q", c.user.Source)
	}
	if !row.password.Empty() && (phc != "" || preview) {
		if err := s.checkPassword(c, row.password); err != nil {
			return err
		}
		ch.Password = &row.password
	}
	if preview && ch.Password != nil {
		// Whether the password is a new one costs a hash to know: a preview does not.
		ch.Password = nil
		c.fields = append(c.fields, "password")
	}
	if err := s.set(c, ch, phc); err != nil {
		return err
	}
	if row.disabled != nil && *row.disabled != c.user.Disabled {
		c.user.Disabled, c.user.DisabledBySource = *row.disabled, false
		c.fields = append(c.fields, "disabled")
	}
	for _, alias := range row.aliases {
		if err := c.addAlias(alias); err != nil {
			return err
		}
	}
	return nil
}

// check finds the mistakes that need no store: bad values, and lines about the same name.
func (t importTable) check() error {
	problems := &ImportError{}
	seen := map[auth.Folded]int{}
	for _, row := range t.rows {
		if row.err != nil {
			problems.add(row.line, row.err)
			continue
		}
		folded, err := checkName("username", row.username)
		if err == nil && !row.password.Empty() {
			err = passhash.Check(row.password)
		}
		if err != nil {
			problems.add(row.line, err)
			continue
		}
		if before, twice := seen[folded]; twice {
			problems.add(row.line, fmt.Errorf("%w: the username %q is in line %d already", core.ErrInvalid, row.username, before))
			continue
		}
		seen[folded] = row.line
	}
	return problems.orNil()
}
