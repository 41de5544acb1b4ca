package sqlstore

import (
	"context"
	"fmt"

	"github.com/platenprint/platen/server-stub/core"
)

func scanSyncRun(row scanner) (core.SyncRun, error) {
	var r core.SyncRun
	err := row.Scan(&r.ID, &r.Source, timeOf{&r.StartedAt}, timeOf{&r.FinishedAt}, &r.Outcome, &r.Read, &r.Created,
		&r.Updated, &r.Renamed, &r.Disabled, &r.Restored, &r.Conflicts, &r.Message)
	return r, err
}

// CreateSyncRun implements store.Sync.
func (t *tx) CreateSyncRun(ctx context.Context, r core.SyncRun) (int64, error) {
	return one(ctx, t, scanInt, "record a synchronisation", `INSERT INTO sync_runs (source, started_at, finished_at,
			outcome, read, created, updated, renamed, disabled, restored, conflicts, message)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
		r.Source, r.StartedAt, r.FinishedAt, r.Outcome, r.Read, r.Created, r.Updated, r.Renamed, r.Disabled, r.Restored,
		r.Conflicts, r.Message)
}

// UpdateSyncRun implements store.Sync.
func (t *tx) UpdateSyncRun(ctx context.Context, r core.SyncRun) error {
	return t.execOne(ctx, fmt.Sprintf("change the record of synchronisation %d", r.ID), `UPDATE sync_runs SET source = $1,
			started_at = $2, finished_at = $3, outcome = $4, read = $5, created = $6, updated = $7, renamed = $8,
			disabled = $9, restored = $10, conflicts = $11, message = $12
		WHERE id = $13`,
		r.Source, r.StartedAt, r.FinishedAt, r.Outcome, r.Read, r.Created, r.Updated, r.Renamed, r.Disabled, r.Restored,
		r.Conflicts, r.Message, r.ID)
}

// SyncRuns implements store.Sync.
func (t *tx) SyncRuns(ctx context.Context, source core.SourceID, limit int) ([]core.SyncRun, error) {
	return all(ctx, t, scanSyncRun, fmt.Sprintf("read the synchronisations of %q", source), `SELECT id, source, started_at,
			finished_at, outcome, read, created, updated, renamed, disabled, restored, conflicts, message
		FROM sync_runs WHERE source = $1 ORDER BY id DESC LIMIT $2`, source, limit)
}
