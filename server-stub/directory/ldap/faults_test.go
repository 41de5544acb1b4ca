package ldap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

// bench is a store that was synchronised once, so that faults have somebody to hurt.
type bench struct {
	store store.Store
	sync  *dirsync.Syncer
}

func newBench(t *testing.T, source *Source) *bench {
	t.Helper()
	b := &bench{store: storetest.OpenSQLite(t)}
	b.sync = dirsync.New(b.store, clock.System, dirsync.Config{Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if run, err := b.sync.Run(t.Context(), source, dirsync.Settings{}); err != nil || run.Created == 0 {
		t.Fatalf("the first synchronisation: %+v, %v", run, err)
	}
	return b
}

func (b *bench) users(t *testing.T) []core.User {
	t.Helper()
	var users []core.User
	err := b.store.View(t.Context(), func(tx store.Tx) (err error) {
		users, err = tx.ListUsers(t.Context(), store.UserFilter{IncludeDeleted: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return users
}

// failsHarmlessly synchronises with a source that must fail, also where no brake would stop it, and returns the error.
func (b *bench) failsHarmlessly(t *testing.T, source *Source) error {
	t.Helper()
	before := b.users(t)
	run, err := b.sync.Run(t.Context(), source, dirsync.Settings{Brake: dirsync.Brake{Disabled: 100, Renamed: 100}})
	if err == nil || run.Outcome != dirsync.OutcomeFailed || run.Message == "" {
		t.Fatalf("run %+v, %v; want it failed", run, err)
	}
	if diff := cmp.Diff(before, b.users(t)); diff != "" {
		t.Fatalf("people were changed: -before +after\n%s", diff)
	}
	if text := err.Error(); !strings.Contains(text, `"lab"`) || !steps.MatchString(text) || !remedies.MatchString(text) {
		t.Errorf("the error does not name source, step and remedy: %v", err)
	}
	return err
}

// Every error names what was being done, and what an administrator can do.
var (
	steps    = regexp.MustCompile("connect to|bind as|ask the server what it is|read people|read groups|read the members|lists nobody")
	remedies = regexp.MustCompile("check that|check its filter|check bind_dn|raise|set ca_file|try ldaps|correct base_dn|the next synchronisation tries again|give the service account|let the service account")
)

// fine synchronises with a source that must be read whole and bring nothing new.
func (b *bench) fine(t *testing.T, source *Source) {
	t.Helper()
	if run, err := b.sync.Run(t.Context(), source, dirsync.Settings{}); err != nil || run.Read != len(b.users(t)) || run.Updated+run.Disabled+run.Created != 0 {
		t.Errorf("the next run: %+v, %v", run, err)
	}
}

// proxy forwards to a server and spoils what comes from it.
type proxy struct {
	address string
	passed  atomic.Int64 // bytes from the server on the last connection
	spoil   atomic.Pointer[func(client net.Conn, server io.Reader, passed *atomic.Int64)]
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener := listen(t)
	p := &proxy{address: listener.Addr().String()}
	var all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() { cancel(); _ = listener.Close(); all.Wait() })
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { p.serve(ctx, client, server, &all) })
		}
	})
	return p
}

func (p *proxy) serve(ctx context.Context, client net.Conn, address string, all *sync.WaitGroup) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() { _ = client.Close(); _ = server.Close() })()
	all.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	p.passed.Store(0)
	(*p.spoil.Load())(client, server, &p.passed)
}

// cutAfter ends the connection after n bytes of the server, n < 0: never.
func cutAfter(n int64) *func(net.Conn, io.Reader, *atomic.Int64) {
	f := func(client net.Conn, server io.Reader, passed *atomic.Int64) {
		if n >= 0 {
			server = io.LimitReader(server, n)
		}
		_, _ = io.Copy(io.MultiWriter(client, counter{passed}), server)
	}
	return &f
}

