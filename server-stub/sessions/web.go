package sessions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// The times of a session in a browser (SECURITY.md C9).
const (
	WebIdle    = time.Hour        // unused for so long it ends
	AdminIdle  = 15 * time.Minute // the administrators' pages
	WebLongest = 12 * time.Hour   // however much it is used
	// touchWeb is how often its use is written at most; it is the most by which it ends too early.
	touchWeb = time.Minute
)

// WebPrefix begins the secret in the cookie of a browser. A browser's secret is no access token, and none of those is good in
// a cookie.
const WebPrefix = "plt_w_"

// WebInfo is what is known of a browser that signs in.
type WebInfo struct {
	Kind      core.SessionKind // SessionWeb or SessionAdmin
	Assurance core.Assurance
	Client    string // what the browser calls itself
	Address   string
}

// StartWeb starts a session in a browser for a person who has just proven who they are, and returns the secret for its cookie.
// The session of the secret that the browser had before, if any, ends: nobody can give a browser a secret and wait until a
// person signs in with it. Errors: core.ErrNotFound, core.ErrDisabled, core.ErrForbidden for a proof that is good for no page.
func (m *Manager) StartWeb(ctx context.Context, user core.UserID, info WebInfo, before secret.String) (secret.String, core.Session, error) {
	if idle(info.Kind) == 0 || info.Assurance == core.AssuranceMachine || info.Assurance == "" {
		return secret.String{}, core.Session{}, fmt.Errorf("start a session in a browser by %q: %w", info.Assurance, core.ErrForbidden)
	}
	now := m.now()
	token := secret.New(WebPrefix + newSecret())
	s := core.Session{
		ID: newID(), UserID: user, Kind: info.Kind, Assurance: info.Assurance, ProvenAt: now, Client: info.Client, Address: info.Address,
		AccessHash: hash(token), AccessExpires: now.Add(idle(info.Kind)), RefreshExpires: now.Add(WebLongest), CreatedAt: now, LastSeenAt: now,
	}
	var ended core.Session
	err := m.store.Update(ctx, func(tx store.Tx) (err error) {
		if ended, err = endWeb(ctx, tx, before, now); err != nil {
			return err
		}
		u, err := tx.User(ctx, user)
		if err != nil {
			return err
		}
		if !u.Active() {
			return notNow(u)
		}
		return tx.CreateSession(ctx, s)
	})
	if err != nil {
		return secret.String{}, core.Session{}, fmt.Errorf("start a session in a browser for user %d: %w", user, err)
	}
	m.tell(ended)
	return token, shown(s), nil
}

