package scim_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// errCrash is what a server looks like from outside that stopped at the worst moment.
var errCrash = errors.New("crash")

// moment is when the server stops.
type moment int

const (
	never moment = iota
	beforeCommit
	afterCommit
)

// engine is the real one; it remembers what it was given.
type engine struct {
	*dirsync.Syncer

	mu    sync.Mutex
	sets  []dirsync.PushSet
	crash moment
}

func newEngine(s *site) *engine {
	return &engine{Syncer: dirsync.New(s.store, s.clock, dirsync.Config{Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil))})}
}

func (e *engine) Push(ctx context.Context, source core.SourceID, settings dirsync.Settings, set dirsync.PushSet) (dirsync.PushResult, error) {
	e.mu.Lock()
	e.sets = append(e.sets, set)
	crash := e.crash
	e.mu.Unlock()
	if also := set.Also; crash == beforeCommit {
		set.Also = func(ctx context.Context, tx store.Tx, r dirsync.PushResult) error {
			return errors.Join(also(ctx, tx, r), errCrash)
		}
	}
	result, err := e.Syncer.Push(ctx, source, settings, set)
	if err == nil && crash == afterCommit {
		err = errCrash
	}
	return result, err
}

// crashes makes the server stop at that moment of every push.
func (e *engine) crashes(at moment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.crash = at
}