// crawlAfter hands on a byte at a time, slowly, after n bytes.
func crawlAfter(n int64) *func(net.Conn, io.Reader, *atomic.Int64) {
	f := func(client net.Conn, server io.Reader, passed *atomic.Int64) {
		if _, err := io.CopyN(io.MultiWriter(client, counter{passed}), server, n); err != nil {
			return
		}
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.CopyN(client, server, 1); err != nil {
				return
			}
		}
	}
	return &f
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFault_F11_server_that_dies_or_crawls_changes_nobody(t *testing.T) {
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(40)})
	p := newProxy(t, strings.TrimPrefix(server.LDAPS, "ldaps://"))
	cfg := slapdConfig(t, server)
	cfg.URLs, cfg.PageSize = []string{"ldaps://" + p.address}, 10
	source := newSource(t, cfg)
	p.spoil.Store(cutAfter(-1))
	b := newBench(t, source)
	total := p.passed.Load()

	t.Run("dies after any number of bytes", func(t *testing.T) {
		const steps = 20
		for i := range steps {
			// The last bytes of all may be TLS's goodbye; short of them nothing may pass for the whole.
			p.spoil.Store(cutAfter(total * int64(i) / steps))
			if err := b.failsHarmlessly(t, source); !errors.Is(err, core.ErrUnavailable) {
				t.Errorf("after %d of %d bytes: %v", total*int64(i)/steps, total, err)
			}
		}
	})
	t.Run("crawls", func(t *testing.T) {
		cfg := cfg
		cfg.PageTimeout = 500 * time.Millisecond
		p.spoil.Store(crawlAfter(total * 2 / 3))
		if err := b.failsHarmlessly(t, newSource(t, cfg)); !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), "no complete answer within 500ms") {
			t.Error(err)
		}
	})
	t.Run("crawls from the start", func(t *testing.T) {
		cfg := cfg
		cfg.Timeout = 500 * time.Millisecond
		p.spoil.Store(crawlAfter(0))
		if err := b.failsHarmlessly(t, newSource(t, cfg)); !errors.Is(err, core.ErrUnavailable) {
			t.Error(err)
		}
	})
	t.Run("the caller gives up", func(t *testing.T) {
		p.spoil.Store(crawlAfter(total * 2 / 3))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for p.passed.Load() < total*2/3 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if run, err := b.sync.Run(ctx, source, dirsync.Settings{}); !errors.Is(err, context.Canceled) || run.Outcome != dirsync.OutcomeFailed {
			t.Errorf("run %+v, %v", run, err)
		}
	})
	t.Run("the next run is fine", func(t *testing.T) {
		p.spoil.Store(cutAfter(-1))
		b.fine(t, source)
	})
	t.Run("the server is down", func(t *testing.T) {
		server.Stop()
		_ = b.failsHarmlessly(t, source)
		server.Restart()
		if run, err := b.sync.Run(t.Context(), source, dirsync.Settings{}); err != nil || run.Read != 40 {
			t.Errorf("run %+v, %v", run, err)
		}
	})
}

func TestFault_F11_limits_and_a_swapped_certificate_are_errors(t *testing.T) {
	for name, limit := range map[string]string{"size": "size=15", "paged total": "size.prtotal=15", "paging is off": "size.prtotal=disabled", "page size": "size.pr=3"} {
		t.Run(name, func(t *testing.T) {
			server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(40), Database: `limits dn.exact="` + readerDN + `" ` + limit})
			cfg := slapdConfig(t, server)
			cfg.PageSize = 10
			asAdmin := cfg
			asAdmin.BindDN, asAdmin.BindPassword = testenv.SlapdAdmin, password(t, testenv.SlapdAdminPassword)
			b := newBench(t, newSource(t, asAdmin))
			_ = b.failsHarmlessly(t, newSource(t, cfg))
			b.fine(t, newSource(t, asAdmin))
		})
	}
	t.Run("certificate of another authority from one day to the next", func(t *testing.T) {
		server, swapped := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(5)}), testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(1)})
		cfg := slapdConfig(t, server)
		b := newBench(t, newSource(t, cfg))
		defer b.fine(t, newSource(t, cfg))
		cfg.URLs = []string{swapped.LDAPS}
		if err := b.failsHarmlessly(t, newSource(t, cfg)); !strings.Contains(err.Error(), "ca_file") {
			t.Error(err)
		}
	})
}

// rogue is a server with a good certificate that answers each request with what answer returns.
func rogue(t *testing.T, ca *testenv.CA, answer func(id int64, op *ber.Packet) []byte) string {
	t.Helper()
	certFile, keyFile := ca.Issue(time.Now().Add(time.Hour), "127.0.0.1")
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	listener := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{cert}})
	var all sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					request, err := ber.ReadPacket(r)
					if err != nil || len(request.Children) < 2 {
						return
					}
					id, _ := request.Children[0].Value.(int64)
					if _, err := c.Write(answer(id, request.Children[1])); err != nil {
						return
					}
				}
			})
		}
	})
	return "ldaps://" + listener.Addr().String()
}

