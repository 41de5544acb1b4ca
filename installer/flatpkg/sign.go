package flatpkg

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1"   // what xar's table of contents may be summed with
	_ "crypto/sha256" // as well
	"crypto/x509"
	"errors"
	"fmt"
)

// Signer signs a package: the key may live in hardware. macOS believes a package only with an Apple certificate ("Developer
// ID Installer"); others are for sites that distribute their own authority.
type Signer struct {
	Key   crypto.Signer       // RSA: xar's signature knows nothing else
	Chain []*x509.Certificate // the key's certificate first
}

func (s *Signer) check() error {
	if s == nil {
		return nil
	}
	key, ok := s.Key.Public().(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("the key is %T, and xar's signature takes RSA only", s.Key.Public())
	}
	if len(s.Chain) == 0 {
		return errors.New("the certificate is missing")
	}
	if !key.Equal(s.Chain[0].PublicKey) {
		return fmt.Errorf("the first certificate (%s) is not the key's", s.Chain[0].Subject)
	}
	return nil
}

// size is the length of the signature in bytes.
func (s *Signer) size() int64 {
	key, _ := s.Key.Public().(*rsa.PublicKey)
	return int64(key.Size())
}

// sign signs the digest of the table of contents (RFC 8017, PKCS #1 v1.5).
func (s *Signer) sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	signature, err := s.Key.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("sign the table of contents: %w", err)
	}
	if int64(len(signature)) != s.size() {
		return nil, fmt.Errorf("sign the table of contents: the signature has %d bytes, not %d", len(signature), s.size())
	}
	return signature, nil
}

// Digest is how the table of contents and what it lists are summed.
type Digest int

// SHA1 is what productsign(1) uses, and what every reader knows; SHA256 is not read by libarchive before 3.7. The sums find
// accidents; against an attacker there is the signature, and a package whose signer's own bytes collide.
const (
	SHA1 Digest = iota
	SHA256
)

func (d Digest) hash() crypto.Hash {
	if d == SHA256 {
		return crypto.SHA256
	}
	return crypto.SHA1
}

// style is the name in the table of contents.
func (d Digest) style() string {
	if d == SHA256 {
		return "sha256"
	}
	return "sha1"
}

// number is what the header has: Apple's xar, which differs from other xars above 2.
func (d Digest) number() uint32 {
	if d == SHA256 {
		return 3
	}
	return 1
}
