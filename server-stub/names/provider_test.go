package names

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
)

// memory is a Reader over a list.
type memory []core.NameHolder

func (m memory) Holders(_ context.Context, folded auth.Folded) (list []core.NameHolder, _ error) {
	for _, h := range m {
		if h.Folded == folded {
			list = append(list, h)
		}
	}
	return list, nil
}

func (m memory) UserNames(_ context.Context, id core.UserID) (list []core.LoginName, _ error) {
	for _, h := range m {
		if h.UserID == id {
			list = append(list, h.LoginName)
		}
	}
	return list, nil
}

func (memory) User(context.Context, core.UserID) (core.User, error) {
	return core.User{}, core.ErrNotFound
}

func (memory) OwnersByID(context.Context, core.IdentityKind, string) ([]core.UserID, error) {
	return nil, nil
}

func (memory) UserIdentities(context.Context, core.UserID) ([]core.ExternalIdentity, error) {
	return nil, nil
}

func providers(t interface{ Fatalf(string, ...any) }) Providers {
	return Providers{
		{Name: "print1", Suffix: suffixes(t, "organization.com"), Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}},
		{
			Name: "print2", Suffix: suffixes(t, "CORP=organization.com; sales.local=sales.organization.com; SALES=sales.organization.com; 10.2.7.0/24=lab.organization.com"),
			Networks: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/16")},
		},
		{Name: "print3", Networks: []netip.Prefix{netip.MustParsePrefix("10.2.9.0/24")}},
	}
}

func TestJobOwner(t *testing.T) {
	people := memory(holders(t, []holding{
		{user: 1, kind: core.NameUPN, name: "alex.test@organization.com", source: "corp"},
		{user: 1, kind: core.NameSAM, name: "alex.test", domain: "CORP", source: "corp"},
		{user: 2, kind: core.NameUPN, name: "alex.test@sales.organization.com", source: "sales"},
		{user: 2, kind: core.NameSAM, name: "alex.test", domain: "SALES", source: "sales"},
		{user: 3, kind: core.NameUPN, name: "alex.test@lab.organization.com", source: "lab"},
		{user: 4, kind: core.NameUPN, name: "kim@organization.com", source: "corp"},
		{user: 4, kind: core.NameAlias, name: "kim.short", source: "corp"},
		{user: 5, kind: core.NameUPN, name: "site@example.org", source: "corp"},
	}))
	tests := []struct {
		name string
		job  Job
		want core.UserID // 0: nobody's
	}{
		{"A1_32_short_name_gets_the_suffix_of_its_provider", Job{Owner: "alex.test", Provider: "print1"}, 1},
		{"A1_32_by_the_network_of_the_provider", Job{Owner: "alex.test", From: netip.MustParseAddr("10.1.4.4")}, 1},
		{"A1_32_by_the_network_written_as_IPv6", Job{Owner: "alex.test", From: netip.MustParseAddr("::ffff:10.1.4.4")}, 1},
		{"A1_31_UPN_as_it_stands", Job{Owner: "alex.test@sales.organization.com", Provider: "print1"}, 2},
		{"A1_33_two_domains_behind_one_provider_CORP", Job{Owner: `CORP\alex.test`, Provider: "print2"}, 1},
		{"A1_33_two_domains_behind_one_provider_SALES", Job{Owner: `SALES\alex.test`, Provider: "print2"}, 2},
		{"A1_33_by_the_join_domain_CORP", Job{Owner: "alex.test", JoinDomain: "CORP", Provider: "print2"}, 1},
		{"A1_33_by_the_join_domain_SALES", Job{Owner: "alex.test", JoinDomain: "SALES", Provider: "print2"}, 2},
		{"A1_33_by_the_realm_joined", Job{Owner: "alex.test", JoinRealm: "sales.local", Provider: "print2"}, 2},
		{"A1_33_by_the_subnet", Job{Owner: "alex.test", From: netip.MustParseAddr("10.2.7.9"), Provider: "print2"}, 3},
		{"A1_33_join_domain_before_subnet", Job{Owner: "alex.test", JoinDomain: "CORP", From: netip.MustParseAddr("10.2.7.9")}, 1},
		{"A1_33_no_rule_fits_so_a_shared_short_name_is_nobodys", Job{Owner: "alex.test", Provider: "print2"}, 0},
		{"A1_33_never_the_other_domain", Job{Owner: `SALES\kim`, Provider: "print2"}, 0},
		{"A1_34_alias_where_no_suffix_fits", Job{Owner: "kim.short", Provider: "print2"}, 4},
		{"A1_32_provider_without_rules_has_the_site's", Job{Owner: "site", Provider: "print3"}, 5},
		{"longest network of providers", Job{Owner: "site", From: netip.MustParseAddr("10.2.9.1")}, 5},
		{"no provider", Job{Owner: "site"}, 5},
	}
	site := Rules{Suffix: suffixes(t, "example.org")}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := FindOwner(t.Context(), people, tt.job, site, providers(t), now)
			if err != nil || got.User != tt.want || (got.Outcome == One) != (tt.want != 0) {
				t.Errorf("user %d (%v), %v; want user %d\nwhy: %s", got.User, got.Outcome, err, tt.want, strings.Join(got.Why, "\n     "))
			}
		})
	}
	if _, err := FindOwner(t.Context(), people, Job{Owner: "alex.test", Provider: "print9"}, site, providers(t), now); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a provider that does not exist: %v", err)
	}
}

