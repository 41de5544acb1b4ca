package usermap

import (
	"fmt"
	"strings"

	"github.com/platenprint/platen/auth"
)

// Reason says why a candidate was made. Texts of the window are keyed by it; Candidate.Text is the English sentence.
type Reason string

// The reasons, in the order in which candidates are made.
const (
	ReasonAttested   Reason = "os_upn"        // the operating system itself names this UPN
	ReasonQualified  Reason = "domain_name"   // DOMAIN\name, to be looked up in that domain only
	ReasonAddress    Reason = "address"       // the OS uses this address as the account's name
	ReasonDomainRule Reason = "domain_rule"   // UPNSuffix has a rule for the account's domain
	ReasonJoinRule   Reason = "join_rule"     // UPNSuffix has a rule for the domain that the computer is joined to
	ReasonSubnetRule Reason = "subnet_rule"   // UPNSuffix has a rule for the computer's network
	ReasonGlobal     Reason = "global_suffix" // the UPNSuffix for everybody
	ReasonRealm      Reason = "realm"         // name@realm as the OS gave it: the UPN that every AD account has by default
	ReasonShort      Reason = "short_name"    // the name alone; counts only where it is unique
)

// Verdict says how far the facts carry; see the package comment.
type Verdict string

// The verdicts.
const (
	Certain Verdict = "certain"
	Likely  Verdict = "likely"
	Ask     Verdict = "ask"
	Refuse  Verdict = "refuse"
)

// Candidate is one name that the account may have at the print server.
type Candidate struct {
	Name auth.Username `json:"name"`
	Why  Reason        `json:"why"`
	// Text says why in an English sentence, for administrators.
	Text string `json:"text"`
	// Silent tells that the name may be followed without asking if it leads to exactly one person. It is no proof of who
	// someone is: whether the facts can be believed is for the reader to know.
	Silent bool `json:"silent"`
}

// Result is what Map makes of the facts.
type Result struct {
	// Candidates in the order in which to try them. Every name is valid for auth.Canon, none is there twice.
	Candidates []Candidate `json:"candidates"`
	// Prefill is the one name to put into the sign-in window, or empty.
	Prefill auth.Username `json:"prefill,omitempty"`
	Verdict Verdict       `json:"verdict"`
	// Text says why the verdict is so, in an English sentence, for administrators.
	Text string `json:"text"`
}

// Map makes the candidates for an account. It never fails: where nothing can be made of the facts, the verdict says so.
func Map(facts Facts, rules Rules) Result {
	m := mapping{facts: facts.trimmed(), rules: rules, candidates: []Candidate{}}
	m.standing = m.facts.standing()
	if text := m.unusable(); text != "" {
		return Result{Candidates: m.candidates, Verdict: Refuse, Text: text}
	}
	if m.standing == consumer {
		return Result{Candidates: m.candidates, Verdict: Ask, Text: "a Microsoft consumer account says nothing about the name at the print server"}
	}
	m.addAttested()
	m.addQualified()
	m.addAddress()
	m.addRules()
	m.addRealm()
	m.addShort()
	verdict, text := m.verdict()
	return Result{Candidates: m.candidates, Prefill: m.prefill(), Verdict: verdict, Text: text}
}

func (f Facts) trimmed() Facts {
	for _, field := range []*string{&f.Domain, &f.Name, &f.UPN, &f.SID, &f.Hostname, &f.JoinDomain, &f.JoinRealm} {
		*field = strings.TrimSpace(*field)
	}
	return f
}

// mapping is one run of Map.
type mapping struct {
	facts      Facts
	rules      Rules
	standing   standing
	candidates []Candidate
	attested   bool // a UPN of the OS is among the candidates
}

