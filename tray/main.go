// Program platen-window shows Platen's window: identification, balance, details, settings. The resident program platen
// starts it on demand; it ends when its window is closed. It holds no tokens and speaks to the resident only.
//
// Exit codes: 0 closed, 2 wrong arguments, 3 no display, 4 nothing could be drawn (no OpenGL).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"

	"fyne.io/fyne/v2/app"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/buildinfo"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/sessionbus"
	"github.com/platenprint/platen/tray/ui"
	"github.com/platenprint/platen/tray/view"
)

const (
	exitUsage     = 2
	exitNoDisplay = 3
	exitNoFrame   = 4
)

// appID is the program's name to the desktop and to Fyne, which keeps its settings under it.
const appID = "org.platenprint.platen"

// frameTime is how long the first frame may take. Without OpenGL Fyne stays windowless and says nothing.
const frameTime = 12 * time.Second

func main() { os.Exit(run(context.Background(), os.Args[1:], os.Stderr)) }

func run(ctx context.Context, args []string, stderr io.Writer) (code int) {
	page, language, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return exitUsage
	}
	complain := func(code int, err any) int {
		fmt.Fprintln(stderr, "platen-window:", err)
		return code
	}
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return complain(exitNoDisplay, "there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
	}
	defer func() { // GLFW panics where the display is named but not there
		if r := recover(); r != nil {
			code = complain(exitNoDisplay, r)
		}
	}()
	options, err := prepare(page, language, stderr)
	if err != nil {
		return complain(1, err)
	}
	preferLight(ctx)
	ui.Run(ctx, app.NewWithID(appID), options, func(w *ui.Window) {
		go func() {
			select {
			case <-w.Drawn():
			case <-time.After(frameTime):
				os.Exit(complain(exitNoFrame, "nothing was drawn: is there OpenGL 2.1?"))
			}
		}()
	})
	return 0
}

// pages are those that can be asked for.
var pages = []status.Page{status.PageAuto, status.PageBalance, status.PageDetails, status.PageSettings, status.PageSignIn}

func parse(args []string, stderr io.Writer) (status.Page, string, error) {
	flags := flag.NewFlagSet("platen-window", flag.ContinueOnError)
	flags.SetOutput(stderr)
	page := flags.String("page", "", "the page to show: balance, details, settings or sign-in; empty for the one that fits")
	language := flags.String("lang", "", "the language, as in de or fr_CH; empty for the desktop's")
	if err := flags.Parse(args); err != nil {
		return "", "", err
	}
	if !slices.Contains(pages, status.Page(*page)) || flags.NArg() > 0 {
		flags.Usage()
		return "", "", errors.New("wrong arguments")
	}
	return status.Page(*page), *language, nil
}

func prepare(page status.Page, language string, stderr io.Writer) (ui.Options, error) {
	if err := sessionbus.Settle(); err != nil { // Fyne asks the desktop whether it is dark
		return ui.Options{}, err
	}
	name := ui.LocaleName(language, os.Getenv)
	texts, err := assets.LoadTexts(name)
	if err != nil {
		return ui.Options{}, err
	}
	place, err := ipc.Find(os.Getenv)
	if err != nil {
		return ui.Options{}, err
	}
	return ui.Options{
		Agent:  ipc.NewClient(place, "platen-window "+buildinfo.Version),
		Locale: view.NewLocale(name, texts.Text, time.Local),
		Clock:  clock.System,
		Logger: slog.New(slog.NewTextHandler(stderr, nil)),
		Page:   page,
	}, nil
}
