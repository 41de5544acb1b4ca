package scim_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/emulator/scimclient"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/credentials"
	"github.com/platenprint/platen/server-stub/datadir"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/keys"
	"github.com/platenprint/platen/server-stub/ledger"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
	"github.com/platenprint/platen/server-stub/store/storetest"
	"github.com/platenprint/platen/server-stub/users/passhash"
)

// rooms are what else hangs on people.
type rooms struct {
	*site
	sessions    *sessions.Manager
	ledger      *ledger.Ledger
	credentials *credentials.Service
}

func newRooms(t *testing.T) *rooms {
	t.Helper()
	r := &rooms{site: newSite(t)}
	dir, err := datadir.Open(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	k, err := keys.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	r.sessions = sessions.New(r.store, r.clock, sessions.Options{Logger: logger})
	policy := credentials.DefaultPolicy()
	policy.Generate = false
	r.credentials = credentials.New(credentials.Deps{Store: r.store, Clock: r.clock, Keys: k, Policy: policy, Hasher: passhash.New(passhash.Params{Time: 1, MemoryKiB: 64, Parallelism: 1}), Logger: logger})
	r.engine.Syncer = dirsync.New(r.store, r.clock, dirsync.Config{Keys: k, Credentials: r.credentials, Logger: logger})
	r.ledger = ledger.New(r.store, r.clock, ledger.Options{Currency: "EUR", Logger: logger})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.ledger.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the ledger: %v", err)
		}
	})
	return r
}

// holder is whose card or code it is, 0 for nobody's.
func holder(f credentials.Found, err error) core.UserID {
	if err != nil {
		return 0
	}
	return f.User.ID
}

