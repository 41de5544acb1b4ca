package ui

import (
	"context"
	"image"
	"log/slog"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/tray/view"
)

// Agent is the resident, as the window sees it. client/ipc.Client is one.
type Agent interface {
	// Do performs an action and waits for its result.
	Do(ctx context.Context, a status.Action) (status.Result, error)
	// Watch calls on with each snapshot newer than after until on returns false, ctx ends or the resident goes away.
	Watch(ctx context.Context, after uint64, on func(status.Snapshot) bool) error
}

// Options are what a Window needs.
type Options struct {
	Agent  Agent
	Locale view.Locale
	Clock  clock.Clock
	Logger *slog.Logger
	Page   status.Page // what was asked for
}

// title names every page, so that the window stays one window to the desktop.
const title = "Platen"

// Window is the one window. All its methods belong to Fyne's thread.
type Window struct {
	options Options
	ctx     context.Context // ends with the window; Fyne's callbacks have no other to give
	app     fyne.App
	window  fyne.Window
	drawn   *firstFrame

	spawn func(func()) // runs something that waits, elsewhere
	post  func(func()) // runs something on Fyne's thread
	quit  func()       // ends the program
	tick  func(func()) // runs something on Fyne's thread a second later
	soon  func(func()) // the same, a moment later; nil before the window is complete

	counting bool // a tick is on its way
	snapshot status.Snapshot
	known    bool // there is a snapshot
	wanted   status.Page
	opened   uint64 // how often the window had been asked for when this was last looked at
	current  status.Page
	page     page
	fitted   fyne.Size   // the window's size as the page wants it
	ours     []fyne.Size // the sizes that the window has had or will have without the person's doing
}

// page is one of the contents of the window.
type page interface {
	// object is what the window shows.
	object() fyne.CanvasObject
	// update shows the window's snapshot.
	update()
	// focus is where typing goes when the page appears; nil for nowhere.
	focus() fyne.Focusable
	// key gets the keys that nothing else has a use for.
	key(*fyne.KeyEvent)
	// size is what the page would like; a height of 0 is as high as it needs.
	size() fyne.Size
}

// The pages that are no status.Page.
const (
	pageNone    status.Page = "none"
	pageMessage status.Page = "message"
)

// New makes the window in app. Nothing is to be seen before Show.
func New(ctx context.Context, app fyne.App, o Options) *Window {
	w := &Window{
		options: o, ctx: ctx, app: app, window: app.NewWindow(title), wanted: o.Page, current: pageNone,
		spawn: func(f func()) { go f() }, post: fyne.Do, quit: app.Quit,
	}
	w.tick = func(f func()) { w.spawn(func() { w.later(time.Second, f) }) }
	w.drawn = newFirstFrame(func() { w.do(status.Action{Kind: status.ActionFirstFrame}, nil) })
	w.window.SetMaster()
	w.window.SetPadded(false)
	w.window.CenterOnScreen()
	w.window.SetCloseIntercept(w.Close)
	w.window.Canvas().SetOnTypedKey(w.key)
	w.show(pageMessage, newMessage(w, o.Locale.Text("state.starting"), ""))
	w.soon = func(f func()) { w.spawn(func() { w.later(moment, f) }) }
	return w
}

// Show shows the window.
func (w *Window) Show() { w.window.Show() }

// Drawn is closed when the first frame has been drawn.
func (w *Window) Drawn() <-chan struct{} { return w.drawn.done }

// Open turns to a page, as if the window had been opened with it.
func (w *Window) Open(wanted status.Page) {
	w.wanted = wanted
	if w.known {
		w.Update(w.snapshot)
	}
	w.window.RequestFocus()
}

// Update shows a new snapshot.
func (w *Window) Update(s status.Snapshot) {
	if s.Version != status.Version {
		w.say("state.other_version")
		return
	}
	if w.known && s.Opened > w.opened { // somebody asks for the window that is here already
		w.wanted = s.OpenPage
		w.window.RequestFocus()
	}
	w.snapshot, w.known, w.opened = s, true, s.Opened
	if s.State == status.StateShutting {
		w.quit()
		return
	}
	wanted := view.PageOf(s, w.wanted)
	switch {
	case w.current == pageServer && s.State == status.StateStarting: // it was answered: what comes is on its way
		wanted = pageServer
	case wanted == status.PageSignIn && s.Server != nil:
		wanted = pageServer
	}
	if w.wanted == status.PageSignIn && wanted != status.PageSignIn {
		w.wanted = status.PageAuto // signed in: from now on the window follows the state
	}
	w.countDown()
	if wanted == w.current {
		w.page.update()
		w.fit()
		return
	}
	w.turn(wanted)
}

// countDown shows the balance page anew every second while it counts down to a sign-out.
func (w *Window) countDown() {
	if w.counting || w.snapshot.SignOutAt.IsZero() {
		return
	}
	w.counting = true
	w.tick(func() {
		w.counting = false
		if w.current == status.PageBalance {
			w.page.update()
		}
		w.countDown()
	})
}

func (w *Window) later(d time.Duration, f func()) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		w.post(f)
	case <-w.ctx.Done():
	}
}

// turn shows another page.
func (w *Window) turn(to status.Page) {
	switch to {
	case status.PageSignIn:
		w.show(to, newIdentify(w))
	case pageServer:
		w.show(to, newServer(w))
	case status.PageDetails:
		w.show(to, newDetails(w))
	case status.PageSettings:
		w.show(to, newSettings(w))
	case status.PageAuto, status.PageBalance:
		w.show(to, newBalance(w))
	default:
		w.show(to, newBalance(w))
	}
}

