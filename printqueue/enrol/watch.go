package enrol

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/settings/sources"
)

// How often.
const (
	readEvery = time.Minute     // the settings are read anew: registries and profiles change without a file's time telling
	lookEvery = 5 * time.Second // the files are looked at
	settle    = time.Second     // and once more, where one has changed: half of what is being written may say something else
)

// Options is what Watch needs.
type Options struct {
	Computer sources.Computer // sources.ForService
	Apply    func(Wanted)     // is told what is wanted, each time it was read
	Logger   *slog.Logger

	// For tests; zero: the real ones.
	Every, Look time.Duration
}

// Watch reads the settings until ctx ends; the first time before it returns. The returned function goes on, and is to be run.
func Watch(ctx context.Context, opts Options) (run func()) {
	if opts.Every == 0 {
		opts.Every = readEvery
	}
	if opts.Look == 0 {
		opts.Look = lookEvery
	}
	w := &watcher{Options: opts}
	w.read(ctx)
	return func() { w.run(ctx) }
}

type watcher struct {
	Options
	noted map[string]bool // what was logged and is still so
	stamp string          // of the files when they were read
}

func (w *watcher) run(ctx context.Context) {
	for passed := time.Duration(0); sleep(ctx, w.Look); {
		passed += w.Look
		changed := w.stamped() != w.stamp
		if !changed && passed < w.Every {
			continue
		}
		if changed && !w.settled(ctx) {
			return
		}
		passed = 0
		w.read(ctx)
	}
}

// settled waits until nobody writes the files any more, though not for ever. It tells whether ctx goes on.
func (w *watcher) settled(ctx context.Context) bool {
	pause := min(settle, w.Look)
	for waited := time.Duration(0); waited < w.Every; waited += pause {
		before := w.stamped()
		if !sleep(ctx, pause) {
			return false
		}
		if w.stamped() == before {
			break
		}
	}
	return true
}

// sleep tells whether ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (w *watcher) read(ctx context.Context) {
	w.stamp = w.stamped() // before, so that what changes meanwhile is seen at the next look
	wanted := Read(ctx, w.Computer)
	noted := map[string]bool{}
	for _, note := range wanted.Notes {
		if noted[note] = true; !w.noted[note] {
			w.Logger.WarnContext(ctx, "a setting of this computer needs an administrator", "setting", note)
		}
	}
	w.noted = noted
	w.Apply(wanted)
}

// stamped is what the files look like from outside.
func (w *watcher) stamped() string {
	if w.Computer.Stat == nil {
		return ""
	}
	var b strings.Builder
	for _, path := range sources.Files(w.Computer) {
		if info, err := w.Computer.Stat(path); err == nil {
			fmt.Fprintf(&b, "%s %d %d %o\n", path, info.ModTime().UnixNano(), info.Size(), info.Mode())
		}
	}
	return b.String()
}
