package users

import (
	"context"
	"fmt"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Erase removes who a person was: details, names, identities, password, cards, codes, PINs, mail, passkeys, roles, sessions, proposals, and the texts of
// their transfers. The id, the amounts and the audit log, which name nobody, stay. It cannot be undone.
func (s *Service) Erase(ctx context.Context, actor string, id core.UserID) error {
	_, err := s.update(ctx, "erase", id, func(c *change) error {
		if err := c.eraseRows(); err != nil {
			return err
		}
		// The overdraft is a sum, not a detail of a person, and the ledger's rules still need it.
		c.user = core.User{ID: id, Overdraft: c.user.Overdraft, Disabled: true, ErasedAt: c.now, CreatedAt: c.user.CreatedAt, UpdatedAt: c.now}
		c.fields = []string{"all"}
		return c.save(actor, "user.erase")
	})
	return err
}

func (c *change) eraseRows() error {
	id := c.user.ID
	if err := c.tx.ForgetInDirectories(c.ctx, id); err != nil {
		return err
	}
	if err := c.tx.DeleteNames(c.ctx, id); err != nil {
		return err
	}
	if err := c.tx.DeleteIdentities(c.ctx, id); err != nil {
		return err
	}
	if err := c.tx.DeleteSCIMUser(c.ctx, id); err != nil {
		return err
	}
	if err := c.tx.DeletePassword(c.ctx, id); err != nil {
		return err
	}
	if err := c.tx.EraseCredentials(c.ctx, id, c.now); err != nil {
		return err
	}
	if err := c.tx.DeleteUserMail(c.ctx, id); err != nil {
		return err
	}
	if err := c.dropRights(); err != nil {
		return err
	}
	if _, err := c.tx.DeleteUserNotes(c.ctx, id); err != nil {
		return err
	}
	if err := c.dropProposals(func(p Proposal) bool { return p.User == id }); err != nil {
		return err
	}
	return c.eraseSessions()
}

// dropRights removes passkeys and roles.
func (c *change) dropRights() error {
	keys, err := c.tx.UserPasskeys(c.ctx, c.user.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := c.tx.DeletePasskey(c.ctx, c.user.ID, k.ID); err != nil {
			return err
		}
	}
	grants, err := c.tx.UserRoles(c.ctx, c.user.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if err := c.tx.DeleteRole(c.ctx, c.user.ID, g.Role); err != nil {
			return err
		}
	}
	return nil
}

// eraseSessions ends the sessions and forgets every ended one: of other people too, who do not need them any more.
func (c *change) eraseSessions() error {
	if _, err := c.tx.RevokeUserSessions(c.ctx, c.user.ID, c.now); err != nil {
		return err
	}
	_, err := c.tx.DeleteSessionsBefore(c.ctx, c.now.Add(time.Second))
	return err
}

// Details is everything about one person but their money.
type Details struct {
	User        core.User
	Names       []core.LoginName // in force and ended, oldest first
	Identities  []core.ExternalIdentity
	Sessions    []core.Session // in force, newest first, without the hashes of their tokens
	HasPassword bool           // a local one
}

// Show returns a person with names, identities and sessions.
func (s *Service) Show(ctx context.Context, id core.UserID) (Details, error) {
	var d Details
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		d = Details{}
		if d.User, err = living(ctx, tx, id); err != nil {
			return err
		}
		if d.Names, err = tx.UserNames(ctx, id); err != nil {
			return err
		}
		if d.Identities, err = tx.UserIdentities(ctx, id); err != nil {
			return err
		}
		if d.Sessions, err = tx.UserSessions(ctx, id, s.d.Clock()); err != nil {
			return err
		}
		d.HasPassword, err = hasPassword(ctx, tx, id)
		return err
	})
	if err != nil {
		return Details{}, fmt.Errorf("show user %d: %w", id, err)
	}
	for i := range d.Sessions {
		d.Sessions[i].AccessHash, d.Sessions[i].RefreshHash, d.Sessions[i].PreviousHash = [32]byte{}, [32]byte{}, [32]byte{}
	}
	return d, nil
}

// List returns users in the order of their ids.
func (s *Service) List(ctx context.Context, f store.UserFilter) ([]core.User, error) {
	var list []core.User
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		list, err = tx.ListUsers(ctx, f)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}
