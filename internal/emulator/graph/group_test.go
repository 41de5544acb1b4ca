package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// send asks with a body, and returns the status and the answer.
func (s *site) send(method, link, body, token string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+link, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

const groupDelta = "/v1.0/groups/delta?$select=displayName,members"

// sum adds up the members that rows tell, "-" before those who left.
func sum(rows []map[string]any) map[string][]string {
	all := map[string][]string{}
	for _, row := range rows {
		id := row["id"].(string)
		all[id] = append(all[id], []string{}...)
		members, _ := row["members@delta"].([]any)
		for _, m := range members {
			text := m.(map[string]any)["id"].(string)
			if m.(map[string]any)["@removed"] != nil {
				text = "-" + text
			}
			all[id] = append(all[id], text)
		}
	}
	return all
}

func TestALargeGroupIsRepeatedOverSeveralPages(t *testing.T) {
	people := Synced(450)
	large := Group{ID: GUID("large"), Name: "Large", Members: []string{GUID("small")}}
	for _, p := range people {
		large.Members = append(large.Members, p.ID())
	}
	small := Group{ID: GUID("small"), Name: "Small", Members: []string{people[0].ID()}, SID: "S-1-5-21-1-2-3-600"}
	s := start(t, people, large, small)
	rows, pages, last := s.all(groupDelta + ",onPremisesSecurityIdentifier")
	if got := sum(rows); pages != 3 || len(rows) != 4 || len(got[large.ID]) != 451 || len(got[small.ID]) != 1 || last.Delta == "" {
		t.Errorf("%d pages, %d rows, %d and %d members", pages, len(rows), len(got[large.ID]), len(got[small.ID]))
	}
	if m := rows[0]["members@delta"].([]any)[0].(map[string]any); m["@odata.type"] != "#microsoft.graph.group" || m["id"] != small.ID {
		t.Errorf("a group within: %v", m)
	}
	if rows[3]["onPremisesSecurityIdentifier"] != small.SID || rows[3]["displayName"] != "Small" {
		t.Errorf("%v", rows[3])
	}
	if rows, pages, _ := s.all("/v1.0/groups/" + large.ID + "/members?$top=100"); len(rows) != 451 || pages != 5 {
		t.Errorf("%d members on %d pages", len(rows), pages)
	}
	if rows, _, _ := s.all("/v1.0/groups?$select=displayName&$top=1"); len(rows) != 2 || rows[1]["displayName"] != "Small" {
		t.Errorf("%v", rows)
	}
}

func TestGroupsThatChange(t *testing.T) {
	id := func(n int) string { return GUID(fmt.Sprintf("person%d", n)) }
	a, b := Group{ID: GUID("a"), Name: "A", Members: []string{id(0)}}, Group{ID: GUID("b"), Name: "B"}
	s := start(t, Synced(3), a, b)
	latest := s.get("/v1.0/groups/delta?$deltatoken=latest&$select=displayName,members")
	if len(latest.Value) != 0 || latest.Delta == "" {
		t.Fatalf("%+v", latest)
	}
	s.Graph.Join(a.ID, []string{id(1), b.ID}, []string{id(0)})
	s.Graph.Join(a.ID, []string{id(2)}, nil)
	s.Graph.Join(a.ID, nil, []string{id(2)})
	s.Graph.RenameGroup(b.ID, "B, renamed")
	s.Graph.AddGroup(Group{ID: GUID("c"), Name: "C", Members: []string{a.ID}})
	rows, _, next := s.all(latest.Delta)
	want := []map[string]any{
		{"id": a.ID, "members@delta": []any{ // the name did not change, so it is absent
			map[string]any{"@odata.type": "#microsoft.graph.user", "id": id(1)},
			map[string]any{"@odata.type": "#microsoft.graph.group", "id": b.ID},
			map[string]any{"@odata.type": "#microsoft.graph.user", "id": id(0), "@removed": map[string]any{"reason": "deleted"}},
			map[string]any{"@odata.type": "#microsoft.graph.user", "id": id(2), "@removed": map[string]any{"reason": "deleted"}},
		}},
		{"id": b.ID, "displayName": "B, renamed"},
		{"id": GUID("c"), "displayName": "C", "members@delta": []any{map[string]any{"@odata.type": "#microsoft.graph.group", "id": a.ID}}},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	s.Graph.RemoveGroup(b.ID)
	if rows, _, _ := s.all(next.Delta); len(rows) != 1 || rows[0]["@removed"] == nil {
		t.Errorf("%v", rows)
	}
	if a := s.get("/v1.0/groups/" + b.ID); a.Status != 404 || a.Error.Code != "Request_ResourceNotFound" {
		t.Errorf("%d %+v", a.Status, a.Error)
	}
	s.pass(deltaLife + time.Minute)
	if a := s.get(next.Delta); a.Error.Code != "syncStateNotFound" {
		t.Errorf("after seven days: %+v", a)
	}
}

func TestBatch(t *testing.T) {
	s := start(t, Synced(3))
	s.Graph.Remove(GUID("person1"), false)
	ask := func(n int) (int, []answered) {
		t.Helper()
		var list []asked
		for i := range n {
			list = append(list, asked{ID: fmt.Sprint(i), Method: "GET", URL: "/users/" + GUID(fmt.Sprintf("person%d", i)) + "?$select=mail"})
		}
		raw, err := json.Marshal(map[string]any{"requests": list})
		if err != nil {
			t.Fatal(err)
		}
		status, text := s.send(http.MethodPost, "/v1.0/$batch", string(raw), s.token(graphScope))
		var all struct{ Responses []answered }
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return status, all.Responses
	}
	_, got := ask(3)
	if len(got) != 3 || got[0].ID != "2" || got[0].Status != 200 || got[1].Status != 404 || !strings.Contains(string(got[2].Body), `"mail":"person0@mail.example.org"`) {
		t.Errorf("%+v", got)
	}
	s.Graph.SetFault(&Fault{Endpoint: "user", After: 1, Times: 1, Status: 429, RetryAfter: 7 * time.Second})
	if _, got := ask(3); got[1].Status != 429 || got[1].Headers["Retry-After"] != "7" || got[0].Status != 200 {
		t.Errorf("each request is throttled on its own: %+v", got)
	}
	if status, _ := ask(21); status != 400 {
		t.Errorf("21 requests: %d", status)
	}
}

func TestPermissions(t *testing.T) {
	s := start(t, Synced(1), Group{ID: GUID("a"), Name: "A"})
	filter := "/v1.0/applications?$filter=appId%20eq%20'" + clientID + "'"
	if a := s.get(filter); len(a.Value) != 1 || a.Value[0]["passwordCredentials"].([]any)[0].(map[string]any)["hint"] != "a-c" {
		t.Errorf("%+v", a)
	}
	s.Graph.Grant(PermissionUsers)
	for link, want := range map[string]string{"/v1.0/users": "", "/v1.0/groups": PermissionGroups, groupDelta: PermissionGroups, filter: PermissionApplications} {
		a := s.get(link)
		if want != "" && (a.Status != 403 || !strings.Contains(a.Error.Message, want)) || want == "" && a.Status != 200 {
			t.Errorf("%s: %d %+v", link, a.Status, a.Error)
		}
	}
	s.Graph.Grant("Directory.Read.All")
	if a := s.get(filter); a.Status != 200 {
		t.Errorf("%+v", a.Error)
	}
}

func TestUnits(t *testing.T) {
	s := start(t, Synced(1))
	s.Graph.opts.Units = 5
	for i, want := range []int{200, 200, 429} {
		if a := s.get("/v1.0/users"); a.Status != want || want == 429 && a.Header.Get("Retry-After") == "" {
			t.Errorf("request %d: %d %v", i, a.Status, a.Header)
		}
	}
	if a := s.get("/v1.0/users?$select=id&$top=5"); a.Status != 200 {
		t.Errorf("a cheap one: %d", a.Status)
	}
	s.pass(quotaWindow)
	if a := s.get("/v1.0/users"); a.Status != 200 {
		t.Errorf("after ten seconds: %d", a.Status)
	}
}

func TestTheTenantIsChangedByHand(t *testing.T) {
	s := start(t, Synced(2))
	for _, step := range []struct{ method, link, body string }{
		{"POST", "/emulator/users", `{"userPrincipalName":"mia@example.org","displayName":"Mia"}`},
		{"PATCH", "/emulator/users/mia@example.org", `{"department":"Arts"}`},
		{"DELETE", "/emulator/users/person0@example.org", ""},
		{"DELETE", "/emulator/users/person1@example.org?for-good", ""},
		{"POST", "/emulator/users/person0@example.org/restore", ""},
		{"POST", "/emulator/groups", `{"displayName":"Staff","members":["person0@example.org"]}`},
		{"PATCH", "/emulator/groups/Staff", `{"join":["mia@example.org"],"leave":["person0@example.org"],"displayName":"All staff"}`},
	} {
		if status, text := s.send(step.method, step.link, step.body, ""); status != 204 {
			t.Errorf("%+v: %d %s", step, status, text)
		}
	}
	rows, _, _ := s.all("/v1.0/users?$select=userPrincipalName,department")
	if len(rows) != 2 || rows[1]["userPrincipalName"] != "mia@example.org" || rows[1]["department"] != "Arts" {
		t.Errorf("%v", rows)
	}
	rows, _, _ = s.all(groupDelta)
	if got := sum(rows); len(rows) != 1 || rows[0]["displayName"] != "All staff" || len(got[GUID("group Staff")]) != 1 {
		t.Errorf("%v", rows)
	}
	for _, step := range []struct{ method, link, body string }{
		{"PUT", "/emulator/fault", `{"Status":429,"RetryAfter":7}`}, {"PATCH", "/emulator/users/nobody@example.org", "{}"}, {"POST", "/emulator/users", "x"},
	} {
		want := 400
		if step.method == "PUT" {
			want = 204
		}
		if status, text := s.send(step.method, step.link, step.body, ""); status != want {
			t.Errorf("%+v: %d %s", step, status, text)
		}
	}
	if a := s.get("/v1.0/users"); a.Status != 429 || a.Header.Get("Retry-After") != "7" {
		t.Errorf("%+v", a)
	}
	_, _ = s.send("DELETE", "/emulator/fault", "", "")
	_, _ = s.send("PUT", "/emulator/permissions", "[]", "")
	if a := s.get("/v1.0/users"); a.Status != 403 {
		t.Errorf("%+v", a)
	}
	_, _ = s.send("DELETE", "/emulator/groups/Staff", "", "")
}

func TestNestedGroups(t *testing.T) {
	people := Synced(30)
	groups := Nested(12, people)
	if len(groups[0].Members) != 10+3 || len(groups[1].Members) != 1+3 || groups[1].Members[0] != groups[11].ID {
		t.Errorf("%+v", groups[:2])
	}
	parsed, err := ParseGroups([]byte(`[{"displayName":"A","members":["PERSON1@example.org","b"]},{"displayName":"B","members":["A"]}]`), people)
	want := []Group{
		{ID: GUID("group A"), Name: "A", Members: []string{GUID("person1"), GUID("group B")}}, {ID: GUID("group B"), Name: "B", Members: []string{GUID("group A")}},
	}
	if diff := cmp.Diff(want, parsed); err != nil || diff != "" {
		t.Errorf("%v -want +got\n%s", err, diff)
	}
	for _, text := range []string{"", "{}", `[{"members":[]}]`} {
		if _, err := ParseGroups([]byte(text), nil); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
