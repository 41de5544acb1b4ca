package fakedesktop

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/sysexec"
)

// Start starts a program that stays until whoever called NewScreen ends it. env is what it needs in its environment;
// what it says goes to stdout or, if that is nil, where its errors go.
type Start func(env []string, stdout *os.File, path string, args ...string) error

// Screen is a screen without a monitor: Xvfb with the window manager openbox. Keys and clicks go the way of real ones.
type Screen struct {
	Display string // as in the variable DISPLAY, ":7"

	env         []string // of the programs that look at the screen
	framebuffer string   // the picture of the screen, kept by Xvfb in XWD format
	tools       tools
}

// NewScreen starts a screen of size dots on a free display. env is what its programs get beside DISPLAY; dir is an empty
// folder for the screen's picture.
func NewScreen(ctx context.Context, start Start, env []string, dir string, size image.Point) (*Screen, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tools, err := findTools()
	if err != nil {
		return nil, err
	}
	s := &Screen{framebuffer: filepath.Join(dir, "Xvfb_screen0"), tools: tools}
	if s.Display, err = startXvfb(ctx, start, tools.xvfb, dir, size); err != nil {
		return nil, err
	}
	s.env = append(slices.Clone(env), "DISPLAY="+s.Display)
	if err := start(s.env, nil, tools.openbox, "--sm-disable"); err != nil {
		return nil, err
	}
	return s, s.awaitWindowManager(ctx)
}

// tools are the paths of the programs that make a screen and look at it.
type tools struct{ xvfb, openbox, xprop, xdotool, xwininfo string }

func findTools() (t tools, err error) {
	for name, path := range map[string]*string{
		"Xvfb": &t.xvfb, "openbox": &t.openbox, "xprop": &t.xprop, "xdotool": &t.xdotool, "xwininfo": &t.xwininfo,
	} {
		if *path, err = sysexec.Find(name); err != nil {
			return tools{}, err
		}
	}
	return t, nil
}

// startXvfb lets Xvfb look for a free display, which it tells once it is ready. With -noreset it keeps the screen as it is
// between one program and the next: the reset after the last one has left would cut off who comes at that moment.
func startXvfb(ctx context.Context, start Start, xvfb, dir string, size image.Point) (display string, err error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer reader.Close()
	err = start(nil, writer, xvfb, "-displayfd", "1", "-screen", "0", fmt.Sprintf("%dx%dx24", size.X, size.Y), "-fbdir", dir, "-nolisten", "tcp", "-noreset")
	if err = errors.Join(err, writer.Close()); err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { _ = reader.SetReadDeadline(time.Unix(1, 0)) })()
	number, err := bufio.NewReader(reader).ReadString('\n') // io.EOF when Xvfb ends
	if err != nil {
		return "", fmt.Errorf("read the display's number from Xvfb: %w", err)
	}
	return ":" + strings.TrimSpace(number), nil
}

func (s *Screen) awaitWindowManager(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		said, err := s.run(ctx, s.tools.xprop, "-root", "_NET_SUPPORTING_WM_CHECK")
		if err == nil && strings.Contains(said, "window id") {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the window manager: %w; last seen: %s", errors.Join(ctx.Err(), err), said)
		}
	}
}

func (s *Screen) run(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd, err := sysexec.Command(ctx, program, args...)
	if err != nil {
		return "", err
	}
	var complaint strings.Builder
	cmd.Env, cmd.Stderr = s.env, &complaint
	said, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w %s", filepath.Base(program), strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(string(said)), nil
}

// Do runs an xdotool command, such as "key", "Return", and returns what it said.
func (s *Screen) Do(ctx context.Context, args ...string) (string, error) {
	return s.run(ctx, s.tools.xdotool, args...)
}

// Window returns the id of the visible window that appeared last, "" while there is none. by says what is compared with
// the regular expression: "--name" for titles, "--class" for programs.
func (s *Screen) Window(ctx context.Context, by, pattern string) string {
	said, err := s.Do(ctx, "search", "--onlyvisible", by, pattern)
	ids := strings.Fields(said)
	if err != nil || len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

// Bounds is where a window is on the screen, without its frame.
func (s *Screen) Bounds(ctx context.Context, window string) (image.Rectangle, error) {
	// xdotool's own answer counts the window manager's frame twice.
	said, err := s.run(ctx, s.tools.xwininfo, "-id", window)
	if err != nil {
		return image.Rectangle{}, err
	}
	at := map[string]int{}
	for line := range strings.Lines(said) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		at[key], _ = strconv.Atoi(strings.TrimSpace(value)) // what is no number is not asked for
	}
	x, y := at["Absolute upper-left X"], at["Absolute upper-left Y"]
	return image.Rect(x, y, x+at["Width"], y+at["Height"]), nil
}

// Picture is what the screen shows where the window is.
func (s *Screen) Picture(ctx context.Context, window string) (image.Image, error) {
	bounds, err := s.Bounds(ctx, window)
	if err != nil {
		return nil, err
	}
	whole, err := readXWD(s.framebuffer)
	if err != nil {
		return nil, err
	}
	return whole.SubImage(bounds.Intersect(whole.Bounds())), nil
}

// Save writes a picture as a PNG file.
func Save(picture image.Image, path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, picture), f.Close())
}
