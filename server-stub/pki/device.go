package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/keys"
)

const (
	// DeviceValid is how long a device's certificate lasts; it is renewed from DeviceRenewFrom of its life on.
	DeviceValid = 90 * 24 * time.Hour
	// devicePurpose is what the device CA's key is sealed for.
	devicePurpose = "device pki"
	// deviceURN begins the name of a device in its certificate.
	deviceURN = "urn:platen:device:"
	// maxCSR bounds what is parsed at all.
	maxCSR = 8 << 10
)

// Devices is the certificate authority of devices. It is another one than the server's own: a certificate of the one is worth
// nothing where the other is asked for. Safe for concurrent use.
type Devices struct {
	ca   identity
	pool *x509.CertPool
	now  clock.Clock
}

// DeviceCertificate is what a device shows.
type DeviceCertificate struct {
	Device    string // the device's id
	Serial    string // hexadecimal
	KeyHash   [32]byte
	NotBefore time.Time
	NotAfter  time.Time
	PEM       string // with the CA's; only of a new one
}

// RenewDue tells whether two thirds of the certificate's life are over.
func (c DeviceCertificate) RenewDue(now time.Time) bool {
	return !now.Before(c.NotBefore.Add(skew).Add(DeviceValid * 2 / 3))
}

// OpenDevices loads the device CA from d, and makes it on the first start.
func OpenDevices(d *datadir.Dir, k *keys.Keys, now clock.Clock, logger *slog.Logger) (*Devices, error) {
	f := &caFiles{dir: d, keys: k, certFile: datadir.DeviceCACert, keyFile: datadir.DeviceCAKey, purpose: devicePurpose}
	ca, err := f.open(func() (identity, error) { return newDeviceCA(now()) }, logger)
	if err != nil {
		return nil, err
	}
	if t := now(); t.Before(ca.cert.NotBefore) || t.After(ca.cert.NotAfter) {
		return nil, fmt.Errorf("use the device CA in %s: it is valid from %s to %s, but this computer's clock says %s; set the clock, or remove %s and %s: then every device must enrol anew",
			d.File(datadir.DeviceCACert), ca.cert.NotBefore.Format(time.RFC3339), ca.cert.NotAfter.Format(time.RFC3339), t.Format(time.RFC3339),
			datadir.DeviceCACert, datadir.DeviceCAKey)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return &Devices{ca: ca, pool: pool, now: now}, nil
}

// newDeviceCA makes a certificate authority that may sign clients only (RFC 5280 section 4.2.1.12: the extended usage of a CA
// limits what it signs, which Go and OpenSSL enforce).
func newDeviceCA(now time.Time) (identity, error) {
	return issue(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "Platen device CA " + now.Format(time.DateOnly)},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(caValid),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, nil)
}

// Pin names the device CA.
func (d *Devices) Pin() api.Pin { return api.PinOf(d.ca.cert) }

// ErrCSR says that a request for a certificate cannot be used.
var ErrCSR = errors.New("the certificate request must be PEM, PKCS #10, with an ECDSA P-256 key, signed by that key")

// Request is a checked request for a certificate: whoever sent it has the key.
type Request struct {
	key     *ecdsa.PublicKey
	KeyHash [32]byte // SHA-256 of the SubjectPublicKeyInfo
}

// ParseRequest reads a certificate request (PEM, RFC 2986) and checks its signature. Nothing but the key is taken from it.
func ParseRequest(text string) (Request, error) {
	if len(text) > maxCSR {
		return Request{}, ErrCSR
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || strings.TrimSpace(string(rest)) != "" {
		return Request{}, ErrCSR
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || csr.CheckSignature() != nil {
		return Request{}, ErrCSR
	}
	key, ok := csr.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return Request{}, ErrCSR
	}
	return Request{key: key, KeyHash: api.PinOf(&x509.Certificate{RawSubjectPublicKeyInfo: csr.RawSubjectPublicKeyInfo})}, nil
}

// Fingerprint is a key's hash for people to compare: eight groups of four hexadecimal digits, 128 bits.
func Fingerprint(keyHash [32]byte) string {
	text := fmt.Sprintf("%x", keyHash[:16])
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-")
}

// Issue signs a certificate for the device: client authentication only, 90 days.
func (d *Devices) Issue(r Request, device string) (DeviceCertificate, error) {
	now := d.now()
	name, err := url.Parse(deviceURN + device)
	if err != nil || device == "" {
		return DeviceCertificate{}, fmt.Errorf("sign a device's certificate: %q cannot be a device's id", device)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return DeviceCertificate{}, fmt.Errorf("make a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: device},
		URIs:                  []*url.URL{name},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(DeviceValid),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if template.NotAfter.After(d.ca.cert.NotAfter) {
		template.NotAfter = d.ca.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, d.ca.cert, r.key, d.ca.key)
	if err != nil {
		return DeviceCertificate{}, fmt.Errorf("sign a device's certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return DeviceCertificate{}, fmt.Errorf("read back the device's certificate: %w", err)
	}
	c := describe(cert)
	c.PEM = string(identity{cert: cert}.certPEM()) + string(d.ca.certPEM())
	return c, nil
}

// Verify tells which device a certificate names: one that this CA signed, for clients, within its time, with nothing in it that
// we do not write. Whether it was revoked is for the store to say.
func (d *Devices) Verify(cert *x509.Certificate) (DeviceCertificate, error) {
	if _, err := cert.Verify(x509.VerifyOptions{
		Roots: d.pool, CurrentTime: d.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return DeviceCertificate{}, fmt.Errorf("check a device's certificate: %w", err)
	}
	c := describe(cert)
	if c.Device == "" || len(cert.ExtKeyUsage) != 1 || len(cert.URIs) != 1 || cert.URIs[0].String() != deviceURN+c.Device {
		return DeviceCertificate{}, errors.New("check a device's certificate: it names no device")
	}
	return c, nil
}

func describe(cert *x509.Certificate) DeviceCertificate {
	return DeviceCertificate{
		Device: cert.Subject.CommonName, Serial: cert.SerialNumber.Text(16), KeyHash: api.PinOf(cert),
		NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
	}
}

// DeviceTLSConfig is the configuration of the device listener: a client's certificate is asked for, and verified in the
// handshake if there is one. Sessions are never resumed (R-TLS-2): a resumed handshake shows no certificate anew, and the cost
// of a full one, some hundreds of microseconds for each of a device's few connections, is less than what keys of tickets would
// have to be thrown away for at every revocation.
func DeviceTLSConfig(id Identity, devices *Devices) *tls.Config {
	c := TLSConfig(id)
	c.ClientAuth = tls.VerifyClientCertIfGiven
	c.ClientCAs = devices.pool
	c.SessionTicketsDisabled = true
	c.Time = devices.now
	c.NextProtos = []string{"http/1.1"}
	return c
}
