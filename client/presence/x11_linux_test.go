package presence_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/platenprint/platen/client/presence"
	"github.com/platenprint/platen/client/presence/presencetest"
	"github.com/platenprint/platen/internal/testenv"
)

// onX is a desktop that has an X server and no bus.
func onX(t *testing.T, display string, env ...string) presence.Source {
	return source("", nowhere, append([]string{"DISPLAY", display, "HOME", t.TempDir()}, env...)...)
}

func TestXServerTellsHowLongNobodyMoved(t *testing.T) {
	display := testenv.NewDisplay(t)
	s := onX(t, display.Name)
	idle := func() time.Duration {
		t.Helper()
		r, err := s.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !r.IdleKnown || r.Locked || r.LockedKnown {
			t.Fatalf("got %+v, want the idle time only", r)
		}
		return r.Idle
	}
	display.Point(100, 100)
	testenv.Await(t, "two seconds without a move", func() bool { return idle() >= 2*time.Second })
	before := time.Now()
	display.Point(200, 200)
	got := idle()
	if most := time.Since(before) + 100*time.Millisecond; got > most { // the server's clock is a coarse one
		t.Errorf("idle for %v although somebody moved %v ago at most", got, most)
	}
	testenv.Await(t, "the idle time to grow again", func() bool { return idle() > got+100*time.Millisecond })
}

// A desktop on the bus that tells only its lock, as those of MATE, XFCE and Cinnamon do, is completed by its X server.
func TestBusAndXServerTogether(t *testing.T) {
	bus, system := testenv.SessionBus(t), testenv.SessionBus(t)
	mate, logind := presencetest.NewDesktop(t, bus, presencetest.MATE), presencetest.NewLogind(t, system, "7")
	x := newXServer(t, talk(answer{idle: 90_000}))
	s := source(bus, system, "DISPLAY", x.display)
	read(t, s, presence.Reading{Idle: 90 * time.Second, IdleKnown: true, LockedKnown: true})
	mate.Lock(true)
	logind.Idle(time.Now().Add(-time.Hour)) // a hint that nobody took back
	read(t, s, presence.Reading{Idle: 90 * time.Second, IdleKnown: true, Locked: true, LockedKnown: true})
}

