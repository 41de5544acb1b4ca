package sources

import (
	"context"
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameserver answers SRV questions about one name on a loopback port, and says that all others do not exist.
func nameserver(t *testing.T, name string, records ...dnsmessage.SRVResource) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			question := m.Questions[0]
			m.Header.Response, m.Additionals = true, nil
			if question.Name.String() == name && question.Type == dnsmessage.TypeSRV {
				for i := range records {
					header := dnsmessage.ResourceHeader{Name: question.Name, Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET, TTL: 60}
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &records[i]})
				}
			} else {
				m.Header.RCode = dnsmessage.RCodeNameError
			}
			if text, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(text, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// TestDiscoveryWithRealDNS asks a name server over the network, with Go's own resolver.
func TestDiscoveryWithRealDNS(t *testing.T) {
	address := nameserver(
		t, "_platen._tcp.example.org.",
		dnsmessage.SRVResource{Priority: 20, Port: 443, Target: dnsmessage.MustNewName("spare.example.org.")},
		dnsmessage.SRVResource{Priority: 10, Port: 8443, Target: dnsmessage.MustNewName("print.example.org.")},
	)
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", address)
	}}
	values, warnings := Find(t.Context(), Set{Discovery: Domains{resolver, []string{"lab.example.org", "example.org"}}})
	if len(warnings) != 0 {
		t.Fatalf("warnings %v", warnings)
	}
	if v := values.Get("ServerURL"); v.Text != "https://print.example.org:8443" || !v.Origin.Unconfirmed() {
		t.Errorf("got %v, want the record of the better priority", v)
	}
}
