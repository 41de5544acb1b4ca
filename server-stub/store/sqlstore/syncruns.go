package sqlstore

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

const syncRunColumns = `id, source, started_at, finished_at, outcome, read, created, updated, renamed, disabled, restored, conflicts, message,
	kind, plan_id, undone_by, undoes`

func scanSyncRun(row scanner) (core.SyncRun, error) {
	var r core.SyncRun
	err := row.Scan(&r.ID, &r.Source, timeOf{&r.StartedAt}, timeOf{&r.FinishedAt}, &r.Outcome, &r.Read, &r.Created,
		&r.Updated, &r.Renamed, &r.Disabled, &r.Restored, &r.Conflicts, &r.Message,
		&r.Kind, &r.PlanID, &r.UndoneBy, &r.Undoes)
	return r, err
}

// CreateSyncRun implements store.Sync.
func (t *tx) CreateSyncRun(ctx context.Context, r core.SyncRun) (int64, error) {
	return one(ctx, t, scanInt, "record a synchronisation", `INSERT INTO sync_runs (source, started_at, finished_at,
			outcome, read, created, updated, renamed, disabled, restored, conflicts, message,
			kind, plan_id, undone_by, undoes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id`,
		r.Source, r.StartedAt, r.FinishedAt, r.Outcome, r.Read, r.Created, r.Updated, r.Renamed, r.Disabled, r.Restored,
		r.Conflicts, r.Message, r.Kind, r.PlanID, r.UndoneBy, r.Undoes)
}

// UpdateSyncRun implements store.Sync.
func (t *tx) UpdateSyncRun(ctx context.Context, r core.SyncRun) error {
	return t.execOne(ctx, fmt.Sprintf("change the record of synchronisation %d", r.ID), `UPDATE sync_runs SET source = $1,
			started_at = $2, finished_at = $3, outcome = $4, read = $5, created = $6, updated = $7, renamed = $8,
			disabled = $9, restored = $10, conflicts = $11, message = $12,
			kind = $13, plan_id = $14, undone_by = $15, undoes = $16
		WHERE id = $17`,
		r.Source, r.StartedAt, r.FinishedAt, r.Outcome, r.Read, r.Created, r.Updated, r.Renamed, r.Disabled, r.Restored,
		r.Conflicts, r.Message, r.Kind, r.PlanID, r.UndoneBy, r.Undoes, r.ID)
}

// SyncRuns implements store.Sync.
func (t *tx) SyncRuns(ctx context.Context, source core.SourceID, limit int) ([]core.SyncRun, error) {
	return all(ctx, t, scanSyncRun, fmt.Sprintf("read the synchronisations of %q", source), `SELECT `+syncRunColumns+`
		FROM sync_runs WHERE source = $1 ORDER BY id DESC LIMIT $2`, source, limit)
}

// SyncRun implements store.Sync.
func (t *tx) SyncRun(ctx context.Context, id int64) (core.SyncRun, error) {
	return one(ctx, t, scanSyncRun, fmt.Sprintf("read synchronisation %d", id), `SELECT `+syncRunColumns+` FROM sync_runs WHERE id = $1`, id)
}
