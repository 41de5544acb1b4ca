package review

import (
	"context"
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
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// site is a Tx in memory.
type site struct {
	users []core.User
	names []core.LoginName
}

func (s *site) add(u core.User, all ...core.LoginName) {
	u.ID = core.UserID(len(s.users) + 1)
	s.users = append(s.users, u)
	for _, n := range all {
		folded, err := auth.Canon(n.Name)
		if err != nil {
			panic(err)
		}
		n.ID, n.UserID, n.Folded, n.Source = int64(len(s.names)+1), u.ID, folded, u.Source
		s.names = append(s.names, n)
	}
}

func (s *site) user(id core.UserID) core.User { return s.users[id-1] }

func (s *site) Holders(_ context.Context, folded auth.Folded) (list []core.NameHolder, _ error) {
	for _, n := range s.names {
		if n.Folded == folded {
			u := s.user(n.UserID)
			list = append(list, core.NameHolder{LoginName: n, Active: u.Active(), UserSource: u.Source})
		}
	}
	return list, nil
}

func (s *site) UserNames(_ context.Context, id core.UserID) (list []core.LoginName, _ error) {
	for _, n := range s.names {
		if n.UserID == id {
			list = append(list, n)
		}
	}
	return list, nil
}

func (s *site) User(_ context.Context, id core.UserID) (core.User, error) { return s.user(id), nil }

func (s *site) ListUsers(_ context.Context, f store.UserFilter) (list []core.User, _ error) {
	for _, u := range s.users {
		if u.ID > f.After && u.DeletedAt.IsZero() && (f.Limit == 0 || len(list) < f.Limit) {
			list = append(list, u)
		}
	}
	return list, nil
}

func (*site) OwnersByID(context.Context, core.IdentityKind, string) ([]core.UserID, error) {
	return nil, nil
}

func (*site) UserIdentities(context.Context, core.UserID) ([]core.ExternalIdentity, error) {
	return nil, nil
}

func sam(name, domain string) core.LoginName {
	return core.LoginName{Kind: core.NameSAM, Name: name, Domain: auth.Folded(strings.ToLower(domain))}
}

func named(kind core.NameKind, name string) core.LoginName {
	return core.LoginName{Kind: kind, Name: name}
}

func rules(t interface{ Fatalf(string, ...any) }, suffix string) names.Rules {
	parsed, err := usermap.ParseRules(suffix)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return names.Rules{Suffix: parsed, Domains: []names.Domain{
		{NetBIOS: "CORP", Suffixes: []string{"example.org"}, Source: "corp", Truncates: true},
		{NetBIOS: "SALES", Suffixes: []string{"sales.example.org"}, Source: "sales", Truncates: true},
	}}
}

func run(t interface{ Fatalf(string, ...any) }, s *site, o Options) []Line {
	o.Now = noon
	var lines []Line
	if _, _, err := Run(context.Background(), s, o, 0, 1000, func(l Line) { lines = append(lines, l) }); err != nil {
		t.Fatalf("%v", err)
	}
	return lines
}

// school is a site that goes by short names: the people of two domains, and what can stand in the way.
func school() *site {
	s := &site{}
	corp := func(username string, all ...core.LoginName) {
		s.add(core.User{Username: username, Source: "corp"}, append(all, named(core.NameUsername, username))...)
	}
	corp("alex", sam("alex", "CORP"), named(core.NameUPN, "alex.test@example.org"), named(core.NameNickname, "alex.test"))                  // 1: gains an alias
	s.add(core.User{Username: "mia@example.org", Source: "corp"}, sam("mia", "CORP"), named(core.NameUPN, "mia@example.org"))               // 2: unchanged
	corp("sam", sam("sam", "CORP"), named(core.NameUPN, "sam@example.org"))                                                                 // 3: has a namesake in SALES
	s.add(core.User{Username: "sam@sales.example.org", Source: "sales"}, sam("sam", "SALES"), named(core.NameUPN, "sam@sales.example.org")) // 4
	corp("old", sam("old", "CORP"))                                                                                                         // 5: no UPN
	corp("kim", sam("kim", "CORP"), named(core.NameUPN, "k.im@example.org"))                                                                // 6: the UPN is another's e-mail
	s.add(core.User{Username: "kim2@example.org", Email: "k.im@example.org", Source: "sales"}, sam("kim2", "SALES"), named(core.NameUPN, "kim2@example.org"), named(core.NameEmail, "k.im@example.org"))
	s.add(core.User{Username: "guest", Email: "guest@example.org"}, named(core.NameUsername, "guest"), named(core.NameEmail, "guest@example.org")) // 8: a local account
	return s
}

func TestA1_30_A1_43_WhatTheSwitchToUPNsDoes(t *testing.T) {
	lines := run(t, school(), Options{To: ToUPN, Rules: rules(t, "")})
	want := map[string]struct {
		state    State
		target   string
		problems []string
	}{
		"alex":                  {GainsAlias, "alex.test@example.org", nil},
		"mia@example.org":       {Unchanged, "mia@example.org", nil},
		"sam":                   {Ambiguous, "sam@example.org", []string{"a job of sam could also be that of sam@sales.example.org, so it would be nobody's, as today"}},
		"sam@sales.example.org": {Ambiguous, "sam@sales.example.org", []string{"a job of sam could also be that of sam, so it would be nobody's, as today"}},
		"old":                   {NoMatch, "", []string{"no directory tells the person's UPN"}},
		"kim":                   {Ambiguous, "k.im@example.org", []string{"k.im@example.org is the email of kim2@example.org, who keeps it"}},
		"kim2@example.org":      {Unchanged, "kim2@example.org", nil},
		"guest":                 {NoMatch, "", []string{"no directory tells the person's UPN", "the e-mail address guest@example.org may be it: --to mail"}},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		w := want[l.User.Username]
		if l.State != w.state || l.Target != w.target {
			t.Errorf("%s: %s to %q; want %s to %q", l.User.Username, l.State, l.Target, w.state, w.target)
		}
		if diff := cmp.Diff(w.problems, l.Problems); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", l.User.Username, diff)
		}
	}
}

