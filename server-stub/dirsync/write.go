package dirsync

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/store"
)

// writer writes outcomes, their audit lines and the journal. What hangs on users is gathered for a chunk and written at once: the
// first synchronisation of a site is long enough as it is, and bookings wait for it.
type writer struct {
	s      *Syncer
	ctx    context.Context
	tx     store.Tx
	source core.SourceID
	now    time.Time
	run    int64
	cred   CredentialRun
	actor  string

	changed []core.UserID // everybody written, for OnChange
	made    []core.UserID // who was made, or taken over from another source

	identities []core.ExternalIdentity
	ends, puts []core.LoginName
	events     []core.AuditEvent
	entries    []store.DirectoryEntry
	journal    []store.JournalRow
	created    []core.UserID
}

func (j *job) writes(run int64) {
	j.write = &writer{
		s: j.s, ctx: j.ctx, tx: j.tx, source: j.l.source, now: j.now, run: run, cred: j.cred, actor: "sync:" + string(j.l.source),
	}
}

// chunk writes some outcomes. Their users get their ids here.
func (w *writer) chunk(outcomes []outcome) error {
	for i := range outcomes {
		o := &outcomes[i]
		for k := range o.release {
			if err := w.user(&o.release[k], nil); err != nil {
				return err
			}
		}
		if len(o.edit.Actions) > 0 {
			if err := w.user(&o.edit, o.person); err != nil {
				return err
			}
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	for i := range outcomes {
		if err := w.after(&outcomes[i]); err != nil {
			return err
		}
	}
	return w.finish()
}

// user writes the user and gathers the rest.
func (w *writer) user(c *edit, person *Person) error {
	c.User.UpdatedAt = w.now
	switch {
	case c.has(ActionCreate):
		c.User.CreatedAt = w.now
		id, err := w.tx.CreateUser(w.ctx, c.User)
		if err != nil {
			return fmt.Errorf("create a user: %w", err)
		}
		c.User.ID = id
		w.made = append(w.made, id)
	case c.writesUser():
		if err := w.tx.UpdateUser(w.ctx, c.User); err != nil {
			return fmt.Errorf("update the details of user %d: %w", c.User.ID, err)
		}
		if person != nil && person.User.Source != c.User.Source {
			w.made = append(w.made, c.User.ID)
		}
	}
	id := c.User.ID
	w.changed = append(w.changed, id)
	for i := range c.Identities {
		c.Identities[i].UserID = id
	}
	w.identities = append(w.identities, c.Identities...)
	w.ends = append(w.ends, c.EndNames...)
	for i := range c.PutNames {
		c.PutNames[i].UserID = id
	}
	w.puts = append(w.puts, c.PutNames...)
	for _, action := range c.Actions {
		w.events = append(w.events, core.AuditEvent{
			At: w.now, Actor: w.actor, Action: "user." + string(action), Target: fmt.Sprintf("user:%d", id), Detail: strings.Join(c.Fields, ","),
		})
	}
	return nil
}

// flush writes what hangs on the users. Names end before others begin, so that one that changes hands is never held twice.
func (w *writer) flush() error {
	if len(w.identities) > 0 {
		if err := w.tx.PutIdentity(w.ctx, w.identities...); err != nil {
			return fmt.Errorf("tie identities: %w", err)
		}
	}
	for _, n := range w.ends {
		if err := w.tx.EndName(w.ctx, n.ID, n.ValidTo); err != nil {
			return fmt.Errorf("end a name of user %d: %w", n.UserID, err)
		}
	}
	if len(w.puts) > 0 {
		if err := w.tx.PutName(w.ctx, w.puts...); err != nil {
			return fmt.Errorf("put names: %w", err)
		}
	}
	if len(w.events) > 0 {
		if err := w.tx.AppendAudit(w.ctx, w.events...); err != nil {
			return fmt.Errorf("write the audit lines: %w", err)
		}
	}
	w.identities, w.ends, w.puts, w.events = w.identities[:0], w.ends[:0], w.puts[:0], w.events[:0]
	return nil
}

// after does what needs the user with all names: cards and codes, notices, the journal, the fingerprint.
func (w *writer) after(o *outcome) error {
	var undo []byte
	var notices []Notice
	if w.cred != nil && !o.cred.Empty() {
		var err error
		if undo, notices, err = w.cred.Apply(w.ctx, w.tx, w.now, o.edit.User, o.cred); err != nil {
			return fmt.Errorf("keep the cards and codes of user %d: %w", o.edit.User.ID, err)
		}
	}
	if err := w.notify(o, notices); err != nil {
		return err
	}
	for i := range o.release {
		if err := w.journalled(&o.release[i], nil, nil); err != nil {
			return err
		}
	}
	switch {
	case len(o.edit.Actions) == 0:
	case o.edit.has(ActionCreate) && undo == nil:
		w.created = append(w.created, o.edit.User.ID)
	default:
		if err := w.journalled(&o.edit, o.person, undo); err != nil {
			return err
		}
	}
	if !o.news() {
		return nil
	}
	e := store.DirectoryEntry{Source: w.source, Key: store.Key(keyOf(o.w.rec)), User: o.edit.User.ID}
	if o.person != nil {
		e.User = o.person.User.ID
	}
	if o.clean() {
		e.Fingerprint = o.w.rec.Fingerprint
	}
	w.entries = append(w.entries, e)
	return nil
}

// notify tells people, somebody new always.
func (w *writer) notify(o *outcome, notices []Notice) error {
	if w.s.cfg.Notify == nil {
		return nil
	}
	welcome := o.edit.has(ActionCreate) && !o.edit.User.Disabled
	for _, n := range notices {
		welcome = welcome && n.Kind != NoticeWelcome
	}
	if welcome {
		notices = append(notices, Notice{Kind: NoticeWelcome, User: o.edit.User})
	}
	for _, n := range notices {
		if err := w.s.cfg.Notify(w.ctx, w.tx, n); err != nil {
			return fmt.Errorf("tell user %d: %w", n.User.ID, err)
		}
	}
	return nil
}

// finish writes the journal, then the fingerprints: whatever changes a person takes the fingerprint away.
func (w *writer) finish() error {
	if len(w.created) > 0 {
		row, err := w.s.journalCreated(w.run, w.now, w.created)
		if err != nil {
			return err
		}
		w.journal = append(w.journal, row)
	}
	if err := w.tx.AppendJournal(w.ctx, w.journal...); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := w.tx.PutDirectoryEntries(w.ctx, w.entries...); err != nil {
		return fmt.Errorf("note what was seen: %w", err)
	}
	w.journal, w.entries, w.created = w.journal[:0], w.entries[:0], w.created[:0]
	return nil
}

// groups writes the groups of a listing.
func (w *writer) groups(l *listing) (ids []int64, err error) {
	err = l.groups.all(func(g directory.Group) error {
		id, err := w.group(g)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep the groups of source %q: %w", l.source, err)
	}
	return ids, w.groupsGone(l)
}

func (w *writer) group(g directory.Group) (int64, error) {
	kept := store.DirectoryGroup{
		Group: core.Group{Source: w.source, Kind: g.Key.Kind, ImmutableID: g.Key.ID, SID: g.SID, Name: g.Name}, Fingerprint: g.Fingerprint,
	}
	old, err := w.tx.GroupByKey(w.ctx, w.source, store.Key(g.Key))
	known := err == nil
	if err != nil && !isNotFound(err) {
		return 0, err
	}
	if known && g.Changed {
		kept.Name, kept.SID = orText(g.Name, old.Name), orText(g.SID, old.SID)
	}
	if kept.Name == "" {
		kept.Name = g.Key.ID
	}
	id, err := w.tx.PutGroup(w.ctx, kept)
	if err != nil {
		return 0, err
	}
	if g.Changed && known && old.DeletedAt.IsZero() {
		if err := w.tx.DeleteGroupMembers(w.ctx, id, storeKeys(g.Removed)...); err != nil {
			return 0, err
		}
		return id, w.tx.PutGroupMembers(w.ctx, id, storeKeys(g.Members)...)
	}
	return id, w.members(id, storeKeys(g.Members))
}

// members makes the direct members of a group those of a listing.
func (w *writer) members(id int64, members []store.Key) error {
	have, err := w.tx.GroupMembers(w.ctx, id)
	if err != nil {
		return err
	}
	stays := make(map[store.Key]bool, len(members))
	for _, k := range members {
		stays[k] = true
	}
	var gone []store.Key
	for _, k := range have {
		if !stays[k] {
			gone = append(gone, k)
		}
		delete(stays, k) // is there already
	}
	if err := w.tx.DeleteGroupMembers(w.ctx, id, gone...); err != nil {
		return err
	}
	add := make([]store.Key, 0, len(stays))
	for _, k := range members {
		if stays[k] {
			delete(stays, k)
			add = append(add, k)
		}
	}
	return w.tx.PutGroupMembers(w.ctx, id, add...)
}

// groupsGone notes which groups the directory stopped listing.
func (w *writer) groupsGone(l *listing) error {
	if len(l.groupsGone) == 0 {
		return nil
	}
	gone := map[int64]bool{}
	for _, id := range l.groupsGone {
		gone[id] = true
	}
	var groups []store.DirectoryGroup
	if err := w.tx.DirectoryGroups(w.ctx, l.source, func(g store.DirectoryGroup) {
		if gone[g.ID] && g.DeletedAt.IsZero() {
			groups = append(groups, g)
		}
	}); err != nil {
		return fmt.Errorf("read the groups of source %q: %w", l.source, err)
	}
	for _, g := range groups {
		g.DeletedAt, g.Fingerprint = w.now, [16]byte{}
		if _, err := w.tx.PutGroup(w.ctx, g); err != nil {
			return fmt.Errorf("note that a group of source %q is gone: %w", l.source, err)
		}
		if err := w.tx.ClearGroupMembers(w.ctx, g.ID); err != nil {
			return fmt.Errorf("empty a group of source %q that is gone: %w", l.source, err)
		}
	}
	return nil
}

func storeKeys(keys []directory.Key) []store.Key {
	out := make([]store.Key, len(keys))
	for i, k := range keys {
		out[i] = store.Key(k)
	}
	return out
}
