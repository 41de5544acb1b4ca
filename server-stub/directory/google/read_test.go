package google

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

type object = map[string]any

func secrets() cmp.Option {
	return cmp.Comparer(func(a, b secret.String) bool { return a.Equal(b) })
}

func TestRecord(t *testing.T) {
	d := school(0)
	d.Users = []emulator.User{
		{
			"primaryEmail": "Mia.Wong@example.org", "id": "100000000000000000123", "name": object{"fullName": "Mia Wong"}, "aliases": []any{"mia@example.org"},
			"nonEditableAliases": []any{"mia.wong@example.com", "mia.wong@example.org.test-google-a.com"},
			"organizations":      []any{object{"department": "Old"}, object{"department": "Science", "location": "Annex", "primary": true}}, //nolint:misspell // the name in the API
			"locations":          []any{object{"type": "desk", "area": "desk", "buildingId": "B", "floorName": "2", "floorSection": "east"}},
			"languages":          []any{object{"languageCode": "en"}, object{"languageCode": "de-CH", "preference": "preferred"}},
			"externalIds":        []any{object{"type": "account", "value": "7"}, object{"type": "organization", "value": "4711"}}, //nolint:misspell // the name in the API
			"customSchemas":      object{"PaperCut": object{"cardNumber": "04A1B2C3", "accessCode": "7K3F9X"}},
		},
		{"primaryEmail": "sam@example.org", "suspended": true, "organizations": []any{object{"location": "Annex"}}}, //nolint:misspell // the name in the API
		{"primaryEmail": "kim@example.org", "archived": true},
	}
	c := newCustomer(t, d)
	s, _ := source(t, c.config(), t.Output())
	got := read(t, s)
	kinds := []core.CredentialKind{core.CredentialCard, core.CredentialCode}
	want := map[string]directory.Record{
		"Mia.Wong@example.org": {
			Key: "100000000000000000123", KeyKind: core.IdentityGoogleID, Username: "Mia.Wong@example.org", UPN: "Mia.Wong@example.org", Email: "Mia.Wong@example.org",
			Aliases: []string{"mia@example.org", "mia.wong@example.com"}, DisplayName: "Mia Wong", Department: "Science", Office: "B 2 east", Language: "de-CH", EmployeeID: "4711",
			Credentials: kinds, Cards: []secret.String{secret.New("04A1B2C3")}, AccessCode: secret.New("7K3F9X"), Where: "Mia.Wong@example.org",
		},
		"sam@example.org": {
			Key: emulator.UserID("sam@example.org"), KeyKind: core.IdentityGoogleID, Username: "sam@example.org", UPN: "sam@example.org", Email: "sam@example.org",
			DisplayName: "sam", Office: "Annex", Disabled: true, Credentials: kinds, Where: "sam@example.org",
		},
		"kim@example.org": {
			Key: emulator.UserID("kim@example.org"), KeyKind: core.IdentityGoogleID, Username: "kim@example.org", UPN: "kim@example.org", Email: "kim@example.org",
			DisplayName: "kim", Disabled: true, Credentials: kinds, Where: "kim@example.org",
		},
	}
	delete(got, subject)
	if diff := cmp.Diff(want, got, secrets()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	for rule, name := range map[directory.UsernameRule]string{directory.UsernameUPN: "Mia.Wong@example.org", directory.UsernameMail: "Mia.Wong@example.org", directory.UsernameNickname: "Mia.Wong"} {
		cfg := c.config()
		cfg.Username = rule
		s, _ := source(t, cfg, t.Output())
		if got := read(t, s)["Mia.Wong@example.org"].Username; got != name {
			t.Errorf("username: %s gives %q", rule, got)
		}
	}
}

// person reads one person of a customer that has only them, beside the administrator.
func person(t *testing.T, schemas []emulator.Schema, custom object, change func(*Config)) directory.Record {
	t.Helper()
	u := emulator.User{"primaryEmail": "mia@example.org"}
	if custom != nil {
		u["customSchemas"] = custom
	}
	c := newCustomer(t, emulator.Directory{Admin: subject, Schemas: schemas, Users: []emulator.User{u}})
	cfg := c.config()
	if change != nil {
		change(&cfg)
	}
	s, _ := source(t, cfg, t.Output())
	return read(t, s)["mia@example.org"]
}

func TestCardsAndCodesOfCustomSchemas(t *testing.T) {
	papercut := []emulator.Schema{emulator.PaperCut()}
	multi := emulator.Schema{Name: "Platen", Fields: []emulator.Field{{Name: "cards", MultiValued: true}, {Name: "code"}, {Name: "number", Type: "INT64"}}}
	both := []core.CredentialKind{core.CredentialCard, core.CredentialCode}
	several := func(values ...string) []any {
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = object{"type": "work", "value": v}
		}
		return list
	}
	tests := []struct {
		name        string
		schemas     []emulator.Schema
		custom      object
		change      func(*Config)
		kinds       []core.CredentialKind
		cards, code string
	}{
		{"A3_27_the_category_is_PaperCut", papercut, object{"PaperCut": object{"cardNumber": "1", "accessCode": "2"}, "Other": object{"cardNumber": "9"}}, nil, both, "1", "2"},
		{"A3_28_cardNumber_is_a_single_text", papercut, object{"PaperCut": object{"cardNumber": " 04A1B2C3 "}}, nil, both, "04A1B2C3", ""},
		{"A3_29_accessCode_is_a_single_text", papercut, object{"PaperCut": object{"accessCode": "7K3F9X"}}, nil, both, "", "7K3F9X"},
		{
			"A3_30_several_cards_in_a_field_with_several_values",
			[]emulator.Schema{multi},
			object{"Platen": object{"cards": several("1", "2", "1", "")}},
			func(c *Config) { c.CardFields = []string{"Platen.cards"} }, both[:1], "1,2", "",
		},
		{
			"A3_30_several_card_fields", append(papercut, multi),
			object{"PaperCut": object{"cardNumber": "3"}, "Platen": object{"cards": several("1", "2"), "code": "77"}},
			func(c *Config) {
				c.CardFields, c.CodeField = []string{"PaperCut.cardNumber", "Platen.cards"}, "Platen.code"
			}, both, "3,1,2", "77",
		},
		{"A3_31_both_populated", papercut, object{"PaperCut": object{"cardNumber": "1", "accessCode": "2"}}, nil, both, "1", "2"},
		{"A3_31_only_the_card_populated", papercut, object{"PaperCut": object{"cardNumber": "1"}}, nil, both, "1", ""},
		{"A3_31_only_the_code_populated", papercut, object{"PaperCut": object{"accessCode": "2"}}, nil, both, "", "2"},
		{"A3_31_none_populated", papercut, nil, nil, both, "", ""},
		{"a card number that is a number", []emulator.Schema{multi}, object{"Platen": object{"number": 123456789012345678}}, func(c *Config) { c.CardFields = []string{"Platen.number"} }, both[:1], "123456789012345678", ""},
		{"no schema says nothing", nil, nil, nil, nil, "", ""},
		{"a schema without the code field says nothing about codes", []emulator.Schema{{Name: "PaperCut", Fields: []emulator.Field{{Name: "cardNumber"}}}}, object{"PaperCut": object{"cardNumber": "1"}}, nil, both[:1], "1", ""},
		{"none and none", papercut, object{"PaperCut": object{"cardNumber": "1", "accessCode": "2"}}, func(c *Config) { c.CardFields, c.CodeField = []string{None}, None }, nil, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := person(t, test.schemas, test.custom, test.change)
			if texts(r.Cards...) != test.cards || r.AccessCode.Reveal() != test.code || !slices.Equal(r.Credentials, test.kinds) {
				t.Errorf("cards %q, code %q, authority for %v", texts(r.Cards...), r.AccessCode.Reveal(), r.Credentials)
			}
		})
	}
}

