package federation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/federation"
)

// Whatever a provider calls somebody: who comes in by a name has exactly that name, of a domain that the provider may speak for, and
// nobody comes in as somebody who is disabled, linked to another id, or known by an alias only.
func TestANameLeadsToItsOwnerOrToNobody(t *testing.T) {
	for _, text := range []string{
		"alex.test@example.org", "ALEX.TEST@EXAMPLE.ORG", " alex.test@example.org ", "alex.test@example.org\x00", "аlex.test@example.org", "alex.test@example.org.",
		"alex.test＠example.org", "ａlex.test@example.org", "alex.test@example.org@example.org", `CORP\alex.test@example.org`, "alex.test@еxample.org", "left@example.org",
		"taken@example.org", "nick@example.org", "out@example.net", "alex.te\u017Ft@example.org", "alex.test\u200b@example.org", "@example.org", "alex.test@", "",
	} {
		for _, way := range [][2]bool{{true, false}, {false, true}, {true, true}} {
			t.Run(fmt.Sprintf("%+q %v", text, way), func(t *testing.T) { leadsToItsOwner(t, text, way[0], way[1]) })
		}
	}
}

func leadsToItsOwner(t *testing.T, text string, verified, create bool) {
	t.Helper()
	s := newSite(t)
	owner := s.person("corp", "upn:alex.test@example.org")
	s.person("corp", "upn:left@example.org", "disabled:")
	s.person("corp", "upn:taken@example.org", "oid:"+tenant+"/"+oid2, "sub:https://accounts.google.com 7")
	s.person("corp", "upn:b@example.org", "alias:nick@example.org")
	s.person("corp", "upn:out@example.net")
	want, canonErr := auth.Canon(text)
	for _, c := range []federation.Claims{
		{Provider: "microsoft", Issuer: "i", Subject: "s", TenantID: tenant, ObjectID: oid, UPN: text, Name: text},
		{Provider: "google", Issuer: "https://accounts.google.com", Subject: "1089", Email: text, EmailVerified: verified, UPN: text, Name: text},
	} {
		ms, g := microsoft(), google()
		ms.Domains, ms.Create, g.Create = []string{"example.org"}, create, create
		u, err := s.service(ms, g).Person(t.Context(), c)
		if err != nil {
			if !errors.Is(err, core.ErrForbidden) && !errors.Is(err, core.ErrDisabled) && !errors.Is(err, core.ErrAmbiguous) {
				t.Errorf("%s, %q: %v", c.Provider, text, err)
			}
			continue
		}
		name, nameErr := auth.Canon(u.Username)
		made := strings.HasPrefix(string(u.Source), "idp:")
		switch {
		case canonErr != nil, c.Provider == "google" && !verified, !strings.HasSuffix(string(want), "@example.org"):
			t.Errorf("%s, %q: came in as %q", c.Provider, text, u.Username)
		case made && (!create || nameErr != nil || name != want):
			t.Errorf("%s, %q: made %q", c.Provider, text, u.Username)
		case !made && (u.ID != owner || want != "alex.test@example.org"):
			t.Errorf("%s, %q: came in as user %d %q", c.Provider, text, u.ID, u.Username)
		}
	}
}
