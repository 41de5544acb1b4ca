package session

import (
	"fmt"
	"slices"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
)

const modeAuto = "auto"

// situation is everything that decides how people can sign in here and now.
type situation struct {
	mode      string // the setting AuthMode
	site      api.ClientConfig
	siteKnown bool
	policy    Policy
	backed    bool // a directory answers for the OS account
	shared    bool // many people use the OS account
	browser   bool // a browser can be opened
	microsoft bool // people may be sent to the site's authority
	prefer    status.Method
	ask       bool            // people want to be asked: they signed out, or are not who the computer vouches for
	trustDown *status.Problem // why the computer did not vouch the last time; nil: it did, or was not asked
}

// ways is how people can sign in.
type ways struct {
	offers []status.Offer // what the window offers, best first
	trust  bool           // the computer may vouch; that needs no window
	// problem says why the one way that AuthMode names does not work; then the others are offered.
	problem *status.Problem
}

// waysOf decides which ways of signing in work. What the group of this computer says goes before what the site says;
// AuthMode restricts both, as long as its way works at all (A1-37, A2-08, A2-09, A2-12, A2-13).
func waysOf(s situation) ways {
	if !s.siteKnown && len(s.policy.AuthModes) == 0 {
		return ways{}
	}
	all := s.all()
	wanted := s.mode
	if wanted == "" || wanted == modeAuto {
		return all
	}
	method := status.Method(wanted)
	if method == status.MethodTrust && all.trust {
		return s.trustOnly(all)
	}
	only := slices.DeleteFunc(slices.Clone(all.offers), func(o status.Offer) bool { return o.Method != method })
	if len(only) > 0 {
		// A password that is not enough needs the way that is.
		if s.prefer != "" && s.prefer != method {
			only = append(slices.DeleteFunc(slices.Clone(all.offers), func(o status.Offer) bool { return o.Method != s.prefer }), only...)
		}
		return ways{offers: only}
	}
	code, why := s.whyNot(method)
	problem := status.Problem{Code: code, Details: fmt.Sprintf("AuthMode is %s, and %s", method, why)}
	return ways{offers: all.offers, problem: all.instead(problem)}
}

// trustOnly is AuthMode trust on a computer that can vouch: nobody is asked, unless it did not, or they want to be.
func (s situation) trustOnly(all ways) ways {
	switch {
	case s.trustDown == nil && s.ask:
		return all
	case s.trustDown == nil:
		return ways{trust: true}
	}
	return ways{offers: all.offers, trust: true, problem: all.instead(*s.trustDown)}
}

// instead adds the way that works to a problem.
func (w ways) instead(p status.Problem) *status.Problem {
	if len(w.offers) > 0 {
		p.Method = w.offers[0].Method
	}
	return &p
}

// all is every way that works, whatever AuthMode says.
func (s situation) all() ways {
	var w ways
	for _, mode := range s.modes() {
		switch method := status.Method(mode); method {
		case status.MethodTrust:
			w.trust = s.policy.Enrolled && s.backed && !s.shared
		case status.MethodMicrosoft:
			if s.site.Microsoft != nil && s.browser && s.microsoft {
				w.offers = append(w.offers, status.Offer{Method: method})
			}
		case status.MethodBrowser:
			if s.site.Browser != nil && s.browser {
				w.offers = append(w.offers, browserOffers(s.site.Browser.Providers)...)
			}
		case status.MethodPrompt:
			w.offers = append(w.offers, status.Offer{Method: method})
		}
	}
	if s.prefer != "" {
		slices.SortStableFunc(w.offers, func(a, b status.Offer) int {
			return rank(a.Method == s.prefer) - rank(b.Method == s.prefer)
		})
	}
	return w
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

func browserOffers(providers []api.Provider) []status.Offer {
	if len(providers) == 0 {
		return []status.Offer{{Method: status.MethodBrowser}}
	}
	offers := make([]status.Offer, len(providers))
	for i, p := range providers {
		offers[i] = status.Offer{Method: status.MethodBrowser, Provider: p.ID, Name: p.Name}
	}
	return offers
}

// modes is what the administrators offer, best first. A site that says nothing takes passwords.
func (s situation) modes() []string {
	if s.policy.Enrolled && len(s.policy.AuthModes) > 0 {
		return s.policy.AuthModes
	}
	if len(s.site.AuthModes) > 0 {
		return s.site.AuthModes
	}
	return []string{api.MethodPrompt}
}

// whyNot says why a method does not work here; the text is the end of a sentence for the helpdesk.
func (s situation) whyNot(method status.Method) (status.ProblemCode, string) {
	if !slices.Contains(s.modes(), string(method)) {
		return status.ProblemMethodOff, "the server does not offer that to this computer"
	}
	switch method {
	case status.MethodTrust:
		switch {
		case s.shared:
			return status.ProblemTrustRefused, "several people use this account of the operating system"
		case !s.policy.Enrolled:
			return status.ProblemTrustRefused, "this computer is not enrolled: run platen-deploy enrol"
		}
		return status.ProblemTrustRefused, "no directory answers for this account of the operating system"
	case status.MethodMicrosoft:
		switch {
		case s.site.Microsoft == nil:
			return status.ProblemMethodOff, "the server does not say where: set microsoft in its configuration"
		case !s.microsoft:
			return status.ProblemMethodOff, "the server names an authority that is not one of Microsoft's clouds: set MicrosoftAuthority if it is right"
		}
	case status.MethodBrowser:
		if s.site.Browser == nil {
			return status.ProblemMethodOff, "the server does not say where: set providers in its configuration"
		}
	case status.MethodPrompt:
	}
	return status.ProblemNoBrowser, "no browser can be opened here"
}

// offered tells whether somebody may sign in by the method and, with MethodBrowser, the provider ("" is the usual one).
func (w ways) offered(method status.Method, provider string) bool {
	if method == status.MethodTrust {
		return w.trust
	}
	return slices.ContainsFunc(w.offers, func(o status.Offer) bool {
		return o.Method == method && (provider == "" || o.Provider == provider)
	})
}
