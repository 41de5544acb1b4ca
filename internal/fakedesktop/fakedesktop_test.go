package fakedesktop_test

import (
	"image"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/fakedesktop"
	"github.com/platenprint/platen/internal/testenv"
)

func TestABusHasOneTray(t *testing.T) {
	address := testenv.SessionBus(t)
	testenv.NewTray(t, address, true)
	if _, err := fakedesktop.NewTray(address, true); err == nil || !strings.Contains(err.Error(), "already has a tray") {
		t.Errorf("the second tray: %v", err)
	}
}

func TestMenuIsReadAsAPanelWould(t *testing.T) {
	address := testenv.SessionBus(t)
	tray := newTray(t, address)
	m := newIcon(t, address, []map[string]any{
		{"label": "a__b"}, {"type": "separator"}, {"label": "gone", "visible": false}, {"label": "grey", "enabled": false},
	})
	testenv.Await(t, "the icon", func() bool { return tray.Registered() == 1 })
	lines, err := tray.Item().Menu(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a_b", "-", "(grey)"}, fakedesktop.Labels(lines)); diff != "" {
		t.Errorf("the menu (-want +got):\n%s", diff)
	}
	if err := tray.Item().Click(t.Context(), lines[2].ID); err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if diff := cmp.Diff([]int32{4}, m.clicked); diff != "" {
		t.Errorf("lines clicked (-want +got):\n%s", diff)
	}
}

func TestUntilMenuSeesAChange(t *testing.T) {
	address := testenv.SessionBus(t)
	tray := newTray(t, address)
	if err := tray.UntilMenu(t.Context(), time.Millisecond, "x"); err == nil || !strings.Contains(err.Error(), "no tray icon") {
		t.Errorf("without an icon: %v", err)
	}
	m := newIcon(t, address, []map[string]any{{"label": "before"}})
	if err := tray.UntilMenu(t.Context(), testenv.Deadline, "before"); err != nil {
		t.Fatal(err)
	}
	if err := tray.UntilMenu(t.Context(), time.Millisecond, "after"); err == nil {
		t.Error("it saw a change that was none")
	}
	m.set(t, []map[string]any{{"label": "after"}})
	if err := tray.UntilMenu(t.Context(), testenv.Deadline, "after"); err != nil {
		t.Error(err)
	}
}

func TestScreenWhoseServerEndsIsAnError(t *testing.T) {
	testenv.Program(t, "Xvfb", "xvfb")
	ends := func([]string, *os.File, string, ...string) error { return nil }
	if _, err := fakedesktop.NewScreen(t.Context(), ends, nil, t.TempDir(), image.Pt(10, 10)); err == nil || !strings.Contains(err.Error(), "display's number") {
		t.Errorf("got %v", err)
	}
}

func newTray(t *testing.T, address string) *fakedesktop.Tray {
	t.Helper()
	tray, err := fakedesktop.NewTray(address, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tray.Close() })
	return tray
}

// icon is a program with a tray icon; its methods are those of com.canonical.dbusmenu that panels call.
type icon struct {
	conn *dbus.Conn

	mu      sync.Mutex // protects the fields below
	lines   []map[string]any
	clicked []int32
}

func newIcon(t *testing.T, address string, lines []map[string]any) *icon {
	t.Helper()
	m := &icon{conn: testenv.Dial(t, address), lines: lines}
	if err := m.conn.ExportMethodTable(map[string]any{"GetLayout": m.layout, "Event": m.event}, "/menu", "com.canonical.dbusmenu"); err != nil {
		t.Fatal(err)
	}
	_, err := prop.Export(m.conn, "/StatusNotifierItem", prop.Map{"org.kde.StatusNotifierItem": {"Menu": {Value: dbus.ObjectPath("/menu")}}})
	if err != nil {
		t.Fatal(err)
	}
	watcher := m.conn.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher")
	if err := watcher.Call("org.kde.StatusNotifierWatcher.RegisterStatusNotifierItem", 0, "/StatusNotifierItem").Err; err != nil {
		t.Fatal(err)
	}
	return m
}

type node struct {
	ID         int32
	Properties map[string]dbus.Variant
	Children   []dbus.Variant
}

func (m *icon) layout(_, _ int32, _ []string) (uint32, node, *dbus.Error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	root := node{}
	for i, line := range m.lines {
		n := node{ID: int32(i + 1), Properties: map[string]dbus.Variant{}}
		for name, value := range line {
			n.Properties[name] = dbus.MakeVariant(value)
		}
		root.Children = append(root.Children, dbus.MakeVariant(n))
	}
	return 1, root, nil
}

func (m *icon) event(id int32, _ string, _ dbus.Variant, _ uint32) *dbus.Error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clicked = append(m.clicked, id)
	return nil
}

func (m *icon) set(t *testing.T, lines []map[string]any) {
	t.Helper()
	m.mu.Lock()
	m.lines = lines
	m.mu.Unlock()
	if err := m.conn.Emit("/menu", "com.canonical.dbusmenu.LayoutUpdated", uint32(2), int32(0)); err != nil {
		t.Fatal(err)
	}
}
