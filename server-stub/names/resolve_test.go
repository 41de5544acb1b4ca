package names

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/auth/usermap"
	"github.com/platenprint/platen/server-stub/core"
)

var now = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// holding is a holder in short form.
type holding struct {
	user     core.UserID
	kind     core.NameKind
	name     string
	domain   string
	source   core.SourceID
	disabled bool
	ended    time.Duration // ago, 0 while in force
}

func holders(t interface{ Fatalf(string, ...any) }, all []holding) []core.NameHolder {
	var out []core.NameHolder
	for i, h := range all {
		folded, err := auth.Canon(h.name)
		if err != nil {
			t.Fatalf("holding %q: %v", h.name, err)
		}
		n := core.LoginName{ID: int64(i + 1), UserID: h.user, Name: h.name, Folded: folded, Kind: h.kind, Domain: fold(h.domain), Source: h.source}
		if h.ended > 0 {
			n.ValidTo = now.Add(-h.ended)
		}
		out = append(out, core.NameHolder{LoginName: n, Active: !h.disabled, UserSource: h.source})
	}
	return out
}

func suffixes(t interface{ Fatalf(string, ...any) }, text string) usermap.Rules {
	r, err := usermap.ParseRules(text)
	if err != nil {
		t.Fatalf("rules %q: %v", text, err)
	}
	return r
}

func siteRules(t interface{ Fatalf(string, ...any) }) Rules {
	return Rules{
		Suffix: suffixes(t, "example.org; SALES=sales.example.org; 10.7.0.0/16=lab.example.org"),
		Domains: []Domain{
			{NetBIOS: "CORP", Suffixes: []string{"example.org", "corp.example.org"}, SID: "S-1-5-21-1-2-3", Source: "corp"},
			{NetBIOS: "SALES", Suffixes: []string{"sales.example.org"}, Source: "sales"},
		},
		Tenants: []string{"9d3a1c4e-0000-4000-8000-000000000001"},
	}
}

