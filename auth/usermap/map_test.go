package usermap_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
)

func mustRules(t testing.TB, text string) usermap.Rules {
	t.Helper()
	rules, err := usermap.ParseRules(text)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// Every reason with its sentence, and the order of the candidates.
func TestMapSaysWhy(t *testing.T) {
	const everybody = "CORP=example.org; 10.1.0.0/16=lab.example.org; example.net"
	base := usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "alex", Hostname: "PC-7", JoinDomain: "CORP", JoinRealm: "corp.example.org"}
	tests := []struct {
		name   string
		rules  string
		change func(*usermap.Facts)
		want   usermap.Result
	}{
		{
			name: "A1_31 domain account", rules: everybody,
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{Name: `CORP\alex`, Why: usermap.ReasonQualified, Silent: true, Text: "the account is alex of the domain CORP"},
					{Name: "alex@example.org", Why: usermap.ReasonDomainRule, Silent: true, Text: "UPNSuffix gives accounts of CORP the suffix example.org"},
				},
				Prefill: "alex@example.org", Verdict: usermap.Likely, Text: "the account is alex of the domain CORP",
			},
		},
		{
			name: "A1_47 the OS names the UPN", rules: everybody,
			change: func(f *usermap.Facts) { f.UPN = "alex.test@example.org" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{Name: "alex.test@example.org", Why: usermap.ReasonAttested, Silent: true, Text: "the operating system itself names this UPN"},
					{Name: `CORP\alex`, Why: usermap.ReasonQualified, Silent: true, Text: "the account is alex of the domain CORP"},
					{Name: "alex@example.org", Why: usermap.ReasonDomainRule, Text: "UPNSuffix gives accounts of CORP the suffix example.org"},
				},
				Prefill: "alex.test@example.org", Verdict: usermap.Certain, Text: "the operating system itself names the UPN",
			},
		},
		{
			name: "no domain, from a directory", rules: everybody,
			change: func(f *usermap.Facts) { f.Domain = "" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{Name: `CORP\alex`, Why: usermap.ReasonQualified, Silent: true, Text: "the account is alex of the domain CORP"},
					{
						Name: "alex@example.org", Why: usermap.ReasonJoinRule, Silent: true,
						Text: "this computer is in the domain CORP, to which UPNSuffix gives example.org",
					},
					{Name: "alex@corp.example.org", Why: usermap.ReasonRealm, Silent: true, Text: "the account belongs to the realm corp.example.org"},
					{Name: "alex", Why: usermap.ReasonShort, Text: "the name alone; it counts only if one person has it"},
				},
				Prefill: "alex@example.org", Verdict: usermap.Likely, Text: "the account is alex of the domain CORP",
			},
		},
		{
			name: "A1_31 print job", rules: everybody,
			change: func(f *usermap.Facts) {
				*f = usermap.Facts{Kind: usermap.KindJob, Name: "alex", Addresses: []netip.Addr{netip.MustParseAddr("10.1.2.3")}}
			},
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{
						Name: "alex@lab.example.org", Why: usermap.ReasonSubnetRule, Silent: true,
						Text: "this computer is in the network 10.1.0.0/16, to which UPNSuffix gives lab.example.org",
					},
					{Name: "alex", Why: usermap.ReasonShort, Silent: true, Text: "the name alone; it counts only if one person has it"},
				},
				Prefill: "alex@lab.example.org", Verdict: usermap.Likely,
				Text: "this computer is in the network 10.1.0.0/16, to which UPNSuffix gives lab.example.org",
			},
		},
		{
			name: "A1_64 local account", rules: "@Example.org.",
			change: func(f *usermap.Facts) { f.Kind, f.Domain, f.JoinDomain, f.JoinRealm = usermap.KindLocal, "", "", "" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{Name: "alex@example.org", Why: usermap.ReasonGlobal, Text: "UPNSuffix gives everybody the suffix example.org"},
					{Name: "alex", Why: usermap.ReasonShort, Text: "the name alone, of an account that only this computer knows"},
				},
				Prefill: "alex@example.org", Verdict: usermap.Ask, Text: "alex is an account of this computer only",
			},
		},
		{
			name: "foreign domain", rules: everybody,
			change: func(f *usermap.Facts) { f.Domain = "PARTNER" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{Name: `PARTNER\alex`, Why: usermap.ReasonQualified, Silent: true, Text: "the account is alex of the domain PARTNER"},
				},
				Prefill: `PARTNER\alex`, Verdict: usermap.Likely, Text: "the account is alex of the domain PARTNER",
			},
		},
		{
			name: "look-alike", rules: everybody,
			change: func(f *usermap.Facts) { f.Name = "сора" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{
					{
						Name: `CORP\сора`, Why: usermap.ReasonQualified,
						Text: "the account is сора of the domain CORP; it could be taken for another name, so it is never used without asking",
					},
					{
						Name: "сора@example.org", Why: usermap.ReasonDomainRule,
						Text: "UPNSuffix gives accounts of CORP the suffix example.org; it could be taken for another name, so it is never used without asking",
					},
				},
				Prefill: "сора@example.org", Verdict: usermap.Ask, Text: "no candidate is sure enough to be used without asking",
			},
		},
		{
			name: "the SID says who it is", rules: "",
			change: func(f *usermap.Facts) { f.Domain, f.Name, f.SID = "AzureAD", "Alex Test", "S-1-12-1-1-2-3-4" },
			want:   usermap.Result{Candidates: []usermap.Candidate{}, Verdict: usermap.Certain, Text: "the account's SID says who it is"},
		},
		{
			name: "a service", rules: everybody,
			change: func(f *usermap.Facts) { f.Domain, f.Name = "NT AUTHORITY", "SYSTEM" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{}, Verdict: usermap.Refuse,
				Text: `NT AUTHORITY\SYSTEM is an account of the system or of a computer, not of a person`,
			},
		},
		{
			name: "a name with an invisible character", rules: everybody,
			change: func(f *usermap.Facts) { f.Name = "al\u200dex" },
			want: usermap.Result{
				Candidates: []usermap.Candidate{}, Verdict: usermap.Refuse,
				Text: "the account's name cannot be used: not a valid name: it has the invisible character U+200D",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := base
			if tt.change != nil {
				tt.change(&facts)
			}
			if diff := cmp.Diff(tt.want, usermap.Map(facts, mustRules(t, tt.rules))); diff != "" {
				t.Errorf("Map() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADomainThatCannotBeOneIsNotOurs(t *testing.T) {
	r := usermap.Map(usermap.Facts{Kind: usermap.KindDomain, Domain: "CO\u200dRP", Name: "alex", JoinDomain: "CORP"}, mustRules(t, "example.org; CORP=corp.example.org"))
	if len(r.Candidates) != 0 || r.Verdict != usermap.Ask {
		t.Errorf("Map() = %+v", r)
	}
}

func TestTheComputersOwnNameIsLocalWhateverTheKind(t *testing.T) {
	for _, host := range []string{"PC-7", "pc-7.corp.example.org"} {
		facts := usermap.Facts{Kind: usermap.KindDomain, Domain: "PC-7", Name: "alex", Hostname: host, JoinDomain: "PC-7", SID: "S-1-5-21-1-2-3-4", UPN: "boss@example.org"}
		if r := usermap.Map(facts, mustRules(t, "example.org")); r.Verdict != usermap.Ask || r.Prefill != "alex@example.org" {
			t.Errorf("Map(%+v) = %+v", facts, r)
		}
	}
}

func TestResultAsJSONHasStableNames(t *testing.T) {
	r := usermap.Map(usermap.Facts{Kind: usermap.KindLocal, Name: "alex"}, usermap.Rules{})
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"candidates":[{"name":"alex","why":"short_name","text":"the name alone, of an account that only this computer knows","silent":false}],` +
		`"prefill":"alex","verdict":"ask","text":"alex is an account of this computer only"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzMap(f *testing.F) {
	kinds := []usermap.Kind{usermap.KindUnknown, usermap.KindLocal, usermap.KindDomain, usermap.KindAzureAD, usermap.KindJob}
	f.Add(byte(2), "CORP", "alex", "", "", "PC-7", "CORP", "corp.example.org")
	f.Add(byte(2), "PARTNER", "alex", "", "S-1-5-21-1-2-3-4", "PC-7", "CORP", "")
	f.Add(byte(3), "AzureAD", "Alex", "alex@example.org", "S-1-12-1-1-2-3-4", "PC-7", "", "")
	f.Add(byte(1), "PC-7", "alex", "alex@example.org", "S-1-5-21-1-2-3-4", "PC-7", "CORP", "")
	f.Add(byte(2), "PC-7", "alex", "", "S-1-5-21-1-2-3-4", "PC-7", "CORP", "")
	f.Add(byte(0), "", "а@b", "", "", "", "", "")
	f.Add(byte(4), "ours.example", "a\\b", "", "", "", "", "ours.example")
	rules := mustRules(f, "CORP=corp.test; ours.example=ours.test; 10.0.0.0/8=net.test; global.test")
	f.Fuzz(func(t *testing.T, kind byte, domain, name, upn, sid, host, join, realm string) {
		facts := usermap.Facts{
			Kind: kinds[int(kind)%len(kinds)], Domain: domain, Name: name, UPN: upn, SID: sid, Hostname: host, JoinDomain: join, JoinRealm: realm,
			Addresses: []netip.Addr{netip.MustParseAddr("10.1.2.3")},
		}
		r := usermap.Map(facts, rules)
		checkCandidates(t, facts, r)
		checkVerdict(t, facts, r)
		if r.Prefill != "" && !slices.ContainsFunc(r.Candidates, func(c usermap.Candidate) bool { return c.Name == r.Prefill }) {
			t.Errorf("the prefill %q is no candidate", r.Prefill)
		}
	})
}

func checkCandidates(t *testing.T, facts usermap.Facts, r usermap.Result) {
	t.Helper()
	seen := map[auth.Folded]bool{}
	known := facts.Kind == usermap.KindDomain || facts.Kind == usermap.KindAzureAD || facts.Kind == usermap.KindJob
	for _, c := range r.Candidates {
		folded, err := auth.Canon(string(c.Name))
		if err != nil || seen[folded] || c.Why == "" || c.Text == "" {
			t.Errorf("candidate %+v: valid %v, there before %v", c, err, seen[folded])
		}
		seen[folded] = true
		if c.Silent && (!known || auth.Lookalike(folded) && !strings.ContainsAny(string(folded), `@\`) || usermap.IsComputer(facts.Domain, facts.Hostname)) {
			t.Errorf("candidate %+v of %+v is silent", c, facts)
		}
		if isForeign(facts) && hasOurSuffix(facts, c) {
			t.Errorf("candidate %+v: an account of the foreign domain %q got our suffix", c, facts.Domain)
		}
	}
}

// isForeign is another way to tell than that of the code: a domain was given, and it is not one of the names that it
// might be ours by.
func isForeign(f usermap.Facts) bool {
	given := strings.TrimRight(strings.TrimSpace(f.Domain), ".")
	if f.Kind == usermap.KindLocal || f.Kind == usermap.KindAzureAD || given == "" || usermap.IsComputer(f.Domain, f.Hostname) {
		return false
	}
	if _, ok := auth.EntraObjectID(strings.TrimSpace(f.SID)); ok {
		return false
	}
	ours := []string{"AzureAD", "localhost", strings.TrimRight(strings.TrimSpace(f.JoinDomain), "."), strings.TrimRight(strings.TrimSpace(f.JoinRealm), ".")}
	return !slices.ContainsFunc(ours, func(name string) bool { return auth.Same(name, given) })
}

// hasOurSuffix tells that a candidate's suffix is one of the rules', and neither the OS nor a rule for the account's own
// domain put it there.
func hasOurSuffix(f usermap.Facts, c usermap.Candidate) bool {
	if c.Why == usermap.ReasonAttested || c.Why == usermap.ReasonQualified || c.Why == usermap.ReasonRealm {
		return false
	}
	for suffix, domain := range map[string]string{"corp.test": "CORP", "ours.test": "ours.example", "net.test": "", "global.test": ""} {
		if strings.HasSuffix(string(c.Name), "@"+suffix) && !auth.Same(strings.TrimRight(strings.TrimSpace(f.Domain), "."), domain) {
			return true
		}
	}
	return false
}

func checkVerdict(t *testing.T, facts usermap.Facts, r usermap.Result) {
	t.Helper()
	sid := strings.TrimSpace(facts.SID)
	_, entra := auth.EntraObjectID(sid)
	byID := entra || auth.DomainSID(sid) && facts.Kind == usermap.KindDomain
	byUPN := facts.UPN != "" && len(r.Candidates) > 0 && r.Candidates[0].Why == usermap.ReasonAttested && r.Candidates[0].Silent
	silent := slices.ContainsFunc(r.Candidates, func(c usermap.Candidate) bool { return c.Silent })
	switch r.Verdict {
	case usermap.Certain:
		if !byID && !byUPN || facts.Kind == usermap.KindLocal {
			t.Errorf("certain without an id: %+v", facts)
		}
	case usermap.Likely:
		if !silent {
			t.Errorf("likely without a silent candidate: %+v", facts)
		}
	case usermap.Ask:
		if silent {
			t.Errorf("asks, with a silent candidate: %+v of %+v", r, facts)
		}
	case usermap.Refuse:
		if len(r.Candidates) != 0 || r.Prefill != "" {
			t.Errorf("refuses, with candidates: %+v", r)
		}
	default:
		t.Errorf("verdict %q", r.Verdict)
	}
	if r.Text == "" {
		t.Error("the verdict has no text")
	}
}

func FuzzParseRules(f *testing.F) {
	for _, text := range []string{"example.org", "CORP=example.org; 10.0.0.0/8=a.example", "*=b.example,::1=c.example", "=;=", "a.b=@C.d."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := usermap.ParseRules(text)
		if err != nil {
			return
		}
		again, err := usermap.ParseRules(rules.String())
		if err != nil || again.String() != rules.String() {
			t.Errorf("ParseRules(%q) is written %q and read as %q, %v", text, rules.String(), again.String(), err)
		}
	})
}
