package testenv

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/internal/sysexec"
)

// busConfig is a session bus that starts nothing by itself: without service folders, whoever asks for a name that
// nobody owns gets an error, and not the desktop's own keyring.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path=%s/bus</listen>
  <auth>EXTERNAL</auth>
%s  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// SessionBus starts a private session bus and returns its address. It stops when the test ends, after all clean-ups
// that were registered later. serviceDirs hold the .service files of programs that the bus may start; without them it
// starts none. The environment is left alone: where code under test looks for the bus, use
// t.Setenv("DBUS_SESSION_BUS_ADDRESS", ...).
func SessionBus(t testing.TB, serviceDirs ...string) string {
	t.Helper()
	program := Program(t, "dbus-daemon", "dbus-daemon")
	dir := shortDir(t)
	var services strings.Builder
	for _, d := range serviceDirs {
		fmt.Fprintf(&services, "  <servicedir>%s</servicedir>\n", d)
	}
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, busConfig, dir, services.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	p := start(t, nil, "", writer, program, "--nofork", "--nopidfile", "--config-file="+config, "--print-address=1")
	t.Cleanup(func() {
		_ = reader.Close()
		p.stop()
	})
	address, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("read the address of dbus-daemon: %v", err)
	}
	return strings.TrimSpace(address)
}

// Dial connects to a bus; the connection closes when the test ends.
func Dial(t testing.TB, address string) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatalf("connect to %s: %v", address, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// AwaitName waits until somebody owns a name on the bus.
func AwaitName(t testing.TB, address, name string) {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatalf("connect to %s: %v", address, err)
	}
	defer conn.Close()
	Await(t, "an owner of "+name, func() bool { return hasOwner(conn, name) })
}

func hasOwner(conn *dbus.Conn, name string) bool {
	var owned bool
	err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
	return err == nil && owned
}

// process is a program that a test has started.
type process struct {
	pid  int
	stop func() // kills it and waits; may be called more than once
}

// start runs a program with the environment env (nil for the test's own), input on its standard input and stdout as its
// standard output.
func start(t testing.TB, env []string, input string, stdout io.Writer, path string, args ...string) *process {
	t.Helper()
	// Not t.Context(), which ends before the clean-ups that may still need the program.
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd, err := sysexec.Command(ctx, path, args...)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = env, strings.NewReader(input), stdout, t.Output(), Deadline
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("start %s: %v", path, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = cmd.Wait() // it is killed in the end
		if pipe, ok := stdout.(*io.PipeWriter); ok {
			_ = pipe.CloseWithError(fmt.Errorf("%s has ended: %v", path, cmd.ProcessState))
		}
	}()
	return &process{pid: cmd.Process.Pid, stop: func() {
		cancel()
		<-done
	}}
}
