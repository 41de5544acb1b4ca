package pki

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type fixture struct {
	dir    *datadir.Dir
	keys   *keys.Keys
	now    time.Time
	logger *slog.Logger
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	d, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	k, err := keys.Create(d)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{dir: d, keys: k, now: start, logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func (f *fixture) clock() clock.Clock { return func() time.Time { return f.now } }

func (f *fixture) open(t *testing.T, names ...string) *Own {
	t.Helper()
	o, err := OpenOwn(f.dir, f.keys, f.clock(), f.logger, names)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// verify checks the certificate in use as a client does that has the CA file.
func (f *fixture) verify(o *Own, name string) error {
	caPEM, err := os.ReadFile(o.CAFile())
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(caPEM)
	cert, err := o.GetCertificate(nil)
	if err != nil {
		return err
	}
	_, err = cert.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, CurrentTime: f.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

func TestFirstStartMakesACAThatClientsCanTrust(t *testing.T) {
	f := newFixture(t)
	o := f.open(t, "print.example.org", "10.0.0.7", "::1")
	for _, name := range []string{"print.example.org", "PRINT.example.org", "10.0.0.7", "::1"} {
		if err := f.verify(o, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.verify(o, "other.example.org"); err == nil {
		t.Error("the certificate speaks for a name it was not given")
	}
	cert, _ := o.GetCertificate(nil)
	if days := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore).Hours() / 24; days > 825 {
		t.Errorf("the certificate is valid %.0f days, more than 825", days)
	}
	if len(cert.Certificate) != 2 {
		t.Fatalf("the handshake sends %d certificates, want server and CA", len(cert.Certificate))
	}
	sent, err := x509.ParseCertificate(cert.Certificate[1])
	if err != nil || api.PinOf(sent) != o.CAPin() {
		t.Errorf("the CA sent in the handshake is not the pinned one: %v", err)
	}
}

func TestKeysAreSealedOnTheDisk(t *testing.T) {
	f := newFixture(t)
	o := f.open(t, "localhost")
	der, err := o.ca.keyDER()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(f.dir.Path())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		contents, err := f.dir.Read(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(contents, der) || bytes.Contains(contents, []byte("PRIVATE KEY")) {
			t.Errorf("%s has a key in clear", e.Name())
		}
	}
}

func TestRestartKeepsCAAndCertificate(t *testing.T) {
	f := newFixture(t)
	first := f.open(t, "localhost")
	again := f.open(t, "localhost")
	if first.CAPin() != again.CAPin() {
		t.Error("the CA changed")
	}
	a, _ := first.GetCertificate(nil)
	b, _ := again.GetCertificate(nil)
	if !a.Leaf.Equal(b.Leaf) {
		t.Error("the certificate changed without need")
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	for name, change := range map[string]func(f *fixture) []string{
		"when fewer than 30 days are left": func(f *fixture) []string { f.now = start.Add(serverValid - renewBefore + time.Hour); return nil },
		"when it is over":                  func(f *fixture) []string { f.now = start.Add(serverValid + time.Hour); return nil },
		"when a name is added":             func(*fixture) []string { return []string{"new.example.org"} },
		"when the certificate is damaged":  func(f *fixture) []string { _ = f.dir.Write(datadir.ServerCert, []byte("x"), 0o444); return nil },
		"when the key is gone":             func(f *fixture) []string { _ = f.dir.Remove(datadir.ServerKey); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			before := f.open(t, "localhost")
			old, _ := before.GetCertificate(nil)
			names := append([]string{"localhost"}, change(f)...)
			after := f.open(t, names...)
			renewed, _ := after.GetCertificate(nil)
			if renewed.Leaf.Equal(old.Leaf) {
				t.Error("it is still the old certificate")
			}
			if before.CAPin() != after.CAPin() {
				t.Error("the CA changed with it")
			}
			for _, n := range names {
				if err := f.verify(after, n); err != nil {
					t.Errorf("%s: %v", n, err)
				}
			}
		})
	}
}

func TestNamesOnceGivenAreKept(t *testing.T) {
	f := newFixture(t)
	f.open(t, "old.example.org")
	o := f.open(t, "new.example.org")
	for _, name := range []string{"old.example.org", "new.example.org"} {
		if err := f.verify(o, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACAThatCannotBeUsedIsNeverReplacedSilently(t *testing.T) {
	for name, spoil := range map[string]func(*fixture){
		"key missing":        func(f *fixture) { _ = f.dir.Remove(datadir.CAKey) },
		"key damaged":        func(f *fixture) { _ = f.dir.Write(datadir.CAKey, []byte("x"), 0o400) },
		"certificate broken": func(f *fixture) { _ = f.dir.Write(datadir.CACert, []byte("x"), 0o444) },
		"another master key": func(f *fixture) { _ = f.dir.Remove(datadir.MasterKey); f.keys, _ = keys.Create(f.dir) },
		"clock years behind": func(f *fixture) { f.now = start.AddDate(-5, 0, 0) },
		"clock far ahead":    func(f *fixture) { f.now = start.AddDate(11, 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.open(t, "localhost")
			before, _ := f.dir.Read(datadir.CACert)
			spoil(f)
			spoilt, _ := f.dir.Read(datadir.CACert)
			if _, err := OpenOwn(f.dir, f.keys, f.clock(), f.logger, []string{"localhost"}); err == nil {
				t.Error("it started all the same")
			} else if !strings.Contains(err.Error(), "ca.pem") {
				t.Errorf("the error names no file: %v", err)
			}
			after, _ := f.dir.Read(datadir.CACert)
			if !bytes.Equal(after, spoilt) {
				t.Error("ca.pem was changed")
			}
			_ = before
		})
	}
}

func TestGivenCertificateIsReloadedWhenItChanges(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write := func(at time.Time) identity {
		t.Helper()
		ca, err := newCA(start)
		if err != nil {
			t.Fatal(err)
		}
		id, err := newServer(ca, []string{"localhost"}, start)
		if err != nil {
			t.Fatal(err)
		}
		writePair(t, certFile, keyFile, id, ca, at)
		return id
	}
	first := write(start)
	g, err := OpenGiven(certFile, keyFile, f.clock(), f.logger)
	if err != nil {
		t.Fatal(err)
	}
	second := write(start.Add(time.Minute))
	if got, _ := g.GetCertificate(nil); !got.Leaf.Equal(first.cert) {
		t.Error("changed before Check")
	}
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	if got, _ := g.GetCertificate(nil); !got.Leaf.Equal(second.cert) {
		t.Error("the new certificate is not in use")
	}
	if err := os.WriteFile(certFile, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.Check(); err == nil || !strings.Contains(err.Error(), "tls_cert") {
		t.Errorf("Check of a broken file: %v", err)
	}
	if got, _ := g.GetCertificate(nil); !got.Leaf.Equal(second.cert) {
		t.Error("the certificate in use was lost")
	}
}

func TestHandshakeRefusesOldTLS(t *testing.T) {
	f := newFixture(t)
	o := f.open(t, "localhost")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", TLSConfig(o))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c); _ = c.Close() }()
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(o.ca.cert)
	for version, works := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: version, MaxVersion: version, Time: f.clock()})
		if (err == nil) != works {
			t.Errorf("%s: %v, want it to work: %v", tls.VersionName(version), err, works)
		}
		if c != nil {
			_ = c.Close()
		}
	}
}

type resolver struct{ name string }

func (r resolver) LookupCNAME(ctx context.Context, _ string) (string, error) {
	if r.name == "hang" {
		<-ctx.Done()
		return "", ctx.Err()
	}
	if r.name == "" {
		return "", &net.DNSError{IsNotFound: true}
	}
	return r.name, nil
}

func TestNames(t *testing.T) {
	public := &url.URL{Scheme: "https", Host: "Print.Example.org:443"}
	local := []string{"localhost", "127.0.0.1", "::1"}
	tests := []struct {
		name, listen, hostname string
		public                 *url.URL
		resolver               string
		want                   []string
	}{
		{name: "any address", listen: ":8443", want: local},
		{name: "unspecified", listen: "0.0.0.0:8443", want: local},
		{name: "an address", listen: "10.1.2.3:8443", want: append([]string{"10.1.2.3"}, local...)},
		{name: "all of them", listen: "srv:8443", hostname: "SRV1", public: public, resolver: "srv1.example.org.", want: append([]string{"srv", "print.example.org", "srv1", "srv1.example.org"}, local...)},
		{name: "no DNS", listen: ":1", hostname: "srv1", resolver: "hang", want: append([]string{"srv1"}, local...)},
		{name: "a host name no certificate can carry", listen: ":1", hostname: "srv one", want: local},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Names(t.Context(), tt.listen, tt.hostname, tt.public, resolver{tt.resolver})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func writePair(t *testing.T, certFile, keyFile string, id, ca identity, at time.Time) {
	t.Helper()
	der, err := id.keyDER()
	if err != nil {
		t.Fatal(err)
	}
	for name, contents := range map[string][]byte{certFile: append(id.certPEM(), ca.certPEM()...), keyFile: keyPEM(der)} {
		err := errors.Join(os.WriteFile(name, contents, 0o600), os.Chtimes(name, at, at))
		if err != nil {
			t.Fatal(err)
		}
	}
}

func keyPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
