package stage

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/fakedesktop"
)

// Screen is a display without a monitor and with a window manager, and a private session bus with a keyring on it.
type Screen struct {
	Env []string // what programs on this screen need in their environment
	Bus string   // the address of its session bus

	screen *fakedesktop.Screen
}

// logOn is whose screen it is: the folders of their session, and how their programs are started and asked.
type logOn struct {
	home, run string
	start     func(ctx context.Context, env []string, stdout *os.File, name, path string, args ...string) (*Program, error)
	command   func(ctx context.Context, env []string, stdin, path string, args ...string) (string, error)
}

// NewScreen starts a screen of 1000 x 700 dots for whoever runs this program.
func NewScreen(ctx context.Context, here *Place) (*Screen, error) {
	dir := here.Path("framebuffer")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return newScreen(ctx, dir, logOn{here.Path("home"), here.Path("run"), here.start, Command})
}

func newScreen(ctx context.Context, dir string, who logOn) (*Screen, error) {
	env := []string{
		"WAYLAND_DISPLAY=", "LANG=en_US.UTF-8", "LC_ALL=en_US.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_THEME=light",
		"HOME=" + who.home, "XDG_RUNTIME_DIR=" + who.run,
		"XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_DATA_HOME=", "XDG_CACHE_HOME=",
	}
	start := func(env []string, stdout *os.File, path string, args ...string) error {
		_, err := who.start(ctx, env, stdout, filepath.Base(path), path, args...)
		return err
	}
	screen, err := fakedesktop.NewScreen(ctx, start, env, dir, image.Pt(1000, 700))
	if err != nil {
		return nil, err
	}
	if _, err := screen.Do(ctx, "mousemove", "999", "699"); err != nil { // out of the pictures
		return nil, err
	}
	env = append(env, "DISPLAY="+screen.Display)
	bus, err := who.startBus(ctx, env)
	if err != nil {
		return nil, err
	}
	env = append(env, "DBUS_SESSION_BUS_ADDRESS="+bus)
	if err := who.startKeyring(ctx, env); err != nil {
		return nil, err
	}
	return &Screen{Env: slices.Clip(env), Bus: bus, screen: screen}, nil
}

// startBus starts a session bus that root may listen to as well, which is where the tray of a demonstration comes from.
func (who logOn) startBus(ctx context.Context, env []string) (address string, err error) {
	const policy = `<busconfig><type>session</type><auth>EXTERNAL</auth><listen>unix:path=%s</listen><policy context="default">` +
		`<allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`
	socket, config := filepath.Join(who.run, "bus"), filepath.Join(who.run, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, policy, socket), 0o644); err != nil { //nolint:gosec // the bus reads it as somebody else
		return "", err
	}
	if _, err = who.start(ctx, env, nil, "dbus", "/usr/bin/dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--nosyslog"); err != nil {
		return "", err
	}
	return "unix:path=" + socket, Until(ctx, 10*time.Second, "the session bus", func() (bool, string) {
		_, err := os.Stat(socket)
		return err == nil, "no socket"
	})
}

// startKeyring starts a GNOME keyring that a password has unlocked, as a log-on would.
func (who logOn) startKeyring(ctx context.Context, env []string) error {
	if _, err := who.start(ctx, env, nil, "keyring", "/bin/sh", "-c", "printf demo | exec gnome-keyring-daemon --foreground --unlock --components=secrets"); err != nil {
		return err
	}
	return Until(ctx, 15*time.Second, "the keyring", func() (bool, string) {
		said, err := who.command(ctx, env, "", "/usr/bin/dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets")
		return err == nil && strings.Contains(said, "boolean true"), said
	})
}

// Window waits for a visible window of the program and returns its id.
func (s *Screen) Window(ctx context.Context, class string) (id string, err error) {
	err = Until(ctx, 30*time.Second, "the window", func() (bool, string) {
		id = s.screen.Window(ctx, "--class", class)
		return id != "", "none"
	})
	return id, err
}

// Keys types into the window: args are an xdotool command, such as "key", "Return".
func (s *Screen) Keys(ctx context.Context, id string, args ...string) error {
	if _, err := s.screen.Do(ctx, "windowfocus", "--sync", id); err != nil {
		return err
	}
	_, err := s.screen.Do(ctx, append([]string{args[0], "--window", id}, args[1:]...)...)
	return err
}

// Picture saves the part of the screen where the window is as a PNG file.
func (s *Screen) Picture(ctx context.Context, id, path string) error {
	picture, err := s.screen.Picture(ctx, id)
	if err != nil {
		return err
	}
	return fakedesktop.Save(picture, path)
}
