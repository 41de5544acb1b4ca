package api

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
)

// pinPrefix names the hash of a pin, as curl and kubeadm write it.
const pinPrefix = "sha256/"

// ErrInvalidPin says that a text is not a pin; it names what to write instead.
var ErrInvalidPin = errors.New("a pin looks like sha256/ and 44 characters of base64; the server prints its own when it starts")

// Pin names a public key: the SHA-256 of a certificate's SubjectPublicKeyInfo (RFC 7469 section 2.4). A client that
// knows the pin of the server's CA can fetch that CA over an unverified connection and know it for the right one.
type Pin [sha256.Size]byte

// PinOf returns the pin of a certificate's key.
func PinOf(cert *x509.Certificate) Pin { return sha256.Sum256(cert.RawSubjectPublicKeyInfo) }

// ParsePin reads "sha256/" and the padded standard base64 of the hash. Surrounding space is ignored. It returns
// ErrInvalidPin for anything else.
func ParsePin(text string) (Pin, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(text), pinPrefix)
	if !ok {
		return Pin{}, ErrInvalidPin
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) != sha256.Size {
		return Pin{}, ErrInvalidPin
	}
	return Pin(raw), nil
}

// String writes the pin as ParsePin reads it.
func (p Pin) String() string { return pinPrefix + base64.StdEncoding.EncodeToString(p[:]) }
