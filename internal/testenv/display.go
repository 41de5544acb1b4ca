package testenv

import (
	"image"
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/platenprint/platen/internal/fakedesktop"
)

// Display is a screen without a monitor: Xvfb with the window manager openbox. Keys and clicks go the way of real ones.
type Display struct {
	Name string // ":7"

	t      testing.TB
	screen *fakedesktop.Screen
}

// NewDisplay starts a screen of 1280 x 1000 dots; it goes when the test ends.
func NewDisplay(t testing.TB) *Display {
	t.Helper()
	for _, tool := range [][2]string{
		{"Xvfb", "xvfb"}, {"openbox", "openbox"}, {"xprop", "x11-utils"}, {"xwininfo", "x11-utils"}, {"xdotool", "xdotool"},
	} {
		Program(t, tool[0], tool[1])
	}
	dir := shortDir(t)
	run := func(env []string, stdout *os.File, path string, args ...string) error {
		var w io.Writer // which must not be a nil *os.File
		if stdout != nil {
			w = stdout
		}
		t.Cleanup(start(t, env, "", w, path, args...).stop)
		return nil
	}
	screen, err := fakedesktop.NewScreen(t.Context(), run, append(displayEnv(), "HOME="+dir), dir, image.Pt(1280, 1000))
	if err != nil {
		t.Fatal(err)
	}
	return &Display{Name: screen.Display, t: t, screen: screen}
}

func displayEnv() []string { return []string{"LIBGL_ALWAYS_SOFTWARE=1", "PATH=/usr/bin:/bin"} }

// Env is what programs on this screen need in their environment.
func (d *Display) Env() []string { return append(displayEnv(), "DISPLAY="+d.Name) }

func (d *Display) must(args ...string) {
	d.t.Helper()
	if _, err := d.screen.Do(d.t.Context(), args...); err != nil {
		d.t.Fatal(err)
	}
}

// Window waits for a visible window with the title and returns its id.
func (d *Display) Window(title string) string {
	d.t.Helper()
	var id string
	Await(d.t, "a window "+title, func() bool {
		id = d.screen.Window(d.t.Context(), "--name", "^"+title+"$")
		return id != ""
	})
	return id
}

// Focus gives a window the keyboard, as a click on its title does.
func (d *Display) Focus(window string) {
	d.t.Helper()
	d.must("windowactivate", "--sync", window)
}

// Type types text into the window that has the keyboard.
func (d *Display) Type(text string) {
	d.t.Helper()
	d.must("type", "--delay", "15", text)
}

// Key presses a key, such as "Return" or "shift+Tab".
func (d *Display) Key(name string) {
	d.t.Helper()
	d.must("key", name)
}

// Point moves the pointer to a place on the screen.
func (d *Display) Point(x, y int) {
	d.t.Helper()
	d.must("mousemove", strconv.Itoa(x), strconv.Itoa(y))
}

// Click clicks into a window, at dots from its left upper corner.
func (d *Display) Click(window string, x, y int) {
	d.t.Helper()
	d.must("mousemove", "--sync", "--window", window, strconv.Itoa(x), strconv.Itoa(y), "click", "1")
}

// Bounds is where a window is on the screen, without its frame.
func (d *Display) Bounds(window string) image.Rectangle {
	d.t.Helper()
	bounds, err := d.screen.Bounds(d.t.Context(), window)
	if err != nil {
		d.t.Fatal(err)
	}
	return bounds
}

// Picture is what the screen shows where the window is.
func (d *Display) Picture(window string) image.Image {
	d.t.Helper()
	picture, err := d.screen.Picture(d.t.Context(), window)
	if err != nil {
		d.t.Fatal(err)
	}
	return picture
}

// Save writes a picture as a PNG file.
func (d *Display) Save(picture image.Image, path string) {
	d.t.Helper()
	if err := fakedesktop.Save(picture, path); err != nil {
		d.t.Fatal(err)
	}
}
