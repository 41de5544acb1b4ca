package users

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// What people can be renamed to.
const (
	MigrateUPN  = "upn"
	MigrateMail = "mail"
)

// migrationSource is the source of the record of a migration of all directories' people. No directory has such an id.
const migrationSource core.SourceID = "names:all"

// MigrateOptions say whom to rename, and how.
type MigrateOptions struct {
	To     string         // MigrateUPN or MigrateMail
	Source *core.SourceID // only people of this source; nil: of every source but LocalSource
	// Preview does nothing: the lines are those of a real migration.
	Preview bool
	// UsernameRule is the username rule of a configured directory (upn, sam, nickname, mail, auto), "" for a source that is not one. A
	// directory whose rule is another would take the old names back with its next synchronisation.
	UsernameRule func(core.SourceID) string
	// Progress is told how many people were looked at. May be nil.
	Progress func(done, total int)
}

// MigrateAction says what a migration does to one person.
type MigrateAction string

// The actions.
const (
	MigrateRename   MigrateAction = "rename"
	MigrateFollow   MigrateAction = "follow"   // has the name already, and follows the directory's from now on (core.User.KeepsUsername)
	MigrateConflict MigrateAction = "conflict" // cannot have the name
	MigrateSkip     MigrateAction = "skip"     // no such name is known
)

// MigrateLine is what a migration does to one person. Nobody has a line who has the name already.
type MigrateLine struct {
	User     core.UserID
	Old, New string
	Action   MigrateAction
	Why      string // of a conflict or a skip
}

// Migration is what a migration did, or in a preview would do.
type Migration struct {
	Run    int64 // by which it is undone, 0 for a preview and where nobody was renamed
	People int   // looked at
	Lines  []MigrateLine
	// Problem says, in a preview, why the real migration would be refused as a whole.
	Problem string
}

// Count tells to how many people it does something.
func (m Migration) Count(a MigrateAction) int {
	n := 0
	for _, l := range m.Lines {
		if l.Action == a {
			n++
		}
	}
	return n
}

