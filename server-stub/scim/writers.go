package scim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Two programs that write one connection take back each other's changes for ever (row A3-44). They show by two live tokens that are used
// in turn, or by people whose externalId goes back and forth.
const (
	// rotation is how long the old and the new token may both be in use: a provider's workers do not change over at one moment.
	rotation = time.Hour
	// turns is how often the tokens must have taken turns after that.
	turns = 3
)

// watch sees who writes a connection. Safe for concurrent use.
type watch struct {
	mu   sync.Mutex
	uses map[core.SourceID]*use
}

type use struct {
	last  string    // the token that was used last
	other string    // the one before
	both  time.Time // when these two began to be in use
	turns int       // how often they took turns since the rotation should have been over
	noted time.Time // when the last use was written down
}

func newWatch() *watch { return &watch{uses: map[core.SourceID]*use{}} }

// saw notes that a token was used. It tells whether that is to be written down (once a minute), and whether two programs take turns.
func (w *watch) saw(source core.SourceID, token string, now time.Time) (note, two bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.uses[source]
	if u == nil {
		u = &use{last: token}
		w.uses[source] = u
	}
	if u.last != token {
		switch {
		case u.other != token:
			u.both, u.turns = now, 0
		case now.Sub(u.both) > rotation:
			u.turns++
		}
		u.last, u.other = token, u.last
		if u.turns >= turns {
			u.turns, two = 0, true
		}
	}
	if note = now.Sub(u.noted) >= time.Minute; note {
		u.noted = now
	}
	return note, two
}

// The warnings.
const (
	warnTokens = "two tokens are used in turn: probably two programs write this connection and take back each other's changes; " +
		"switch the older one off (in Entra: Provisioning Status Off) and revoke its token"
	warnExternal = "the externalId of the same person goes back and forth: probably two programs write this connection and take back each other's changes; " +
		"switch the older one off (in Entra: Provisioning Status Off)"
)

// used writes down that a token was used, and warns of two writers.
func (h *Handler) used(ctx context.Context, token store.SCIMToken) error {
	now := h.d.Clock()
	note, two := h.watch.saw(token.Source, token.ID, now)
	if !note && !two {
		return nil
	}
	err := h.d.Store.Update(ctx, func(tx store.Tx) error {
		c, err := tx.SCIMConnection(ctx, token.Source)
		if err != nil {
			return err
		}
		c.LastSeenAt = now
		if two {
			c.Warning, c.WarnedAt = warnTokens, now
		}
		if err := tx.PutSCIMConnection(ctx, c); err != nil {
			return err
		}
		fresh, err := tx.SCIMTokenByHash(ctx, token.Hash) // it may have been revoked meanwhile
		if err != nil {
			return err
		}
		fresh.LastUsedAt = now
		return tx.UpdateSCIMToken(ctx, fresh)
	})
	if err != nil {
		return fmt.Errorf("note the use of SCIM token %s: %w", token.ID, err)
	}
	if two {
		h.d.Logger.WarnContext(ctx, "two writers on one SCIM connection", "source", string(token.Source), "sign", "tokens")
	}
	return nil
}

// backAndForth tells whether a new externalId is the one from before the present one.
func backAndForth(r store.SCIMResource, externalID string) bool {
	return externalID != "" && externalID != r.ExternalID && externalID == r.ExternalWas
}

// warnWriters keeps the warning, in the transaction of the write that shows it.
func (h *Handler) warnWriters(ctx context.Context, tx store.Tx, source core.SourceID) error {
	c, err := tx.SCIMConnection(ctx, source)
	if err != nil {
		return err
	}
	c.Warning, c.WarnedAt = warnExternal, h.d.Clock()
	h.d.Logger.WarnContext(ctx, "two writers on one SCIM connection", "source", string(source), "sign", "external_id")
	return tx.PutSCIMConnection(ctx, c)
}
