//go:build linux || darwin

package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
)

// fakeHandler answers with who asked.
type fakeHandler struct {
	mu    sync.Mutex
	asked []Peer
	err   error
	wait  chan struct{} // Assert waits for it, or for the end of its context, which it then reports
	gone  chan error
}

func (f *fakeHandler) Status(_ context.Context, peer Peer) Status {
	f.note(peer)
	return Status{Enrolled: true, DeviceID: "dev_1", Role: "shared", AuthModes: []string{"trust"}, Detail: "for " + peer.UID}
}

func (f *fakeHandler) Assert(ctx context.Context, peer Peer, challenge string) (api.TrustCode, error) {
	f.note(peer)
	if f.wait != nil {
		select {
		case <-f.wait:
		case <-ctx.Done():
			f.gone <- ctx.Err()
		}
	}
	if f.err != nil {
		return api.TrustCode{}, f.err
	}
	return api.TrustCode{Code: "code of " + peer.UID + " for " + challenge}, nil
}

func (f *fakeHandler) note(peer Peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, peer)
}

func (f *fakeHandler) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

var challenge = api.Challenge("verifier")

// place is a fresh one, in a folder that every user can reach. t.TempDir is too long for a socket, and closed.
func place(t *testing.T) Place {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "platen-deploy-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return At(filepath.Join(dir, "run"), "")
}

