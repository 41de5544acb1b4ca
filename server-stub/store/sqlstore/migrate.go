package sqlstore

import (
	"context"
	"embed"
	"fmt"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrationFiles embed.FS

// migrate brings the schema up to date; it never goes back.
func (s *Store) migrate(ctx context.Context) error {
	p, err := s.migrations()
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return s.explain(ctx, "read the version of the database's schema", err)
	}
	if current > target {
		return newerSchema(current, target)
	}
	results, err := p.Up(ctx)
	if err != nil {
		return s.explain(ctx, "bring the database's schema up to date", err)
	}
	for _, r := range results {
		s.log.InfoContext(ctx, "database schema changed", "version", r.Source.Version, "took", r.Duration)
	}
	return nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	files, err := s.dialect.migrations()
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	options, err := s.dialect.gooseOptions()
	if err != nil {
		return nil, fmt.Errorf("prepare the migrations: %w", err)
	}
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	p, err := goose.NewProvider(s.dialect.gooseDialect(), s.write.db, files, options...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return p, nil
}

// SchemaError tells that the database was written by a newer program.
type SchemaError struct{ Current, Known int64 }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the database has schema %d, this program knows schemas up to %d: use the newer Platen that wrote it, "+
		"or restore a backup made before the upgrade", e.Current, e.Known)
}

func newerSchema(current, known int64) error { return &SchemaError{Current: current, Known: known} }
