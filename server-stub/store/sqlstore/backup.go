package sqlstore

import (
	"context"
	"errors"
	"io"
)

// Backup implements store.Store.
func (s *Store) Backup(context.Context, io.Writer) error {
	return errors.New("backup is not there yet")
}
