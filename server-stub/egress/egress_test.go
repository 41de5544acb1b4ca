package egress

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve starts a server on loopback and returns its address with what it is signed by.
func serve(t *testing.T, h http.HandlerFunc) (address, ca string) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return srv.URL, ca
}

func get(t *testing.T, c *http.Client, address string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

func client(t *testing.T, ca string, configured ...string) *http.Client {
	t.Helper()
	c, err := New(Options{Configured: configured, CAFile: ca})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestThisComputerOnlyWhereTheConfigurationNamesIt(t *testing.T) {
	address, ca := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })
	other, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("another port was reached") })
	if text, err := get(t, client(t, ca, address+"/tenant"), address); err != nil || text != "here" {
		t.Errorf("%q, %v", text, err)
	}
	for _, target := range []string{other, strings.Replace(other, "127.0.0.1", "localhost", 1), "https://[::1]:9", "https://169.254.169.254/latest", "https://0.0.0.0:1"} {
		if _, err := get(t, client(t, ca, address, "https://login.example.org"), target); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func TestANameThatResolvesToThisComputer(t *testing.T) {
	c := client(t, "", "https://localhost.example.org")
	g, ok := c.Transport.(*gate)
	if !ok {
		t.Fatal("no gate")
	}
	// What a resolver answers for a name arrives at dial as the address to connect to.
	if _, err := g.dial(t.Context(), "tcp", "127.0.0.1:9"); !errors.Is(err, ErrBlocked) {
		t.Errorf("%v", err)
	}
}

func TestBlockedAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "127.8.8.8": true, "::1": true, "::ffff:127.0.0.1": true, "169.254.169.254": true, "fe80::1": true, "224.0.0.1": true, "ff02::1": true,
		"0.0.0.0": true, "::": true, "0.1.2.3": true, "64:ff9b::7f00:1": true, "fd00:ec2::254": true, "255.255.255.255": true, "100.100.100.200": true,
		"::127.0.0.1": true, "2002:7f00:1::": true, "2001:0:4136:e378:8000:63bf:80ff:fffe": true, "168.63.129.16": true, "fd20:ce::254": true,
		"20.190.128.1": false, "10.0.0.7": false, "192.168.1.1": false, "2603:1006:2000::1": false, "2001:4860:4860::8888": false, "168.63.129.17": false,
	} {
		if got := Blocked(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !Blocked(netip.Addr{}) {
		t.Error("no address is let pass")
	}
}

func TestRedirects(t *testing.T) {
	var address string
	elsewhere, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("another host was reached") })
	address, ca := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/other":
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		case "/http":
			http.Redirect(w, r, strings.Replace(address, "https", "http", 1), http.StatusFound)
		default:
			_, _ = io.WriteString(w, "end")
		}
	})
	c := client(t, ca, address, elsewhere)
	if text, err := get(t, c, address+"/same"); err != nil || text != "end" {
		t.Errorf("%q, %v", text, err)
	}
	for _, path := range []string{"/loop", "/other", "/http"} {
		if _, err := get(t, c, address+path); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestHTTPIsRefused(t *testing.T) {
	for _, address := range []string{"http://login.example.org", "https://user:pass@login.example.org"} {
		if _, err := get(t, client(t, ""), address); !errors.Is(err, ErrBlocked) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestALongAnswerIsAnError(t *testing.T) {
	size := MaxBody
	address, ca := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
	if text, err := get(t, client(t, ca, address), address); err != nil || len(text) != MaxBody {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	size++
	if _, err := get(t, client(t, ca, address), address); err == nil {
		t.Error("one byte more was accepted")
	}
}

func TestACallerMayAllowMore(t *testing.T) {
	const most = 3 * MaxBody
	size := most
	address, ca := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", size)) })
	c, err := New(Options{Configured: []string{address}, CAFile: ca, MaxBody: most, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	if text, err := get(t, c, address); err != nil || len(text) != most {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	size++
	if _, err := get(t, c, address); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("one byte more: %v", err)
	}
	g, ok := c.Transport.(*gate)
	if !ok || c.Timeout != time.Minute {
		t.Fatalf("%T, %v", c.Transport, c.Timeout)
	}
	if next, ok := g.next.(*http.Transport); !ok || next.ResponseHeaderTimeout != time.Minute {
		t.Error("the head of an answer must come within the old limit")
	}
}

func TestTimeIsLimited(t *testing.T) {
	c := client(t, "")
	if c.Timeout != Timeout {
		t.Errorf("%v", c.Timeout)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://192.0.2.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err == nil {
		_ = res.Body.Close()
		t.Error("a request without time was made")
	}
}

func TestABadCAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ca.pem")
	if _, err := New(Options{CAFile: name}); err == nil {
		t.Error("a missing file was accepted")
	}
	if err := os.WriteFile(name, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{CAFile: name}); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("%v", err)
	}
}