func TestResolve(t *testing.T) {
	corp := []holding{
		{user: 1, kind: core.NameUPN, name: "alex.test@example.org", source: "corp"},
		{user: 1, kind: core.NameSAM, name: "atest", domain: "CORP", source: "corp"},
		{user: 1, kind: core.NameNickname, name: "alex.test", source: "corp"},
		{user: 1, kind: core.NameEmail, name: "alex@mail.example.org", source: "corp"},
		{user: 2, kind: core.NameUPN, name: "sam.hill@example.org", source: "corp"},
		{user: 2, kind: core.NameSAM, name: "sam", domain: "CORP", source: "corp"},
		{user: 3, kind: core.NameUPN, name: "sam.sales@sales.example.org", source: "sales"},
		{user: 3, kind: core.NameSAM, name: "sam", domain: "SALES", source: "sales"},
		{user: 4, kind: core.NameUPN, name: "gone@example.org", source: "corp", disabled: true},
		{user: 4, kind: core.NameSAM, name: "gone", domain: "CORP", source: "corp", disabled: true},
		{user: 5, kind: core.NameUsername, name: "visitor"},
	}
	domain := func(d, n string) usermap.Facts {
		return usermap.Facts{Kind: usermap.KindDomain, Domain: d, Name: n, Hostname: "PC-7", JoinDomain: "CORP"}
	}
	truncating := func(r *Rules) { r.Domains[0].Truncates, r.Domains[1].Truncates = true, true }
	tests := []struct {
		name     string
		q        Query
		holders  []holding
		owners   []Owner
		ids      []core.ExternalIdentity
		rules    func(*Rules)
		want     Outcome
		wantUser core.UserID
		wantMany []core.UserID
	}{
		// Prompt.
		{name: "A1_46_full_UPN", q: Query{Text: "Alex.Test@Example.org"}, want: One, wantUser: 1},
		{name: "A1_47_nickname_completed_by_the_suffix", q: Query{Text: "alex.test"}, want: One, wantUser: 1},
		{name: "UPN of Windows for Entra accounts", q: Query{Text: `AzureAD\alex.test@example.org`}, want: One, wantUser: 1},
		{name: "A1_47_AzureAD_name_part_finds_nobody", q: Query{Text: `AzureAD\alex.test`}, want: Unknown},
		{name: "short name in its domain", q: Query{Text: `CORP\sam`}, want: One, wantUser: 2},
		{name: "short name in the other domain", q: Query{Text: `sales\SAM`}, want: One, wantUser: 3},
		{name: "no fallback to another domain", q: Query{Text: `OTHER\sam`}, want: Unknown},
		{name: "no fallback to a namesake without a domain", q: Query{Text: `CORP\visitor`}, want: Unknown},
		{name: "no foreign suffix for a qualified name", q: Query{Text: `SALES\alex.test`}, want: Unknown},
		{name: "computer's own name is a local account", q: Query{Text: `PC-7\sam`, Facts: usermap.Facts{Hostname: "pc-7"}}, want: Unknown},
		{name: "short name of several domains", q: Query{Text: "sam"}, want: Ambiguous, wantMany: []core.UserID{2, 3}},
		{name: "local username", q: Query{Text: "visitor"}, want: One, wantUser: 5},
		{
			name: "own username goes before the suffix", q: Query{Text: "visitor"},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameUPN, name: "visitor@example.org", source: "corp"}), want: One, wantUser: 5,
		},
		{
			name: "short name and suffix disagree", q: Query{Text: "atest"},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameUPN, name: "atest@example.org", source: "corp"}), want: Ambiguous, wantMany: []core.UserID{9, 1},
		},
		{name: "e-mail address of one person", q: Query{Text: "alex@mail.example.org"}, want: One, wantUser: 1},
		{
			name: "UPN that is another's e-mail", q: Query{Text: "sam.hill@example.org"},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameEmail, name: "sam.hill@example.org"}), want: Ambiguous, wantMany: []core.UserID{2, 9},
		},
		{
			name: "username that is another's sAMAccountName", q: Query{Text: "visitor"},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameSAM, name: "visitor", domain: "CORP", source: "corp"}), want: Ambiguous, wantMany: []core.UserID{5, 9},
		},
		{name: "disabled person is refused", q: Query{Text: "gone@example.org"}, want: Disabled, wantUser: 4},
		{
			name: "disabled person counts as holder", q: Query{Text: "gone"},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameNickname, name: "gone", source: "sales"}), want: Ambiguous, wantMany: []core.UserID{4, 9},
		},
		{
			name: "subnet decides the suffix", q: Query{Text: "lee", Facts: usermap.Facts{Addresses: []netip.Addr{netip.MustParseAddr("10.7.1.1")}}},
			holders: []holding{{user: 1, kind: core.NameUPN, name: "lee@lab.example.org"}, {user: 2, kind: core.NameUPN, name: "lee@example.org"}}, want: One, wantUser: 1,
		},
		{
			name: "folds together", q: Query{Text: "strasse"}, holders: []holding{{user: 1, kind: core.NameUsername, name: "straße"}, {user: 2, kind: core.NameUsername, name: "strasse"}},
			want: Ambiguous, wantMany: []core.UserID{1, 2},
		},
		{name: "look-alike is not the other", q: Query{Text: "аlex.test@example.org"}, want: Unknown},
		{name: "look-alike of its own, typed in full", q: Query{Text: "сора"}, holders: []holding{{user: 1, kind: core.NameUsername, name: "сора"}}, want: One, wantUser: 1},
		{name: "not a name", q: Query{Text: "al\x00ex"}, want: Unknown},
		{name: "empty", q: Query{Text: " "}, want: Unknown},

		// Ended names.
		{name: "ended name finds nobody", q: Query{Text: "old@example.org"}, holders: []holding{{user: 1, kind: core.NameUPN, name: "old@example.org", ended: 24 * time.Hour}}, want: Unknown},
		{
			name: "ended name keeps the next one out", q: Query{Text: "old@example.org"},
			holders: []holding{{user: 1, kind: core.NameAlias, name: "old@example.org", ended: 179 * 24 * time.Hour}, {user: 2, kind: core.NameUPN, name: "old@example.org"}},
			want:    Ambiguous, wantMany: []core.UserID{2, 1},
		},
		{
			name: "ended name is free after 180 days", q: Query{Text: "old@example.org"},
			holders: []holding{{user: 1, kind: core.NameAlias, name: "old@example.org", ended: 180 * 24 * time.Hour}, {user: 2, kind: core.NameUPN, name: "old@example.org"}},
			want:    One, wantUser: 2,
		},
		{name: "alias after a rename", q: Query{Text: "alex"}, holders: []holding{{user: 1, kind: core.NameUPN, name: "alex.test@example.org"}, {user: 1, kind: core.NameAlias, name: "alex"}}, want: One, wantUser: 1},

		// upn-as-username.
		{name: "A1_52_Y_never_truncates", q: Query{Text: "atest@example.org"}, want: Unknown},
		{name: "A1_52_Y_never_truncates_even_where_N_would", q: Query{Text: "sam@corp.example.org"}, want: Unknown},
		{name: "A1_50_N_truncates_our_suffix", q: Query{Text: "sam@corp.example.org"}, rules: truncating, want: One, wantUser: 2},
		{
			name: "A1_50_N_of_another_directory_does_not_matter", q: Query{Text: "sam@corp.example.org"},
			rules: func(r *Rules) { r.Domains[1].Truncates = true }, want: Unknown,
		},
		{
			name: "A1_51_Y_of_another_directory_does_not_matter", q: Query{Text: "sam@corp.example.org"},
			rules: func(r *Rules) { r.Domains[0].Truncates = true }, want: One, wantUser: 2,
		},
		{name: "A1_50_N_stays_in_the_source_of_the_suffix", q: Query{Text: "visitor@example.org"}, rules: truncating, want: Unknown},
		{name: "A1_50_N_not_for_foreign_suffixes", q: Query{Text: "sam@elsewhere.example"}, rules: truncating, want: Unknown},
		{name: "A1_50_N_not_against_another_UPN_of_the_suffix", q: Query{Text: "sam@example.org"}, rules: truncating, want: Unknown},
		{
			name: "A1_55_N_whole_UPN_goes_first", q: Query{Text: "sam@sales.example.org"}, rules: truncating,
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameUPN, name: "sam@sales.example.org", source: "sales"}), want: One, wantUser: 9,
		},

		// Print provider.
		{name: "A1_32_provider_suffix", q: Query{Context: PrintProvider, Text: "alex.test"}, want: One, wantUser: 1},
		{
			name: "A1_32_provider_suffix_decides_over_a_namesake", q: Query{Context: PrintProvider, Text: "visitor"},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameUPN, name: "visitor@example.org", source: "corp"}), want: One, wantUser: 9,
		},
		{name: "A1_32_disabled_owner_is_never_replaced", q: Query{Context: PrintProvider, Text: "gone"}, want: Disabled, wantUser: 4},
		{
			name: "A1_33_suffix_per_domain_on_one_provider", q: Query{Context: PrintProvider, Text: `SALES\sam.sales`}, rules: func(r *Rules) { r.Domains = nil },
			holders: []holding{{user: 3, kind: core.NameUPN, name: "sam.sales@sales.example.org"}, {user: 2, kind: core.NameUPN, name: "sam.sales@example.org"}}, want: One, wantUser: 3,
		},
		{name: "A1_34_alias_matches_jobs", q: Query{Context: PrintProvider, Text: "ally"}, holders: append(slices.Clone(corp), holding{user: 1, kind: core.NameAlias, name: "ally"}), want: One, wantUser: 1},
		{name: "A1_34_shared_short_name_is_unowned", q: Query{Context: PrintProvider, Text: "sam"}, want: Ambiguous, wantMany: []core.UserID{2, 3}},
		{name: "A1_56_e-mail_alone_owns_no_job", q: Query{Context: PrintProvider, Text: "alex@mail.example.org"}, want: Unknown},
		{
			name: "A1_34_own_e-mail_under_the_suffix_does_not_hide_the_short_name", q: Query{Context: PrintProvider, Text: "kim.doe"}, want: One, wantUser: 1,
			holders: []holding{{user: 1, kind: core.NameUPN, name: "kim@example.org"}, {user: 1, kind: core.NameSAM, name: "kim.doe", domain: "CORP"}, {user: 1, kind: core.NameEmail, name: "kim.doe@example.org"}},
		},
		{
			name: "A1_34_another's_e-mail_under_the_suffix_makes_it_nobody's", q: Query{Context: PrintProvider, Text: "kim.doe"}, want: Ambiguous, wantMany: []core.UserID{1, 2},
			holders: []holding{{user: 1, kind: core.NameSAM, name: "kim.doe", domain: "CORP"}, {user: 2, kind: core.NameEmail, name: "kim.doe@example.org"}},
		},
		{
			name: "A1_34_a_former_UPN_of_another_makes_it_nobody's", q: Query{Context: PrintProvider, Text: "kim.doe"}, want: Ambiguous, wantMany: []core.UserID{1, 2},
			holders: []holding{{user: 1, kind: core.NameSAM, name: "kim.doe", domain: "CORP"}, {user: 2, kind: core.NameUPN, name: "kim.doe@example.org", ended: time.Hour}},
		},
		{
			name: "A1_34_e-mail_alone_finds_nobody", q: Query{Context: PrintProvider, Text: "kim.doe"}, want: Unknown,
			holders: []holding{{user: 2, kind: core.NameEmail, name: "kim.doe@example.org"}},
		},
		{
			name: "A1_50_own_e-mail_does_not_hide_the_shortened_UPN", q: Query{Context: PrintProvider, Text: "kim.doe@example.org"}, rules: truncating, want: One, wantUser: 1,
			holders: []holding{
				{user: 1, kind: core.NameSAM, name: "kim.doe", domain: "CORP", source: "corp"}, {user: 1, kind: core.NameEmail, name: "kim.doe@example.org", source: "corp"},
			},
		},
		{name: "A1_31_UPN_as_owner", q: Query{Context: PrintProvider, Text: "alex.test@example.org"}, want: One, wantUser: 1},
		{name: "look-alike owns no job", q: Query{Context: PrintProvider, Text: "сора"}, holders: []holding{{user: 1, kind: core.NameUsername, name: "сора"}}, want: Unknown},

		// Trust.
		{name: "unattested facts find nobody", q: Query{Context: Trust, Facts: domain("CORP", "sam")}, want: Unknown},
		{name: "attested short name in its domain", q: Query{Context: Trust, Attested: true, Facts: domain("CORP", "sam")}, want: One, wantUser: 2},
		{name: "local account with a directory user's name is asked", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindLocal, Name: "alex.test"}}, want: Unknown},
		{name: "UPN of the OS", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindAzureAD, Domain: "AzureAD", Name: "AlexTest", UPN: "alex.test@example.org"}}, want: One, wantUser: 1},
		{
			name: "UPN and short name disagree", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "sam", UPN: "alex.test@example.org"}},
			want: Ambiguous, wantMany: []core.UserID{1, 2},
		},
		{name: "suffix does not reach whoever has another short name", q: Query{Context: Trust, Attested: true, Facts: domain("CORP", "sam.hill")}, want: Unknown},
		{
			name: "bare name that several people hold is asked", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Name: "visitor"}},
			holders: append(slices.Clone(corp), holding{user: 9, kind: core.NameUPN, name: "visitor@example.org", source: "corp"}), want: Ambiguous, wantMany: []core.UserID{9, 5},
		},
		{
			name: "SID wins over the name", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "sam", SID: "S-1-5-21-1-2-3-1104"}},
			owners: []Owner{{ID: 1, Active: true}}, want: One, wantUser: 1,
		},
		{
			name: "SID of a disabled person", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "sam", SID: "S-1-5-21-1-2-3-1104"}},
			owners: []Owner{{ID: 4}}, want: Disabled, wantUser: 4,
		},
		{
			name: "SID of two people", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "sam", SID: "S-1-5-21-1-2-3-1104"}},
			owners: []Owner{{ID: 1, Active: true}, {ID: 2, Active: true}}, want: Ambiguous, wantMany: []core.UserID{1, 2},
		},
		{name: "SID of another forest with our domain's name", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "sam", SID: "S-1-5-21-9-9-9-1104"}}, want: Unknown},
		{name: "SID of our domain that nobody has", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "CORP", Name: "sam", SID: "S-1-5-21-1-2-3-1"}}, want: Unknown},
		{name: "SID nobody knows, domain without SIDs", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "SALES", Name: "sam", SID: "S-1-5-21-7-7-7-1"}}, want: One, wantUser: 3},
		{
			name: "the person of the name has another SID", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindDomain, Domain: "SALES", Name: "sam", SID: "S-1-5-21-7-7-7-1"}},
			ids: []core.ExternalIdentity{{UserID: 3, Kind: core.IdentitySID, ImmutableID: "S-1-5-21-7-7-7-2"}}, want: Unknown,
		},
		{name: "Entra SID that nobody has", q: Query{Context: Trust, Attested: true, Facts: usermap.Facts{Kind: usermap.KindAzureAD, Domain: "AzureAD", Name: "x", UPN: "alex.test@example.org", SID: "S-1-12-1-1-2-3-4"}}, want: Unknown},
		{
			name: "look-alike is never trusted", q: Query{Context: Trust, Attested: true, Facts: domain("CORP", "сора")},
			holders: []holding{{user: 1, kind: core.NameSAM, name: "сора", domain: "CORP", source: "corp"}}, want: Unknown,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, held := siteRules(t), tt.holders
			if tt.rules != nil {
				tt.rules(&rules)
			}
			if held == nil {
				held = corp
			}
			got := Resolve(tt.q, rules, Known{Holders: holders(t, held), Owners: tt.owners, Identities: tt.ids}, now)
			if got.Outcome != tt.want || got.User != tt.wantUser {
				t.Errorf("got %v, user %d; want %v, user %d\nwhy: %s", got.Outcome, got.User, tt.want, tt.wantUser, strings.Join(got.Why, "\n     "))
			}
			if diff := cmp.Diff(tt.wantMany, got.Candidates); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			if len(got.Why) == 0 {
				t.Error("the answer is not explained")
			}
		})
	}
}

