package scim_test

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/emulator/scimclient"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
)

var styles = []scimclient.Style{scimclient.Entra, scimclient.EntraStrict, scimclient.Okta}

func alex() scimclient.Person {
	return scimclient.Person{
		ID: "9f1c", UserName: "alex@example.org", Nickname: "alex", Display: "Alex Arber", Given: "Alex", Family: "Arber", Mail: "Alex.Arber@example.org",
		Department: "Design", Employee: "4711", Office: "B 1.07", Language: "de-CH", Manager: "77aa", Card: "04A1B2C3", Code: "739164",
	}
}

func bea() scimclient.Person {
	return scimclient.Person{ID: "77aa", UserName: "bea@example.org", Nickname: "bea", Display: "Bea Brown", Mail: "bea@example.org"}
}

// cycle runs a cycle in which nothing may fail.
func cycle(t *testing.T, c *scimclient.Client, scope scimclient.Scope) scimclient.Report {
	t.Helper()
	r := c.Cycle(t.Context(), scope)
	if err := r.Err(); err != nil {
		t.Fatalf("the cycle: %v", err)
	}
	return r
}

// A whole life in each style: made, changed, switched off and on, deleted.
func TestA3_46_CyclesOfProviders(t *testing.T) {
	for _, style := range styles {
		t.Run("A3_45 A3_46 A3_66 "+string(style), func(t *testing.T) {
			s := newSite(t)
			c := s.client(style)
			a, b := alex(), bea()
			group := scimclient.Group{ID: "g-1", Name: "Staff", Members: []string{a.ID, b.ID}}
			scope := scimclient.Scope{People: []scimclient.Person{a, b}, Groups: []scimclient.Group{group}}
			if r := cycle(t, c, scope); r.Created != 2 || r.Groups != 2 {
				t.Errorf("the first cycle: %+v", r)
			}
			u := s.person("alex@example.org")
			want := core.User{
				ID: u.ID, Username: "alex@example.org", DisplayName: "Alex Arber", Email: "Alex.Arber@example.org", Department: "Design", Office: "B 1.07",
				Language: "de-CH", Source: "entra", CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
			}
			if diff := cmp.Diff(want, u); diff != "" {
				t.Errorf("the person (-want +got):\n%s", diff)
			}
			got := s.want(200, "GET", "/Groups/"+c.ID("g-1"), "")
			if members, _ := got.json["members"].([]any); len(members) != 2 {
				t.Errorf("the group: %s", got.body)
			}

			before := c.Requests()
			if r := cycle(t, c, scope); r.Updated+r.Created+r.Groups != 0 || c.Requests() != before {
				t.Errorf("a cycle in which nothing changed: %+v", r)
			}

			scope.People[0].Display, scope.People[0].Mail, scope.People[0].Office = "Alexandra Arber", "alexandra@example.org", ""
			scope.People[1].Disabled = true
			scope.Groups[0].Name, scope.Groups[0].Members = "Everybody", []string{b.ID}
			if r := cycle(t, c, scope); r.Updated == 0 || r.Disabled != 1 || r.Groups != 1 {
				t.Errorf("the changes: %+v", r)
			}
			if u = s.person("alex@example.org"); u.DisplayName != "Alexandra Arber" || u.Email != "alexandra@example.org" || u.Office != "" {
				t.Errorf("after the changes: %+v", u)
			}
			if u := s.person("bea@example.org"); !u.Disabled || !u.DisabledBySource {
				t.Errorf("who was switched off: %+v", u)
			}
			got = s.want(200, "GET", "/Groups/"+c.ID("g-1"), "")
			if got.at("displayName") != "Everybody" || got.at("members", "value") != c.ID(b.ID) {
				t.Errorf("the group: %s", got.body)
			}

			scope.People[1].Disabled = false
			if r := cycle(t, c, scope); r.Enabled != 1 || s.person("bea@example.org").Disabled {
				t.Errorf("switched on: %+v", r)
			}
			if r := cycle(t, c, scimclient.Scope{}); r.Disabled != 2 {
				t.Errorf("out of scope: %+v", r)
			}
			if r := c.Delete(t.Context(), a.ID, b.ID); r.Deleted != 2 || r.Err() != nil {
				t.Errorf("deleted: %+v", r)
			}
			if u := s.person("alex@example.org"); u.DeletedAt.IsZero() {
				t.Errorf("who was deleted: %+v", u)
			}
		})
	}
}

