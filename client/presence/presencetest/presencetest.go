// Package presencetest has stand-ins for those who know whether somebody is in front of the computer: a desktop on a
// session bus, and logind on a system bus. They answer as the real ones do, and say what a test tells them. It is never
// part of a shipped program.
package presencetest

import (
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Kind is a kind of desktop.
type Kind int

// The kinds. Each has the D-Bus names, paths and units of its own.
const (
	GNOME Kind = iota // org.gnome.Mutter.IdleMonitor and org.gnome.ScreenSaver
	KDE               // org.freedesktop.ScreenSaver, also owned as org.kde.screensaver
	MATE              // org.mate.ScreenSaver: no idle time
)

// Desktop is a desktop that somebody sits at, or not. Safe for concurrent use.
type Desktop struct {
	mu     sync.Mutex // protects the fields below
	moved  time.Time
	still  bool // the idle time is always 0, as on Plasma with Wayland
	locked bool
	asked  int
}

// NewDesktop puts a desktop on the bus at which somebody has just moved. It is there until the test ends.
func NewDesktop(t testing.TB, address string, kind Kind) *Desktop {
	t.Helper()
	d := &Desktop{moved: time.Now()}
	conn := dial(t, address)
	active := func() (bool, *dbus.Error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked++
		return d.locked, nil
	}
	switch kind {
	case GNOME:
		export(t, conn, "org.gnome.ScreenSaver", "/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", map[string]any{"GetActive": active})
		export(t, conn, "org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor",
			map[string]any{"GetIdletime": func() (uint64, *dbus.Error) { return uint64(d.idle().Milliseconds()), nil }})
	case KDE:
		methods := map[string]any{
			"GetActive":          active,
			"GetSessionIdleTime": func() (uint32, *dbus.Error) { return uint32(d.idle().Milliseconds()), nil },
		}
		export(t, conn, "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver", methods)
		own(t, conn, "org.kde.screensaver")
	case MATE:
		export(t, conn, "org.mate.ScreenSaver", "/org/mate/ScreenSaver", "org.mate.ScreenSaver", map[string]any{"GetActive": active})
	}
	return d
}

func (d *Desktop) idle() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if d.still {
		return 0
	}
	return time.Since(d.moved)
}

// Leave makes the desktop count from so long ago, as if nobody had moved since; 0 is a move now.
func (d *Desktop) Leave(ago time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moved = time.Now().Add(-ago)
}

// Still makes the desktop say 0 for ever.
func (d *Desktop) Still() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.still = true
}

// Lock locks the screen, or unlocks it.
func (d *Desktop) Lock(locked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locked = locked
}

// Asked is how many questions came so far.
func (d *Desktop) Asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// Logind stands in for logind with one session. Safe for concurrent use.
type Logind struct {
	mu        sync.Mutex // protects the fields below
	idleSince time.Time
	locked    bool
}

// The object paths of the one session.
const (
	sessionPath = "/org/freedesktop/login1/session/_37"
	autoPath    = "/org/freedesktop/login1/session/auto"
)

// NewLogind puts logind on the bus, with the session id. It is there until the test ends.
func NewLogind(t testing.TB, address, id string) *Logind {
	t.Helper()
	l := &Logind{}
	conn := dial(t, address)
	export(t, conn, "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", map[string]any{
		"GetSession": func(asked string) (dbus.ObjectPath, *dbus.Error) {
			if asked != id {
				return "", dbus.NewError("org.freedesktop.login1.NoSuchSession", []any{"No session '" + asked + "' known"})
			}
			return sessionPath, nil
		},
	})
	for _, path := range []dbus.ObjectPath{sessionPath, autoPath} {
		if err := conn.ExportMethodTable(map[string]any{"GetAll": l.all}, path, "org.freedesktop.DBus.Properties"); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *Logind) all(string) (map[string]dbus.Variant, *dbus.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := uint64(0)
	if !l.idleSince.IsZero() {
		since = uint64(l.idleSince.UnixMicro())
	}
	return map[string]dbus.Variant{
		"Id": dbus.MakeVariant("7"), "Type": dbus.MakeVariant("x11"), "LockedHint": dbus.MakeVariant(l.locked),
		"IdleHint": dbus.MakeVariant(!l.idleSince.IsZero()), "IdleSinceHint": dbus.MakeVariant(since),
	}, nil
}

// Idle gives the hint that the session is idle since then; the zero time takes it back.
func (l *Logind) Idle(since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.idleSince = since
}

// Lock gives the hint that the screen is locked, or is not.
func (l *Logind) Lock(locked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.locked = locked
}

func dial(t testing.TB, address string) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatalf("connect to %s: %v", address, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func export(t testing.TB, conn *dbus.Conn, name string, path dbus.ObjectPath, iface string, methods map[string]any) {
	t.Helper()
	if err := conn.ExportMethodTable(methods, path, iface); err != nil {
		t.Fatal(err)
	}
	own(t, conn, name)
}

func own(t testing.TB, conn *dbus.Conn, name string) {
	t.Helper()
	if reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: reply %d, %v", name, reply, err)
	}
}
