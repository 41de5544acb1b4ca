package codes

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// ErrInvalid is the one answer to everything that is wrong with a code: unknown, used, too old, or another's verifier. It is a
// core.ErrUnauthenticated.
var ErrInvalid = fmt.Errorf("the one-use code is wrong, used or too old: %w", core.ErrUnauthenticated)

// prefix begins every code.
const prefix = "plt_c_"

// The lengths of RFC 7636 section 4: a verifier has 43 to 128 characters, an S256 challenge 43.
const (
	challengeLength = 43
	shortest        = 43
	longest         = 128
	maxCode         = 256
)

// Grant is what a code stands for.
type Grant struct {
	User      core.UserID
	Assurance core.Assurance
	Provider  string        // the identity provider that proved it, "" for a machine
	Device    string        // the id of the device that vouched, "" for a provider
	Host      string        // the computer it is for, where that is known
	Facts     usermap.Facts // the OS account, where it is known
	Stay      bool          // the person asked to stay signed in
}

// Service issues and redeems codes. Safe for concurrent use.
type Service struct {
	store store.Store
	now   clock.Clock
}

// New returns a Service that keeps its codes in s.
func New(s store.Store, now clock.Clock) *Service { return &Service{store: s, now: now} }

// ValidChallenge tells whether the text is an S256 challenge (RFC 7636 section 4.2).
func ValidChallenge(challenge string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	return len(challenge) == challengeLength && err == nil && len(raw) == sha256.Size
}

// Issue makes a code for g that is good for life, for whoever has the challenge's verifier, and says when it ends. The code is
// in clear only here. Errors: core.ErrInvalid for what is no challenge, core.ErrNotFound for a person who is not there.
func (s *Service) Issue(ctx context.Context, g Grant, challenge string, life time.Duration) (secret.String, time.Time, error) {
	var code secret.String
	var expires time.Time
	err := s.store.Update(ctx, func(tx store.Tx) (err error) {
		code, expires, err = s.IssueIn(ctx, tx, g, challenge, life)
		return err
	})
	if err != nil {
		return secret.String{}, time.Time{}, err
	}
	return code, expires, nil
}

// IssueIn is Issue as a part of the transaction in which the proof itself is booked.
func (s *Service) IssueIn(ctx context.Context, tx store.Tx, g Grant, challenge string, life time.Duration) (secret.String, time.Time, error) {
	if !ValidChallenge(challenge) {
		return secret.String{}, time.Time{}, fmt.Errorf("issue a one-use code: %w: the challenge is not BASE64URL(SHA-256(verifier))", core.ErrInvalid)
	}
	facts, err := json.Marshal(g.Facts)
	if err != nil {
		return secret.String{}, time.Time{}, fmt.Errorf("issue a one-use code: %w", err)
	}
	raw := make([]byte, sha256.Size)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	code := secret.New(prefix + base64.RawURLEncoding.EncodeToString(raw))
	now := s.now()
	kept := core.OneUseCode{
		Hash: hash(code), Challenge: challenge, UserID: g.User, Assurance: g.Assurance, Provider: g.Provider, DeviceID: g.Device,
		Host: g.Host, Facts: string(facts), Stay: g.Stay, CreatedAt: now, ExpiresAt: now.Add(life),
	}
	if err := tx.CreateCode(ctx, kept); err != nil {
		return secret.String{}, time.Time{}, fmt.Errorf("issue a one-use code: %w", err)
	}
	return code, kept.ExpiresAt, nil
}

// Redeem takes the code and says what it stood for; ErrInvalid for anything that is not right. Of several who redeem it at
// once, one gets it. Whether the person may still sign in is for whoever issues the session to see.
func (s *Service) Redeem(ctx context.Context, code secret.String, verifier string) (Grant, error) {
	text := code.Reveal()
	if !strings.HasPrefix(text, prefix) || len(text) > maxCode || len(verifier) < shortest || len(verifier) > longest {
		return Grant{}, ErrInvalid
	}
	var kept core.OneUseCode
	var unknown bool
	err := s.store.Update(ctx, func(tx store.Tx) (err error) {
		kept, err = tx.TakeCode(ctx, hash(code))
		if err == nil && kept.DeviceID != "" {
			err = inForce(ctx, tx, kept.DeviceID)
		}
		unknown = errors.Is(err, core.ErrNotFound)
		if unknown {
			return nil // what was taken stays taken
		}
		return err
	})
	switch {
	case err != nil:
		return Grant{}, fmt.Errorf("redeem a one-use code: %w", err)
	case unknown, !s.now().Before(kept.ExpiresAt),
		subtle.ConstantTimeCompare([]byte(api.Challenge(verifier)), []byte(kept.Challenge)) != 1:
		return Grant{}, ErrInvalid
	}
	g := Grant{
		User: kept.UserID, Assurance: kept.Assurance, Provider: kept.Provider, Device: kept.DeviceID, Host: kept.Host, Stay: kept.Stay,
	}
	if err := json.Unmarshal([]byte(kept.Facts), &g.Facts); err != nil {
		return Grant{}, fmt.Errorf("redeem a one-use code: read what it stands for: %w", err)
	}
	return g, nil
}

// inForce returns core.ErrNotFound for a device that is none any more: what it vouched for a moment ago counts no longer.
func inForce(ctx context.Context, tx store.Tx, device string) error {
	d, err := tx.Device(ctx, device)
	if err == nil && d.Status != core.DeviceEnrolled {
		err = core.ErrNotFound
	}
	return err
}

// Purge forgets codes that nobody redeemed in time, and tells how many.
func (s *Service) Purge(ctx context.Context) (int, error) {
	n := 0
	err := s.store.Update(ctx, func(tx store.Tx) (err error) {
		n, err = tx.DeleteCodesBefore(ctx, s.now())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget one-use codes: %w", err)
	}
	return n, nil
}

// hash is how a code is stored.
func hash(code secret.String) [32]byte { return sha256.Sum256([]byte(code.Reveal())) }
