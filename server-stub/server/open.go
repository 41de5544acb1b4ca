package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/roles"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// Facts about the installation that the database keeps.
const (
	metaMasterKey = "master_key_id"
	metaCurrency  = "currency"
)

// databaseConfig says which database the configuration means.
func databaseConfig(cfg *config.Config, dir *datadir.Dir, logger *slog.Logger) sqlstore.Config {
	if !cfg.Database.Empty() {
		return sqlstore.Config{Driver: sqlstore.PostgreSQL, URL: cfg.Database, Logger: logger}
	}
	return sqlstore.Config{Driver: sqlstore.SQLite, Path: dir.File(datadir.Database), Logger: logger}
}

// openDatabase opens the database. It refuses a data folder that lost its SQLite file: an empty database in its place
// would look as if nobody had ever had any money.
func openDatabase(ctx context.Context, cfg *config.Config, dir *datadir.Dir, logger *slog.Logger) (*sqlstore.Store, error) {
	c := databaseConfig(cfg, dir, logger)
	if c.Driver == sqlstore.SQLite {
		known, err := dir.Exists(datadir.MasterKey)
		if err != nil {
			return nil, err
		}
		there, err := dir.Exists(datadir.Database)
		if err != nil {
			return nil, err
		}
		if known && !there {
			return nil, fmt.Errorf("open the database: %s is missing, though %s was in use before; restore it with: platen-server backup restore FILE --data %s",
				c.Path, dir.Path(), dir.Path())
		}
	}
	return sqlstore.Open(ctx, c)
}

// openKeys loads the master key, or makes it for a new installation. The database knows which key it belongs to.
func openKeys(ctx context.Context, dir *datadir.Dir, db store.Store) (*keys.Keys, error) {
	wanted, err := meta(ctx, db, metaMasterKey)
	if err != nil {
		return nil, fmt.Errorf("ask the database for its master key: %w", err)
	}
	k, err := keys.Load(dir)
	if errors.Is(err, keys.ErrSealed) {
		inUse, existsErr := dir.Exists(datadir.CAKey)
		if existsErr != nil {
			return nil, existsErr
		}
		if wanted != "" || inUse {
			return nil, err
		}
		if k, err = keys.Create(dir); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case wanted == "":
		return k, setMeta(ctx, db, metaMasterKey, k.ID())
	case wanted != k.ID():
		return nil, fmt.Errorf("%w: the database belongs to master key %s, but %s is %s; put the right one there",
			keys.ErrSealed, wanted, dir.File(datadir.MasterKey), k.ID())
	}
	return k, nil
}

// keepCurrency refuses to go on in another currency than money was booked in.
func keepCurrency(ctx context.Context, db store.Store, currency core.Currency) error {
	return db.Update(ctx, func(tx store.Tx) error {
		kept, err := tx.Meta(ctx, metaCurrency)
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
		if kept == string(currency) {
			return nil
		}
		head, err := tx.LedgerHead(ctx)
		if err != nil {
			return err
		}
		if kept != "" && head.Seq > 0 {
			return fmt.Errorf("%w: the configuration says currency: %s, but money is booked in %s; write currency: %s", core.ErrConflict, currency, kept, kept)
		}
		return tx.SetMeta(ctx, metaCurrency, string(currency))
	})
}

// offerSetup writes the first owner's one-time token while the setup is not done (R-SETUP-1). Who can read the file is
// root or the server's user, and so may own the installation.
func offerSetup(ctx context.Context, dir *datadir.Dir, db store.Store) error {
	done, err := meta(ctx, db, roles.MetaSetup)
	if err != nil {
		return err
	}
	if done != "" {
		return dir.Remove(datadir.SetupToken)
	}
	token := strings.ToLower(rand.Text()) // at least 128 bits
	if err := dir.Create(datadir.SetupToken, []byte(token+"\n"), 0o400); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func meta(ctx context.Context, db store.Store, key string) (value string, err error) {
	err = db.View(ctx, func(tx store.Tx) (err error) {
		value, err = tx.Meta(ctx, key)
		return err
	})
	if errors.Is(err, core.ErrNotFound) {
		return "", nil
	}
	return value, err
}

func setMeta(ctx context.Context, db store.Store, key, value string) error {
	return db.Update(ctx, func(tx store.Tx) error { return tx.SetMeta(ctx, key, value) })
}