func TestA3_48_TestConnection(t *testing.T) {
	for _, style := range styles {
		t.Run("A3_47 A3_48 right "+string(style), func(t *testing.T) {
			if err := newSite(t).client(style).Test(t.Context()); err != nil {
				t.Error(err)
			}
		})
		t.Run("A3_48 wrong "+string(style), func(t *testing.T) {
			s := newSite(t)
			s.token = secret.New("pp_scim_wrong")
			if err := s.client(style).Test(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP 401") {
				t.Errorf("a wrong token: %v", err)
			}
		})
	}
}

// R-SCIM-1: what a token must be to be taken.
func TestA3_43_Tokens(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	if !strings.HasPrefix(s.token.Reveal(), "pp_scim_") || len(s.token.Reveal()) < len("pp_scim_")+43 {
		t.Errorf("the token is %d characters", len(s.token.Reveal()))
	}
	ask := func(token secret.String) int { return s.askAs(token, "GET", "/Users?count=1", "").status }
	for name, header := range map[string]string{"none": "", "another scheme": "Basic " + s.token.Reveal(), "no prefix": "Bearer " + s.token.Reveal()[8:], "lower case": "Bearer " + strings.ToLower(s.token.Reveal())} {
		if got := s.askAs(secret.String{}, "GET", "/Users", "", "Authorization", header); got.status != 401 || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	second, info, err := s.tokens.Issue(ctx, "admin", "entra", scim.TokenOptions{Lifetime: time.Hour})
	if err != nil || ask(s.token) != 200 || ask(second) != 200 {
		t.Fatalf("two live tokens: %v", err)
	}
	if _, _, err := s.tokens.Issue(ctx, "admin", "entra", scim.TokenOptions{}); err == nil {
		t.Error("a third live token was made")
	}
	list, err := s.tokens.List(ctx, "entra")
	if err != nil || len(list) != 2 || !list[0].ExpiresAt.Equal(start.Add(time.Hour)) && !list[1].ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("the list: %+v, %v", list, err)
	}
	if _, err := s.tokens.Revoke(ctx, "admin", "entra", list[1].ID); err != nil && list[1].ID != info.ID {
		t.Fatal(err)
	}
	revoked, live := s.token, second
	if list[1].ID == info.ID {
		revoked, live = second, s.token
	}
	if ask(revoked) != 401 || ask(live) != 200 {
		t.Error("a revoked token is taken, or the other one is not")
	}
	if _, err := s.tokens.Revoke(ctx, "admin", "okta", list[0].ID); err == nil {
		t.Error("a token was revoked by way of another connection")
	}
	s.later(366 * 24 * time.Hour)
	if ask(live) != 401 {
		t.Error("a token is taken after its time")
	}
	if _, _, err := s.tokens.Issue(ctx, "admin", "entra", scim.TokenOptions{Lifetime: 366 * 24 * time.Hour}); err == nil {
		t.Error("a token for longer than 365 days was made")
	}
	s.configure(func(*scim.Connection) { s.gone = true })
	fresh, _, err := s.tokens.Issue(ctx, "admin", "entra", scim.TokenOptions{})
	if err != nil || ask(fresh) != 401 {
		t.Errorf("the token of a connection that was removed is taken: %v", err)
	}
}

