package names

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
)

// Outcome says what became of a query.
type Outcome int

// The outcomes. The zero value is Unknown.
const (
	Unknown   Outcome = iota // nobody, or nobody who could be meant
	One                      // exactly one person, who may sign in
	Ambiguous                // several people
	Disabled                 // exactly one person, who may not sign in; never replaced by a namesake
)

// String names the outcome in one word.
func (o Outcome) String() string {
	switch o {
	case Unknown:
		return "unknown"
	case One:
		return "one"
	case Ambiguous:
		return "ambiguous"
	case Disabled:
		return "disabled"
	}
	return fmt.Sprintf("Outcome(%d)", int(o))
}

// Answer is the answer to a Query.
type Answer struct {
	Outcome Outcome
	// User is the person for One and Disabled, zero otherwise.
	User core.UserID
	// Candidates are the people of an Ambiguous name, the one of the strongest rule first.
	Candidates []core.UserID
	// Why explains it to administrators, one sentence each. It names names: never show it to who asked.
	Why []string
}

// Owner is a person found by an immutable id.
type Owner struct {
	ID     core.UserID
	Active bool
}

// Known is what the store knows about a query.
type Known struct {
	// Holders are the holders of all Folds of the query, and the other short names and UPNs of those people.
	Holders []core.NameHolder
	// Owners are the people whom IDs of the query lead to.
	Owners []Owner
	// Identities are the ids of the holders. Only those of the kinds of IDs matter.
	Identities []core.ExternalIdentity
}

// ID is an immutable id that a query names.
type ID struct {
	Kind  core.IdentityKind
	Value string
}

// IDs lists the immutable ids by which the query's account may be found: none unless it is attested.
func IDs(q Query, r Rules) []ID {
	if !q.Attested {
		return nil
	}
	sid := strings.ToUpper(strings.TrimSpace(q.Facts.SID))
	if oid, ok := auth.EntraObjectID(sid); ok {
		var ids []ID
		for _, tenant := range r.Tenants {
			ids = append(ids, ID{core.IdentityEntraOID, strings.ToLower(tenant) + "/" + oid})
		}
		return ids
	}
	if q.Facts.Kind == usermap.KindDomain && auth.DomainSID(sid) {
		return []ID{{core.IdentitySID, sid}}
	}
	return nil
}

// Resolve decides. now is for names that ended. It never fails: what cannot be decided is Unknown or Ambiguous.
func Resolve(q Query, r Rules, known Known, now time.Time) Answer {
	return Ask(q, r).Resolve(known, now)
}

// Asked is a query made ready to be answered: what must be known for it, and then the answer.
type Asked struct {
	query Query
	rules Rules
	plan  plan
	ids   []ID
}

// Ask makes a query ready.
func Ask(q Query, r Rules) Asked { return Asked{q, r, planFor(q, r), IDs(q, r)} }

// Folds are those of the function Folds.
func (a Asked) Folds() []auth.Folded { return a.plan.folds() }

// IDs are those of the function IDs.
func (a Asked) IDs() []ID { return a.ids }

// Resolve is the function Resolve for this query.
func (a Asked) Resolve(known Known, now time.Time) Answer {
	r := resolution{known: known, rules: a.rules, query: a.query, ids: a.ids, now: now}
	return r.answer(a.plan)
}

func (a *resolution) answer(p plan) Answer {
	if answer, ok := a.byIDs(); ok {
		return answer
	}
	if p.refuse != "" {
		return Answer{Why: append(a.why, p.refuse)}
	}
	for i, stage := range p.stages {
		if answer, ok := a.stage(stage, i == len(p.stages)-1); ok {
			return a.checkIDs(answer)
		}
	}
	return Answer{Why: append(a.why, "nobody holds the name")}
}

// resolution is one run of Resolve.
type resolution struct {
	known Known
	rules Rules
	query Query
	ids   []ID
	now   time.Time
	why   []string
	// others are people of earlier stages who hold the name only in a form that finds nobody, such as their e-mail address.
	others []found
}

func (a *resolution) explain(format string, args ...any) {
	a.why = append(a.why, fmt.Sprintf(format, args...))
}

