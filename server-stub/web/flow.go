package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/inbound"
	"github.com/platenprint/platen/server-stub/store"
)

// flowLife is how long a browser has for what it began.
const flowLife = 10 * time.Minute

// The kinds of flows.
const (
	flowProvider = "provider" // a sign-in at a provider; named by its state
	flowClient   = "client"   // Platen on this computer asked, and the person has not chosen how to sign in
	flowConfirm  = "confirm"  // the person is known, and is asked whether Platen on this computer may sign in
	flowPasskey  = "passkey"
	flowSetup    = "set-up"
)

// errFlow: what the browser came back with is not what it began, or too late, or for the second time.
var errFlow = fmt.Errorf("%w: what the browser came back with was not begun by it, or is over", core.ErrInvalid)

// begin remembers data under a new id for this browser, and forgets what is over.
func (h *Handler) begin(ctx context.Context, browser secret.String, kind string, data any) (id string, err error) {
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("remember a %s: %w", kind, err)
	}
	id = random()
	now := h.Clock()
	f := core.Flow{Hash: sum(id), Browser: sum(browser.Reveal()), Kind: kind, Data: string(text), ExpiresAt: now.Add(flowLife)}
	err = h.Store.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.DeleteFlowsBefore(ctx, now); err != nil {
			return err
		}
		return tx.CreateFlow(ctx, f)
	})
	if err != nil {
		return "", fmt.Errorf("remember a %s: %w", kind, err)
	}
	return id, nil
}

// finish takes what this browser began, once. Errors: errFlow, the store's.
func (h *Handler) finish(r *http.Request, kind, id string, data any) error {
	mine := cookie(r, cookieBrowser)
	if len(id) != 43 || mine.Empty() {
		return errFlow
	}
	var f core.Flow
	err := h.Store.Update(r.Context(), func(tx store.Tx) (err error) {
		f, err = tx.TakeFlow(r.Context(), sum(id))
		if errors.Is(err, core.ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("find what a browser began: %w", err)
	}
	own := sum(mine.Reveal())
	if f.Kind != kind || subtle.ConstantTimeCompare(f.Browser[:], own[:]) != 1 || !h.Clock().Before(f.ExpiresAt) {
		return errFlow
	}
	if err := json.Unmarshal([]byte(f.Data), data); err != nil {
		return fmt.Errorf("read what a browser began: %w", err)
	}
	return nil
}

// limiter counts by network, in the store. What it counts are failures, or what costs us something; window by window of an hour.
// Passwords have the limits of package signin beside it.
type limiter struct {
	store store.Store
	key   []byte
	now   clock.Clock
}

const limitWindow = time.Hour

// limit is what one network may do in a window.
type limit struct {
	name string
	most int
}

// The limits. Many people sit behind one address, and begin a sign-in at the same time; nobody mistypes a token often.
var (
	limitBegin  = limit{"web-begin", 1000}
	limitFailed = limit{"web-failed", 100} // providers' answers, passkeys, confirmations that do not hold
	limitTokens = limit{"web-set-up", 10}
)

func (l *limiter) row(what limit, addr netip.Addr) string {
	network := "?"
	if addr = addr.Unmap().WithZone(""); addr.IsValid() {
		bits := 64
		if addr.Is4() {
			bits = 24
		}
		network = netip.PrefixFrom(addr, bits).Masked().String()
	}
	mac := hmac.New(sha256.New, l.key)
	fmt.Fprintf(mac, "%s\n%s", what.name, network)
	return what.name + ":" + hex.EncodeToString(mac.Sum(nil)[:20])
}

// allowed returns a *core.LimitedError when there were too many.
func (l *limiter) allowed(r *http.Request, what limit) error {
	return l.visit(r, what, false)
}

// count notes one, and returns a *core.LimitedError when there were too many before it.
func (l *limiter) count(r *http.Request, what limit) error {
	return l.visit(r, what, true)
}

func (l *limiter) visit(r *http.Request, what limit, add bool) error {
	ctx, key, now := r.Context(), l.row(what, inbound.Address(r.Context())), l.now()
	var limited error
	look := func(tx store.Tx) error {
		limited = nil
		a, err := tx.Attempts(ctx, key)
		if err != nil {
			return err
		}
		if a.FirstAt.After(now) || !now.Before(a.FirstAt.Add(limitWindow)) {
			a = core.Attempts{Key: key, FirstAt: now}
		}
		if a.Count >= what.most {
			limited = &core.LimitedError{RetryAt: a.FirstAt.Add(limitWindow)}
			return nil
		}
		if !add {
			return nil
		}
		a.Count++
		a.LastAt = now
		return tx.PutAttempts(ctx, a)
	}
	run := l.store.View
	if add {
		run = l.store.Update
	}
	if err := run(ctx, look); err != nil {
		return fmt.Errorf("count tries: %w", err)
	}
	return limited
}