// unusable says why nobody can be behind the facts, or "".
func (m *mapping) unusable() string {
	if m.standing == nobody {
		return fmt.Sprintf("%s is an account of the system or of a computer, not of a person", m.account())
	}
	_, err := auth.Canon(m.facts.Name)
	if err == nil || m.facts.answeredByID() {
		return ""
	}
	if _, upnErr := auth.Canon(m.facts.UPN); upnErr == nil && m.facts.UPN != "" && m.standing != local {
		return ""
	}
	return fmt.Sprintf("the account's name cannot be used: %v", err)
}

// add appends a candidate unless its name is not valid or there already. Neither a look-alike nor a name that nobody
// vouches for is ever silent.
func (m *mapping) add(name auth.Username, why Reason, silent bool, text string) {
	folded, err := auth.Canon(string(name))
	if err != nil {
		return
	}
	for _, c := range m.candidates {
		if auth.Same(string(c.Name), string(name)) {
			return
		}
	}
	switch m.facts.Kind {
	case KindDomain, KindAzureAD, KindJob:
	case KindLocal, KindUnknown:
		silent = false
	}
	if Lookalike(folded) {
		silent, text = false, text+"; it could be taken for another name, so it is never used without asking"
	}
	m.candidates = append(m.candidates, Candidate{Name: name, Why: why, Text: text, Silent: silent})
}

// silentStanding tells whether names that a rule makes may be followed without asking.
func (m *mapping) silentStanding() bool {
	return m.standing == own || m.standing == unqualified || m.standing == foreign
}

func (m *mapping) addAttested() {
	upn := m.facts.UPN
	if m.standing == local || !isAddress(upn) {
		return
	}
	m.add(auth.Username(upn), ReasonAttested, true, "the operating system itself names this UPN")
	m.attested = len(m.candidates) > 0
}

