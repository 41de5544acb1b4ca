package stage

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// Tray is a stand-in for a desktop's tray: a StatusNotifierWatcher with a host (freedesktop.org StatusNotifierItem draft)
// that reads the item's menu as a desktop would (com.canonical.dbusmenu).
type Tray struct {
	conn    *dbus.Conn
	changes chan *dbus.Signal

	mu   sync.Mutex
	item string // the bus name of the item registered last
}

// NewTray takes the watcher's place on the bus.
func NewTray(bus string) (*Tray, error) {
	conn, err := dbus.Connect(bus)
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	t := &Tray{conn: conn, changes: make(chan *dbus.Signal, 256)}
	const name, path = "org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher"
	if err := conn.Export(watcher{t}, path, name); err != nil {
		return nil, err
	}
	if _, err := prop.Export(conn, path, prop.Map{name: {
		"IsStatusNotifierHostRegistered": {Value: true}, "ProtocolVersion": {Value: int32(0)}, "RegisteredStatusNotifierItems": {Value: []string{}},
	}}); err != nil {
		return nil, err
	}
	if err := conn.AddMatchSignal(dbus.WithMatchInterface("com.canonical.dbusmenu")); err != nil {
		return nil, err
	}
	conn.Signal(t.changes)
	if reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		return nil, fmt.Errorf("be the tray of the session: %v %w", reply, err)
	}
	return t, nil
}

// Close ends it.
func (t *Tray) Close() error { return t.conn.Close() }

type watcher struct{ *Tray }

// RegisterStatusNotifierItem is called over the bus by programs with a tray icon.
func (w watcher) RegisterStatusNotifierItem(_ string, sender dbus.Sender) *dbus.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.item = string(sender)
	return nil
}

// RegisterStatusNotifierHost is called over the bus by what shows trays.
func (watcher) RegisterStatusNotifierHost(string) *dbus.Error { return nil }

// node is an item of com.canonical.dbusmenu's GetLayout.
type node struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

// Menu returns the texts of the icon's menu, in order; empty while there is no icon.
func (t *Tray) Menu(ctx context.Context) ([]string, error) {
	t.mu.Lock()
	item := t.item
	t.mu.Unlock()
	if item == "" {
		return nil, nil
	}
	menu, err := t.conn.Object(item, "/StatusNotifierItem").GetProperty("org.kde.StatusNotifierItem.Menu")
	if err != nil {
		return nil, fmt.Errorf("find the tray's menu: %w", err)
	}
	path, ok := menu.Value().(dbus.ObjectPath)
	if !ok {
		return nil, nil
	}
	var revision uint32
	var root node
	call := t.conn.Object(item, path).CallWithContext(ctx, "com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{})
	if err := call.Store(&revision, &root); err != nil {
		return nil, fmt.Errorf("read the tray's menu: %w", err)
	}
	var texts []string
	for _, child := range root.Children {
		var n node
		if err := dbus.Store([]any{child.Value()}, &n); err != nil {
			return nil, fmt.Errorf("read the tray's menu: %w", err)
		}
		if label, ok := n.Props["label"]; ok {
			texts = append(texts, strings.ReplaceAll(fmt.Sprint(label.Value()), "__", "_"))
		}
	}
	return texts, nil
}

// UntilMenu waits until the menu has the text, reading it again whenever the icon says that it has changed.
func (t *Tray) UntilMenu(ctx context.Context, limit time.Duration, text string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	again := time.NewTicker(250 * time.Millisecond) // for a change that came before we looked
	defer again.Stop()
	for {
		menu, err := t.Menu(ctx)
		if err == nil && strings.Contains(strings.Join(menu, "\n"), text) {
			return nil
		}
		select {
		case <-t.changes:
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("waited %s for %q in the tray's menu; it has %q %w", limit, text, menu, err)
		}
	}
}
