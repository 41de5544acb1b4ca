package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/client/presence/presencetest"
	"github.com/platenprint/platen/internal/testenv"
)

// lab is an office whose one desk is shared. It knows whether somebody sits there and whether the screen is locked.
type lab struct {
	*office
	desktop *presencetest.Desktop
	logind  *presencetest.Logind
}

func newLab(t *testing.T) *lab {
	t.Helper()
	o := newOffice(t)
	var session string
	for _, pair := range o.env {
		if value, ok := strings.CutPrefix(pair, "DBUS_SESSION_BUS_ADDRESS="); ok {
			session = value
		}
	}
	system := testenv.SessionBus(t)
	l := &lab{office: o, desktop: presencetest.NewDesktop(t, session, presencetest.GNOME), logind: presencetest.NewLogind(t, system, "7")}
	o.env = append(o.env, "PLATEN_DEVICE_ROLE=shared", "DBUS_SYSTEM_BUS_ADDRESS="+system, "XDG_SESSION_ID=7")
	o.admin("correct horse\n", "user", "add", "alex.test@example.org", "--name", "Alex Test", "--password-stdin")
	o.admin("", "user", "credit", "alex.test@example.org", "12.34")
	hasty, err := exec.LookPath("platen-hasty")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(hasty, filepath.Join(o.bin, "platen-hasty")); err != nil {
		t.Fatal(err)
	}
	o.start(&lockedBuffer{}, "platen-hasty")
	return l
}

// arrive has Alex sit down and sign in.
func (l *lab) arrive() {
	l.t.Helper()
	l.desktop.Leave(0)
	l.logind.Lock(false)
	l.run("correct horse\n", "platen", "sign-in", "--username", "alex.test@example.org", "--password-stdin", "--stay")
	l.awaitTooltip("€12.34")
}

// shown are the titles of the notifications that are there: a later one takes the place of the one it replaces.
func (l *lab) shown() []string {
	titles := map[uint32]string{}
	for _, n := range l.notes.Sent() {
		titles[n.ID] = n.Title
	}
	var all []string
	for _, title := range titles {
		all = append(all, title)
	}
	slices.Sort(all)
	return all
}

func (l *lab) awaitShown(want string) testenv.Notification {
	l.t.Helper()
	testenv.Await(l.t, "the notification "+want, func() bool { return slices.Contains(l.shown(), want) })
	sent := l.notes.Sent()
	slices.Reverse(sent)
	return sent[slices.IndexFunc(sent, func(n testenv.Notification) bool { return n.Title == want })]
}

// awaitGone waits until nobody is signed in, and looks for what the person may have left behind.
func (l *lab) awaitGone() {
	l.t.Helper()
	testenv.Await(l.t, "nobody signed in", func() bool { return strings.Contains(l.run("", "platen", "status"), "signed-out") })
	testenv.Await(l.t, "the session ended at the server", func() bool {
		list := l.run("", "platen-server", "user", "sessions", "alex.test@example.org", "--json", "--data", filepath.Join(l.dir, "data"))
		return strings.TrimSpace(list) == "[]"
	})
	l.awaitShown("Signed out")
	l.awaitTooltip("signed out")
	for _, title := range l.shown() {
		if strings.Contains(title, "Alex") || strings.Contains(title, "€") {
			l.t.Errorf("a notification is left: %q", title)
		}
	}
	if texts := strings.Join(append(l.tray.Item().Labels(), l.tray.Item().Tooltip()), "\n"); strings.Contains(strings.ToLower(texts), "alex") || strings.Contains(texts, "€") {
		l.t.Errorf("the tray still says:\n%s", texts)
	}
	err := filepath.WalkDir(filepath.Join(l.dir, "platen"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(strings.ToLower(string(text)), "alex") || strings.Contains(string(text), "12.34") {
			l.t.Errorf("%s has traces of the person:\n%s", path, text)
		}
		return err
	})
	if err != nil {
		l.t.Error(err)
	}
}

// UX 4: who leaves a shared computer is signed out, and nothing of them remains.
func TestUX_4_SharedComputerSignsOutWhoHasLeft(t *testing.T) {
	l := newLab(t)
	if n := l.desktop.Asked(); n != 0 {
		t.Errorf("asked %d times while nobody was signed in", n)
	}
	const announced = "Signing out in 30\u00a0s"
	l.arrive()
	l.awaitShown("Alex Test · €12.34")
	l.desktop.Leave(9*time.Minute + 31*time.Second)
	toast := l.awaitShown(announced)
	if !slices.Contains(toast.Actions, "Stay") {
		t.Errorf("one can choose %q in the notification", toast.Actions)
	}
	testenv.Await(t, "Stay in the menu", func() bool { return slices.Contains(l.tray.Item().Labels(), "Stay signed in") })
	l.notes.Press(toast.ID, "button-0")
	l.awaitShown("You’re still signed in.")

	l.logind.Lock(true)
	l.awaitGone()

	l.arrive()
	l.desktop.Leave(9*time.Minute + 31*time.Second)
	l.awaitShown(announced)
	l.desktop.Leave(0)
	l.awaitShown("You’re still signed in.")
	l.desktop.Leave(9*time.Minute + 31*time.Second)
	l.awaitShown(announced)
	l.awaitGone()
	before := l.desktop.Asked()
	l.run("", "platen", "status")
	time.Sleep(time.Second) // ten looks, if there were any
	if more := l.desktop.Asked() - before; more != 0 {
		t.Errorf("asked %d times after the sign-out", more)
	}
}
