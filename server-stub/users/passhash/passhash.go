// Package passhash turns local passwords into argon2id hashes (PHC strings) and checks them. At most as many hashes as
// there are processors are computed at a time, so that a rush of sign-ins queues instead of exhausting the memory: one
// hash takes 46 MiB.
package passhash

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
)

// Params are the cost of a hash.
type Params struct {
	Time        uint32 // passes
	MemoryKiB   uint32
	Parallelism uint8
}

// DefaultParams is the first choice of OWASP's Password Storage Cheat Sheet for argon2id with one lane: t=1, m=46 MiB.
// It took 36 ms on the machine it was measured on.
func DefaultParams() Params { return Params{Time: 1, MemoryKiB: 47104, Parallelism: 1} }

// The bounds of a local password: MinLength in characters, MaxBytes in bytes.
const (
	MinLength = 8
	MaxBytes  = 256
)

const (
	saltBytes = 16
	keyBytes  = 32
	// maxMemoryKiB bounds what a stored hash may ask for.
	maxMemoryKiB = 1 << 20
)

// ErrMalformed says that a stored hash is not an argon2id PHC string of ours.
var ErrMalformed = errors.New("stored password hash cannot be read")

// Hasher computes hashes. Safe for concurrent use.
type Hasher struct {
	params Params
	slots  chan struct{}
	dummy  string
}

// New returns a Hasher with this cost.
func New(params Params) *Hasher {
	h := &Hasher{params: params, slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))}
	h.dummy = encode(params, make([]byte, saltBytes), make([]byte, keyBytes))
	return h
}

// Check holds a new password to the policy: MinLength characters, at most MaxBytes, UTF-8 without NUL. Its error is
// core.ErrInvalid and never has the password in it.
func Check(password secret.String) error {
	text := password.Reveal()
	switch {
	case len(text) > MaxBytes:
		return fmt.Errorf("%w: the password is longer than %d bytes; choose a shorter one", core.ErrInvalid, MaxBytes)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return fmt.Errorf("%w: the password has characters that cannot be typed; choose another one", core.ErrInvalid)
	case utf8.RuneCountInString(text) < MinLength:
		return fmt.Errorf("%w: the password is shorter than %d characters; choose a longer one", core.ErrInvalid, MinLength)
	}
	return nil
}

// Hash returns the PHC string for a password that Check accepts.
func (h *Hasher) Hash(ctx context.Context, password secret.String) (string, error) {
	if err := Check(password); err != nil {
		return "", err
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	key, err := h.key(ctx, h.params, password, salt, keyBytes)
	if err != nil {
		return "", err
	}
	return encode(h.params, salt, key), nil
}

// Verify tells whether password is the one behind the PHC string. A wrong password is false without an error; errors are
// ErrMalformed and the context's.
func (h *Hasher) Verify(ctx context.Context, password secret.String, phc string) (bool, error) {
	params, salt, want, err := decode(phc)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, params, password, salt, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// Waste does the work of a Verify that fails, so that a name which nobody has costs as much as one that somebody has.
func (h *Hasher) Waste(ctx context.Context, password secret.String) error {
	_, err := h.Verify(ctx, password, h.dummy)
	return err
}

func (h *Hasher) key(ctx context.Context, p Params, password secret.String, salt []byte, length uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to check a password: %w", ctx.Err())
	}
	defer func() { <-h.slots }()
	return argon2.IDKey([]byte(password.Reveal()), salt, p.Time, p.MemoryKiB, p.Parallelism, length), nil
}

func encode(p Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MemoryKiB, p.Time, p.Parallelism, b64(salt), b64(key))
}

// decode reads a PHC string (github.com/P-H-C/phc-string-format).
func decode(phc string) (p Params, salt, key []byte, err error) {
	parts := strings.Split(phc, "$")
	var version int
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, nil, nil, ErrMalformed
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, nil, nil, ErrMalformed
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Time, &p.Parallelism); err != nil {
		return p, nil, nil, ErrMalformed
	}
	if p.Time == 0 || p.Parallelism == 0 || p.MemoryKiB == 0 || p.MemoryKiB > maxMemoryKiB || p.Time > 100 {
		return p, nil, nil, ErrMalformed
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(key) < 16 || len(key) > 64 {
		return p, nil, nil, ErrMalformed
	}
	return p, salt, key, nil
}