// A connection that was removed and added again is another one: what was given away for the first is of no use.
func TestA3_43_TokensEndWithTheirConnection(t *testing.T) {
	s := newSite(t)
	add := func() {
		t.Helper()
		if err := s.store.Update(t.Context(), func(tx store.Tx) error {
			return tx.PutConfiguredSource(t.Context(), core.ConfiguredSource{ID: "entra", Config: "type: scim", CreatedAt: s.clock()})
		}); err != nil {
			t.Fatal(err)
		}
	}
	add()
	s.want(200, "GET", "/Users", "")
	if err := s.store.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteConfiguredSource(t.Context(), "entra") }); err != nil {
		t.Fatal(err)
	}
	s.later(time.Hour)
	add()
	s.want(401, "GET", "/Users", "")
	list, err := s.tokens.List(t.Context(), "entra")
	if err != nil || len(list) != 1 || scim.Live(list[0], s.clock()) {
		t.Errorf("%+v, %v", list, err)
	}
	for range 2 { // both places are free
		if s.token, _, err = s.tokens.Issue(t.Context(), "admin", "entra", scim.TokenOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	s.want(200, "GET", "/Users", "")
}

func TestA3_43_TokensOfOneNetwork(t *testing.T) {
	for network, want := range map[string]int{"192.0.2.0/24": 401, "127.0.0.0/8": 200} {
		s := newSite(t)
		token, _, err := s.tokens.Issue(t.Context(), "admin", "entra", scim.TokenOptions{Networks: []netip.Prefix{netip.MustParsePrefix(network)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.askAs(token, "GET", "/Users", ""); got.status != want {
			t.Errorf("a token for %s from here: %d, want %d", network, got.status, want)
		}
	}
}

// 401s are limited, and a valid token is never held up by them (SECURITY.md D4).
func TestA3_48_GuessesAreLimited(t *testing.T) {
	s := newSite(t)
	wrong := secret.New("pp_scim_wrong")
	for i := range 20 {
		if got := s.askAs(wrong, "GET", "/Users", "").status; got != 401 {
			t.Fatalf("try %d: %d", i+1, got)
		}
	}
	got := s.askAs(wrong, "GET", "/Users", "")
	if got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("try 21: %d", got.status)
	}
	s.want(200, "GET", "/Users", "")
	s.later(time.Minute)
	if got := s.askAs(wrong, "GET", "/Users", "").status; got != 401 {
		t.Errorf("a minute later: %d", got)
	}
}

// The core attributes, the attributes people are found by, and how values are given back.
func TestA3_50_Attributes(t *testing.T) {
	s := newSite(t)
	t.Run("A3_50 the three core attributes are enough", func(t *testing.T) {
		got := s.want(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"min@example.org","displayName":"Min",
			"emails":[{"type":"work","value":"min@example.org","primary":true}]}`)
		if got.header.Get("Location") != "https://print.example.org/scim/v2/Users/"+got.id() || got.at("meta", "location") != got.header.Get("Location") || got.header.Get("ETag") != got.at("meta", "version") {
			t.Errorf("%v %s", got.header, got.body)
		}
		if u := s.person("min@example.org"); u.DisplayName != "Min" || u.Email != "min@example.org" || u.Disabled {
			t.Errorf("%+v", u)
		}
	})
	t.Run("A3_51 the work address is the person's", func(t *testing.T) {
		s.want(201, "POST", "/Users", `{"userName":"two","emails":[{"type":"home","value":"home@x.org","primary":true},{"type":"work","value":"work@x.org"}]}`)
		if u := s.person("two"); u.Email != "work@x.org" {
			t.Errorf("%+v", u)
		}
	})
	t.Run("A3_52 values come back as they were given", func(t *testing.T) {
		name := "Zoë  O'Malley-İstanbul  "
		made := s.want(201, "POST", "/Users", `{"userName":"ZOE@Example.org","externalId":"Ext-É","displayName":"`+name+`","phoneNumbers":[{"value":"+41 (0)44 / 123","type":"fax"}]}`)
		got := s.want(200, "GET", "/Users/"+made.id(), "")
		if got.at("userName") != "ZOE@Example.org" || got.at("externalId") != "Ext-É" || got.at("displayName") != name || got.at("phoneNumbers", "value") != "+41 (0)44 / 123" {
			t.Errorf("%s", got.body)
		}
	})
	full := s.client(scimclient.Entra)
	a := alex()
	a.UserName = "full@example.org"
	cycle(t, full, scimclient.Scope{People: []scimclient.Person{a}})
	for _, f := range []string{
		`userName eq "FULL@example.org"`, `externalId eq "alex"`, `emails[type eq "work"].value eq "alex.arber@EXAMPLE.org"`, `emails.value eq "Alex.Arber@example.org"`,
		`displayName eq "alex arber"`, `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "4711"`, `name.familyName eq "Arber"`,
		`preferredLanguage eq "de-CH"`, `addresses[type eq "other"].formatted eq "B 1.07"`, `externalId eq alex`, `userName eq "full@example.org" and active eq true`,
		`id eq "` + full.ID(a.ID) + `"`,
	} {
		t.Run("A3_52 A3_53 found by "+f, func(t *testing.T) {
			got := s.want(200, "GET", "/Users?filter="+url.QueryEscape(f), "")
			if got.at("totalResults") != 1.0 || got.at("Resources", "userName") != "full@example.org" {
				t.Errorf("%s", got.body)
			}
		})
	}
	t.Run("A3_53 nobody is an empty list", func(t *testing.T) {
		got := s.want(200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "nobody"`), "")
		if resources, isList := got.json["Resources"].([]any); got.at("totalResults") != 0.0 || !isList || len(resources) != 0 {
			t.Errorf("%s", got.body)
		}
	})
	t.Run("A3_53 an attribute that does not exist is refused", func(t *testing.T) {
		got := s.want(400, "GET", "/Users?filter="+url.QueryEscape(`shoeSize eq "44"`), "")
		if got.at("scimType") != "invalidFilter" || got.at("schemas") == nil || got.at("status") != "400" || !strings.Contains(fmt.Sprint(got.at("detail")), "shoeSize") {
			t.Errorf("%s", got.body)
		}
	})
	t.Run("A3_53 disabled people are found", func(t *testing.T) {
		s.want(200, "PATCH", "/Users/"+full.ID(a.ID), `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
		got := s.want(200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "full@example.org"`), "")
		if got.at("totalResults") != 1.0 || got.at("Resources", "active") != false {
			t.Errorf("%s", got.body)
		}
	})
}

