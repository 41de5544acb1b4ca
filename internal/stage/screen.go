package stage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Screen is a display without a monitor: Xvfb with a window manager, and a private session bus with a keyring on it.
type Screen struct {
	Env []string // what programs on this screen need in their environment
	Bus string   // the address of its session bus

	fb string // Xvfb's picture of the screen, in XWD format
}

// NewScreen starts a screen of 1000 x 700 dots.
func NewScreen(ctx context.Context, here *Place) (*Screen, error) {
	fbdir := here.Path("framebuffer")
	if err := os.Mkdir(fbdir, 0o700); err != nil {
		return nil, err
	}
	display, err := startXvfb(ctx, here, fbdir)
	if err != nil {
		return nil, err
	}
	s := &Screen{fb: filepath.Join(fbdir, "Xvfb_screen0"), Env: []string{
		"DISPLAY=" + display, "WAYLAND_DISPLAY=", "LANG=en_US.UTF-8", "LC_ALL=en_US.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_THEME=light",
		"HOME=" + here.Path("home"), "XDG_RUNTIME_DIR=" + here.Path("run"),
		"XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "XDG_DATA_HOME=", "XDG_CACHE_HOME=",
	}}
	bus, err := startBus(ctx, here, s.Env)
	if err != nil {
		return nil, err
	}
	s.Env = append(s.Env, "DBUS_SESSION_BUS_ADDRESS="+bus)
	s.Bus = bus
	if err := startKeyring(ctx, here, s.Env); err != nil {
		return nil, err
	}
	if _, err := here.Start(ctx, s.Env, "openbox", "/usr/bin/openbox"); err != nil {
		return nil, err
	}
	err = Until(ctx, 10*time.Second, "the window manager", func() (bool, string) {
		said, err := Command(ctx, s.Env, "", "/usr/bin/xprop", "-root", "_NET_SUPPORTING_WM_CHECK")
		return err == nil && strings.Contains(said, "window id"), said
	})
	if err != nil {
		return nil, err
	}
	_, err = Command(ctx, s.Env, "", "/usr/bin/xdotool", "mousemove", "999", "699") // out of the pictures
	return s, err
}

func startXvfb(ctx context.Context, here *Place, fbdir string) (display string, err error) {
	for n := 90; n < 130; n++ {
		display = ":" + strconv.Itoa(n)
		if _, err := os.Stat(fmt.Sprintf("/tmp/.X%d-lock", n)); err == nil {
			continue
		}
		x, err := here.Start(ctx, nil, "xvfb", "/usr/bin/Xvfb", display, "-screen", "0", "1000x700x24", "-fbdir", fbdir, "-nolisten", "tcp")
		if err != nil {
			return "", err
		}
		err = Until(ctx, 15*time.Second, "the X server", func() (bool, string) {
			if x.Ended() {
				return true, ""
			}
			_, err := Command(ctx, []string{"DISPLAY=" + display}, "", "/usr/bin/xprop", "-root", "-len", "1")
			return err == nil, display
		})
		if err == nil && !x.Ended() {
			return display, nil
		}
	}
	return "", errors.New("start Xvfb: no free display; see the log")
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
		ids, err := Command(ctx, s.Env, "", "/usr/bin/xdotool", "search", "--onlyvisible", "--class", class)
		fields := strings.Fields(ids)
		if err != nil || len(fields) == 0 {
			return false, "none"
		}
		id = fields[len(fields)-1]
		return true, id
	})
	return id, err
}

// Keys types into the window: args are an xdotool command, such as "key", "Return".
func (s *Screen) Keys(ctx context.Context, id string, args ...string) error {
	if _, err := Command(ctx, s.Env, "", "/usr/bin/xdotool", "windowfocus", "--sync", id); err != nil {
		return err
	}
	_, err := Command(ctx, s.Env, "", "/usr/bin/xdotool", append(args[:1:1], append([]string{"--window", id}, args[1:]...)...)...)
	return err
}

// Picture saves the part of the screen where the window is as a PNG file.
func (s *Screen) Picture(ctx context.Context, id, path string) error {
	// xdotool's own answer counts the window manager's frame twice.
	where, err := Command(ctx, s.Env, "", "/usr/bin/xwininfo", "-id", id)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for line := range strings.Lines(where) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		at[name], _ = strconv.Atoi(strings.TrimSpace(value)) // what is no number is not asked for
	}
	x, y := at["Absolute upper-left X"], at["Absolute upper-left Y"]
	whole, err := readXWD(s.fb)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	box := image.Rect(x, y, x+at["Width"], y+at["Height"])
	return errors.Join(png.Encode(f, whole.SubImage(box.Intersect(whole.Bounds()))), f.Close())
}

// readXWD reads an X window dump of 32 bits a pixel (the form Xvfb keeps its screen in; X11/XWDFile.h).
func readXWD(path string) (*image.RGBA, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(raw) < 100 {
		return nil, fmt.Errorf("read %s: too short for an X window dump", path)
	}
	field := func(n int) int { return int(binary.BigEndian.Uint32(raw[4*n:])) }
	headerSize, width, height, bits, stride, colours := field(0), field(4), field(5), field(11), field(12), field(19)
	start := headerSize + 12*colours
	if field(1) != 7 || bits != 32 || len(raw) < start+stride*height {
		return nil, fmt.Errorf("read %s: not an X window dump of 32 bits a pixel", path)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := raw[start+y*stride+4*x:]
			img.SetRGBA(x, y, color.RGBA{R: p[2], G: p[1], B: p[0], A: 255})
		}
	}
	return img, nil
}
