package tokenstore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNone says that nothing is kept.
	ErrNone = errors.New("nothing is kept")
	// ErrForeign says that what is kept belongs to another key, OS account, server or version; it was moved aside.
	ErrForeign = errors.New("what is kept belongs to another key, account or server")
	// ErrDamaged says that what is kept cannot be read; it was moved aside.
	ErrDamaged = errors.New("what is kept is damaged")
)

// A sealed file is
//
//	"PLATEN"  version 1  kind  key id (8)  owner id (8)  nonce (12)  AES-256-GCM ciphertext with its tag (16)
//
// and everything before the nonce is authenticated, together with server and OS account in full.
const (
	magic        = "PLATEN"
	version      = 1
	headerLength = len(magic) + 2 + 8 + 8
)

// kind tells the documents apart, also in the header, so that one cannot be put in place of another.
type kind byte

const (
	kindTokens kind = 1
	kindNote   kind = 2

	kindMicrosoft kind = 3
)

// owner is whom a document belongs to.
type owner struct{ serverURL, osUser string }

// id marks an owner in the header. It is no secret and no proof: it only lets us say "not yours" instead of "damaged".
func (o owner) id() []byte {
	sum := sha256.Sum256(o.bytes())
	return sum[:8]
}

// bytes is unambiguous: each text has its length before it.
func (o owner) bytes() []byte {
	b := binary.AppendUvarint(nil, uint64(len(o.serverURL)))
	b = append(b, o.serverURL...)
	b = binary.AppendUvarint(b, uint64(len(o.osUser)))
	return append(b, o.osUser...)
}

// key seals documents. The zero value is none.
type key struct{ raw []byte }

const (
	keyLength = 32
	keyPrefix = "v1:"
)

func newKey() key {
	raw := make([]byte, keyLength)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return key{raw}
}

// parseKey reads what the keyring holds.
func parseKey(text string) (key, bool) {
	encoded, ok := strings.CutPrefix(text, keyPrefix)
	raw, err := base64.RawStdEncoding.DecodeString(encoded)
	return key{raw}, ok && err == nil && len(raw) == keyLength
}

// text is what the keyring holds.
func (k key) text() string { return keyPrefix + base64.RawStdEncoding.EncodeToString(k.raw) }

// id recognises a changed key without trying it.
func (k key) id() []byte {
	sum := sha256.Sum256(append([]byte("platen sealing key id\x00"), k.raw...))
	return sum[:8]
}

func (k key) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (k key) header(kd kind, o owner) []byte {
	h := append([]byte(magic), version, byte(kd))
	return append(append(h, k.id()...), o.id()...)
}

// seal encrypts plain for its owner.
func (k key) seal(kd kind, o owner, plain []byte) ([]byte, error) {
	aead, err := k.aead()
	if err != nil {
		return nil, err
	}
	header := k.header(kd, o)
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce)
	return aead.Seal(append(bytes.Clone(header), nonce...), nonce, plain, append(header, o.bytes()...)), nil
}

// checkHeader tells what can be told of a sealed file without the key: ErrForeign, ErrDamaged or nil.
func checkHeader(kd kind, o owner, sealed []byte) error {
	switch {
	case len(sealed) <= headerLength || string(sealed[:len(magic)]) != magic:
		return fmt.Errorf("%w: it is not one of our files", ErrDamaged)
	case sealed[len(magic)] != version:
		return fmt.Errorf("%w: it is of version %d, this program reads version %d", ErrForeign, sealed[len(magic)], version)
	case sealed[len(magic)+1] != byte(kd):
		return fmt.Errorf("%w: it is another kind of document", ErrForeign)
	case !bytes.Equal(sealed[headerLength-8:headerLength], o.id()):
		return fmt.Errorf("%w: it was made for another server or OS account", ErrForeign)
	}
	return nil
}

// open decrypts a sealed file.
func (k key) open(kd kind, o owner, sealed []byte) ([]byte, error) {
	if err := checkHeader(kd, o, sealed); err != nil {
		return nil, err
	}
	header, rest := sealed[:headerLength], sealed[headerLength:]
	if !bytes.Equal(header[len(magic)+2:headerLength-8], k.id()) {
		return nil, fmt.Errorf("%w: the key in the keyring has changed", ErrForeign)
	}
	aead, err := k.aead()
	if err != nil {
		return nil, err
	}
	if len(rest) < aead.NonceSize() {
		return nil, fmt.Errorf("%w: it is cut short", ErrDamaged)
	}
	plain, err := aead.Open(nil, rest[:aead.NonceSize()], rest[aead.NonceSize():], append(bytes.Clone(header), o.bytes()...))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return plain, nil
}
