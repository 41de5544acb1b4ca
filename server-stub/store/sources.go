package store

import (
	"context"

	"github.com/platenprint/platen/server-stub/core"
)

// Sources keeps the directories that were added from the command line. Those of the configuration file are not here.
type Sources interface {
	// PutConfiguredSource adds one, or replaces it and its secrets; the time of its making stays.
	PutConfiguredSource(ctx context.Context, s core.ConfiguredSource) error
	// ConfiguredSources returns all, in the order of their ids.
	ConfiguredSources(ctx context.Context) ([]core.ConfiguredSource, error)
	// DeleteConfiguredSource removes one with its secrets. What its directory brought stays.
	DeleteConfiguredSource(ctx context.Context, id core.SourceID) error
}
