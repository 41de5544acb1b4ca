package users

import (
	"context"
	"fmt"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// Change says what to change; nil fields stay as they are.
type Change struct {
	DisplayName *string
	Email       *string // "" removes it
	Department  *string
	Office      *string
	Overdraft   *core.Amount
	Password    *secret.String // empty removes it
}

// Set changes a user's details. Errors: core.ErrInvalid, core.ErrNotFound, core.ErrConflict for what the person's
// directory keeps or a name that is somebody else's.
func (s *Service) Set(ctx context.Context, actor string, id core.UserID, ch Change) (core.User, error) {
	phc := ""
	if ch.Password != nil && !ch.Password.Empty() {
		var err error
		if phc, err = s.d.Hasher.Hash(ctx, *ch.Password); err != nil {
			return core.User{}, fmt.Errorf("change user %d: %w", id, err)
		}
	}
	return s.update(ctx, "change", id, func(c *change) error {
		if err := s.set(c, ch, phc); err != nil {
			return err
		}
		return c.save(actor, "user.set")
	})
}

func (s *Service) set(c *change, ch Change, phc string) error {
	for field, text := range map[string]*string{"display name": ch.DisplayName, "e-mail": ch.Email, "department": ch.Department, "office": ch.Office} {
		if text == nil {
			continue
		}
		if c.user.Source != core.LocalSource {
			return c.keptByDirectory(field)
		}
		if err := checkText(field, *text); err != nil {
			return err
		}
	}
	c.setText("display_name", &c.user.DisplayName, ch.DisplayName)
	c.setText("department", &c.user.Department, ch.Department)
	c.setText("office", &c.user.Office, ch.Office)
	if ch.Email != nil {
		if err := c.setEmail(*ch.Email); err != nil {
			return err
		}
	}
	if ch.Overdraft != nil {
		if *ch.Overdraft < 0 || *ch.Overdraft > core.MaxAmount {
			return fmt.Errorf("%w: the overdraft is how far the balance may go below zero, like 5.00", core.ErrInvalid)
		}
		if *ch.Overdraft != c.user.Overdraft {
			c.user.Overdraft = *ch.Overdraft
			c.fields = append(c.fields, "overdraft")
		}
	}
	if ch.Password == nil {
		return nil
	}
	c.fields = append(c.fields, "password")
	if ch.Password.Empty() {
		return c.tx.DeletePassword(c.ctx, c.user.ID)
	}
	if err := s.checkPassword(c, *ch.Password); err != nil {
		return err
	}
	return c.tx.SetPasswordHash(c.ctx, c.user.ID, phc)
}

// Rename gives a local account another username; the old one stays as an alias, so that nothing the person uses breaks.
// Balance, sessions and history belong to the id and stay.
func (s *Service) Rename(ctx context.Context, actor string, id core.UserID, username string) (core.User, error) {
	return s.update(ctx, "rename", id, func(c *change) error {
		if err := c.rename(username); err != nil {
			return err
		}
		return c.save(actor, "user.rename")
	})
}

func (c *change) rename(username string) error {
	username = strings.TrimSpace(username)
	if c.user.Source != core.LocalSource {
		return c.keptByDirectory("username")
	}
	folded, err := checkName("username", username)
	if err != nil {
		return err
	}
	if username == c.user.Username {
		return nil
	}
	if err := c.claim(folded, usernameKind(folded)); err != nil {
		return err
	}
	old, err := auth.Canon(c.user.Username)
	if err != nil {
		return fmt.Errorf("the present username: %w", err)
	}
	oldName := c.user.Username
	c.user.Username = username
	c.fields = append(c.fields, "username")
	if folded == old {
		return c.put(username, folded, usernameKind(folded)) // only written differently
	}
	if _, err := c.end(func(n core.LoginName) bool {
		return strong(n.Kind) && n.Folded == old || n.Kind == core.NameAlias && n.Folded == folded
	}); err != nil {
		return err
	}
	if err := c.put(username, folded, usernameKind(folded)); err != nil {
		return err
	}
	return c.put(oldName, old, core.NameAlias)
}

// AddAlias gives a person one more name.
func (s *Service) AddAlias(ctx context.Context, actor string, id core.UserID, alias string) (core.User, error) {
	return s.update(ctx, "add an alias to", id, func(c *change) error {
		if err := c.addAlias(alias); err != nil {
			return err
		}
		return c.save(actor, "user.alias.add")
	})
}

// RemoveAlias ends an alias given by hand or kept from a rename. It stays reserved for names.Reservation; see FreeName.
// core.ErrNotFound when the person has no such alias.
func (s *Service) RemoveAlias(ctx context.Context, actor string, id core.UserID, alias string) (core.User, error) {
	return s.update(ctx, "remove an alias of", id, func(c *change) error {
		folded, err := auth.Canon(alias)
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrInvalid, err)
		}
		n, err := c.end(func(n core.LoginName) bool { return n.Kind == core.NameAlias && n.Folded == folded })
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%w: the user has no alias %q", core.ErrNotFound, alias)
		}
		c.fields = append(c.fields, "aliases")
		return c.save(actor, "user.alias.remove")
	})
}

