package presence

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/platenprint/platen/internal/secret"
)

var (
	errNoDisplay      = errors.New("there is no X display")
	errRemoteDisplay  = errors.New("the X display is another computer's")
	errWaylandDisplay = errors.New("the desktop is a Wayland one: its X server does not see when somebody moves")
)

// localDisplay returns the number of the X display of the environment, "0" of ":0.0" and "unix:0" (X(7), DISPLAY NAMES).
// On Wayland the X server is one program among others and sees only moves in its own windows.
func localDisplay(getenv func(string) string) (number string, err error) {
	if getenv("WAYLAND_DISPLAY") != "" || getenv("XDG_SESSION_TYPE") == "wayland" {
		return "", errWaylandDisplay
	}
	return parseDisplay(getenv("DISPLAY"))
}

func parseDisplay(name string) (number string, err error) {
	if name == "" {
		return "", errNoDisplay
	}
	host, rest, _ := strings.Cut(name, ":")
	if host != "" && host != "unix" {
		return "", errRemoteDisplay
	}
	number, screen, some := strings.Cut(rest, ".")
	if !decimal(number) || some && !decimal(screen) {
		return "", errNoDisplay
	}
	return number, nil
}

// decimal tells whether a text is a number as X writes it: without a sign or zeros in front, below 65536.
func decimal(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == text
}

// The file of cookies is that of Xau(3): entries of a family, an address, a display's number, the name of a protocol and
// its data, the numbers in 16 bits, most significant byte first, in front of each text its length (Xau, README).
const (
	cookieProtocol   = "MIT-MAGIC-COOKIE-1"
	familyLocal      = 256
	familyWild       = 65535
	mostAuthorityLen = 1 << 20
)

// findCookie reads the cookie of a display on this computer. Without one the server may let this person in all the same.
func findCookie(getenv func(string) string, number string) secret.String {
	path := getenv("XAUTHORITY")
	if path == "" {
		if getenv("HOME") == "" {
			return secret.String{}
		}
		path = filepath.Join(getenv("HOME"), ".Xauthority")
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // a pipe would never end
		return secret.String{}
	}
	file, err := os.Open(path)
	if err != nil {
		return secret.String{}
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, mostAuthorityLen))
	if err != nil {
		return secret.String{}
	}
	host, _ := os.Hostname() // without one, entries for any host are left
	return parseAuthority(content, host, number)
}

// parseAuthority returns the first cookie for the display with that number on that host. What comes after damage is lost.
func parseAuthority(content []byte, host, number string) secret.String {
	for len(content) > 0 {
		family, texts, rest, ok := readEntry(content)
		if !ok {
			break
		}
		content = rest
		address, display, protocol, data := texts[0], texts[1], texts[2], texts[3]
		here := family == familyWild || family == familyLocal && string(address) == host
		if here && (len(display) == 0 || string(display) == number) && string(protocol) == cookieProtocol {
			return secret.New(string(data))
		}
	}
	return secret.String{}
}

// readEntry cuts the first entry off: its address, number, name and data, each at most 65535 bytes long.
func readEntry(b []byte) (family uint16, texts [4][]byte, rest []byte, ok bool) {
	if len(b) < 2 {
		return 0, texts, nil, false
	}
	family, b = binary.BigEndian.Uint16(b), b[2:]
	for i := range texts {
		if len(b) < 2 {
			return 0, texts, nil, false
		}
		length := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; len(b) < length {
			return 0, texts, nil, false
		}
		texts[i], b = b[:length], b[length:]
	}
	return family, texts, b, true
}
