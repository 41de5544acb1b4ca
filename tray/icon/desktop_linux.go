package icon

import (
	"context"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/internal/sessionbus"
)

// Who keeps the list of tray icons, by the freedesktop.org StatusNotifierItem draft. The name is KDE's, all use it.
const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
)

// desktop tells whether somebody shows tray icons. systray registers with a watcher by itself, also with one that comes
// later, but says nothing when there is none.
type desktop struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

func connect(ctx context.Context) (*desktop, error) {
	conn, err := sessionbus.Connect(ctx)
	if err != nil {
		return nil, err
	}
	d := &desktop{conn: conn, signals: make(chan *dbus.Signal, 16)}
	conn.Signal(d.signals)
	for _, match := range [][]dbus.MatchOption{
		{
			dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchInterface("org.freedesktop.DBus"),
			dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcherName),
		},
		{dbus.WithMatchInterface(watcherName), dbus.WithMatchMember("StatusNotifierHostRegistered")},
		{dbus.WithMatchInterface(watcherName), dbus.WithMatchMember("StatusNotifierHostUnregistered")},
	} {
		if err := conn.AddMatchSignalContext(ctx, match...); err != nil {
			d.close()
			return nil, fmt.Errorf("watch the session bus for a tray: %w", err)
		}
	}
	return d, nil
}

func (d *desktop) close() { _ = d.conn.Close() }

// follow tells OnTray what there is, a missing tray only after the grace.
func (d *desktop) follow(ctx context.Context, o Options) {
	told, known := false, false
	tell := func(shown bool) {
		if known && told == shown {
			return
		}
		told, known = shown, true
		o.Logger.InfoContext(ctx, "tray of the desktop", "shown", shown)
		if o.OnTray != nil {
			o.OnTray(shown)
		}
	}
	missing := time.NewTimer(o.Grace)
	defer missing.Stop()
	for {
		switch {
		case d.shown(ctx):
			missing.Stop()
			tell(true)
		case told: // a panel that restarts is away for a moment
			missing.Reset(o.Grace)
		}
		select {
		case _, open := <-d.signals:
			if !open {
				return
			}
		case <-missing.C:
			tell(d.shown(ctx))
		case <-ctx.Done():
			return
		}
	}
}

// shown asks whether there is a watcher with a host, which is what draws the icons. A watcher that does not tell about
// hosts is believed to have one.
func (d *desktop) shown(ctx context.Context) bool {
	if owned, err := sessionbus.HasOwner(ctx, d.conn, watcherName); err != nil || !owned {
		return false
	}
	var host bool
	err := d.conn.Object(watcherName, watcherPath).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0,
		watcherName, "IsStatusNotifierHostRegistered").Store(&host)
	return err != nil || host
}
