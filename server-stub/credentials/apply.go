package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/users"
)

// Why credentials end.
const (
	endedGone   = "gone" // not given any more, or another took its place
	endedUndone = "undone"
	// endedRemoved is a card that an administrator took away.
	endedRemoved = "removed"
)

// taken back: ids of what Apply put in force and ended.
type undoing struct {
	Added []int64 `json:"a,omitempty"`
	Ended []int64 `json:"e,omitempty"`
}

// Apply implements dirsync.CredentialRun.
func (b *batch) Apply(ctx context.Context, tx store.Tx, at time.Time, user core.User, p dirsync.CredentialPlan) ([]byte, []dirsync.Notice, error) {
	data, ok := p.Data.(*planned)
	if !ok {
		return nil, nil, fmt.Errorf("keep the cards and codes of user %d: the plan is not of this run", user.ID)
	}
	undo, err := b.s.apply(ctx, tx, at, user, data)
	if err != nil {
		return nil, nil, fmt.Errorf("keep the cards and codes of user %d: %w", user.ID, err)
	}
	var note []byte
	if len(undo.Added)+len(undo.Ended) > 0 {
		if note, err = json.Marshal(undo); err != nil {
			return nil, nil, fmt.Errorf("note how to take it back: %w", err)
		}
	}
	return note, b.s.notices(user, data), nil
}

func (s *Service) notices(user core.User, data *planned) []dirsync.Notice {
	if data.notice == "" {
		return nil
	}
	return []dirsync.Notice{{Kind: data.notice, User: user, Code: data.code, Cards: data.hints}}
}

func (s *Service) apply(ctx context.Context, tx store.Tx, at time.Time, user core.User, data *planned) (undoing, error) {
	var undo undoing
	if len(data.end) > 0 {
		if err := tx.EndCredentials(ctx, at, endedGone, data.end...); err != nil {
			return undo, err
		}
		undo.Ended = data.end
	}
	for _, a := range data.add {
		c := core.Credential{
			UserID: user.ID, Kind: a.kind, Origin: a.origin, Source: a.source, Lookup: a.lookup, Place: a.place, Weak: strings.Join(a.weak, ","), CreatedAt: at,
		}
		if a.kind == core.CredentialCard {
			c.Hint = hintOf(a.text)
		}
		id, err := tx.CreateCredential(ctx, s.seal(c, a.text))
		if errors.Is(err, core.ErrConflict) {
			// Whoever was to give it up was not changed after all. The next run finds it so.
			s.d.Logger.WarnContext(ctx, "a card or code is still somebody else's", "user_id", user.ID, "kind", string(a.kind))
			continue
		}
		if err != nil {
			return undo, err
		}
		undo.Added = append(undo.Added, id)
	}
	for _, c := range data.move {
		if err := tx.UpdateCredential(ctx, c); err != nil {
			return undo, err
		}
	}
	if !data.pinIs.Empty() {
		c := core.Credential{UserID: user.ID, Kind: core.CredentialPIN, Origin: data.origin, Source: data.source, Lookup: s.pinMark(user.ID, data.pinIs), CreatedAt: at}
		id, err := tx.CreateCredential(ctx, s.seal(c, data.pinIs))
		if err != nil {
			return undo, err
		}
		undo.Added = append(undo.Added, id)
		s.wakeUp()
	}
	return undo, nil
}

// Revert implements dirsync.Credentials. What is somebody else's by now stays so. Waiting mail with a code that is not true any more is
// cancelled.
func (s *Service) Revert(ctx context.Context, tx store.Tx, at time.Time, user core.UserID, undo []byte) error {
	if len(undo) == 0 {
		return nil
	}
	var u undoing
	if err := json.Unmarshal(undo, &u); err != nil {
		return fmt.Errorf("take back the cards and codes of user %d: %w", user, err)
	}
	have, err := tx.UserCredentials(ctx, user)
	if err != nil {
		return err
	}
	if err := tx.EndCredentials(ctx, at, endedUndone, u.Added...); err != nil {
		return err
	}
	for _, id := range u.Ended {
		if replacedSince(have, u, id) {
			continue
		}
		if err := tx.ReviveCredential(ctx, id); err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
	}
	return s.settleCode(ctx, tx, at, user, u)
}

// replacedSince tells whether somebody changed since what took the place of a credential that a run ended: a code or PIN that was
// replaced again, or a card that was listed again and removed. Then it may be in the wrong hands, and stays ended.
func replacedSince(have []core.Credential, u undoing, id int64) bool {
	at := slices.IndexFunc(have, func(c core.Credential) bool { return c.ID == id })
	if at < 0 {
		return false // another person's, who gave it up in the same run
	}
	old := have[at]
	return slices.ContainsFunc(have, func(c core.Credential) bool {
		if old.Kind == core.CredentialCard {
			return c.ID > id && c.Kind == old.Kind && c.Lookup == old.Lookup && c.EndedWhy == endedRemoved
		}
		return c.Kind == old.Kind && !c.InForce() && slices.Contains(u.Added, c.ID)
	})
}

// settleCode sees to it that somebody whose run was undone has a code. One that was made for somebody who had none stays: it may have
// been told by now. Any other code that waits to be told is not true any more.
func (s *Service) settleCode(ctx context.Context, tx store.Tx, at time.Time, user core.UserID, u undoing) error {
	list, err := tx.UserCredentials(ctx, user)
	if err != nil {
		return err
	}
	made := int64(0)
	for _, c := range list {
		switch {
		case !isCode(c):
		case c.InForce():
			_, err := tx.CancelMail(ctx, user, "what it says was undone", at)
			return err
		case c.Origin == core.OriginGenerated && slices.Contains(u.Added, c.ID):
			made = c.ID
		}
	}
	if made != 0 {
		return tx.ReviveCredential(ctx, made)
	}
	return s.ensureCode(ctx, tx, user)
}

// ensureCode makes a code for somebody who has none, where everybody has one.
func (s *Service) ensureCode(ctx context.Context, tx store.Tx, id core.UserID) error {
	if !s.d.Policy.Generate {
		return nil
	}
	u, err := tx.User(ctx, id)
	if err != nil || !u.DeletedAt.IsZero() || !u.ErasedAt.IsZero() {
		return err
	}
	_, err = s.give(ctx, tx, u, Given{}, false)
	return err
}

// give plans and keeps what is given for one person, and tells them if told to. What could not be kept is in the outcome.
func (s *Service) give(ctx context.Context, tx store.Tx, u core.User, g Given, tell bool) (*outcome, error) {
	list, err := s.giveAll(ctx, tx, []gift{{Gift: users.Gift{User: u}, given: g}}, tell)
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}