// Migrate gives everybody the UPN, or the e-mail address, as username: all who can have it, in one transaction. Who they are,
// their balance, cards, sessions, roles and history belong to their id and stay; the old username stays as an alias. Errors:
// core.ErrInvalid, core.ErrConflict where a directory would take the old names back.
func (s *Service) Migrate(ctx context.Context, actor string, o MigrateOptions) (Migration, error) {
	if o.To != MigrateUPN && o.To != MigrateMail {
		return Migration{}, fmt.Errorf("rename people: %w: %q: write upn or mail", core.ErrInvalid, o.To)
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	if o.UsernameRule == nil {
		o.UsernameRule = func(core.SourceID) string { return "" }
	}
	var m *migration
	do := func(tx store.Tx) error {
		m = &migration{MigrateOptions: o, change: change{ctx: ctx, tx: tx, now: s.d.Clock()}, actor: actor, given: map[auth.Folded]core.UserID{}}
		return m.run()
	}
	var err error
	if o.Preview {
		err = s.d.Store.View(ctx, do)
	} else {
		err = s.d.Store.Update(ctx, do)
	}
	if err != nil {
		return Migration{}, fmt.Errorf("rename people to their %s: %w", o.To, err)
	}
	if !o.Preview {
		for _, l := range m.out.Lines {
			if l.Action == MigrateRename || l.Action == MigrateFollow {
				s.d.OnChange(l.User)
			}
		}
	}
	return m.out, nil
}

// migration is one run of Migrate. The user of its change is the person it looks at.
type migration struct {
	MigrateOptions
	change

	actor string
	given map[auth.Folded]core.UserID // the new names of this run
	out   Migration
	todo  writes
}

// migratePage is how many people are looked at together.
const migratePage = 1000

func (m *migration) run() error {
	filter := store.UserFilter{Source: m.Source, Limit: migratePage}
	total, err := m.tx.CountUsers(m.ctx, filter)
	if err != nil {
		return err
	}
	for seen := 0; ; {
		page, err := m.tx.ListUsers(m.ctx, filter)
		if err != nil {
			return err
		}
		if err := m.page(page); err != nil {
			return err
		}
		seen += len(page)
		m.Progress(seen, max(total, seen))
		if len(page) < migratePage {
			break
		}
		filter.After = page[len(page)-1].ID
	}
	if m.Preview || m.Count(MigrateRename)+m.Count(MigrateFollow) == 0 {
		return nil
	}
	return m.finish()
}

// Count is that of what was found so far.
func (m *migration) Count(a MigrateAction) int { return m.out.Count(a) }

func (m *migration) page(people []core.User) error {
	people = slices.DeleteFunc(slices.Clone(people), func(u core.User) bool { return m.Source == nil && u.Source == core.LocalSource })
	m.out.People += len(people)
	ids := make([]core.UserID, len(people))
	for i, u := range people {
		ids[i] = u.ID
	}
	have := map[core.UserID][]core.LoginName{}
	if err := m.tx.NamesOf(m.ctx, ids, func(n core.LoginName) { have[n.UserID] = append(have[n.UserID], n) }); err != nil {
		return err
	}
	targets := make([]string, len(people))
	var folds []auth.Folded
	for i, u := range people {
		targets[i] = migrateTarget(m.To, u, have[u.ID])
		if folded, err := auth.Canon(targets[i]); err == nil {
			folds = append(folds, folded)
		}
	}
	holders := map[auth.Folded][]core.NameHolder{}
	if err := m.tx.HoldersOf(m.ctx, folds, func(h core.NameHolder) { holders[h.Folded] = append(holders[h.Folded], h) }); err != nil {
		return err
	}
	for i, u := range people {
		m.user = u
		if err := m.person(targets[i], have[u.ID], holders); err != nil {
			return fmt.Errorf("user %d: %w", u.ID, err)
		}
	}
	return nil
}

// migrateTarget is the name that the person is to have, "" when it is not known.
func migrateTarget(to string, u core.User, have []core.LoginName) string {
	if to == MigrateMail {
		return u.Email
	}
	upn := ""
	for _, n := range have {
		if n.Kind == core.NameUPN && n.ValidTo.IsZero() && (upn == "" || n.Source == u.Source) {
			upn = n.Name
		}
	}
	return upn
}

// person decides about one person, and notes what is to be written.
func (m *migration) person(target string, have []core.LoginName, holders map[auth.Folded][]core.NameHolder) error {
	u := m.user
	line := MigrateLine{User: u.ID, Old: u.Username, New: target, Action: MigrateRename}
	folded, err := checkName("name", target)
	switch {
	case target == "":
		line.Action, line.Why = MigrateSkip, "no directory tells the person's "+map[string]string{MigrateUPN: "UPN", MigrateMail: "e-mail address"}[m.To]
	case target == u.Username && !u.KeepsUsername:
		return nil
	case target == u.Username:
		line.Action = MigrateFollow
	case err != nil:
		line.Action, line.Why = MigrateConflict, trimKind(err)
	}
	if line.Action == MigrateRename {
		why, release, err := m.taken(folded, holders[folded])
		if err != nil {
			return err
		}
		if other, twice := m.given[folded]; twice && why == "" {
			why = fmt.Sprintf("the name is that of user %d, too", other)
		}
		if line.Why = why; why != "" {
			line.Action = MigrateConflict
		} else {
			m.given[folded] = u.ID
			m.todo.release = append(m.todo.release, release...)
		}
	}
	m.out.Lines = append(m.out.Lines, line)
	if line.Action != MigrateRename && line.Action != MigrateFollow {
		return nil
	}
	if rule := m.UsernameRule(u.Source); !follows(m.To, rule) && m.out.Problem == "" {
		m.out.Problem = fmt.Sprintf("the directory %q names its people by `username: %s`, so its next synchronisation would take the old names back; "+
			"write `username: %s` there first (for Active Directory upn_as_username: Y)", u.Source, rule, m.To)
	}
	switch {
	case m.Preview:
		return nil
	case m.out.Problem != "":
		return fmt.Errorf("%w: %s", core.ErrConflict, m.out.Problem)
	}
	return m.note(target, folded, have)
}

// follows tells whether a directory with that username rule gives people the names by itself that they are renamed to.
func follows(to, rule string) bool {
	return rule == "" || rule == to || to == MigrateUPN && rule == "auto"
}

// taken says why the person cannot have the name, or, without a reason, which names of others end for it.
func (m *migration) taken(folded auth.Folded, holders []core.NameHolder) (why string, release []core.LoginName, err error) {
	if usermap.Lookalike(folded) {
		return "the name mixes letters that look alike", nil, nil
	}
	for _, h := range holders {
		if h.UserID == m.user.ID || !names.Blocks(h, m.now) {
			continue
		}
		since, err := m.unusedSince(h, holders)
		switch {
		case err != nil:
			return "", nil, err
		case !since.IsZero() && m.now.Sub(since) >= names.Reservation:
			h.ValidTo = since
			release = append(release, h.LoginName)
		case h.ValidTo.IsZero():
			return fmt.Sprintf("the name is the %s of user %d", h.Kind, h.UserID), nil, nil
		default:
			return fmt.Sprintf("the name was that of user %d and is kept for %d days", h.UserID, int(names.Reservation.Hours()/24)), nil, nil
		}
	}
	return "", release, nil
}

// trimKind leaves out the kind of an error, which a line in a table says already.
func trimKind(err error) string {
	return strings.TrimPrefix(err.Error(), errors.Join(core.ErrInvalid).Error()+": ")
}
