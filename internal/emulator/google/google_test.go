package google

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

// site is a customer that is served, and a way to ask it.
type site struct {
	*Customer

	t      *testing.T
	client *http.Client // trusts it
}

func newSite(t *testing.T, opts Options) *site {
	t.Helper()
	dir := t.TempDir()
	pair, err := Certificate(filepath.Join(dir, "c"), filepath.Join(dir, "k"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start(t.Context(), "127.0.0.1:0", pair, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	return &site{c, t, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}}
}

// school is the customer of the test file.
func school(t *testing.T) Directory {
	t.Helper()
	raw, err := os.ReadFile("testdata/school.json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDirectory(raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *site) account() jwt.Config {
	s.t.Helper()
	raw, err := s.KeyFile()
	if err != nil {
		s.t.Fatal(err)
	}
	var key struct {
		Email   string `json:"client_email"`
		ID      string `json:"private_key_id"`
		Private string `json:"private_key"`
		Token   string `json:"token_uri"`
	}
	if err := json.Unmarshal(raw, &key); err != nil {
		s.t.Fatal(err)
	}
	return jwt.Config{Email: key.Email, PrivateKey: []byte(key.Private), PrivateKeyID: key.ID, Subject: s.Admin(), Scopes: AllScopes(), TokenURL: key.Token}
}

// ask makes a request with a token, and returns status and answer.
func (s *site) ask(token, method, path string, body any) (int, object) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/admin/directory/v1/" + path
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL()+path, bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer object
	_ = json.NewDecoder(res.Body).Decode(&answer) // none: 204
	return res.StatusCode, answer
}

func (s *site) token(cfg jwt.Config) (string, error) {
	t, err := cfg.TokenSource(context.WithValue(s.t.Context(), oauth2.HTTPClient, s.client)).Token()
	if err != nil {
		return "", err
	}
	return t.AccessToken, nil
}

func (s *site) good() string {
	s.t.Helper()
	token, err := s.token(s.account())
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func reason(answer object) string {
	e, _ := answer["error"].(object)
	list, _ := e["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	first, _ := list[0].(object)
	text, _ := first["reason"].(string)
	return text
}

func emails(answer object, list, field string) (names []string) {
	rows, _ := answer[list].([]any)
	for _, row := range rows {
		if o, ok := row.(object); ok {
			text, _ := o[field].(string)
			name, _, _ := strings.Cut(text, "@")
			names = append(names, name)
		}
	}
	return names
}

func TestToken(t *testing.T) {
	s := newSite(t, Options{Directory: school(t)})
	other, err := NewAccount()
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := other.File(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Private string `json:"private_key"`
	}
	if err := json.Unmarshal(otherKey, &file); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*jwt.Config)
		want   string
	}{
		"good":               {func(*jwt.Config) {}, ""},
		"another key":        {func(c *jwt.Config) { c.PrivateKey = []byte(file.Private) }, "Invalid JWT Signature"},
		"another account":    {func(c *jwt.Config) { c.Email = "x@example-project.iam.gserviceaccount.com" }, "account not found"},
		"another audience":   {func(c *jwt.Config) { c.Audience = "https://elsewhere.example/token" }, "audience"},
		"too long":           {func(c *jwt.Config) { c.Expires = 3 * time.Hour }, "short-lived"},
		"nobody":             {func(c *jwt.Config) { c.Subject = "nobody@example.org" }, "Invalid email or User ID"},
		"without scope":      {func(c *jwt.Config) { c.Scopes = nil }, "invalid_scope"},
		"a scope too many":   {func(c *jwt.Config) { c.Scopes = append(c.Scopes, "https://www.googleapis.com/auth/drive") }, "Client is un"},
		"a wider scope":      {func(c *jwt.Config) { c.Scopes = []string{scopeUserAll} }, "Client is un"},
		"one of those given": {func(c *jwt.Config) { c.Scopes = []string{ScopeUser} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := s.account()
			test.change(&cfg)
			token, err := s.token(cfg)
			if (test.want == "") != (err == nil && strings.HasPrefix(token, "ya29.")) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestRights(t *testing.T) {
	s := newSite(t, Options{Directory: school(t)})
	get := func(token, path string) (int, string) {
		status, answer := s.ask(token, http.MethodGet, path, nil)
		return status, reason(answer)
	}
	token := s.good()
	for path, scope := range map[string]string{
		"users?customer=my_customer": ScopeUser, "users/mia@example.org": ScopeUser, "groups?customer=my_customer": ScopeGroup, "groups/teachers@example.org/members": ScopeGroup,
		"customer/my_customer/orgunits": ScopeOrgUnit, "customer/my_customer/orgunits/Staff": ScopeOrgUnit, "customer/my_customer/schemas": ScopeSchema, "customer/my_customer/schemas/PaperCut": ScopeSchema,
	} {
		if status, why := get(token, path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, why)
		}
		cfg := s.account()
		cfg.Scopes = slices.DeleteFunc(AllScopes(), func(s string) bool { return s == scope })
		lesser, err := s.token(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if status, why := get(lesser, path); status != http.StatusForbidden || why != "insufficientPermissions" {
			t.Errorf("%s without %s: %d %s", path, scope, status, why)
		}
		if status, _ := get("ya29.x", path); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", path, status)
		}
	}
	const path = "users?customer=my_customer"
	cfg := s.account()
	cfg.Subject = "mia.wong@example.org"
	pupil, err := s.token(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if status, why := get(pupil, path); status != http.StatusForbidden || why != "forbidden" {
		t.Errorf("for no administrator: %d %s", status, why)
	}
	s.EnableAPI(false)
	if status, why := get(token, path); status != http.StatusForbidden || why != "accessNotConfigured" {
		t.Errorf("API off: %d %s", status, why)
	}
	s.EnableAPI(true)
	s.ExpireTokens()
	if status, why := get(token, path); status != http.StatusUnauthorized || why != "authError" {
		t.Errorf("token over: %d %s", status, why)
	}
}

func TestUsers(t *testing.T) {
	s := newSite(t, Options{Directory: school(t)})
	token := s.good()
	s.Remove("left.school@example.org")
	for query, want := range map[string]string{
		"":                                      "admin kim.li mia.wong sam.hill",
		"&orderBy=email&maxResults=2":           "admin kim.li +",
		"&query=orgUnitPath='/Students'":        "kim.li",
		"&query=orgUnitPath='/Students/Year 7'": "kim.li",
		"&query=orgUnitPath=/Staff":             "mia.wong sam.hill",
		"&query=orgUnitPath='/Guests'":          "",
		"&showDeleted=true":                     "left.school",
	} {
		status, answer := s.ask(token, http.MethodGet, "users?customer=my_customer"+strings.ReplaceAll(query, " ", "%20"), nil)
		got := strings.Join(emails(answer, "users", "primaryEmail"), " ")
		if answer["nextPageToken"] != nil {
			got += " +"
		}
		if status != http.StatusOK || got != want || answer["kind"] != "admin#directory#users" {
			t.Errorf("%s: %d %q", query, status, got)
		}
		if _, there := answer["users"]; there != (want != "") {
			t.Errorf("%s: an empty list is left out", query)
		}
	}
	for query, want := range map[string]string{
		"customer=C0other": "badRequest", "": "badRequest", "customer=my_customer&query=orgUnitPath='/Gone'": "invalid", "customer=my_customer&query=isAdmin=true": "invalid",
		"customer=my_customer&customFieldMask=PaperCut": "invalid", "customer=my_customer&projection=custom&customFieldMask=Gone": "invalid", "customer=my_customer&pageToken=x": "invalid",
		"customer=my_customer&maxResults=0": "invalid", "customer=my_customer&surprise=1": "invalid", "customer=my_customer&fields=a(": "invalid",
	} {
		if status, answer := s.ask(token, http.MethodGet, "users?"+query, nil); status != http.StatusBadRequest || reason(answer) != want {
			t.Errorf("%s: %d %v", query, status, answer)
		}
	}
	_, answer := s.ask(token, http.MethodGet, "users?customer=my_customer&query=email:mia", nil)
	if reason(answer) != "invalid" {
		t.Errorf("%v", answer)
	}
	show := func(query string) any {
		_, answer := s.ask(token, http.MethodGet, "users/mia@example.org?"+query, nil)
		return answer["customSchemas"]
	}
	if show("projection=full") == nil || show("projection=basic") != nil || show("") != nil || show("projection=custom&customFieldMask=Platen") != nil || show("projection=custom&customFieldMask=Platen,PaperCut") == nil {
		t.Error("customSchemas are shown where they should not, or not where they should")
	}
	_, answer = s.ask(token, http.MethodGet, "users?customer=my_customer&maxResults=1&query=orgUnitPath=/Staff&fields=nextPageToken,users(id,name/fullName)", nil)
	want := object{"nextPageToken": answer["nextPageToken"], "users": []any{object{"id": UserID("mia.wong@example.org"), "name": object{"fullName": "Mia Wong"}}}}
	if diff := cmp.Diff(want, answer); diff != "" || answer["nextPageToken"] == nil {
		t.Errorf("-want +got\n%s", diff)
	}
	if status, answer := s.ask(token, http.MethodGet, "users/nobody@example.org", nil); status != http.StatusNotFound || reason(answer) != "notFound" {
		t.Errorf("%d %v", status, answer)
	}
}

func TestPaging(t *testing.T) {
	s := newSite(t, Options{Directory: Directory{Users: Made(1200)}})
	token := s.good()
	seen, pages, next := map[string]bool{}, 0, ""
	for {
		_, answer := s.ask(token, http.MethodGet, "users?customer=my_customer&maxResults=900&pageToken="+next, nil)
		names := emails(answer, "users", "primaryEmail")
		if pages++; len(names) > 500 {
			t.Fatalf("%d rows", len(names))
		}
		for _, n := range names {
			seen[n] = true
		}
		if next, _ = answer["nextPageToken"].(string); next == "" {
			break
		}
	}
	if len(seen) != 1201 || pages != 3 {
		t.Errorf("%d people on %d pages", len(seen), pages)
	}
}

func TestGroupsUnitsAndSchemas(t *testing.T) {
	s := newSite(t, Options{Directory: school(t)})
	token := s.good()
	for path, want := range map[string]string{
		"groups?customer=my_customer":                      "groups email: everyone science teachers",
		"groups/teachers@example.org/members":              "members type: GROUP USER",
		"groups/everyone@example.org/members":              "members type: CUSTOMER",
		"customer/my_customer/orgunits":                    "organizationUnits orgUnitPath: /Staff /Guests",
		"customer/my_customer/orgunits?type=all":           "organizationUnits orgUnitPath: /Staff /Students/Year 7 /Guests",
		"customer/my_customer/schemas":                     "schemas schemaName: PaperCut Platen",
		"customer/my_customer/schemas/Platen":              "fields fieldName: cards",
		"groups/teachers@example.org/members?maxResults=1": "members type: GROUP",
		"groups?customer=my_customer&maxResults=1":         "groups email: everyone",
	} {
		list, rest, _ := strings.Cut(want, " ")
		field, names, _ := strings.Cut(rest, ": ")
		status, answer := s.ask(token, http.MethodGet, path, nil)
		if got := strings.Join(emails(answer, list, field), " "); status != http.StatusOK || got != names {
			t.Errorf("%s: %d %q", path, status, got)
		}
	}
	for _, path := range []string{"groups/nothing@example.org/members", "customer/my_customer/orgunits/Gone", "customer/my_customer/schemas/Gone"} {
		if status, answer := s.ask(token, http.MethodGet, path, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
	if status, _ := s.ask(token, http.MethodGet, "groups/teachers@example.org/members?includeDerivedMembership=true", nil); status != http.StatusBadRequest {
		t.Errorf("derived members: %d", status)
	}
}

func TestWatch(t *testing.T) {
	heard := make(chan http.Header, 10)
	hook := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header }))
	t.Cleanup(hook.Close)
	s := newSite(t, Options{Directory: school(t), Client: hook.Client()})
	token := s.good()
	open := func(event string, body object) (int, object) {
		return s.ask(token, http.MethodPost, "users/watch?customer=my_customer&event="+event, body)
	}
	body := func(id string) object {
		return object{"id": id, "type": "web_hook", "address": hook.URL, "token": "secret", "params": object{"ttl": "999999"}}
	}
	status, answer := open("delete", body("one"))
	if status != http.StatusOK || answer["id"] != "one" || answer["resourceId"] == "" || len(s.Channels()) != 1 || time.Until(s.Channels()[0].Until) > 6*time.Hour {
		t.Fatalf("%d %v", status, answer)
	}
	if h := <-heard; h.Get("X-Goog-Resource-State") != "sync" || h.Get("X-Goog-Channel-Token") != "secret" || h.Get("X-Goog-Message-Number") != "1" {
		t.Errorf("%v", h)
	}
	s.Change("mia@example.org", User{"suspended": true}) // no channel for it
	s.Remove("mia@example.org")
	if h := <-heard; h.Get("X-Goog-Resource-State") != "delete" || h.Get("X-Goog-Channel-Id") != "one" || h.Get("X-Goog-Resource-Id") != answer["resourceId"] || h.Get("X-Goog-Message-Number") != "2" {
		t.Errorf("%v", h)
	}
	for name, test := range map[string]struct {
		event string
		body  object
	}{
		"the id again": {"add", body("one")}, "no id": {"add", body("")}, "another event": {"leave", body("x")}, "another type": {"add", object{"id": "x", "type": "mail", "address": hook.URL}},
		"no https": {"add", object{"id": "x", "type": "web_hook", "address": "http://localhost"}},
	} {
		if status, answer := open(test.event, test.body); status != http.StatusBadRequest {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	const stop = "/admin/directory_v1/channels/stop"
	if status, _ := s.ask(token, http.MethodPost, stop, object{"id": "one", "resourceId": "x"}); status != http.StatusNotFound {
		t.Errorf("another resource: %d", status)
	}
	if status, _ := s.ask(token, http.MethodPost, stop, object{"id": "one", "resourceId": answer["resourceId"]}); status != http.StatusNoContent || len(s.Channels()) != 0 {
		t.Errorf("stop: %d, %v", status, s.Channels())
	}
}

func TestChangesByHand(t *testing.T) {
	s := newSite(t, Options{Directory: school(t)})
	token := s.good()
	do := func(method, path string, body any, want int) {
		t.Helper()
		if status, _ := s.ask("", method, path, body); status != want {
			t.Errorf("%s %s: %d", method, path, status)
		}
	}
	do(http.MethodPost, "/emulator/users", object{"primaryEmail": "new@example.org", "orgUnitPath": "/New"}, 204)
	do(http.MethodPatch, "/emulator/users/mia@example.org", object{"customSchemas": nil, "suspended": true}, 204)
	do(http.MethodDelete, "/emulator/users/kim.li@example.org", nil, 204)
	do(http.MethodDelete, "/emulator/users/sam.hill@example.org", nil, 204)
	do(http.MethodPost, "/emulator/users/sam.hill@example.org/undelete", nil, 204)
	do(http.MethodDelete, "/emulator/users/nobody", nil, 404)
	do(http.MethodPatch, "/emulator/users/nobody", object{}, 404)
	do(http.MethodPost, "/emulator/groups", Group{Email: "new@example.org"}, 204)
	do(http.MethodDelete, "/emulator/groups/science@example.org", nil, 204)
	do(http.MethodPost, "/emulator/users", "x", 400)
	_, answer := s.ask(token, http.MethodGet, "users?customer=my_customer&projection=full", nil)
	if got := strings.Join(emails(answer, "users", "primaryEmail"), " "); got != "admin left.school mia.wong new sam.hill" {
		t.Errorf("%s", got)
	}
	_, mia := s.ask(token, http.MethodGet, "users/mia@example.org?projection=full", nil)
	if mia["suspended"] != true || mia["customSchemas"] != nil {
		t.Errorf("%v", mia)
	}
	_, answer = s.ask(token, http.MethodGet, "groups?customer=my_customer", nil)
	if got := strings.Join(emails(answer, "groups", "email"), " "); got != "everyone new teachers" {
		t.Errorf("%s", got)
	}
	do(http.MethodPut, "/emulator/schemas", []Schema{{Name: "Platen"}}, 204)
	if _, sam := s.ask(token, http.MethodGet, "users/sam.hill@example.org?projection=full", nil); fmt.Sprint(sam["customSchemas"]) != "map[Platen:map[]]" {
		t.Errorf("%v", sam["customSchemas"])
	}
	do(http.MethodPut, "/emulator/fault", Fault{Status: 403, Reason: "quotaExceeded", Times: 1, RetryAfter: 3}, 204)
	if status, answer := s.ask(token, http.MethodGet, "users?customer=my_customer", nil); status != http.StatusForbidden || reason(answer) != "quotaExceeded" {
		t.Errorf("%d %v", status, answer)
	}
	do(http.MethodDelete, "/emulator/fault", nil, 204)
	do(http.MethodPut, "/emulator/scopes", []string{ScopeGroup}, 204)
	if _, err := s.token(s.account()); err == nil {
		t.Error("a scope that was taken away is given")
	}
	do(http.MethodPost, "/emulator/expire", nil, 204)
	if status, _ := s.ask(token, http.MethodGet, "users?customer=my_customer", nil); status != http.StatusUnauthorized {
		t.Errorf("%d", status)
	}
}

func TestFields(t *testing.T) {
	o := object{"a": "1", "b": object{"c": "2", "d": "3"}, "e": []any{object{"f": "4", "g": "5"}}}
	for text, want := range map[string]string{
		"a": "map[a:1]", "a,b/c": "map[a:1 b:map[c:2]]", "b(c,d),e(f)": "map[b:map[c:2 d:3] e:[map[f:4]]]", "e/g,x": "map[e:[map[g:5]]]", "b/c,b/d": "map[b:map[c:2 d:3]]",
	} {
		m, err := parseFields(text)
		if err != nil || fmt.Sprint(m.of(o)) != want {
			t.Errorf("%s: %v, %v", text, m.of(o), err)
		}
	}
	for _, text := range []string{"", "a,", "a(b", "a)b", "(a)", "a//b"} {
		if _, err := parseFields(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if _, err := url.ParseQuery(pageToken{"a", 1}.text()); err != nil {
		t.Error(err)
	}
}
