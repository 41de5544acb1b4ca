package presence

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/sessionbus"
)

// The system bus, by the D-Bus specification: an address in the environment, or the well-known socket.
const (
	systemBusVar    = "DBUS_SYSTEM_BUS_ADDRESS"
	systemBusSocket = "/run/dbus/system_bus_socket"
)

// The session manager, logind or elogind: org.freedesktop.login1(5).
const (
	logindService = "org.freedesktop.login1"
	logindPath    = "/org/freedesktop/login1"
	logindManager = logindService + ".Manager"
	logindSession = logindService + ".Session"
	// autoSession is the session of whoever asks, or their graphical one when they are outside of all sessions, as the
	// programs of systemd --user are.
	autoSession = logindPath + "/session/auto"
)

// idleMonitor is GNOME's: milliseconds (org.gnome.Mutter.IdleMonitor.xml).
const (
	idleMonitor     = "org.gnome.Mutter.IdleMonitor"
	idleMonitorPath = "/org/gnome/Mutter/IdleMonitor/Core"
)

// screenSaver is the interface that KDE's screen locker has. It is asked for the idle time by KDE's own name, for others
// who own the common name count in seconds what it counts in milliseconds (kscreenlocker, interface.cpp).
const (
	screenSaver     = "org.freedesktop.ScreenSaver"
	screenSaverPath = "/org/freedesktop/ScreenSaver"
	kdeScreenSaver  = "org.kde.screensaver"
)

// savers can be asked whether they are active: on GNOME and KDE that means locked. Those of the others may be active
// unlocked; then nobody has moved for minutes, which is the same to us.
var savers = [...]struct{ service, path string }{
	{screenSaver, screenSaverPath},
	{"org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"},
	{"org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"},
	{"org.mate.ScreenSaver", "/org/mate/ScreenSaver"},
	{"org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"},
}

// desktop asks the desktop over D-Bus, and its X server. It launches no bus and no service.
type desktop struct {
	getenv func(string) string
	clock  clock.Clock
}

// New returns the presence at the desktop that the environment leads to: GNOME's idle monitor and the screen savers on
// the session bus, the X server where these tell no idle time, and logind on the system bus.
func New(getenv func(string) string, c clock.Clock) Source { return desktop{getenv, c} }

// Read implements Source.
func (d desktop) Read(ctx context.Context) (Reading, error) {
	var session, system Reading
	sessionErr := d.ask(ctx, d.sessionBus, func(conn *dbus.Conn) error {
		session = askDesktop(ctx, conn)
		return nil
	})
	systemErr := d.ask(ctx, d.systemBus, func(conn *dbus.Conn) (err error) {
		system, err = d.askLogind(ctx, conn)
		return err
	})
	var screen Reading
	var screenErr error
	if !session.IdleKnown {
		screen, screenErr = d.askX(ctx)
	}
	r := Reading{
		Locked:      session.Locked || screen.Locked || system.Locked,
		LockedKnown: session.LockedKnown || screen.LockedKnown || system.LockedKnown,
	}
	for _, told := range []Reading{session, screen, system} { // logind only repeats what a desktop told it
		if told.IdleKnown {
			r.Idle, r.IdleKnown = told.Idle, true
			break
		}
	}
	if !r.IdleKnown && !r.LockedKnown {
		return Reading{}, errors.Join(ErrUnsupported, sessionErr, screenErr, systemErr)
	}
	return r, nil
}

func (d desktop) sessionBus() (string, error) { return sessionbus.Address(d.getenv) }

func (d desktop) systemBus() (string, error) {
	if address := d.getenv(systemBusVar); address != "" {
		return address, nil
	}
	if _, err := os.Stat(systemBusSocket); err != nil {
		return "", fmt.Errorf("find the system bus: %w", err)
	}
	return "unix:path=" + systemBusSocket, nil
}

// ask connects to a bus for as long as one question takes.
func (d desktop) ask(ctx context.Context, find func() (string, error), question func(*dbus.Conn) error) error {
	address, err := find()
	if err != nil {
		return err
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("connect to the bus at %s: %w", address, err)
	}
	defer func() { _ = conn.Close() }()
	return question(conn)
}

// askDesktop asks all who may know. Who is not there, or does not answer as expected, does not know.
func askDesktop(ctx context.Context, conn *dbus.Conn) Reading {
	var r Reading
	var wide uint64
	var narrow uint32
	switch {
	case call(ctx, conn, idleMonitor, idleMonitorPath, idleMonitor+".GetIdletime").Store(&wide) == nil:
		r.Idle, r.IdleKnown = milliseconds(wide), true
	case call(ctx, conn, kdeScreenSaver, screenSaverPath, screenSaver+".GetSessionIdleTime").Store(&narrow) == nil:
		// Plasma says 0 where it does not know, which is always so on Wayland.
		r.Idle, r.IdleKnown = milliseconds(uint64(narrow)), narrow > 0
	}
	for _, s := range savers {
		var active bool
		if call(ctx, conn, s.service, dbus.ObjectPath(s.path), s.service+".GetActive").Store(&active) == nil {
			r.Locked, r.LockedKnown = r.Locked || active, true
		}
	}
	return r
}

// milliseconds is a duration, capped at what nobody waits for, so that no answer can overflow.
func milliseconds(n uint64) time.Duration {
	const most = 365 * 24 * time.Hour
	return time.Duration(min(n, uint64(most/time.Millisecond))) * time.Millisecond
}

// askLogind reads the hints that the desktop gives logind. IdleHint says since when a session counts as idle, some time
// after the last move; false says nothing, for most desktops never set it.
func (d desktop) askLogind(ctx context.Context, conn *dbus.Conn) (Reading, error) {
	path := dbus.ObjectPath(autoSession)
	if id := d.getenv("XDG_SESSION_ID"); id != "" {
		_ = call(ctx, conn, logindService, logindPath, logindManager+".GetSession", id).Store(&path) // a name of old: path stays
	}
	var properties map[string]dbus.Variant
	err := call(ctx, conn, logindService, path, "org.freedesktop.DBus.Properties.GetAll", logindSession).Store(&properties)
	if err != nil {
		return Reading{}, fmt.Errorf("ask logind for the session: %w", err)
	}
	var r Reading
	r.Locked, r.LockedKnown = properties["LockedHint"].Value().(bool)
	idle, _ := properties["IdleHint"].Value().(bool)
	since, known := properties["IdleSinceHint"].Value().(uint64) // microseconds since 1970
	if idle && known && since > 0 && since < 1<<62 {
		r.Idle, r.IdleKnown = max(0, d.clock().Sub(time.UnixMicro(int64(since)))), true
	}
	return r, nil
}

func call(ctx context.Context, conn *dbus.Conn, service string, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return conn.Object(service, path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}
