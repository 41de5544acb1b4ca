package settings

import (
	"encoding/xml"
	"strings"
	"testing"
)

func TestInvisibleCharactersAreRefusedAndMadeVisible(t *testing.T) {
	for name, odd := range map[string]string{
		"a line end": "\n", "an escape": "\x1b", "C1": "\u0085", "delete": "\x7f", "zero width": "\u200b", "right to left": "\u202e", "byte order mark": "\ufeff",
		"line separator": "\u2028", "paragraph separator": "\u2029", "no character": "\uffff", "none either": "\ufdd0", "beyond": "\U0001fffe", "not UTF-8": "\xff", "a tag": "\U000e0041",
	} {
		text := "a" + odd + "b"
		if Clean(text) == nil {
			t.Errorf("%s is clean", name)
		}
		visible := Visible(text)
		if Clean(visible) != nil || !strings.HasPrefix(visible, "a?") || !strings.HasSuffix(visible, "b") {
			t.Errorf("%s became %q", name, visible)
		}
		if err := xml.Unmarshal([]byte("<a>"+visible+"</a>"), new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "Bücherei – \"A & B\"", "印刷", "𝔓"} {
		if err := Clean(text); err != nil || Visible(text) != text {
			t.Errorf("%q: %v, %q", text, err, Visible(text))
		}
	}
}

func TestHosts(t *testing.T) {
	for _, host := range []string{"print", "print.example.org", "print.example.org.", "print_1", "xn--drucker-8db.example.org", "10.1.2.3", "2001:db8::1", "::", "fe80::1%eth0", strings.Repeat("a", 253)} {
		if !ValidHost(host) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{
		"", ".", "-a", "a-", "a..b", "a b", "a/b", "a@b", "a%b", "prіnt", "ä", "a:1", "2001:db8:", ":::", "1:2", "::1%", "::1%a/b", "::1%é", "[::1]", "a\n", strings.Repeat("a", 254),
	} {
		if ValidHost(host) {
			t.Errorf("%q is taken", host)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	for _, text := range []string{
		"https://Print.Example.org.:0443/", "https://[fe80::1%25Eth0]:8443", "https://[::ffff:10.1.2.3]", "https://a:b@c", "https://1.2.3.4:1", "https://print.:443", "https://a..:1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseOrigin(text)
		if err != nil {
			return
		}
		again, err := ParseOrigin(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q is %s, and that is %v, %v", text, u, again, err)
		}
		if !ValidHost(u.Hostname()) || u.Scheme != "https" || u.User != nil || u.Path != "" || strings.HasSuffix(u.Host, ":443") && !strings.HasSuffix(u.Host, "]") && strings.Count(u.Host, ":") == 1 {
			t.Errorf("%q is %+v", text, u)
		}
	})
}
