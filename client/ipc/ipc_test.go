//go:build unix

package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/secret"
)

// fakeResident shows what it is told to, and remembers what it was asked.
type fakeResident struct {
	mu      sync.Mutex
	now     status.Snapshot
	changed chan struct{}
	asked   []status.Action
	hang    bool // Do waits until the asking program hangs up
	gone    atomic.Int32
}

func newResident() *fakeResident {
	return &fakeResident{now: status.Snapshot{Version: status.Version, Seq: 1, State: status.StateStarting}, changed: make(chan struct{})}
}

func (f *fakeResident) show(s status.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Version, s.Seq = status.Version, f.now.Seq+1
	f.now = s
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeResident) Do(ctx context.Context, a status.Action) status.Result {
	f.mu.Lock()
	f.asked = append(f.asked, a)
	hang := f.hang
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		f.gone.Add(1)
	}
	return status.Result{OK: true, Details: &status.Details{ClientVersion: strings.Repeat("x", 100<<10)}}
}

func (f *fakeResident) Watch(ctx context.Context, after uint64) (status.Snapshot, error) {
	for {
		f.mu.Lock()
		now, changed := f.now, f.changed
		f.mu.Unlock()
		if now.Seq > after {
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return status.Snapshot{}, ctx.Err()
		}
	}
}