// byIDs answers by the immutable ids, where they say anything.
func (a *resolution) byIDs() (Answer, bool) {
	ids := a.ids
	if len(ids) == 0 {
		return Answer{}, false
	}
	owners := slices.Clone(a.known.Owners)
	slices.SortFunc(owners, func(x, y Owner) int { return int(x.ID - y.ID) })
	owners = slices.CompactFunc(owners, func(x, y Owner) bool { return x.ID == y.ID })
	switch len(owners) {
	case 1:
		a.explain("user %d has the account's %s", owners[0].ID, ids[0].Kind)
		return a.person(owners[0].ID, owners[0].Active), true
	case 0:
	default:
		a.explain("%d people have the account's %s", len(owners), ids[0].Kind)
		return a.ambiguous(owners), true
	}
	if ids[0].Kind == core.IdentityEntraOID {
		a.explain("nobody has the Entra object id of the account: a name never replaces it")
		return Answer{Why: a.why}, true
	}
	for _, d := range a.rules.Domains {
		prefix := strings.ToUpper(d.SID) + "-"
		if d.SID == "" || !sameDomain(d, a.query.Facts) {
			continue
		}
		if !strings.HasPrefix(ids[0].Value, prefix) {
			a.explain("the SID %s is not of our domain %s but of another one of that name", ids[0].Value, d.NetBIOS)
		} else {
			a.explain("no directory lists the SID %s of our domain %s", ids[0].Value, d.NetBIOS)
		}
		return Answer{Why: a.why}, true
	}
	a.explain("nobody has the SID %s", ids[0].Value)
	return Answer{}, false
}

func sameDomain(d Domain, f usermap.Facts) bool {
	name := fold(f.Domain)
	return name == "" || name == fold(d.NetBIOS) || d.hasSuffix(string(name))
}

// checkIDs refuses a person found by name whose own id differs from the account's.
func (a *resolution) checkIDs(answer Answer) Answer {
	ids := a.ids
	if answer.User == 0 || len(ids) == 0 {
		return answer
	}
	for _, e := range a.known.Identities {
		if e.UserID != answer.User || e.Kind != ids[0].Kind {
			continue
		}
		if !slices.ContainsFunc(ids, func(id ID) bool { return strings.EqualFold(id.Value, e.ImmutableID) }) {
			a.explain("user %d has the name, but another %s: not the same person", answer.User, e.Kind)
			return Answer{Why: a.why}
		}
	}
	return answer
}

// found is a person whom a stage leads to.
type found struct {
	Owner
	matches bool // false: only keeps others from the name
}

// stage answers if anybody holds or held one of its names.
func (a *resolution) stage(lookups []lookup, last bool) (Answer, bool) {
	var people []found
	exact := false // somebody's own username is the text
	for _, l := range lookups {
		for _, h := range a.known.Holders {
			if h.Folded != l.folded {
				continue
			}
			matches, counts := a.judge(l, h)
			if !counts {
				continue
			}
			exact = exact || matches && (h.Kind == core.NameUPN || h.Kind == core.NameUsername)
			people = addFound(people, found{Owner{h.UserID, h.Active}, matches})
		}
	}
	for _, f := range a.others {
		people = addFound(people, f)
	}
	if len(people) == 0 {
		return Answer{}, false
	}
	if !last && !slices.ContainsFunc(people, func(f found) bool { return f.matches }) {
		a.others = people // they keep others from the name, but the next stage may find them themselves
		return Answer{}, false
	}
	if !last && len(lookups) == 1 && lookups[0].rule == byExact && a.query.Context == Prompt && !exact &&
		!strings.Contains(string(lookups[0].folded), "@") {
		return Answer{}, false // a bare name that is nobody's username is a short name: the next stage weighs it
	}
	return a.settle(people), true
}

// settle makes the answer of the people whom a stage led to.
func (a *resolution) settle(people []found) Answer {
	if len(people) == 1 {
		if !people[0].matches {
			a.explain("user %d held the name until less than %d days ago, or holds it in a form that finds nobody here", people[0].ID, int(Reservation.Hours()/24))
			return Answer{Why: a.why}
		}
		return a.person(people[0].ID, people[0].Active)
	}
	slices.SortStableFunc(people, func(x, y found) int {
		switch {
		case x.matches == y.matches:
			return 0
		case x.matches:
			return -1
		}
		return 1
	})
	if !people[0].matches {
		a.explain("%d people held the name, nobody does now", len(people))
		return Answer{Why: a.why}
	}
	owners := make([]Owner, len(people))
	for i, p := range people {
		owners[i] = p.Owner
	}
	a.explain("%d people share the name", len(people))
	return a.ambiguous(owners)
}

