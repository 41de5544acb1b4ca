package sources

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/api"
)

const (
	onePin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	asked1 = "https://print.example.org/.well-known/platen"
)

// site is a web server that has the certificate of print.example.org, and a transport that finds it there.
func site(t *testing.T, believed bool, answer http.HandlerFunc) *http.Transport {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"print.example.org"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(answer)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	if believed {
		roots.AddCert(cert)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, _, _ := net.SplitHostPort(address); !strings.HasPrefix(host, "print.") || host == "print.lab.example.org" {
				return nil, &net.DNSError{Err: "no such host", Name: address, IsNotFound: true}
			}
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == api.PathWellKnown {
			_, _ = w.Write([]byte(text))
		}
	}
}

func TestE9_TheDomainTellsTheServer(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   Found
	}{
		"itself":                {says(`{"product":"platen","v":1,"version":"1","ca_pins":["` + onePin + `"]}`), Found{"https://print.example.org", "", asked1}},
		"another, with its pin": {says(`{"product":"platen","v":1,"version":"1","server_url":"https://p.example.org:8443","ca_pins":["` + onePin + `"]}`), Found{"https://p.example.org:8443", onePin, asked1}},
		"the same, by its port": {says(`{"product":"platen","v":1,"version":"1","server_url":"https://PRINT.example.org.:443","ca_pins":["` + onePin + `"]}`), Found{"https://PRINT.example.org.:443", "", asked1}},
		// print.example.org says nothing about the servers of others: its pin for one of those would put somebody in their place.
		"somebody else's, with a pin": {says(`{"product":"platen","v":1,"version":"1","server_url":"https://print.example.net:8443","ca_pins":["` + onePin + `"]}`), Found{"https://print.example.net:8443", "", asked1}},
		"one that sounds the same":    {says(`{"product":"platen","v":1,"version":"1","server_url":"https://printexample.org:8443","ca_pins":["` + onePin + `"]}`), Found{"https://printexample.org:8443", "", asked1}},
		"the domain itself":           {says(`{"product":"platen","v":1,"version":"1","server_url":"https://EXAMPLE.org:8443","ca_pins":["` + onePin + `"]}`), Found{"https://EXAMPLE.org:8443", onePin, asked1}},
		"another, public":             {says(`{"product":"platen","v":1,"version":"1","server_url":"https://p.example.org"}`), Found{"https://p.example.org", "", asked1}},
		"another product":             {says(`{"product":"other","v":1}`), Found{"", "", asked1}},
		"a later version":             {says(`{"product":"platen","v":2,"server_url":"https://p.example.org"}`), Found{"", "", asked1}},
		"a pin that is none":          {says(`{"product":"platen","v":1,"server_url":"https://p.example.org","ca_pins":["x"]}`), Found{"", "", asked1}},
		"too long":                    {says(`{"product":"platen","v":1,"version":"` + strings.Repeat("x", api.MaxWellKnown) + `"}`), Found{"", "", asked1}},
		"a page":                      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome")) }, Found{"", "", asked1}},
		"sends us elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://print.evil.test/x", http.StatusFound)
		}, Found{"", "", asked1}},
		"sends us to plain http": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://print.example.org/x", http.StatusFound)
		}, Found{"", "", asked1}},
		"sends us in a circle": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, Found{"", "", asked1}},
		"sends us within itself": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == api.PathWellKnown {
				http.Redirect(w, r, "/platen.json", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"product":"platen","v":1,"version":"1"}`))
		}, Found{"https://print.example.org", "", asked1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := Web{Names: []string{"lab.example.org", "org", "Example.org"}, Transport: site(t, true, tc.answer)}
			got, err := w.Discover(t.Context())
			if err != nil || got != tc.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
	t.Run("a certificate that nobody knows", func(t *testing.T) {
		w := Web{Names: []string{"example.org"}, Transport: site(t, false, says(`{"product":"platen","v":1,"version":"1"}`))}
		if got, err := w.Discover(t.Context()); err == nil || got.ServerURL != "" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestRedirectsStayWhereTheyBegan(t *testing.T) {
	request := func(address string) *http.Request {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := request("https://print.example.org/a")
	for address, follow := range map[string]bool{
		"https://print.example.org/b": true, "http://print.example.org/b": false, "https://print.example.org:8443/b": false,
		"https://print.example.org.evil.example/b": false, "https://evil.example/b": false,
	} {
		if err := SameHost(request(address), []*http.Request{first}); (err == nil) != follow {
			t.Errorf("%s: %v", address, err)
		}
	}
	if SameHost(request("https://print.example.org/z"), []*http.Request{first, first, first, first}) == nil {
		t.Error("it goes on for ever")
	}
}

// silent never answers.
type silent struct{}

func (silent) Discover(ctx context.Context) (Found, error) {
	<-ctx.Done()
	return Found{}, ctx.Err()
}

type fixedServer string

func (s fixedServer) Discover(context.Context) (Found, error) {
	return Found{ServerURL: string(s)}, nil
}

func TestTheDNSIsStrongerThanTheWebAndNeitherWaitsForTheOther(t *testing.T) {
	const dns, web = fixedServer("https://dns.example.org"), fixedServer("https://web.example.org")
	for name, tc := range map[string]struct {
		dns, web Discovery
		want     string
		fails    bool
	}{
		"both":     {dns, web, string(dns), false},
		"DNS only": {dns, silent{}, string(dns), false},
		"web only": {fixedServer(""), web, string(web), false},
		"neither":  {fixedServer(""), fixedServer(""), "", false},
		"no time":  {silent{}, web, string(web), false},
		"silence":  {silent{}, silent{}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			got, err := Network{tc.dns, tc.web}.Discover(ctx)
			if got.ServerURL != tc.want || (err != nil) != tc.fails {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
