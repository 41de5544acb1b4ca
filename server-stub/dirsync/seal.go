package dirsync

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/keys"
)

// seals keeps what must not be read from the database: plans and journals hold people's details, cards and codes; a bookmark may
// hold a token.
type seals struct {
	keys *keys.Keys  // nil: own
	own  cipher.AEAD // of a key that nobody keeps
	mark cipher.Block
}

func newSeals(k *keys.Keys) seals {
	s := seals{keys: k}
	var markKey [32]byte
	if k != nil {
		markKey = k.Derive("directory fingerprints")
	} else {
		_, _ = rand.Read(markKey[:]) // never fails (crypto/rand)
		var key [32]byte
		_, _ = rand.Read(key[:])
		block, err := aes.NewCipher(key[:])
		if err != nil {
			panic("dirsync: AES takes 32 bytes: " + err.Error())
		}
		if s.own, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			panic("dirsync: GCM takes AES: " + err.Error())
		}
	}
	mark, err := aes.NewCipher(markKey[:])
	if err != nil {
		panic("dirsync: AES takes 32 bytes: " + err.Error())
	}
	s.mark = mark
	return s
}

const sealPurpose = "directories"

func (s seals) seal(where string, plain []byte) []byte {
	if s.keys != nil {
		return s.keys.Seal(sealPurpose, where, plain)
	}
	return s.own.Seal(nil, nil, plain, []byte(where))
}

func (s seals) open(where string, sealed []byte) ([]byte, error) {
	if s.keys != nil {
		return s.keys.Open(sealPurpose, where, sealed)
	}
	plain, err := s.own.Open(nil, nil, sealed, []byte(where))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, keys.ErrOpen)
	}
	return plain, nil
}

// kept is a fingerprint as it is stored. A digest of a record with a short code tells the code to whoever tries them all, so it
// goes through a cipher first. Zero stays zero.
func (s seals) kept(f directory.Fingerprint) (out directory.Fingerprint) {
	if f != (directory.Fingerprint{}) {
		s.mark.Encrypt(out[:], f[:])
	}
	return out
}

// fingerprintOf is for records and groups whose source makes none.
func fingerprintOf(packed []byte) directory.Fingerprint {
	sum := sha256.Sum256(packed)
	return directory.Fingerprint(sum[:16])
}