// Who is deleted cannot do anything at once, and has everything when they come back.
func TestA3_56_57_TokensCardsCodesAndMoney(t *testing.T) {
	r := newRooms(t)
	ctx := t.Context()
	c := r.client(scimclient.Entra)
	a := alex()
	scope := scimclient.Scope{People: []scimclient.Person{a}}
	cycle(t, c, scope)
	u := r.person(a.UserName)
	tokens, _, err := r.sessions.Issue(ctx, u.ID, sessions.Info{StaySignedIn: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.ledger.Post(ctx, ledger.Posting{Key: "k", Kind: core.TransferCredit, User: u.ID, Amount: 70000, Actor: "admin"}); err != nil {
		t.Fatal(err)
	}
	signedIn := func() bool {
		fresh := sessions.New(r.store, r.clock, sessions.Options{}) // which remembers nothing
		_, who, err := fresh.Authenticate(ctx, tokens.Access)
		return err == nil && who.ID == u.ID
	}
	card := func() core.UserID { return holder(r.credentials.FindCard(ctx, secret.New(a.Card))) }
	code := func() core.UserID { return holder(r.credentials.FindCode(ctx, secret.New(a.Code))) }
	if !signedIn() || card() != u.ID || code() != u.ID {
		t.Fatalf("before: signed in %v, card %d, code %d", signedIn(), card(), code())
	}
	t.Run("A3_56 out of scope", func(t *testing.T) {
		if rep := cycle(t, c, scimclient.Scope{}); rep.Disabled != 1 {
			t.Fatalf("%+v", rep)
		}
		if signedIn() || card() != 0 || code() != 0 {
			t.Errorf("after: signed in %v, card %d, code %d", signedIn(), card(), code())
		}
	})
	t.Run("A3_56 deleted", func(t *testing.T) {
		if rep := c.Delete(ctx, a.ID); rep.Deleted != 1 {
			t.Fatalf("%+v", rep)
		}
		if signedIn() || card() != 0 || code() != 0 {
			t.Errorf("after: signed in %v, card %d, code %d", signedIn(), card(), code())
		}
	})
	r.later(time.Minute)
	t.Run("A3_57 back", func(t *testing.T) {
		scope.People[0].Card, scope.People[0].Code = "", "" // a provider that does not send them again
		if rep := cycle(t, c, scope); rep.Created != 1 {
			t.Fatalf("%+v", rep)
		}
		if back := r.person(a.UserName); back.ID != u.ID || !back.Active() {
			t.Errorf("%+v", back)
		}
		if !signedIn() || card() != u.ID || code() != u.ID {
			t.Errorf("signed in %v, card %d, code %d", signedIn(), card(), code())
		}
		if b, err := r.ledger.Balance(ctx, u.ID); err != nil || b.Balance != 70000 {
			t.Errorf("the balance: %+v, %v", b, err)
		}
	})
	t.Run("A3_59 another card, and none", func(t *testing.T) {
		path := "/Users/" + c.ID(a.ID)
		r.want(200, "PATCH", path, `{"Operations":[{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCard","value":"NEWCARD99"}]}`)
		if card() != 0 || holder(r.credentials.FindCard(ctx, secret.New("NEWCARD99"))) != u.ID || code() != u.ID {
			t.Error("the card did not change, or the code did")
		}
		r.want(200, "PATCH", path, `{"Operations":[{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCard"}]}`)
		if holder(r.credentials.FindCard(ctx, secret.New("NEWCARD99"))) != 0 {
			t.Error("the card is still taken")
		}
	})
	t.Run("A3_59 a card that is somebody's is refused and said so", func(t *testing.T) {
		b := bea()
		b.Card = a.Card
		r.want(200, "PATCH", "/Users/"+c.ID(a.ID), `{"Operations":[{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCard","value":"`+a.Card+`"}]}`)
		cycle(t, c, scimclient.Scope{People: []scimclient.Person{a, b}})
		if card() != u.ID {
			t.Errorf("the card is that of %d", card())
		}
		said := false
		for _, e := range r.log() {
			said = said || e.Name == b.UserName && strings.Contains(e.Detail, "card") && !strings.Contains(e.Detail, a.Card)
		}
		if !said {
			t.Errorf("nothing is said of it: %+v", r.log())
		}
	})
}

// fill makes n people and their resources without a request for each.
func (s *site) fill(n int) (ids []string) {
	s.t.Helper()
	ctx := s.t.Context()
	var set dirsync.PushSet
	for i := range n {
		id := fmt.Sprintf("r%06d", i)
		name := fmt.Sprintf("u%d@example.org", i)
		ids = append(ids, id)
		set.People = append(set.People, directory.Record{Key: id, KeyKind: core.IdentitySCIMID, Username: name, UPN: name, DisplayName: fmt.Sprint("Person ", i)})
	}
	result, err := s.engine.Syncer.Push(ctx, "entra", dirsync.Settings{}, set)
	if err != nil {
		s.t.Fatal(err)
	}
	owner := map[string]core.UserID{}
	for _, p := range result.People {
		owner[p.Key.ID] = p.User
	}
	if err := s.store.Update(ctx, func(tx store.Tx) error {
		for i, r := range set.People {
			data := fmt.Sprintf(`{"userName":%q,"externalId":"e%d","displayName":%q,"active":true}`, r.Username, i, r.DisplayName)
			err := tx.CreateSCIMResource(ctx, store.SCIMResource{
				ID: r.Key, Source: "entra", Kind: store.SCIMUser, Name: r.Username, ExternalID: fmt.Sprint("e", i), UserID: owner[r.Key], Data: data, CreatedAt: s.clock(), ModifiedAt: s.clock(),
			}, []store.SCIMValue{{Path: "username", Value: r.Username}, {Path: "externalid", Value: fmt.Sprint("e", i)}})
			if err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return ids
}

// everybody is all people with their names and identities.
func (s *site) everybody() (list []string) {
	s.t.Helper()
	ctx := s.t.Context()
	if err := s.store.View(ctx, func(tx store.Tx) error {
		list = nil
		people, err := tx.ListUsers(ctx, store.UserFilter{IncludeDeleted: true})
		if err != nil {
			return err
		}
		for _, u := range people {
			u.UpdatedAt = time.Time{}
			names, err := tx.UserNames(ctx, u.ID)
			if err != nil {
				return err
			}
			identities, err := tx.UserIdentities(ctx, u.ID)
			if err != nil {
				return err
			}
			list = append(list, fmt.Sprintf("%+v %+v %+v", u, names, identities))
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return list
}

// undo takes back the latest run of pushes and lets the connection go on.
func (s *site) undo() {
	s.t.Helper()
	var run core.SyncRun
	err := s.store.View(s.t.Context(), func(tx store.Tx) error {
		runs, err := tx.SyncRuns(s.t.Context(), "entra", 50)
		for _, r := range runs {
			if run.ID == 0 && r.Kind == core.RunPush && r.Outcome == dirsync.OutcomeOK && r.UndoneBy == 0 {
				run = r
			}
		}
		return err
	})
	if err != nil || run.ID == 0 {
		s.t.Fatalf("the run to undo: %+v, %v", run, err)
	}
	if _, err := s.engine.Undo(s.t.Context(), run.ID, "the scope was wrong"); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) resume() {
	s.t.Helper()
	if err := s.engine.Resume(s.t.Context(), "entra"); err != nil {
		s.t.Fatal(err)
	}
}

// F14: everybody is deleted. The brake stops it, an undo brings everybody back exactly, and the provider gets everybody anew under the
// same ids.
func TestFault_F14_MassDelete(t *testing.T) {
	const people = 800 // 5 % may go
	s := newSite(t)
	ids := s.fill(people)
	s.later(2 * time.Hour) // another run
	before := s.everybody()
	status := map[int]int{}
	for _, id := range ids {
		r := s.ask("DELETE", "/Users/"+id, "")
		status[r.status]++
		if r.status == 503 && (r.header.Get("Retry-After") != "3600" || !strings.Contains(r.body, "stopped before changing anything")) {
			t.Fatalf("%v %s", r.header, r.body)
		}
	}
	if diff := cmp.Diff(map[int]int{204: people / 20, 503: people - people/20}, status); diff != "" {
		t.Errorf("the answers (-want +got):\n%s", diff)
	}
	stopped := 0
	for _, e := range s.log() {
		if e.Result == "stopped" {
			stopped++
		}
	}
	if stopped != people-people/20 {
		t.Errorf("%d lines of the log say stopped", stopped)
	}
	s.want(200, "GET", "/Users/"+ids[people-1], "")

	s.undo()
	if diff := cmp.Diff(before, s.everybody()); diff != "" {
		t.Errorf("after the undo (-want +got):\n%s", diff)
	}
	got := s.want(503, "DELETE", "/Users/"+ids[people-1], "")
	if !strings.Contains(fmt.Sprint(got.at("detail")), "paused") {
		t.Errorf("a paused connection: %s", got.body)
	}
	s.resume()
	back := s.want(201, "POST", "/Users", `{"userName":"u0@example.org","externalId":"e0","displayName":"Person 0","active":true}`)
	if back.id() != ids[0] {
		t.Errorf("back as %s, was %s", back.id(), ids[0])
	}
	if diff := cmp.Diff(before, s.everybody()); diff != "" {
		t.Errorf("after the provider made somebody anew (-want +got):\n%s", diff)
	}
}

// F14: somebody cut the scope, so everybody is to be disabled.
func TestFault_F14_ScopeCut(t *testing.T) {
	for _, style := range styles[:2] {
		t.Run("A3_63 "+string(style), func(t *testing.T) {
			s := newSite(t)
			c := s.client(style)
			var scope scimclient.Scope
			for i := range 60 {
				scope.People = append(scope.People, scimclient.Person{ID: fmt.Sprint("o", i), UserName: fmt.Sprintf("u%d@example.org", i), Nickname: fmt.Sprint("u", i)})
			}
			cycle(t, c, scope)
			s.later(2 * time.Hour)
			before := s.everybody()
			r := c.Cycle(t.Context(), scimclient.Scope{People: scope.People[:5]})
			if r.Disabled != 10 || len(r.Failed) != 45 {
				t.Errorf("%d were disabled, %d refused", r.Disabled, len(r.Failed))
			}
			for _, f := range r.Failed {
				var status *scimclient.Status
				if !errors.As(f.Err, &status) || status.Code != 503 || status.Retry == "" {
					t.Fatal(f.Err)
				}
			}
			s.undo()
			s.resume()
			if diff := cmp.Diff(before, s.everybody()); diff != "" {
				t.Errorf("after the undo (-want +got):\n%s", diff)
			}
			if got := s.want(200, "GET", "/Users/"+c.ID("o30"), ""); got.at("active") == false {
				t.Errorf("%s", got.body)
			}
			if r := c.Cycle(t.Context(), scope); len(r.Failed) != 0 { // the right scope again
				t.Errorf("%+v", r)
			}
			if diff := cmp.Diff(before, s.everybody()); diff != "" {
				t.Errorf("after the right scope (-want +got):\n%s", diff)
			}
		})
	}
}

// What the brake stopped passes once an administrator said why.
func TestFault_F14_Approved(t *testing.T) {
	s := newSite(t)
	ids := s.fill(30)
	s.later(2 * time.Hour)
	for i, id := range ids[:12] {
		want := 204
		if i >= 10 {
			want = 503
		}
		s.want(want, "DELETE", "/Users/"+id, "")
	}
	if err := s.engine.ApprovePushes(t.Context(), "entra", "they left"); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[10:] {
		s.want(204, "DELETE", "/Users/"+id, "")
	}
}

// Whoever is to be told of failures is told that the brake stopped something: once, not with every request.
func TestA3_49_FailuresAreTold(t *testing.T) {
	s := newSite(t)
	var told []core.SyncRun
	s.engine.Syncer = dirsync.New(s.store, s.clock, dirsync.Config{
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), OnFailure: func(r core.SyncRun) { told = append(told, r) },
	})
	for i, id := range s.fill(20) {
		want := 204
		if i >= 10 {
			want = 503
		}
		s.want(want, "DELETE", "/Users/"+id, "")
	}
	if len(told) != 1 || told[0].Source != "entra" || told[0].Outcome != dirsync.OutcomeStopped || !strings.Contains(told[0].Message, "stopped") {
		t.Errorf("told %d times: %+v", len(told), told)
	}
}

// F14: requests that come twice or in the wrong order change nothing they should not, and end where the right order ends.
func TestFault_F14_OutOfOrderAndTwice(t *testing.T) {
	s := newSite(t)
	s.want(404, "PATCH", "/Users/later", `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
	group := s.want(201, "POST", "/Groups", `{"displayName":"G","externalId":"g"}`).id()
	s.want(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"Add","path":"members","value":[{"value":"later"}]}]}`)
	id := s.want(201, "POST", "/Users", `{"userName":"alex","externalId":"e"}`).id()
	before := s.everybody()
	s.want(409, "POST", "/Users", `{"userName":"alex","externalId":"e"}`)
	s.want(204, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"Remove","path":"members","value":[{"value":"`+id+`"}]}]}`)
	add := `{"Operations":[{"op":"Add","path":"members","value":[{"value":"` + id + `"}]}]}`
	s.want(204, "PATCH", "/Groups/"+group, add)
	s.want(204, "PATCH", "/Groups/"+group, add)
	if diff := cmp.Diff(before, s.everybody()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := s.want(200, "GET", "/Groups/"+group, ""); len(got.json["members"].([]any)) != 1 {
		t.Errorf("%s", got.body)
	}
	s.want(204, "DELETE", "/Users/"+id, "")
	s.want(404, "DELETE", "/Users/"+id, "")
	s.want(404, "PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"True"}]}`)
	if u := s.person("alex"); u.DeletedAt.IsZero() {
		t.Error("a late change brought her back")
	}
}

// The same on PostgreSQL, in short.
func TestCyclesOnPostgreSQL(t *testing.T) {
	s := siteOn(t, storetest.OpenPostgres(t))
	c := s.client(scimclient.Entra)
	a := alex()
	cycle(t, c, scimclient.Scope{People: []scimclient.Person{a, bea()}, Groups: []scimclient.Group{{ID: "g", Name: "G", Members: []string{a.ID, "77aa"}}}})
	a.Display = "Other"
	cycle(t, c, scimclient.Scope{People: []scimclient.Person{a}, Groups: []scimclient.Group{{ID: "g", Name: "G", Members: []string{a.ID}}}})
	if r := c.Delete(t.Context(), "77aa"); r.Deleted != 1 || r.Err() != nil {
		t.Errorf("%+v", r)
	}
	got := s.want(200, "GET", "/Groups/"+c.ID("g"), "")
	if members, _ := got.json["members"].([]any); len(members) != 1 || s.person(a.UserName).DisplayName != "Other" || s.person("bea@example.org").DeletedAt.IsZero() {
		t.Errorf("%s", got.body)
	}
}
