package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/platenprint/platen/internal/testenv"
)

// The scripts in testdata/script run platen as a program, against the real server, which is built for them. Each script has
// folders of its own and no session bus. Beside testscript's own commands they have
//
//	address VAR               puts a free loopback address into $VAR
//	ready DIR                 waits until the server of DIR answers
//	until REGEXP PROGRAM ARGS runs the program again and again until its output matches
//	keyring unlocked|locked   starts a private session bus with a GNOME keyring
//	relock unlocked|locked    starts the keyring again with what it has kept
//	mode FILE 0NNN            checks permission bits
//	sealed session|note       wants a sealed file of that kind
//	key there|gone            looks whether the keyring has the key of the sealed files
func TestScripts(t *testing.T) {
	server := buildServer(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"home", "run", "state", "config"} {
				if err := os.Mkdir(filepath.Join(env.WorkDir, name), 0o700); err != nil {
					return err
				}
			}
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_RUNTIME_DIR", filepath.Join(env.WorkDir, "run"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Setenv("PATH", env.Getenv("PATH")+string(os.PathListSeparator)+filepath.Dir(server))
			env.Values["test"] = env.T()
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"address": address, "ready": ready, "until": until, "keyring": startKeyring, "relock": relock, "mode": mode,
			"sealed": sealed, "key": sealingKey,
		},
	})
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"platen": main, "platen-hasty": hasty})
}

// buildServer builds platen-server and returns its path.
func buildServer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "platen-server")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/platenprint/platen/server-stub")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build platen-server: %v\n%s", err, out)
	}
	return path
}

const patience = time.Minute

// keyrings has the keyring of each script by its work folder.
var keyrings sync.Map

func address(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: address VAR")
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ready DIR")
	}
	until(ts, false, []string{".", "platen-server", "status", "--data", args[0]})
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM ARGS...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	program, err := lookPath(ts.Getenv("PATH"), args[1])
	ts.Check(err)
	var out []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		cmd := exec.CommandContext(context.Background(), program, args[2:]...)
		cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
		out, err = cmd.CombinedOutput()
		if err == nil && want.Match(out) {
			return
		}
	}
	ts.Fatalf("%s never said %q; at last (%v):\n%s", strings.Join(args[1:], " "), args[0], err, out)
}

// environment is that of the script, as far as it matters here.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"HOME", "PATH", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "DBUS_SESSION_BUS_ADDRESS", "PLATEN_RUNTIME_DIR", "GOCOVERDIR",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func lookPath(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(dir, name), nil
		}
	}
	return "", fmt.Errorf("no %s in PATH", name)
}

func startKeyring(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keyring unlocked|locked")
	}
	t := ts.Value("test").(testing.TB)
	bus := testenv.SessionBus(t)
	keyrings.Store(ts.Getenv("WORK"), testenv.Keyring(t, bus, args[0] == "unlocked"))
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", bus)
}

func relock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: relock unlocked|locked")
	}
	k, ok := keyrings.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("there is no keyring")
	}
	k.(*testenv.KeyringDaemon).Restart(args[0] == "unlocked")
}

func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE 0NNN")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%#o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

func sealed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sealed KIND")
	}
	found, err := filepath.Glob(ts.MkAbs("state/platen/" + args[0] + "-*.sealed"))
	if err != nil || len(found) != 1 {
		ts.Fatalf("found %v, %v", found, err)
	}
}

// sealingKey asks the keyring itself, over the bus.
func sealingKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: key there|gone")
	}
	conn, err := dbus.Connect(ts.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	ts.Check(err)
	defer func() { _ = conn.Close() }()
	var unlocked, locked []dbus.ObjectPath
	ts.Check(conn.Object(testenv.SecretService, "/org/freedesktop/secrets").Call("org.freedesktop.Secret.Service.SearchItems", 0,
		map[string]string{"service": "Platen", "username": "sealing-key"}).Store(&unlocked, &locked))
	if n := len(unlocked) + len(locked); n != map[string]int{"there": 1, "gone": 0}[args[0]] {
		ts.Fatalf("the keyring has %d keys", n)
	}
}
