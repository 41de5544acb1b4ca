package install

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/server-stub/admin"
)

// printHost is the server's name in the DNS of the test's network.
const printHost = "print.example.org"

// discovered rolls the package out without any setting: the network's DNS names the server, whose certificate the computer knows.
// Nothing of the person goes there before they have said that it is theirs, and the service never makes the computer its device.
func (c *computer) discovered(t *testing.T) {
	port := freePort(t)
	nameserver(t, "127.0.0.99:53", port)
	s := startSite(t, "127.0.0.1:"+port, "public_url: https://"+printHost+":"+port+"\n")
	ca := read(t, s.status.CAFile)
	// The system trusts the organisation's CA, and asks its DNS: all of /etc is this process's own.
	for path, text := range map[string]string{
		"/etc/ssl/certs/ca-certificates.crt": ca,
		"/etc/resolv.conf":                   "nameserver 127.0.0.99\nsearch example.org\noptions timeout:1 attempts:3\n",
	} {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) { // a link, perhaps
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const password = "correct horse battery"
	user := sam.Name + "@example.org"
	given := password
	call(t, s, admin.VerbUserSet, admin.UserSet{User: user, Password: &given}, &admin.UserDetails{})

	ctx := t.Context()
	n, err := c.here.Install(ctx, c.packages, stage.RollOut{Package: c.deb, Account: sam, Balance: balance}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.StartService(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	platen := func(stdin string, args ...string) (string, error) {
		return n.Login.Command(ctx, n.Env, stdin, "/usr/bin/platen", args...)
	}
	if err := stage.Until(ctx, time.Minute, "the question whether the server is theirs", func() (bool, string) {
		said, err := platen("", "status")
		return strings.Contains(said, printHost), said + errorText(err)
	}); err != nil {
		t.Fatal(err)
	}
	if said, err := platen(password+"\n", "sign-in", "--username", user, "--password-stdin"); err == nil {
		t.Errorf("signed in at a server that nobody has confirmed: %s", said)
	}
	if sessions(t, s, user) != 0 || strings.Contains(s.log.String(), sam.Name) {
		t.Error("the server has heard of the person")
	}
	if said, err := platen("", "confirm-server", "--yes"); err != nil || !strings.Contains(said, printHost) {
		t.Fatalf("confirm-server: %s%s", said, errorText(err))
	}
	if said, err := platen(password+"\n", "sign-in", "--username", user, "--password-stdin"); err != nil {
		t.Fatalf("sign-in: %s%s", said, errorText(err))
	}
	if err := n.UntilBalance(ctx); err != nil {
		t.Error(err)
	}
	if sessions(t, s, user) != 1 {
		t.Error("there is no session")
	}
	var list admin.Devices
	call(t, s, admin.VerbDeviceList, admin.DeviceList{}, &list)
	if len(list.Devices) != 0 {
		t.Errorf("a server that no administrator named has devices: %+v", list)
	}
	c.purge(t)
	if err := n.StopService(); err != nil {
		t.Error(err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return " " + err.Error()
}

func sessions(t *testing.T, s *site, user string) int {
	t.Helper()
	var d admin.UserDetails
	call(t, s, admin.VerbUserShow, admin.UserRef{User: user}, &d)
	return len(d.Sessions)
}

// nameserver is the DNS of the test's network: it knows the server and where it listens.
func nameserver(t *testing.T, address, port string) {
	t.Helper()
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", address)
	if err != nil {
		t.Fatalf("another name server takes all loopback addresses here: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	target := dnsmessage.MustNewName(printHost + ".")
	answer := func(m *dnsmessage.Message) {
		q := m.Questions[0]
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: 60}
		known := false
		var body dnsmessage.ResourceBody
		switch name := strings.ToLower(q.Name.String()); {
		case name == "_platen._tcp.example.org." && q.Type == dnsmessage.TypeSRV:
			body = &dnsmessage.SRVResource{Port: uint16(number), Target: target}
		case name == target.String():
			known = true
			if q.Type == dnsmessage.TypeA {
				body = &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}
			}
		}
		switch {
		case body != nil:
			m.Answers = []dnsmessage.Resource{{Header: header, Body: body}}
		case !known:
			m.RCode = dnsmessage.RCodeNameError
		}
	}
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			answer(&m)
			if text, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(text, from)
			}
		}
	}()
}
