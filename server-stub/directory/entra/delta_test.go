package entra

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

func keyOf(name string) directory.Key {
	return directory.Key{Kind: core.IdentityEntraOID, ID: tenantID + "/" + graph.GUID(name)}
}

// begin reads everything and returns the bookmark.
func begin(t *testing.T, s *Source) directory.Bookmark {
	t.Helper()
	reading, err := s.Read(t.Context(), directory.Request{Groups: true}, directorytest.NewSeen(nil))
	if err != nil || !reading.Complete || reading.Next == nil {
		t.Fatalf("%+v, %v", reading, err)
	}
	return reading.Next
}

func changesSince(t *testing.T, s *Source, b directory.Bookmark) (*directorytest.Seen, directory.Bookmark) {
	t.Helper()
	seen := directorytest.NewSeen(nil)
	reading, err := s.Read(t.Context(), directory.Request{Since: b, Groups: true}, seen)
	if err != nil || reading.Complete {
		t.Fatalf("%+v, %v", reading, err)
	}
	return seen, reading.Next
}

func TestA2_01_ChangesOfPeopleAndGroups(t *testing.T) {
	people := graph.Synced(60)
	groups := graph.Nested(5, people)
	tt := newTenant(t, people, groups...)
	s, _ := source(t, tt.config(), t.Output())
	next := begin(t, s)
	before := tt.Graph.Calls()

	tt.Graph.Change(graph.GUID("person1"), graph.Person{"department": nil, "displayName": "Renamed"})
	tt.Graph.Remove(graph.GUID("person2"), false) // into the bin
	tt.Graph.Remove(graph.GUID("person3"), true)  // for good
	tt.Graph.Remove(graph.GUID("person4"), false)
	tt.Graph.Restore(graph.GUID("person4"))
	tt.Graph.Change(graph.GUID("person5"), graph.Person{"userType": "Guest"})
	tt.Graph.Add(graph.Person{"id": graph.GUID("new"), "userPrincipalName": "new@example.org", "accountEnabled": true})
	tt.Graph.Join(groups[1].ID, []string{graph.GUID("new"), groups[3].ID}, []string{graph.GUID("person1")})
	tt.Graph.RenameGroup(groups[2].ID, "Renamed")
	tt.Graph.RemoveGroup(groups[4].ID)
	tt.Graph.AddGroup(graph.Group{ID: graph.GUID("added"), Name: "Added", SID: "S-1-5-21-9-9-9-9", Members: []string{groups[0].ID}})

	seen, next := changesSince(t, s, next)
	if len(seen.People) != 3 {
		t.Errorf("%d people: %+v", len(seen.People), seen.People)
	}
	// Absent is not null: what did not change is there, what was cleared is empty.
	if r := seen.People[keyOf("person1")]; r.DisplayName != "Renamed" || r.Department != "" || r.SAM != "person1" || r.Office != "B 2" {
		t.Errorf("%+v", r)
	}
	want := map[directory.Key]bool{keyOf("person2"): true, keyOf("person3"): true, keyOf("person5"): true, keyOf("Group 4"): true}
	if diff := cmp.Diff(want, seen.Left); diff != "" {
		t.Errorf("gone: -want +got\n%s", diff)
	}
	gid := func(n int) directory.Key { return keyOf(fmt.Sprintf("Group %d", n)) }
	wantGroups := map[directory.Key]directory.Group{
		gid(1):         {Key: gid(1), Name: "Group 1", Changed: true, Members: []directory.Key{gid(3), keyOf("new")}, Removed: []directory.Key{keyOf("person1")}, Where: "group Group 1"},
		gid(2):         {Key: gid(2), Name: "Renamed", Changed: true, Where: "group Renamed"},
		keyOf("added"): {Key: keyOf("added"), SID: "S-1-5-21-9-9-9-9", Name: "Added", Changed: true, Members: []directory.Key{gid(0)}, Where: "group Added"},
	}
	sorted := cmpopts.SortSlices(func(a, b directory.Key) bool { return a.ID < b.ID })
	if diff := cmp.Diff(wantGroups, seen.Groups, sorted, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("groups: -want +got\n%s", diff)
	}
	after := tt.Graph.Calls()
	if n := after["users"] - before["users"]; n != 0 {
		t.Errorf("%d pages of everybody were read", n)
	}
	if n := after["batch"] - before["batch"]; n != 2 {
		t.Errorf("%d batches", n)
	}
	if seen, _ := changesSince(t, s, next); len(seen.People)+len(seen.Left)+len(seen.Groups) != 0 {
		t.Errorf("nothing changed: %+v", seen)
	}
}

