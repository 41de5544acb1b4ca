package loopback

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The port and the state go to the helper in its environment; the other user of these tests is nobody in particular.
const (
	envPost  = "PLATEN_TEST_LOOPBACK_POST"
	stranger = 54321
)

// TestPostAsSomebodyElse is no test, but what the other user does: it brings an answer, and may hang up at once.
func TestPostAsSomebodyElse(t *testing.T) {
	port, rest, ok := strings.Cut(os.Getenv(envPost), " ")
	if !ok {
		return
	}
	state, manner, _ := strings.Cut(rest, " ")
	conn, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	body := url.Values{"code": {"of-somebody-else"}, "state": {state}}.Encode()
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		port, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	if manner == "reset" {
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	if manner == "wait" {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.Copy(io.Discard, conn)
	}
	_ = conn.Close()
}

// The state stands in the address that the browser was started with, which everybody on this computer can read.
func TestAnotherUserOfThisComputerWhoKnowsTheState(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be two users")
	}
	for _, manner := range []string{"wait", "close", "reset"} {
		t.Run(manner, func(t *testing.T) {
			r := listen(t, IPv4, nil)
			defer r.Close(false)
			cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestPostAsSomebodyElse$")
			cmd.Dir = "/"
			cmd.Env = append(os.Environ(), envPost+"="+strconv.Itoa(r.Port())+" "+r.State().Reveal()+" "+manner)
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if a, err := r.Wait(ctx); err == nil {
				t.Errorf("their answer was taken: %q", a.Code.Reveal())
			}
		})
	}
}

func TestAProgramOfOursMayUseAnIPv6Socket(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	accepted := make(chan bool, 1)
	go func() {
		conn, err := l.Accept()
		accepted <- err == nil && !foreign(conn)
	}()
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Skip("there is no IPv6 here")
	}
	defer func() { _ = syscall.Close(fd) }()
	port := netip.MustParseAddrPort(l.Addr().String()).Port()
	mapped := &syscall.SockaddrInet6{Port: int(port), Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
	if err := syscall.Connect(fd, mapped); err != nil {
		t.Skip("IPv6 sockets reach no IPv4 here")
	}
	if !<-accepted {
		t.Error("refused")
	}
}