// judge tells whether a holder of the looked-for text is found by the lookup, and whether it counts at all.
func (a *resolution) judge(l lookup, h core.NameHolder) (matches, counts bool) {
	if !inForce(h.LoginName, a.now) {
		if reserved(h.LoginName, a.now) && a.inScope(l, h) {
			a.explain("user %d held %q as %s until %s", h.UserID, h.Name, h.Kind, h.ValidTo.UTC().Format(time.DateOnly))
			return false, true
		}
		return false, false
	}
	if !a.inScope(l, h) {
		return false, false
	}
	if l.rule == bySuffix && a.hasOtherShortName(h.UserID, l) {
		a.explain("user %d holds %q, but has another short name in the domain %s", h.UserID, h.Name, l.domain)
		return false, false
	}
	if l.rule == byTruncated && a.hasOtherUPN(h.UserID, l.full) {
		a.explain("user %d has the short name %q, but another UPN of that suffix", h.UserID, h.Name)
		return false, false
	}
	if h.Kind == core.NameEmail && (a.query.Context != Prompt || l.rule == byTruncated) {
		a.explain("user %d has %q as an e-mail address, which finds nobody here", h.UserID, h.Name)
		return false, true
	}
	a.explain("user %d holds %q as %s (%s)", h.UserID, h.Name, h.Kind, l.rule)
	return true, true
}

// inScope tells whether the holder belongs to what the lookup is restricted to.
func (a *resolution) inScope(l lookup, h core.NameHolder) bool {
	switch l.rule {
	case byDomain:
		return (h.Kind == core.NameSAM || h.Kind == core.NameAlias && h.Domain != "") && a.domainOf(h) == l.domain
	case byTruncated:
		return h.UserSource == l.source && h.Kind != core.NameEmail && (h.Domain == "" || l.domain == "" || h.Domain == l.domain)
	case byID, byExact, bySuffix, byShort:
	}
	return true
}

// domainOf is the NetBIOS domain of a short name; one that a source gave without saying is of the one domain of that source.
func (a *resolution) domainOf(h core.NameHolder) auth.Folded {
	if h.Domain != "" || h.Kind != core.NameSAM || h.Source == core.LocalSource {
		return h.Domain
	}
	var domain auth.Folded
	for _, d := range a.rules.Domains {
		if d.Source != h.Source {
			continue
		}
		if domain != "" {
			return ""
		}
		domain = fold(d.NetBIOS)
	}
	return domain
}

// hasOtherShortName tells whether the person goes by another short name in the domain that was asked for.
func (a *resolution) hasOtherShortName(id core.UserID, l lookup) bool {
	if l.domain == "" || l.short == "" {
		return false
	}
	other := false
	for _, h := range a.known.Holders {
		if h.UserID != id || h.Kind != core.NameSAM || !inForce(h.LoginName, a.now) || a.domainOf(h) != l.domain {
			continue
		}
		if h.Folded == l.short {
			return false
		}
		other = true
	}
	return other
}

// hasOtherUPN tells whether the person has a UPN of the same suffix that is not this one.
func (a *resolution) hasOtherUPN(id core.UserID, full auth.Folded) bool {
	_, suffix, _ := strings.Cut(string(full), "@")
	return slices.ContainsFunc(a.known.Holders, func(h core.NameHolder) bool {
		_, own, _ := strings.Cut(string(h.Folded), "@")
		return h.UserID == id && h.Kind == core.NameUPN && inForce(h.LoginName, a.now) && own == suffix && h.Folded != full
	})
}

func inForce(n core.LoginName, now time.Time) bool {
	return n.ValidTo.IsZero() || n.ValidTo.After(now)
}

func reserved(n core.LoginName, now time.Time) bool {
	return !n.ValidTo.IsZero() && n.ValidTo.Add(Reservation).After(now)
}

// Blocks tells whether a holder keeps others from taking its name at the given time: it is in force, or ended less than Reservation ago.
func Blocks(h core.NameHolder, now time.Time) bool {
	return inForce(h.LoginName, now) || reserved(h.LoginName, now)
}

func addFound(people []found, p found) []found {
	for i := range people {
		if people[i].ID == p.ID {
			people[i].matches = people[i].matches || p.matches
			return people
		}
	}
	return append(people, p)
}

func (a *resolution) person(id core.UserID, active bool) Answer {
	if !active {
		a.explain("user %d may not sign in", id)
		return Answer{Outcome: Disabled, User: id, Why: a.why}
	}
	return Answer{Outcome: One, User: id, Why: a.why}
}

func (a *resolution) ambiguous(owners []Owner) Answer {
	ids := make([]core.UserID, len(owners))
	for i, o := range owners {
		ids[i] = o.ID
	}
	return Answer{Outcome: Ambiguous, Candidates: ids, Why: a.why}
}
