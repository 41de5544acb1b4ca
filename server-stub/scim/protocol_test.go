package scim_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/server-stub/scim"
	"github.com/platenprint/platen/server-stub/store"
)

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// R-SCIM-3: the limits of a request.
func TestLimitsOfRequests(t *testing.T) {
	s := newSite(t)
	id := s.want(201, "POST", "/Users", `{"userName":"alex"}`).id()
	deep := strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17)
	for _, tt := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"1 MiB and a byte", "POST", "/Users", `{"userName":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"17 levels", "POST", "/Users", `{"userName":"b","x":` + deep + `}`, 400},
		{"1,001 operations", "PATCH", "/Users/" + id, `{"Operations":[` + strings.Repeat(`{"op":"add","path":"title","value":"x"},`, 1000) + `{"op":"add","path":"title","value":"x"}]}`, 413},
		{"no JSON", "POST", "/Users", `{"userName":`, 400},
		{"a list", "POST", "/Users", `[]`, 400},
		{"nothing", "POST", "/Users", ``, 400},
		{"two objects", "POST", "/Users", `{"userName":"b"}{}`, 400},
		{"a key twice", "POST", "/Users", `{"userName":"b","userName":"c"}`, 400},
		{"a key twice in other letters", "POST", "/Users", `{"userName":"b","USERNAME":"c"}`, 400},
		{"no username", "POST", "/Users", `{"displayName":"x"}`, 400},
		{"a zero byte", "POST", "/Users", `{"userName":"a\u0000b"}`, 400},
		{"no group name", "POST", "/Groups", `{"externalId":"x"}`, 400},
		{"another id", "PUT", "/Users/" + id, `{"id":"x","userName":"alex"}`, 400},
		{"bulk", "POST", "/Bulk", `{}`, 404},
		{"no such endpoint", "GET", "/Nothing", ``, 404},
		{"no such method", "DELETE", "/Users", ``, 405},
		{"no such user", "GET", "/Users/nobody", ``, 404},
		{"a group is no user", "PATCH", "/Groups/" + id, `{"Operations":[]}`, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := s.ask(tt.method, tt.path, tt.body)
			if got.status != tt.want || got.at("schemas") == nil || got.at("status") != fmt.Sprint(tt.want) {
				t.Errorf("%d %s, want %d", got.status, shortly(got.body), tt.want)
			}
		})
	}
	if u := s.person("alex"); u.DisplayName != "" {
		t.Errorf("something was done: %+v", u)
	}
}

func shortly(s string) string { return s[:min(len(s), 300)] }

// What the server says of itself: nothing null, no secret readable, sorting and bulk said to be missing.
func TestA3_58_Discovery(t *testing.T) {
	s := newSite(t)
	config := s.want(200, "GET", "/ServiceProviderConfig", "")
	for feature, want := range map[string]bool{"patch": true, "filter": true, "etag": true, "bulk": false, "sort": false, "changePassword": false} {
		if config.at(feature, "supported") != want {
			t.Errorf("%s: %s", feature, config.body)
		}
	}
	schemas := s.want(200, "GET", "/Schemas", "")
	if strings.Contains(schemas.body, "null") || schemas.at("totalResults") != 4.0 {
		t.Errorf("%s", schemas.body)
	}
	for _, urn := range []string{
		"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
		"urn:ietf:params:scim:schemas:extension:papercut:2.0:User",
	} {
		t.Run("A3_58 "+urn, func(t *testing.T) {
			got := s.want(200, "GET", "/Schemas/"+urn, "")
			if got.id() != urn || got.at("attributes", "name") == nil {
				t.Errorf("%s", got.body)
			}
			attributes, _ := got.json["attributes"].([]any)
			for _, a := range attributes {
				o, _ := a.(map[string]any)
				if name, _ := o["name"].(string); strings.HasPrefix(name, "access") && (o["returned"] != "never" || o["mutability"] != "writeOnly") || name == "password" || name == "roles" {
					t.Errorf("%v", o)
				}
			}
		})
	}
	s.want(404, "GET", "/Schemas/urn:nobody", "")
	types := s.want(200, "GET", "/ResourceTypes", "")
	if types.at("totalResults") != 2.0 || !strings.Contains(types.body, "papercut") {
		t.Errorf("%s", types.body)
	}
	s.want(200, "GET", "/ResourceTypes/User", "")
	s.want(404, "GET", "/ResourceTypes/Printer", "")
	for _, path := range []string{"/ServiceProviderConfig", "/Schemas", "/ResourceTypes"} {
		if got := s.askAs(secretOf("x"), "GET", path, ""); got.status != 401 {
			t.Errorf("%s without a token: %d", path, got.status)
		}
	}
}

// Two programs that write one connection are noticed.
func TestA3_44_TwoWriters(t *testing.T) {
	warning := func(t *testing.T, s *site) string {
		t.Helper()
		c, err := s.tokens.Connection(t.Context(), "entra")
		if err != nil {
			t.Fatal(err)
		}
		return c.Warning
	}
	t.Run("A3_44 two tokens in turn", func(t *testing.T) {
		s := newSite(t)
		second, _, err := s.tokens.Issue(t.Context(), "admin", "entra", scim.TokenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 { // a rotation: workers do not change over at one moment
			s.ask("GET", "/Users", "")
			s.askAs(second, "GET", "/Users", "")
			s.later(5 * time.Minute)
		}
		if got := warning(t, s); got != "" {
			t.Fatalf("a rotation is warned of: %s", got)
		}
		s.later(time.Hour)
		s.askAs(second, "GET", "/Users", "")
		s.later(time.Hour)
		s.askAs(second, "GET", "/Users", "")
		if got := warning(t, s); got != "" {
			t.Fatalf("the new token alone is warned of: %s", got)
		}
		for range 2 {
			s.ask("GET", "/Users", "")
			s.askAs(second, "GET", "/Users", "")
			s.later(40 * time.Minute)
		}
		if got := warning(t, s); !strings.Contains(got, "two programs") {
			t.Errorf("the warning is %q", got)
		}
	})
	t.Run("A3_44 an externalId that goes back and forth", func(t *testing.T) {
		s := newSite(t)
		id := s.want(201, "POST", "/Users", `{"userName":"alex","externalId":"nickname"}`).id()
		set := func(external string) {
			s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"externalId","value":"`+external+`"}]}`)
		}
		set("oid") // remapped once
		set("oid")
		if got := warning(t, s); got != "" {
			t.Fatalf("one change is warned of: %s", got)
		}
		set("nickname")
		if got := warning(t, s); !strings.Contains(got, "back and forth") {
			t.Errorf("the warning is %q", got)
		}
	})
	t.Run("A3_44 the last use is known", func(t *testing.T) {
		s := newSite(t)
		s.later(time.Hour)
		s.ask("GET", "/Users", "")
		c, err := s.tokens.Connection(t.Context(), "entra")
		list, err2 := s.tokens.List(t.Context(), "entra")
		if err := errors.Join(err, err2); err != nil || !c.LastSeenAt.Equal(start.Add(time.Hour)) || !list[0].LastUsedAt.Equal(c.LastSeenAt) {
			t.Errorf("%v: %+v %+v", err, c, list)
		}
	})
}

