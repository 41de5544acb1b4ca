//go:build linux

package icon_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/tray/icon"
	"github.com/platenprint/platen/tray/view"
)

// actAsResident makes this test program show an icon instead of testing: a tray can run once in a process only.
const actAsResident = "PLATEN_TEST_ICON"

func TestMain(m *testing.M) {
	if os.Getenv(actAsResident) != "" {
		if err := resident(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// now and the snapshots are those that the resident below shows, by the name that it reads.
var (
	now       = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	user      = &status.User{Username: "alex_test@example.org", DisplayName: "Alex Test"}
	snapshots = map[string]status.Snapshot{
		"out": {State: status.StateSignedOut},
		"in":  {State: status.StateFollowing, User: user, Balance: &status.Money{Amount: "12.34", Currency: "EUR"}, PortalURL: "https://p"},
		"low": {State: status.StateFollowing, User: user, Balance: &status.Money{Amount: "0.80", Currency: "EUR"}, Low: true},
		"off": {State: status.StateOffline, User: user, Balance: &status.Money{Amount: "0.80", Currency: "EUR"}, BalanceAt: now, Stale: true},
	}
)

// resident shows the snapshots named on in, and writes to out what is chosen. It ends with its input.
func resident(in io.Reader, out io.Writer) error {
	texts, err := assets.LoadTexts("en")
	if err != nil {
		return err
	}
	locale := view.NewLocale("en", texts.Text, time.UTC)
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format+"\n", args...)
	}
	i := icon.New(icon.Options{
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, nil)),
		OnAction: func(a status.Action) { say("action %s %s", a.Kind, a.Page) },
		OnTray:   func(shown bool) { say("tray %v", shown) },
		Grace:    300 * time.Millisecond,
	})
	i.Show(view.TrayOf(snapshots["out"], locale, now))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		for lines := bufio.NewScanner(in); lines.Scan(); {
			i.Show(view.TrayOf(snapshots[lines.Text()], locale, now))
		}
	}()
	return i.Run(ctx)
}

// program is the resident as a process of its own.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	log   *bytes.Buffer
}

func start(t *testing.T, address string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.CommandContext(t.Context(), os.Args[0]), lines: make(chan string, 100), log: &bytes.Buffer{}}
	p.cmd.Env = []string{
		actAsResident + "=1", "DBUS_SESSION_BUS_ADDRESS=" + address, "XDG_RUNTIME_DIR=" + t.TempDir(),
		"GORACE=exitcode=0", // see ends
	}
	p.cmd.Stderr = p.log
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	return p
}

func (p *program) show(snapshot string) {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.in, snapshot); err != nil {
		p.t.Fatal(err)
	}
}

// hears waits for the next line that the resident writes.
func (p *program) hears(want string) {
	p.t.Helper()
	select {
	case got, ok := <-p.lines:
		if !ok || got != want {
			p.t.Fatalf("resident said %q, want %q; its log:\n%s", got, want, p.log)
		}
	case <-time.After(testenv.Deadline):
		p.t.Fatalf("resident did not say %q", want)
	}
}

// racing finds the function that a race report blames.
var racing = regexp.MustCompile(`(?m)^(?:Read|Write|Previous read|Previous write) at .*\n\s+(\S+)`)

// ends closes the input and expects a clean end. With -race, our own code must not race; fyne.io/systray v1.12.2 does so
// with the revision number of its menu, a plain integer.
func (p *program) ends() {
	p.t.Helper()
	_ = p.in.Close()
	for range p.lines { // until it has ended
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("resident ended badly: %v\n%s", err, p.log)
	}
	for _, found := range racing.FindAllStringSubmatch(p.log.String(), -1) {
		if strings.HasPrefix(found[1], "github.com/platenprint/platen/") {
			p.t.Errorf("race in %s:\n%s", found[1], p.log)
		}
	}
}

