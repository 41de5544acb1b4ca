package sqlstore

import (
	"context"
	"math"

	"github.com/platenprint/platen/server-stub/core"
)

func scanAudit(row scanner) (core.AuditEvent, error) {
	var e core.AuditEvent
	err := row.Scan(&e.ID, timeOf{&e.At}, &e.Actor, &e.Action, &e.Target, &e.Detail)
	return e, err
}

// AppendAudit implements store.Audit.
func (t *tx) AppendAudit(ctx context.Context, events ...core.AuditEvent) error {
	_, err := execMany(ctx, t, "write the audit log", insert{`INSERT INTO audit_events (at, actor, action, target, detail) VALUES`, 5, ``}, events,
		func(e core.AuditEvent) []any { return []any{e.At, e.Actor, e.Action, e.Target, e.Detail} })
	return err
}

// AuditEvents implements store.Audit.
func (t *tx) AuditEvents(ctx context.Context, before int64, limit int) ([]core.AuditEvent, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return all(ctx, t, scanAudit, "read the audit log", `SELECT id, at, actor, action, target, detail
		FROM audit_events WHERE id < $1 ORDER BY id DESC LIMIT $2`, before, limit)
}
