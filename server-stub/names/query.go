package names

import (
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
)

// Reservation is how long a name that ended keeps others from inheriting what it leads to.
const Reservation = 180 * 24 * time.Hour

// Context says on what occasion a name is asked about; see the package comment.
type Context int

// The contexts. The zero value is Prompt.
const (
	Prompt Context = iota
	Trust
	PrintProvider
)

// Query is one question.
type Query struct {
	Context Context
	// Text is what a person typed or a job's owner says: "alex.test", "alex.test@example.org", `CORP\alex`. Trust does not
	// read it.
	Text string
	// Facts is what the operating system says about the account. In Prompt and PrintProvider only its computer's domain and
	// addresses are used, to choose the suffix for a short name.
	Facts usermap.Facts
	// Attested tells that an enrolled machine vouches for Facts. Without it ids decide nothing and Trust knows nobody.
	Attested bool
}

// Domain is one domain of our own directories.
type Domain struct {
	NetBIOS  string        // "CORP"
	Suffixes []string      // the UPN suffixes and DNS names that belong to it: "example.org", "corp.example.org"
	SID      string        // "S-1-5-21-a-b-c", empty when unknown
	Source   core.SourceID // the directory whose people they are
	// Truncates is user-source.ad.upn-as-username = N of this directory: name@suffix of this domain that nobody holds as it
	// stands is also looked for by its short name among the people of Source. Otherwise a UPN is never shortened (rows A1-50
	// to A1-55).
	Truncates bool
}

// Rules is what the site configured. The zero value has no suffix and truncates nothing.
type Rules struct {
	// Suffix has the UPN suffix per domain, network, and for everybody. For a print provider it is the provider's own.
	Suffix usermap.Rules
	// Domains are ours; a name behind whose @ another domain stands is never shortened.
	Domains []Domain
	// Tenants are the ids of our own Entra tenants.
	Tenants []string
}

// ruleName names the rule by which somebody was found, for the explanation.
type ruleName string

const (
	byID        ruleName = "id"
	byExact     ruleName = "exact name"
	byDomain    ruleName = "short name in its domain"
	bySuffix    ruleName = "name and suffix"
	byShort     ruleName = "short name alone"
	byTruncated ruleName = "UPN shortened to the short name"
)

// lookup is one way to find holders.
type lookup struct {
	rule   ruleName
	folded auth.Folded // what to look for
	// domain restricts byDomain to short names of that domain; on bySuffix it names the domain that was asked for, in which
	// a holder must not have another short name.
	domain auth.Folded
	short  auth.Folded   // the short name asked for, with domain
	source core.SourceID // restricts byTruncated to people of this source
	full   auth.Folded   // with byTruncated: what was shortened
}

// plan is how a query will be answered: stages in order; the first one in which anything is known about the name answers. Within a
// stage every lookup must lead to the same person.
type plan struct {
	stages [][]lookup
	refuse string // why nobody can be meant
}

