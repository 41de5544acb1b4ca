package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

func scanPlan(row scanner) (store.DirectoryPlan, error) {
	var p store.DirectoryPlan
	err := row.Scan(&p.ID, &p.Source, &p.Head, timeOf{&p.CreatedAt}, timeOf{&p.ExpiresAt})
	return p, err
}

func scanBytes(row scanner) ([]byte, error) {
	var data []byte
	err := row.Scan(&data)
	return data, err
}

// CreatePlan implements store.Plans.
func (t *tx) CreatePlan(ctx context.Context, p store.DirectoryPlan) error {
	_, err := t.exec(ctx, "keep a plan", `INSERT INTO directory_plans (id, source, head, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
		p.ID, p.Source, p.Head, p.CreatedAt, p.ExpiresAt)
	return err
}

// PutPlanPart implements store.Plans.
func (t *tx) PutPlanPart(ctx context.Context, plan string, part int, data []byte) error {
	_, err := t.exec(ctx, "keep part of a plan", `INSERT INTO directory_plan_parts (plan_id, part, data) VALUES ($1, $2, $3)`, plan, part, data)
	return err
}

// Plan implements store.Plans.
func (t *tx) Plan(ctx context.Context, id string) (store.DirectoryPlan, error) {
	return one(ctx, t, scanPlan, fmt.Sprintf("read plan %q", id), `SELECT id, source, head, created_at, expires_at FROM directory_plans WHERE id = $1`, id)
}

// PlanPart implements store.Plans.
func (t *tx) PlanPart(ctx context.Context, plan string, part int) ([]byte, error) {
	return one(ctx, t, scanBytes, fmt.Sprintf("read part %d of plan %q", part, plan),
		`SELECT data FROM directory_plan_parts WHERE plan_id = $1 AND part = $2`, plan, part)
}

// Plans implements store.Plans.
func (t *tx) Plans(ctx context.Context, source core.SourceID) ([]store.DirectoryPlan, error) {
	return all(ctx, t, scanPlan, fmt.Sprintf("list the plans of %q", source), `SELECT id, source, head, created_at, expires_at
		FROM directory_plans WHERE source = $1 ORDER BY created_at DESC, id`, source)
}

// DeletePlan implements store.Plans.
func (t *tx) DeletePlan(ctx context.Context, id string) error {
	doing := fmt.Sprintf("forget plan %q", id)
	if _, err := t.exec(ctx, doing, `DELETE FROM directory_plan_parts WHERE plan_id = $1`, id); err != nil {
		return err
	}
	return t.execOne(ctx, doing, `DELETE FROM directory_plans WHERE id = $1`, id)
}

// DeletePlansBefore implements store.Plans.
func (t *tx) DeletePlansBefore(ctx context.Context, at time.Time) (int, error) {
	if _, err := t.exec(ctx, "forget old plans", `DELETE FROM directory_plan_parts
		WHERE plan_id IN (SELECT id FROM directory_plans WHERE expires_at < $1)`, at); err != nil {
		return 0, err
	}
	n, err := t.exec(ctx, "forget old plans", `DELETE FROM directory_plans WHERE expires_at < $1`, at)
	return int(n), err
}

func scanJournal(row scanner) (store.JournalRow, error) {
	var r store.JournalRow
	err := row.Scan(&r.ID, &r.Run, &r.User, timeOf{&r.At}, &r.Data)
	return r, err
}

const journalColumns = `id, run_id, COALESCE(user_id, 0), at, data`

// AppendJournal implements store.Journal.
func (t *tx) AppendJournal(ctx context.Context, rows ...store.JournalRow) error {
	_, err := execMany(ctx, t, "write the journal of a synchronisation", insert{`INSERT INTO directory_journal (run_id, user_id, at, data) VALUES`, 4, ""},
		rows, func(r store.JournalRow) []any {
			var user any
			if r.User != 0 {
				user = r.User
			}
			return []any{r.Run, user, r.At, r.Data}
		})
	return err
}

// Journal implements store.Journal.
func (t *tx) Journal(ctx context.Context, run, before int64, limit int) ([]store.JournalRow, error) {
	return all(ctx, t, scanJournal, fmt.Sprintf("read the journal of synchronisation %d", run), `SELECT `+journalColumns+`
		FROM directory_journal WHERE run_id = $1 AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, run, before, limit)
}

// UserJournal implements store.Journal.
func (t *tx) UserJournal(ctx context.Context, id core.UserID) ([]store.JournalRow, error) {
	return all(ctx, t, scanJournal, fmt.Sprintf("read the journal of user %d", id),
		`SELECT `+journalColumns+` FROM directory_journal WHERE user_id = $1 ORDER BY id DESC`, id)
}

// DeleteJournalBefore implements store.Journal.
func (t *tx) DeleteJournalBefore(ctx context.Context, at time.Time) (int, error) {
	n, err := t.exec(ctx, "forget old journals", `DELETE FROM directory_journal WHERE at < $1`, at)
	return int(n), err
}