// R-SCIM-2: the secrets reach the engine and nothing else.
func TestA3_59_60_SecretsAreHandedOnAndNeverKept(t *testing.T) {
	const card, code = "04-CANARY-CARD", "CANARY-CODE-1"
	for name, body := range map[string]string{
		"A3_59 A3_60 A3_62 as an object": `"urn:ietf:params:scim:schemas:extension:papercut:2.0:User":{"accessCard":"` + card + `","accessCode":"` + code + `"}`,
		"A3_59 A3_60 A3_61 as paths":     `"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCard":"` + card + `","urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCode":"` + code + `"`,
		"A3_59 with a list":              `"urn:ietf:params:scim:schemas:extension:papercut:2.0:User":{"accessCard":["` + card + `"],"accessCode":"` + code + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			made := s.want(201, "POST", "/Users", `{"userName":"alex",`+body+`}`)
			read := s.want(200, "GET", "/Users/"+made.id()+"?attributes=urn:ietf:params:scim:schemas:extension:papercut:2.0:User", "")
			if strings.Contains(made.body+read.body, "CANARY") {
				t.Errorf("a secret came back: %s %s", made.body, read.body)
			}
			r := s.engine.sets[0].People[0]
			if len(r.Cards) != 1 || r.Cards[0].Reveal() != card || r.AccessCode.Reveal() != code || len(r.Credentials) != 2 {
				t.Errorf("the engine got %d cards, %v", len(r.Cards), r.Credentials)
			}
			s.want(200, "PUT", "/Users/"+made.id(), `{"userName":"alex","displayName":"x"}`)
			if r := s.engine.sets[1].People[0]; len(r.Credentials) != 0 {
				t.Errorf("a PUT without secrets speaks of %v", r.Credentials)
			}
			s.want(200, "PATCH", "/Users/"+made.id(), `{"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCard"}]}`)
			if r := s.engine.sets[2].People[0]; len(r.Credentials) != 1 || r.Credentials[0] != core.CredentialCard || len(r.Cards) != 0 {
				t.Errorf("a card taken away: %v", r.Credentials)
			}
			s.ask("GET", "/Users?filter="+url.QueryEscape(`urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCode eq "`+code+`"`), "")
			if err := s.store.View(t.Context(), func(tx store.Tx) error {
				return tx.SCIMResources(t.Context(), "entra", store.SCIMUser, store.SCIMQuery{}, func(r store.SCIMResource) {
					if strings.Contains(r.Data, "CANARY") {
						t.Errorf("it is kept: %s", r.Data)
					}
				})
			}); err != nil {
				t.Fatal(err)
			}
			for _, e := range s.log() {
				if strings.Contains(e.Detail, "CANARY") {
					t.Errorf("it is logged: %s", e.Detail)
				}
			}
		})
	}
}