// The print-job-ownership test: for each name that a workstation sends, whose job it is today and then.
func TestA1_30_A1_31_PrintJobOwnership(t *testing.T) {
	lines := run(t, school(), Options{To: ToUPN, Rules: rules(t, "")})
	alex := lines[0]
	var sent []string
	for _, s := range alex.Sent {
		if s.Then.User != 1 {
			t.Errorf("A1_31: a job of %q is user %d's after the switch: %v", s.Name, s.Then.User, s.Then.Why)
		}
		sent = append(sent, s.Name)
	}
	if diff := cmp.Diff([]string{"alex", "alex.test", `CORP\alex`, "alex.test@example.org"}, sent); diff != "" {
		t.Error(diff)
	}
	for _, s := range lines[2].Sent { // sam: the domain tells them apart, the short name alone does not
		if want := map[string]core.UserID{"sam": 0, `CORP\sam`: 3, "sam@example.org": 3}[s.Name]; s.Then.User != want {
			t.Errorf("a job of %q is user %d's, want %d", s.Name, s.Then.User, want)
		}
	}
}

// Rules by domain settle what the short name alone does not (row A1-33).
func TestA1_33_SuffixRulesSettleNamesakes(t *testing.T) {
	for _, l := range run(t, school(), Options{To: ToUPN, Rules: rules(t, "CORP=example.org; SALES=sales.example.org")}) {
		if strings.HasPrefix(l.User.Username, "sam") && (l.State == Ambiguous || len(l.Problems) > 0) {
			t.Errorf("%s: %s, %v", l.User.Username, l.State, l.Problems)
		}
	}
}

func TestTheAddressChoosesTheProvider(t *testing.T) {
	s := &site{}
	s.add(core.User{Username: "lee@lab.example.org", Source: "corp"}, named(core.NameUPN, "lee@lab.example.org"), named(core.NameNickname, "lee"))
	s.add(core.User{Username: "lee@example.org", Source: "corp"}, named(core.NameUPN, "lee@example.org"), named(core.NameNickname, "lee"))
	suffix, _ := usermap.ParseRules("lab.example.org")
	o := Options{To: ToUPN, Rules: rules(t, "example.org"), Providers: names.Providers{{Name: "lab", Suffix: suffix, Networks: []netip.Prefix{netip.MustParsePrefix("10.7.0.0/16")}}}}
	o.From = netip.MustParseAddr("10.7.0.9")
	lines := run(t, s, o)
	if lines[0].State != Unchanged || lines[1].State != Ambiguous || !slices.Contains(lines[1].Problems, "a job of lee would be that of lee@lab.example.org") {
		t.Errorf("%s %v, %s %v", lines[0].State, lines[0].Problems, lines[1].State, lines[1].Problems)
	}
}

func TestDomain(t *testing.T) {
	var got []string
	for _, l := range run(t, school(), Options{To: ToUPN, Rules: rules(t, ""), Domain: "sales"}) {
		got = append(got, l.User.Username)
	}
	if diff := cmp.Diff([]string{"sam@sales.example.org", "kim2@example.org"}, got); diff != "" {
		t.Error(diff)
	}
}

// What people lose with upn_as_username: Y: a UPN is never shortened to the sAMAccountName any more (row A1-52).
func TestA1_52_UPNsAreNotShortenedAfterTheSwitch(t *testing.T) {
	s := &site{}
	s.add(core.User{Username: "lee@example.org", Email: "lee@example.org", Source: "corp"}, named(core.NameUsername, "lee@example.org"), sam("lee", "CORP"))
	line := run(t, s, Options{To: ToMail, Rules: rules(t, "")})[0]
	if line.State != Unchanged {
		t.Errorf("%s: %v", line.State, line.Problems)
	}
	s = &site{}
	s.add(core.User{Username: "lee", Source: "corp"}, sam("lee", "CORP"), named(core.NameUsername, "lee"))
	r := rules(t, "")
	a, err := names.FindOwner(t.Context(), s, names.Job{Owner: "lee@example.org"}, r, nil, noon)
	if err != nil || a.User != 1 {
		t.Errorf("today it is user %d's, %v", a.User, err)
	}
}

