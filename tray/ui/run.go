package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/status"
)

// firstLook is how long the window waits for the resident before it shows that it waits.
const firstLook = 500 * time.Millisecond

// Run shows the window in app and follows the resident until the window is closed. It must be called from main, on
// Fyne's thread. started is told of the window once it is on its way to the screen.
func Run(ctx context.Context, app fyne.App, o Options, started func(*Window)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	app.Settings().SetTheme(NewTheme())
	if icon, err := assets.AppIcon(256); err == nil {
		app.SetIcon(fyne.NewStaticResource("platen.png", icon))
	}
	w := New(ctx, app, o)
	w.look(ctx)
	app.Lifecycle().SetOnStarted(func() { go w.follow(ctx, w.snapshot.Seq) })
	w.Show()
	started(w)
	app.Run()
}

// look gets the first snapshot, if it comes soon, so that the right page is the first one to be seen.
func (w *Window) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	_ = w.options.Agent.Watch(ctx, 0, func(s status.Snapshot) bool { // follow will see the same error
		w.Update(s)
		return false
	})
}

// follow hands on what the resident says until it ends.
func (w *Window) follow(ctx context.Context, after uint64) {
	err := w.options.Agent.Watch(ctx, after, func(s status.Snapshot) bool {
		w.post(func() { w.Update(s) })
		return ctx.Err() == nil
	})
	if ctx.Err() != nil {
		return
	}
	w.options.Logger.Info("resident is gone", "error", err)
	w.post(w.Gone)
}

// LocaleName returns the name of the person's locale: chosen if it is not empty, else what the environment says (POSIX:
// LC_ALL, LC_MESSAGES, LANG), else the system's setting.
func LocaleName(chosen string, getenv func(string) string) string {
	if chosen != "" {
		return chosen
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			return value
		}
	}
	return lang.SystemLocale().String()
}