// message wraps operations into LDAP messages with the id.
func message(id int64, controls *ber.Packet, op *ber.Packet) []byte {
	m := ber.NewSequence("message")
	m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "id"))
	m.AppendChild(op)
	if controls != nil {
		m.AppendChild(controls)
	}
	return m.Bytes()
}

func result(tag ber.Tag, code int64) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "result")
	op.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, "code"))
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "dn"))
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "text"))
	return op
}

// entryOf is a search result entry.
func entryOf(dn string, attributes map[string]string) *ber.Packet {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "entry")
	op.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, "dn"))
	list := ber.NewSequence("attributes")
	for name, value := range attributes {
		one := ber.NewSequence("attribute")
		one.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, "name"))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "values")
		set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, value, "value"))
		one.AppendChild(set)
		list.AppendChild(one)
	}
	op.AppendChild(list)
	return op
}

// pagingCookie is the control of a page that is not the last.
func pagingCookie(cookie string) *ber.Packet {
	value := ber.NewSequence("value")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(0), "size"))
	value.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, cookie, "cookie"))
	control := ber.NewSequence("control")
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "1.2.840.113556.1.4.319", "type"))
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value.Bytes()), "value"))
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
	controls.AppendChild(control)
	return controls
}

func TestFault_F11_rogue_server_changes_nobody(t *testing.T) {
	ca := testenv.NewCA(t)
	honest := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(5), CA: ca})
	cfg := slapdConfig(t, honest)
	b := newBench(t, newSource(t, cfg))
	defer b.fine(t, newSource(t, cfg))
	cfg.Timeout, cfg.PageTimeout = 2*time.Second, 2*time.Second
	person := entryOf("uid=user0,ou=people,"+testenv.SlapdBase, map[string]string{"entryUUID": "x", "uid": "user0"})

	tests := []struct {
		name   string
		answer func(id int64) []byte // to the search for people
	}{
		{"garbage", func(int64) []byte { return bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 100) }},
		{"HTTP", func(int64) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") }},
		{"a packet of 2 GiB", func(int64) []byte { return []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02} }},
		{"a packet of 17 MiB", func(int64) []byte { return []byte{0x30, 0x84, 0x01, 0x10, 0x00, 0x00, 0x02} }},
		{"nested without end", func(int64) []byte { return bytes.Repeat([]byte{0x30, 0x80}, 10_000) }},
		{"an empty message", func(int64) []byte { return []byte{0x30, 0x00} }},
		{"only the id", func(id int64) []byte { return []byte{0x30, 0x03, 0x02, 0x01, byte(id)} }},
		{"an entry without attributes, then the end of the stream of truth", func(id int64) []byte {
			return message(id, nil, ber.Encode(ber.ClassApplication, ber.TypeConstructed, 4, nil, "entry"))
		}},
		{"another operation", func(id int64) []byte { return message(id, nil, result(1, 0)) }},
		{"somebody, then an operations error", func(id int64) []byte { return append(message(id, nil, person), message(id, nil, result(5, 1))...) }},
		{"somebody, then a referral for the rest", func(id int64) []byte {
			return append(message(id, nil, person), message(id, nil, result(5, 10))...)
		}},
		{"somebody, then the time limit", func(id int64) []byte { return append(message(id, nil, person), message(id, nil, result(5, 3))...) }},
		{"somebody, then busy", func(id int64) []byte { return append(message(id, nil, person), message(id, nil, result(5, 51))...) }},
		{"somebody, then nothing", func(id int64) []byte { return message(id, nil, person) }},
		{"somebody, then goodbye", func(id int64) []byte {
			return append(message(id, nil, person), message(0, nil, result(24, 52))...)
		}},
		{"pages without end and without entries", func(id int64) []byte { return message(id, pagingCookie("more"), result(5, 0)) }},
		{"an end with a broken control", func(id int64) []byte {
			controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
			controls.AppendChild(ber.NewSequence("nothing"))
			return append(message(id, nil, person), message(id, controls, result(5, 0))...)
		}},
		{"an end with a page that is none", func(id int64) []byte {
			control := ber.NewSequence("control")
			control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "1.2.840.113556.1.4.319", "type"))
			control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "nonsense", "value"))
			controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
			controls.AppendChild(control)
			return append(message(id, nil, person), message(id, controls, result(5, 0))...)
		}},
		{"an end without a code", func(id int64) []byte {
			return append(message(id, nil, person), message(id, nil, ber.Encode(ber.ClassApplication, ber.TypeConstructed, 5, nil, "end"))...)
		}},
		{"nobody at all", func(id int64) []byte { return message(id, nil, result(5, 0)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var searches atomic.Int64
			cfg := cfg
			cfg.URLs = []string{rogue(t, ca, func(id int64, op *ber.Packet) []byte {
				switch {
				case op.Tag == 0: // bind
					return message(id, nil, result(1, 0))
				case op.Tag == 3 && searches.Add(1) == 1: // what the server is
					root := entryOf("", map[string]string{"namingContexts": testenv.SlapdBase})
					return append(message(id, nil, root), message(id, nil, result(5, 0))...)
				case op.Tag == 3:
					return tt.answer(id)
				}
				return nil
			})}
			err := b.failsHarmlessly(t, newSource(t, cfg))
			t.Log(err)
			if searches.Load() < 2 {
				t.Errorf("only %d searches arrived", searches.Load())
			}
		})
	}
}

