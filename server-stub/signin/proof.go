package signin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/store"
)

// Verb is a way of proving something other than by name and password. Each is counted by itself, so that what goes wrong with
// one keeps nobody from another.
type Verb string

// The verbs.
const (
	VerbToken   Verb = "token"   // an identity provider's
	VerbCode    Verb = "code"    // good once
	VerbRefresh Verb = "refresh" // a session's own
)

// proofLimits are how many failures a network may have in an hour: an IPv4 /24 or IPv6 /64, and a /48. None of these secrets can
// be guessed; the limits keep whoever tries from filling logs and asking databases. Refresh tokens get more: after a restore
// of the database every computer behind one address has an old one.
var proofLimits = map[Verb][2]int{
	VerbToken:   {100, 1000},
	VerbCode:    {100, 1000},
	VerbRefresh: {300, 3000},
}

// proofGate is how many proofs are looked at at a time.
const proofGate = 64

// Limited lets prove run unless too much has failed from that network within the hour, and counts its failure: an error that
// is core.ErrUnauthenticated or core.ErrWrongCredentials. What is proven but leads nowhere is no failure, nor is what cannot be
// looked at now. Errors: *core.LimitedError, and those of prove.
func (s *Service) Limited(ctx context.Context, verb Verb, from netip.Addr, prove func(context.Context) error) error {
	limits, ok := proofLimits[verb]
	if !ok {
		return fmt.Errorf("%w: nothing is known of the limits of %q", core.ErrForbidden, verb)
	}
	select {
	case s.proofs <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", core.ErrUnavailable, ctx.Err())
	}
	defer func() { <-s.proofs }()
	var counters []counter
	for i, p := range prefixes(from) {
		counters = append(counters, counter{key: s.limits.name("net-"+string(verb), p.String()), limit: limits[i], window: time.Hour, fixed: true})
	}
	var seen look
	err := s.d.Store.View(ctx, func(tx store.Tx) (err error) {
		seen, err = lookAt(ctx, tx, s.d.Clock(), counters)
		return err
	})
	if err == nil {
		err = seen.err
	}
	if err != nil {
		return fmt.Errorf("prove by %s: %w", verb, err)
	}
	err = prove(ctx)
	if err == nil || !errors.Is(err, core.ErrUnauthenticated) && !errors.Is(err, core.ErrWrongCredentials) {
		return err
	}
	countErr := s.d.Store.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		return settleNetworks(ctx, tx, s.d.Clock(), counters, failed, 0)
	})
	if countErr != nil {
		s.d.Logger.ErrorContext(ctx, "a failed proof was not counted", "verb", string(verb), "error", countErr)
	}
	return err
}
