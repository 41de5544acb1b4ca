package names

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
)

// Provider is a print provider: a secondary server that takes jobs from workstations and says whose they are.
type Provider struct {
	Name string
	// Suffix is its UPNSuffix=: one suffix for everybody (row A1-32), or rules per NetBIOS domain, join domain and network, so
	// that several domains print through one provider (row A1-33). Without any, the site's rules hold.
	Suffix usermap.Rules
	// Networks are where its jobs come from, for jobs that do not say through which provider they came.
	Networks []netip.Prefix
}

// Providers are those of a site.
type Providers []Provider

// Via says in the explanation of an answer that a job came this way.
func (p Provider) Via() string { return "the job came through the print provider " + p.Name }

// Named returns the provider of that name.
func (ps Providers) Named(name string) (Provider, bool) {
	for _, p := range ps {
		if auth.Same(p.Name, name) {
			return p, true
		}
	}
	return Provider{}, false
}

// At returns the provider whose network an address is in; the longest prefix wins. Two providers with the same network are the
// mistake of a configuration that was not checked: then neither is meant.
func (ps Providers) At(addr netip.Addr) (Provider, bool) {
	addr = addr.Unmap().WithZone("")
	best, bits, twice := Provider{}, -1, false
	for _, p := range ps {
		for _, network := range p.Networks {
			switch {
			case !network.Contains(addr) || network.Bits() < bits:
			case network.Bits() == bits:
				twice = twice || p.Name != best.Name
			default:
				best, bits, twice = p, network.Bits(), false
			}
		}
	}
	if bits < 0 || twice {
		return Provider{}, false
	}
	return best, true
}

// For returns the rules for jobs of a provider: its own suffixes instead of the site's, where it has any.
func (r Rules) For(p Provider) Rules {
	if !p.Suffix.Empty() {
		r.Suffix = p.Suffix
	}
	return r
}

// Job is what is known of a print job when its owner is looked for.
type Job struct {
	Owner    string     // as the job says: alex.test, CORP\alex.test, alex.test@example.org
	Provider string     // the provider it came through, "" where none says so
	From     netip.Addr // the computer's address, where it is known
	// JoinDomain and JoinRealm are the domain that the computer is a member of, by its NetBIOS and its DNS name, where known.
	JoinDomain, JoinRealm string
}

// Question is how a job asks for its owner: the query, the rules for it, and the provider, nil for none. core.ErrNotFound for a
// provider that does not exist.
func (j Job) Question(r Rules, ps Providers) (Query, Rules, *Provider, error) {
	q := Query{Context: PrintProvider, Text: j.Owner, Facts: usermap.Facts{Kind: usermap.KindJob, JoinDomain: j.JoinDomain, JoinRealm: j.JoinRealm}}
	if j.From.IsValid() {
		q.Facts.Addresses = []netip.Addr{j.From}
	}
	p, ok := Provider{}, false
	switch {
	case j.Provider != "":
		if p, ok = ps.Named(j.Provider); !ok {
			return Query{}, Rules{}, nil, fmt.Errorf("%w: there is no print provider %q; see print_providers in the configuration", core.ErrNotFound, j.Provider)
		}
	case j.From.IsValid():
		p, ok = ps.At(j.From)
	}
	if !ok {
		return q, r, nil, nil
	}
	return q, r.For(p), &p, nil
}

// FindOwner finds whose job it is. What is not sure is a job without an owner.
func FindOwner(ctx context.Context, tx Reader, j Job, r Rules, ps Providers, now time.Time) (Answer, error) {
	q, rules, p, err := j.Question(r, ps)
	if err != nil {
		return Answer{}, err
	}
	answer, err := Find(ctx, tx, q, rules, now)
	if err == nil && p != nil {
		answer.Why = append([]string{p.Via()}, answer.Why...)
	}
	return answer, err
}
