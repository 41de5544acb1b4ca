package presence

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/secret"
)

func TestOnlyLocalDisplaysAreAsked(t *testing.T) {
	for name, want := range map[string]string{
		":0": "0", ":0.0": "0", ":10.1": "10", "unix:7": "7", ":65535": "65535",
		"": "", "0": "", ":": "", ":.0": "", ":0.": "", ":-1": "", ":+1": "", ":00": "", ":65536": "", ":0/../x": "", ":0 ": "", ":0.x": "",
		"localhost:10.0": "", "other.example.org:0": "", "127.0.0.1:0": "", "[::1]:0": "", "tcp/localhost:0": "", "node::0": "",
	} {
		if got, err := parseDisplay(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func entry(family uint16, texts ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, family)
	for _, text := range texts {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
	}
	return b
}

func TestTheCookieIsThatOfThisDisplayHere(t *testing.T) {
	mine, wild := entry(familyLocal, "pc7", "3", cookieProtocol, "mine"), entry(familyWild, "", "3", cookieProtocol, "wild")
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"nothing":               {nil, ""},
		"mine":                  {mine, "mine"},
		"for any host":          {wild, "wild"},
		"for any display":       {entry(familyLocal, "pc7", "", cookieProtocol, "any"), "any"},
		"the first that fits":   {append(bytes.Clone(mine), wild...), "mine"},
		"of another host":       {entry(familyLocal, "pc8", "3", cookieProtocol, "no"), ""},
		"of another display":    {entry(familyLocal, "pc7", "33", cookieProtocol, "no"), ""},
		"of another protocol":   {entry(familyLocal, "pc7", "3", "XDM-AUTHORIZATION-1", "no"), ""},
		"for the network":       {entry(0, "pc7", "3", cookieProtocol, "no"), ""},
		"behind others":         {append(entry(0, "\x7f\x00\x00\x01", "3", cookieProtocol, "no"), mine...), "mine"},
		"before the damage":     {append(bytes.Clone(mine), 1), "mine"},
		"behind the damage":     {append([]byte{1, 0, 0xff, 0xff}, mine...), ""},
		"cut off":               {mine[:len(mine)-1], ""},
		"cut off in the length": {mine[:len(mine)-5], ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseAuthority(c.content, "pc7", "3").Reveal(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzParseAuthority(f *testing.F) {
	mine := entry(familyLocal, "pc7", "3", cookieProtocol, "0123456789abcdef")
	f.Add(mine)
	f.Add(append(entry(familyWild, "", "", cookieProtocol, ""), mine...))
	f.Add(append(entry(0, "\x7f\x00\x00\x01", "3", "XDM-AUTHORIZATION-1", "x"), mine[:20]...))
	f.Fuzz(func(t *testing.T, content []byte) {
		got := parseAuthority(content, "pc7", "3").Reveal()
		if !bytes.Contains(content, []byte(got)) {
			t.Errorf("the cookie %q is made up", got)
		}
		if got != "" && !bytes.Contains(content, []byte(cookieProtocol)) {
			t.Errorf("%q is no cookie", got)
		}
	})
}

// conversation is a server that says what it says, whatever it is told.
type conversation struct {
	*bytes.Reader
	told bytes.Buffer
}

func (c *conversation) Write(b []byte) (int, error) { return c.told.Write(b) }

// accepted is a server's answer to a greeting; vendor is its name and root its root window.
func accepted(vendor string, root uint32) []byte {
	body := make([]byte, 32, 512)
	binary.NativeEndian.PutUint16(body[16:], uint16(len(vendor)))
	body[20], body[21] = 1, 2
	body = append(append(body, padded(vendor)...), make([]byte, 2*8)...)
	body = append(binary.NativeEndian.AppendUint32(body, root), make([]byte, 36)...)
	head := []byte{xAccepted, 0, 11, 0, 0, 0, 0, 0}
	binary.NativeEndian.PutUint16(head[6:], uint16(len(body)/4))
	return append(head, body...)
}

// unit is a reply, an error or an event.
func unit(kind, code byte, nth uint16, eight, nine byte, idle uint32) []byte {
	b := make([]byte, xUnit)
	b[0], b[1], b[8], b[9] = kind, code, eight, nine
	binary.NativeEndian.PutUint16(b[2:], nth)
	binary.NativeEndian.PutUint32(b[16:], idle)
	return b
}

func TestTheRequestsAreThoseOfTheProtocol(t *testing.T) {
	extension, info := unit(xReply, 0, 1, 1, 143, 0), unit(xReply, 0, 2, 0, 0, 1500)
	c := &conversation{Reader: bytes.NewReader(append(append(accepted("The X.Org Foundation", 0x250), extension...), info...))}
	r, err := querySaver(c, secret.New("0123456789abcdefg"))
	if want := (Reading{Idle: milliseconds(1500), IdleKnown: true}); err != nil || r != want {
		t.Errorf("got %+v, %v", r, err)
	}
	n := func(n uint16) string { return string(native(n)) }
	order := map[string]string{"\x01\x00": "l", "\x00\x01": "B"}[n(1)]
	want := order + "\x00" + n(11) + n(0) + n(18) + n(17) + n(0) + "MIT-MAGIC-COOKIE-1\x00\x00" + "0123456789abcdefg\x00\x00\x00" +
		"\x62\x00" + n(6) + n(16) + n(0) + "MIT-SCREEN-SAVER" +
		"\x8f\x01" + n(2) + string(binary.NativeEndian.AppendUint32(nil, 0x250))
	if got := c.told.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func FuzzQuerySaver(f *testing.F) {
	setup, extension, info := accepted("x", 1), unit(xReply, 0, 1, 1, 143, 0), unit(xReply, saverOn, 2, 0, 0, 1<<31)
	mapping := unit(xMappingNotify, 0, 0, 0, 0, 0)
	f.Add(bytes.Join([][]byte{setup, extension, info}, nil))
	f.Add(bytes.Join([][]byte{setup, mapping, extension, mapping, info}, nil))
	f.Add(bytes.Join([][]byte{setup, extension, unit(0, 9, 2, 0, 0, 0)}, nil))
	f.Add(setup[:40])
	f.Add([]byte("\x00\x05\x0b\x00\x00\x00\x02\x00No pr\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, said []byte) {
		r, err := querySaver(&conversation{Reader: bytes.NewReader(said)}, secret.String{})
		if err != nil && r != (Reading{}) || err == nil && (!r.IdleKnown || r.Idle < 0) {
			t.Errorf("got %+v, %v", r, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x00\n\x1b") {
			t.Errorf("the error has the server's control characters: %q", err)
		}
	})
}