func TestToMail(t *testing.T) {
	lines := run(t, school(), Options{To: ToMail, Rules: rules(t, "")})
	guest := lines[7]
	if guest.State != GainsAlias || guest.Target != "guest@example.org" {
		t.Errorf("A1_56: %s to %q: %v", guest.State, guest.Target, guest.Problems)
	}
	// An e-mail address owns no job today; as a username it does.
	last := guest.Sent[len(guest.Sent)-1]
	if last.Name != "guest@example.org" || last.Now.User != 0 || last.Then.User != 8 {
		t.Errorf("%+v", last)
	}
}

func TestNobodyGainsWhatSomebodyBeforeThemKeeps(t *testing.T) {
	s := &site{}
	gone := named(core.NameUPN, "alex@example.org")
	gone.ValidTo = noon.Add(-24 * time.Hour)
	s.add(core.User{Username: "first@example.org"}, gone, named(core.NameUPN, "first@example.org"))
	s.add(core.User{Username: "alex", Source: "corp"}, named(core.NameUsername, "alex"), named(core.NameUPN, "alex@example.org"))
	line := run(t, s, Options{To: ToUPN})[1]
	if line.State != Ambiguous || line.Problems[0] != "alex@example.org was the upn of first@example.org and is kept for them" {
		t.Errorf("%s: %v", line.State, line.Problems)
	}
}

// Of several sources the person's own, the primary one, says what they will go by (row A1-02).
func TestA1_02_TheUPNIsThatOfThePrimarySource(t *testing.T) {
	for _, primary := range []core.SourceID{"corp", "cloud"} {
		s := &site{}
		s.add(core.User{Username: "alex", Source: primary}, named(core.NameUsername, "alex"), named(core.NameUPN, "alex@example.org"), named(core.NameUPN, "alex@cloud.example.org"))
		s.names[1].Source, s.names[2].Source = "corp", "cloud"
		want := map[core.SourceID]string{"corp": "alex@example.org", "cloud": "alex@cloud.example.org"}[primary]
		if line := run(t, s, Options{To: ToUPN})[0]; line.Target != want {
			t.Errorf("with %s as the primary source: %s, want %s", primary, line.Target, want)
		}
	}
}

func TestPages(t *testing.T) {
	s := school()
	whole := run(t, s, Options{To: ToUPN, Rules: rules(t, "")})
	var pages []Line
	o := Options{To: ToUPN, Rules: rules(t, ""), Now: noon}
	for after, more := core.UserID(0), true; more; {
		var err error
		if after, more, err = Run(t.Context(), s, o, after, 3, func(l Line) { pages = append(pages, l) }); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(whole, pages, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// Whoever the review calls unchanged or better off is found by every name they send, after the very switch.
func TestPropertyA1_43_ReviewNeverPromisesTooMuch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &site{}
		for range rapid.IntRange(1, 5).Draw(t, "people") {
			source := rapid.SampledFrom([]core.SourceID{"corp", "sales"}).Draw(t, "source")
			short := rapid.SampledFrom([]string{"alex", "sam", "kim"}).Draw(t, "short")
			u := core.User{Username: short, Source: source}
			all := []core.LoginName{sam(short, map[core.SourceID]string{"corp": "CORP", "sales": "SALES"}[source])}
			if upn := rapid.SampledFrom([]string{"", short + "@example.org", "alex@example.org", short + "@sales.example.org"}).Draw(t, "upn"); upn != "" {
				all = append(all, named(core.NameUPN, upn))
			}
			if rapid.Bool().Draw(t, "by UPN already") && len(all) > 1 {
				u.Username = all[1].Name
			} else {
				all = append(all, named(core.NameUsername, short))
			}
			s.add(u, all...)
		}
		r := rules(t, rapid.SampledFrom([]string{"", "example.org", "CORP=example.org; SALES=sales.example.org"}).Draw(t, "suffix"))
		after := r
		after.Domains = slices.Clone(r.Domains)
		for i := range after.Domains {
			after.Domains[i].Truncates = false
		}
		lines := run(t, s, Options{To: ToUPN, Rules: r})
		// The switch itself.
		for i, n := range s.names {
			if n.Kind == core.NameUsername {
				s.names[i].Kind = core.NameAlias
			}
		}
		for _, l := range lines {
			for _, sent := range l.Sent {
				a, err := names.FindOwner(context.Background(), s, names.Job{Owner: sent.Name, JoinDomain: map[core.SourceID]string{"corp": "CORP", "sales": "SALES"}[l.User.Source]}, after, nil, noon)
				if err != nil {
					t.Fatal(err)
				}
				if (l.State == Unchanged || l.State == GainsAlias) && sent.Name != l.Target && a.User != l.User.ID {
					t.Fatalf("%s was called %s, but a job of %s is user %d's: %v", l.User.Username, l.State, sent.Name, a.User, a.Why)
				}
			}
		}
	})
}