// serve runs a service at p until the returned function is called.
func serve(t *testing.T, p Place, h Handler, change ...func(*Listener)) (stop func()) {
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
	go func() { done <- Serve(ctx, l, h, slog.New(slog.NewTextHandler(t.Output(), nil)), clock.System) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func TestQuestionsAndAnswers(t *testing.T) {
	p, h := place(t), &fakeHandler{}
	if _, err := DialAt(t.Context(), p); CodeOf(err) != CodeNotRunning {
		t.Errorf("nobody there: %v", err)
	}
	stop := serve(t, p, h)
	c, err := DialAt(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	status, err := c.Status(t.Context())
	if err != nil || !status.Enrolled || status.Role != "shared" {
		t.Errorf("got %+v, %v", status, err)
	}
	me := strconv.Itoa(os.Getuid())
	if code, err := c.Assert(t.Context(), challenge); err != nil || code.Code != "code of "+me+" for "+challenge {
		t.Errorf("got %+v, %v", code, err)
	}
	for _, peer := range h.asked {
		if peer.UID != me || peer.PID != os.Getpid() {
			t.Errorf("the handler was told %+v", peer)
		}
	}
	if _, err := c.Assert(t.Context(), "not a challenge"); CodeOf(err) != CodeInvalid || h.count() != 2 {
		t.Errorf("got %v", err)
	}
	stop()
	if _, err := c.Status(t.Context()); CodeOf(err) != CodeNotRunning {
		t.Errorf("gone: %v", err)
	}
}

func TestErrorsKeepTheirCode(t *testing.T) {
	p := place(t)
	h := &fakeHandler{err: Fail(CodeRefused, "ask the person", errors.New("inner secret"))}
	serve(t, p, h)
	c, err := DialAt(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Assert(t.Context(), challenge); CodeOf(err) != CodeRefused || err.Error() != "ask the person" {
		t.Errorf("got %v", err)
	}
	h.err = errors.New("inner secret")
	if _, err := c.Assert(t.Context(), challenge); CodeOf(err) != CodeInternal || strings.Contains(err.Error(), "inner") {
		t.Errorf("got %v", err)
	}
}

func TestHangingUpEndsTheAnswer(t *testing.T) {
	p, h := place(t), &fakeHandler{wait: make(chan struct{}), gone: make(chan error, 1)}
	serve(t, p, h)
	c, err := DialAt(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for h.count() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := c.Assert(ctx, challenge); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := <-h.gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler ended with %v", err)
	}
}

func TestR_IPC_4_TooManyQuestions(t *testing.T) {
	p, h := place(t), &fakeHandler{}
	serve(t, p, h)
	c, err := DialAt(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for range ratePerMinute {
		if _, err := c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.Status(t.Context())
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != CodeLimited || e.RetryAt.IsZero() || h.count() != ratePerMinute {
		t.Errorf("got %v after %d answers", err, h.count())
	}
}

func TestR_IPC_4_TooManyAtATime(t *testing.T) {
	p, h := place(t), &fakeHandler{wait: make(chan struct{})}
	serve(t, p, h)
	c := &Client{place: p} // not dialled: that takes a seat for a moment
	var asking sync.WaitGroup
	for range maxSeats {
		asking.Go(func() {
			if _, err := c.Assert(t.Context(), challenge); err != nil {
				t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); h.count() < maxSeats; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("they are not asked")
		}
	}
	_, err := c.Status(t.Context())
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeLimited || e.RetryAt.IsZero() {
		t.Errorf("one too many: %v", err)
	}
	close(h.wait)
	asking.Wait()
}

func TestBrokenPeersAreHungUpOn(t *testing.T) {
	p, h := place(t), &fakeHandler{}
	serve(t, p, h, func(l *Listener) { l.io = 200 * time.Millisecond })
	for name, say := range map[string][]byte{
		"nothing":       nil,
		"half a frame":  {0, 0, 0, 20, '{'},
		"garbage":       []byte("GET /status HTTP/1.1\r\nHost: x\r\n\r\n"),
		"unknown verb":  frame(`{"v":1,"verb":"exec"}`),
		"other version": frame(`{"v":2,"verb":"status"}`),
		"no challenge":  frame(`{"v":1,"verb":"assert"}`),
		"a name":        frame(`{"v":1,"verb":"assert","challenge":"` + challenge + `","user":"root"}`),
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
						t.Error("the service did not hang up")
					}
					return
				}
			}
		})
	}
	if h.count() != 0 {
		t.Errorf("the handler was asked by %+v", h.asked)
	}
}

func TestOneServicePerPlace(t *testing.T) {
	p := place(t)
	stop := serve(t, p, &fakeHandler{})
	if _, err := Listen(t.Context(), p); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one: %v", err)
	}
	for path, mode := range map[string]os.FileMode{p.dir: 0o755, p.address: 0o666, filepath.Join(p.dir, lockName): 0o600} {
		if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	stop()
	serve(t, p, &fakeHandler{})
}

func TestSocketOfAKilledServiceIsReplaced(t *testing.T) {
	p := place(t)
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", p.String())
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := DialAt(t.Context(), p); CodeOf(err) != CodeNotRunning {
		t.Errorf("a dead socket: %v", err)
	}
	serve(t, p, &fakeHandler{})
	if _, err := DialAt(t.Context(), p); err != nil {
		t.Error(err)
	}
}

// What others may have prepared. Each is refused by the service, and by a client that finds it.
func TestR_IPC_1_PreparedPlacesAreRefused(t *testing.T) {
	needRoot(t)
	for name, prepare := range map[string]func(t *testing.T, p Place){
		"a folder of another user": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755), os.Chown(p.dir, alex, alex))
		},
		"a link instead of the folder": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir+".real", 0o755), os.Symlink(p.dir+".real", p.dir))
		},
		"a folder in a folder of another user": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755), os.Chown(filepath.Dir(p.dir), alex, alex))
		},
		"a folder in a folder that all may change": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755), os.Chmod(filepath.Dir(p.dir), 0o777))
		},
		"a socket of another user": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755))
			l, err := net.Listen("unix", p.address)
			must(t, err, os.Chown(p.address, alex, alex))
			t.Cleanup(func() { _ = l.Close() })
		},
		"a link instead of the socket": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755), os.Symlink("/etc/passwd", p.address))
		},
		"a file instead of the socket": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755), os.WriteFile(p.address, nil, 0o644))
		},
		"a link instead of the lock": func(t *testing.T, p Place) {
			must(t, os.Mkdir(p.dir, 0o755), os.Symlink("/etc/passwd", filepath.Join(p.dir, lockName)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := place(t)
			prepare(t, p)
			if l, err := Listen(t.Context(), p); err == nil {
				_ = l.Close()
				t.Error("the service took the place")
			}
		})
	}
	if info, err := os.Stat("/etc/passwd"); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("/etc/passwd: %v, %v", info.Mode(), err)
	}
	t.Run("the client wants root's folder", func(t *testing.T) {
		p := place(t)
		must(t, os.Mkdir(p.dir, 0o755), os.Chown(p.dir, alex, alex))
		if _, err := DialAt(t.Context(), p); CodeOf(err) != CodeImpostor {
			t.Errorf("got %v", err)
		}
	})
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Two users of the computer.
const (
	alex   = 65534
	sascha = 54321
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be two users")
	}
}

// envPart makes the test program play a user: "ask DIR", "steal DIR", "flood DIR" or "listen PATH".
const envPart = "PLATEN_TEST_PART"

func TestMain(m *testing.M) {
	part, path, ok := strings.Cut(os.Getenv(envPart), " ")
	if !ok {
		os.Exit(m.Run())
	}
	if err := play(part, path); err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
}

// heard is what a played user says about an answer.
type heard struct {
	Detail string
	Code   string
	Error  Code
}

