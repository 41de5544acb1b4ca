package dirsync

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// apply writes a plan and its audit lines, and returns the users it touched.
func apply(ctx context.Context, tx store.Tx, source core.SourceID, now time.Time, p Plan) ([]core.UserID, error) {
	changed := make([]core.UserID, 0, len(p.Changes))
	for _, c := range p.Changes {
		id, err := applyOne(ctx, tx, source, now, c)
		if err != nil {
			return nil, err
		}
		changed = append(changed, id)
	}
	return changed, nil
}

func applyOne(ctx context.Context, tx store.Tx, source core.SourceID, now time.Time, c Change) (core.UserID, error) {
	id := c.User.ID
	step := func(what string, err error) error { return fmt.Errorf("%s of user %d: %w", what, id, err) }
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
			return 0, step("update the details", err)
		}
	}
	for _, e := range c.Identities {
		e.UserID = id
		if err := tx.PutIdentity(ctx, e); err != nil {
			return 0, step("tie the "+string(e.Kind), err)
		}
	}
	for _, n := range c.EndNames {
		if err := tx.EndName(ctx, n.ID, n.ValidTo); err != nil {
			return 0, step("end a name", err)
		}
	}
	for _, n := range c.PutNames {
		n.UserID = id
		if err := tx.PutName(ctx, n); err != nil {
			return 0, step("put a name", err)
		}
	}
	for _, action := range c.Actions {
		event := core.AuditEvent{
			At: now, Actor: "sync:" + string(source), Action: "user." + string(action), Target: fmt.Sprintf("user:%d", id), Detail: strings.Join(c.Fields, ","),
		}
		if err := tx.AppendAudit(ctx, event); err != nil {
			return 0, step("write the audit line", err)
		}
	}
	return id, nil
}
