package view

import (
	"slices"

	"github.com/platenprint/platen/client/status"
)

// maxProviderName is how much of a provider's name stands on its button, in characters: a window has a width.
const maxProviderName = 32

// offered is what the window offers, best first: exactly what the resident says works here and now. After a refusal that
// names the way that does work, that way comes first.
func offered(s status.Snapshot) []status.Offer {
	var all []status.Offer
	for _, o := range s.Offers {
		switch o.Method {
		case status.MethodMicrosoft, status.MethodBrowser, status.MethodPrompt:
			if !slices.Contains(all, o) {
				all = append(all, o)
			}
		case status.MethodTrust: // needs no window
		default: // of a later version
		}
	}
	if s.Problem != nil && s.Problem.Method != "" {
		slices.SortStableFunc(all, func(a, b status.Offer) int { return rank(a, s.Problem.Method) - rank(b, s.Problem.Method) })
	}
	return all
}

func rank(o status.Offer, best status.Method) int {
	if o.Method == best {
		return 0
	}
	return 1
}

// way is the button for signing in elsewhere than in the window.
func (l Locale) way(o status.Offer, s status.Snapshot) Button {
	text := l.text("identify.browser")
	switch {
	case o.Method == status.MethodMicrosoft:
		text = l.text("identify.microsoft")
	case o.Name != "":
		text = l.text("identify.provider", "name", shortened(o.Name, maxProviderName))
	}
	return Button{text, status.Action{
		Kind: status.ActionSignIn, Method: o.Method, Provider: o.Provider, OtherAccount: wantsPicker(s),
	}}
}

// wantsPicker tells whether the browser must ask which account: on a shared computer it may remember that of somebody
// else, and where an account was of no use, the same one would come again.
func wantsPicker(s status.Snapshot) bool {
	if s.Shared || s.Ask == status.AskWhoIsPrinting {
		return true
	}
	p := s.Problem
	return p != nil && (p.Code == status.ProblemNoAccount || p.Code == status.ProblemAccountDisabled || p.Sentence == "microsoft.other_tenant")
}

// otherAccount starts the sign-in of the browser anew, so that it asks which account.
func (l Locale) otherAccount(s status.Snapshot) Button {
	again := status.Action{Kind: status.ActionSignIn, Method: s.Browsing.Method, OtherAccount: true}
	var same []status.Offer
	for _, o := range s.Offers {
		if o.Method == s.Browsing.Method {
			same = append(same, o)
		}
	}
	if len(same) == 1 { // of several providers the resident knows which one it was
		again.Provider = same[0].Provider
	}
	return Button{l.text("button.other_account"), again}
}

func shortened(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}
