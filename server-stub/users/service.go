package users

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// Deps is what a Service needs.
type Deps struct {
	Store  store.Store
	Clock  clock.Clock
	Hasher *passhash.Hasher
	// ChecksPasswords tells whether a source checks the passwords of its people itself; they then get none here. Nil: none does.
	ChecksPasswords func(core.SourceID) bool
	// Credentials gives people codes, and takes cards, codes and PINs of imports. Nil: people have none.
	Credentials Credentials
	// OnChange is called after a change of a user was committed, for sessions and streams to end. May be nil.
	OnChange func(core.UserID)
}

// Service changes users. Safe for concurrent use. Errors are of the kinds of server-stub/core.
type Service struct{ d Deps }

// New returns a Service.
func New(d Deps) *Service {
	if d.ChecksPasswords == nil {
		d.ChecksPasswords = func(core.SourceID) bool { return false }
	}
	if d.OnChange == nil {
		d.OnChange = func(core.UserID) {}
	}
	return &Service{d: d}
}

// update runs a change of one user in a transaction and reports it afterwards.
func (s *Service) update(ctx context.Context, what string, id core.UserID, fn func(c *change) error) (core.User, error) {
	var c *change
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		c = &change{ctx: ctx, tx: tx, now: s.d.Clock()}
		user, err := living(ctx, tx, id)
		if err != nil {
			return err
		}
		c.user = user
		return fn(c)
	})
	if err != nil {
		return core.User{}, fmt.Errorf("%s user %d: %w", what, id, err)
	}
	if len(c.fields) > 0 {
		s.d.OnChange(id)
	}
	return c.user, nil
}

// living returns a user who is not erased.
func living(ctx context.Context, tx store.Tx, id core.UserID) (core.User, error) {
	u, err := tx.User(ctx, id)
	if err == nil && !u.ErasedAt.IsZero() {
		return core.User{}, core.ErrNotFound
	}
	return u, err
}

// change is one change of one user in a transaction.
type change struct {
	ctx    context.Context
	tx     store.Tx
	now    time.Time
	user   core.User
	fields []string // what was changed, for the audit line
}

// save stores the user and writes the audit line, if anything was changed.
func (c *change) save(actor, action string) error {
	if len(c.fields) == 0 {
		return nil
	}
	c.user.UpdatedAt = c.now
	if err := c.tx.UpdateUser(c.ctx, c.user); err != nil {
		return err
	}
	return c.audit(actor, action)
}

func (c *change) audit(actor, action string) error {
	return c.tx.AppendAudit(c.ctx, core.AuditEvent{
		At: c.now, Actor: actor, Action: action, Target: fmt.Sprintf("user:%d", c.user.ID), Detail: strings.Join(c.fields, ","),
	})
}

// setText changes a field if the new text differs.
func (c *change) setText(name string, field *string, text *string) {
	if text == nil || *field == strings.TrimSpace(*text) {
		return
	}
	*field = strings.TrimSpace(*text)
	c.fields = append(c.fields, name)
}

// maxText bounds names of people, departments and the like, in bytes.
const maxText = 256

func checkText(field, text string) error {
	if len(text) > maxText {
		return fmt.Errorf("%w: the %s is longer than %d bytes", core.ErrInvalid, field, maxText)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return fmt.Errorf("%w: the %s has characters that cannot be typed", core.ErrInvalid, field)
	}
	return nil
}

// checkName holds a username or alias given by hand to what can be found again.
func checkName(field, text string) (auth.Folded, error) {
	folded, err := auth.Canon(text)
	if err != nil {
		return "", fmt.Errorf("%w: the %s %q: %w", core.ErrInvalid, field, text, err)
	}
	before, after, address := strings.Cut(string(folded), "@")
	switch {
	case strings.ContainsAny(string(folded), `\/`):
		return "", fmt.Errorf(`%w: the %s %q has a \ or /; leave the domain out`, core.ErrInvalid, field, text)
	case address && (before == "" || after == "" || strings.Contains(after, "@")):
		return "", fmt.Errorf("%w: the %s %q is no address; write it like alex or alex@example.org", core.ErrInvalid, field, text)
	case usermap.Lookalike(folded):
		return "", fmt.Errorf("%w: the %s %q mixes letters that look alike, so it would never be found without asking", core.ErrInvalid, field, text)
	}
	return folded, nil
}

func checkEmail(text string) (auth.Folded, error) {
	folded, err := auth.Canon(text)
	before, after, address := strings.Cut(string(folded), "@")
	if err != nil || !address || before == "" || after == "" || strings.ContainsAny(after, "@ ") {
		return "", fmt.Errorf("%w: %q is no e-mail address; write it like alex@example.org", core.ErrInvalid, text)
	}
	return folded, nil
}

// usernameKind is NameUPN for a username in the form of one.
func usernameKind(folded auth.Folded) core.NameKind {
	if strings.Contains(string(folded), "@") {
		return core.NameUPN
	}
	return core.NameUsername
}

