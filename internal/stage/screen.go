package stage

import (
	"context"
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

// NewScreen starts a screen of 1000 x 700 dots.
func NewScreen(ctx context.Context, here *Place) (*Screen, error) {
	dir := here.Path("framebuffer")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	env := []string{
		"WAYLAND_DISPLAY=", "LANG=en_US.UTF-8", "LC_ALL=en_US.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_THEME=light",
		"HOME=" + here.Path("home"), "XDG_RUNTIME_DIR=" + here.Path("run"),
		"XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_DATA_HOME=", "XDG_CACHE_HOME=",
	}
	start := func(env []string, stdout *os.File, path string, args ...string) error {
		_, err := here.start(ctx, env, stdout, filepath.Base(path), path, args...)
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
	bus, err := startBus(ctx, here, env)
	if err != nil {
		return nil, err
	}
	env = append(env, "DBUS_SESSION_BUS_ADDRESS="+bus)
	if err := startKeyring(ctx, here, env); err != nil {
		return nil, err
	}
	return &Screen{Env: slices.Clip(env), Bus: bus, screen: screen}, nil
}

func startBus(ctx context.Context, here *Place, env []string) (address string, err error) {
	address = "unix:path=" + here.Path("run", "bus")
	if _, err = here.Start(ctx, env, "dbus", "/usr/bin/dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog", "--address="+address); err != nil {
		return "", err
	}
	return address, Until(ctx, 10*time.Second, "the session bus", func() (bool, string) {
		_, err := os.Stat(here.Path("run", "bus"))
		return err == nil, "no socket"
	})
}

// startKeyring starts a GNOME keyring that a password has unlocked, as a log-on would.
func startKeyring(ctx context.Context, here *Place, env []string) error {
	if _, err := here.Start(ctx, env, "keyring", "/bin/sh", "-c", "printf demo | exec gnome-keyring-daemon --foreground --unlock --components=secrets"); err != nil {
		return err
	}
	return Until(ctx, 15*time.Second, "the keyring", func() (bool, string) {
		said, err := Command(ctx, env, "", "/usr/bin/dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets")
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
