package credentials

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// Deps is what a Service needs.
type Deps struct {
	Store  store.Store
	Clock  clock.Clock
	Keys   *keys.Keys
	Policy Policy
	Hasher *passhash.Hasher // of PINs; nil: one of its own
	// Notify tells people of codes that were made or changed here. Nil: nobody is told.
	Notify dirsync.Notify
	Logger *slog.Logger
}

// Service keeps cards, codes and PINs. Safe for concurrent use. It implements dirsync.Credentials. Errors are of the kinds of
// server-stub/core.
type Service struct {
	d      Deps
	lookup [32]byte // the key of the HMACs
	pepper [32]byte // of PINs
	wake   chan struct{}
}

var _ dirsync.Credentials = (*Service)(nil)

// New returns a Service. The policy must be one that Check accepts.
func New(d Deps) *Service {
	if d.Hasher == nil {
		d.Hasher = passhash.New(passhash.DefaultParams())
	}
	if d.Notify == nil {
		d.Notify = func(context.Context, store.Tx, dirsync.Notice) error { return nil }
	}
	return &Service{d: d, lookup: d.Keys.Derive("credential lookup"), pepper: d.Keys.Derive("pin pepper"), wake: make(chan struct{}, 1)}
}

// Policy is what the site decided.
func (s *Service) Policy() Policy { return s.d.Policy }

// digest is what a canonical value is found by.
func (s *Service) digest(kind core.CredentialKind, value secret.String) [32]byte {
	return keyed(s.lookup, string(kind), value)
}

// pinMark tells whether a PIN of a directory is another one than before. It is of one person, so that equal PINs do not show.
func (s *Service) pinMark(user core.UserID, pin secret.String) [32]byte {
	return keyed(s.lookup, fmt.Sprintf("pin of %d", user), pin)
}

func keyed(key [32]byte, what string, value secret.String) (sum [32]byte) {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(what))
	h.Write([]byte{0})
	h.Write([]byte(value.Reveal()))
	return [32]byte(h.Sum(nil))
}

// peppered is what is hashed of a PIN.
func (s *Service) peppered(user core.UserID, pin secret.String) secret.String {
	sum := keyed(s.pepper, fmt.Sprintf("user %d", user), pin)
	return secret.New(base64.RawStdEncoding.EncodeToString(sum[:]))
}

// purpose is the key that values are sealed with.
const purpose = "credentials"

// place is where a sealed value belongs: it opens beside no other lookup and for no other person.
func place(c core.Credential) string {
	return fmt.Sprintf("credentials/%s/%d/%s", c.Kind, c.UserID, hex.EncodeToString(c.Lookup[:]))
}

// seal fills in what is kept of the value.
func (s *Service) seal(c core.Credential, value secret.String) core.Credential {
	keep := s.d.Policy.Codes
	if c.Kind == core.CredentialCard {
		keep = s.d.Policy.Cards
	}
	if keep == KeepReveal || c.Kind == core.CredentialPIN {
		c.Sealed = s.d.Keys.Seal(purpose, place(c), []byte(value.Reveal()))
	}
	return c
}

// open returns a value of which a copy is kept: core.ErrNotFound when there is none.
func (s *Service) open(c core.Credential) (secret.String, error) {
	if len(c.Sealed) == 0 {
		return secret.String{}, fmt.Errorf("%w: its value is not kept", core.ErrNotFound)
	}
	text, err := s.d.Keys.Open(purpose, place(c), c.Sealed)
	if err != nil {
		return secret.String{}, fmt.Errorf("open the %s %d: %w", c.Kind, c.ID, err)
	}
	return secret.New(string(text)), nil
}
