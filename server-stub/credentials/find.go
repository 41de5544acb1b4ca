package credentials

import (
	"context"
	"errors"
	"fmt"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Found is whose card or code it is.
type Found struct {
	User core.User
	// NeedsPIN: it does not identify by itself, the person's PIN is needed too (see CheckPIN).
	NeedsPIN   bool
	Credential int64 // its id, for the audit log
}

// FindCard returns whose card a reader read. It asks for no password, so it works however people sign in (row A1-21). Errors:
// core.ErrNotFound, and core.ErrDisabled for a person who may not use it now; a device must say the same to both.
func (s *Service) FindCard(ctx context.Context, number secret.String) (Found, error) {
	text, err := CanonCard(number)
	return s.find(ctx, core.CredentialCard, text, err)
}

// FindCode returns whose access code somebody typed. Errors are those of FindCard. Whoever calls it counts failures for the device and the
// organisation (R-CODE-3): a code is a guess at everybody's at once.
func (s *Service) FindCode(ctx context.Context, code secret.String) (Found, error) {
	text, err := CanonCode(code)
	return s.find(ctx, core.CredentialCode, text, err)
}

// find does the same work for one that is known, one that is not and one that cannot be.
func (s *Service) find(ctx context.Context, kind core.CredentialKind, text secret.String, malformed error) (Found, error) {
	var f Found
	lookup := s.digest(kind, text)
	err := s.d.Store.View(ctx, func(tx store.Tx) error {
		f = Found{}
		c, err := tx.FindCredential(ctx, kind, lookup)
		if err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
		u, userErr := tx.User(ctx, c.UserID)
		if userErr != nil && !errors.Is(userErr, core.ErrNotFound) {
			return userErr
		}
		if err != nil || userErr != nil || malformed != nil {
			return core.ErrNotFound
		}
		f = Found{User: u, Credential: c.ID, NeedsPIN: s.NeedsPIN(c)}
		if !u.Active() {
			return core.ErrDisabled
		}
		return nil
	})
	if err != nil {
		return Found{}, fmt.Errorf("find whose %s it is: %w", kind, err)
	}
	return f, nil
}

// CodeState tells, in a transaction, whether a code (canonical) is in force for a person, and whether it works only together with a PIN.
func (s *Service) CodeState(ctx context.Context, tx store.Tx, user core.UserID, code secret.String) (inForce, needsPIN bool, err error) {
	c, err := tx.FindCredential(ctx, core.CredentialCode, s.digest(core.CredentialCode, code))
	if errors.Is(err, core.ErrNotFound) || err == nil && c.UserID != user {
		return false, false, nil
	}
	return err == nil, err == nil && s.NeedsPIN(c), err
}
