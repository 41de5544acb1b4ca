package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/platenprint/platen/server-stub/config"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/datadir"
)

func openDir(t *testing.T) *datadir.Dir {
	t.Helper()
	base, err := os.MkdirTemp("", "platen-admin-*") //nolint:usetesting // t.TempDir has the test's long name in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	d, err := datadir.Open(filepath.Join(base, "d"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// serve answers config.show in d.
func serve(t *testing.T, d *datadir.Dir) net.Listener {
	t.Helper()
	l, err := Listen(d)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(Deps{Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Settings: []config.Setting{{Key: "listen", Value: ":8443"}}})
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.http.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestCallAnswers(t *testing.T) {
	d := openDir(t)
	serve(t, d)
	var out ConfigShow
	if err := NewClient(d.Path()).Call(t.Context(), VerbConfigShow, Nothing{}, &out, nil); err != nil || len(out.Settings) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	err := NewClient(d.Path()).Call(t.Context(), "no.such", Nothing{}, &out, nil)
	if !errors.Is(err, core.ErrNotFound) {
		t.Errorf("an unknown verb: %v", err)
	}
	err = NewClient(d.Path()).Call(t.Context(), VerbConfigShow, map[string]int{"unknown": 1}, &out, nil)
	if !errors.Is(err, core.ErrInvalid) {
		t.Errorf("an unknown field: %v", err)
	}
	err = NewClient(d.Path()).Call(t.Context(), VerbConfigShow, map[string]string{"x": strings.Repeat("x", maxCall)}, &out, nil)
	if !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a call that is too large: %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	d := openDir(t)
	call := func() error {
		return NewClient(d.Path()).Call(t.Context(), VerbConfigShow, Nothing{}, &ConfigShow{}, nil)
	}
	if err := call(); !errors.Is(err, ErrNotRunning) || strings.Contains(err.Error(), "http://") {
		t.Errorf("no socket: %v", err)
	}
	// A server that was killed leaves its socket.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.File(datadir.Socket)})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if err := call(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a socket that was left: %v", err)
	}
	serve(t, d) // and the next server takes its place
	if err := call(); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestASocketsPathThatIsTooLong(t *testing.T) {
	d, err := datadir.Open(filepath.Join(t.TempDir(), strings.Repeat("x", 100)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := Listen(d); err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Errorf("Listen: %v", err)
	}
	if err := NewClient(d.Path()).Call(t.Context(), VerbConfigShow, Nothing{}, &ConfigShow{}, nil); err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Errorf("Call: %v", err)
	}
}

// Even if somebody opens the folder and the socket to everybody, the kernel's word keeps other users out.
func TestOtherUsersAreRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	d := openDir(t)
	serve(t, d)
	for _, path := range []string{filepath.Dir(d.Path()), d.Path(), d.File(datadir.Socket)} {
		if err := os.Chmod(path, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for uid, want := range map[int]string{12345: "HTTP/1.1 403 Forbidden", 0: "HTTP/1.1 200 OK"} {
		answer := make(chan string)
		go func() { answer <- callAs(uid, d.File(datadir.Socket)) }()
		if got := <-answer; !strings.HasPrefix(got, want) {
			t.Errorf("uid %d got %q, want %q", uid, got, want)
		}
	}
}

// callAs connects as another user and asks for the configuration. Its thread ends with it.
func callAs(uid int, path string) string {
	runtime.LockOSThread() // and never unlocked: the thread is not fit for anything else
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); errno != 0 {
		return "setresuid: " + errno.Error()
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err.Error()
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return "connect: " + err.Error()
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	fmt.Fprintf(f, "POST /v1/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", VerbConfigShow)
	text, _ := io.ReadAll(f)
	return string(text)
}

// A socket that another user put there gets no call, which may carry a password.
func TestClientRefusesAServerOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	d := openDir(t)
	if err := errors.Join(os.Chmod(filepath.Dir(d.Path()), 0o777), os.Chmod(d.Path(), 0o777)); err != nil {
		t.Fatal(err)
	}
	listener := make(chan int)
	go func() {
		runtime.LockOSThread()
		_, _, _ = unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 12345, ^uintptr(0))
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: d.File(datadir.Socket)}), unix.Listen(fd, 5))
		}
		if err != nil {
			fd = -1
		}
		listener <- fd
	}()
	fd := <-listener
	if fd < 0 {
		t.Fatal("the other user's socket could not be made")
	}
	defer unix.Close(fd)
	err := NewClient(d.Path()).Call(t.Context(), VerbConfigShow, Nothing{}, &ConfigShow{}, nil)
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v, want a refusal", err)
	}
}

// What was cut short is never taken for an answer.
func TestAnAnswerThatIsCutShort(t *testing.T) {
	d := openDir(t)
	l, err := Listen(d)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, VerbBackupCreate) {
			_, _ = w.Write([]byte("half a backup"))
		} else {
			_ = json.NewEncoder(w).Encode(message{Progress: &Progress{Done: 1, Total: 2}})
		}
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	seen := 0
	err = NewClient(d.Path()).Call(t.Context(), VerbUserCredit, UserCredit{}, &Receipt{}, func(Progress) { seen++ })
	if !errors.Is(err, ErrUnknownOutcome) || seen != 1 {
		t.Errorf("a call: %v, %d steps seen", err, seen)
	}
	if err := NewClient(d.Path()).Backup(t.Context(), io.Discard); err == nil {
		t.Error("half a backup was taken for a whole one")
	}
}
