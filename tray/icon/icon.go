// Package icon puts Platen into the tray of the desktop: an icon with a tooltip and a menu whose lines become actions.
// It shows what tray/view says and knows no states of its own.
//
// On Linux the tray is a D-Bus affair (StatusNotifierItem): without a session bus Run returns an error and touches
// nothing; with a bus but without a tray (GNOME without its extension) it says so through OnTray and waits for one to
// appear. Windows has one always. On macOS the tray needs cgo and the main thread; without cgo Supported is false.
package icon

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

// ErrUnsupported is what Run returns where Supported is false.
var ErrUnsupported = errors.New("this build has no tray icon")

// DefaultGrace is how long a tray may take to appear after log-on before it counts as missing. Panels start at the same
// time as we do, and extensions after them.
const DefaultGrace = 20 * time.Second

// Options are what an Icon needs.
type Options struct {
	Logger *slog.Logger
	// OnAction is called with each action that was chosen. It must not wait: what is clicked meanwhile is dropped.
	OnAction func(status.Action)
	// OnTray, if not nil, is told when the desktop turns out to show tray icons or not to, and when that changes.
	OnTray func(shown bool)
	// Grace is how long to wait before OnTray(false); 0 means DefaultGrace.
	Grace time.Duration
}

// Icon is the icon in the tray. Show may be called at any time, from any goroutine.
type Icon struct {
	options Options
	changed chan struct{} // of size 1: there is something new to show

	mu     sync.Mutex // protects the fields below
	wanted view.Tray
}

// New returns an icon that is not yet anywhere: Run puts it into the tray.
func New(o Options) *Icon {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	return &Icon{options: o, changed: make(chan struct{}, 1)}
}

// Show changes what the icon shows. It returns at once.
func (i *Icon) Show(t view.Tray) {
	i.mu.Lock()
	i.wanted = t
	i.mu.Unlock()
	select {
	case i.changed <- struct{}{}:
	default: // it will be seen with the change before
	}
}

// latest is what was last asked to be shown.
func (i *Icon) latest() view.Tray {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.wanted
}

// choose hands on the action of a line of the menu as it is now.
func (i *Icon) choose(id string) {
	for _, group := range i.latest().Menu {
		for _, item := range group {
			if item.ID == id && item.Enabled() {
				i.options.OnAction(item.Action)
			}
		}
	}
}

// label writes a text as the menus of the system goos want it: the sign that marks access keys there is doubled, so that
// "first_last@example.org" keeps its underscore.
func label(text, goos string) string {
	switch goos {
	case "linux":
		return strings.ReplaceAll(text, "_", "__")
	case "windows":
		return strings.ReplaceAll(text, "&", "&&")
	default:
		return text
	}
}

// tip shortens a tooltip to what the system takes: on Windows 127 UTF-16 units and the zero after them.
func tip(text, goos string) string {
	const most = 127
	if units := utf16.Encode([]rune(text)); goos == "windows" && len(units) > most {
		return string(utf16.Decode(units[:most-1])) + "…"
	}
	return text
}