// addQualified makes DOMAIN\name. A name without a domain is one of the join domain where the OS says that it comes from
// a directory: a namesake in another domain is somebody else.
func (m *mapping) addQualified() {
	domain := m.facts.Domain
	switch m.standing {
	case own, foreign:
	case unqualified:
		if m.facts.Kind != KindDomain {
			return
		}
		domain = m.facts.JoinDomain
	case local, entra, consumer, nobody:
		return
	}
	if domain == "" || m.facts.Name == "" || strings.ContainsAny(domain, `.@\`) || strings.ContainsAny(m.facts.Name, `@\`) {
		return
	}
	m.add(auth.Username(domain+`\`+m.facts.Name), ReasonQualified, true, fmt.Sprintf("the account is %s of the domain %s", m.facts.Name, domain))
}

// addAddress takes a name that has an @ already as it is: no suffix is added to it.
func (m *mapping) addAddress() {
	if m.facts.Domain == "" && isAddress(m.facts.Name) {
		m.add(auth.Username(m.facts.Name), ReasonAddress, !m.attested && m.silentStanding(), "the operating system uses this address as the account's name")
	}
}

// addRules adds the suffix of the first kind of rule that fits.
func (m *mapping) addRules() {
	name, f := m.facts.Name, m.facts
	if suffix, domain := m.rules.domain(f.Domain); suffix != "" {
		m.add(suffix.upn(name), ReasonDomainRule, !m.attested && m.silentStanding(), fmt.Sprintf("UPNSuffix gives accounts of %s the suffix %s", domain, suffix))
		return
	}
	if m.attested || m.standing == foreign {
		return // what the OS attests outweighs a guess; a foreign domain gets none
	}
	if suffix, domain := m.rules.domain(f.JoinDomain, f.JoinRealm); suffix != "" {
		m.add(suffix.upn(name), ReasonJoinRule, m.silentStanding(), fmt.Sprintf("this computer is in the domain %s, to which UPNSuffix gives %s", domain, suffix))
		return
	}
	if found := m.rules.subnets(f.Addresses); len(found) > 0 {
		for _, rule := range found {
			m.add(rule.Suffix.upn(name), ReasonSubnetRule, m.silentStanding() && len(found) == 1,
				fmt.Sprintf("this computer is in the network %s, to which UPNSuffix gives %s", rule.Prefix, rule.Suffix))
		}
		return
	}
	m.add(m.rules.Global.upn(name), ReasonGlobal, m.silentStanding(), fmt.Sprintf("UPNSuffix gives everybody the suffix %s", m.rules.Global))
}

// addRealm takes name@realm where the domain is known by its DNS name: as the OS gave it, or as that of the join domain
// for names without a domain that come from a directory.
func (m *mapping) addRealm() {
	domain := m.facts.Domain
	switch {
	case m.attested:
		return
	case m.standing == own, m.standing == foreign:
	case m.standing == unqualified && m.facts.Kind == KindDomain:
		domain = m.facts.JoinRealm
	default:
		return
	}
	if !strings.Contains(domain, ".") {
		return // a NetBIOS name
	}
	realm, err := ParseSuffix(domain)
	if err != nil {
		return
	}
	m.add(realm.upn(m.facts.Name), ReasonRealm, true, fmt.Sprintf("the account belongs to the realm %s", realm))
}

// addShort takes the name alone, only where no domain is known.
func (m *mapping) addShort() {
	if m.attested || strings.ContainsAny(m.facts.Name, `@\`) {
		return
	}
	switch m.standing {
	case local:
		m.add(auth.Username(m.facts.Name), ReasonShort, false, "the name alone, of an account that only this computer knows")
	case unqualified:
		// Where the domain is known, see addQualified, a unique namesake elsewhere is still somebody else.
		known := m.facts.Kind == KindDomain && (m.facts.JoinDomain != "" || m.facts.JoinRealm != "")
		m.add(auth.Username(m.facts.Name), ReasonShort, !known, "the name alone; it counts only if one person has it")
	case own, foreign, entra, consumer, nobody:
	}
}

// prefill picks the name for the sign-in window: a UPN before a short name before DOMAIN\name. Where the networks of
// the computer ask for different suffixes, none of them is suggested.
func (m *mapping) prefill() auth.Username {
	var subnets int
	for _, c := range m.candidates {
		if c.Why == ReasonSubnetRule {
			subnets++
		}
	}
	var qualified auth.Username
	for _, c := range m.candidates {
		switch {
		case c.Why == ReasonSubnetRule && subnets > 1:
		case c.Why == ReasonQualified:
			qualified = c.Name
		default:
			return c.Name
		}
	}
	return qualified
}

func (m *mapping) verdict() (Verdict, string) {
	var silent bool
	for _, c := range m.candidates {
		silent = silent || c.Silent
	}
	switch {
	case m.attested && m.candidates[0].Silent:
		return Certain, "the operating system itself names the UPN"
	case m.facts.answeredByID():
		return Certain, "the account's SID says who it is"
	case m.standing == local:
		return Ask, fmt.Sprintf("%s is an account of this computer only", m.account())
	case m.standing == entra:
		return Ask, fmt.Sprintf("%s is an Entra account, and Windows told no UPN or SID of it that could be followed", m.account())
	case silent:
		return Likely, m.candidates[0].Text
	case m.facts.Kind == KindUnknown:
		return Ask, fmt.Sprintf("it is not known where the account %s comes from", m.account())
	case len(m.candidates) == 0:
		return Ask, fmt.Sprintf("no rule of UPNSuffix fits %s", m.account())
	}
	return Ask, "no candidate is sure enough to be used without asking"
}

// account is how an administrator knows the account.
func (m *mapping) account() string {
	if m.facts.Domain == "" {
		return m.facts.Name
	}
	return m.facts.Domain + `\` + m.facts.Name
}

// isAddress tells whether text has something on both sides of its one @.
func isAddress(text string) bool {
	before, after, ok := strings.Cut(text, "@")
	return ok && before != "" && after != "" && !strings.ContainsAny(after, `@\`) && !strings.ContainsAny(before, `\ `)
}