// place is a fresh one. t.TempDir may be too long for a socket.
func place(t *testing.T) Place {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "platen-ipc-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p, err := Find(func(name string) string {
		if name == EnvRuntimeDir {
			return filepath.Join(dir, "run")
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serve runs a resident at p until the returned function is called.
func serve(t *testing.T, p Place, r Resident, change ...func(*Listener)) (stop func()) {
	t.Helper()
	l, err := Listen(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(l)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, r, slog.New(slog.NewTextHandler(t.Output(), nil))) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestActionsAndResults(t *testing.T) {
	r, p := newResident(), place(t)
	serve(t, p, r)
	c := NewClient(p, "test")
	got, err := c.Do(t.Context(), status.Action{Kind: status.ActionSignIn, Username: "alex", Password: secret.New("s3cret")})
	if err != nil || !got.OK || len(got.Details.ClientVersion) != 100<<10 {
		t.Fatalf("got %v, %v", got.OK, err)
	}
	if len(r.asked) != 1 || r.asked[0].Username != "alex" || r.asked[0].Password.Reveal() != "s3cret" {
		t.Errorf("the resident was asked %+v", r.asked)
	}
	if _, err := c.Do(t.Context(), status.Action{Kind: "run"}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("an action that is not in the list: %v", err)
	}
	if len(r.asked) != 1 {
		t.Errorf("the resident was asked %+v", r.asked)
	}
}

// The wire of #3, letter by letter: a window of this release must be able to say all of it.
func TestActionsOfEveryMethodTravel(t *testing.T) {
	for name, test := range map[string]struct {
		action status.Action
		want   string // on the wire; empty: refused by the resident's end
	}{
		"prompt":               {status.Action{Kind: status.ActionSignIn, Username: "alex", Password: secret.New("s3cret")}, `{"kind":"sign-in","username":"alex","password":"s3cret"}`},
		"prompt, by name":      {status.Action{Kind: status.ActionSignIn, Method: status.MethodPrompt, Username: "alex", Password: secret.New("s3cret")}, `{"kind":"sign-in","method":"prompt","username":"alex","password":"s3cret"}`},
		"a server is mine":     {status.Action{Kind: status.ActionConfirmServer, Server: "https://print.example.org"}, `{"kind":"confirm-server","server":"https://print.example.org"}`},
		"a server is not mine": {status.Action{Kind: status.ActionRejectServer, Server: "https://print.example.org"}, `{"kind":"reject-server","server":"https://print.example.org"}`},
		"purge":                {status.Action{Kind: status.ActionPurge}, `{"kind":"purge"}`},
		"microsoft":            {status.Action{Kind: status.ActionSignIn, Method: status.MethodMicrosoft, StaySignedIn: true}, `{"kind":"sign-in","method":"microsoft","stay_signed_in":true}`},
		"another account":      {status.Action{Kind: status.ActionSignIn, Method: status.MethodMicrosoft, OtherAccount: true}, `{"kind":"sign-in","method":"microsoft","other_account":true}`},
		"browser":              {status.Action{Kind: status.ActionSignIn, Method: status.MethodBrowser, Provider: "google"}, `{"kind":"sign-in","method":"browser","provider":"google"}`},
		"trust":                {status.Action{Kind: status.ActionSignIn, Method: status.MethodTrust}, `{"kind":"sign-in","method":"trust"}`},
		"open again":           {status.Action{Kind: status.ActionOpenAgain}, `{"kind":"open-again"}`},
		"continue":             {status.Action{Kind: status.ActionContinue}, `{"kind":"continue"}`},
		"not me":               {status.Action{Kind: status.ActionNotMe}, `{"kind":"not-me"}`},
		"yes to no server":     {status.Action{Kind: status.ActionConfirmServer}, ""},
		"a server elsewhere":   {status.Action{Kind: status.ActionOpen, Server: "https://print.example.org"}, ""},
		"a server to sign in":  {status.Action{Kind: status.ActionSignIn, Method: status.MethodTrust, Server: "https://print.example.org"}, ""},
		"an endless server":    {status.Action{Kind: status.ActionRejectServer, Server: strings.Repeat("x", maxServer+1)}, ""},
		"a password elsewhere": {status.Action{Kind: status.ActionSignIn, Method: status.MethodMicrosoft, Password: secret.New("s3cret")}, ""},
		"an unknown method":    {status.Action{Kind: status.ActionSignIn, Method: "telepathy"}, ""},
		"a method elsewhere":   {status.Action{Kind: status.ActionOpen, Method: status.MethodMicrosoft}, ""},
		"provider elsewhere":   {status.Action{Kind: status.ActionSignIn, Method: status.MethodMicrosoft, Provider: "google"}, ""},
		"an endless provider":  {status.Action{Kind: status.ActionSignIn, Method: status.MethodBrowser, Provider: strings.Repeat("x", 65)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, p := newResident(), place(t)
			serve(t, p, r)
			_, err := NewClient(p, "test").Do(t.Context(), test.action)
			if test.want == "" {
				if err == nil || len(r.asked) != 0 {
					t.Errorf("not refused: %v; asked %+v", err, r.asked)
				}
				return
			}
			if err != nil || len(r.asked) != 1 {
				t.Fatalf("asked %+v, %v", r.asked, err)
			}
			if got, _ := json.Marshal(reveal(r.asked[0])); string(got) != test.want {
				t.Errorf("on the wire\n%s, want\n%s", got, test.want)
			}
		})
	}
}

func TestSnapshotsTellOfOffersAndBrowsing(t *testing.T) {
	want := status.Snapshot{
		Version: status.Version, Seq: 1, State: status.StateSigningIn, AuthMode: "microsoft", Vouched: true, InBrowser: true,
		Offers: []status.Offer{
			{Method: status.MethodMicrosoft}, {Method: status.MethodBrowser, Provider: "google", Name: "Google"}, {Method: status.MethodPrompt},
		},
		Browsing: status.Browsing{Method: status.MethodMicrosoft, Waiting: true, Confirm: "sam@example.org"},
		Problem:  &status.Problem{Code: status.ProblemMFARequired, Method: status.MethodMicrosoft},
	}
	r, p := newResident(), place(t)
	r.now = want
	serve(t, p, r)
	got, err := NewClient(p, "test").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWatchersSeeEveryNewestSnapshot(t *testing.T) {
	r, p := newResident(), place(t)
	stop := serve(t, p, r)
	c := NewClient(p, "test")
	if s, err := c.Snapshot(t.Context()); err != nil || s.State != status.StateStarting {
		t.Fatalf("got %+v, %v", s, err)
	}
	const watchers = 10
	var seen, ended sync.WaitGroup
	seen.Add(watchers)
	for range watchers {
		ended.Go(func() {
			err := c.Watch(t.Context(), 1, func(s status.Snapshot) bool {
				if s.State == status.StateFollowing {
					seen.Done()
				}
				return true
			})
			if !errors.Is(err, ErrNotRunning) {
				t.Errorf("a watcher ended with %v", err)
			}
		})
	}
	r.show(status.Snapshot{State: status.StateFollowing})
	seen.Wait()
	stop() // the resident goes away: watchers are told
	ended.Wait()
}

func TestSlowWatcherIsDroppedAndHoldsUpNobody(t *testing.T) {
	r, p := newResident(), place(t)
	serve(t, p, r, func(l *Listener) { l.write = 300 * time.Millisecond })
	slow, err := dial(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	for _, v := range []any{hello{Platen: status.Version, Program: "slow"}, request{Verb: verbWatch}} {
		if err := writeFrame(slow, MaxFrame, v); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var fill sync.WaitGroup
	fill.Go(func() { // never reads; the socket's buffer fills
		for {
			select {
			case <-stop:
				return
			default:
				r.show(status.Snapshot{State: status.StateFollowing, HelpText: strings.Repeat("x", 32<<10)})
				time.Sleep(time.Millisecond)
			}
		}
	})
	defer fill.Wait()
	defer close(stop)
	deadline := time.Now().Add(time.Minute)
	for dropped := false; !dropped; {
		if time.Now().After(deadline) {
			t.Fatal("the slow watcher was never dropped")
		}
		if _, err := NewClient(p, "quick").Snapshot(t.Context()); err != nil {
			t.Fatalf("a quick one had to suffer: %v", err)
		}
		dropped = hungUp(t, slow)
		time.Sleep(20 * time.Millisecond)
	}
}

// hungUp tells whether the other end has closed, without reading.
func hungUp(t *testing.T, conn net.Conn) bool {
	t.Helper()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var events int16
	if err := raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd)}}
		if _, err := unix.Poll(fds, 0); err != nil && !errors.Is(err, unix.EINTR) {
			t.Error(err)
		}
		events = fds[0].Revents
	}); err != nil {
		t.Fatal(err)
	}
	return events&unix.POLLHUP != 0
}

func TestHangingUpEndsTheAction(t *testing.T) {
	r, p := newResident(), place(t)
	r.hang = true
	serve(t, p, r)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := NewClient(p, "test").Do(ctx, status.Action{Kind: status.ActionRetry}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	for deadline := time.Now().Add(time.Minute); r.gone.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the resident did not notice")
		}
	}
}

