package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/platenprint/platen/internal/testenv"
)

// office is a server and a desk with a session bus, a keyring, a tray and notifications, all private to the test.
type office struct {
	t      *testing.T
	dir    string
	bin    string
	env    []string
	tray   *testenv.Tray
	notes  *testenv.Notifications
	server *exec.Cmd
	config []string // further arguments of the server
}

func newOffice(t *testing.T, change ...func(*office)) *office {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "platen-desk-") //nolint:usetesting // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o := &office{t: t, dir: dir, bin: filepath.Dir(buildServer(t))}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(o.bin, "platen"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build platen: %v\n%s", err, out)
	}
	bus := testenv.SessionBus(t)
	testenv.Keyring(t, bus, true)
	o.tray, o.notes = testenv.NewTray(t, bus, true), testenv.NewNotifications(t, bus, "actions", "body")
	o.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "XDG_STATE_HOME=" + dir, "XDG_CONFIG_HOME=" + dir,
		"DBUS_SESSION_BUS_ADDRESS=" + bus, "LANG=en_GB.UTF-8", "PLATEN_CA_FILE=" + filepath.Join(dir, "data", "ca.pem"),
	}
	for _, c := range change {
		c(o)
	}
	o.serve()
	return o
}

// serve starts the server and waits until it answers.
func (o *office) serve() {
	o.t.Helper()
	said := &lockedBuffer{}
	args := []string{"serve", "--data", filepath.Join(o.dir, "data"), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--device-listen", "127.0.0.1:0"}
	o.server = o.start(said, "platen-server", append(args, o.config...)...)
	var url string
	testenv.Await(o.t, "the server", func() bool {
		_, rest, _ := strings.Cut(said.String(), "address")
		url, _, _ = strings.Cut(strings.TrimSpace(rest), "\n")
		return strings.HasPrefix(url, "https://")
	})
	o.env = append(o.env, "PLATEN_SERVER_URL="+strings.TrimSpace(url))
}

// start starts a program of ours; it is stopped with the test.
func (o *office) start(out *lockedBuffer, name string, args ...string) *exec.Cmd {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), filepath.Join(o.bin, name), args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = o.env, out, o.t.Output()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
	})
	return cmd
}

// run runs one of our commands to its end.
func (o *office) run(in, name string, args ...string) string {
	o.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(o.t.Context()), filepath.Join(o.bin, name), args...)
	cmd.Env, cmd.Stdin = o.env, strings.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (o *office) admin(in string, args ...string) {
	o.t.Helper()
	o.run(in, "platen-server", append(args, "--data", filepath.Join(o.dir, "data"))...)
}

// end sends SIGTERM and wants a clean end.
func (o *office) end(cmd *exec.Cmd) {
	o.t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		o.t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		o.t.Errorf("SIGTERM: %v", err)
	}
}

func (o *office) awaitTooltip(want string) {
	o.t.Helper()
	testenv.Await(o.t, "the tooltip "+want, func() bool { return strings.Contains(o.tray.Item().Tooltip(), want) })
}

// lockedBuffer is written by a program while the test reads it.
type lockedBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// The desk of a real person, without a display: the balance is in the tray and changes there, the next log-on is silent
// and shows the card, and the menu signs out.
func TestA1_63_TheBalanceIsLiveInTheTray(t *testing.T) {
	o := newOffice(t)
	o.admin("correct horse\n", "user", "add", "alex.test@example.org", "--name", "Alex Test", "--password-stdin")
	o.admin("", "user", "credit", "alex.test@example.org", "12.34")

	quiet := &lockedBuffer{}
	platen := o.start(quiet, "platen", "run")
	o.run("correct horse\n", "platen", "sign-in", "--username", "alex.test@example.org", "--password-stdin", "--stay")
	o.awaitTooltip("€12.34")
	o.admin("", "user", "credit", "alex.test@example.org", "1")
	o.awaitTooltip("€13.34")
	o.end(platen)

	before := len(o.notes.Sent())
	platen = o.start(quiet, "platen", "run")
	sent := o.notes.Await(before + 1)
	if card := sent[before]; card.Title != "Alex Test · €13.34" {
		t.Errorf("the card at log-on says %q, %q", card.Title, card.Body)
	}
	o.awaitTooltip("€13.34")
	o.tray.Item().Choose("Sign out")
	testenv.Await(t, "signed out", func() bool { return strings.Contains(o.run("", "platen", "status"), "signed-out") })
	o.end(platen)
	if quiet.String() != "" {
		t.Errorf("the resident wrote to its standard output: %s", quiet.String())
	}
}