// The provisioning log tells what became of every request that was to change something.
func TestA3_67_ProvisioningLog(t *testing.T) {
	s := newSite(t)
	id := s.want(201, "POST", "/Users", `{"userName":"alex","externalId":"e","roles":[{"value":"x"}]}`).id()
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"displayName","value":"A"}]}`)
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"displayName","value":"A"}]}`)
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"True"}]}`)
	s.want(400, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"shoeSize","value":"A"}]}`)
	s.want(200, "GET", "/Users/"+id, "")
	s.want(204, "DELETE", "/Users/"+id, "")
	u := s.person("alex")
	var got []string
	for _, e := range s.log() {
		if e.Resource != id || e.Name != "alex" || e.UserID != u.ID || e.Token == "" || !e.At.Equal(start) {
			t.Errorf("%+v", e)
		}
		got = append(got, fmt.Sprintf("%s %d %s (%s)", e.Operation, e.Status, e.Result, e.Detail))
	}
	want := []string{
		"create 201 created (ignored: roles)", "update 200 updated ()", "update 200 unchanged ()", "update 200 disabled ()", "update 200 enabled ()",
		`update 400 refused (there is no attribute "shoeSize")`, "delete 204 deleted ()",
	}
	if !slices.Equal(want, got) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	t.Run("A3_67 it is read on", func(t *testing.T) {
		after := s.log()[4].ID
		rest, err := s.tokens.Log(t.Context(), "entra", after, 10)
		if err != nil || len(rest) != 2 {
			t.Errorf("%v %v", rest, err)
		}
	})
	t.Run("A3_67 it is kept for 30 days", func(t *testing.T) {
		s.later(30*24*time.Hour + time.Second)
		if err := s.tokens.Purge(t.Context()); err != nil || len(s.log()) != 0 {
			t.Errorf("%v, %d lines", err, len(s.log()))
		}
	})
}

