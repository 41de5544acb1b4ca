package credentials

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
)

// List returns a person's cards, codes and PINs in force, without their values.
func (s *Service) List(ctx context.Context, user core.UserID) ([]core.Credential, error) {
	var list []core.Credential
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		list, err = inForce(ctx, tx, user)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the cards and codes of user %d: %w", user, err)
	}
	return list, nil
}

func inForce(ctx context.Context, tx store.Tx, user core.UserID) ([]core.Credential, error) {
	var list []core.Credential
	err := tx.CredentialsOf(ctx, []core.UserID{user}, func(c core.Credential) {
		if !slices.ContainsFunc(list, func(o core.Credential) bool { return o.ID == c.ID }) {
			list = append(list, c)
		}
	})
	return list, err
}

// AddCard gives a person a card. Errors: core.ErrConflict for somebody else's, core.ErrInvalid.
func (s *Service) AddCard(ctx context.Context, actor string, user core.UserID, number secret.String) error {
	if _, err := CanonCard(number); err != nil {
		return err
	}
	return s.change(ctx, actor, "user.card.add", user, func(tx store.Tx, u core.User) error {
		o, err := s.give(ctx, tx, u, Given{Origin: core.OriginAdmin, Kinds: []core.CredentialKind{core.CredentialCard}, Cards: []secret.String{number}, Add: true}, false)
		if err != nil {
			return err
		}
		return o.fault()
	})
}

// fault turns what was left out into an error.
func (o *outcome) fault() error {
	switch {
	case len(o.refused) > 0:
		return fmt.Errorf("%w: %s", core.ErrInvalid, strings.Join(o.refused, "; "))
	case len(o.Problems) > 0:
		return fmt.Errorf("%w: %s", core.ErrConflict, strings.Join(o.Problems, "; "))
	}
	return nil
}

// RemoveCard ends a card, whoever gave it: by its number, or by its id. A directory that still lists it gives it again when it next
// changes the person.
func (s *Service) RemoveCard(ctx context.Context, actor string, user core.UserID, id int64, number secret.String) error {
	return s.change(ctx, actor, "user.card.remove", user, func(tx store.Tx, u core.User) error {
		var lookup [32]byte
		if id == 0 {
			text, err := CanonCard(number)
			if err != nil {
				return err
			}
			lookup = s.digest(core.CredentialCard, text)
		}
		list, err := inForce(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Kind == core.CredentialCard && (id != 0 && c.ID == id || id == 0 && c.Lookup == lookup) {
				return tx.EndCredentials(ctx, s.d.Clock(), endedRemoved, c.ID)
			}
		}
		return fmt.Errorf("%w: the person has no such card", core.ErrNotFound)
	})
}

// SetCode gives a person a code of the administrator's choice. It returns what is weak about it, "" for a good one. Errors:
// core.ErrConflict for somebody else's, core.ErrInvalid for one that the policy refuses.
func (s *Service) SetCode(ctx context.Context, actor string, user core.UserID, code secret.String) (weak string, err error) {
	if _, err := CanonCode(code); err != nil {
		return "", err
	}
	err = s.change(ctx, actor, "user.code.set", user, func(tx store.Tx, u core.User) error {
		o, err := s.give(ctx, tx, u, Given{Origin: core.OriginAdmin, Kinds: []core.CredentialKind{core.CredentialCode}, Code: code}, false)
		if err != nil {
			return err
		}
		weak = strings.Join(o.Weak, "; ")
		return o.fault()
	})
	return weak, err
}

// NewCode makes a new code for a person; the codes that were in force end, whoever gave them. The person is told, where there is mail.
// The code is returned as people write it.
func (s *Service) NewCode(ctx context.Context, actor string, user core.UserID) (secret.String, error) {
	var code secret.String
	err := s.change(ctx, actor, "user.code.new", user, func(tx store.Tx, u core.User) error {
		made, err := s.newCode(ctx, tx, u)
		code = made
		return err
	})
	return s.shown(code), err
}

func (s *Service) newCode(ctx context.Context, tx store.Tx, u core.User) (secret.String, error) {
	if err := s.endCodes(ctx, tx, u.ID); err != nil {
		return secret.String{}, err
	}
	w := []wish{{who: who{user: u.ID}, user: u, generate: true}}
	b := s.begin(core.LocalSource)
	if err := errors.Join(b.count(ctx, tx, w), readPresent(ctx, tx, w), b.makeCodes(ctx, tx, w)); err != nil {
		return secret.String{}, err
	}
	if _, err := s.apply(ctx, tx, s.d.Clock(), u, &w[0].data); err != nil {
		return secret.String{}, err
	}
	code := w[0].data.code
	if !u.Active() {
		return code, nil
	}
	return code, s.d.Notify(ctx, tx, dirsync.Notice{Kind: dirsync.NoticeCodeReplaced, User: u, Code: code, Cards: hintsOf(w[0].have, nil)})
}

