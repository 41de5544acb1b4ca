package ldap

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/platenprint/platen/internal/testenv"
)

// inParts is a server in front of the one of cfg that gives at most n members of a group in an answer, as Windows gives 1500.
func inParts(t *testing.T, cfg Config, n int) (urls []string, caFile string) {
	t.Helper()
	pool, err := readCAs(cfg.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(cfg.URLs[0], "ldaps://")
	ca := testenv.NewCA(t)
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
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := tls.Dial("tcp", net.JoinHostPort(host, "636"), &tls.Config{RootCAs: pool, ServerName: host})
			if err != nil {
				t.Error(err)
				_ = client.Close()
				return
			}
			all.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
			all.Go(func() {
				defer server.Close()
				for {
					request, err := ber.ReadPacket(client)
					if err != nil {
						return
					}
					if _, err := server.Write(rebuilt(request, n).Bytes()); err != nil {
						return
					}
				}
			})
		}
	})
	return []string{"ldaps://" + listener.Addr().String()}, ca.File
}

// rebuilt copies a request and asks for n members where it asks for all.
func rebuilt(p *ber.Packet, n int) *ber.Packet {
	if p.TagType == ber.TypePrimitive {
		text := p.Data.Bytes()
		var from int
		switch {
		case bytes.Equal(text, []byte("member")):
			text = fmt.Appendf(nil, "member;range=0-%d", n-1)
		case bytes.HasPrefix(text, []byte("member;range=")):
			if _, err := fmt.Sscanf(string(text), "member;range=%d-*", &from); err == nil {
				text = fmt.Appendf(nil, "member;range=%d-%d", from, from+n-1)
			}
		}
		return ber.NewString(p.ClassType, p.TagType, p.Tag, string(text), "")
	}
	out := ber.Encode(p.ClassType, p.TagType, p.Tag, nil, "")
	for _, child := range p.Children {
		out.AppendChild(rebuilt(child, n))
	}
	return out
}
