package credentials

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// CheckPIN tells whether this is a person's PIN. Somebody without one costs as much as a wrong one. Counting the tries is the
// caller's business.
func (s *Service) CheckPIN(ctx context.Context, user core.UserID, pin secret.String) (bool, error) {
	var kept core.Credential
	err := s.d.Store.View(ctx, func(tx store.Tx) error {
		kept = core.Credential{}
		return tx.CredentialsOf(ctx, []core.UserID{user}, func(c core.Credential) {
			if c.Kind == core.CredentialPIN {
				kept = c // there is one at most; of several the latest counts
			}
		})
	})
	if err != nil {
		return false, fmt.Errorf("check the PIN of user %d: %w", user, err)
	}
	given := s.peppered(user, pin)
	switch {
	case kept.ID == 0:
		return false, s.d.Hasher.Waste(ctx, given)
	case kept.PHC != "":
		return s.d.Hasher.Verify(ctx, given, kept.PHC)
	}
	if err := s.d.Hasher.Waste(ctx, given); err != nil {
		return false, err
	}
	text, err := s.open(kept)
	return err == nil && text.Equal(pin), err
}

// wakeUp lets Run look for PINs. They are not committed yet, so Run looks a little later too.
func (s *Service) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// runEvery is how often Run looks for work without being woken.
const runEvery = time.Minute

// Run hashes PINs that wait and forgets what is old, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	timer := time.NewTicker(runEvery)
	defer timer.Stop()
	forgotten := time.Time{}
	for {
		if err := s.HashPINs(ctx); err != nil && ctx.Err() == nil {
			s.d.Logger.ErrorContext(ctx, "cannot hash PINs", "error", err)
		}
		if now := s.d.Clock(); now.Sub(forgotten) >= 24*time.Hour {
			if err := s.Forget(ctx); err != nil && ctx.Err() == nil {
				s.d.Logger.ErrorContext(ctx, "cannot forget old codes", "error", err)
			}
			forgotten = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.wake:
		}
	}
}

// pinsAtOnce is how many PINs are read at a time.
const pinsAtOnce = 64

// HashPINs hashes every PIN that waits, and drops its sealed copy.
func (s *Service) HashPINs(ctx context.Context) error {
	for {
		var waiting []core.Credential
		if err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
			waiting, err = tx.UnhashedPINs(ctx, pinsAtOnce)
			return err
		}); err != nil || len(waiting) == 0 {
			return err
		}
		for i, c := range waiting {
			pin, err := s.open(c)
			if err != nil {
				return err
			}
			if waiting[i].PHC, err = s.d.Hasher.Hash(ctx, s.peppered(c.UserID, pin)); err != nil {
				return err
			}
			waiting[i].Sealed = nil
		}
		if err := s.d.Store.Update(ctx, func(tx store.Tx) error {
			for _, c := range waiting {
				if err := tx.UpdateCredential(ctx, c); err != nil && !errors.Is(err, core.ErrNotFound) {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
}

// How long what ended is kept.
const (
	codesKept  = 2 * 365 * 24 * time.Hour // so that no code is used again (R-CODE-1)
	othersKept = 31 * 24 * time.Hour      // so that a synchronisation can be undone
)

// Forget removes what ended long ago, and copies of values that are not to be kept.
func (s *Service) Forget(ctx context.Context) error {
	now := s.d.Clock()
	if err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.DeleteCredentialsBefore(ctx, now.Add(-codesKept), now.Add(-othersKept))
		return err
	}); err != nil {
		return fmt.Errorf("forget old cards and codes: %w", err)
	}
	for kind, keep := range map[core.CredentialKind]Keep{core.CredentialCode: s.d.Policy.Codes, core.CredentialCard: s.d.Policy.Cards} {
		if keep != KeepHash {
			continue
		}
		if err := s.eachOf(ctx, kind, func(ctx context.Context, tx store.Tx, page []core.Credential) error {
			for _, c := range page {
				if len(c.Sealed) == 0 {
					continue
				}
				c.Sealed = nil
				if err := tx.UpdateCredential(ctx, c); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("drop copies of values: %w", err)
		}
	}
	return nil
}

// pageSize is how many credentials are read at a time.
const pageSize = 2000

// eachOf hands out all of a kind in pages, each in an Update of its own.
func (s *Service) eachOf(ctx context.Context, kind core.CredentialKind, yield func(context.Context, store.Tx, []core.Credential) error) error {
	for after, more := int64(0), true; more; {
		if err := s.d.Store.Update(ctx, func(tx store.Tx) error {
			page, err := tx.ListCredentials(ctx, kind, after, pageSize)
			if err != nil {
				return err
			}
			if err := yield(ctx, tx, page); err != nil {
				return err
			}
			more = len(page) == pageSize
			if more {
				after = page[len(page)-1].ID
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
