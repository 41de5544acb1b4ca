package usermap

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/platenprint/platen/auth"
)

// someRules draws rules for domains, networks and everybody, and the text that they are read from.
func someRules(t *rapid.T) (Rules, string) {
	var parts []string
	for _, selector := range []string{"CORP", "corp.local", "SALES", "10.1.0.0/16", "10.1.7.0/24", "2001:db8::/32", "*"} {
		if rapid.Bool().Draw(t, "rule for "+selector) {
			parts = append(parts, selector+"="+rapid.SampledFrom([]string{"example.org", "sales.example.org", "lab.example.org", "Ex-ample.ORG."}).Draw(t, "suffix"))
		}
	}
	text := strings.Join(rapid.Permutation(parts).Draw(t, "order"), rapid.SampledFrom([]string{";", ", ", "\n"}).Draw(t, "separator"))
	rules, err := ParseRules(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return rules, text
}

// Rows A1-32 and A1-33: the rule for the account's domain, then the computer's domain, then its network, then everybody's; a
// foreign domain gets no suffix but its own. This says it a second time, in other words.
func TestPropertyA1_33_WhichSuffixARuleGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, text := someRules(t)
		f := Facts{
			Kind: KindDomain, Name: rapid.SampledFrom([]string{"alex", "Alex.Test", "straße"}).Draw(t, "name"), Hostname: "PC-7",
			Domain:     rapid.SampledFrom([]string{"", "CORP", "corp", "SALES", "corp.local", "OTHER"}).Draw(t, "domain"),
			JoinDomain: rapid.SampledFrom([]string{"", "CORP", "SALES", "OTHER"}).Draw(t, "joined"),
		}
		if rapid.Bool().Draw(t, "has an address") {
			f.Addresses = []netip.Addr{netip.MustParseAddr(rapid.SampledFrom([]string{"10.1.7.9", "10.1.8.9", "192.0.2.1", "::ffff:10.1.7.9", "2001:db8::1"}).Draw(t, "address"))}
		}
		rule := func(selector string) Suffix { return rules.Domains[strings.ToLower(selector)] }
		var want Suffix
		switch {
		case f.Domain != "" && rule(f.Domain) != "":
			want = rule(f.Domain)
		case f.Domain != "" && !strings.EqualFold(f.Domain, f.JoinDomain): // a foreign one
		case rule(f.JoinDomain) != "":
			want = rule(f.JoinDomain)
		default:
			want = rules.Global
			longest := -1
			for _, s := range rules.Subnets {
				if len(f.Addresses) > 0 && s.Prefix.Contains(f.Addresses[0].Unmap()) && s.Prefix.Bits() > longest {
					want, longest = s.Suffix, s.Prefix.Bits()
				}
			}
		}
		var got []Suffix
		for _, c := range Map(f, rules).Candidates {
			switch c.Why {
			case ReasonDomainRule, ReasonJoinRule, ReasonSubnetRule, ReasonGlobal:
				local, suffix, _ := strings.Cut(string(c.Name), "@")
				if local != f.Name {
					t.Errorf("%q was made of %q", c.Name, f.Name)
				}
				got = append(got, Suffix(suffix))
			case ReasonAttested, ReasonQualified, ReasonAddress, ReasonRealm, ReasonShort:
			}
		}
		if want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []Suffix{want}) {
			t.Fatalf("%q gives %+v the suffixes %q, want %q", text, f, got, want)
		}
	})
}

// What is written back is read as the same rules, however they were written first.
func TestPropertyRulesAreWrittenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, text := someRules(t)
		again, err := ParseRules(rules.String())
		if err != nil || again.String() != rules.String() {
			t.Fatalf("%q became %q, then %q, %v", text, rules, again, err)
		}
	})
}

// FuzzSuffix: a name with a suffix is folded as the name is, under that suffix and no other one.
func FuzzSuffix(f *testing.F) {
	f.Add("alex", "example.org")
	f.Add("straße", "BÜCHER.example")
	f.Add("Ａlex", "ｅxample.org")
	f.Add("a@b", "example.org")
	f.Add("ﬁ", "xn--bcher-kva.example")
	f.Fuzz(func(t *testing.T, name, text string) {
		suffix, err := ParseSuffix(text)
		if err != nil {
			return
		}
		if again, err := ParseSuffix(string(suffix)); err != nil || again != suffix {
			t.Errorf("the suffix %q is read as %q, then %q, %v", text, suffix, again, err)
		}
		upn := suffix.upn(strings.TrimSpace(name))
		short, shortErr := auth.Canon(name)
		folded, err := auth.Canon(string(upn))
		if upn == "" || shortErr != nil || err != nil {
			return
		}
		local, domain, ok := strings.Cut(string(folded), "@")
		if !ok || strings.Contains(domain, "@") || !auth.Same(domain, string(suffix)) || local != string(short) {
			t.Errorf("%q under %q is %q, folded %q", name, text, upn, folded)
		}
	})
}