// Each of create, update and delete can be switched off.
func TestA3_54_Switches(t *testing.T) {
	body := `{"userName":"alex","externalId":"a","displayName":"Alex"}`
	rename := `{"Operations":[{"op":"replace","path":"displayName","value":"Other"}]}`
	off := `{"Operations":[{"op":"replace","path":"active","value":false}]}`
	t.Run("A3_54 create", func(t *testing.T) {
		s := newSite(t)
		s.configure(func(c *scim.Connection) { c.NoCreate = true })
		s.want(403, "POST", "/Users", body)
		s.want(403, "POST", "/Groups", `{"displayName":"G"}`)
		if len(s.engine.sets) != 0 || s.lastLine().Result != "refused" {
			t.Errorf("%d pushes", len(s.engine.sets))
		}
	})
	t.Run("A3_54 update", func(t *testing.T) {
		s := newSite(t)
		id := s.want(201, "POST", "/Users", body).id()
		s.configure(func(c *scim.Connection) { c.NoUpdate = true })
		s.want(403, "PATCH", "/Users/"+id, rename)
		s.want(403, "PUT", "/Users/"+id, body)
		if s.person("alex").DisplayName != "Alex" {
			t.Error("it was changed")
		}
		s.want(200, "PATCH", "/Users/"+id, off) // who leaves is let go
		if !s.person("alex").Disabled {
			t.Error("she was not let go")
		}
	})
	t.Run("A3_54 delete", func(t *testing.T) {
		s := newSite(t)
		id := s.want(201, "POST", "/Users", body).id()
		s.configure(func(c *scim.Connection) { c.Settings.NoDelete, c.NoUpdate = true, true })
		s.want(403, "PATCH", "/Users/"+id, off)
		s.want(204, "DELETE", "/Users/"+id, "")
		s.want(404, "GET", "/Users/"+id, "")
		if u := s.person("alex"); !u.DeletedAt.IsZero() || u.Disabled {
			t.Errorf("she was deleted: %+v", u)
		}
		if s.lastLine().Result != "kept" {
			t.Errorf("the log says %q", s.lastLine().Result)
		}
	})
}