func play(part, path string) error {
	ctx := context.Background()
	switch part {
	case "ask": // as every user may
		var h heard
		c, err := DialAt(ctx, At(path, "0"))
		if err == nil {
			var s Status
			s, err = c.Status(ctx)
			h.Detail = s.Detail
		}
		if err == nil {
			var code api.TrustCode
			code, err = c.Assert(ctx, challenge)
			h.Code = code.Code
		}
		h.Error = CodeOf(err)
		return json.NewEncoder(os.Stdout).Encode(h)
	case "listen": // in the service's place
		if err := os.Remove(path); err != nil {
			return err
		}
		_, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
		return err
	case "replace": // the whole folder
		return os.Rename(path, path+".old")
	case "flood": // open what can be opened, say garbage, and wait until the other end is closed
		var open []net.Conn
		for i := range 1000 {
			conn, err := net.Dial("unix", filepath.Join(path, socketName))
			if err != nil {
				break // the backlog is full
			}
			if i%2 == 0 {
				_, _ = conn.Write([]byte{0, 0, 0xff, 0xff, '{', '"'})
			}
			open = append(open, conn)
		}
		fmt.Printf("%d open\n", len(open))
		_, _ = os.Stdin.Read(make([]byte, 1))
	}
	return nil
}

// as starts the test program as another user.
func as(t *testing.T, uid int, part, path string) *exec.Cmd {
	t.Helper()
	needRoot(t)
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc/self/exe")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), envPart+"="+part+" "+path)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	return cmd
}

func TestR_IPC_2_TwoUsersEachGetTheirOwn(t *testing.T) {
	needRoot(t)
	p, h := place(t), &fakeHandler{}
	serve(t, p, h)
	var both sync.WaitGroup
	for _, uid := range []int{alex, sascha} {
		cmd := as(t, uid, "ask", p.dir)
		both.Go(func() {
			out, err := cmd.CombinedOutput()
			var got heard
			if err != nil || json.Unmarshal(out, &got) != nil {
				t.Errorf("user id %d: %s (%v)", uid, out, err)
				return
			}
			if want := (heard{Detail: fmt.Sprintf("for %d", uid), Code: fmt.Sprintf("code of %d for %s", uid, challenge)}); got != want {
				t.Errorf("user id %d got %+v, want %+v", uid, got, want)
			}
		})
	}
	both.Wait()
	for _, peer := range h.asked {
		if peer.UID != strconv.Itoa(alex) && peer.UID != strconv.Itoa(sascha) {
			t.Errorf("the handler was asked by %+v", peer)
		}
	}
}

func TestR_IPC_2_NobodyServesInTheServicesPlace(t *testing.T) {
	needRoot(t)
	p := place(t)
	serve(t, p, &fakeHandler{})
	for part, path := range map[string]string{"listen": p.address, "replace": p.dir} {
		if out, err := as(t, alex, part, path).CombinedOutput(); err == nil || !strings.Contains(string(out), "permission denied") {
			t.Errorf("%s: %s (%v)", part, out, err)
		}
	}
	// A service that is not root's, in a folder that looks right.
	q := place(t)
	must(t, os.Mkdir(q.dir, 0o755))
	l, err := net.Listen("unix", q.address)
	must(t, err)
	defer l.Close()
	q.owner = strconv.Itoa(alex)
	must(t, os.Chown(q.dir, alex, alex))
	if _, err := DialAt(t.Context(), q); CodeOf(err) != CodeImpostor {
		t.Errorf("the peer's user id was not checked: %v", err)
	}
}

func TestFault_F23_OneUsersThousandConnectionsHoldNobodyUp(t *testing.T) {
	needRoot(t)
	p, h := place(t), &fakeHandler{}
	serve(t, p, h, func(l *Listener) { l.io = 30 * time.Second }) // so that they do hold their seats
	before := rss(t)
	flood := as(t, alex, "flood", p.dir)
	in, err := flood.StdinPipe()
	must(t, err)
	out, err := flood.StdoutPipe()
	must(t, err, flood.Start())
	var opened int
	if _, err := fmt.Fscanf(out, "%d open\n", &opened); err != nil || opened < maxSeats {
		t.Errorf("%d connections (%v)", opened, err)
	}
	for range 5 {
		answer, err := as(t, sascha, "ask", p.dir).CombinedOutput()
		if err != nil || !strings.Contains(string(answer), `"Error":""`) {
			t.Errorf("another user: %s (%v)", answer, err)
		}
	}
	if fds, err := os.ReadDir("/proc/self/fd"); err != nil || len(fds) > maxAll {
		t.Errorf("%d files are open (%v)", len(fds), err)
	}
	if after := rss(t); after-before > 50<<20 {
		t.Errorf("resident memory went from %d to %d KiB", before>>10, after>>10)
	}
	_ = in.Close()
	_ = flood.Wait()
}

// rss is this process's resident memory in bytes.
func rss(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	must(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	must(t, err)
	return pages * os.Getpagesize()
}
