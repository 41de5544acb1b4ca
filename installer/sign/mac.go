package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/platenprint/platen/installer/flatpkg"
	"github.com/platenprint/platen/installer/tool"
)

// Package signs the package for macOS.
type Package struct{ files keyFiles }

// Tool is the program that opens the key.
func (*Package) Tool() string { return "openssl" }

// Signer opens the key. The key is in memory only.
func (p *Package) Signer(ctx context.Context) (*flatpkg.Signer, error) {
	var text []byte
	var err error
	if p.files.p12 != "" {
		// -legacy as well: Apple's keychain exports with algorithms that openssl 3 calls legacy.
		text, err = tool.Run(ctx, "", nil, p.Tool(), "pkcs12", "-in", p.files.p12, "-passin", "file:"+p.files.password, "-nodes", "-legacy")
	} else {
		text, err = p.pem(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key for the package: %w", err)
	}
	signer, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("open the key for the package: %w", err)
	}
	return signer, nil
}

// pem has the certificates, and the key without its password.
func (p *Package) pem(ctx context.Context) ([]byte, error) {
	args := []string{"pkey", "-in", p.files.key}
	if p.files.password != "" {
		args = append(args, "-passin", "file:"+p.files.password)
	}
	key, err := tool.Run(ctx, "", nil, p.Tool(), args...)
	if err != nil {
		return nil, err
	}
	certs, err := os.ReadFile(p.files.cert)
	return append(append(certs, '\n'), key...), err
}

// parse reads a key and certificates in PEM, and puts the key's certificate first.
func parse(text []byte) (*flatpkg.Signer, error) {
	var s flatpkg.Signer
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("read a certificate: %w", err)
			}
			s.Chain = append(s.Chain, c)
		case "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("the key cannot be read") // an error about a key may show some of it
			}
			signer, ok := key.(crypto.Signer)
			if !ok {
				return nil, fmt.Errorf("the key is %T and cannot sign", key)
			}
			s.Key = signer
		}
	}
	if s.Key == nil {
		return nil, errors.New("there is no key")
	}
	public, ok := s.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil, fmt.Errorf("the key is %T and cannot be compared", s.Key)
	}
	for i, c := range s.Chain {
		if public.Equal(c.PublicKey) {
			s.Chain[0], s.Chain[i] = s.Chain[i], s.Chain[0]
			return &s, nil
		}
	}
	return nil, errors.New("there is no certificate for the key")
}