func TestWhatGoogleChangesIsReadAsItIs(t *testing.T) {
	c := newCustomer(t, school(3))
	s, _ := source(t, c.config(), t.Output())
	values := func(v object) emulator.User { return emulator.User{"customSchemas": object{"PaperCut": v}} }
	t.Run("A3_19_a_changed_code", func(t *testing.T) {
		c.Change("person0@example.org", values(object{"cardNumber": "04A1", "accessCode": "NEW-CODE"}))
		if r := read(t, s)["person0@example.org"]; r.AccessCode.Reveal() != "NEW-CODE" {
			t.Errorf("the code is %q", r.AccessCode.Reveal())
		}
	})
	for _, row := range []string{"A3_20_a_deleted_code_is_none_and_Google_decides", "A3_21_a_deleted_code_is_none_and_Google_decides"} {
		t.Run(row, func(t *testing.T) {
			c.Change("person0@example.org", values(object{"cardNumber": "04A1"}))
			r := read(t, s)["person0@example.org"]
			if !r.AccessCode.Empty() || !slices.Contains(r.Credentials, core.CredentialCode) || texts(r.Cards...) != "04A1" {
				t.Errorf("code %q, authority for %v", r.AccessCode.Reveal(), r.Credentials)
			}
		})
	}
	t.Run("A3_22_Google_is_the_authority_for_cards_and_codes", func(t *testing.T) {
		c.Change("person0@example.org", emulator.User{"customSchemas": nil})
		for _, r := range read(t, s) {
			if !slices.Equal(r.Credentials, []core.CredentialKind{core.CredentialCard, core.CredentialCode}) {
				t.Errorf("%s: authority for %v", r.UPN, r.Credentials)
			}
		}
	})
	t.Run("a deleted schema ends nobody's card", func(t *testing.T) {
		c.SetSchemas()
		for _, r := range read(t, s) {
			if len(r.Credentials) > 0 {
				t.Errorf("%s: authority for %v", r.UPN, r.Credentials)
			}
		}
		cfg := c.config()
		cfg.CardFields = []string{DefaultCardField}
		named, _ := source(t, cfg, t.Output())
		err := directory.People(t.Context(), named, func(directory.Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "PaperCut.cardNumber") || !strings.Contains(err.Error(), "Manage custom attributes") {
			t.Errorf("%v", err)
		}
	})
}

func TestOrganisationalUnits(t *testing.T) {
	d := school(0)
	d.OrgUnits = []string{"/Empty"}
	for i, unit := range []string{"/Staff", "/Staff/Science", "/Staff/O'Neil's room", "/Students", "/Staffing"} {
		d.Users = append(d.Users, emulator.User{"primaryEmail": fmt.Sprintf("p%d@example.org", i), "orgUnitPath": unit})
	}
	c := newCustomer(t, d)
	tests := []struct {
		name  string
		units []string
		want  string
	}{
		{"A3_36_all_users", nil, "admin p0 p1 p2 p3 p4"},
		{"A3_36_selected_units", []string{"/Students"}, "p3"},
		{"A3_37_a_unit_has_those_below", []string{"/Staff/"}, "p0 p1 p2"},
		{"A3_37_units_within_units", []string{"/Staff", "/Staff/Science", "/Students"}, "p0 p1 p2 p3"},
		{"A3_37_a_name_with_quotes_and_spaces", []string{"/Staff/O'Neil's room"}, "p2"},
		{"the top", []string{"/"}, "admin p0 p1 p2 p3 p4"},
		{"an empty one beside another", []string{"/Empty", "/Students"}, "p3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := c.config()
			cfg.OrgUnits = test.units
			s, _ := source(t, cfg, t.Output())
			var names []string
			for email := range read(t, s) {
				names = append(names, strings.TrimSuffix(email, "@example.org"))
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != test.want {
				t.Errorf("%s", got)
			}
		})
	}
	for name, units := range map[string][]string{"a missing unit": {"/Staff", "/Gone"}, "an empty unit": {"/Empty"}} {
		t.Run(name, func(t *testing.T) {
			cfg := c.config()
			cfg.OrgUnits = units
			s, _ := source(t, cfg, t.Output())
			n := 0
			err := directory.People(t.Context(), s, func(directory.Record) error { n++; return nil })
			if err == nil || !strings.Contains(err.Error(), "org_units") || n > 0 {
				t.Errorf("%d people, %v", n, err)
			}
		})
	}
	t.Run("a unit that goes away", func(t *testing.T) {
		cfg := c.config()
		cfg.OrgUnits = []string{"/Students"}
		s, _ := source(t, cfg, t.Output())
		c.RemoveOrgUnit("/Students")
		err := directory.People(t.Context(), s, func(directory.Record) error { return nil })
		if err == nil || !strings.Contains(err.Error(), `"/Students"`) || !strings.Contains(err.Error(), "renamed") {
			t.Errorf("%v", err)
		}
	})
}

func TestGroups(t *testing.T) {
	d := school(300)
	many := emulator.Group{Email: "many@example.org"}
	for _, u := range d.Users {
		many.Members = append(many.Members, emulator.Member{Email: u.Email()})
	}
	d.Groups = append(
		d.Groups, many, emulator.Group{Email: "empty@example.org"},
		emulator.Group{Email: "a@example.org", Members: []emulator.Member{{Email: "b@example.org", Type: "GROUP"}}},
		emulator.Group{Email: "b@example.org", Members: []emulator.Member{{Email: "a@example.org", Type: "GROUP"}, {Email: "guest@elsewhere.example", Type: "EXTERNAL"}}},
	)
	for i := range 250 {
		d.Groups = append(d.Groups, emulator.Group{Email: fmt.Sprintf("g%03d@example.org", i)})
	}
	c := newCustomer(t, d)
	s, _ := source(t, c.config(), t.Output())
	list := func(t *testing.T) map[string]directory.Group {
		t.Helper()
		seen := directorytest.NewSeen(nil)
		if reading, err := s.Read(t.Context(), directory.Request{Groups: true}, seen); err != nil || !reading.Complete || reading.Next != nil {
			t.Fatal(reading, err)
		}
		groups := map[string]directory.Group{}
		for _, g := range seen.Groups {
			groups[g.Name] = g
		}
		return groups
	}
	groups := list(t)
	t.Run("A2_22_nested_groups_are_members_like_people", func(t *testing.T) {
		members := func(name string) (ids []string) {
			for _, m := range groups[name].Members {
				ids = append(ids, m.ID)
			}
			slices.Sort(ids)
			return ids
		}
		var people []string
		for i := range 5 {
			people = append(people, emulator.UserID(fmt.Sprintf("person%d@example.org", i)))
		}
		slices.Sort(people)
		want := map[string][]string{
			"science@example.org": people, "staff@example.org": {emulator.GroupID("science@example.org")}, "empty@example.org": nil,
			"a@example.org": {emulator.GroupID("b@example.org")},
			"b@example.org": {emulator.GroupID("a@example.org"), emulator.UserID("guest@elsewhere.example")},
		}
		for name, ids := range want {
			if diff := cmp.Diff(ids, members(name)); diff != "" {
				t.Errorf("%s: -want +got\n%s", name, diff)
			}
		}
		if len(groups) != 256 || len(members("many@example.org")) != 300 {
			t.Errorf("%d groups, %d members", len(groups), len(members("many@example.org")))
		}
	})
	t.Run("a group with everybody of the customer", func(t *testing.T) {
		c.SetGroup(emulator.Group{Email: "all@example.org", Members: []emulator.Member{{Type: "CUSTOMER"}}})
		groups := list(t)
		if m := groups["all@example.org"].Members; len(m) != 1 || m[0].ID != "C01example" {
			t.Errorf("%v", m)
		}
		if n := len(groups["everybody of C01example"].Members); n != 301 {
			t.Errorf("%d members", n)
		}
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	c := newCustomer(t, school(3))
	fault := func(f emulator.Fault) func(*Config) { return func(*Config) { c.SetFault(&f) } }
	key := func(text string) func(*Config) {
		return func(cfg *Config) { cfg.ServiceAccount = func() (secret.String, error) { return secret.New(text), nil } }
	}
	without := func(missing string) func(*Config) {
		return func(*Config) {
			c.Delegate(slices.DeleteFunc(emulator.AllScopes(), func(s string) bool { return s == missing })...)
		}
	}
	other := newCustomer(t, school(0))
	tests := []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"the scope of people missing", without(ScopeUsers), []string{"the scope " + ScopeUsers + ":", "domain-wide delegation", "100000000000000000001", "HTTP 401"}},
		{"the scope of groups missing", without(ScopeGroups), []string{"the scope " + ScopeGroups + ":", "domain-wide delegation"}},
		{"the scope of schemas missing", without(ScopeSchemas), []string{"the scope " + ScopeSchemas + ":"}},
		{"nothing delegated", func(*Config) { c.Delegate("https://www.googleapis.com/auth/drive") }, []string{"the scopes " + ScopeUsers + " and " + ScopeGroups}},
		{"scope withdrawn from a token", fault(emulator.Fault{Status: http.StatusForbidden, Reason: "insufficientPermissions"}), []string{"give the client id", ScopeUsers}},
		{"subject is nobody", func(cfg *Config) { cfg.Subject = "nobody@example.org" }, []string{"subject is no user"}},
		{"subject is no administrator", func(cfg *Config) { cfg.Subject = "person1@example.org" }, []string{"Admin roles", "person1@example.org", "HTTP 403"}},
		{"API not enabled", func(*Config) { c.EnableAPI(false) }, []string{"enable the Admin SDK API", "Google Cloud project"}},
		{"another key", func(cfg *Config) {
			key(strings.Replace(string(c.key), "emulated-key", "deleted-key", 1))(cfg)
		}, []string{"make a new key", "service_account_file"}},
		{"no key file", func(cfg *Config) { cfg.ServiceAccount = directory.SecretFile("/nowhere/key.json") }, []string{"service_account_file", "/nowhere/key.json"}},
		{"no JSON", key("CANARY"), []string{"service_account_file", "no JSON"}},
		{"the key of something else", key(`{"type":"authorized_user"}`), []string{"service_account_file", "authorized_user", "Service accounts"}},
		{"a broken key", key(`{"type":"service_account","client_email":"a@b","private_key":"CANARY"}`), []string{"service_account_file", "PEM"}},
		{"another customer", func(cfg *Config) { cfg.Customer = "C0nobody" }, []string{"HTTP 400", "correct customer"}},
		{"another authority's certificate", func(cfg *Config) { cfg.CAFile = other.ca }, []string{"certificate", "ca_file"}},
		{"daily limit", fault(emulator.Fault{Status: http.StatusForbidden, Reason: "dailyLimitExceeded"}), []string{"quota of today", "dailyLimitExceeded"}},
		{"no such unit", func(cfg *Config) { cfg.OrgUnits = []string{"/Nowhere"} }, []string{"/Nowhere", "org_units", "HTTP 404"}},
		{"a named field is missing", func(cfg *Config) { cfg.CodeField = "Platen.code" }, []string{"Platen.code", "code_field", "custom attributes"}},
		{"suspended is not shown", fault(emulator.Fault{Endpoint: "users", Hide: "suspended"}), []string{"suspended", "Admin roles"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c.Delegate(emulator.AllScopes()...)
			c.EnableAPI(true)
			c.SetFault(nil)
			cfg := c.config()
			test.change(&cfg)
			var log strings.Builder
			s, pauses := source(t, cfg, &log)
			_, err := s.Check(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			if len(*pauses) > 0 {
				t.Errorf("waited %v for what does not pass", *pauses)
			}
			for _, want := range append(test.want, `google directory "school"`) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if !errors.Is(err, core.ErrUnavailable) && !errors.Is(err, core.ErrInvalid) {
				t.Errorf("no kind: %v", err)
			}
			if all := err.Error() + log.String(); strings.Contains(all, "CANARY") || strings.Contains(all, "ya29.") || strings.Contains(all, "PRIVATE KEY") || strings.Contains(err.Error(), "\n") {
				t.Errorf("a secret is told, or it is no line: %s", all)
			}
			t.Log(err)
		})
	}
}

func TestConfiguration(t *testing.T) {
	good := Config{ID: "school", Subject: subject, ServiceAccount: directory.SecretFile("x")}
	for key, change := range map[string]func(*Config){
		"service_account_file": func(c *Config) { c.ServiceAccount = nil },
		"subject":              func(c *Config) { c.Subject = "admin" },
		"customer":             func(c *Config) { c.Customer = "a/b" },
		"username":             func(c *Config) { c.Username = directory.UsernameSAM },
		"api_url":              func(c *Config) { c.APIURL = "https://localhost:1" },
		"page_size":            func(c *Config) { c.PageSize = 501 },
		"org_units":            func(c *Config) { c.OrgUnits = []string{"Staff"} },
		"card_fields":          func(c *Config) { c.CardFields = []string{"cardNumber"} },
		"code_field":           func(c *Config) { c.CodeField = "a.b,c.d" },
		"watch_url":            func(c *Config) { c.WatchURL = "http://print.example.org" },
		"ca_file":              func(c *Config) { c.CAFile = "/nowhere" },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg, discard, nil); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), ": "+key+": ") || !strings.Contains(err.Error(), `"school"`) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if s, err := New(good, discard, nil); err != nil || s.api != "https://admin.googleapis.com" || s.tokenURL != "https://oauth2.googleapis.com/token" {
		t.Errorf("%v", err)
	}
}

