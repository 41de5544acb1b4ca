package scim

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// failuresPerMinute is how many requests without a valid token one address gets an answer to (SECURITY.md D4). Valid tokens are never
// held up: a provider's addresses are shared with strangers.
const failuresPerMinute = 20

// failed counts a request without a valid token and returns core.ErrUnauthenticated, or *core.LimitedError when there were too many.
func (h *Handler) failed(ctx context.Context, addr netip.Addr) error {
	key, now := h.failureKey(addr), h.d.Clock()
	var until time.Time
	look := func(tx store.Tx) (core.Attempts, error) {
		a, err := tx.Attempts(ctx, key)
		if a.Count == 0 || !now.Before(a.FirstAt.Add(time.Minute)) || a.FirstAt.After(now) {
			a.Count, a.FirstAt = 0, now
		}
		until = time.Time{}
		if a.Count >= failuresPerMinute {
			until = a.FirstAt.Add(time.Minute)
		}
		return a, err
	}
	err := h.d.Store.View(ctx, func(tx store.Tx) error { _, err := look(tx); return err })
	if err == nil && until.IsZero() { // who is over the limit costs no write
		err = h.d.Store.Update(ctx, func(tx store.Tx) error {
			a, err := look(tx)
			if err != nil || !until.IsZero() {
				return err
			}
			a.Count++
			a.LastAt = now
			return tx.PutAttempts(ctx, a)
		})
	}
	switch {
	case err != nil && !errors.Is(err, core.ErrNotFound):
		return err
	case !until.IsZero():
		return &core.LimitedError{RetryAt: until}
	}
	return core.ErrUnauthenticated
}

// failureKey is the row that counts an address's failures; the address cannot be read from it. IPv6 addresses count by their /64.
func (h *Handler) failureKey(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	text := addr.String()
	if addr.Is6() {
		text = netip.PrefixFrom(addr, 64).Masked().String()
	}
	mac := hmac.New(sha256.New, h.d.Key[:])
	mac.Write([]byte("scim failures\n" + text))
	return "scim:" + hex.EncodeToString(mac.Sum(nil)[:20])
}