func (s *Service) endCodes(ctx context.Context, tx store.Tx, user core.UserID) error {
	list, err := inForce(ctx, tx, user)
	if err != nil {
		return err
	}
	for _, c := range list {
		if isCode(c) {
			if err := tx.EndCredentials(ctx, s.d.Clock(), "replaced", c.ID); err != nil {
				return err
			}
		}
	}
	_, err = tx.CancelMail(ctx, user, "the code was replaced", s.d.Clock())
	return err
}

// ClearCode ends a person's codes. Where everybody has one, a new one takes their place at once and is returned.
func (s *Service) ClearCode(ctx context.Context, actor string, user core.UserID) (secret.String, error) {
	var code secret.String
	err := s.change(ctx, actor, "user.code.clear", user, func(tx store.Tx, u core.User) (err error) {
		code = secret.String{}
		if s.d.Policy.Generate && u.DeletedAt.IsZero() {
			code, err = s.newCode(ctx, tx, u)
			return err
		}
		return s.endCodes(ctx, tx, u.ID)
	})
	return s.shown(code), err
}

func (s *Service) shown(code secret.String) secret.String {
	if code.Empty() {
		return code
	}
	return secret.New(s.d.Policy.Format.Show(code.Reveal()))
}

// Shown is a code as people see it: in groups.
func (s *Service) Shown(code secret.String) secret.String { return s.shown(code) }

// Revealed is a value with what is known of it.
type Revealed struct {
	core.Credential
	Value secret.String // empty where it is not kept
}

// Reveal returns a person's values of one kind. That somebody looked is written to the audit log before they see anything.
func (s *Service) Reveal(ctx context.Context, actor string, user core.UserID, kind core.CredentialKind) ([]Revealed, error) {
	var list []Revealed
	if kind == core.CredentialPIN {
		return nil, fmt.Errorf("%w: a PIN is never shown", core.ErrForbidden)
	}
	err := s.change(ctx, actor, fmt.Sprintf("user.%s.reveal", kind), user, func(tx store.Tx, u core.User) error {
		list = nil
		have, err := inForce(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		for _, c := range have {
			if c.Kind != kind {
				continue
			}
			text, err := s.open(c)
			if err != nil && !errors.Is(err, core.ErrNotFound) {
				return err
			}
			if kind == core.CredentialCode {
				text = s.shown(text)
			}
			list = append(list, Revealed{c, text})
		}
		return nil
	})
	return list, err
}

// SetPIN gives a person a PIN, or with an empty one ends it.
func (s *Service) SetPIN(ctx context.Context, actor string, user core.UserID, pin secret.String) error {
	c := core.Credential{UserID: user, Kind: core.CredentialPIN, Origin: core.OriginAdmin}
	if !pin.Empty() {
		text, err := CanonPIN(pin)
		if err != nil {
			return err
		}
		if c.PHC, err = s.d.Hasher.Hash(ctx, s.peppered(user, text)); err != nil {
			return fmt.Errorf("set the PIN of user %d: %w", user, err)
		}
	}
	return s.change(ctx, actor, "user.pin.set", user, func(tx store.Tx, u core.User) error {
		list, err := inForce(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		for _, old := range list {
			if old.Kind == core.CredentialPIN {
				if err := tx.EndCredentials(ctx, s.d.Clock(), "replaced", old.ID); err != nil {
					return err
				}
			}
		}
		if c.PHC == "" {
			return nil
		}
		c.CreatedAt = s.d.Clock()
		_, err = tx.CreateCredential(ctx, c)
		return err
	})
}

// change does something to a person who is not erased, and writes it to the audit log.
func (s *Service) change(ctx context.Context, actor, action string, user core.UserID, do func(store.Tx, core.User) error) error {
	err := s.d.Store.Update(ctx, func(tx store.Tx) error {
		u, err := tx.User(ctx, user)
		if err == nil && !u.ErasedAt.IsZero() {
			err = core.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := do(tx, u); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: s.d.Clock(), Actor: actor, Action: action, Target: fmt.Sprintf("user:%d", user)})
	})
	if err != nil {
		return fmt.Errorf("%s of user %d: %w", strings.ReplaceAll(strings.TrimPrefix(action, "user."), ".", " "), user, err)
	}
	return nil
}
