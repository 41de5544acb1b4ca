package apiclient

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/api"
)

// trust says which certificate authorities are believed.
type trust struct {
	roots *x509.CertPool // nil: the system's store
	pins  []api.Pin
}

// learn tells whether the CA must be fetched from the server, because only its pin is known.
func (t trust) learn() bool { return t.roots == nil && len(t.pins) > 0 }

// newTrust reads the settings. With a file and pins, the certificates of the file that have one of the pins are believed.
func newTrust(file, pins string) (trust, error) {
	var t trust
	if pins != "" {
		for text := range strings.SplitSeq(pins, ",") {
			pin, err := api.ParsePin(text)
			if err != nil {
				return trust{}, fmt.Errorf("CAPin: %w", err)
			}
			t.pins = append(t.pins, pin)
		}
	}
	if file == "" {
		return t, nil
	}
	certs, err := readCertificates(file)
	if err != nil {
		return trust{}, err
	}
	if len(t.pins) > 0 {
		certs = slices.DeleteFunc(certs, func(cert *x509.Certificate) bool { return !slices.Contains(t.pins, api.PinOf(cert)) })
		if len(certs) == 0 {
			return trust{}, fmt.Errorf("CAFile %s: no certificate in it has the pin of CAPin", file)
		}
	}
	t.roots = x509.NewCertPool()
	for _, cert := range certs {
		t.roots.AddCert(cert)
	}
	return t, nil
}

// maxCAFile is the largest CAFile in bytes; the system's whole bundle has about 220 KB.
const maxCAFile = 1 << 20

func readCertificates(file string) ([]*x509.Certificate, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, fmt.Errorf("CAFile: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxCAFile:
		return nil, fmt.Errorf("CAFile %s: not a file of at most %d bytes", file, maxCAFile)
	}
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("CAFile: %w", err)
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("CAFile %s: certificate %d: %w", file, len(certs)+1, err)
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("CAFile %s: no certificate in it; it must be PEM text, as the server's ca.pem is", file)
	}
	return certs, nil
}