func TestTheMenuIsReadAndClickedOverDBus(t *testing.T) {
	address := testenv.SessionBus(t)
	tray := testenv.NewTray(t, address, true)
	p := start(t, address)
	p.hears("tray true")
	item := tray.Item()
	testenv.Await(t, "the icon's title", func() bool { return item.Text("Title") == "Platen" })
	if got := item.Text("Id"); got != "Platen" {
		t.Errorf("id %q: the desktop would forget what the person did with it", got)
	}
	awaitMenu(t, item, []string{"(Signed out)", "-", "Open Platen", "Sign in…", "-", "Settings", "Quit"})
	awaitFace(t, item, "Platen: signed out", "signed-out")

	p.show("in")
	awaitMenu(t, item, []string{
		"Balance: €12.34", "(Signed in as alex_test@example.org)", "-", "Open Platen", "My account on the web", "Sign out", "-", "Settings", "Quit",
	})
	awaitFace(t, item, "Platen: €12.34", "ok")

	p.show("low")
	awaitMenu(t, item, []string{
		"Balance: €0.80", "(Low balance · Signed in as alex_test@example.org)", "-", "Open Platen", "Sign out", "-", "Settings", "Quit",
	})
	awaitFace(t, item, "Platen: €0.80, low balance", "low")

	p.show("off")
	awaitFace(t, item, "Platen: offline. €0.80, today 09:30", "offline")
	item.Choose("Try again")
	p.hears("action retry ")
	item.Choose("Balance: €0.80")
	p.hears("action open balance")
	item.Choose("Sign out")
	p.hears("action sign-out ")
	item.Choose("Settings")
	p.hears("action open settings")
	item.Activate()
	p.hears("action open ")
	item.Choose("Quit")
	p.hears("action quit ")
	p.ends()
}

func TestAMissingTrayIsSaidAndALaterOneIsUsed(t *testing.T) {
	address := testenv.SessionBus(t)
	p := start(t, address)
	p.hears("tray false")
	p.show("in")

	tray := testenv.NewTray(t, address, true) // the person turns the extension on
	p.hears("tray true")
	awaitFace(t, tray.Item(), "Platen: €12.34", "ok")

	tray.Stop() // the panel crashes
	p.hears("tray false")
	again := testenv.NewTray(t, address, true)
	p.hears("tray true")
	again.Item().Choose("Open Platen")
	p.hears("action open ")
	p.ends()
}

func TestATrayServiceWithoutPanelShowsNothing(t *testing.T) {
	address := testenv.SessionBus(t)
	testenv.NewTray(t, address, false)
	p := start(t, address)
	p.hears("tray false")
	p.ends()
}

func TestWithoutASessionBusNothingIsTouched(t *testing.T) {
	p := start(t, "")
	for line := range p.lines {
		t.Errorf("resident said %q", line)
	}
	if err := p.cmd.Wait(); err == nil || !strings.Contains(p.log.String(), "there is no session bus") {
		t.Errorf("resident ended with %v and said:\n%s", err, p.log)
	}
}

func awaitMenu(t *testing.T, item *testenv.TrayItem, want []string) {
	t.Helper()
	var got []string
	testenv.Await(t, fmt.Sprintf("the menu %q", want), func() bool {
		if got = item.Labels(); cmp.Equal(want, got) {
			return true
		}
		return false
	})
}

func awaitFace(t *testing.T, item *testenv.TrayItem, tooltip, state string) {
	t.Helper()
	testenv.Await(t, "the tooltip "+tooltip, func() bool { return item.Tooltip() == tooltip })
	testenv.Await(t, "the icon "+state, func() bool { return samePicture(item.Picture(), trayIcon(t, state)) })
}

func trayIcon(t *testing.T, state string) image.Image {
	t.Helper()
	data, err := assets.TrayIcon(state, "linux")
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// samePicture compares what is opaque: systray sends colours multiplied with their transparency.
func samePicture(got, want image.Image) bool {
	if got == nil || got.Bounds() != want.Bounds() {
		return false
	}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			r1, g1, b1, a1 := want.At(x, y).RGBA()
			r2, g2, b2, a2 := got.At(x, y).RGBA()
			if a1>>8 != a2>>8 || a1 == 0xffff && (r1>>8 != r2>>8 || g1>>8 != g2>>8 || b1>>8 != b2>>8) {
				return false
			}
		}
	}
	return true
}
