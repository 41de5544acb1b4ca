package session

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

func TestA1_37_WhatIsOfferedIsWhatWorksHereAndNow(t *testing.T) {
	everything := situation{
		mode: "auto", siteKnown: true, policy: Policy{Enrolled: true}, backed: true, browser: true, microsoft: true,
		site: api.ClientConfig{
			AuthModes: []string{"trust", "microsoft", "browser", "prompt"}, Microsoft: &api.MicrosoftConfig{},
			Browser: &api.BrowserConfig{Providers: []api.Provider{{ID: "google", Name: "Google"}, {ID: "okta", Name: "Okta"}}},
		},
	}
	for name, test := range map[string]struct {
		change  func(*situation)
		want    string // the offers, best first
		trust   bool
		problem status.ProblemCode
		instead status.Method
	}{
		"everything":               {func(*situation) {}, "microsoft google okta prompt", true, "", ""},
		"the site's order":         {func(s *situation) { s.site.AuthModes = []string{"prompt", "microsoft"} }, "prompt microsoft", false, "", ""},
		"the group's order":        {func(s *situation) { s.policy.AuthModes = []string{"prompt", "trust"} }, "prompt", true, "", ""},
		"a group that is none":     {func(s *situation) { s.policy = Policy{AuthModes: []string{"prompt"}} }, "microsoft google okta prompt", false, "", ""},
		"not enrolled":             {func(s *situation) { s.policy.Enrolled = false }, "microsoft google okta prompt", false, "", ""},
		"a local account":          {func(s *situation) { s.backed = false }, "microsoft google okta prompt", false, "", ""},
		"a generic account":        {func(s *situation) { s.shared = true }, "microsoft google okta prompt", false, "", ""},
		"no browser":               {func(s *situation) { s.browser = false }, "prompt", true, "", ""},
		"a strange authority":      {func(s *situation) { s.microsoft = false }, "google okta prompt", true, "", ""},
		"Microsoft not set up":     {func(s *situation) { s.site.Microsoft = nil }, "google okta prompt", true, "", ""},
		"no provider named":        {func(s *situation) { s.site.Browser.Providers = nil }, "microsoft browser prompt", true, "", ""},
		"a method of a new server": {func(s *situation) { s.site.AuthModes = []string{"telepathy", "prompt"} }, "prompt", false, "", ""},
		"an old server":            {func(s *situation) { s.site = api.ClientConfig{} }, "prompt", false, "", ""},
		"nothing known yet":        {func(s *situation) { s.siteKnown = false }, "", false, "", ""},
		"the group known first": {func(s *situation) {
			s.siteKnown, s.site, s.policy.AuthModes = false, api.ClientConfig{}, []string{"trust"}
		}, "", true, "", ""},
		"A2_08_O3on a password was not enough": {func(s *situation) {
			s.site.AuthModes, s.prefer = []string{"prompt", "microsoft"}, "microsoft"
		}, "microsoft prompt", false, "", ""},

		"AuthMode microsoft":                     {func(s *situation) { s.mode = "microsoft" }, "microsoft", false, "", ""},
		"AuthMode prompt":                        {func(s *situation) { s.mode = "prompt" }, "prompt", false, "", ""},
		"AuthMode browser":                       {func(s *situation) { s.mode = "browser" }, "google okta", false, "", ""},
		"AuthMode trust":                         {func(s *situation) { s.mode = "trust" }, "", true, "", ""},
		"AuthMode prompt, and MFA":               {func(s *situation) { s.mode, s.prefer = "prompt", "microsoft" }, "microsoft prompt", false, "", ""},
		"AuthMode microsoft without a browser":   {func(s *situation) { s.mode, s.browser = "microsoft", false }, "prompt", false, status.ProblemNoBrowser, "prompt"},
		"AuthMode microsoft, not offered":        {func(s *situation) { s.mode, s.site.AuthModes = "microsoft", []string{"prompt"} }, "prompt", false, status.ProblemMethodOff, "prompt"},
		"AuthMode microsoft, a strange place":    {func(s *situation) { s.mode, s.microsoft = "microsoft", false }, "google okta prompt", false, status.ProblemMethodOff, "browser"},
		"AuthMode browser, not set up":           {func(s *situation) { s.mode, s.site.Browser = "browser", nil }, "microsoft prompt", false, status.ProblemMethodOff, "microsoft"},
		"AuthMode trust, not enrolled":           {func(s *situation) { s.mode, s.policy = "trust", Policy{} }, "microsoft google okta prompt", false, status.ProblemTrustRefused, "microsoft"},
		"A2_12_O2 AuthMode trust, local account": {func(s *situation) { s.mode, s.backed = "trust", false }, "microsoft google okta prompt", false, status.ProblemTrustRefused, "microsoft"},
		"AuthMode trust, refused": {func(s *situation) {
			s.mode, s.trustDown = "trust", &status.Problem{Code: status.ProblemTrustRefused}
		}, "microsoft google okta prompt", true, status.ProblemTrustRefused, "microsoft"},
		"AuthMode trust, signed out": {func(s *situation) { s.mode, s.ask = "trust", true }, "microsoft google okta prompt", true, "", ""},
		"refused, but nobody wanted it in particular": {func(s *situation) {
			s.trustDown = &status.Problem{Code: status.ProblemTrustRefused}
		}, "microsoft google okta prompt", true, "", ""},
		"AuthMode trust, and nothing else": {func(s *situation) {
			s.mode, s.backed, s.site.AuthModes = "trust", false, []string{"trust"}
		}, "", false, status.ProblemTrustRefused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := everything
			browser := *everything.site.Browser
			s.site.Browser = &browser
			test.change(&s)
			got := waysOf(s)
			var names []string
			for _, o := range got.offers {
				name := string(o.Method)
				if o.Provider != "" {
					name = o.Provider
				}
				names = append(names, name)
			}
			if diff := cmp.Diff(test.want, strings.Join(names, " ")); diff != "" || got.trust != test.trust {
				t.Errorf("trust %v, want %v; offers:\n%s", got.trust, test.trust, diff)
			}
			if got.problem == nil {
				got.problem = &status.Problem{}
			}
			if got.problem.Code != test.problem || got.problem.Method != test.instead {
				t.Errorf("problem %+v, want %q and %q instead", got.problem, test.problem, test.instead)
			}
		})
	}
}
