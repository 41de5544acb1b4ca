// Package roles says who may do more than see to their own affairs. Every grant is in the audit log, with who made it; the
// last owner who may sign in cannot lose the role; and there is one first owner, made by whoever can read the one-time token
// on the server itself (R-SETUP-1).
package roles

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// MetaSetup is the fact that there is, or was, an owner. Setting one up is over for good then.
const MetaSetup = "setup_complete"

// Deps is what a Service needs. All are needed.
type Deps struct {
	Store store.Store
	Clock clock.Clock
	// OnChange is called after a person's roles changed, for their administrator's sessions to end.
	OnChange func(context.Context, core.UserID)
	// SetupToken returns the one-time token; core.ErrNotFound when there is none.
	SetupToken func() (secret.String, error)
	// OnSetup is called after the first owner was made, for the token to be removed.
	OnSetup func(context.Context)
}

// Service grants and tells roles. Safe for concurrent use. Errors are of the kinds of server-stub/core.
type Service struct{ d Deps }

// New returns a Service.
func New(d Deps) *Service { return &Service{d: d} }

// Of returns the roles of a person, none for one who may not sign in.
func (s *Service) Of(ctx context.Context, user core.UserID) ([]core.Role, error) {
	var list []core.Role
	err := s.d.Store.View(ctx, func(tx store.Tx) error {
		list = nil
		u, err := tx.User(ctx, user)
		if err != nil || !u.Active() {
			return err
		}
		grants, err := tx.UserRoles(ctx, user)
		for _, g := range grants {
			list = append(list, g.Role)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tell the roles of user %d: %w", user, err)
	}
	return list, nil
}

// List returns all grants in the order of role and person.
func (s *Service) List(ctx context.Context) ([]core.RoleGrant, error) {
	var list []core.RoleGrant
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		list, err = tx.RoleGrants(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	return list, nil
}

// Grant gives a person a role. The first owner ends the set-up, however they became it. Errors: core.ErrNotFound,
// core.ErrDisabled for an owner who could not sign in.
func (s *Service) Grant(ctx context.Context, actor string, user core.UserID, role core.Role) error {
	var changed, first bool
	err := s.d.Store.Update(ctx, func(tx store.Tx) (err error) {
		changed, first, err = grant(ctx, tx, s.d.Clock(), actor, user, role)
		return err
	})
	if err != nil {
		return fmt.Errorf("make user %d %s: %w", user, role, err)
	}
	if changed {
		s.d.OnChange(ctx, user)
	}
	if first {
		s.d.OnSetup(ctx)
	}
	return nil
}

// Revoke takes a role from a person. Errors: core.ErrNotFound when they do not have it, core.ErrConflict for the last owner
// who may sign in.
func (s *Service) Revoke(ctx context.Context, actor string, user core.UserID, role core.Role) error {
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		if err := tx.DeleteRole(ctx, user, role); err != nil {
			return err
		}
		if role == core.RoleOwner {
			if err := anotherOwner(ctx, tx); err != nil {
				return err
			}
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: s.d.Clock(), Actor: actor, Action: "role.revoke", Target: target(user), Detail: string(role)})
	})
	if err != nil {
		return fmt.Errorf("take the role %s from user %d: %w", role, user, err)
	}
	s.d.OnChange(ctx, user)
	return nil
}

// anotherOwner makes sure that somebody is left who may do everything.
func anotherOwner(ctx context.Context, tx store.Tx) error {
	grants, err := tx.RoleGrants(ctx)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.Role != core.RoleOwner {
			continue
		}
		u, err := tx.User(ctx, g.UserID)
		if err != nil {
			return err
		}
		if u.Active() {
			return nil
		}
	}
	return fmt.Errorf("%w: nobody else who may sign in is an owner; make somebody else one first", core.ErrConflict)
}

// SetupOpen tells whether there has never been an owner.
func (s *Service) SetupOpen(ctx context.Context) (bool, error) {
	open := false
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		open, err = setupOpen(ctx, tx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("ask whether the set-up is done: %w", err)
	}
	return open, nil
}

// CheckSetupToken tells whether the text is the one-time token. Errors: core.ErrWrongCredentials, core.ErrNotFound when there
// is none. Tries are limited by whoever asks.
func (s *Service) CheckSetupToken(token secret.String) error {
	want, err := s.d.SetupToken()
	if err != nil {
		return fmt.Errorf("read the token of the set-up: %w", err)
	}
	a, b := sha256.Sum256([]byte(token.Reveal())), sha256.Sum256([]byte(want.Reveal()))
	if want.Empty() || subtle.ConstantTimeCompare(a[:], b[:]) != 1 {
		return core.ErrWrongCredentials
	}
	return nil
}

// FirstOwner makes a person the first owner, once: core.ErrConflict when there has been one. prepare runs in the same
// transaction, makes the person and returns them.
func (s *Service) FirstOwner(ctx context.Context, prepare func(tx store.Tx) (core.UserID, error)) (core.UserID, error) {
	var user core.UserID
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		open, err := setupOpen(ctx, tx)
		if err != nil {
			return err
		}
		if !open {
			return fmt.Errorf("%w: there is an owner already", core.ErrConflict)
		}
		if user, err = prepare(tx); err != nil {
			return err
		}
		_, _, err = grant(ctx, tx, s.d.Clock(), "setup", user, core.RoleOwner)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("make the first owner: %w", err)
	}
	s.d.OnSetup(ctx)
	return user, nil
}

func setupOpen(ctx context.Context, tx store.Tx) (bool, error) {
	done, err := tx.Meta(ctx, MetaSetup)
	if errors.Is(err, core.ErrNotFound) {
		return true, nil
	}
	return done == "", err
}

// grant writes a role and tells whether that changed anything, and whether it ended the set-up.
func grant(ctx context.Context, tx store.Tx, now time.Time, actor string, user core.UserID, role core.Role) (changed, first bool, err error) {
	u, err := tx.User(ctx, user)
	switch {
	case err != nil:
		return false, false, err
	case !u.ErasedAt.IsZero():
		return false, false, core.ErrNotFound
	case role == core.RoleOwner && !u.Active():
		return false, false, core.ErrDisabled
	}
	have, err := tx.UserRoles(ctx, user)
	if err != nil {
		return false, false, err
	}
	for _, g := range have {
		if g.Role == role {
			return false, false, nil
		}
	}
	if err := tx.PutRole(ctx, core.RoleGrant{UserID: user, Role: role, GrantedBy: actor, GrantedAt: now}); err != nil {
		return false, false, err
	}
	if role == core.RoleOwner {
		if first, err = setupOpen(ctx, tx); err != nil {
			return false, false, err
		}
		if first {
			if err := tx.SetMeta(ctx, MetaSetup, now.UTC().Format(time.RFC3339)); err != nil {
				return false, false, err
			}
		}
	}
	return true, first, tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: "role.grant", Target: target(user), Detail: string(role)})
}

func target(user core.UserID) string { return fmt.Sprintf("user:%d", user) }
