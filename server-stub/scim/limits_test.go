package scim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
)

const pathCard = "urn:ietf:params:scim:schemas:extension:papercut:2.0:User:accessCard"

// manyValues is a JSON list of n telephone numbers, all different.
func manyValues(n, from int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"value":"%d"}`, from+i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// Whoever has a token can neither keep the processor busy for minutes with one request nor fill the memory or the disk with one person.
func TestRSCIM3_APersonIsOfAUsualSize(t *testing.T) {
	s := newSite(t)
	id := s.want(http.StatusCreated, "POST", "/Users", `{"userName":"alex","externalId":"a"}`).id()
	patch := func(op, path, value string) string {
		return fmt.Sprintf(`{"Operations":[{"op":%q,"path":%q,"value":%s}]}`, op, path, value)
	}
	const large = http.StatusRequestEntityTooLarge
	t.Run("at once", func(t *testing.T) {
		for _, op := range []string{"add", "replace"} {
			if r := s.want(large, "PATCH", "/Users/"+id, patch(op, "phoneNumbers", manyValues(40_000, 0))); r.json["scimType"] != "tooMany" {
				t.Error(r.body)
			}
		}
		s.want(large, "POST", "/Users", `{"userName":"ben","phoneNumbers":`+manyValues(40_000, 0)+`}`)
		s.want(large, "PATCH", "/Users/"+id, patch("add", pathCard, `["`+strings.Repeat(`1","`, 40_000)+`1"]`))
	})
	t.Run("little by little", func(t *testing.T) {
		for i := range 2 {
			s.want(http.StatusOK, "PATCH", "/Users/"+id, patch("add", "phoneNumbers", manyValues(45, 100*i)))
		}
		s.want(large, "PATCH", "/Users/"+id, patch("add", "phoneNumbers", manyValues(45, 900)))
		var ops []string
		for i := range 120 {
			ops = append(ops, fmt.Sprintf(`{"op":"add","path":"phoneNumbers[type eq \"t%d\"].value","value":"1"}`, i))
		}
		s.want(large, "PATCH", "/Users/"+id, `{"Operations":[`+strings.Join(ops, ",")+`]}`)
	})
	t.Run("long", func(t *testing.T) {
		long := strings.Repeat(`{"value":"`+strings.Repeat("x", 4000)+`"},`, 20)
		s.want(large, "PATCH", "/Users/"+id, patch("replace", "emails", "["+strings.TrimSuffix(long, ",")+"]"))
	})
	s.want(http.StatusOK, "PATCH", "/Users/"+id, patch("replace", "phoneNumbers", manyValues(100, 0)))
	if got := s.want(http.StatusOK, "GET", "/Users/"+id, "").json["phoneNumbers"].([]any); len(got) != 100 {
		t.Errorf("%d numbers, want the 100 that may be", len(got))
	}
}

// A page that would be long is short, and the next one goes on where it ends: none is lost, whatever is asked for.
func TestRSCIM3_ALongPageIsShort(t *testing.T) {
	s := newSite(t)
	const people = 90
	long := make([]string, 15)
	for i := range long {
		long[i] = fmt.Sprintf(`{"value":"%d%s"}`, i, strings.Repeat("x", 4000))
	}
	for i := range people {
		s.want(http.StatusCreated, "POST", "/Users", fmt.Sprintf(`{"userName":"u%03d","phoneNumbers":[%s]}`, i, strings.Join(long, ",")))
	}
	for _, filter := range []string{"", "&filter=active+ne+false", "&filter=userName+sw+%22u%22"} {
		seen, pages := map[string]bool{}, 0
		for start := 1; start <= people; pages++ {
			r := s.want(http.StatusOK, "GET", fmt.Sprintf("/Users?startIndex=%d&count=1000%s", start, filter), "")
			list := r.json["Resources"].([]any)
			if len(r.body) > 6<<20 || len(list) == 0 || r.json["totalResults"] != float64(people) || r.json["itemsPerPage"] != float64(len(list)) {
				t.Fatalf("%q from %d: %d bytes, %d people of %v", filter, start, len(r.body), len(list), r.json["totalResults"])
			}
			for _, one := range list {
				seen[one.(map[string]any)["id"].(string)] = true
			}
			start += len(list)
		}
		if len(seen) != people || pages < 2 {
			t.Errorf("%q: %d people on %d pages", filter, len(seen), pages)
		}
	}
}

// Where updating is off, to take somebody out, or to delete and make them again, changes nothing else of them.
func TestA3_54_NoUpdateByTheBackDoor(t *testing.T) {
	body := `{"userName":"alex","externalId":"a","displayName":"Alex"}`
	evil := `"displayName":"Other","emails":[{"type":"work","value":"mallory@evil.example"}],"urn:ietf:params:scim:schemas:extension:papercut:2.0:User":{"accessCard":"666"}`
	unchanged := func(t *testing.T, s *site) core.User {
		t.Helper()
		u := s.person("alex")
		if u.DisplayName != "Alex" || u.Email != "" {
			t.Errorf("she was changed: %+v", u)
		}
		for _, set := range s.engine.sets {
			for _, r := range set.People {
				if len(r.Cards) > 0 {
					t.Error("a card was handed on")
				}
			}
		}
		return u
	}
	t.Run("A3_54 taken out and renamed", func(t *testing.T) {
		for _, method := range []string{"PATCH", "PUT"} {
			s := newSite(t)
			id := s.want(http.StatusCreated, "POST", "/Users", body).id()
			s.configure(func(c *scim.Connection) { c.NoUpdate = true })
			sent := `{"userName":"root","externalId":"a","active":false,` + evil + `}`
			if method == "PATCH" {
				sent = `{"Operations":[{"op":"replace","value":` + sent + `}]}`
			}
			s.want(http.StatusOK, method, "/Users/"+id, sent)
			if !unchanged(t, s).Disabled {
				t.Errorf("%s: she was not let go", method)
			}
			if got := s.lastLine().Detail; !strings.Contains(got, "updating is switched off") {
				t.Errorf("the log says %q", got)
			}
		}
	})
	t.Run("A3_54 deleted and made again", func(t *testing.T) {
		for _, keep := range []bool{false, true} {
			s := newSite(t)
			id := s.want(http.StatusCreated, "POST", "/Users", body).id()
			s.configure(func(c *scim.Connection) { c.NoUpdate, c.Settings.NoDelete = true, keep })
			s.want(http.StatusNoContent, "DELETE", "/Users/"+id, "")
			if again := s.want(http.StatusCreated, "POST", "/Users", `{"userName":"alex","externalId":"a",`+evil+`}`).id(); again != id {
				t.Errorf("she is %s now, not %s", again, id)
			}
			if u := unchanged(t, s); !u.Active() {
				t.Errorf("she is not back: %+v", u)
			}
		}
	})
}

// Whoever has the token of one connection does not learn who is here by another directory, nor who administers the server.
func TestRSCIM_NoWordOfOthersPeople(t *testing.T) {
	s := newSite(t)
	ctx := t.Context()
	boss := directory.Record{Key: "1", KeyKind: core.IdentityCSVKey, Username: "boss@example.org", UPN: "boss@example.org", Email: "boss@example.org"}
	result, err := s.engine.Syncer.Push(ctx, "payroll", dirsync.Settings{}, dirsync.PushSet{People: []directory.Record{boss}})
	if err != nil || len(result.People) != 1 || result.People[0].User == 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	if err := s.store.Update(ctx, func(tx store.Tx) error {
		return tx.PutRole(ctx, core.RoleGrant{UserID: result.People[0].User, Role: core.RoleAdmin, GrantedAt: start, GrantedBy: "test"})
	}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"userName":"boss@example.org"}`, `{"userName":"other","emails":[{"type":"work","value":"boss@example.org"}]}`} {
		r := s.want(http.StatusConflict, "POST", "/Users", body)
		for _, word := range []string{"admin", "payroll", "role", "user 1"} {
			if strings.Contains(r.body, word) {
				t.Errorf("%s is answered with %q: %s", body, word, r.body)
			}
		}
		if got := s.lastLine().Detail; !strings.Contains(got, "payroll") {
			t.Errorf("the log says %q, and not who it is", got)
		}
	}
	if r := s.want(http.StatusConflict, "POST", "/Users", `{"userName":"a`+"\u200b"+`b"}`); !strings.Contains(r.body, "cannot be a name") {
		t.Errorf("what is wrong with the record itself is not said: %s", r.body)
	}
}
