package testenv

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/sysexec"
)

// Display is a screen without a monitor: Xvfb with the window manager openbox. Keys and clicks go the way of real ones.
type Display struct {
	Name string // ":7"

	t        testing.TB
	fb       string // the picture of the screen, kept by Xvfb in XWD format
	xdotool  string
	xwininfo string
}

// NewDisplay starts a screen of 1280 x 1000 dots; it goes when the test ends.
func NewDisplay(t testing.TB) *Display {
	t.Helper()
	xvfb, openbox := Program(t, "Xvfb", "xvfb"), Program(t, "openbox", "openbox")
	xprop := Program(t, "xprop", "x11-utils")
	d := &Display{t: t, xdotool: Program(t, "xdotool", "xdotool"), xwininfo: Program(t, "xwininfo", "x11-utils")}
	dir := shortDir(t)
	d.fb = filepath.Join(dir, "Xvfb_screen0")
	reader, writer := io.Pipe()
	x := start(t, nil, "", writer, xvfb, "-displayfd", "1", "-screen", "0", "1280x1000x24", "-fbdir", dir, "-nolisten", "tcp")
	t.Cleanup(func() {
		_ = reader.Close()
		x.stop()
	})
	number, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("read the display's number: %v", err)
	}
	d.Name = ":" + strings.TrimSpace(number)
	wm := start(t, append(d.Env(), "HOME="+dir), "", nil, openbox, "--sm-disable")
	t.Cleanup(wm.stop)
	Await(t, "the window manager", func() bool {
		said, err := d.run(xprop, "-root", "_NET_SUPPORTING_WM_CHECK")
		return err == nil && strings.Contains(said, "window id")
	})
	return d
}

// Env is what programs on this screen need in their environment.
func (d *Display) Env() []string {
	return []string{"DISPLAY=" + d.Name, "LIBGL_ALWAYS_SOFTWARE=1", "PATH=/usr/bin:/bin"}
}

func (d *Display) run(program string, args ...string) (string, error) {
	cmd, err := sysexec.Command(d.t.Context(), program, args...)
	if err != nil {
		return "", err
	}
	cmd.Env = d.Env()
	said, err := cmd.Output()
	return strings.TrimSpace(string(said)), err
}

func (d *Display) must(args ...string) string {
	d.t.Helper()
	said, err := d.run(d.xdotool, args...)
	if err != nil {
		d.t.Fatalf("xdotool %s: %v", strings.Join(args, " "), err)
	}
	return said
}

// Window waits for a visible window with the title and returns its id.
func (d *Display) Window(title string) string {
	d.t.Helper()
	var id string
	Await(d.t, "a window "+title, func() bool {
		said, err := d.run(d.xdotool, "search", "--onlyvisible", "--name", "^"+title+"$")
		fields := strings.Fields(said)
		if err != nil || len(fields) == 0 {
			return false
		}
		id = fields[len(fields)-1]
		return true
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
	said, err := d.run(d.xwininfo, "-id", window)
	if err != nil {
		d.t.Fatalf("find window %s: %v", window, err)
	}
	at := map[string]int{}
	for line := range strings.Lines(said) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		at[key], _ = strconv.Atoi(strings.TrimSpace(value))
	}
	x, y := at["Absolute upper-left X"], at["Absolute upper-left Y"]
	return image.Rect(x, y, x+at["Width"], y+at["Height"])
}

// Picture is what the screen shows where the window is.
func (d *Display) Picture(window string) image.Image {
	d.t.Helper()
	whole, err := readXWD(d.fb)
	if err != nil {
		d.t.Fatal(err)
	}
	return whole.SubImage(d.Bounds(window).Intersect(whole.Bounds()))
}

// Save writes a picture as a PNG file.
func (d *Display) Save(picture image.Image, path string) {
	d.t.Helper()
	f, err := os.Create(path)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := png.Encode(f, picture); err != nil {
		d.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// readXWD reads the picture of a screen with 32 bits a dot, as Xvfb keeps it (XWDFile.h of X.Org, version 7).
func readXWD(path string) (*image.NRGBA, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the screen: %w", err)
	}
	field := func(n int) int { return int(binary.BigEndian.Uint32(data[4*n:])) }
	const words = 25
	if len(data) < 4*words || field(1) != 7 || field(11) != 32 {
		return nil, fmt.Errorf("read the screen: %s is no XWD picture with 32 bits a dot", path)
	}
	width, height, stride := field(4), field(5), field(12)
	offset := field(0) + 12*field(19) // header and colour map
	if len(data) < offset+height*stride {
		return nil, fmt.Errorf("read the screen: %s is too short", path)
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			dot := binary.LittleEndian.Uint32(data[offset+y*stride+4*x:])
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(dot >> 16), G: uint8(dot >> 8), B: uint8(dot), A: 0xff})
		}
	}
	return img, nil
}