func TestXServerIsNotAskedInVain(t *testing.T) {
	x := newXServer(t, talk(answer{idle: 90_000}))
	bus := testenv.SessionBus(t)
	presencetest.NewDesktop(t, bus, presencetest.GNOME).Leave(10 * time.Minute)
	read(t, source(bus, nowhere, "DISPLAY", x.display), presence.Reading{Idle: 10 * time.Minute, IdleKnown: true, LockedKnown: true})
	for name, s := range map[string]presence.Source{
		"Wayland":                       onX(t, x.display, "WAYLAND_DISPLAY", "wayland-0"),
		"Wayland, told by the log-in":   onX(t, x.display, "XDG_SESSION_TYPE", "wayland"),
		"another computer":              onX(t, "other.example.org"+x.display),
		"a display of secure shell":     onX(t, "localhost"+x.display),
		"no display":                    onX(t, ""),
		"a number that is no number":    onX(t, x.display+"x"),
		"a display where nobody is":     onX(t, ":65530"),
		"a socket outside of its place": onX(t, ":/../.."+x.display[1:]),
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := s.Read(t.Context()); !errors.Is(err, presence.ErrUnsupported) || r != (presence.Reading{}) {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
	if n := x.asked.Load(); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
	read(t, onX(t, "unix"+x.display+".0"), presence.Reading{Idle: 90 * time.Second, IdleKnown: true})
	if n := x.asked.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

func TestXScreenSaverCountsAsTheOthersDo(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		want   presence.Reading
	}{
		"inactive": {answer{idle: 5000}, presence.Reading{Idle: 5 * time.Second, IdleKnown: true}},
		"active":   {answer{state: 1, idle: 5000}, presence.Reading{Idle: 5 * time.Second, IdleKnown: true, Locked: true, LockedKnown: true}},
		"disabled": {answer{state: 3, idle: 5000}, presence.Reading{Idle: 5 * time.Second, IdleKnown: true}},
		"events before the replies": {
			answer{idle: 5000, events: 20}, presence.Reading{Idle: 5 * time.Second, IdleKnown: true},
		},
		"the longest time": {answer{idle: 1<<32 - 1}, presence.Reading{Idle: (1<<32 - 1) * time.Millisecond, IdleKnown: true}},
	} {
		t.Run(name, func(t *testing.T) {
			read(t, onX(t, newXServer(t, talk(c.answer)).display), c.want)
		})
	}
}

func TestXServerThatWantsACookie(t *testing.T) {
	const right, wrong = "0123456789abcdef", "fedcba9876543210"
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	entry := func(family uint16, address, number, data string) []byte {
		b := binary.BigEndian.AppendUint16(nil, family)
		for _, text := range []string{address, number, "MIT-MAGIC-COOKIE-1", data} {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
		}
		return b
	}
	dir := t.TempDir()
	write := func(name string, content ...[]byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Join(content, nil), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	display := startXvfb(t, "-auth", write("server", entry(256, host, "", right)))
	number := display[1:]
	good := entry(256, host, number, right)
	for name, env := range map[string][]string{
		"named":              {"XAUTHORITY", write("named", good)},
		"behind others":      {"XAUTHORITY", write("others", entry(256, "other", number, wrong), entry(0, "\x7f\x00\x00\x01", number, wrong), good)},
		"for any host":       {"XAUTHORITY", write("wild", entry(65535, "", "", right))},
		"before the damage":  {"XAUTHORITY", write("damaged", good, []byte{1, 0, 0xff})},
		"at home":            {"HOME", filepath.Dir(write(".Xauthority", good))},
		"named, not at home": {"HOME", "/nonexistent", "XAUTHORITY", write("named2", good)},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := onX(t, display, env...).Read(t.Context()); err != nil || !r.IdleKnown {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
	for name, env := range map[string][]string{
		"wrong":       {"XAUTHORITY", write("wrong", entry(256, host, number, wrong))},
		"none":        nil,
		"no file":     {"XAUTHORITY", filepath.Join(dir, "missing")},
		"no home":     {"HOME", ""},
		"a directory": {"XAUTHORITY", dir},
		"a device":    {"XAUTHORITY", "/dev/zero"},
		"damaged":     {"XAUTHORITY", write("cut", good[:len(good)-1])},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := onX(t, display, env...).Read(t.Context())
			if !errors.Is(err, presence.ErrUnsupported) || r != (presence.Reading{}) || !strings.Contains(err.Error(), "it refuses") {
				t.Errorf("got %+v, %v", r, err)
			}
			if err != nil && (strings.Contains(err.Error(), right) || strings.Contains(err.Error(), wrong)) {
				t.Errorf("the error has a cookie: %v", err)
			}
		})
	}
}

// A server that talks nonsense, or nothing, costs the time for one question at most.
func TestXServerThatTalksNonsense(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"nothing":             func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"the end":             func(net.Conn) {},
		"something at random": func(c net.Conn) { flood(c, fill) },
		"zeros for ever":      func(c net.Conn) { flood(c, func([]byte) {}) },
		"a byte now and then": func(c net.Conn) {
			for _, b := range bytes.Repeat([]byte{1}, 10_000) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		},
		"a greeting of 256 KiB that ends":   func(c net.Conn) { _, _ = c.Write([]byte{1, 0, 11, 0, 0, 0, 0xff, 0xff, 0}) },
		"a greeting without a screen":       func(c net.Conn) { _, _ = c.Write([]byte{1, 0, 11, 0, 0, 0, 0, 0}) },
		"a request for more authentication": func(c net.Conn) { _, _ = c.Write([]byte{2, 0, 0, 0, 0, 0, 0, 0}) },
		"a refusal longer than the answer":  func(c net.Conn) { _, _ = c.Write([]byte{0, 255, 11, 0, 0, 0, 0, 0}) },
		"no extension":                      talk(answer{missing: true}),
		"events only":                       talk(answer{events: 100_000}),
		"an error":                          talk(answer{fails: true}),
		"a reply that is too long":          talk(answer{long: 1 << 30}),
		"a reply to another request":        talk(answer{nth: 7}),
		"a reply that ends before its end":  talk(answer{cut: 1}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newXServer(t, serve)
			if r, err := onX(t, x.display).Read(t.Context()); !errors.Is(err, presence.ErrUnsupported) || r != (presence.Reading{}) {
				t.Errorf("got %+v, %v", r, err)
			}
			if n := x.asked.Load(); n != 1 {
				t.Errorf("it was asked %d times", n)
			}
		})
	}
}

func TestEndOfTheQuestionEndsItOnX(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x := newXServer(t, func(c net.Conn) {
		cancel()
		_, _ = io.Copy(io.Discard, c) // until it is hung up
	})
	if r, err := onX(t, x.display).Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v", r, err)
	}
}

