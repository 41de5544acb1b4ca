//go:build linux || windows || (darwin && cgo)

package icon

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"fyne.io/systray"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/tray/view"
)

// Supported tells whether this build has a tray icon.
const Supported = true

// title names the icon to the desktop, which remembers by it what the person did with it. It must never change.
const title = "Platen"

// settle is how long the first face stays: what is set while systray exports itself to the bus would be lost.
const settle = 200 * time.Millisecond

// Run keeps the icon in the tray until ctx ends, and returns nil then. It can run once in a process, because
// fyne.io/systray is one of a kind. On Windows it takes its thread for itself, on macOS it must be called from main.
func (i *Icon) Run(ctx context.Context) (err error) {
	desktop, err := connect(ctx)
	if err != nil {
		return fmt.Errorf("show the tray icon: %w", err)
	}
	defer desktop.close()
	// systray closes a connection it may not have got. The bus was there a moment ago, but a session may end any time.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("show the tray icon: %v", r)
		}
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	built := make(chan *menu, 1)
	show := &face{logger: i.options.Logger}
	work.Go(func() {
		select {
		case m := <-built:
			i.follow(ctx, m, show)
		case <-ctx.Done():
		}
	})
	work.Go(func() { desktop.follow(ctx, i.options) })
	end := loopEnder()
	defer context.AfterFunc(ctx, func() { systray.Quit(); end() })()

	systray.SetOnTapped(func() { i.options.OnAction(i.latest().Default) })
	if runtime.GOOS == "linux" { // it is exported with what it has now; elsewhere there is nothing yet to be set
		show.set(i.latest())
	}
	systray.Run(func() {
		show.set(i.latest())
		m := newMenu(ctx, i, &work)
		m.apply(i.latest())
		built <- m
	}, nil)
	return nil
}

// follow shows each change.
func (i *Icon) follow(ctx context.Context, m *menu, f *face) {
	settled := time.NewTimer(settle)
	defer settled.Stop()
	select {
	case <-settled.C:
	case <-ctx.Done():
		return
	}
	for {
		t := i.latest()
		m.apply(t)
		f.set(t)
		select {
		case <-i.changed:
		case <-ctx.Done():
			return
		}
	}
}

// face is what is seen without opening the menu.
type face struct {
	logger  *slog.Logger
	named   bool
	icon    view.Icon
	tooltip string
}

// set changes what is different, the tooltip last: who sees the new one finds the new icon, too.
func (f *face) set(t view.Tray) {
	if t.Icon == "" {
		t.Icon = view.IconSignedOut
	}
	if !f.named {
		systray.SetTitle(appTitle())
		f.named = true
	}
	if t.Icon != f.icon {
		f.icon = t.Icon
		picture, err := assets.TrayIcon(string(t.Icon), runtime.GOOS)
		if err != nil {
			f.logger.Error("no such tray icon", "icon", string(t.Icon), "error", err)
			return
		}
		systray.SetTemplateIcon(picture, picture)
	}
	if t.Tooltip != f.tooltip {
		f.tooltip = t.Tooltip
		systray.SetTooltip(tip(t.Tooltip, runtime.GOOS))
	}
}

// appTitle is the name of the icon; macOS would write it beside the icon.
func appTitle() string {
	if runtime.GOOS == "darwin" {
		return ""
	}
	return title
}

// menu has a place for every line there can be. Lines are shown, hidden and renamed, never removed: systray closes the
// channel of a removed line, and a click at that moment would end the program.
type menu struct {
	slots []*slot
}

type slot struct {
	id      string
	item    *systray.MenuItem
	text    string
	shown   bool
	enabled bool
}

func newMenu(ctx context.Context, i *Icon, work *sync.WaitGroup) *menu {
	m := &menu{}
	for n, group := range view.MenuIDs() {
		if n > 0 {
			systray.AddSeparator()
		}
		for _, id := range group {
			item := systray.AddMenuItem("", "")
			item.Hide()
			m.slots = append(m.slots, &slot{id: id, item: item, enabled: true})
			work.Go(func() {
				for {
					select {
					case <-item.ClickedCh:
						i.choose(id)
					case <-ctx.Done():
						return
					}
				}
			})
		}
	}
	return m
}

// apply changes only what is different, so that an open menu stays as it is and a balance that changed is one signal.
func (m *menu) apply(t view.Tray) {
	items := map[string]view.Item{}
	for _, group := range t.Menu {
		for _, item := range group {
			items[item.ID] = item
		}
	}
	for _, s := range m.slots {
		item, shown := items[s.id]
		s.set(item, shown)
	}
}

func (s *slot) set(item view.Item, shown bool) {
	if !shown {
		if s.shown {
			s.item.Hide()
			s.shown = false
		}
		return
	}
	if text := label(item.Text, runtime.GOOS); text != s.text {
		s.item.SetTitle(text)
		s.text = text
	}
	if item.Enabled() != s.enabled {
		if s.enabled = item.Enabled(); s.enabled {
			s.item.Enable()
		} else {
			s.item.Disable()
		}
	}
	if !s.shown {
		s.item.Show()
		s.shown = true
	}
}
