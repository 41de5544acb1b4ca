package graph

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/platenprint/platen/internal/emulator/entra"
)

// TestMain sees to it that a closed emulator leaves nothing behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	tenantID = "11111111-2222-3333-4444-555555555555"
	clientID = "66666666-7777-8888-9999-000000000000"
	secret   = "a-client-secret"
)

type site struct {
	*Tenant

	t      *testing.T
	client *http.Client

	mu  sync.Mutex
	now time.Time
}

// certificate makes one for localhost.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

func start(t *testing.T, people []Person, groups ...Group) *site {
	t.Helper()
	pair := certificate(t)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, now: time.Now()}
	s.Tenant, err = StartTenant(t.Context(), "127.0.0.1:0", pair,
		entra.Config{Tenant: tenantID, Apps: []entra.App{{ID: clientID, Secret: secret}, {ID: tenantID, Secret: secret, Scopes: []string{"x"}}}},
		Options{People: people, Groups: groups, Permissions: []string{PermissionUsers, PermissionGroups, PermissionApplications}, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(func() { transport.CloseIdleConnections(); _ = s.Close() })
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *site) token(scope string) string {
	s.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {scope}}
	res, err := s.client.PostForm(s.URL()+"/"+tenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		s.t.Fatalf("no token: %v", err)
	}
	return answer.Token
}

const graphScope = "https://graph.microsoft.com/.default"

// answer is a page or an error.
type answer struct {
	Status int
	Header http.Header
	Value  []map[string]any `json:"value"`
	Next   string           `json:"@odata.nextLink"`
	Delta  string           `json:"@odata.deltaLink"`
	Error  struct {
		Code, Message string
	} `json:"error"`
}