func TestOtherVersionIsSaid(t *testing.T) {
	p := place(t)
	l, err := Listen(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.net.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var h hello
		_ = readFrame(conn, MaxFrame, &h)
		_ = writeFrame(conn, MaxFrame, hello{Platen: status.Version + 1, Program: "platen of tomorrow"})
		_ = readFrame(conn, MaxFrame, &h)
	}()
	if _, err := NewClient(p, "test").Snapshot(t.Context()); !errors.Is(err, ErrVersion) {
		t.Errorf("got %v", err)
	}
}

func TestBrokenPeersAreHungUpOn(t *testing.T) {
	r, p := newResident(), place(t)
	serve(t, p, r)
	for name, say := range map[string][]byte{
		"garbage":        []byte("GET /status HTTP/1.1\r\nHost: x\r\n\r\n"),
		"other version":  frame(`{"platen":99,"program":"x"}`),
		"unknown verb":   append(frame(`{"platen":1,"program":"x"}`), frame(`{"verb":"exec"}`)...),
		"no action":      append(frame(`{"platen":1,"program":"x"}`), frame(`{"verb":"do"}`)...),
		"unknown action": append(frame(`{"platen":1,"program":"x"}`), frame(`{"verb":"do","action":{"kind":"exec"}}`)...),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := dial(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = conn.Write(say)
			_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
			for {
				var one [256]byte
				if _, err := conn.Read(one[:]); err != nil {
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error("the resident did not hang up")
					}
					return
				}
			}
		})
	}
	if len(r.asked) != 0 {
		t.Errorf("the resident was asked %+v", r.asked)
	}
}

func TestOneResidentPerPlace(t *testing.T) {
	p := place(t)
	if _, err := NewClient(p, "test").Snapshot(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody there: %v", err)
	}
	stop := serve(t, p, newResident())
	if _, err := Listen(t.Context(), p); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one: %v", err)
	}
	if info, err := os.Stat(p.String()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(p.dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its folder: %v, %v", info.Mode(), err)
	}
	stop()
	if _, err := NewClient(p, "test").Snapshot(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("gone: %v", err)
	}
	serve(t, p, newResident())
}

