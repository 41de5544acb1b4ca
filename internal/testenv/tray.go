package testenv

import (
	"fmt"
	"image"
	"testing"

	"github.com/platenprint/platen/internal/fakedesktop"
)

// Tray stands in for a desktop's tray on a bus: programs register their icons with it, and the test reads and clicks
// them as a panel would.
type Tray struct {
	t    testing.TB
	tray *fakedesktop.Tray
}

// NewTray puts a tray on the bus, with a host or, as a desktop does that has the service but no panel, without one. It
// goes when the test ends.
func NewTray(t testing.TB, address string, host bool) *Tray {
	t.Helper()
	tray, err := fakedesktop.NewTray(address, host)
	if err != nil {
		t.Fatal(err)
	}
	w := &Tray{t: t, tray: tray}
	t.Cleanup(w.Stop)
	return w
}

// Stop takes the tray off the bus, as a panel that crashes.
func (w *Tray) Stop() { _ = w.tray.Close() }

// Registered is how many times an icon was registered.
func (w *Tray) Registered() int { return w.tray.Registered() }

// Item waits for an icon and returns the one registered last.
func (w *Tray) Item() *TrayItem {
	w.t.Helper()
	Await(w.t, "a tray icon", func() bool { return w.Registered() > 0 })
	return &TrayItem{t: w.t, item: w.tray.Item()}
}

// TrayItem is a program's icon in the tray.
type TrayItem struct {
	t    testing.TB
	item *fakedesktop.Item
}

// TrayLine is a line of an icon's menu.
type TrayLine = fakedesktop.Line

// Text returns a text property such as "Title", or "".
func (i *TrayItem) Text(name string) string { return i.item.Text(i.t.Context(), name) }

// Tooltip returns the title of the tooltip.
func (i *TrayItem) Tooltip() string { return i.item.Tooltip(i.t.Context()) }

// Picture returns the icon as it would be drawn, nil when there is none.
func (i *TrayItem) Picture() image.Image { return i.item.Picture(i.t.Context()) }

// Activate is a click on the icon itself.
func (i *TrayItem) Activate() {
	i.t.Helper()
	if err := i.item.Activate(i.t.Context()); err != nil {
		i.t.Fatal(err)
	}
}

// Menu reads the lines of the menu that are to be seen, top to bottom.
func (i *TrayItem) Menu() []TrayLine {
	i.t.Helper()
	lines, err := i.item.Menu(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	return lines
}

// Labels are the texts of the menu: separators are "-", lines that cannot be chosen are in brackets.
func (i *TrayItem) Labels() []string {
	i.t.Helper()
	return fakedesktop.Labels(i.Menu())
}

// Choose clicks the line of the menu with the label, once it is there and can be chosen.
func (i *TrayItem) Choose(label string) {
	i.t.Helper()
	var id int32
	Await(i.t, fmt.Sprintf("the line %q in the tray menu", label), func() bool {
		for _, line := range i.Menu() {
			if line.Label == label && line.Enabled {
				id = line.ID
				return true
			}
		}
		return false
	})
	if err := i.item.Click(i.t.Context(), id); err != nil {
		i.t.Fatalf("choose %q: %v", label, err)
	}
}
