package testenv

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// The names of the tray on the session bus (freedesktop.org StatusNotifierItem draft; menus by com.canonical.dbusmenu).
const (
	trayWatcher = "org.kde.StatusNotifierWatcher"
	trayItem    = "org.kde.StatusNotifierItem"
	trayMenu    = "com.canonical.dbusmenu"
)

// Tray stands in for a desktop's tray on a bus: programs register their icons with it, and the test reads and clicks
// them as a panel would.
type Tray struct {
	t    testing.TB
	conn *dbus.Conn

	mu    sync.Mutex // protects items
	items []string
}

// NewTray puts a tray on the bus, with a host or, as a desktop does that has the service but no panel, without one.
func NewTray(t testing.TB, address string, host bool) *Tray {
	t.Helper()
	tray := &Tray{t: t, conn: Dial(t, address)}
	const path = "/StatusNotifierWatcher"
	if err := tray.conn.Export(watcher{tray}, path, trayWatcher); err != nil {
		t.Fatal(err)
	}
	_, err := prop.Export(tray.conn, path, prop.Map{trayWatcher: {
		"IsStatusNotifierHostRegistered": {Value: host},
		"ProtocolVersion":                {Value: int32(0)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := tray.conn.RequestName(trayWatcher, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: reply %d, %v", trayWatcher, reply, err)
	}
	return tray
}

// watcher has the methods that programs call.
type watcher struct{ tray *Tray }

// RegisterStatusNotifierItem is called by programs with the path of their icon, or with their name on the bus.
func (w watcher) RegisterStatusNotifierItem(service string, sender dbus.Sender) *dbus.Error {
	w.tray.mu.Lock()
	defer w.tray.mu.Unlock()
	if strings.HasPrefix(service, "/") {
		service = string(sender)
	}
	w.tray.items = append(w.tray.items, service)
	return nil
}

// RegisterStatusNotifierHost is called by panels; this tray is its own.
func (w watcher) RegisterStatusNotifierHost(string) *dbus.Error { return nil }

// Stop takes the tray off the bus, as a panel that crashes.
func (w *Tray) Stop() { _ = w.conn.Close() }

// Registered is how many times an icon was registered.
func (w *Tray) Registered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.items)
}

// Item waits for an icon and returns the one registered last.
func (w *Tray) Item() *TrayItem {
	w.t.Helper()
	Await(w.t, "a tray icon", func() bool { return w.Registered() > 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	return &TrayItem{t: w.t, conn: w.conn, owner: w.items[len(w.items)-1]}
}

// TrayItem is a program's icon in the tray.
type TrayItem struct {
	t     testing.TB
	conn  *dbus.Conn
	owner string
}

// TrayLine is a line of an icon's menu.
type TrayLine struct {
	ID        int32
	Label     string // without the doubling of underscores
	Enabled   bool
	Separator bool
}

// property reads one property of the icon; the zero Variant when the program is not ready. All at once would be the
// picture each time, too.
func (i *TrayItem) property(name string) dbus.Variant {
	var value dbus.Variant
	object := i.conn.Object(i.owner, "/StatusNotifierItem")
	_ = object.Call("org.freedesktop.DBus.Properties.Get", 0, trayItem, name).Store(&value)
	return value
}

// Text returns a text property such as "Title", or "".
func (i *TrayItem) Text(name string) string {
	text, _ := i.property(name).Value().(string)
	return text
}

// Tooltip returns the title of the tooltip.
func (i *TrayItem) Tooltip() string {
	var tip struct {
		Icon   string
		Pixmap []pixmap
		Title  string
		Text   string
	}
	if err := dbus.Store([]any{i.property("ToolTip").Value()}, &tip); err != nil {
		return ""
	}
	return tip.Title
}

type pixmap struct {
	Width, Height int32
	ARGB          []byte
}

// Picture returns the icon as it would be drawn, nil when there is none.
func (i *TrayItem) Picture() image.Image {
	var maps []pixmap
	if err := dbus.Store([]any{i.property("IconPixmap").Value()}, &maps); err != nil || len(maps) == 0 {
		return nil
	}
	m := maps[0]
	w, h := int(m.Width), int(m.Height)
	if w == 0 || len(m.ARGB) != 4*w*h {
		return nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for p := range w * h {
		argb := m.ARGB[4*p : 4*p+4]
		img.SetNRGBA(p%w, p/w, color.NRGBA{A: argb[0], R: argb[1], G: argb[2], B: argb[3]})
	}
	return img
}

// Activate is a click on the icon itself.
func (i *TrayItem) Activate() {
	i.t.Helper()
	if err := i.conn.Object(i.owner, "/StatusNotifierItem").Call(trayItem+".Activate", 0, int32(0), int32(0)).Err; err != nil {
		i.t.Fatalf("click the tray icon: %v", err)
	}
}

// Menu reads the lines of the menu that are to be seen, top to bottom.
func (i *TrayItem) Menu() []TrayLine {
	i.t.Helper()
	type layout struct {
		ID         int32
		Properties map[string]dbus.Variant
		Children   []dbus.Variant
	}
	var revision uint32
	var root layout
	object := i.conn.Object(i.owner, i.menuPath())
	if err := object.Call(trayMenu+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		i.t.Fatalf("read the tray menu: %v", err)
	}
	var lines []TrayLine
	for _, child := range root.Children {
		var l layout
		if err := dbus.Store([]any{child.Value()}, &l); err != nil {
			i.t.Fatalf("read the tray menu: %v", err)
		}
		if visible, given := l.Properties["visible"].Value().(bool); given && !visible {
			continue
		}
		line := TrayLine{ID: l.ID, Enabled: true}
		if enabled, given := l.Properties["enabled"].Value().(bool); given {
			line.Enabled = enabled
		}
		line.Separator = l.Properties["type"].Value() == "separator"
		text, _ := l.Properties["label"].Value().(string)
		line.Label = strings.ReplaceAll(text, "__", "_")
		lines = append(lines, line)
	}
	return lines
}

func (i *TrayItem) menuPath() dbus.ObjectPath {
	path, ok := i.property("Menu").Value().(dbus.ObjectPath)
	if !ok {
		i.t.Fatal("the tray icon has no menu")
	}
	return path
}

// Labels are the texts of the menu: separators are "-", lines that cannot be chosen are in brackets.
func (i *TrayItem) Labels() []string {
	i.t.Helper()
	var labels []string
	for _, line := range i.Menu() {
		switch {
		case line.Separator:
			labels = append(labels, "-")
		case !line.Enabled:
			labels = append(labels, "("+line.Label+")")
		default:
			labels = append(labels, line.Label)
		}
	}
	return labels
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
	err := i.conn.Object(i.owner, i.menuPath()).Call(trayMenu+".Event", 0, id, "clicked", dbus.MakeVariant(int32(0)), uint32(0)).Err
	if err != nil {
		i.t.Fatalf("click %q in the tray menu: %v", label, err)
	}
}
