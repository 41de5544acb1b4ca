package signin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

// ErrElsewhere is core.ErrWrongCredentials for names whose people sign in at their identity provider, which checks no passwords
// here: the same for every name of that form, whether anybody has it or not.
var ErrElsewhere = errors.New("people of this domain sign in at their identity provider")

// Cloud is an identity provider that knows people by their user principal name (Microsoft Entra ID).
type Cloud struct {
	// Checker checks their passwords. Nil: nobody does, because that is switched off.
	Checker CloudChecker
	Lockout Lockout
	// Sources are whose people they are, as far as those do not check passwords themselves: a directory that only lists people, and
	// the provider's own. People with an identity of one of these sources are too.
	Sources []core.SourceID
	// Domains are what stands behind the @ of their names.
	Domains []string
}

// CloudChecker asks the identity provider.
type CloudChecker interface {
	// CheckUPN asks once whether this is the password of upn, and returns whose account it is here, by what the provider says
	// of it. Errors are those of directory.PasswordChecker, and whatever has a Verdict in its chain.
	CheckUPN(ctx context.Context, upn string, password secret.String) (core.UserID, error)
}

// Verdict is an answer of a cloud of which more is known than its kind.
type Verdict interface {
	error
	// Proven tells that the password was found right, though something else stands in the way.
	Proven() bool
	// Counted tells that the try may have been counted over there.
	Counted() bool
}

// check asks whoever checks.
func (s *source) check(ctx context.Context, w target, password secret.String) error {
	if s.cloud == nil {
		return s.checker.CheckPassword(ctx, w.kind, w.key, password)
	}
	id, err := s.cloud.CheckUPN(ctx, w.key, password)
	if err == nil && id != w.user.ID {
		return fmt.Errorf("%w: the identity provider says that it is user %d", core.ErrWrongCredentials, id)
	}
	return err
}

// cloudPerson makes the identity provider the one that checks, if the person is one of its.
func (s *Service) cloudPerson(ctx context.Context, tx store.Tx, w *target) error {
	ways := s.ways.Load()
	if ways.cloud == nil {
		return nil
	}
	ours := w.user.Source != core.LocalSource && slices.Contains(ways.provider.Sources, w.user.Source)
	if !ours {
		identities, err := tx.UserIdentities(ctx, w.user.ID)
		if err != nil {
			return err
		}
		ours = slices.ContainsFunc(identities, func(e core.ExternalIdentity) bool { return slices.Contains(ways.provider.Sources, e.Source) })
	}
	if !ours {
		return nil
	}
	known, err := tx.UserNames(ctx, w.user.ID)
	if err != nil {
		return err
	}
	now := s.d.Clock()
	for _, n := range known {
		_, domain, _ := strings.Cut(string(n.Folded), "@")
		if n.Kind != core.NameUPN || !n.ValidTo.IsZero() && !n.ValidTo.After(now) {
			continue
		}
		if w.source == nil || slices.Contains(ways.provider.Domains, domain) {
			w.source, w.key = ways.cloud, n.Name
		}
	}
	return nil
}

// elsewhere tells whether names of this form prove themselves at the identity provider and cannot here.
func (s *Service) elsewhere(account auth.Folded) bool {
	ways := s.ways.Load()
	if ways.provider == nil || ways.cloud != nil {
		return false
	}
	domain, _, qualified := strings.Cut(string(account), `\`)
	if !qualified {
		_, domain, qualified = strings.Cut(string(account), "@")
	}
	return qualified && ways.provider.isDomain(domain, ways.rules)
}

// isDomain tells whether people of the domain are the provider's: by its suffix, or by the NetBIOS name of one of its sources.
func (c *Cloud) isDomain(domain string, r names.Rules) bool {
	if slices.Contains(c.Domains, domain) {
		return true
	}
	d, ok := r.DomainNamed(domain)
	return ok && slices.Contains(c.Sources, d.Source)
}