// Whenever the server stops, the person, the resource and the line of the log are all there or none is, and a request that comes
// again does what it was to do.
func TestFault_F14_ACrashLeavesAllOrNothing(t *testing.T) {
	const alex = `{"userName":"alex","externalId":"e"}`
	rename := func(to string) string {
		return `{"Operations":[{"op":"replace","path":"displayName","value":"` + to + `"}]}`
	}
	did := func(s *site, result string) (n int) {
		for _, e := range s.log() {
			if e.Result == result {
				n++
			}
		}
		return n
	}
	t.Run("before the commit", func(t *testing.T) {
		s := newSite(t)
		s.engine.crashes(beforeCommit)
		s.want(500, "POST", "/Users", alex)
		if got := s.want(200, "GET", "/Users", ""); got.at("totalResults") != 0.0 || len(s.everybody()) != 0 || did(s, "created") != 0 {
			t.Errorf("%s %v", got.body, s.everybody())
		}
		s.engine.crashes(never)
		id := s.want(201, "POST", "/Users", alex).id()
		before := s.everybody()
		s.engine.crashes(beforeCommit)
		s.want(500, "PATCH", "/Users/"+id, rename("A"))
		s.want(500, "DELETE", "/Users/"+id, "")
		got := s.want(200, "GET", "/Users/"+id, "")
		if diff := cmp.Diff(before, s.everybody()); diff != "" || got.at("displayName") != nil || did(s, "updated")+did(s, "deleted") != 0 {
			t.Errorf("%s\n%s", got.body, diff)
		}
		s.engine.crashes(never)
		s.want(200, "PATCH", "/Users/"+id, rename("A"))
		if u := s.person("alex"); u.DisplayName != "A" || did(s, "updated") != 1 {
			t.Errorf("%+v", u)
		}
		s.want(204, "DELETE", "/Users/"+id, "")
	})
	t.Run("before the answer", func(t *testing.T) {
		s := newSite(t)
		s.engine.crashes(afterCommit)
		s.want(500, "POST", "/Users", alex)
		s.engine.crashes(never)
		found := s.want(200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "alex"`), "")
		id, _ := found.at("Resources", "id").(string)
		s.want(409, "POST", "/Users", alex)
		if u := s.person("alex"); id == "" || did(s, "created") != 1 || !u.Active() { // one only
			t.Fatalf("%s", found.body)
		}
		s.engine.crashes(afterCommit)
		s.want(500, "PATCH", "/Users/"+id, rename("A"))
		s.engine.crashes(never)
		s.want(200, "PATCH", "/Users/"+id, rename("A"))
		if u := s.person("alex"); u.DisplayName != "A" || did(s, "updated") != 1 || did(s, "unchanged") != 1 {
			t.Errorf("%+v", u)
		}
		s.engine.crashes(afterCommit)
		s.want(500, "DELETE", "/Users/"+id, "")
		s.engine.crashes(never)
		s.want(404, "DELETE", "/Users/"+id, "")
		if u := s.person("alex"); u.DeletedAt.IsZero() {
			t.Errorf("%+v", u)
		}
	})
}

// After an undo, or an administrator's word, the provider sees how people stand, and no other change puts them out again.
func TestHowPeopleStandIsShown(t *testing.T) {
	s := newSite(t)
	id := s.want(201, "POST", "/Users", `{"userName":"alex"}`).id()
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
	u := s.person("alex")
	u.Disabled, u.DisabledBySource = false, false
	if err := s.store.Update(t.Context(), func(tx store.Tx) error { return tx.UpdateUser(t.Context(), u) }); err != nil {
		t.Fatal(err)
	}
	if got := s.want(200, "GET", "/Users/"+id, ""); got.at("active") != true {
		t.Errorf("%s", got.body)
	}
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"title","value":"T"}]}`)
	if s.person("alex").Disabled {
		t.Error("a change of the title disabled her again")
	}
	s.want(200, "PATCH", "/Users/"+id, `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
	if !s.person("alex").Disabled {
		t.Error("the provider cannot disable her again")
	}
}

// Writes of one connection at the same moment do not get lost.
func TestWritesAtTheSameMoment(t *testing.T) {
	s := newSite(t)
	id := s.want(201, "POST", "/Users", `{"userName":"alex"}`).id()
	done := make(chan int, 40)
	for i := range 20 {
		go func() {
			done <- s.ask("PATCH", "/Users/"+id, fmt.Sprintf(`{"Operations":[{"op":"add","path":"phoneNumbers","value":[{"value":"%d"}]}]}`, i)).status
		}()
		go func() { done <- s.ask("POST", "/Users", fmt.Sprintf(`{"userName":"u%d"}`, i%10)).status }()
	}
	count := map[int]int{}
	for range 40 {
		count[<-done]++
	}
	if count[200] != 20 || count[201] != 10 || count[409] != 10 {
		t.Errorf("the answers: %v", count)
	}
	got := s.want(200, "GET", "/Users/"+id, "")
	if numbers, _ := got.json["phoneNumbers"].([]any); len(numbers) != 20 {
		t.Errorf("%d of 20 are there", len(numbers))
	}
}
