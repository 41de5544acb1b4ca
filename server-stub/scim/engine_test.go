package scim_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
)

// errCrash is what a server looks like from outside that stopped at the worst moment.
var errCrash = errors.New("crash")

// engine is the real one; it remembers what it was given.
type engine struct {
	*dirsync.Syncer

	mu    sync.Mutex
	sets  []dirsync.PushSet
	crash bool // after the push
}

func newEngine(s *site) *engine {
	return &engine{Syncer: dirsync.New(s.store, s.clock, dirsync.Config{Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil))})}
}

func (e *engine) Push(ctx context.Context, source core.SourceID, settings dirsync.Settings, set dirsync.PushSet) (dirsync.PushResult, error) {
	e.mu.Lock()
	e.sets = append(e.sets, set)
	crash := e.crash
	e.mu.Unlock()
	result, err := e.Syncer.Push(ctx, source, settings, set)
	if err == nil && crash {
		err = errCrash
	}
	return result, err
}