func TestSocketOfAKilledResidentIsReplaced(t *testing.T) {
	p := place(t)
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", p.String())
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := NewClient(p, "test").Snapshot(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a dead socket: %v", err)
	}
	serve(t, p, newResident())
	if _, err := NewClient(p, "test").Snapshot(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFoldersThatAreNotPrivate(t *testing.T) {
	t.Run("open to others: closed", func(t *testing.T) {
		p := place(t)
		if err := os.MkdirAll(p.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if _, err := NewClient(p, "test").Snapshot(t.Context()); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("the client trusted it: %v", err)
		}
		serve(t, p, newResident())
		if info, err := os.Stat(p.dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	})
	t.Run("a link: refused", func(t *testing.T) {
		p := place(t)
		if err := os.Symlink(t.TempDir(), p.dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(t.Context(), p); err == nil {
			t.Error("listened behind a link")
		}
	})
	t.Run("another user's: refused", func(t *testing.T) {
		needRoot(t)
		p := place(t)
		if err := os.Mkdir(p.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(p.dir, otherUID, otherUID); err != nil {
			t.Fatal(err)
		}
		if _, err := Listen(t.Context(), p); !errors.Is(err, ErrOtherUser) {
			t.Errorf("the resident: %v", err)
		}
		if _, err := NewClient(p, "test").Snapshot(t.Context()); !errors.Is(err, ErrOtherUser) {
			t.Errorf("the client: %v", err)
		}
	})
}

func TestPlace(t *testing.T) {
	mine := t.TempDir()
	env := func(m map[string]string) func(string) string { return func(name string) string { return m[name] } }
	for name, test := range map[string]struct {
		env  map[string]string
		want string
	}{
		"by the session":       {map[string]string{runtimeEnv: mine}, filepath.Join(mine, "platen")},
		"by request":           {map[string]string{runtimeEnv: mine, EnvRuntimeDir: "/tmp/x"}, "/tmp/x"},
		"no runtime folder":    {nil, "/tmp/platen-"},
		"one that is not here": {map[string]string{runtimeEnv: mine + "/none"}, "/tmp/platen-"},
		"a relative one":       {map[string]string{runtimeEnv: "run"}, "/tmp/platen-"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Find(env(test.env))
			if err != nil || !strings.HasPrefix(p.dir, test.want) {
				t.Errorf("got %s, %v", p.dir, err)
			}
		})
	}
	if _, err := Find(env(map[string]string{EnvRuntimeDir: "/tmp/" + strings.Repeat("x", 120)})); err == nil || !strings.Contains(err.Error(), EnvRuntimeDir) {
		t.Errorf("a path that is too long: %v", err)
	}
}

// otherUID is nobody's.
const otherUID = 65534

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be two users")
	}
}

// envPart makes the test program play the other user: "dial PATH" or "listen PATH".
const envPart = "PLATEN_TEST_PART"

func TestMain(m *testing.M) {
	part, path, ok := strings.Cut(os.Getenv(envPart), " ")
	if !ok {
		os.Exit(m.Run())
	}
	os.Exit(playOther(part, path))
}

// playOther is what another user's program would do. It goes around every check on its own side.
func playOther(part, path string) int {
	ctx := context.Background()
	switch part {
	case "dial":
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err != nil {
			os.Stdout.WriteString("dial: " + err.Error())
			return 1
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_ = writeFrame(conn, MaxFrame, hello{Platen: status.Version, Program: "thief"})
		_ = writeFrame(conn, MaxFrame, request{Verb: verbWatch})
		var h hello
		if err := readFrame(conn, MaxFrame, &h); err != nil {
			os.Stdout.WriteString("refused")
			return 0
		}
		os.Stdout.WriteString("got in")
	case "listen":
		l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
		if err != nil {
			os.Stdout.WriteString("listen: " + err.Error())
			return 1
		}
		os.Stdout.WriteString("listening\n")
		conn, err := l.Accept()
		if err != nil {
			return 1
		}
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		var h hello
		if err := readFrame(conn, MaxFrame, &h); err != nil {
			os.Stdout.WriteString("heard nothing")
			return 0
		}
		os.Stdout.WriteString("heard " + h.Program)
	}
	return 1
}

// other starts the test program as another user.
func other(t *testing.T, part string) *exec.Cmd {
	t.Helper()
	needRoot(t)
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc/self/exe")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), envPart+"="+part)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: otherUID, Gid: otherUID}}
	return cmd
}

// open lets everybody in, as if folder and socket protected nothing: what is left is the kernel's word.
func open(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnotherUserIsRefusedByTheResident(t *testing.T) {
	p, r := place(t), newResident()
	cmd := other(t, "dial "+p.String())
	serve(t, p, r)
	closed := other(t, "dial "+p.String())
	if out, _ := closed.CombinedOutput(); !strings.Contains(string(out), "permission denied") {
		t.Errorf("behind the closed folder: %s", out)
	}
	open(t, filepath.Dir(p.dir), p.dir, p.String())
	if out, err := cmd.CombinedOutput(); string(out) != "refused" {
		t.Errorf("another user: %s (%v)", out, err)
	}
}

func TestAnotherUserIsRefusedByTheClient(t *testing.T) {
	p := place(t)
	cmd := other(t, "listen "+p.String())
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Dir(p.dir), p.dir)
	out := &lockedBuffer{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(out.String(), "listening"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the other user does not listen: %s", out.String())
		}
	}
	if err := os.Chmod(p.dir, 0o700); err != nil { // the folder looks right, the socket in it is the other's
		t.Fatal(err)
	}
	_, err := NewClient(p, "platen").Do(t.Context(), status.Action{Kind: status.ActionSignIn, Username: "alex", Password: secret.New("x")})
	if !errors.Is(err, ErrOtherUser) {
		t.Errorf("got %v", err)
	}
	_ = cmd.Wait()
	if !strings.HasSuffix(out.String(), "heard nothing") {
		t.Errorf("the other user %s", out.String())
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
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
