package scim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// What tokens are like (R-SCIM-1).
const (
	TokenPrefix = "pp_scim_"
	MaxLifetime = 365 * 24 * time.Hour
	maxLive     = 2 // the one in use, and the one it is changed for
)

// Tokens makes, lists and ends the tokens of connections. Safe for concurrent use.
type Tokens struct {
	store store.Store
	now   clock.Clock
}

// NewTokens returns the tokens of a database.
func NewTokens(s store.Store, now clock.Clock) *Tokens { return &Tokens{s, now} }

// TokenOptions say what a new token is like.
type TokenOptions struct {
	Lifetime time.Duration  // at most MaxLifetime, which is also what 0 stands for
	Networks []netip.Prefix // where it is accepted from; empty: from anywhere
}

// Issue makes a token for the connection. The secret is handed out here and never again. With two live ones already it is
// core.ErrConflict: one has to be revoked first.
func (t *Tokens) Issue(ctx context.Context, actor string, source core.SourceID, o TokenOptions) (secret.String, store.SCIMToken, error) {
	if o.Lifetime == 0 {
		o.Lifetime = MaxLifetime
	}
	if o.Lifetime < 0 || o.Lifetime > MaxLifetime {
		return secret.String{}, store.SCIMToken{}, fmt.Errorf("%w: a token lives for at most 365 days", core.ErrInvalid)
	}
	var random [32]byte
	rand.Read(random[:])
	text := TokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	networks := make([]string, len(o.Networks))
	for i, n := range o.Networks {
		networks[i] = n.Masked().String()
	}
	now := t.now()
	token := store.SCIMToken{
		ID: strings.ToLower(rand.Text()[:10]), Source: source, Hash: sha256.Sum256([]byte(text)), Networks: strings.Join(networks, ","),
		CreatedAt: now, ExpiresAt: now.Add(o.Lifetime),
	}
	err := t.store.Update(ctx, func(tx store.Tx) error {
		live, err := liveTokens(ctx, tx, source, now)
		if err != nil {
			return err
		}
		if len(live) >= maxLive {
			return fmt.Errorf("%w: two tokens are live already (%s, %s); revoke the one that is not used any more", core.ErrConflict, live[0].ID, live[1].ID)
		}
		if err := tx.CreateSCIMToken(ctx, token); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: "scim.token.create", Target: "source:" + string(source), Detail: token.ID})
	})
	if err != nil {
		return secret.String{}, store.SCIMToken{}, fmt.Errorf("make a SCIM token for %q: %w", source, err)
	}
	return secret.New(text), token, nil
}

// List returns the connection's tokens, newest first, those that are over too.
func (t *Tokens) List(ctx context.Context, source core.SourceID) (list []store.SCIMToken, err error) {
	err = t.store.View(ctx, func(tx store.Tx) (err error) {
		if list, err = tx.SCIMTokens(ctx, source); err != nil {
			return err
		}
		for i := range list {
			if list[i], err = ofToday(ctx, tx, list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the SCIM tokens of %q: %w", source, err)
	}
	return list, nil
}

// Revoke ends a token at once; id "" ends every one of the connection. It tells how many.
func (t *Tokens) Revoke(ctx context.Context, actor string, source core.SourceID, id string) (n int, err error) {
	now := t.now()
	err = t.store.Update(ctx, func(tx store.Tx) error {
		n = 0
		live, err := liveTokens(ctx, tx, source, now)
		if err != nil {
			return err
		}
		for _, token := range live {
			if id != "" && token.ID != id {
				continue
			}
			token.RevokedAt = now
			if err := tx.UpdateSCIMToken(ctx, token); err != nil {
				return err
			}
			n++
			if err := tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: actor, Action: "scim.token.revoke", Target: "source:" + string(source), Detail: token.ID}); err != nil {
				return err
			}
		}
		if n == 0 {
			return fmt.Errorf("%w: there is no such live token", core.ErrNotFound)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("revoke a SCIM token of %q: %w", source, err)
	}
	return n, nil
}

func liveTokens(ctx context.Context, tx store.Tx, source core.SourceID, now time.Time) (live []store.SCIMToken, err error) {
	list, err := tx.SCIMTokens(ctx, source)
	if err != nil {
		return nil, err
	}
	for _, token := range list {
		if token, err = ofToday(ctx, tx, token); err != nil {
			return nil, err
		}
		if Live(token, now) {
			live = append(live, token)
		}
	}
	return live, nil
}

// ofToday is the token, revoked if its connection was removed since it was made: one that is added later under the same id is another.
func ofToday(ctx context.Context, tx store.Tx, token store.SCIMToken) (store.SCIMToken, error) {
	added, err := tx.ConfiguredSources(ctx) // those of the configuration file are not among them
	for _, c := range added {
		if c.ID == token.Source && token.RevokedAt.IsZero() && token.CreatedAt.Before(c.CreatedAt) {
			token.RevokedAt = c.CreatedAt
		}
	}
	return token, err
}

// Live tells whether the token is in force.
func Live(t store.SCIMToken, now time.Time) bool {
	return t.RevokedAt.IsZero() && now.Before(t.ExpiresAt)
}

// Log returns lines of the connection's provisioning log after the given one; after < 0: the newest ones.
func (t *Tokens) Log(ctx context.Context, source core.SourceID, after int64, limit int) (list []store.SCIMEntry, err error) {
	err = t.store.View(ctx, func(tx store.Tx) (err error) {
		list, err = tx.SCIMLog(ctx, source, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the provisioning log of %q: %w", source, err)
	}
	return list, nil
}

// Connection tells how the connection stands.
func (t *Tokens) Connection(ctx context.Context, source core.SourceID) (c store.SCIMConnection, err error) {
	err = t.store.View(ctx, func(tx store.Tx) (err error) {
		c, err = tx.SCIMConnection(ctx, source)
		return err
	})
	if err != nil {
		return store.SCIMConnection{}, fmt.Errorf("read how connection %q stands: %w", source, err)
	}
	return c, nil
}

// logKept is how long lines of the provisioning log are kept. They name people.
const logKept = 30 * 24 * time.Hour

// Purge forgets lines of the provisioning log that are older than 30 days.
func (t *Tokens) Purge(ctx context.Context) error {
	return t.store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.DeleteSCIMLogBefore(ctx, t.now().Add(-logKept))
		return err
	})
}

// check returns the token if it is in force and may come from the address. core.ErrUnauthenticated says no more than that.
func (t *Tokens) check(ctx context.Context, text string, from netip.Addr) (token store.SCIMToken, err error) {
	if !strings.HasPrefix(text, TokenPrefix) {
		return token, core.ErrUnauthenticated
	}
	hash := sha256.Sum256([]byte(text))
	err = t.store.View(ctx, func(tx store.Tx) (err error) {
		if token, err = tx.SCIMTokenByHash(ctx, hash); err != nil {
			return err
		}
		token, err = ofToday(ctx, tx, token)
		return err
	})
	switch {
	case errors.Is(err, core.ErrNotFound):
		return token, core.ErrUnauthenticated
	case err != nil:
		return token, err
	case subtle.ConstantTimeCompare(hash[:], token.Hash[:]) != 1 || !Live(token, t.now()) || !within(token.Networks, from):
		return token, core.ErrUnauthenticated
	}
	return token, nil
}

// within tells whether the address is in one of the networks; none are all.
func within(networks string, addr netip.Addr) bool {
	if networks == "" {
		return true
	}
	for text := range strings.SplitSeq(networks, ",") {
		if p, err := netip.ParsePrefix(text); err == nil && p.Contains(addr.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
