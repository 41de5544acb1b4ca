package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/platenprint/platen/server-stub/core"
)

func scanSource(row scanner) (core.ConfiguredSource, error) {
	var s core.ConfiguredSource
	err := row.Scan(&s.ID, &s.Config, timeOf{&s.CreatedAt}, timeOf{&s.ChangedAt}, &s.ChangedBy)
	return s, err
}

// PutConfiguredSource implements store.Sources.
func (t *tx) PutConfiguredSource(ctx context.Context, s core.ConfiguredSource) error {
	doing := fmt.Sprintf("keep the directory %q", s.ID)
	if _, err := t.exec(ctx, doing, `INSERT INTO directory_sources (id, config, created_at, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET config = excluded.config, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
		s.ID, s.Config, s.CreatedAt, s.ChangedAt, s.ChangedBy); err != nil {
		return err
	}
	if _, err := t.exec(ctx, doing, `DELETE FROM directory_source_secrets WHERE source = $1`, s.ID); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		if _, err := t.exec(ctx, doing, `INSERT INTO directory_source_secrets (source, name, sealed) VALUES ($1, $2, $3)`, s.ID, name, s.Secrets[name]); err != nil {
			return err
		}
	}
	return nil
}

// ConfiguredSources implements store.Sources.
func (t *tx) ConfiguredSources(ctx context.Context) ([]core.ConfiguredSource, error) {
	list, err := all(ctx, t, scanSource, "list the directories", `SELECT id, config, created_at, changed_at, changed_by FROM directory_sources ORDER BY id`)
	if err != nil {
		return nil, err
	}
	type secret struct {
		source core.SourceID
		name   string
		sealed []byte
	}
	secrets, err := all(ctx, t, func(row scanner) (s secret, err error) {
		err = row.Scan(&s.source, &s.name, &s.sealed)
		return s, err
	}, "read the secrets of the directories", `SELECT source, name, sealed FROM directory_source_secrets`)
	for _, s := range secrets {
		i := slices.IndexFunc(list, func(c core.ConfiguredSource) bool { return c.ID == s.source })
		if list[i].Secrets == nil {
			list[i].Secrets = map[string][]byte{}
		}
		list[i].Secrets[s.name] = s.sealed
	}
	return list, err
}

// DeleteConfiguredSource implements store.Sources.
func (t *tx) DeleteConfiguredSource(ctx context.Context, id core.SourceID) error {
	doing := fmt.Sprintf("remove the directory %q", id)
	if _, err := t.exec(ctx, doing, `DELETE FROM directory_source_secrets WHERE source = $1`, id); err != nil {
		return err
	}
	return t.execOne(ctx, doing, `DELETE FROM directory_sources WHERE id = $1`, id)
}