func TestAccountIsOneNameForAllFormsOfIt(t *testing.T) {
	rules := siteRules(t)
	for _, text := range []string{"bob", "BOB@example.org", " bob "} {
		if got := Account(Query{Text: text}, rules); got != "bob@example.org" {
			t.Errorf("Account(%q) = %q", text, got)
		}
	}
	if got := Account(Query{Text: `OTHER\bob`}, rules); got != `other\bob` {
		t.Errorf("qualified: %q", got)
	}
	if got := Account(Query{Text: `SALES\bob`}, rules); got != "bob@sales.example.org" {
		t.Errorf("qualified with a rule: %q", got)
	}
}

// world draws a small world in which clashes are common.
func world(t *rapid.T) []holding {
	name := rapid.SampledFrom([]string{"alex", "sam", "alex@example.org", "sam@example.org", "alex@sales.example.org", "ALEX", "gone", "straße", "strasse"})
	held := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) holding {
		return holding{
			user:   core.UserID(rapid.IntRange(1, 4).Draw(t, "user")),
			kind:   rapid.SampledFrom([]core.NameKind{core.NameUPN, core.NameUsername, core.NameSAM, core.NameNickname, core.NameAlias, core.NameEmail}).Draw(t, "kind"),
			name:   name.Draw(t, "name"),
			domain: rapid.SampledFrom([]string{"", "CORP", "SALES"}).Draw(t, "domain"),
			source: rapid.SampledFrom([]core.SourceID{"", "corp", "sales"}).Draw(t, "source"),
			ended:  time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 100, 200}).Draw(t, "ended")) * 24 * time.Hour,
		}
	}), 0, 6).Draw(t, "holders")
	// A person is enabled or not, and of one source, as a whole.
	disabled := rapid.SampledFrom([]core.UserID{0, 1, 2}).Draw(t, "disabled")
	for i := range held {
		held[i].disabled = held[i].user == disabled
		held[i].source = []core.SourceID{"", "corp", "corp", "sales", ""}[held[i].user]
		if held[i].kind != core.NameSAM {
			held[i].domain = ""
		}
	}
	return held
}