func (s *site) ask(link, token string) answer {
	s.t.Helper()
	if strings.HasPrefix(link, "/") {
		link = s.URL() + link
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, link, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
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
	a := answer{Status: res.StatusCode, Header: res.Header}
	if err := json.Unmarshal(raw, &a); err != nil {
		a.Error.Code = "no JSON"
	}
	return a
}

func (s *site) get(link string) answer { s.t.Helper(); return s.ask(link, s.token(graphScope)) }

// all follows the links, and returns all rows with the last answer.
func (s *site) all(link string) (rows []map[string]any, pages int, last answer) {
	s.t.Helper()
	for link != "" {
		last = s.get(link)
		if last.Status != http.StatusOK {
			s.t.Fatalf("%s: %d %+v", link, last.Status, last.Error)
		}
		rows, pages, link = append(rows, last.Value...), pages+1, last.Next
	}
	return rows, pages, last
}

func TestPaging(t *testing.T) {
	s := start(t, Synced(450))
	for query, want := range map[string]int{"": 5, "?$top=999": 1, "?$top=200": 3, "?$top=450": 1, "?$top=45&$select=id": 10} {
		rows, pages, _ := s.all("/v1.0/users" + query)
		if len(rows) != 450 || pages != want {
			t.Errorf("%s: %d rows on %d pages", query, len(rows), pages)
		}
	}
	// Changes ignore $top: 200 at most.
	rows, pages, last := s.all("/v1.0/users/delta?$top=999&$select=displayName")
	if len(rows) != 450 || pages != 3 || last.Delta == "" {
		t.Errorf("delta: %d rows on %d pages", len(rows), pages)
	}
}

func TestSelection(t *testing.T) {
	s := start(t, []Person{{"id": GUID("a"), "userPrincipalName": "a@example.org", "accountEnabled": true}})
	a := s.get("/v1.0/users?$select=userPrincipalName,department,proxyAddresses,accountEnabled")
	want := []map[string]any{{"id": GUID("a"), "userPrincipalName": "a@example.org", "department": nil, "proxyAddresses": []any{}, "accountEnabled": true}}
	if diff := cmp.Diff(want, a.Value); diff != "" {
		t.Errorf("what is not set is null, lists are empty: -want +got\n%s", diff)
	}
	if a := s.get("/v1.0/users"); len(a.Value[0]) != len(usual) {
		t.Errorf("%v", a.Value)
	}
}

func TestRefusals(t *testing.T) {
	s := start(t, Synced(1))
	good := s.token(graphScope)
	for name, test := range map[string]struct {
		link, token string
		status      int
		code        string
	}{
		"no token":         {"/v1.0/users", "", 401, "InvalidAuthenticationToken"},
		"no JWT":           {"/v1.0/users", "hello", 401, "InvalidAuthenticationToken"},
		"spoilt signature": {"/v1.0/users", good[:len(good)-4] + "AAAA", 401, "InvalidAuthenticationToken"},
		"for another API":  {"/v1.0/users", s.token("api://" + tenantID + "/.default"), 401, "InvalidAuthenticationToken"},
		"1000 at a time":   {"/v1.0/users?$top=1000", good, 400, "Request_UnsupportedQuery"},
		"none at a time":   {"/v1.0/users?$top=0", good, 400, "Request_UnsupportedQuery"},
		"unknown property": {"/v1.0/users?$select=id,shoeSize", good, 400, "BadRequest"},
		"unknown option":   {"/v1.0/users?$filter=x", good, 400, "Request_UnsupportedQuery"},
		"bad page":         {"/v1.0/users?$skiptoken=x", good, 400, "Directory_ExpiredPageToken"},
		"bad delta":        {"/v1.0/users/delta?$deltatoken=x", good, 400, "BadRequest"},
	} {
		if a := s.ask(test.link, test.token); a.Status != test.status || a.Error.Code != test.code {
			t.Errorf("%s: %d %+v", name, a.Status, a.Error)
		}
	}
	s.Graph.Grant("Group.Read.All")
	if a := s.ask("/v1.0/users", good); a.Status != 403 || a.Error.Code != "Authorization_RequestDenied" || !strings.Contains(a.Error.Message, PermissionUsers) {
		t.Errorf("%d %+v", a.Status, a.Error)
	}
	s.Graph.Grant(PermissionUsers)
	s.pass(2 * time.Hour)
	if a := s.ask("/v1.0/users", good); a.Status != 401 {
		t.Errorf("a token of two hours ago: %d", a.Status)
	}
}

func TestDelta(t *testing.T) {
	s := start(t, Synced(5))
	id := func(n int) string { return GUID("person" + string(rune('0'+n))) }
	latest := s.get("/v1.0/users/delta?$deltatoken=latest&$select=displayName,department,accountEnabled")
	if len(latest.Value) != 0 || latest.Delta == "" || latest.Next != "" {
		t.Fatalf("%+v", latest)
	}
	_, _, whole := s.all("/v1.0/users/delta?$select=mail")

	s.Graph.Change(id(0), Person{"displayName": "Renamed", "mail": "new@example.org"})
	s.Graph.Change(id(0), Person{"department": nil})
	s.Graph.Change(id(1), Person{"mail": "only@example.org"}) // not selected
	s.Graph.Change(id(1), Person{"accountEnabled": true})     // as it was
	s.Graph.Remove(id(2), false)
	s.Graph.Remove(id(3), true)
	s.Graph.Remove(id(4), false)
	s.Graph.Restore(id(4))
	s.Graph.Add(Person{"id": GUID("new"), "userPrincipalName": "new@example.org", "displayName": "New", "accountEnabled": false})
	rows, _, next := s.all(latest.Delta)
	want := []map[string]any{
		{"id": id(0), "displayName": "Renamed", "department": nil}, // absent is not null
		{"id": id(2), "@removed": map[string]any{"reason": "changed"}},
		{"id": id(3), "@removed": map[string]any{"reason": "deleted"}},
		{"id": id(4), "displayName": "Person 4", "department": "Science", "accountEnabled": true},
		{"id": GUID("new"), "displayName": "New", "department": nil, "accountEnabled": false},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if again, _, _ := s.all(latest.Delta); cmp.Diff(rows, again) != "" {
		t.Errorf("the same link says something else: %v", again)
	}
	if rows, _, _ := s.all(next.Delta); len(rows) != 0 {
		t.Errorf("%v", rows)
	}
	if rows, _, _ := s.all(whole.Delta + "&$select=displayName"); len(rows) != 6 || rows[0]["mail"] != "new@example.org" || rows[0]["displayName"] != nil {
		t.Errorf("the selection is frozen in the token: %v", rows)
	}
	if rows, _, _ := s.all("/v1.0/users"); len(rows) != 4 {
		t.Errorf("%d people are left", len(rows))
	}
	s.pass(deltaLife + time.Minute)
	if a := s.get(latest.Delta); a.Status != 400 || a.Error.Code != "syncStateNotFound" {
		t.Errorf("after seven days: %d %+v", a.Status, a.Error)
	}
}

func TestFaults(t *testing.T) {
	s := start(t, Synced(30))
	const link = "/v1.0/users?$top=10"
	s.Graph.SetFault(&Fault{After: 1, Times: 1, Status: 429, RetryAfter: 7 * time.Second})
	for i, want := range []int{200, 429, 200} {
		a := s.get(link)
		if a.Status != want || a.Status == 429 && a.Header.Get("Retry-After") != "7" {
			t.Errorf("answer %d: %d %v", i, a.Status, a.Header)
		}
	}
	for name, test := range map[string]struct {
		fault Fault
		right func(answer) bool
	}{
		"410": {Fault{Status: 410}, func(a answer) bool {
			return a.Status == 410 && strings.HasSuffix(a.Header.Get("Location"), "$deltatoken=")
		}},
		"503":       {Fault{Status: 503}, func(a answer) bool { return a.Status == 503 && a.Header.Get("Retry-After") == "" }},
		"truncated": {Fault{Truncate: true}, func(a answer) bool { return a.Status == 200 && a.Error.Code == "no JSON" }},
		"foreign":   {Fault{NextLink: "https://x.example.org/"}, func(a answer) bool { return a.Next == "https://x.example.org/" && len(a.Value) == 10 }},
		"replay":    {Fault{Replay: true}, func(a answer) bool { return len(a.Value) == 20 && a.Value[0]["id"] == a.Value[10]["id"] }},
		"hide":      {Fault{Hide: "mail"}, func(a answer) bool { return a.Value[0]["mail"] == nil && a.Value[0]["surname"] != nil }},
		"empty":     {Fault{Empty: true}, func(a answer) bool { return len(a.Value) == 0 && a.Next != "" && s.get(a.Next).Next != a.Next }},
		"duplicate": {Fault{Duplicate: true}, func(a answer) bool {
			b := s.get(a.Next)
			return len(a.Value) == 10 && cmp.Diff(a.Value, b.Value) == "" && b.Next != a.Next
		}},
		"cycle": {Fault{Cycle: true}, func(a answer) bool { b := s.get(a.Next); return b.Next == a.Next && len(b.Value) == 10 }},
		"other": {Fault{Endpoint: "delta", Status: 503}, func(a answer) bool { return a.Status == 200 }},
	} {
		s.Graph.SetFault(&test.fault)
		if a := s.get(link); !test.right(a) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	s.Graph.SetFault(nil)
	if rows, pages, _ := s.all(link); len(rows) != 30 || pages != 3 {
		t.Errorf("%d rows on %d pages", len(rows), pages)
	}
	if n := s.Graph.Calls()["users"]; n < 10 {
		t.Errorf("%d calls", n)
	}
}

func TestOnlyOnLoopback(t *testing.T) {
	started, err := StartTenant(t.Context(), "0.0.0.0:0", certificate(t), entra.Config{Tenant: tenantID}, Options{})
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v", err)
	}
	if err == nil {
		_ = started.Close()
	}
}

func TestParsePeople(t *testing.T) {
	people, err := ParsePeople([]byte(`[{"userPrincipalName": "Mia@example.org"}, {"userPrincipalName": "b@example.org", "accountEnabled": false, "id": "x", "userType": "Guest"}]`))
	want := []Person{
		{"userPrincipalName": "Mia@example.org", "id": GUID("user mia@example.org"), "accountEnabled": true, "userType": "Member"},
		{"userPrincipalName": "b@example.org", "accountEnabled": false, "id": "x", "userType": "Guest"},
	}
	if diff := cmp.Diff(want, people); diff != "" || err != nil {
		t.Errorf("%v -want +got\n%s", err, diff)
	}
	for _, text := range []string{"", "{}", `[{"userPrincipalName": "a@b", "shoeSize": 5}]`, `[{"displayName": "x"}]`} {
		if _, err := ParsePeople([]byte(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
