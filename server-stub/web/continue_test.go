package web

import (
	"net/http"
	"testing"
)

// The page that asks "sign in as ...?" was made for somebody who is signed in to the pages. When that is over, so is the question:
// the next person at the browser must not answer it for them.
func TestTheQuestionEndsWithTheSessionItWasMadeFor(t *testing.T) {
	for name, leave := range map[string]func(s *site, b *visitorBrowser){
		"signed out": func(_ *site, b *visitorBrowser) { b.post("/sign-out") },
		"ended elsewhere": func(s *site, b *visitorBrowser) {
			if _, err := s.sessions.RevokeUser(b.t.Context(), "admin", s.alex.ID); err != nil {
				b.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			b := newBrowser(t, s.web)
			b.signIn()
			flow := field(t, b.get(clientURL("")), "flow")
			leave(s, b)
			w := b.post("/sign-in/client/continue", "flow", flow, "answer", "continue")
			says(t, w, http.StatusBadRequest)
		})
	}
}
