package federation

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// refusals remembers who was refused lately, so that a program that tries all day writes one audit line an hour.
type refusals struct {
	mu   sync.Mutex
	seen map[[32]byte]time.Time
}

const (
	refusalEvery = time.Hour
	maxRefusals  = 1000
)

func newRefusals() *refusals { return &refusals{seen: map[[32]byte]time.Time{}} }

// again tells whether the same was refused within the hour. When too many are remembered, everybody counts as seen.
func (r *refusals) again(key [32]byte, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.seen[key]; ok && now.Sub(at) < refusalEvery {
		return true
	}
	if len(r.seen) >= maxRefusals {
		for k, at := range r.seen {
			if now.Sub(at) >= refusalEvery {
				delete(r.seen, k)
			}
		}
		if len(r.seen) >= maxRefusals {
			return true
		}
	}
	r.seen[key] = now
	return false
}

// refused logs a refusal, and audits one that an administrator should look at: two people where one was meant,
// or the name of somebody with a role.
func (s *Service) refused(ctx context.Context, c Claims, id identity, err error) {
	reason := ""
	switch {
	case errors.Is(err, core.ErrAmbiguous):
		reason = "ambiguous"
	case errors.Is(err, ErrOtherPerson):
		reason = "another person's name"
	case errors.Is(err, ErrHasRole):
		reason = "a local account with a role"
	case errors.Is(err, ErrNoAccount), errors.Is(err, core.ErrDisabled):
		s.d.Logger.InfoContext(ctx, "identity provider's sign-in refused", "provider", c.Provider, "error", err)
		return
	default:
		return // the store's; whoever asked reports it
	}
	s.d.Logger.WarnContext(ctx, "identity provider's sign-in refused", "provider", c.Provider, "error", err)
	now := s.d.Clock()
	if s.refusals.again(sha256.Sum256([]byte(c.Provider+"\n"+id.id+"\n"+reason)), now) {
		return
	}
	auditErr := s.d.Store.Update(ctx, func(tx store.Tx) error {
		return tx.AppendAudit(ctx, core.AuditEvent{At: now, Actor: "idp:" + c.Provider, Action: "identity.refuse", Target: string(id.kind) + ":" + id.id, Detail: reason})
	})
	if auditErr != nil {
		s.d.Logger.ErrorContext(ctx, "a refused sign-in is not in the audit log", "error", auditErr)
	}
}
