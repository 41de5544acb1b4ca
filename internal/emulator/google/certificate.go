package google

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/platenprint/platen/internal/clock"
)

// certificateLife is how long a certificate is good for, and spare how much of that must be left to use it again.
const (
	certificateLife = 30 * 24 * time.Hour
	spare           = 24 * time.Hour
)

// Certificate gives a certificate for localhost of these files, both PEM: the one that is there while it is good, else a new one.
// It signs itself, so the first file is also what a program must trust.
func Certificate(certFile, keyFile string) (tls.Certificate, error) {
	if pair, err := tls.LoadX509KeyPair(certFile, keyFile); err == nil && pair.Leaf != nil && pair.Leaf.NotAfter.After(clock.System().Add(spare)) {
		return pair, nil
	}
	wrap := func(err error) (tls.Certificate, error) {
		return tls.Certificate{}, fmt.Errorf("make the emulator's certificate: %w", err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return wrap(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return wrap(err)
	}
	now := clock.System() // of this computer, whatever the emulator's clock says: TLS is checked by real programs
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Google emulator"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return wrap(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return wrap(err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		return wrap(err)
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return wrap(err)
	}
	return tls.LoadX509KeyPair(certFile, keyFile)
}