// claim makes sure that a name may be given to the user, and ends what others kept of it long enough.
func (c *change) claim(folded auth.Folded, kind core.NameKind) error {
	holders, err := c.tx.Holders(c.ctx, folded)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if h.UserID == c.user.ID || !names.Blocks(h, c.now) || kind == core.NameEmail && h.Kind == core.NameEmail {
			continue
		}
		since, err := c.unusedSince(h, holders)
		if err != nil {
			return err
		}
		switch {
		case !since.IsZero() && c.now.Sub(since) >= names.Reservation:
			if err := c.tx.EndName(c.ctx, h.ID, since); err != nil {
				return err
			}
		case !h.ValidTo.IsZero() && !h.ValidTo.After(c.now):
			return fmt.Errorf("%w: the name %q was that of user %d until %s and is kept for %d days; free it to give it away now", core.ErrConflict, h.Name, h.UserID,
				h.ValidTo.Format(time.DateOnly), int(names.Reservation.Hours()/24))
		default:
			return fmt.Errorf("%w: the name %q is the %s of user %d", core.ErrConflict, h.Name, h.Kind, h.UserID)
		}
	}
	return nil
}

// unusedSince tells since when the holder has had no use of a name in force: since a rename left it as an alias, or since
// a directory stopped listing its holder. Zero: in use.
func (c *change) unusedSince(h core.NameHolder, holders []core.NameHolder) (time.Time, error) {
	var since time.Time
	if !h.ValidTo.IsZero() {
		return since, nil
	}
	if h.Kind == core.NameAlias {
		for _, other := range holders {
			if other.UserID == h.UserID && strong(other.Kind) && other.ValidTo.After(since) {
				since = other.ValidTo
			}
		}
	}
	if h.Active {
		return since, nil
	}
	u, err := c.tx.User(c.ctx, h.UserID)
	if err == nil && u.DeletedAt.After(since) {
		since = u.DeletedAt
	}
	return since, err
}

func strong(kind core.NameKind) bool { return kind == core.NameUPN || kind == core.NameUsername }

// put gives the user a name.
func (c *change) put(name string, folded auth.Folded, kind core.NameKind) error {
	return c.tx.PutName(c.ctx, core.LoginName{UserID: c.user.ID, Name: strings.TrimSpace(name), Folded: folded, Kind: kind, Source: core.LocalSource, ValidFrom: c.now})
}

// end ends the user's names that match, and tells how many.
func (c *change) end(match func(core.LoginName) bool) (int, error) {
	list, err := c.tx.UserNames(c.ctx, c.user.ID)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, name := range list {
		if !name.ValidTo.IsZero() || !match(name) {
			continue
		}
		n++
		if err := c.tx.EndName(c.ctx, name.ID, c.now); err != nil {
			return n, err
		}
	}
	return n, nil
}

// keptByDirectory is the error for fields that the person's directory keeps.
func (c *change) keptByDirectory(field string) error {
	return fmt.Errorf("%w: the %s of user %d is kept by the directory %q; change it there", core.ErrConflict, field, c.user.ID, c.user.Source)
}

// Find returns the user whom an administrator means by a name: a username or UPN, else any other name that one person
// holds, or "id:12". Disabled people are found like others. Errors: core.ErrNotFound, core.ErrAmbiguous.
func (s *Service) Find(ctx context.Context, name string) (core.User, error) {
	var u core.User
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		u, err = find(ctx, tx, name, s.d.Clock())
		return err
	})
	if err != nil {
		return core.User{}, fmt.Errorf("find the user %q: %w", name, err)
	}
	return u, nil
}

func find(ctx context.Context, tx store.Tx, name string, now time.Time) (core.User, error) {
	if text, ok := strings.CutPrefix(name, "id:"); ok {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return core.User{}, fmt.Errorf("%w: write an id like id:12", core.ErrInvalid)
		}
		return living(ctx, tx, core.UserID(id))
	}
	folded, err := auth.Canon(name)
	if err != nil {
		return core.User{}, fmt.Errorf("%w: %w", core.ErrInvalid, err)
	}
	holders, err := tx.Holders(ctx, folded)
	if err != nil {
		return core.User{}, err
	}
	for _, wanted := range []func(core.NameKind) bool{strong, func(core.NameKind) bool { return true }} {
		people := map[core.UserID]bool{}
		for _, h := range holders {
			if wanted(h.Kind) && (h.ValidTo.IsZero() || h.ValidTo.After(now)) {
				people[h.UserID] = true
			}
		}
		if len(people) > 1 {
			return core.User{}, fmt.Errorf("%w: write id:NUMBER instead", core.ErrAmbiguous)
		}
		for id := range people {
			return living(ctx, tx, id)
		}
	}
	return core.User{}, core.ErrNotFound
}