func TestTwoProvidersOfOneNetworkAreNeither(t *testing.T) {
	ps := Providers{{Name: "a", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, {Name: "b", Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	if p, ok := ps.At(netip.MustParseAddr("10.1.1.1")); ok {
		t.Errorf("%s was chosen", p.Name)
	}
}

// Row A1-33: whatever rules several domains have on one provider, a name of one domain never belongs to somebody of another.
func TestPropertyA1_33_DomainsBehindOneProviderStayApart(t *testing.T) {
	domains := []string{"CORP", "SALES", "LAB"}
	suffix := map[string]string{"CORP": "corp.example.org", "SALES": "sales.example.org", "LAB": "lab.example.org"}
	rapid.Check(t, func(t *rapid.T) {
		var all []holding
		domainOf := map[core.UserID]string{}
		for i := range rapid.IntRange(1, 6).Draw(t, "people") {
			id := core.UserID(i + 1)
			d := rapid.SampledFrom(domains).Draw(t, "domain")
			name := rapid.SampledFrom([]string{"alex", "sam", "kim"}).Draw(t, "name")
			domainOf[id] = d
			all = append(all, holding{user: id, kind: core.NameSAM, name: name, domain: d, source: core.SourceID(strings.ToLower(d))},
				holding{user: id, kind: core.NameUPN, name: rapid.SampledFrom([]string{name, name + "2"}).Draw(t, "upn") + "@" + suffix[d], source: core.SourceID(strings.ToLower(d))})
		}
		var rules []string
		for _, d := range domains {
			if rapid.Bool().Draw(t, "rule for "+d) {
				rules = append(rules, d+"="+suffix[d])
			}
		}
		global := rapid.SampledFrom(domains).Draw(t, "global")
		if rapid.Bool().Draw(t, "has a global one") {
			rules = append(rules, suffix[global])
		}
		p := Provider{Name: "p", Suffix: suffixes(t, strings.Join(rules, ";"))}
		d := rapid.SampledFrom(domains).Draw(t, "of")
		answer, err := FindOwner(context.Background(), memory(holders(t, all)), Job{Owner: d + `\` + rapid.SampledFrom([]string{"alex", "sam", "kim"}).Draw(t, "owner"), Provider: "p"},
			Rules{}, Providers{p}, now)
		if err != nil {
			t.Fatal(err)
		}
		if answer.User != 0 && domainOf[answer.User] != d {
			t.Fatalf("a name of %s belongs to user %d of %s: %v", d, answer.User, domainOf[answer.User], answer.Why)
		}
	})
}
