package sqlstore

import (
	"context"
	"errors"
)

func openPostgres(context.Context, Config) (*Store, error) {
	return nil, errors.New("PostgreSQL is not there yet")
}