// xServer is a stand-in for an X server, at an abstract socket, which leaves nothing behind.
type xServer struct {
	display string
	asked   atomic.Int32
}

func newXServer(t *testing.T, serve func(net.Conn)) *xServer {
	t.Helper()
	x := &xServer{}
	var listener net.Listener
	for range 20 { // numbers that no X server has; some may be those of other tests
		number := 20_000 + rand.IntN(40_000)
		l, err := net.Listen("unix", fmt.Sprintf("@/tmp/.X11-unix/X%d", number))
		if err == nil {
			listener, x.display = l, fmt.Sprintf(":%d", number)
			break
		}
	}
	if listener == nil {
		t.Fatal("there is no free display")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			x.asked.Add(1)
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return x
}

// answer is what a stand-in says about its screen saver.
type answer struct {
	state   byte
	idle    uint32
	events  int    // before each reply
	missing bool   // there is no screen saver
	fails   bool   // there is an error instead of a reply
	cut     int    // how many bytes the reply has less than it should
	long    uint32 // what the reply has beyond its 32 bytes, in fours
	nth     uint16 // of the request that the reply says it is for; 0: the right one
}

// talk serves as a real server does: greeting, extension, screen saver.
func talk(a answer) func(net.Conn) {
	return func(c net.Conn) {
		var greeting [12]byte
		if _, err := io.ReadFull(c, greeting[:]); err != nil {
			return
		}
		body := make([]byte, 32+4+40) // no cookie is sent: these 12 bytes are all
		binary.NativeEndian.PutUint16(body[16:], 3)
		body[20] = 1
		binary.NativeEndian.PutUint32(body[36:], 0x250)
		setup := []byte{1, 0, 11, 0, 0, 0, 0, 0}
		binary.NativeEndian.PutUint16(setup[6:], uint16(len(body)/4))
		if _, err := c.Write(append(setup, body...)); err != nil {
			return
		}
		extension := make([]byte, 32)
		extension[0], extension[8], extension[9] = 1, 1, 143
		if a.missing {
			extension[8] = 0
		}
		info := make([]byte, 32)
		info[0], info[1] = 1, a.state
		if a.fails {
			info[0] = 0
		}
		binary.NativeEndian.PutUint32(info[4:], a.long)
		binary.NativeEndian.PutUint32(info[16:], a.idle)
		for i, step := range []struct {
			request int // its length
			reply   []byte
		}{{24, extension}, {8, info[:32-a.cut]}} {
			request := make([]byte, step.request)
			if _, err := io.ReadFull(c, request); err != nil {
				return
			}
			if i == 1 && (request[0] != 143 || request[1] != 1 || binary.NativeEndian.Uint32(request[4:]) != 0x250) {
				return
			}
			event := make([]byte, 32)
			event[0] = 34 // MappingNotify
			for range a.events {
				if _, err := c.Write(event); err != nil {
					return
				}
			}
			nth := uint16(i + 1)
			if i == 1 && a.nth != 0 {
				nth = a.nth
			}
			binary.NativeEndian.PutUint16(step.reply[2:], nth)
			if _, err := c.Write(step.reply); err != nil {
				return
			}
		}
	}
}

// flood says what next makes, until it is hung up.
func flood(c net.Conn, next func([]byte)) {
	b := make([]byte, 4096)
	for {
		next(b)
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

func fill(b []byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
}

// startXvfb starts an X server with the options and returns its display.
func startXvfb(t *testing.T, options ...string) string {
	t.Helper()
	path := testenv.Program(t, "Xvfb", "xvfb")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	options = append(options, "-displayfd", "3", "-screen", "0", "64x64x24", "-nolisten", "tcp", "-noreset")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, options...)
	cmd.ExtraFiles, cmd.Stderr = []*os.File{writer}, t.Output()
	err = cmd.Start()
	_ = writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it takes its socket away
		_ = cmd.Wait()
	})
	if err := reader.SetReadDeadline(time.Now().Add(testenv.Deadline)); err != nil {
		t.Fatal(err)
	}
	number, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("read the display's number from Xvfb: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}
