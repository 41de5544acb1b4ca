package presence

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/platenprint/platen/internal/secret"
)

// The X Window System Protocol, version 11 (X.Org, x11protocol.html, appendix B), and the X11 Screen Saver Extension
// (X.Org, saver.html): of both, what one question takes. Everything is in the byte order of this computer: servers may
// refuse the other one.
const (
	xUnit = 32 // length of replies, errors and events; replies tell what they have more

	xQueryExtension = 98
	saverExtension  = "MIT-SCREEN-SAVER"
	saverQueryInfo  = 1 // minor code
	saverOn         = 1 // state

	xReply         = 1
	xMappingNotify = 34 // the one event that everybody is told

	xRefused, xAccepted = 0, 1
)

// xLimit is the time for one question to an X server, a local one. It leaves time for the others who are asked.
const xLimit = 3 * time.Second

// xMostEvents is how many events may come before a reply.
const xMostEvents = 100

// askX asks the X server of the environment how long nobody moved. Its screen saver counts as those of the bus do: while
// it is active the screen may not be locked, but it is blank. Inactive it says nothing, for those who lock do not need it.
func (d desktop) askX(ctx context.Context) (Reading, error) {
	number, err := localDisplay(d.getenv)
	if err != nil {
		return Reading{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, xLimit)
	defer cancel()
	conn, err := dialX(ctx, number)
	if err != nil {
		return Reading{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // what it waits for ends with ctx
	defer conn.Close()
	r, err := querySaver(conn, findCookie(d.getenv, number))
	if err != nil {
		return Reading{}, fmt.Errorf("ask the X server of display :%s for the idle time: %w", number, errors.Join(err, ctx.Err()))
	}
	return r, nil
}

// dialX connects to a local X server: to its socket in the file system or, where /tmp is another one, to the abstract one.
func dialX(ctx context.Context, number string) (net.Conn, error) {
	const path = "/tmp/.X11-unix/X"
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path+number)
	if err == nil {
		return conn, nil
	}
	conn, abstractErr := dialer.DialContext(ctx, "unix", "@"+path+number)
	if abstractErr != nil {
		return nil, fmt.Errorf("connect to the X server: %w", errors.Join(err, abstractErr))
	}
	return conn, nil
}

// querySaver holds the whole conversation with an X server.
func querySaver(conn io.ReadWriter, cookie secret.String) (Reading, error) {
	if _, err := conn.Write(setupRequest(cookie)); err != nil {
		return Reading{}, fmt.Errorf("write the greeting: %w", err)
	}
	root, err := readSetup(conn)
	if err != nil {
		return Reading{}, fmt.Errorf("read the answer to the greeting: %w", err)
	}
	extension, err := request(conn, 1, extensionRequest())
	if err != nil {
		return Reading{}, fmt.Errorf("look for %s: %w", saverExtension, err)
	}
	if extension[8] == 0 {
		return Reading{}, errors.New("it has no " + saverExtension)
	}
	info, err := request(conn, 2, binary.NativeEndian.AppendUint32([]byte{extension[9], saverQueryInfo, native(2)[0], native(2)[1]}, root))
	if err != nil {
		return Reading{}, fmt.Errorf("query %s: %w", saverExtension, err)
	}
	active := info[1] == saverOn
	idle := binary.NativeEndian.Uint32(info[16:])
	return Reading{Idle: milliseconds(uint64(idle)), IdleKnown: true, Locked: active, LockedKnown: active}, nil
}

func native(n uint16) []byte { return binary.NativeEndian.AppendUint16(nil, n) }

// padded fills a text up to a multiple of four.
func padded(text string) []byte { return append([]byte(text), make([]byte, -len(text)&3)...) }

// setupRequest is the greeting, with the cookie if there is one.
func setupRequest(cookie secret.String) []byte {
	order, protocol := byte('l'), ""
	if native(1)[0] == 0 {
		order = 'B'
	}
	if !cookie.Empty() {
		protocol = cookieProtocol
	}
	b := []byte{order, 0}
	for _, n := range [...]int{11, 0, len(protocol), len(cookie.Reveal()), 0} { // version 11.0, lengths, unused
		b = binary.NativeEndian.AppendUint16(b, uint16(n)) // a cookie is as long as 16 bits can tell (readEntry)
	}
	b = append(b, padded(protocol)...)
	return append(b, padded(cookie.Reveal())...)
}

func extensionRequest() []byte {
	b := []byte{xQueryExtension, 0}
	for _, n := range [...]int{2 + len(saverExtension)/4, len(saverExtension), 0} { // length in fours, of the name, unused
		b = binary.NativeEndian.AppendUint16(b, uint16(n))
	}
	return append(b, padded(saverExtension)...)
}

// readSetup reads the answer to the greeting, at most 256 KiB, and returns the first screen's root window. With several
// screens it is as good as the others: the idle time is that of all devices.
func readSetup(r io.Reader) (root uint32, err error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	body := make([]byte, 4*int(binary.NativeEndian.Uint16(head[6:])))
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, err
	}
	switch head[0] {
	case xAccepted:
		return parseSetup(body)
	case xRefused:
		return 0, fmt.Errorf("it refuses: %q", body[:min(int(head[1]), len(body))])
	}
	return 0, fmt.Errorf("unknown answer %d", head[0])
}

// parseSetup finds the first root window: behind 32 bytes, the vendor's name and the formats of 8 bytes each.
func parseSetup(body []byte) (root uint32, err error) {
	const fixed, format, screen = 32, 8, 40
	if len(body) < fixed {
		return 0, fmt.Errorf("%d bytes are too few", len(body))
	}
	vendor, roots, formats := int(binary.NativeEndian.Uint16(body[16:])), body[20], int(body[21])
	first := fixed + vendor + -vendor&3 + formats*format
	if roots == 0 || len(body) < first+screen {
		return 0, fmt.Errorf("there is no screen in %d bytes", len(body))
	}
	return binary.NativeEndian.Uint32(body[first:]), nil
}

// request sends one request, the connection's nth, and waits for its reply, which has nothing beyond the common length.
func request(conn io.ReadWriter, nth uint16, b []byte) (reply [xUnit]byte, err error) {
	if _, err := conn.Write(b); err != nil {
		return reply, err
	}
	for range xMostEvents {
		if _, err := io.ReadFull(conn, reply[:]); err != nil {
			return reply, err
		}
		switch kind := reply[0]; {
		case kind == xMappingNotify:
		case kind != xReply || binary.NativeEndian.Uint16(reply[2:]) != nth || binary.NativeEndian.Uint32(reply[4:]) != 0:
			return reply, fmt.Errorf("unexpected answer of the kind %d with the code %d", kind, reply[1])
		default:
			return reply, nil
		}
	}
	return reply, errors.New("only events, no reply")
}