func question(t *rapid.T) (Query, Rules) {
	q := Query{
		Context: rapid.SampledFrom([]Context{Prompt, Trust, PrintProvider}).Draw(t, "context"),
		Text: rapid.SampledFrom([]string{"alex", "sam", "alex@example.org", "sam@example.org", `CORP\alex`, `SALES\sam`, `OTHER\alex`, `AzureAD\alex`, "gone", "strasse", "аlex"}).
			Draw(t, "text"),
		Attested: rapid.Bool().Draw(t, "attested"),
	}
	if q.Context == Trust {
		domain, name, ok := strings.Cut(q.Text, `\`)
		if !ok {
			domain, name = "", q.Text
		}
		q.Facts = usermap.Facts{
			Kind: rapid.SampledFrom([]usermap.Kind{usermap.KindDomain, usermap.KindLocal, usermap.KindAzureAD}).Draw(t, "kind"), Domain: domain, Name: name,
			JoinDomain: rapid.SampledFrom([]string{"", "CORP"}).Draw(t, "join"),
		}
	}
	rules := siteRules(t)
	for i := range rules.Domains {
		rules.Domains[i].Truncates = rapid.Bool().Draw(t, "truncates")
	}
	return q, rules
}

func TestPropertyNobodyIsFoundByANameThatIsNotTheirs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held := holders(t, world(t))
		q, rules := question(t)
		got := Resolve(q, rules, Known{Holders: held}, now)
		switch got.Outcome {
		case One, Disabled:
			asked := Folds(q, rules)
			own := slices.ContainsFunc(held, func(h core.NameHolder) bool {
				return h.UserID == got.User && h.ValidTo.IsZero() && slices.Contains(asked, h.Folded)
			})
			if !own || len(got.Candidates) != 0 {
				t.Fatalf("%+v was answered by user %d, who holds none of %v", q, got.User, asked)
			}
		case Ambiguous:
			if got.User != 0 || len(got.Candidates) < 2 {
				t.Fatalf("ambiguous with user %d and candidates %v", got.User, got.Candidates)
			}
		case Unknown:
			if got.User != 0 || len(got.Candidates) != 0 {
				t.Fatalf("unknown with user %d and candidates %v", got.User, got.Candidates)
			}
		}
		if q.Context == Trust && !q.Attested && got.Outcome != Unknown {
			t.Fatalf("trusted without an attestation: %+v", got)
		}
	})
}

// One more name in the world may make an answer ambiguous or better, but it never leads to somebody else instead. The
// exceptions are the two rules that decide on purpose: a person's own username or address typed in full at a prompt,
// and the suffix of a print provider.
func TestPropertyOneMoreHolderNeverMovesAnAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := world(t)
		q, rules := question(t)
		extra := rapid.Custom(func(t *rapid.T) []holding { return world(t) }).Filter(func(w []holding) bool { return len(w) > 0 }).Draw(t, "extra")[:1]
		for _, h := range before {
			if h.user == extra[0].user {
				extra[0].disabled = h.disabled
			}
		}
		a := Resolve(q, rules, Known{Holders: holders(t, before)}, now)
		b := Resolve(q, rules, Known{Holders: holders(t, append(slices.Clone(before), extra...))}, now)
		if a.User == 0 || b.User == 0 || a.User == b.User {
			return
		}
		folded, _ := auth.Canon(extra[0].name)
		if q.Context == PrintProvider && folded != fold(q.Text) || q.Context != Trust && folded == fold(q.Text) {
			return
		}
		t.Fatalf("%+v: user %d became user %d because of %+v", q, a.User, b.User, extra[0])
	})
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"alex", `CORP\sam`, `\`, `@`, `a@b@c`, `AzureAD\a@b`, "аlex", `CORP\a@example.org`, `.\x`} {
		f.Add(s, 0)
	}
	held := holders(f, []holding{{user: 1, kind: core.NameUPN, name: "alex@example.org"}, {user: 2, kind: core.NameSAM, name: "sam", domain: "CORP", source: "corp"}})
	rules := siteRules(f)
	f.Fuzz(func(t *testing.T, text string, c int) {
		got := Resolve(Query{Context: Context(c % 3), Text: text, Attested: true}, rules, Known{Holders: held}, now)
		if got.Outcome == One {
			folded := string(fold(text))
			if !strings.HasSuffix(folded, "alex@example.org") && folded != "alex" && !strings.HasSuffix(folded, "sam") {
				t.Errorf("%q was answered by user %d: %v", text, got.User, got.Why)
			}
		}
	})
}