func TestWhatChangesDuringAReadingIsToldNextTime(t *testing.T) {
	tt := newTenant(t, graph.Synced(30))
	cfg := tt.config()
	cfg.PageSize = 10
	s, _ := source(t, cfg, t.Output())
	n := 0
	reading, err := s.Read(t.Context(), directory.Request{Groups: true}, sinkOf(func(r directory.Record) error {
		if n++; n == 15 { // page one was read already
			tt.Graph.Change(graph.GUID("person0"), graph.Person{"displayName": "Changed meanwhile"})
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	seen, _ := changesSince(t, s, reading.Next)
	if r := seen.People[keyOf("person0")]; r.DisplayName != "Changed meanwhile" {
		t.Errorf("%+v", seen.People)
	}
}

func TestReplaysAndAnyOrderOfChanges(t *testing.T) {
	for name, fault := range map[string]graph.Fault{
		"rows twice":       {Replay: true},
		"the other order":  {Reverse: true},
		"some empty pages": {Endpoint: "delta", Times: 20, Empty: true},
		"pages again":      {Endpoint: "groups/delta", Times: 20, Duplicate: true},
		"people again":     {Endpoint: "delta", Times: 20, Duplicate: true},
	} {
		t.Run(name, func(t *testing.T) {
			people := graph.Synced(450)
			groups := graph.Nested(3, people)
			tt := newTenant(t, people, groups...)
			s, _ := source(t, tt.config(), t.Output())
			next := begin(t, s)
			for i := range 450 {
				tt.Graph.Change(graph.GUID(fmt.Sprintf("person%d", i)), graph.Person{"displayName": "Changed"})
			}
			var all []string
			for _, p := range people {
				all = append(all, p.ID())
			}
			tt.Graph.Join(groups[2].ID, all, nil) // over several pages
			tt.Graph.SetFault(&fault)
			seen, _ := changesSince(t, s, next)
			if g := seen.Groups[keyOf("Group 2")]; len(seen.People) != 450 || len(g.Members) != 300 {
				t.Errorf("%d people, %d new members", len(seen.People), len(g.Members))
			}
			tt.Graph.SetFault(&fault)
			whole := directorytest.NewSeen(nil)
			if _, err := s.Read(t.Context(), directory.Request{Groups: true}, whole); err != nil {
				t.Fatal(err)
			}
			if g := whole.Groups[keyOf("Group 2")]; len(whole.People) != 450 || len(g.Members) != 450 {
				t.Errorf("%d people, %d members", len(whole.People), len(g.Members))
			}
		})
	}
}

func TestWhoIsSaidToBeRemovedAndThereIsLookedUp(t *testing.T) {
	tt := newTenant(t, graph.Synced(5))
	s, _ := source(t, tt.config(), t.Output())
	next := begin(t, s)
	tt.Graph.Change(graph.GUID("person1"), graph.Person{"displayName": "Back again"})
	tt.Graph.Change(graph.GUID("person2"), graph.Person{"displayName": "Gone meanwhile"})
	for _, reverse := range []bool{false, true} {
		tt.Graph.SetFault(&graph.Fault{Endpoint: "delta", Ghosts: true, Reverse: reverse})
		seen, _ := changesSince(t, s, next)
		if _, there := seen.People[keyOf("person1")]; !there || len(seen.Left) > 0 || len(seen.People) != 2 {
			t.Errorf("reverse %t: %v, gone %v", reverse, seen.People, seen.Left)
		}
	}
}

func TestStartingOver(t *testing.T) {
	people := graph.Synced(30)
	tt := newTenant(t, people, graph.Nested(2, people)...)
	cfg := tt.config()
	s, _ := source(t, cfg, t.Output())
	next := begin(t, s)
	starts := func(t *testing.T, s *Source, b directory.Bookmark) {
		t.Helper()
		seen := directorytest.NewSeen(nil)
		reading, err := s.Read(t.Context(), directory.Request{Since: b, Groups: true}, seen)
		if !errors.Is(err, directory.ErrStartOver) || errors.Is(err, core.ErrUnavailable) || reading.Next != nil || len(seen.People)+len(seen.Left)+len(seen.Groups) > 0 {
			t.Errorf("%+v, %v", reading, err)
		}
	}
	for _, fault := range []graph.Fault{
		{Status: http.StatusGone},
		{Status: http.StatusBadRequest, Code: "syncStateNotFound"},
		{Status: http.StatusNotFound, Code: "syncStateNotFound"},
		{Status: http.StatusForbidden, Code: "syncStateNotFound"},
		{Status: http.StatusUnauthorized, Code: "syncStateInvalid"},
		{Status: http.StatusConflict, Code: "resyncRequired"},
	} {
		for _, endpoint := range []string{"delta", "groups/delta"} {
			t.Run(fmt.Sprint(fault.Status, " ", fault.Code, " ", endpoint), func(t *testing.T) {
				fault.Endpoint = endpoint
				tt.Graph.SetFault(&fault)
				defer tt.Graph.SetFault(nil)
				starts(t, s, next)
			})
		}
	}
	t.Run("after seven days", func(t *testing.T) {
		var past time.Duration
		own := newTenantAt(t, func() time.Time { return time.Now().Add(past) }, people)
		s, _ := source(t, own.config(), t.Output())
		next := begin(t, s)
		own.Graph.Change(people[0].ID(), graph.Person{"displayName": "x"})
		past = -8 * 24 * time.Hour // tokens of the future are as old as they look
		old := begin(t, s)
		past = 0
		starts(t, s, old)
		if seen, _ := changesSince(t, s, next); len(seen.People) != 1 {
			t.Errorf("%+v", seen.People)
		}
	})
	t.Run("another configuration", func(t *testing.T) {
		other := cfg
		other.Cards = []string{"employeeId"}
		s, _ := source(t, other, t.Output())
		starts(t, s, next)
	})
	t.Run("another cloud", func(t *testing.T) {
		starts(t, s, directory.Bookmark(strings.ReplaceAll(string(next), tt.URL(), "https://graph.example.com")))
	})
	t.Run("groups are wanted now", func(t *testing.T) {
		reading, err := s.Read(t.Context(), directory.Request{}, directorytest.NewSeen(nil))
		if err != nil {
			t.Fatal(err)
		}
		starts(t, s, reading.Next)
	})
	t.Run("too many changed", func(t *testing.T) {
		own := newTenant(t, graph.Synced(1200))
		s, _ := source(t, own.config(), t.Output())
		next := begin(t, s)
		for i := range 1001 {
			own.Graph.Change(graph.GUID(fmt.Sprintf("person%d", i)), graph.Person{"displayName": "Changed"})
		}
		starts(t, s, next)
		if n := own.Graph.Calls()["user"]; n != 0 {
			t.Errorf("%d people were read one by one", n)
		}
	})
}

func TestLookup(t *testing.T) {
	tt := newTenant(t, graph.Synced(45))
	s, pauses := source(t, tt.config(), t.Output())
	var keys []directory.Key
	for i := range 45 {
		keys = append(keys, keyOf(fmt.Sprintf("person%d", i)))
	}
	tt.Graph.Remove(graph.GUID("person7"), false)
	stranger := directory.Key{Kind: core.IdentityEntraOID, ID: clientID + "/" + graph.GUID("person0")}
	tt.Graph.SetFault(&graph.Fault{Endpoint: "user", After: 3, Times: 2, Status: http.StatusTooManyRequests, RetryAfter: 9 * time.Second})
	seen := directorytest.NewSeen(nil)
	if err := s.Lookup(t.Context(), append(keys, stranger), seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.People) != 44 || !seen.Left[keyOf("person7")] || !seen.Left[stranger] || len(seen.Left) != 2 {
		t.Errorf("%d people, gone %v", len(seen.People), seen.Left)
	}
	// Only the two that were throttled are asked for again.
	if n := tt.Graph.Calls()["user"]; n != 47 || len(*pauses) != 1 || (*pauses)[0] < 9*time.Second {
		t.Errorf("%d requests, pauses %v", n, *pauses)
	}
}