func TestOnlyTheAPIAndItsTokenEndpointAreAsked(t *testing.T) {
	s, err := New(Config{ID: "school", Subject: subject, ServiceAccount: directory.SecretFile("x")}, discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"https://evil.example.org/token", "http://admin.googleapis.com/", "https://admin.googleapis.com:444/", "https://admin.googleapis.com.example.org/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.client.http.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		if !errors.Is(err, errBlocked) {
			t.Errorf("%s: %v", address, err)
		}
	}
	// The key file names a token endpoint, too; nobody asks there.
	c := newCustomer(t, school(1))
	c.key = []byte(strings.Replace(string(c.key), url.PathEscape(c.URL()+"/token"), "https://evil.example.org", 1))
	c.key = []byte(strings.ReplaceAll(string(c.key), `"token_uri": "`+c.URL(), `"token_uri": "https://evil.example.org`))
	read, _ := source(t, c.config(), t.Output())
	if _, err := read.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	d := school(10)
	d.Schemas = []emulator.Schema{{Name: "PaperCut", Fields: []emulator.Field{{Name: "cardNumber"}, {Name: "accessCode", ReadAccess: "ALL_DOMAIN_USERS"}}}}
	c := newCustomer(t, d)
	cfg := c.config()
	cfg.OrgUnits = []string{"/Staff"}
	s, _ := source(t, cfg, t.Output())
	text, err := s.Check(t.Context())
	for _, want := range []string{"/Staff", subject, "cards are in PaperCut.cardNumber", "10 people 10 have cards and 5 an access code", "everybody of the customer can read PaperCut.accessCode", "without watch_url"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q, %v", want, text, err)
		}
	}
	c.SetSchemas()
	s, _ = source(t, c.config(), t.Output())
	if text, err := s.Check(t.Context()); err != nil || !strings.Contains(text, "no custom field PaperCut.cardNumber") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAWholeCustomerIsNeverInMemory(t *testing.T) {
	const people = 5_000
	c := newCustomer(t, school(people))
	s, _ := source(t, c.config(), t.Output())
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most, n := live(), uint64(0), 0
	err := directory.People(t.Context(), s, func(directory.Record) error {
		if n++; n%500 == 0 {
			most = max(most, live())
		}
		return nil
	})
	if err != nil || n != people+1 {
		t.Fatalf("%d people, %v", n, err)
	}
	grown := max(int64(most)-int64(before), 0)
	t.Logf("%d people in %d pages: live heap grew by at most %d kB", n, c.Calls()["users"], grown/1024)
	if grown > 6<<20 || c.Calls()["users"] != 11 {
		t.Errorf("the live heap grew by %d kB, %d pages", grown/1024, c.Calls()["users"])
	}
}

func TestLongPagesAreAskedForInSmallerOnes(t *testing.T) {
	d := school(400)
	for _, u := range d.Users[100:] {
		u["aliases"] = []any{strings.Repeat("x", 20_000) + "@example.org"}
	}
	c := newCustomer(t, d)
	s, _ := source(t, c.config(), t.Output())
	if n := len(read(t, s)); n != 401 {
		t.Errorf("%d people", n)
	}
}

func TestTheCallerCanEndARead(t *testing.T) {
	c := newCustomer(t, school(50))
	cfg := c.config()
	cfg.PageSize = 10
	s, _ := source(t, cfg, t.Output())
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := directory.People(ctx, s, func(directory.Record) error {
		if n++; n == 15 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n > 20 {
		t.Errorf("%d people, %v", n, err)
	}
}
