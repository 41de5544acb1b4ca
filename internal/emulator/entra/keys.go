package entra

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// key signs tokens.
type key struct {
	id      string
	private *rsa.PrivateKey
}

func newKey() (key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return key{}, fmt.Errorf("make a signing key: %w", err)
	}
	sum := sha256.Sum256(private.N.Bytes())
	return key{id: base64.RawURLEncoding.EncodeToString(sum[:20]), private: private}, nil
}

// jwk is a public key of the key document.
type jwk struct {
	KeyType string `json:"kty"`
	Use     string `json:"use"`
	ID      string `json:"kid"`
	X5T     string `json:"x5t"`
	N       string `json:"n"`
	E       string `json:"e"`
	Issuer  string `json:"issuer,omitempty"`
}

func (k key) public(issuer string) jwk {
	exponent := binary.BigEndian.AppendUint32(nil, uint32(k.private.E))
	return jwk{KeyType: "RSA", Use: "sig", ID: k.id, X5T: k.id, N: b64(k.private.N.Bytes()), E: b64(exponent[1:]), Issuer: issuer}
}

// The ways a token can be signed. Entra signs with RS256 only; the others are forgeries, for tests.
const (
	AlgRS256 = "RS256"
	AlgNone  = "none"
	AlgHS256 = "HS256" // with the public key's modulus as the secret: the classical confusion
)

func (k key) sign(alg string, claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]string{"typ": "JWT", "alg": alg, "kid": k.id})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	switch alg {
	case AlgRS256:
		signature, err = rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, sum[:])
	case AlgHS256:
		mac := hmac.New(sha256.New, k.private.N.Bytes())
		_, err = mac.Write([]byte(text))
		signature = mac.Sum(nil)
	case AlgNone:
	default:
		err = fmt.Errorf("no such algorithm: %s", alg)
	}
	return text + "." + b64(signature), err
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newGUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return formatGUID(b)
}

// newSecret makes a code, token or cookie.
func newSecret(prefix string) string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return prefix + b64(b)
}
