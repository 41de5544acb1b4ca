// Package keys holds the master key, under which everything secret at rest is sealed. It lives in the data folder beside
// the database, never in it: a copy of the database, or a backup, is of no use without it (SECURITY.md C8).
//
// The key is made once, on the first start. When it is missing later the server stays sealed: a new key would make
// everything sealed under the old one unreadable, and silently.
package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/platenprint/platen/server-stub/datadir"
)

var (
	// ErrSealed says that the master key is not where it must be. The remedy is to put the kept copy back.
	ErrSealed = errors.New("sealed: the master key is missing")
	// ErrCorrupt says that the master key's file is not as it was written.
	ErrCorrupt = errors.New("sealed: the master key's file is damaged")
	// ErrOpen says that something sealed cannot be opened: it was changed, moved, or sealed under another master key.
	ErrOpen = errors.New("cannot be opened with this master key")
)

const (
	marker = "platen-master-key-1"
	remark = "# The master key of this Platen server. Without it nothing that is sealed can be read again.\n" +
		"# Keep a copy apart from the backups, where few people can read it.\n"
)

// Keys derives keys from the master key. Safe for concurrent use.
type Keys struct{ master [32]byte }

// Create makes a new master key and stores it in d, mode 0400. It fails when there is one already.
func Create(d *datadir.Dir) (*Keys, error) {
	k := &Keys{}
	_, _ = rand.Read(k.master[:]) // never fails (crypto/rand)
	if err := d.Create(datadir.MasterKey, k.encode(), 0o400); err != nil {
		return nil, fmt.Errorf("keep the new master key: %w", err)
	}
	return k, nil
}

// Load reads the master key from d. It returns ErrSealed when there is none and ErrCorrupt when it is damaged.
func Load(d *datadir.Dir) (*Keys, error) {
	text, err := d.Read(datadir.MasterKey)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: put the copy you kept back as %s", ErrSealed, d.File(datadir.MasterKey))
	case err != nil:
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	k, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: put the copy you kept back as %s", err, d.File(datadir.MasterKey))
	}
	return k, nil
}

// Parse reads the contents of a master key file, or returns ErrCorrupt.
func Parse(text []byte) (*Keys, error) {
	for line := range bytes.Lines(text) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 3 || fields[0] != marker {
			return nil, ErrCorrupt
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(fields[1])
		if err != nil || len(raw) != 32 || fields[2] != checksum(raw) {
			return nil, ErrCorrupt
		}
		return &Keys{master: [32]byte(raw)}, nil
	}
	return nil, ErrCorrupt
}

// Store writes the key into a folder that has none, as Create does.
func (k *Keys) Store(d *datadir.Dir) error {
	return d.Create(datadir.MasterKey, k.encode(), 0o400)
}

// ID names the master key without telling anything of it, so that a backup can say which one it needs.
func (k *Keys) ID() string {
	id := k.Derive("key id")
	return hex.EncodeToString(id[:8])
}

// Derive returns the key for one purpose (HKDF-SHA-256, RFC 5869). Keys of different purposes tell nothing of each other.
func (k *Keys) Derive(purpose string) [32]byte {
	key, err := hkdf.Key(sha256.New, k.master[:], nil, "platen "+purpose, 32)
	if err != nil {
		panic("keys: HKDF cannot fail for 32 bytes: " + err.Error())
	}
	return [32]byte(key)
}

// Seal encrypts plain for one purpose (AES-256-GCM). where is the place it will be kept at: what is sealed for one place
// does not open at another, so nothing can be cut from here and pasted there.
func (k *Keys) Seal(purpose, where string, plain []byte) []byte {
	return k.aead(purpose).Seal(nil, nil, plain, []byte(where))
}

// Open gives back what Seal sealed for the same purpose and place, or returns ErrOpen.
func (k *Keys) Open(purpose, where string, sealed []byte) ([]byte, error) {
	plain, err := k.aead(purpose).Open(nil, nil, sealed, []byte(where))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, ErrOpen)
	}
	return plain, nil
}

func (k *Keys) aead(purpose string) cipher.AEAD {
	key := k.Derive("seal " + purpose)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("keys: AES takes 32 bytes: " + err.Error())
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("keys: GCM takes AES: " + err.Error())
	}
	return gcm
}

func (k *Keys) encode() []byte {
	return []byte(remark + marker + " " + base64.StdEncoding.EncodeToString(k.master[:]) + " " + checksum(k.master[:]) + "\n")
}

// checksum tells a damaged key from a right one; it is too short to help in guessing 256 bits.
func checksum(key []byte) string {
	sum := sha256.Sum256(append([]byte("platen master key check"), key...))
	return hex.EncodeToString(sum[:4])
}
