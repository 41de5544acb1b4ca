package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"time"
)

const (
	caValid     = 10 * 365 * 24 * time.Hour
	serverValid = 397 * 24 * time.Hour
	renewBefore = 30 * 24 * time.Hour
	// skew is how far clients' clocks may be behind at the first sign-in.
	skew = time.Hour
)

// identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newCA makes a certificate authority that may sign server certificates, and nothing below.
func newCA(now time.Time) (identity, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Platen CA " + now.Format(time.DateOnly)},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(caValid),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return issue(template, nil)
}

// newServer makes a server certificate for the names, each a DNS name or an IP address.
func newServer(ca identity, names []string, now time.Time) (identity, error) {
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Platen server"},
		NotBefore:             now.Add(-skew),
		NotAfter:              now.Add(serverValid),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.After(ca.cert.NotAfter) {
		template.NotAfter = ca.cert.NotAfter
	}
	for _, name := range names {
		if addr, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return issue(template, &ca)
}

// issue signs template with a new key: by ca, or by itself when ca is nil.
func issue(template *x509.Certificate, ca *identity) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, fmt.Errorf("make a key: %w", err)
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return identity{}, fmt.Errorf("make a serial number: %w", err)
	}
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return identity{}, fmt.Errorf("sign a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return identity{}, fmt.Errorf("read back the certificate: %w", err)
	}
	return identity{cert: cert, key: key}, nil
}

func (id identity) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.cert.Raw})
}

func (id identity) keyDER() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(id.key)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	return der, nil
}

// parseIdentity reads what certPEM and keyDER wrote, and checks that the two belong together.
func parseIdentity(certPEM, keyDER []byte) (identity, error) {
	block, _ := pem.Decode(certPEM)
	if block == nil || block.Type != "CERTIFICATE" {
		return identity{}, errors.New("it is not a certificate in PEM form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return identity{}, fmt.Errorf("read the certificate: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return identity{}, fmt.Errorf("read the key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(cert.PublicKey) {
		return identity{}, errors.New("the key does not belong to the certificate")
	}
	return identity{cert: cert, key: key}, nil
}
