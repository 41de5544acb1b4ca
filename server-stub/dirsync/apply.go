package dirsync

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// apply writes a plan and its audit lines, and returns the users it touched. What hangs on the users is gathered and written
// at once in the end: the first synchronisation of a site is long enough as it is, and bookings wait for it.
func apply(ctx context.Context, tx store.Tx, source core.SourceID, now time.Time, p Plan) ([]core.UserID, error) {
	var w writes
	changed := make([]core.UserID, 0, len(p.Changes))
	for _, c := range p.Changes {
		id, err := w.user(ctx, tx, source, now, c)
		if err != nil {
			return nil, err
		}
		changed = append(changed, id)
	}
	return changed, w.flush(ctx, tx)
}

// writes is what hangs on users.
type writes struct {
	identities []core.ExternalIdentity
	ends, puts []core.LoginName
	events     []core.AuditEvent
}

// user writes the user and gathers the rest.
func (w *writes) user(ctx context.Context, tx store.Tx, source core.SourceID, now time.Time, c edit) (core.UserID, error) {
	id := c.User.ID
	c.User.UpdatedAt = now
	switch {
	case c.has(ActionCreate):
		c.User.CreatedAt = now
		var err error
		if id, err = tx.CreateUser(ctx, c.User); err != nil {
			return 0, fmt.Errorf("create a user: %w", err)
		}
	case !c.has(ActionRelease):
		if err := tx.UpdateUser(ctx, c.User); err != nil {
			return 0, fmt.Errorf("update the details of user %d: %w", id, err)
		}
	}
	for _, e := range c.Identities {
		e.UserID = id
		w.identities = append(w.identities, e)
	}
	w.ends = append(w.ends, c.EndNames...)
	for _, n := range c.PutNames {
		n.UserID = id
		w.puts = append(w.puts, n)
	}
	for _, action := range c.Actions {
		w.events = append(w.events, core.AuditEvent{
			At: now, Actor: "sync:" + string(source), Action: "user." + string(action), Target: fmt.Sprintf("user:%d", id), Detail: strings.Join(c.Fields, ","),
		})
	}
	return id, nil
}

// flush writes the rest. Names end before others begin, so that one that changes hands is never held twice.
func (w *writes) flush(ctx context.Context, tx store.Tx) error {
	if err := tx.PutIdentity(ctx, w.identities...); err != nil {
		return fmt.Errorf("tie identities: %w", err)
	}
	for _, n := range w.ends {
		if err := tx.EndName(ctx, n.ID, n.ValidTo); err != nil {
			return fmt.Errorf("end a name of user %d: %w", n.UserID, err)
		}
	}
	if err := tx.PutName(ctx, w.puts...); err != nil {
		return fmt.Errorf("put names: %w", err)
	}
	if err := tx.AppendAudit(ctx, w.events...); err != nil {
		return fmt.Errorf("write the audit lines: %w", err)
	}
	return nil
}
