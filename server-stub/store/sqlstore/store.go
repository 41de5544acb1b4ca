package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// updateTries is how often Update runs its function when other nodes get in its way.
const updateTries = 12

// Store is an open database. Safe for concurrent use. It is a store.Store.
type Store struct {
	dialect dialect
	write   *pool
	read    *pool // the same as write where one pool serves both
	log     *slog.Logger
	commits atomic.Uint64

	breakOnce sync.Once
	broken    chan struct{} // closed when writing has ended for good
	cause     error         // set before broken is closed
}

var _ store.Store = (*Store)(nil)

// Open opens the database, brings its schema up to date and returns it. A schema that is newer than this program, or a
// damaged file, is refused with an error that says what to do. The caller closes the Store.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect opens the database as it is.
func connect(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	switch cfg.Driver {
	case SQLite, "":
		return openSQLite(ctx, cfg)
	case PostgreSQL:
		return openPostgres(ctx, cfg)
	}
	return nil, fmt.Errorf("%w: database driver %q: write sqlite or postgres", core.ErrInvalid, cfg.Driver)
}

// Close ends all connections.
func (s *Store) Close() error {
	err := s.read.close()
	if s.write != s.read {
		err = errors.Join(err, s.write.close())
	}
	if err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}

// Ping implements store.Store. It fails for a store that is broken.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.Err(); err != nil {
		return err
	}
	if err := s.read.db.PingContext(ctx); err != nil {
		return s.explain(ctx, "ask the database whether it is there", err)
	}
	return nil
}

// Broken is closed once writing has ended for good: the program should stop and be started again.
func (s *Store) Broken() <-chan struct{} { return s.broken }

// Err returns nil, or why writing has ended for good (store.ErrBroken).
func (s *Store) Err() error {
	select {
	case <-s.broken:
		return s.cause
	default:
		return nil
	}
}

// breakDown ends writing for good.
func (s *Store) breakDown(cause error) error {
	s.breakOnce.Do(func() {
		s.cause = fmt.Errorf("%w (%w): %w", core.ErrUnavailable, store.ErrBroken, cause)
		close(s.broken)
	})
	return s.cause
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.Tx) error) error {
	for try := 1; ; try++ {
		err := s.run(ctx, s.read, s.dialect.readOptions(), fn)
		if err == nil || try == updateTries || s.dialect.classify(err) != failRetry {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	for try := 1; ; try++ {
		if err := s.Err(); err != nil {
			return err
		}
		err := s.run(ctx, s.write, s.dialect.writeOptions(), fn)
		s.commits.Add(1) // also after an error: it may have been durable
		if err == nil {
			return nil
		}
		switch s.dialect.classify(err) {
		case failBroken:
			return s.breakDown(err)
		case failRetry:
			if try == updateTries {
				return fmt.Errorf("%w: other transactions got in the way %d times: %w", core.ErrUnavailable, try, err)
			}
			if err := pause(ctx, try); err != nil {
				return err
			}
		case failOther, failUnique, failReference, failInvalid, failUnavailable, failFull:
			return err
		}
	}
}

// run runs fn in one transaction.
func (s *Store) run(ctx context.Context, p *pool, options *sql.TxOptions, fn func(store.Tx) error) (err error) {
	if err := p.prepareWanted(ctx); err != nil {
		return s.explain(ctx, "prepare statements", err)
	}
	raw, err := p.db.BeginTx(ctx, options)
	if err != nil {
		return s.explain(ctx, "begin a transaction", err)
	}
	t := &tx{raw: raw, pool: p, store: s, writes: options == nil || !options.ReadOnly}
	defer func() {
		if t.done {
			return
		}
		// fn failed or panicked; what the rollback says adds nothing.
		_ = raw.Rollback()
	}()
	if err := fn(t); err != nil {
		return err
	}
	if t.failed != nil {
		return t.failed
	}
	t.done = true
	if err := raw.Commit(); err != nil {
		return s.explain(ctx, "commit", err)
	}
	return nil
}

// pause waits a little longer with every try, with jitter.
func pause(ctx context.Context, try int) error {
	timer := time.NewTimer(time.Duration(1+rand.IntN(4<<min(try, 7))) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait to try a transaction again: %w", ctx.Err())
	}
}

// explain gives an error of the database the kind of core it is, and says what we were doing.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w (%w)", doing, ctx.Err(), err)
	}
	switch s.dialect.classify(err) {
	case failUnique:
		return fmt.Errorf("%s: %w: %w", doing, core.ErrConflict, err)
	case failReference:
		return fmt.Errorf("%s: %w: %w", doing, core.ErrNotFound, err)
	case failInvalid:
		return fmt.Errorf("%s: %w: %w", doing, core.ErrInvalid, err)
	case failFull:
		return fmt.Errorf("%s: %w: the disk of the database is full: %w", doing, core.ErrUnavailable, err)
	case failUnavailable, failBroken:
		return fmt.Errorf("%s: %w: %w", doing, core.ErrUnavailable, err)
	case failRetry, failOther:
	}
	return fmt.Errorf("%s: %w", doing, err)
}