// FreeName lets a name be given to somebody else at once: it ends aliases and forgets that people had the name before.
// It returns whose name it was. core.ErrConflict for a name that is somebody's username now, core.ErrNotFound for one
// that nobody keeps.
func (s *Service) FreeName(ctx context.Context, actor string, name string) ([]core.UserID, error) {
	var freed []core.UserID
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		freed = nil
		now := s.d.Clock()
		folded, err := auth.Canon(name)
		if err != nil {
			return fmt.Errorf("%w: %w", core.ErrInvalid, err)
		}
		holders, err := tx.Holders(ctx, folded)
		if err != nil {
			return err
		}
		for _, h := range holders {
			if !names.Blocks(h, now) {
				continue
			}
			if h.ValidTo.IsZero() && h.Kind != core.NameAlias {
				return fmt.Errorf("%w: it is the %s of user %d now", core.ErrConflict, h.Kind, h.UserID)
			}
			// Ended long enough ago to be free: there is no other mark for it.
			if err := tx.EndName(ctx, h.ID, now.Add(-names.Reservation)); err != nil {
				return err
			}
			freed = append(freed, h.UserID)
			c := change{ctx: ctx, tx: tx, now: now, user: core.User{ID: h.UserID}, fields: []string{"aliases"}}
			if err := c.audit(actor, "user.name.free"); err != nil {
				return err
			}
		}
		if len(freed) == 0 {
			return core.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("free the name %q: %w", name, err)
	}
	for _, id := range freed {
		s.d.OnChange(id)
	}
	return freed, nil
}

// Disable keeps a person from signing in; what is signed in ends at once. It also takes over what a directory disabled: that
// directory then does not enable it again.
func (s *Service) Disable(ctx context.Context, actor string, id core.UserID) (core.User, error) {
	return s.update(ctx, "disable", id, func(c *change) error {
		if c.user.Disabled && !c.user.DisabledBySource {
			return nil
		}
		c.user.Disabled, c.user.DisabledBySource = true, false
		c.fields = append(c.fields, "disabled")
		return c.save(actor, "user.disable")
	})
}

// Enable lets a disabled person sign in again. core.ErrConflict for one whom the directory does not list any more. An
// account that its directory disabled is disabled again by the next synchronisation.
func (s *Service) Enable(ctx context.Context, actor string, id core.UserID) (core.User, error) {
	return s.update(ctx, "enable", id, func(c *change) error {
		if !c.user.DeletedAt.IsZero() {
			return fmt.Errorf("%w: the directory %q does not list the person any more; bring them back there", core.ErrConflict, c.user.Source)
		}
		if !c.user.Disabled {
			return nil
		}
		c.user.Disabled, c.user.DisabledBySource = false, false
		c.fields = append(c.fields, "disabled")
		return c.save(actor, "user.enable")
	})
}