// Gone is called when the resident has ended. A window that showed something closes, an empty one says why.
func (w *Window) Gone() {
	if w.known {
		w.quit()
		return
	}
	w.say("state.gone")
}

func (w *Window) say(key string) {
	w.show(pageMessage, newMessage(w, w.options.Locale.Text(key), w.options.Locale.Text("button.close")))
}

func (w *Window) show(name status.Page, p page) {
	w.current, w.page = name, p
	p.update()
	content := container.New(atLeast{width: p.size().Width}, p.object())
	w.window.SetContent(container.NewStack(content, w.drawn.object()))
	w.fitted = w.wantedSize()
	w.ours = []fyne.Size{w.window.Canvas().Size(), w.fitted}
	w.window.Resize(w.fitted)
	w.settle()
	w.window.Canvas().Unfocus()
	if f := p.focus(); f != nil {
		w.window.Canvas().Focus(f)
	}
}

// wantedSize is the size of the page with wrapped texts at its width.
func (w *Window) wantedSize() fyne.Size {
	size, object := w.page.size(), w.page.object()
	if size.Height > 0 {
		return size.Max(object.MinSize())
	}
	size.Width = max(size.Width, object.MinSize().Width)
	object.Resize(fyne.NewSize(size.Width, object.Size().Height)) // wrapped labels learn their width, and so their height
	return fyne.NewSize(size.Width, object.MinSize().Height)
}

// fit gives the page the height it needs now, unless the person has chosen another size. Windows of a fixed size would
// not need this, but Fyne 2.7.1 loses sizes between two pages of them.
func (w *Window) fit() {
	if !slices.Contains(w.ours, w.window.Canvas().Size()) { // a size may come later than it was asked for
		return
	}
	if want := w.wantedSize(); want != w.fitted {
		w.fitted = want
		if !slices.Contains(w.ours, want) {
			w.ours = append(w.ours, want)
		}
		w.window.Resize(want)
		w.settle()
	}
}

// moment is how long the window system may take to do what it was asked for.
const moment = 300 * time.Millisecond

// settle asks for the page's size once more, a moment later. Of two sizes in quick succession the first one can win: the
// window system tells it while the second one is under way, and Fyne 2.7.1 then takes it for the wanted one; or the window
// manager still goes by the least size of the page before. Nothing happens if the person has chosen a size meanwhile.
func (w *Window) settle() {
	if w.soon == nil {
		return
	}
	asked := w.fitted
	w.soon(func() {
		if w.fitted == asked && slices.Contains(w.ours, w.window.Canvas().Size()) {
			w.window.Resize(asked)
		}
	})
}

// key handles the keys that nothing else has a use for.
func (w *Window) key(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		w.Close()
		return
	}
	w.page.key(e)
}

// Close is the person closing the window. Unanswered, identification and the question about a server mean "not now".
func (w *Window) Close() {
	p, identifies := w.page.(*identify)
	if w.current != pageServer && !identifies || identifies && p.leaves() {
		w.quit()
		return
	}
	w.window.Hide()
	w.do(status.Action{Kind: status.ActionDismiss}, func(status.Result, error) { w.quit() })
}

// How long the resident may take to answer. A sign-in ends with the first balance, and one in the browser takes as long as
// the person does; the resident knows when it has been long enough.
const (
	patience        = 90 * time.Second
	patienceBrowser = 30 * time.Minute
)

// do asks the resident. then, which may be nil, is called on Fyne's thread.
func (w *Window) do(a status.Action, then func(status.Result, error)) { w.ask(patience, a, then) }

// signIn is do for a sign-in.
func (w *Window) signIn(a status.Action, then func(status.Result, error)) {
	wait := patience
	if a.Method != status.MethodPrompt {
		wait = patienceBrowser
	}
	w.ask(wait, a, then)
}

func (w *Window) ask(wait time.Duration, a status.Action, then func(status.Result, error)) {
	w.spawn(func() {
		ctx, cancel := context.WithTimeout(w.ctx, wait)
		defer cancel()
		result, err := w.options.Agent.Do(ctx, a)
		if err != nil && w.ctx.Err() == nil {
			w.options.Logger.Warn("resident did not answer", "action", string(a.Kind), "error", err)
		}
		if then != nil {
			w.post(func() { then(result, err) })
		}
	})
}

func (w *Window) now() time.Time { return w.options.Clock() }

func (w *Window) locale() view.Locale { return w.options.Locale }

// firstFrame notices that the window is really drawn: Fyne asks for the dots of a raster only while it draws.
type firstFrame struct {
	done   chan struct{}
	raster *canvas.Raster
}

func newFirstFrame(then func()) *firstFrame {
	f := &firstFrame{done: make(chan struct{})}
	seen := false // drawing is single-threaded
	f.raster = canvas.NewRaster(func(w, h int) image.Image {
		if !seen {
			seen = true
			close(f.done)
			then()
		}
		return image.NewNRGBA(image.Rect(0, 0, max(w, 1), max(h, 1)))
	})
	return f
}

// object is a dot that is not to be seen.
func (f *firstFrame) object() fyne.CanvasObject { return container.NewWithoutLayout(f.dot()) }

func (f *firstFrame) dot() fyne.CanvasObject {
	f.raster.Resize(fyne.NewSquareSize(1))
	return f.raster
}
