package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/datadir"
)

func (f *fixture) devices(t *testing.T) *Devices {
	t.Helper()
	d, err := OpenDevices(f.dir, f.keys, f.clock(), f.logger)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func csr(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// enrol issues a certificate for a new key.
func enrol(t *testing.T, d *Devices, id string) (tls.Certificate, DeviceCertificate) {
	t.Helper()
	key := newKey(t)
	r, err := ParseRequest(csr(t, key))
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Issue(r, id)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(c.PEM))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, c
}

func TestADeviceCertificateNamesItsDevice(t *testing.T) {
	f := newFixture(t)
	d := f.devices(t)
	cert, issued := enrol(t, d, "dev1")
	got, err := d.Verify(cert.Leaf)
	if err != nil || got.Device != "dev1" || got.Serial != issued.Serial || got.KeyHash != issued.KeyHash {
		t.Errorf("Verify = %+v, %v, want what was issued: %+v", got, err, issued)
	}
	if uri := cert.Leaf.URIs[0].String(); uri != "urn:platen:device:dev1" {
		t.Errorf("URI %s", uri)
	}
	if days := cert.Leaf.NotAfter.Sub(start).Hours() / 24; days != 90 {
		t.Errorf("valid %v days, want 90", days)
	}
	for after, want := range map[time.Duration]bool{0: false, 60*24*time.Hour - time.Second: false, 60 * 24 * time.Hour: true} {
		if got.RenewDue(start.Add(after)) != want {
			t.Errorf("after %v RenewDue is not %v", after, want)
		}
	}
	if _, err := d.Issue(Request{key: &newKey(t).PublicKey}, ""); err == nil {
		t.Error("a certificate for nobody")
	}
}

func TestTheDeviceCAIsKeptSealedAndIsNotTheServers(t *testing.T) {
	f := newFixture(t)
	o, d := f.open(t, "localhost"), f.devices(t)
	if d.Pin() == o.CAPin() {
		t.Error("one CA for servers and devices")
	}
	if again := f.devices(t); again.Pin() != d.Pin() {
		t.Error("another CA after a restart")
	}
	der, err := d.ca.keyDER()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := f.dir.Read(datadir.DeviceCAKey)
	if err != nil || strings.Contains(string(kept), string(der[20:60])) {
		t.Errorf("the key of the device CA is not sealed: %v", err)
	}
	if err := os.Remove(f.dir.File(datadir.DeviceCAKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDevices(f.dir, f.keys, f.clock(), f.logger); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("without its key: %v", err)
	}
}

// EKUs are enforced both ways: what is of one kind is worth nothing as the other.
func TestAServerIsNoDeviceAndADeviceNoServer(t *testing.T) {
	f := newFixture(t)
	o, d := f.open(t, "localhost"), f.devices(t)
	server, err := o.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Verify(server.Leaf); err == nil {
		t.Error("the server's certificate names a device")
	}
	// A server's certificate that the device CA itself had signed: its usage, and the CA's, speak against it.
	asServer, err := newServer(d.ca, []string{"localhost"}, start)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Verify(asServer.cert); err == nil {
		t.Error("a server's certificate of the device CA names a device")
	}
	device, _ := enrol(t, d, "localhost")
	for name, cert := range map[string]*x509.Certificate{"a device": device.Leaf, "a server of the device CA": asServer.cert} {
		_, err := cert.Verify(x509.VerifyOptions{Roots: d.pool, CurrentTime: start, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		if err == nil {
			t.Errorf("%s may be a server", name)
		}
	}
	// A certificate of the device CA that is more than ours are.
	both := *device.Leaf
	both.ExtKeyUsage = append(both.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	if _, err := d.Verify(&both); err == nil {
		t.Error("a certificate with two usages is taken")
	}
}

func TestWhatIsNoCertificateRequest(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := csr(t, newKey(t))
	block, _ := pem.Decode([]byte(good))
	forged := append([]byte(nil), block.Bytes...)
	forged[len(forged)-1] ^= 1
	for name, text := range map[string]string{
		"nothing": "", "no PEM": "x", "P-384": csr(t, p384), "RSA": csr(t, rsaKey), "two": good + good, "too long": good + strings.Repeat(" ", maxCSR),
		"another kind": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})),
		"forged":       string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: forged})),
	} {
		if _, err := ParseRequest(text); !errors.Is(err, ErrCSR) {
			t.Errorf("%s: %v, want ErrCSR", name, err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := ParseRequest(text); err == nil && (r.key == nil || r.KeyHash == [32]byte{}) {
			t.Error("a request without a key")
		}
	})
}

func TestFingerprintIsForPeople(t *testing.T) {
	if got := Fingerprint([32]byte{0xab, 0xcd, 0x01}); got != "abcd-0100-0000-0000-0000-0000-0000-0000" {
		t.Errorf("Fingerprint = %s", got)
	}
}

// dialDevice shakes hands with the device listener and reads one byte, which in TLS 1.3 tells whether the server took the
// certificate.
func dialDevice(addr string, config *tls.Config) (tls.ConnectionState, error) {
	c, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte("x")); err != nil {
		return tls.ConnectionState{}, err
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		return tls.ConnectionState{}, err
	}
	return c.ConnectionState(), nil
}

func TestFault_F18_TheHandshakeRefusesWhatTheDeviceCADidNotSignOrIsOver(t *testing.T) {
	f := newFixture(t)
	o, d := f.open(t, "localhost"), f.devices(t)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", DeviceTLSConfig(o, d))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	go echo(ln)
	roots := x509.NewCertPool()
	roots.AddCert(o.ca.cert)
	good, _ := enrol(t, d, "dev1")
	foreign, _ := enrol(t, newFixture(t).devices(t), "dev1")
	server, err := o.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.now = start.Add(-DeviceValid - 2*time.Hour)
	expired, _ := enrol(t, d, "dev1")
	f.now = start
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, tt := range map[string]struct {
			certs []tls.Certificate
			works bool
		}{
			"none": {nil, true}, "ours": {[]tls.Certificate{good}, true}, "another CA's": {[]tls.Certificate{foreign}, false},
			"expired": {[]tls.Certificate{expired}, false}, "the server's": {[]tls.Certificate{*server}, false},
		} {
			config := &tls.Config{
				RootCAs: roots, ServerName: "localhost", MinVersion: version, MaxVersion: version, Time: f.clock(),
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if len(tt.certs) == 0 {
						return &tls.Certificate{}, nil
					}
					return &tt.certs[0], nil // whatever the server says it wants
				},
				ClientSessionCache: tls.NewLRUClientSessionCache(4),
			}
			for range 2 {
				state, err := dialDevice(ln.Addr().String(), config)
				if (err == nil) != tt.works {
					t.Errorf("%s, %s: %v", tls.VersionName(version), name, err)
				}
				if state.DidResume { // R-TLS-2
					t.Errorf("%s, %s: a session was resumed", tls.VersionName(version), name)
				}
			}
		}
	}
}

func echo(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			b := make([]byte, 1)
			if _, err := c.Read(b); err == nil {
				_, _ = c.Write(b)
			}
			_ = c.Close()
		}()
	}
}
