package federation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/auth"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/federation"
	"github.com/platenprint/platen/server-stub/names"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	other  = "99999999-2222-3333-4444-555555555555"
	oid    = "73d664e4-0886-4a73-b745-c694da45ddb4"
	oid2   = "00000000-0886-4a73-b745-c694da45ddb4"
	sid    = "S-1-5-21-1-2-3-1105"
)

// site is a store with a clock.
type site struct {
	t     *testing.T
	store store.Store
	at    time.Time
	log   bytes.Buffer
}

func newSite(t *testing.T) *site {
	return &site{t: t, store: storetest.OpenSQLite(t), at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
}

func (s *site) service(policies ...federation.Policy) *federation.Service {
	return federation.New(federation.Deps{
		Store: s.store, Clock: func() time.Time { return s.at }, Policies: policies,
		Logger: slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
}

func (s *site) update(fn func(ctx context.Context, tx store.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), func(tx store.Tx) error { return fn(s.t.Context(), tx) }); err != nil {
		s.t.Fatal(err)
	}
}

// person adds somebody of a source with names such as "upn:alex@example.org" and ids such as "oid:tid/oid".
func (s *site) person(source core.SourceID, facts ...string) core.UserID {
	s.t.Helper()
	var id core.UserID
	s.update(func(ctx context.Context, tx store.Tx) (err error) {
		u := core.User{Username: facts[0], Source: source, CreatedAt: s.at, UpdatedAt: s.at}
		if id, err = tx.CreateUser(ctx, u); err != nil {
			return err
		}
		for _, fact := range facts {
			kind, text, _ := strings.Cut(fact, ":")
			switch kind {
			case "disabled":
				u.ID, u.Disabled = id, true
				err = tx.UpdateUser(ctx, u)
			case "deleted":
				u.ID, u.DeletedAt = id, s.at
				err = tx.UpdateUser(ctx, u)
			case "role":
				err = tx.PutRole(ctx, core.RoleGrant{UserID: id, Role: core.Role(text), GrantedBy: "setup", GrantedAt: s.at})
			case "oid", "sid", "sub", "objectGUID":
				from := source
				if kind == "sub" {
					from = "idp:google"
				}
				err = tx.PutIdentity(ctx, core.ExternalIdentity{UserID: id, Source: from, Kind: core.IdentityKind(kind), ImmutableID: text})
			default:
				name := core.LoginName{UserID: id, Name: text, Kind: core.NameKind(strings.TrimSuffix(kind, "-ended")), Source: source, ValidFrom: s.at.Add(-1e6 * time.Hour)}
				if name.Folded, err = auth.Canon(text); err != nil {
					return err
				}
				if strings.HasSuffix(kind, "-ended") {
					name.ValidTo = s.at.Add(-time.Hour)
				}
				err = tx.PutName(ctx, name)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

func (s *site) identities(id core.UserID) []core.ExternalIdentity {
	s.t.Helper()
	var list []core.ExternalIdentity
	s.update(func(ctx context.Context, tx store.Tx) (err error) {
		list, err = tx.UserIdentities(ctx, id)
		return err
	})
	return list
}

func (s *site) audit() []string {
	s.t.Helper()
	var list []string
	s.update(func(ctx context.Context, tx store.Tx) error {
		events, err := tx.AuditEvents(ctx, 0, 100)
		for _, e := range events {
			list = append(list, fmt.Sprintf("%s %s %s %s", e.Actor, e.Action, e.Target, e.Detail))
		}
		return err
	})
	return list
}

func microsoft() federation.Policy {
	return federation.Policy{Provider: "microsoft", Tenant: tenant, Match: federation.MatchUPN}
}

func google() federation.Policy {
	return federation.Policy{Provider: "google", Match: federation.MatchEmail, Domains: []string{"example.org"}}
}

// alex is what Microsoft says of Alex.
func alex() federation.Claims {
	return federation.Claims{
		Provider: "microsoft", Issuer: "https://login.microsoftonline.com/" + tenant + "/v2.0", Subject: "pairwise", TenantID: tenant, ObjectID: oid,
		UPN: "Alex.Test@example.org", Name: "Alex Test",
	}
}

func googles() federation.Claims {
	return federation.Claims{Provider: "google", Issuer: "https://accounts.google.com", Subject: "1089", Email: "alex.test@example.org", EmailVerified: true, Name: "Alex"}
}

func TestMicrosoft(t *testing.T) {
	tests := []struct {
		name   string
		people [][]string // source first
		policy func(*federation.Policy)
		claims func(*federation.Claims)
		want   int // index of people, -1 for a new account
		err    error
		links  string // the audit line, "" for none
	}{
		{name: "the object id from a directory", people: [][]string{{"corp", "upn:someone.else@example.org", "oid:" + tenant + "/" + oid}}},
		{name: "the object id in capitals", people: [][]string{{"corp", "upn:a@example.org", "oid:" + tenant + "/" + oid}}, claims: func(c *federation.Claims) {
			c.TenantID, c.ObjectID = strings.ToUpper(c.TenantID), strings.ToUpper(c.ObjectID)
		}},
		{name: "the SID of Active Directory is linked", people: [][]string{{"corp", "upn:someone.else@example.org", "sid:" + sid}}, claims: func(c *federation.Claims) { c.SID = sid }, links: "identity.link user:1 sid"},
		{name: "the exact UPN is linked", people: [][]string{{"corp", "upn:alex.test@example.org"}}, links: "identity.link user:1 upn"},
		{name: "of a local account too", people: [][]string{{"", "upn:alex.test@example.org"}}, links: "identity.link user:1 upn"},
		{name: "not of a local owner", people: [][]string{{"", "upn:alex.test@example.org", "role:owner"}}, err: federation.ErrHasRole},
		{name: "not of a local auditor", people: [][]string{{"", "username:alex.test@example.org", "role:auditor"}}, err: federation.ErrHasRole},
		{name: "nor created beside one", people: [][]string{{"", "upn:alex.test@example.org", "role:owner"}}, policy: create, err: federation.ErrHasRole},
		{name: "of a directory's person with a role", people: [][]string{{"corp", "upn:alex.test@example.org", "role:admin"}}, links: "identity.link user:1 upn"},
		{name: "a local owner by the object id", people: [][]string{{"", "upn:a@example.org", "role:owner", "oid:" + tenant + "/" + oid}}},
		{name: "but not where people are of a directory", people: [][]string{{"", "upn:alex.test@example.org"}}, policy: func(p *federation.Policy) { p.Source = "corp" }, err: federation.ErrOtherPerson},
		{name: "not when names are not believed", people: [][]string{{"corp", "upn:alex.test@example.org"}}, policy: func(p *federation.Policy) { p.Match = federation.MatchNone }, err: federation.ErrNoAccount},
		{name: "not of another domain", people: [][]string{{"corp", "upn:alex.test@example.org"}}, policy: func(p *federation.Policy) { p.Domains = []string{"lab.example.org"} }, err: federation.ErrNoAccount},
		{name: "not by an e-mail address", people: [][]string{{"corp", "upn:b@example.org", "email:alex.test@example.org"}}, err: federation.ErrNoAccount},
		{name: "not by an alias", people: [][]string{{"corp", "upn:b@example.org", "alias:alex.test@example.org"}}, err: federation.ErrNoAccount},
		{name: "not by the short name", people: [][]string{{"corp", "upn:alex.test@corp.example.org", "sam:alex.test"}}, err: federation.ErrNoAccount},
		{name: "not a guest", people: [][]string{{"corp", "upn:alex.test@example.org"}}, claims: func(c *federation.Claims) { c.Guest = true }, err: federation.ErrNoAccount},
		{name: "a guest by the object id", people: [][]string{{"corp", "upn:a@example.org", "oid:" + tenant + "/" + oid}}, claims: func(c *federation.Claims) { c.Guest = true }},
		{name: "two people hold the UPN", people: [][]string{{"corp", "upn:alex.test@example.org"}, {"lab", "upn:alex.test@example.org"}}, err: core.ErrAmbiguous},
		{name: "somebody has it as e-mail address", people: [][]string{{"corp", "upn:alex.test@example.org"}, {"lab", "upn:b@example.org", "email:alex.test@example.org"}}, err: core.ErrAmbiguous},
		{name: "somebody had it until lately", people: [][]string{{"corp", "upn:alex.test@example.org"}, {"lab", "upn-ended:alex.test@example.org"}}, err: core.ErrAmbiguous},
		{name: "nobody has it any more", people: [][]string{{"corp", "upn-ended:alex.test@example.org"}}, err: federation.ErrNoAccount},
		{name: "a namesake who is disabled", people: [][]string{{"corp", "upn:alex.test@example.org", "disabled:"}}, err: core.ErrDisabled},
		{name: "a namesake who left", people: [][]string{{"corp", "upn:alex.test@example.org", "deleted:"}}, err: core.ErrDisabled},
		{name: "known, but disabled", people: [][]string{{"corp", "upn:a@example.org", "oid:" + tenant + "/" + oid, "disabled:"}}, err: core.ErrDisabled},
		{name: "the name was given to somebody else over there", people: [][]string{{"corp", "upn:alex.test@example.org", "oid:" + tenant + "/" + oid2}}, err: federation.ErrOtherPerson},
		{name: "the SID's person has another object id", people: [][]string{{"corp", "upn:a@example.org", "sid:" + sid, "oid:" + tenant + "/" + oid2}}, claims: func(c *federation.Claims) { c.SID = sid }, err: federation.ErrOtherPerson},
		{name: "the name's person has another SID", people: [][]string{{"corp", "upn:alex.test@example.org", "sid:" + sid}}, claims: func(c *federation.Claims) { c.SID = "S-1-5-21-1-2-3-9" }, err: federation.ErrOtherPerson},
		{name: "an object id of another tenant says nothing", people: [][]string{{"corp", "upn:alex.test@example.org", "oid:" + other + "/" + oid2}}, links: "identity.link user:1 upn"},
		{name: "object id and SID of two people", people: [][]string{{"corp", "upn:a@example.org", "oid:" + tenant + "/" + oid}, {"corp", "upn:b@example.org", "sid:" + sid}}, claims: func(c *federation.Claims) { c.SID = sid }, err: core.ErrAmbiguous},
		{name: "a SID of a computer is none", people: [][]string{{"corp", "upn:a@example.org", "sid:S-1-5-18"}}, claims: func(c *federation.Claims) { c.SID = "S-1-5-18" }, err: federation.ErrNoAccount},
		{name: "another tenant", people: [][]string{{"corp", "upn:alex.test@example.org"}}, claims: func(c *federation.Claims) { c.TenantID = other }, err: core.ErrForbidden},
		{name: "no object id", people: [][]string{{"corp", "upn:alex.test@example.org"}}, claims: func(c *federation.Claims) { c.ObjectID = "" }, err: core.ErrForbidden},
		{name: "a look-alike", people: [][]string{{"corp", "upn:аlex.test@example.org"}}, claims: func(c *federation.Claims) { c.UPN = "аlex.test@example.org" }, err: federation.ErrNoAccount}, // Cyrillic а
		{name: "a domain in front", people: [][]string{{"corp", "upn:alex.test@example.org"}}, claims: func(c *federation.Claims) { c.UPN = `CORP\alex.test@example.org` }, err: federation.ErrNoAccount},
		{name: "nobody", err: federation.ErrNoAccount},
		{name: "created", policy: create, want: -1, links: "user.add user:1 just in time"},
		{name: "created without matching", policy: func(p *federation.Policy) { p.Create, p.Match = true, federation.MatchNone }, want: -1, links: "user.add user:1 just in time"},
		{name: "not created for a guest", policy: create, claims: func(c *federation.Claims) { c.Guest = true }, err: federation.ErrNoAccount},
		{name: "not created without a name", policy: create, claims: func(c *federation.Claims) { c.UPN = "alex" }, err: federation.ErrNoAccount},
		{name: "not created in another domain", policy: func(p *federation.Policy) { p.Create, p.Domains = true, []string{"example.net"} }, err: federation.ErrNoAccount},
		{name: "not created over somebody who had the name", people: [][]string{{"corp", "upn-ended:alex.test@example.org"}}, policy: create, err: federation.ErrOtherPerson},
		{name: "not created over an alias", people: [][]string{{"corp", "upn:b@example.org", "alias:alex.test@example.org"}}, policy: create, err: federation.ErrOtherPerson},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			var people []core.UserID
			for _, p := range tt.people {
				people = append(people, s.person(core.SourceID(p[0]), p[1:]...))
			}
			policy, claims := microsoft(), alex()
			if tt.policy != nil {
				tt.policy(&policy)
			}
			if tt.claims != nil {
				tt.claims(&claims)
			}
			service := s.service(policy)
			u, err := service.Person(t.Context(), claims)
			if !errors.Is(err, tt.err) || (tt.err == nil) != (err == nil) {
				t.Fatalf("got %v, %v, want %v", u.ID, err, tt.err)
			}
			if tt.err != nil {
				for _, id := range people {
					for _, e := range s.identities(id) {
						if e.Source == "idp:microsoft" {
							t.Errorf("a refused sign-in left %+v", e)
						}
					}
				}
				return
			}
			if tt.want >= 0 && u.ID != people[tt.want] {
				t.Errorf("user %d, want %d", u.ID, people[tt.want])
			}
			audit := strings.Join(s.audit(), "\n")
			if want := "idp:microsoft " + tt.links; tt.links != "" && audit != want || tt.links == "" && audit != "" {
				t.Errorf("audit %q, want %q", audit, want)
			}
			again, err := service.Person(t.Context(), claims)
			if err != nil || again.ID != u.ID || len(s.audit()) > 1 {
				t.Errorf("the second time: %d, %v, %v", again.ID, err, s.audit())
			}
		})
	}
}

func create(p *federation.Policy) { p.Create = true }

func TestARefusedOwnerIsAuditedAndTheLogSaysWhatToDo(t *testing.T) {
	s := newSite(t)
	s.person("", "upn:alex.test@example.org", "role:owner")
	service := s.service(microsoft())
	for range 2 {
		if _, err := service.Person(t.Context(), alex()); !errors.Is(err, federation.ErrNoAccount) {
			t.Fatal(err)
		}
	}
	want := []string{"idp:microsoft identity.refuse oid:" + tenant + "/" + oid + " a local account with a role"}
	if diff := cmp.Diff(want, s.audit()); diff != "" {
		t.Error(diff)
	}
	if log := s.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "give the role to the person's own account") {
		t.Errorf("the log does not help: %s", log)
	}
}

func TestALinkHoldsWhateverAnybodyIsCalledLater(t *testing.T) {
	s := newSite(t)
	first := s.person("corp", "upn:alex.test@example.org")
	service := s.service(microsoft())
	if u, err := service.Person(t.Context(), alex()); err != nil || u.ID != first {
		t.Fatal(u.ID, err)
	}
	renamed := alex()
	renamed.UPN = "alex.married@example.org"
	s.person("corp", "upn:alex.married@example.org")
	if u, err := service.Person(t.Context(), renamed); err != nil || u.ID != first {
		t.Errorf("after a rename: user %d, %v", u.ID, err)
	}
	successor := alex()
	successor.ObjectID = oid2
	if u, err := service.Person(t.Context(), successor); !errors.Is(err, federation.ErrOtherPerson) {
		t.Errorf("who got the name next is user %d, %v", u.ID, err)
	}
}

func TestCreatedAccounts(t *testing.T) {
	s := newSite(t)
	p := google()
	p.Create = true
	c := googles()
	c.Name = "Alex\x00\nTest "
	u, err := s.service(p).Person(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	want := core.User{ID: u.ID, Username: "alex.test@example.org", DisplayName: "AlexTest", Email: "alex.test@example.org", Source: "idp:google", CreatedAt: s.at, UpdatedAt: s.at}
	if diff := cmp.Diff(want, u); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]core.ExternalIdentity{{UserID: u.ID, Source: "idp:google", Kind: federation.IdentitySubject, ImmutableID: "https://accounts.google.com 1089"}}, s.identities(u.ID)); diff != "" {
		t.Error(diff)
	}
	s.update(func(ctx context.Context, tx store.Tx) error {
		answer, err := names.Find(ctx, tx, names.Query{Text: "alex.test@example.org"}, names.Rules{}, s.at)
		if answer.User != u.ID {
			t.Errorf("the account is not found by its name: %+v", answer)
		}
		if _, err := tx.PasswordHash(ctx, u.ID); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("the account has a password: %v", err)
		}
		return err
	})
}

func TestOtherProviders(t *testing.T) {
	tests := []struct {
		name   string
		people [][]string
		policy func(*federation.Policy)
		claims func(*federation.Claims)
		want   int
		err    error
	}{
		{name: "the subject", people: [][]string{{"corp", "upn:a@example.org", "sub:https://accounts.google.com 1089"}}},
		{name: "the verified address", people: [][]string{{"corp", "upn:a@corp.example.org", "email:alex.test@example.org"}}},
		{name: "the address of a local owner", people: [][]string{{"", "username:owner", "email:alex.test@example.org", "role:owner"}}, err: federation.ErrHasRole},
		{name: "the address is the UPN", people: [][]string{{"corp", "upn:alex.test@example.org"}}},
		{name: "not verified", people: [][]string{{"corp", "upn:a@corp.example.org", "email:alex.test@example.org"}}, claims: func(c *federation.Claims) { c.EmailVerified = false }, err: federation.ErrNoAccount},
		{name: "of a domain it may not speak for", people: [][]string{{"corp", "upn:a@corp.example.org", "email:alex@example.net"}}, claims: func(c *federation.Claims) { c.Email = "alex@example.net" }, err: federation.ErrNoAccount},
		{name: "two people share the address", people: [][]string{{"corp", "upn:a@corp.example.org", "email:alex.test@example.org"}, {"corp", "upn:b@corp.example.org", "email:alex.test@example.org"}}, err: core.ErrAmbiguous},
		{name: "an alias is no address", people: [][]string{{"corp", "upn:a@corp.example.org", "alias:alex.test@example.org"}}, err: federation.ErrNoAccount},
		{name: "an address with a look-alike", people: [][]string{{"corp", "upn:a@corp.example.org", "email:аlex@example.org"}}, claims: func(c *federation.Claims) { c.Email = "аlex@example.org" }, err: federation.ErrNoAccount},
		{name: "the address of somebody with another subject", people: [][]string{{"corp", "upn:alex.test@example.org", "sub:https://accounts.google.com 7"}}, err: federation.ErrOtherPerson},
		{name: "an object id is not believed", people: [][]string{{"corp", "upn:a@example.net", "oid:" + tenant + "/" + oid}}, claims: func(c *federation.Claims) { c.TenantID, c.ObjectID = tenant, oid }, err: federation.ErrNoAccount},
		{name: "a SID is not believed", people: [][]string{{"corp", "upn:a@example.net", "sid:" + sid}}, claims: func(c *federation.Claims) { c.SID = sid }, err: federation.ErrNoAccount},
		{name: "a preferred username", people: [][]string{{"corp", "upn:alex.test@example.org"}}, policy: func(p *federation.Policy) { p.Match = federation.MatchUsername }, claims: func(c *federation.Claims) { c.UPN, c.Email = "alex.test@example.org", "" }},
		{name: "no subject", people: [][]string{{"corp", "upn:alex.test@example.org"}}, claims: func(c *federation.Claims) { c.Subject = "" }, err: core.ErrForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			var people []core.UserID
			for _, p := range tt.people {
				people = append(people, s.person(core.SourceID(p[0]), p[1:]...))
			}
			policy, claims := google(), googles()
			if tt.policy != nil {
				tt.policy(&policy)
			}
			if tt.claims != nil {
				tt.claims(&claims)
			}
			u, err := s.service(policy).Person(t.Context(), claims)
			if !errors.Is(err, tt.err) || (tt.err == nil) != (err == nil) || tt.err == nil && u.ID != people[tt.want] {
				t.Fatalf("got %d, %v, want %v", u.ID, err, tt.err)
			}
		})
	}
}

func TestOneSubjectOfTwoProvidersIsTwoPeople(t *testing.T) {
	s := newSite(t)
	s.person("corp", "upn:a@example.org", "sub:https://accounts.google.com 1089")
	okta := google()
	okta.Provider, okta.Match = "okta", federation.MatchNone
	c := googles()
	c.Provider = "okta"
	if u, err := s.service(google(), okta).Person(t.Context(), c); !errors.Is(err, federation.ErrNoAccount) {
		t.Errorf("user %d, %v", u.ID, err)
	}
	c.Provider = "nobody's"
	if _, err := s.service(google()).Person(t.Context(), c); !errors.Is(err, core.ErrForbidden) {
		t.Errorf("an unknown provider: %v", err)
	}
}

func TestARefusalIsAuditedOnceAnHour(t *testing.T) {
	s := newSite(t)
	s.person("corp", "upn:alex.test@example.org")
	s.person("lab", "upn:alex.test@example.org")
	service := s.service(microsoft())
	for range 5 {
		if _, err := service.Person(t.Context(), alex()); !errors.Is(err, core.ErrAmbiguous) {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"idp:microsoft identity.refuse oid:" + tenant + "/" + oid + " ambiguous"}, s.audit()); diff != "" {
		t.Error(diff)
	}
	s.at = s.at.Add(time.Hour)
	_, _ = service.Person(t.Context(), alex())
	if n := len(s.audit()); n != 2 {
		t.Errorf("%d lines an hour later", n)
	}
	if strings.Contains(strings.ToLower(s.log.String()), "alex") {
		t.Errorf("the log names somebody:\n%s", s.log.String())
	}
}

func TestManyAtOnceMakeOneAccount(t *testing.T) {
	s := newSite(t)
	p := microsoft()
	p.Create = true
	service := s.service(p)
	ids := make([]core.UserID, 8)
	var g sync.WaitGroup
	for i := range ids {
		g.Go(func() {
			u, err := service.Person(t.Context(), alex())
			if err != nil {
				t.Error(err)
			}
			ids[i] = u.ID
		})
	}
	g.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("accounts %v", ids)
		}
	}
}