// TestSomebodyListedTwiceIsHandedOverOnce: a server may give an entry again that is moved while it is read in pages.
func TestSomebodyListedTwiceIsHandedOverOnce(t *testing.T) {
	ca := testenv.NewCA(t)
	const uuid = "04030201-0605-0807-0910-111213141516"
	var searches atomic.Int64
	url := rogue(t, ca, func(id int64, op *ber.Packet) []byte {
		switch {
		case op.Tag == 0:
			return message(id, nil, result(1, 0))
		case searches.Add(1) == 1:
			return append(message(id, nil, entryOf("", map[string]string{"namingContexts": testenv.SlapdBase})), message(id, nil, result(5, 0))...)
		case searches.Load() == 2:
			return append(message(id, nil, entryOf("uid=a,ou=here", map[string]string{"entryUUID": uuid, "uid": "a"})), message(id, pagingCookie("more"), result(5, 0))...)
		}
		return append(message(id, nil, entryOf("uid=a,ou=there", map[string]string{"entryUUID": uuid, "uid": "a"})), message(id, nil, result(5, 0))...)
	})
	s := newSource(t, Config{ID: "lab", URLs: []string{url}, CAFile: ca.File, BindDN: readerDN, BindPassword: password(t, readerPassword)})
	if all, err := readAll(t, s); err != nil || len(all) != 1 || searches.Load() != 3 {
		t.Errorf("%d people in %d searches, %v", len(all), searches.Load(), err)
	}
}

// TestFault_F11_what_never_ends_ends: a server that gives the same page for ever, or answers a short question with an endless one.
func TestFault_F11_what_never_ends_ends(t *testing.T) {
	ca := testenv.NewCA(t)
	root := entryOf("", map[string]string{"namingContexts": testenv.SlapdBase})
	person := entryOf("uid=a", map[string]string{"entryUUID": "04030201-0605-0807-0910-111213141516", "uid": "a"})
	long := entryOf("", map[string]string{"namingContexts": strings.Repeat("x", 9<<20)})
	for _, tt := range []struct {
		name, want string
		answer     func(id int64, search int) []byte
	}{
		{"the same page again and again", "more than 50", func(id int64, search int) []byte {
			if search == 1 {
				return append(message(id, nil, root), message(id, nil, result(5, 0))...)
			}
			return append(message(id, nil, person), message(id, pagingCookie("more"), result(5, 0))...)
		}},
		{"what the server is, for ever", "longer ones", func(id int64, _ int) []byte { return bytes.Repeat(message(id, nil, long), 4) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var searches atomic.Int64
			url := rogue(t, ca, func(id int64, op *ber.Packet) []byte {
				if op.Tag == 0 {
					return message(id, nil, result(1, 0))
				}
				return tt.answer(id, int(searches.Add(1)))
			})
			s := newSource(t, Config{ID: "lab", URLs: []string{url}, CAFile: ca.File, BindDN: readerDN, BindPassword: password(t, readerPassword), Timeout: 20 * time.Second})
			s.most = 50
			if all, err := readAll(t, s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d people, %v", len(all), err)
			}
			if n := searches.Load(); n > 60 {
				t.Errorf("%d searches", n)
			}
		})
	}
}
