package usermap

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// Rules say which UPN suffix belongs to which accounts. The zero value has none. ParseRules makes them from the setting
// UPNSuffix; String writes them back.
type Rules struct {
	// Domains has the suffix of a Windows domain or DNS realm, keyed by its folded name ("corp", "corp.example.org"). It
	// serves accounts of that domain and, one step later, accounts without a domain on computers joined to it.
	Domains map[string]Suffix
	// Subnets has the suffix of computers with an address in a network. The longest matching prefix of an address wins.
	Subnets []SubnetRule
	// Global is for everything else that is not of a foreign domain.
	Global Suffix
}

// SubnetRule gives the computers of a network a suffix.
type SubnetRule struct {
	Prefix netip.Prefix
	Suffix Suffix
}

// ParseRules reads the setting UPNSuffix: rules separated by ";" (a "," or a new line will do), each one of
//
//	example.org              the suffix for everybody (at most one; "*=example.org" is the same)
//	CORP=example.org         for accounts of the Windows domain CORP, and for names without a domain on its computers
//	corp.local=example.org   the same, the domain by its DNS name
//	10.1.0.0/16=example.org  for computers in this network (a single address is a network of one)
//
// For example "CORP=example.org; SALES=sales.example.org; 10.1.0.0/16=lab.example.org; example.net". Suffixes are read by
// ParseSuffix. An empty text is no rules. Errors are ErrBadRule and name the rule and what to write.
func ParseRules(text string) (Rules, error) {
	rules := Rules{Domains: map[string]Suffix{}}
	entries := strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' || r == '\n' || r == '\r' })
	for _, entry := range entries {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		if err := rules.add(strings.TrimSpace(entry)); err != nil {
			return Rules{}, err
		}
	}
	slices.SortFunc(rules.Subnets, func(a, b SubnetRule) int {
		return cmp.Or(cmp.Compare(b.Prefix.Bits(), a.Prefix.Bits()), a.Prefix.Addr().Compare(b.Prefix.Addr()))
	})
	return rules, nil
}

// add reads one rule.
func (r *Rules) add(entry string) error {
	selector, text, qualified := strings.Cut(entry, "=")
	selector = strings.TrimSpace(selector)
	if !qualified {
		selector, text = "*", entry
	}
	suffix, err := ParseSuffix(text)
	if err != nil {
		return err
	}
	if selector == "*" {
		if r.Global != "" && r.Global != suffix {
			return fmt.Errorf("%w: both %q and %q are given for everybody; keep one, and write the other with its domain before it, for example CORP=%s",
				ErrBadRule, r.Global, suffix, suffix)
		}
		r.Global = suffix
		return nil
	}
	if prefix, ok := parsePrefix(selector); ok {
		return r.addSubnet(prefix, suffix)
	}
	return r.addDomain(selector, suffix)
}

func (r *Rules) addSubnet(prefix netip.Prefix, suffix Suffix) error {
	for _, rule := range r.Subnets {
		if rule.Prefix == prefix && rule.Suffix != suffix {
			return fmt.Errorf("%w: the network %s has two suffixes, %q and %q; keep one", ErrBadRule, prefix, rule.Suffix, suffix)
		} else if rule.Prefix == prefix {
			return nil
		}
	}
	r.Subnets = append(r.Subnets, SubnetRule{Prefix: prefix, Suffix: suffix})
	return nil
}

func (r *Rules) addDomain(name string, suffix Suffix) error {
	domain := fold(name)
	if domain == "" || domain == "." || strings.ContainsAny(domain, "\\/@:*?\"<>| \t") {
		return fmt.Errorf("%w: %q before the = is neither a domain nor a network; write for example CORP=%s or 10.1.0.0/16=%s",
			ErrBadRule, name, suffix, suffix)
	}
	if before, ok := r.Domains[domain]; ok && before != suffix {
		return fmt.Errorf("%w: the domain %s has two suffixes, %q and %q; keep one", ErrBadRule, name, before, suffix)
	}
	r.Domains[domain] = suffix
	return nil
}

// parsePrefix reads a network or a single address.
func parsePrefix(text string) (netip.Prefix, bool) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked(), true
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

// String writes the rules so that ParseRules reads the same ones again.
func (r Rules) String() string {
	var entries []string
	for _, domain := range slices.Sorted(maps.Keys(r.Domains)) {
		entries = append(entries, domain+"="+string(r.Domains[domain]))
	}
	for _, rule := range r.Subnets {
		entries = append(entries, rule.Prefix.String()+"="+string(rule.Suffix))
	}
	if r.Global != "" {
		entries = append(entries, string(r.Global))
	}
	return strings.Join(entries, "; ")
}

// Empty tells whether there is no rule at all.
func (r Rules) Empty() bool { return len(r.Domains) == 0 && len(r.Subnets) == 0 && r.Global == "" }

// domain returns the suffix for one of the names of a domain, and which name it was.
func (r Rules) domain(names ...string) (Suffix, string) {
	for _, name := range names {
		if folded := fold(name); folded != "" {
			if suffix, ok := r.Domains[folded]; ok {
				return suffix, name
			}
		}
	}
	return "", ""
}

// subnets returns the suffixes for addresses, each by its longest matching prefix, without repetition.
func (r Rules) subnets(addresses []netip.Addr) []SubnetRule {
	var found []SubnetRule
	for _, addr := range addresses {
		best := SubnetRule{}
		for _, rule := range r.Subnets {
			if rule.Prefix.Contains(addr.Unmap().WithZone("")) && (best.Suffix == "" || rule.Prefix.Bits() > best.Prefix.Bits()) {
				best = rule
			}
		}
		known := slices.ContainsFunc(found, func(rule SubnetRule) bool { return rule.Suffix == best.Suffix })
		if best.Suffix != "" && !known {
			found = append(found, best)
		}
	}
	return found
}