// planFor turns the query into lookups.
func planFor(q Query, r Rules) plan {
	if q.Context == Trust {
		return r.trustPlan(q)
	}
	domain, name, qualified := strings.Cut(strings.TrimSpace(q.Text), `\`)
	if !qualified {
		name = strings.TrimSpace(q.Text)
	} else if auth.Same(domain, "AzureAD") && strings.Contains(name, "@") {
		qualified = false // Windows writes the UPN of an Entra account so
	}
	folded, err := auth.Canon(name)
	switch {
	case err != nil:
		return plan{refuse: "the text cannot be a name: " + err.Error()}
	case qualified:
		return r.qualifiedPlan(q, domain, name)
	case strings.Contains(string(folded), "@"):
		return r.addressPlan(q, folded)
	}
	return r.barePlan(q, name, folded)
}

// computerOf keeps what the facts say about the computer, and drops what they say about the person. A name that is asked
// about is taken for one of a directory: whose it is will be proven (Prompt), or was decided by the administrator who
// configured the provider.
func computerOf(f usermap.Facts) usermap.Facts {
	return usermap.Facts{Kind: usermap.KindDomain, Hostname: f.Hostname, JoinDomain: f.JoinDomain, JoinRealm: f.JoinRealm, Addresses: f.Addresses}
}

// completes tells whether a candidate is the name with a suffix that a rule of the administrator gives.
func completes(c usermap.Candidate) bool {
	switch c.Why {
	case usermap.ReasonDomainRule, usermap.ReasonJoinRule, usermap.ReasonSubnetRule, usermap.ReasonGlobal:
		return c.Silent
	case usermap.ReasonAttested, usermap.ReasonQualified, usermap.ReasonAddress, usermap.ReasonRealm, usermap.ReasonShort:
	}
	return false
}

// qualifiedPlan is for DOMAIN\name.
func (r Rules) qualifiedPlan(q Query, domain, name string) plan {
	facts := computerOf(q.Facts)
	facts.Domain, facts.Name = domain, name
	mapped := usermap.Map(facts, r.Suffix)
	var stage []lookup
	for _, c := range mapped.Candidates {
		if c.Silent {
			stage = r.addCandidate(stage, c, facts)
		}
	}
	if len(stage) == 0 {
		return plan{refuse: mapped.Text}
	}
	return plan{stages: [][]lookup{stage}}
}

// addressPlan is for name@domain: as it stands, else shortened where that is allowed.
func (r Rules) addressPlan(q Query, folded auth.Folded) plan {
	if usermap.Lookalike(folded) && q.Context != Prompt {
		return plan{refuse: "the name could be taken for another one"}
	}
	p := plan{stages: [][]lookup{{{rule: byExact, folded: folded}}}}
	short, suffix, _ := strings.Cut(string(folded), "@")
	if short == "" || usermap.Lookalike(folded) {
		return p
	}
	var stage []lookup
	for _, d := range r.Domains {
		if d.Truncates && d.hasSuffix(suffix) {
			stage = append(stage, lookup{rule: byTruncated, folded: auth.Folded(short), full: folded, source: d.Source, domain: fold(d.NetBIOS)})
		}
	}
	if len(stage) > 0 {
		p.stages = append(p.stages, stage)
	}
	return p
}

// barePlan is for a name without a domain.
func (r Rules) barePlan(q Query, name string, folded auth.Folded) plan {
	exact, short := lookup{rule: byExact, folded: folded}, lookup{rule: byShort, folded: folded}
	if usermap.Lookalike(folded) {
		if q.Context != Prompt {
			return plan{refuse: "the name could be taken for another one"}
		}
		return plan{stages: [][]lookup{{exact}}}
	}
	facts := computerOf(q.Facts)
	facts.Name = name
	var suffixed []lookup
	for _, c := range usermap.Map(facts, r.Suffix).Candidates {
		if completes(c) {
			suffixed = r.addCandidate(suffixed, c, facts)
		}
	}
	if q.Context == PrintProvider {
		if len(suffixed) == 0 {
			return plan{stages: [][]lookup{{short}}}
		}
		return plan{stages: [][]lookup{suffixed, {short}}}
	}
	return plan{stages: [][]lookup{{exact}, append(suffixed, short)}}
}

// trustPlan is for what an enrolled machine says: every silent candidate at once.
func (r Rules) trustPlan(q Query) plan {
	switch {
	case !q.Attested:
		return plan{refuse: "no enrolled machine vouches for the account"}
	case q.Facts.Kind != usermap.KindDomain && q.Facts.Kind != usermap.KindAzureAD:
		return plan{refuse: "it is not an account of a directory: a person must be asked"}
	}
	mapped := usermap.Map(q.Facts, r.Suffix)
	var stage []lookup
	for _, c := range mapped.Candidates {
		if c.Silent {
			stage = r.addCandidate(stage, c, q.Facts)
		}
	}
	if len(stage) == 0 {
		return plan{refuse: mapped.Text}
	}
	return plan{stages: [][]lookup{stage}}
}

// addCandidate turns what usermap made into lookups.
func (r Rules) addCandidate(stage []lookup, c usermap.Candidate, facts usermap.Facts) []lookup {
	folded, err := auth.Canon(string(c.Name))
	if err != nil {
		return stage
	}
	domain, short := fold(facts.Domain), fold(facts.Name)
	switch c.Why {
	case usermap.ReasonQualified:
		d, n, _ := strings.Cut(string(c.Name), `\`)
		return append(stage, lookup{rule: byDomain, folded: fold(n), domain: fold(d), short: fold(n)})
	case usermap.ReasonAttested, usermap.ReasonAddress:
		return append(stage, lookup{rule: byExact, folded: folded})
	case usermap.ReasonShort:
		return append(stage, lookup{rule: byShort, folded: folded})
	case usermap.ReasonDomainRule, usermap.ReasonJoinRule, usermap.ReasonSubnetRule, usermap.ReasonGlobal, usermap.ReasonRealm:
		// What the realm is called as a NetBIOS domain is known for our own domains.
		if d, ok := r.DomainNamed(string(domain)); ok && d.NetBIOS != "" {
			domain = fold(d.NetBIOS)
		}
		if c.Why == usermap.ReasonRealm && domain != "" {
			stage = append(stage, lookup{rule: byDomain, folded: short, domain: domain, short: short})
		}
		return append(stage, lookup{rule: bySuffix, folded: folded, domain: domain, short: short})
	}
	return stage
}

// DomainNamed finds one of our domains by its NetBIOS or one of its DNS names.
func (r Rules) DomainNamed(name string) (Domain, bool) {
	for _, d := range r.Domains {
		if d.Is(name) {
			return d, true
		}
	}
	return Domain{}, false
}

// Is tells whether name is the domain's NetBIOS or one of its DNS names.
func (d Domain) Is(name string) bool {
	folded := fold(name)
	return folded != "" && (folded == fold(d.NetBIOS) || d.hasSuffix(string(folded)))
}

func (d Domain) hasSuffix(suffix string) bool {
	for _, s := range d.Suffixes {
		if folded := fold(strings.TrimPrefix(s, "@")); folded != "" && string(folded) == suffix {
			return true
		}
	}
	return false
}

// fold is Canon with "" for what cannot be a name.
func fold(text string) auth.Folded {
	if text == "" {
		return ""
	}
	folded, err := auth.Canon(text)
	if err != nil {
		return ""
	}
	return folded
}

// Folds lists the names whose holders Resolve needs to know for this query, without repetition.
func Folds(q Query, r Rules) []auth.Folded { return planFor(q, r).folds() }

func (p plan) folds() []auth.Folded {
	var folds []auth.Folded
	for _, stage := range p.stages {
		for _, l := range stage {
			if !slices.Contains(folds, l.folded) { // there are a handful
				folds = append(folds, l.folded)
			}
		}
	}
	return folds
}

// Account is the one name under which tries for a name that may belong to nobody are counted: completed by the suffix
// where the rules complete it, so that "bob" and "bob@example.org" are one account before anybody knows whether it
// exists. It is "" for what cannot be a name.
func Account(q Query, r Rules) auth.Folded {
	p := planFor(q, r)
	best := auth.Folded("")
	for _, stage := range p.stages {
		for _, l := range stage {
			if l.rule == bySuffix {
				return l.folded
			}
			if best == "" {
				best = l.folded
				if l.rule == byDomain {
					best = l.domain + `\` + l.folded
				}
			}
		}
	}
	if best == "" {
		best = fold(q.Text)
	}
	return best
}
