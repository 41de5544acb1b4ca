package names

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/platenprint/platen/server-stub/core"
)

// Rows A1-52 and A1-55: with Y a UPN leads to nobody but who holds it as it stands; with N also to the short name, of the people of
// a source of ours with that suffix only (rows A1-50, A1-53).
func TestPropertyA1_52_A1_53_A1_55_UPNsAreShortenedOnlyWhereTheyMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held := holders(t, world(t))
		rules := siteRules(t)
		for i := range rules.Domains {
			rules.Domains[i].Truncates = rapid.Bool().Draw(t, "N")
		}
		q := Query{
			Context: rapid.SampledFrom([]Context{Prompt, PrintProvider}).Draw(t, "context"),
			Text:    rapid.SampledFrom([]string{"alex", "sam", "gone"}).Draw(t, "local") + "@" + rapid.SampledFrom([]string{"example.org", "corp.example.org", "sales.example.org", "elsewhere.example"}).Draw(t, "suffix"),
		}
		local, suffix, _ := strings.Cut(q.Text, "@")
		got := Resolve(q, rules, Known{Holders: held}, now)
		if got.User == 0 {
			return
		}
		holds := func(h core.NameHolder) bool {
			return h.UserID == got.User && string(h.Folded) == q.Text && h.ValidTo.IsZero()
		}
		shortened := func(h core.NameHolder) bool {
			return h.UserID == got.User && string(h.Folded) == local && h.ValidTo.IsZero() &&
				slices.ContainsFunc(rules.Domains, func(d Domain) bool { return d.Truncates && d.Source == h.UserSource && d.hasSuffix(suffix) })
		}
		if !slices.ContainsFunc(held, holds) && !slices.ContainsFunc(held, shortened) {
			t.Fatalf("%s is user %d: %v", q.Text, got.User, got.Why)
		}
	})
}

// Rows A2-18 and A2-21: whichever name is the username, every other one that a directory knows leads to the person, too.
func TestA2_18_A2_21_EveryNameOfADirectoryLeadsToItsPerson(t *testing.T) {
	all := []holding{
		{user: 1, kind: core.NameUPN, name: "alex.test@example.org", source: "corp"},
		{user: 1, kind: core.NameSAM, name: "atest", domain: "CORP", source: "corp"},
		{user: 1, kind: core.NameNickname, name: "alex", source: "corp"},
		{user: 1, kind: core.NameAlias, name: "ally", source: "corp"},
		{user: 1, kind: core.NameEmail, name: "alex@mail.example.org", source: "corp"},
	}
	for i, username := range all[:3] {
		t.Run("username "+username.name, func(t *testing.T) {
			held := slices.Clone(all)
			if username.kind != core.NameUPN {
				held = append(held, holding{user: 1, kind: core.NameUsername, name: username.name, source: "corp"})
			}
			for _, name := range []string{"alex.test@example.org", "atest", `CORP\atest`, "alex", "ALEX", "ally", "alex.test"} {
				for _, occasion := range []Context{Prompt, PrintProvider} {
					if got := Resolve(Query{Context: occasion, Text: name}, siteRules(t), Known{Holders: holders(t, held)}, now); got.User != 1 {
						t.Errorf("%q (%d, %d) is user %d: %v", name, occasion, i, got.User, got.Why)
					}
				}
			}
			// At the window the e-mail address will do, as it is proven by a password; a job needs more.
			for occasion, want := range map[Context]core.UserID{Prompt: 1, PrintProvider: 0} {
				if got := Resolve(Query{Context: occasion, Text: "alex@mail.example.org"}, siteRules(t), Known{Holders: holders(t, held)}, now); got.User != want {
					t.Errorf("the e-mail address is user %d: %v", got.User, got.Why)
				}
			}
		})
	}
}