// A hard DELETE is a soft delete here, and the same person comes back as they were.
func TestA3_55_57_DeletedAndBack(t *testing.T) {
	s := newSite(t)
	id := s.want(201, "POST", "/Users", `{"userName":"alex@example.org","externalId":"e1","displayName":"Alex"}`).id()
	group := s.want(201, "POST", "/Groups", `{"displayName":"Staff","externalId":"g"}`).id()
	s.want(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)
	was := s.person("alex@example.org")
	s.want(204, "DELETE", "/Users/"+id, "")
	t.Run("A3_55 it is soft", func(t *testing.T) {
		if u := s.person("alex@example.org"); u.ID != was.ID || u.DeletedAt.IsZero() {
			t.Errorf("%+v", u)
		}
	})
	t.Run("A3_55 and gone for the provider", func(t *testing.T) {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE"} {
			s.want(404, method, "/Users/"+id, `{"userName":"alex@example.org","Operations":[]}`)
		}
		if got := s.want(200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "alex@example.org"`), ""); got.at("totalResults") != 0.0 {
			t.Errorf("%s", got.body)
		}
		if got := s.want(200, "GET", "/Groups/"+group, ""); got.json["members"] != nil {
			t.Errorf("%s", got.body)
		}
	})
	t.Run("A3_57 somebody else with the name is not them", func(t *testing.T) {
		got := s.want(409, "POST", "/Users", `{"userName":"alex@example.org","externalId":"e2","displayName":"Another"}`)
		if got.at("scimType") != "uniqueness" {
			t.Errorf("%s", got.body)
		}
		s.want(409, "POST", "/Users", `{"userName":"alex@example.org","displayName":"Another"}`)
		if e := s.lastLine(); e.Result != "refused" || e.Status != 409 || e.Name != "alex@example.org" || e.Detail == "" {
			t.Errorf("the log: %+v", e)
		}
	})
	t.Run("A3_57 the same person is", func(t *testing.T) {
		back := s.want(201, "POST", "/Users", `{"userName":"ALEX@example.org","externalId":"e1","displayName":"Alex B."}`)
		u := s.person("ALEX@example.org")
		if u.ID != was.ID || !u.DeletedAt.IsZero() || u.DisplayName != "Alex B." || back.id() != id {
			t.Errorf("%+v, %s", u, back.body)
		}
		if s.lastLine().Result != "restored" {
			t.Errorf("the log says %q", s.lastLine().Result)
		}
		if got := s.want(200, "GET", "/Groups/"+group, ""); got.at("members", "value") != id {
			t.Errorf("the group: %s", got.body)
		}
	})
}

// Requests that are sent twice, and names that are taken.
func TestDuplicates(t *testing.T) {
	s := newSite(t)
	s.want(201, "POST", "/Users", `{"userName":"alex","externalId":"e1"}`)
	for _, body := range []string{`{"userName":"alex","externalId":"e1"}`, `{"userName":"ALEX","externalId":"e2"}`} {
		if got := s.want(409, "POST", "/Users", body); got.at("scimType") != "uniqueness" {
			t.Errorf("%s", got.body)
		}
	}
	s.want(201, "POST", "/Groups", `{"displayName":"G","externalId":"g1"}`)
	s.want(409, "POST", "/Groups", `{"displayName":"G","externalId":"g1"}`)
	s.want(409, "POST", "/Groups", `{"displayName":"H","externalId":"g1"}`)
	s.want(201, "POST", "/Groups", `{"displayName":"G","externalId":"g2"}`)
	s.want(201, "POST", "/Groups", `{"displayName":"N"}`)
	s.want(409, "POST", "/Groups", `{"displayName":"N"}`)
	b := s.want(201, "POST", "/Users", `{"userName":"bea"}`).id()
	s.want(409, "PATCH", "/Users/"+b, `{"Operations":[{"op":"replace","path":"userName","value":"alex"}]}`)
	if got := s.want(200, "GET", "/Users/"+b, ""); got.at("userName") != "bea" {
		t.Errorf("%s", got.body)
	}
}

// Groups are made empty, filled by PATCH, listed without members, and one unknown member does not spoil the rest.
func TestA3_64_65_Groups(t *testing.T) {
	s := newSite(t)
	a, b := s.want(201, "POST", "/Users", `{"userName":"a"}`).id(), s.want(201, "POST", "/Users", `{"userName":"b"}`).id()
	made := s.want(201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId":"8aa1","displayName":"Staff","members":[],"meta":{"resourceType":"Group"}}`)
	nested := s.want(201, "POST", "/Groups", `{"displayName":"Nested","externalId":"n"}`).id()
	id := made.id()
	t.Run("A3_64 one unknown member does not spoil the rest", func(t *testing.T) {
		r := s.want(204, "PATCH", "/Groups/"+id, `{"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"`+a+`"},{"value":"nobody"},{"value":"`+nested+`"},{"value":"`+b+`"}]}]}`)
		if r.body != "" || !strings.Contains(s.lastLine().Detail, "nobody") || !strings.Contains(s.lastLine().Detail, "3 members added") {
			t.Errorf("%q, %+v", r.body, s.lastLine())
		}
		set := s.engine.sets[len(s.engine.sets)-1].Groups[0]
		if !set.Changed || len(set.Members) != 3 || len(set.Removed) != 0 || set.Name != "Staff" || set.Key.ID != id {
			t.Errorf("the engine got %+v", set)
		}
	})
	t.Run("A3_65 members can be left out", func(t *testing.T) {
		for _, q := range []string{"/Groups/" + id + "?excludedAttributes=members", "/Groups?excludedAttributes=members&filter=" + url.QueryEscape(`displayName eq "staff"`), "/Groups/" + id + "?attributes=displayName"} {
			if got := s.want(200, "GET", q, ""); strings.Contains(got.body, a) || !strings.Contains(got.body, "Staff") {
				t.Errorf("%s: %s", q, got.body)
			}
		}
	})
	t.Run("A3_65 whether somebody is a member can be asked", func(t *testing.T) {
		for member, want := range map[string]float64{a: 1, "nobody": 0} {
			got := s.want(200, "GET", "/Groups?attributes=id&filter="+url.QueryEscape(`id eq "`+id+`" and members eq "`+member+`"`), "")
			if got.at("totalResults") != want || strings.Contains(got.body, "members") {
				t.Errorf("%s: %s", member, got.body)
			}
		}
	})
	t.Run("A3_64 who is left out of a PUT is out", func(t *testing.T) {
		got := s.want(200, "PUT", "/Groups/"+id, `{"id":"`+id+`","displayName":"Staff","externalId":"8aa1","members":[{"value":"`+b+`"}]}`)
		set := s.engine.sets[len(s.engine.sets)-1].Groups[0]
		if len(set.Removed) != 2 || len(set.Members) != 0 || got.at("members", "value") != b {
			t.Errorf("%s, %+v", got.body, set)
		}
	})
	t.Run("A3_64 a group goes", func(t *testing.T) {
		s.want(204, "DELETE", "/Groups/"+id, "")
		s.want(404, "GET", "/Groups/"+id, "")
		if gone := s.engine.sets[len(s.engine.sets)-1].GroupsGone; len(gone) != 1 || gone[0].ID != id {
			t.Errorf("%v", gone)
		}
	})
}

func TestListsAreInPages(t *testing.T) {
	s := newSite(t)
	for i := range 7 {
		s.want(201, "POST", "/Users", fmt.Sprintf(`{"userName":"u%d","title":"t"}`, i))
	}
	for _, tt := range []struct {
		query        string
		start, items float64
		first        string
	}{
		{"", 1, 7, "u0"},
		{"?startIndex=3&count=2", 3, 2, "u2"},
		{"?startIndex=0&count=2", 1, 2, "u0"},
		{"?startIndex=7&count=100000", 7, 1, "u6"},
		{"?startIndex=8", 8, 0, ""},
		{"?count=0", 1, 0, ""},
		{"?count=-1", 1, 0, ""},
		{"?startIndex=2&count=3&filter=" + url.QueryEscape(`title eq "T"`), 2, 3, "u1"},
		{"?sortBy=userName&sortOrder=descending", 1, 7, "u0"}, // said to be unsupported
	} {
		got := s.want(200, "GET", "/Users"+tt.query, "")
		first, _ := got.at("Resources", "userName").(string)
		if got.at("totalResults") != 7.0 || got.at("startIndex") != tt.start || got.at("itemsPerPage") != tt.items || first != tt.first {
			t.Errorf("%s: %s", tt.query, got.body)
		}
	}
	s.want(400, "GET", "/Users?count=x", "")
}

func TestVersions(t *testing.T) {
	s := newSite(t)
	made := s.want(201, "POST", "/Users", `{"userName":"alex"}`)
	path, tag := "/Users/"+made.id(), made.header.Get("ETag")
	if got := s.ask("GET", path, "", "If-None-Match", tag); got.status != 304 {
		t.Errorf("read again: %d", got.status)
	}
	patch := `{"Operations":[{"op":"add","path":"title","value":"%d"}]}`
	if got := s.ask("PATCH", path, fmt.Sprintf(patch, 1), "If-Match", tag); got.status != 200 || got.header.Get("ETag") == tag {
		t.Errorf("the present version: %d %s", got.status, got.header.Get("ETag"))
	}
	for _, method := range []string{"PATCH", "PUT", "DELETE"} {
		if got := s.ask(method, path, fmt.Sprintf(patch, 2), "If-Match", tag); got.status != 412 {
			t.Errorf("%s of an old version: %d", method, got.status)
		}
	}
	if got := s.ask("PATCH", path, fmt.Sprintf(patch, 3), "If-Match", "*"); got.status != 200 {
		t.Errorf("any version: %d", got.status)
	}
}

func TestAttributesAreChosen(t *testing.T) {
	s := newSite(t)
	c := s.client(scimclient.Entra)
	cycle(t, c, scimclient.Scope{People: []scimclient.Person{alex()}})
	path := "/Users/" + c.ID(alex().ID)
	for query, want := range map[string]string{
		"?attributes=userName":                     "id,schemas,userName",
		"?attributes=name.givenName,nosuch":        "id,name,schemas",
		"?attributes=nosuch":                       "id,schemas",
		"?attributes=emails.value,userName,emails": "emails,id,schemas,userName",
		"?attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":       "id,schemas,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		"?excludedAttributes=name,emails,id,schemas,addresses,meta,displayName,active,externalId": "id,preferredLanguage,schemas,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,userName",
	} {
		got := s.want(200, "GET", path+query, "")
		var keys []string
		for key := range got.json {
			keys = append(keys, key)
		}
		if diff := cmp.Diff(want, strings.Join(sorted(keys), ",")); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	if got := s.want(200, "GET", path+"?attributes=name.givenName", ""); got.at("name", "givenName") != "Alex" || got.at("name", "familyName") != nil {
		t.Errorf("%s", got.body)
	}
}

// A scoping filter that lets fewer people in touches nobody else.
func TestA3_63_WhoIsFilteredOutIsDisabledAndNobodyElse(t *testing.T) {
	s := newSite(t)
	c := s.client(scimclient.Entra)
	a, b := alex(), bea()
	a.Manager = ""
	cycle(t, c, scimclient.Scope{People: []scimclient.Person{a, b}})
	before := s.person(b.UserName)
	if r := cycle(t, c, scimclient.Scope{People: []scimclient.Person{b}}); r.Disabled != 1 || r.Updated != 0 {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff(before, s.person(b.UserName)); diff != "" || !s.person(a.UserName).Disabled {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r := cycle(t, c, scimclient.Scope{People: []scimclient.Person{a, b}}); r.Enabled != 1 || s.person(a.UserName).Disabled {
		t.Errorf("let in again: %+v", r)
	}
}
