package apiclient

import (
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/platenprint/platen/client/proxy"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
)

// tunnel is an HTTP proxy that connects every CONNECT to one address, whatever host it names. With credentials it wants them.
func tunnel(t *testing.T, to, credentials string) (proxy *url.URL, seen *atomic.Value) {
	t.Helper()
	seen = new(atomic.Value)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Method + " " + r.Host)
		if credentials != "" && r.Header.Get("Proxy-Authorization") != credentials {
			w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
			http.Error(w, "sign in", http.StatusProxyAuthRequired)
			return
		}
		if to == "" {
			http.Error(w, "not that one", http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", to)
		if err != nil {
			http.Error(w, "unreachable", http.StatusBadGateway)
			return
		}
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = there.Close()
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { // ends with the connections
			_, _ = io.Copy(there, here)
			_ = there.Close()
		}()
		_, _ = io.Copy(here, there)
		_ = here.Close()
	}))
	t.Cleanup(server.Close)
	return parse(t, server.URL), seen
}

// TestProxy goes through a real CONNECT proxy to a server whose name only the proxy can resolve.
func TestProxy(t *testing.T) {
	ca := newAuthority(t, "CA")
	named := newCert(t, "server", &ca, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"print.example.org"}, nil })
	var count atomic.Int64
	server := serve(t, chain(named, ca), platen(&count))
	file := pemFile(t, ca)

	through := func(t *testing.T, env map[string]string, caFile, caPin string) *Client {
		opts := options(t, &url.URL{Scheme: "https", Host: "print.example.org:8443"})
		opts.CAFile, opts.CAPin = caFile, caPin
		opts.Proxy = proxy.New(proxy.Options{Env: env, Clock: clock.System}).Func()
		c := client(t, opts)
		t.Cleanup(c.Close)
		return c
	}
	for name, settings := range map[string][2]string{"CAFile": {file, ""}, "pin": {"", ca.pin()}} {
		t.Run("the tunnel is used, also to learn the CA: "+name, func(t *testing.T) {
			via, seen := tunnel(t, server.Host, "")
			c := through(t, map[string]string{"HTTPS_PROXY": via.String()}, settings[0], settings[1])
			defer c.Close()
			if _, err := c.ClientConfig(t.Context()); err != nil {
				t.Fatal(err)
			}
			if seen.Load() != "CONNECT print.example.org:8443" {
				t.Errorf("the proxy saw %q", seen.Load())
			}
		})
	}
	t.Run("name and password of the environment open it", func(t *testing.T) {
		via, _ := tunnel(t, server.Host, "Basic YWxleDpodW50ZXIy")
		via.User = url.UserPassword("alex", "hunter2")
		c := through(t, map[string]string{"HTTPS_PROXY": via.String()}, file, "")
		defer c.Close()
		if _, err := c.ClientConfig(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	for _, tc := range []struct {
		name, to, credentials, want string
	}{
		{"the proxy wants a sign-in", server.Host, "Basic x", "wants a sign-in (407)"},
		{"the proxy forbids it", "", "", "refuses to connect (403 Forbidden)"},
		{"the proxy does not reach the server", "127.0.0.1:1", "", "refuses to connect (502 Bad Gateway)"},
	} {
		for name, settings := range map[string][2]string{"CAFile": {file, ""}, "pin": {"", ca.pin()}} {
			t.Run(tc.name+", "+name, func(t *testing.T) {
				via, _ := tunnel(t, tc.to, tc.credentials)
				via.User = url.UserPassword("alex", "hunter2")
				_, err := through(t, map[string]string{"HTTPS_PROXY": via.String()}, settings[0], settings[1]).ClientConfig(t.Context())
				e := failure(t, err)
				if e.Kind != KindProxy || e.Problem.Code != status.ProblemUnreachable || !strings.Contains(e.Error(), tc.want) || !strings.Contains(e.Error(), "HTTPS_PROXY") {
					t.Errorf("got %s: %v; want %q", e.Kind, e, tc.want)
				}
				if strings.Contains(e.Error(), "hunter2") {
					t.Errorf("the proxy's password is in: %v", e)
				}
			})
		}
	}
	t.Run("no proxy there", func(t *testing.T) {
		_, err := through(t, map[string]string{"HTTPS_PROXY": "http://alex:hunter2@127.0.0.1:1"}, file, "").ClientConfig(t.Context())
		if e := failure(t, err); e.Kind != KindProxy || strings.Contains(e.Error(), "hunter2") {
			t.Errorf("got %s: %v", e.Kind, e)
		}
	})
	t.Run("a proxy setting of no use", func(t *testing.T) {
		_, err := through(t, map[string]string{"HTTPS_PROXY": "http://alex:hunter2@%zz"}, file, "").ClientConfig(t.Context())
		if e := failure(t, err); e.Kind != KindProxy || strings.Contains(e.Error(), "hunter2") {
			t.Errorf("got %s: %v", e.Kind, e)
		}
	})
}
