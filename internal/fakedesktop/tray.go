package fakedesktop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// The names of the tray on the session bus (freedesktop.org StatusNotifierItem draft; menus by com.canonical.dbusmenu).
const (
	trayWatcher = "org.kde.StatusNotifierWatcher"
	trayItem    = "org.kde.StatusNotifierItem"
	trayMenu    = "com.canonical.dbusmenu"
)

// Tray stands in for a desktop's tray on a bus: programs register their icons with it.
type Tray struct {
	conn    *dbus.Conn
	changes changes

	mu    sync.Mutex // protects items
	items []string   // the bus names that icons were registered under, in order
}

// NewTray puts a tray on the bus at the address, with a host or, as a desktop does that has the service but no panel,
// without one.
func NewTray(address string, host bool) (*Tray, error) {
	t := &Tray{changes: make(changes, 1)}
	conn, err := dbus.Connect(address, dbus.WithSignalHandler(t.changes))
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	t.conn = conn
	if err := t.serve(host); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

func (t *Tray) serve(host bool) error {
	const path = "/StatusNotifierWatcher"
	if err := t.conn.Export(watcher{t}, path, trayWatcher); err != nil {
		return fmt.Errorf("export the tray: %w", err)
	}
	_, err := prop.Export(t.conn, path, prop.Map{trayWatcher: {
		"IsStatusNotifierHostRegistered": {Value: host},
		"ProtocolVersion":                {Value: int32(0)},
	}})
	if err != nil {
		return fmt.Errorf("export the tray: %w", err)
	}
	if err := t.conn.AddMatchSignal(dbus.WithMatchInterface(trayMenu)); err != nil {
		return fmt.Errorf("watch the menus of the tray: %w", err)
	}
	reply, err := t.conn.RequestName(trayWatcher, dbus.NameFlagDoNotQueue)
	if err != nil {
		return fmt.Errorf("own %s: %w", trayWatcher, err)
	}
	if reply != dbus.RequestNameReplyPrimaryOwner {
		return fmt.Errorf("own %s: the bus already has a tray", trayWatcher)
	}
	return nil
}

// changes holds whether a menu has changed since it was last looked at.
type changes chan struct{}

// DeliverSignal is called with each signal from the bus.
func (c changes) DeliverSignal(iface, _ string, _ *dbus.Signal) {
	if iface != trayMenu {
		return
	}
	select {
	case c <- struct{}{}:
	default:
	}
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

// Close takes the tray off the bus, as a panel that crashes.
func (t *Tray) Close() error { return t.conn.Close() }

// Registered is how many times an icon was registered.
func (t *Tray) Registered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.items)
}

// Item returns the icon registered last, nil while there is none.
func (t *Tray) Item() *Item {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.items) == 0 {
		return nil
	}
	return &Item{conn: t.conn, owner: t.items[len(t.items)-1]}
}

// UntilMenu waits until a line of the last icon's menu has the text in it, reading the menu again whenever its icon says
// that it has changed.
func (t *Tray) UntilMenu(ctx context.Context, limit time.Duration, text string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	again := time.NewTicker(250 * time.Millisecond) // for an icon that was not there yet
	defer again.Stop()
	for {
		labels, err := t.labels(ctx)
		if err == nil && strings.Contains(strings.Join(labels, "\n"), text) {
			return nil
		}
		select {
		case <-t.changes:
		case <-again.C:
		case <-ctx.Done():
			if err != nil {
				return fmt.Errorf("waited %s for %q in the tray's menu: %w", limit, text, err)
			}
			return fmt.Errorf("waited %s for %q in the tray's menu; it has %q", limit, text, labels)
		}
	}
}

func (t *Tray) labels(ctx context.Context) ([]string, error) {
	item := t.Item()
	if item == nil {
		return nil, errors.New("there is no tray icon")
	}
	lines, err := item.Menu(ctx)
	if err != nil {
		return nil, err
	}
	return Labels(lines), nil
}