// AuthenticateWeb tells whose browser it is. Errors: core.ErrUnauthenticated (unknown, idle for too long, ended, or of another
// kind) and core.ErrDisabled.
func (m *Manager) AuthenticateWeb(ctx context.Context, kind core.SessionKind, token secret.String) (core.Session, core.User, error) {
	if !isWeb(token) {
		return core.Session{}, core.User{}, fmt.Errorf("check a browser's session: %w", core.ErrUnauthenticated)
	}
	now := m.now()
	var s core.Session
	var u core.User
	err := m.store.View(ctx, func(tx store.Tx) (err error) {
		if s, err = tx.SessionByAccess(ctx, hash(token)); err != nil {
			return err
		}
		u, err = tx.User(ctx, s.UserID)
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		err = core.ErrUnauthenticated
	case err != nil:
	case s.Kind != kind || !s.RevokedAt.IsZero() || !now.Before(s.AccessExpires) || !now.Before(s.RefreshExpires):
		err = core.ErrUnauthenticated
	case !u.Active():
		err = notNow(u)
	}
	if err != nil {
		return core.Session{}, core.User{}, fmt.Errorf("check a browser's session: %w", err)
	}
	if now.Sub(s.LastSeenAt) >= touchWeb {
		m.touch(ctx, s.ID, now)
	}
	return shown(s), u, nil
}

// touch puts off the end of an idle session. That it cannot be written is no reason to turn the person away.
func (m *Manager) touch(ctx context.Context, id string, now time.Time) {
	err := m.store.Update(ctx, func(tx store.Tx) error {
		s, err := tx.Session(ctx, id)
		if err != nil || !s.RevokedAt.IsZero() || now.Sub(s.LastSeenAt) < touchWeb {
			return err
		}
		s.LastSeenAt, s.AccessExpires = now, earlier(now.Add(idle(s.Kind)), s.RefreshExpires)
		return tx.UpdateSession(ctx, s)
	})
	if err != nil {
		m.o.Logger.WarnContext(ctx, "cannot note when a browser's session was last used", "error", err)
	}
}

// StepUp notes that the person has proven who they are once more, and returns a new secret for the cookie; the old one is of no
// use from now on. Errors: those of AuthenticateWeb.
func (m *Manager) StepUp(ctx context.Context, kind core.SessionKind, token secret.String, assurance core.Assurance) (secret.String, core.Session, error) {
	old, _, err := m.AuthenticateWeb(ctx, kind, token)
	if err != nil {
		return secret.String{}, core.Session{}, err
	}
	now := m.now()
	next := secret.New(WebPrefix + newSecret())
	var s core.Session
	err = m.store.Update(ctx, func(tx store.Tx) (err error) {
		if s, err = tx.Session(ctx, old.ID); err != nil {
			return err
		}
		if !s.RevokedAt.IsZero() || !same(s.AccessHash, hash(token)) {
			return core.ErrUnauthenticated
		}
		s.AccessHash, s.Assurance, s.ProvenAt, s.LastSeenAt = hash(next), assurance, now, now
		s.AccessExpires = earlier(now.Add(idle(kind)), s.RefreshExpires)
		return tx.UpdateSession(ctx, s)
	})
	if err != nil {
		return secret.String{}, core.Session{}, fmt.Errorf("renew a browser's session: %w", err)
	}
	return next, shown(s), nil
}

// EndWeb signs a browser out. A secret that is of no use already is no error.
func (m *Manager) EndWeb(ctx context.Context, token secret.String) error {
	var ended core.Session
	err := m.store.Update(ctx, func(tx store.Tx) (err error) {
		ended, err = endWeb(ctx, tx, token, m.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("end a browser's session: %w", err)
	}
	m.tell(ended)
	return nil
}

// EndKind ends a person's sessions of one kind: those of the administrators' pages, when their roles change.
func (m *Manager) EndKind(ctx context.Context, actor string, user core.UserID, kind core.SessionKind) error {
	list, err := m.List(ctx, user)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Kind != kind {
			continue
		}
		if err := m.Revoke(ctx, actor, user, s.ID); err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (m *Manager) tell(ended core.Session) {
	if ended.ID != "" {
		m.o.OnEnd(ended.ID, ended.UserID)
	}
}

// endWeb ends the session of a cookie's secret and returns it; the zero value when there is none in force.
func endWeb(ctx context.Context, tx store.Tx, token secret.String, now time.Time) (core.Session, error) {
	if !isWeb(token) {
		return core.Session{}, nil
	}
	s, err := tx.SessionByAccess(ctx, hash(token))
	if errors.Is(err, core.ErrNotFound) {
		return core.Session{}, nil
	}
	if err != nil || !s.RevokedAt.IsZero() {
		return core.Session{}, err
	}
	end(&s, now)
	return s, tx.UpdateSession(ctx, s)
}

// idle is how long a session of that kind may be unused, 0 for what is no kind of a browser.
func idle(kind core.SessionKind) time.Duration {
	switch kind {
	case core.SessionWeb:
		return WebIdle
	case core.SessionAdmin:
		return AdminIdle
	case core.SessionClient:
	}
	return 0
}

func isWeb(token secret.String) bool {
	text := token.Reveal()
	return len(text) <= maxTokenLength && strings.HasPrefix(text, WebPrefix) && len(text) > len(WebPrefix)
}
