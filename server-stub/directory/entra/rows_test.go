package entra

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

const extension = "extension_66666666777788889999000000000000_badge"

// carded is somebody with values wherever a card may be.
func carded() graph.Person {
	p := graph.Synced(1)[0]
	p["employeeId"], p["faxNumber"] = " 4711 ", nil
	p["onPremisesExtensionAttributes"] = map[string]any{"extensionAttribute1": "X1", "extensionAttribute10": "0x04A2", "extensionAttribute15": "9876", "extensionAttribute2": nil}
	p[extension] = []any{"B-1", "B-2", "4711", 12345}
	return p
}

func oneRecord(t *testing.T, cfg Config) directory.Record {
	t.Helper()
	s, _ := source(t, cfg, t.Output())
	return read(t, s)[0]
}

func TestCards(t *testing.T) {
	tt := newTenant(t, []graph.Person{carded()})
	with := func(change func(*Config)) directory.Record {
		t.Helper()
		cfg := tt.config()
		change(&cfg)
		return oneRecord(t, cfg)
	}
	t.Run("A1_58_ThePrimaryCard", func(t *testing.T) {
		r := with(func(c *Config) { c.Cards = []string{"employeeId"} })
		if got := reveal(r.Cards); !slices.Equal(got, []string{"4711"}) || !slices.Equal(r.Credentials, []core.CredentialKind{core.CredentialCard}) {
			t.Errorf("%v, %v", got, r.Credentials)
		}
	})
	t.Run("A1_59_A2_20_SeveralCardsAndAPIN", func(t *testing.T) {
		r := with(func(c *Config) {
			c.Cards, c.PIN, c.AccessCode = []string{"extensionAttribute10", "employeeId", extension, "extensionAttribute2"}, "extensionAttribute15", "extensionAttribute1"
		})
		// In the order of the configuration, each once; an attribute without a value is none.
		if got := reveal(r.Cards); !slices.Equal(got, []string{"0x04A2", "4711", "B-1", "B-2", "12345"}) {
			t.Errorf("%v", got)
		}
		if r.PIN.Reveal() != "9876" || r.AccessCode.Reveal() != "X1" || len(r.Credentials) != 3 {
			t.Errorf("%q, %q, %v", r.PIN.Reveal(), r.AccessCode.Reveal(), r.Credentials)
		}
	})
	t.Run("A1_25_A1_61_AnyMappedAttribute", func(t *testing.T) {
		for i := 1; i <= 15; i++ {
			name := fmt.Sprintf("extensionAttribute%d", i)
			tt.Graph.Change(graph.GUID("person0"), graph.Person{"onPremisesExtensionAttributes": map[string]any{name: "value " + name}})
			r := with(func(c *Config) { c.Cards = []string{strings.ToLower(name)} })
			if got := reveal(r.Cards); !slices.Equal(got, []string{"value " + name}) {
				t.Errorf("%s: %v", name, got)
			}
		}
		for _, name := range plainAttributes {
			tt.Graph.Change(graph.GUID("person0"), graph.Person{name: "value " + name})
			if got := reveal(with(func(c *Config) { c.Cards = []string{name} }).Cards); !slices.Equal(got, []string{"value " + name}) {
				t.Errorf("%s: %v", name, got)
			}
		}
		for _, name := range []string{"displayName", "extensionAttribute0", "extensionAttribute16", "extensionAttribute01", "extension_x_y", "", "id"} {
			cfg := tt.config()
			cfg.Cards = []string{name}
			if _, err := New(cfg, discard, time.Now); err == nil || !strings.Contains(err.Error(), "cards") {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
	t.Run("A1_26_TheEmployeeIDInTheFirstPlace", func(t *testing.T) {
		tt.Graph.Change(graph.GUID("person0"), graph.Person{"employeeId": "55", "onPremisesExtensionAttributes": map[string]any{"extensionAttribute1": "66"}})
		r := with(func(c *Config) { c.EmployeeIDAsCard, c.Cards = true, []string{"extensionAttribute1", "employeeId"} })
		if got := reveal(r.Cards); !slices.Equal(got, []string{"55", "66"}) || r.EmployeeID != "55" {
			t.Errorf("%v", got)
		}
	})
	t.Run("nothing is said of cards unless an attribute is named", func(t *testing.T) {
		if r := with(func(*Config) {}); len(r.Credentials)+len(r.Cards) != 0 || !r.PIN.Empty() {
			t.Errorf("%+v", r)
		}
	})
	t.Run("who has none is said to have none", func(t *testing.T) {
		tt.Graph.Change(graph.GUID("person0"), graph.Person{"employeeId": nil, "onPremisesExtensionAttributes": nil})
		r := with(func(c *Config) { c.Cards, c.PIN = []string{"employeeId", "extensionAttribute3"}, "extensionAttribute4" })
		if len(r.Cards) != 0 || len(r.Credentials) != 2 {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhatIsReadOfPeople(t *testing.T) {
	p := graph.Synced(1)[0]
	p["onPremisesImmutableId"], p["preferredLanguage"], p["employeeId"] = "BAMCAQYFCAcJCgsMDQ4PEA==", "fr-CH", "4711"
	r := oneRecord(t, newTenant(t, []graph.Person{p}).config())
	t.Run("A1_62_OfficeAndDepartment", func(t *testing.T) {
		if r.Office != "B 2" || r.Department != "Science" {
			t.Errorf("%q, %q", r.Office, r.Department)
		}
	})
	t.Run("A1_46_TheWholeUPNIsTheUsername", func(t *testing.T) {
		if r.Username != "person0@example.org" {
			t.Errorf("%q", r.Username)
		}
	})
	if r.OnPremises != "01020304-0506-0708-090a-0b0c0d0e0f10" || r.Language != "fr-CH" || r.EmployeeID != "4711" {
		t.Errorf("%+v", r)
	}
	for text, want := range map[string]string{
		"": "", "AAAA": "", "not base64": "", base64.StdEncoding.EncodeToString(make([]byte, 16)): "00000000-0000-0000-0000-000000000000",
	} {
		if got := objectGUID(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestUsernames(t *testing.T) {
	tt := newTenant(t, graph.Synced(1))
	for rule, want := range map[directory.UsernameRule]string{
		directory.UsernameUPN: "person0@example.org", directory.UsernameNickname: "person0.nick", directory.UsernameSAM: "person0", directory.UsernameMail: "person0@mail.example.org",
	} {
		t.Run("A1_49_A2_18_"+string(rule), func(t *testing.T) {
			cfg := tt.config()
			cfg.Username = rule
			r := oneRecord(t, cfg)
			if r.Username != want {
				t.Errorf("%q", r.Username)
			}
			// The other names are all there, for dirsync makes login names of them.
			if r.UPN == "" || r.SAM == "" || r.Nickname == "" || r.Email == "" || len(r.Aliases) != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestOnlyWhatEveryTenantHasIsAskedFor(t *testing.T) {
	people := graph.Synced(30)
	tt := newTenant(t, people, graph.Nested(3, people)...)
	cfg := tt.config()
	cfg.Cards, cfg.PIN = []string{"employeeId"}, "extensionAttribute1"
	s, _ := source(t, cfg, t.Output())
	if _, err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := begin(t, s)
	tt.Graph.Change(people[0].ID(), graph.Person{"displayName": "x"})
	tt.Graph.RenameGroup(graph.GUID("Group 1"), "y")
	_, _ = changesSince(t, s, next)
	// These are in the documentation of Graph without any licence: sign-in activity, for one, would need Entra ID P1.
	free := []string{"users", "delta", "user", "groups", "groups/delta", "group", "batch"}
	for _, row := range []string{"A1_08_PeopleAndGroupsComeFromGraph", "A2_17_WithoutAnExtraLicence"} {
		t.Run(row, func(t *testing.T) {
			calls := tt.Graph.Calls()
			for name := range calls {
				if !slices.Contains(free, name) {
					t.Errorf("%s is asked for", name)
				}
			}
			if calls["users"] == 0 || calls["groups/delta"] == 0 || calls["user"] != 1 || calls["group"] != 1 {
				t.Errorf("%v", calls)
			}
			if strings.Contains(s.selected, "signInActivity") || strings.Contains(s.selected, "customSecurityAttributes") {
				t.Errorf("%s", s.selected)
			}
		})
	}
}

func TestAMissingPermissionIsNamed(t *testing.T) {
	tt := newTenant(t, graph.Synced(3))
	const portal = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/" + clientID
	for name, test := range map[string]struct {
		granted    []string
		noGroups   bool
		want, lack []string
	}{
		"both":                  {[]string{"Mail.Read"}, false, []string{"permissions User.Read.All and GroupMember.Read.All", portal}, nil},
		"people":                {[]string{graph.PermissionGroups}, false, []string{"permission User.Read.All:", portal}, []string{"GroupMember"}},
		"groups":                {[]string{graph.PermissionUsers}, false, []string{"permission GroupMember.Read.All:", portal, "read_groups: no"}, []string{"User.Read.All"}},
		"people without groups": {[]string{}, true, []string{"permission User.Read.All:"}, []string{"GroupMember"}},
		"a lesser one":          {[]string{"User.ReadBasic.All"}, true, []string{"permission User.Read.All:"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tt.Graph.Grant(test.granted...)
			// Graph's own words name no permission.
			tt.Graph.SetFault(nil)
			cfg := tt.config()
			cfg.NoGroups = test.noGroups
			s, _ := source(t, cfg, t.Output())
			_, err := s.Check(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			text := strings.ReplaceAll(err.Error(), "(The emulator says which: ", "")
			_, remedy, _ := strings.Cut(text, "the application lacks")
			for _, want := range test.want {
				if !strings.Contains(remedy, want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			for _, lack := range test.lack {
				if strings.Contains(remedy, lack) {
					t.Errorf("%q is in: %v", lack, err)
				}
			}
			if _, err := s.Read(t.Context(), directory.Request{Groups: true}, directorytest.NewSeen(nil)); err == nil || !strings.Contains(err.Error(), portal) {
				t.Errorf("a reading says: %v", err)
			}
		})
	}
	for name, granted := range map[string][]string{"a wider one": {"Directory.Read.All"}, "the least": {graph.PermissionUsers}} {
		t.Run(name, func(t *testing.T) {
			tt.Graph.Grant(granted...)
			cfg := tt.config()
			cfg.NoGroups = name == "the least"
			s, _ := source(t, cfg, t.Output())
			if text, err := s.Check(t.Context()); err != nil || strings.Contains(text, "groups") == cfg.NoGroups {
				t.Errorf("%q, %v", text, err)
			}
			seen := directorytest.NewSeen(nil)
			reading, err := s.Read(t.Context(), directory.Request{Groups: true}, seen)
			if err != nil || len(seen.People) != 3 {
				t.Fatalf("%v", err)
			}
			if _, err := s.Read(t.Context(), directory.Request{Since: reading.Next, Groups: true}, directorytest.NewSeen(nil)); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	for text, want := range map[string][]string{"": nil, "a.b.c": nil, "opaque": nil} {
		if got := missing(text, []string{permissionUsers}); !slices.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestExpiries(t *testing.T) {
	end := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	tt := newTenant(t, graph.Synced(1))
	apps := func(secrets ...graph.Secret) {
		tt.Graph.SetApplications([]graph.Application{{ID: clientID, Name: "Platen", Secrets: secrets}, {ID: tenantID, Secrets: []graph.Secret{{Hint: "CAN", Ends: end.AddDate(-1, 0, 0)}}}})
	}
	told := time.Date(2031, 1, 31, 0, 0, 0, 0, time.UTC)
	ends := func(t *testing.T) time.Time {
		t.Helper()
		cfg := tt.config()
		cfg.ClientSecretExpires = told
		s, _ := source(t, cfg, t.Output())
		list, err := s.Expiries(t.Context())
		if err != nil || len(list) != 1 || !strings.Contains(list[0].What, "client secret of the application "+clientID) || !strings.Contains(list[0].What, "https://entra.microsoft.com/") {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0].At
	}
	tt.Graph.Grant(graph.PermissionUsers, graph.PermissionApplications)
	apps(graph.Secret{Hint: "old", Ends: end.AddDate(-2, 0, 0)}, graph.Secret{Hint: "CAN", Ends: end}, graph.Secret{Hint: "CAN", Ends: end.AddDate(1, 0, 0)}, graph.Secret{Hint: "CAN", Ends: time.Now().Add(-time.Hour)})
	if got := ends(t); !got.Equal(end) {
		t.Errorf("the secret that is used and still good: %v", got)
	}
	apps(graph.Secret{Hint: "oth", Ends: end})
	if got := ends(t); !got.Equal(told) {
		t.Errorf("only others are there: %v", got)
	}
	tt.Graph.Grant(graph.PermissionUsers)
	if got := ends(t); !got.Equal(told) {
		t.Errorf("without the permission: %v", got)
	}
	s, _ := source(t, tt.config(), t.Output())
	if list, err := s.Expiries(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("nothing is known: %+v, %v", list, err)
	}
	tt.Graph.Grant(graph.PermissionUsers, graph.PermissionApplications)
	tt.Graph.SetFault(&graph.Fault{Status: http.StatusServiceUnavailable})
	if _, err := s.Expiries(t.Context()); err == nil {
		t.Error("no error")
	}
	file, cert := application(t, time.Now().Add(300*24*time.Hour))
	cfg := tt.config()
	cfg.ClientSecret, cfg.ClientCertificate = nil, directory.SecretFile(file)
	s, _ = source(t, cfg, t.Output())
	list, err := s.Expiries(t.Context())
	if err != nil || len(list) != 1 || !list[0].At.Equal(cert.NotAfter) || !strings.Contains(list[0].What, "certificate of the application") {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestFingerprints(t *testing.T) {
	tt := newTenant(t, []graph.Person{carded()})
	seen := map[directory.Fingerprint]string{}
	for name, change := range map[string]func(*Config){
		"as it is": func(*Config) {}, "username": func(c *Config) { c.Username = directory.UsernameSAM }, "domain": func(c *Config) { c.Domain = "CORP" },
		"domains": func(c *Config) { c.NetBIOS = map[string]string{"corp.example.org": "X"} }, "guests": func(c *Config) { c.Guests = true },
		"cards": func(c *Config) { c.Cards = []string{"employeeId"} }, "PIN": func(c *Config) { c.PIN = "employeeId" }, "code": func(c *Config) { c.AccessCode = "employeeId" },
	} {
		cfg := tt.config()
		change(&cfg)
		f := oneRecord(t, cfg).Fingerprint
		if other, twice := seen[f]; twice {
			t.Errorf("%s and %s have the same fingerprint, so a change of the configuration would not reach anybody", name, other)
		}
		seen[f] = name
	}
}

func TestOneRowOnly(t *testing.T) {
	for text, want := range map[string]string{
		`{"@odata.context":"https://x/$metadata#users/$entity","id":"a"}`: `{"id":"a"}`,
		`{"id":"a"}`:               `{"id":"a"}`,
		`{"@odata.context":"x"}`:   `{"@odata.context":"x"}`,
		`{"@odata.context":"x","}`: `{"}`,
	} {
		if got := string(plain(json.RawMessage(text))); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	id := graph.GUID("x")
	for text, want := range map[string]bool{
		`{"id":"` + id + `"}`: true, `{"a":{"id":"x"},"id":"` + id + `"}`: false, `{"id" : "` + id + `"}`: false, `{"id":"` + id: false, `{"id":"short"}`: false, `{}`: false,
		`{"x":"\"id\":\"` + id + `\""}`: false,
	} {
		if got, ok := quickID(json.RawMessage(text)); ok != want || ok && got.String() != id {
			t.Errorf("%s: %v %t", text, got, ok)
		}
	}
}

func TestA1_01_TheThreeRoutesStandSideBySide(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/directories/entra.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, want := range []string{
		"Local domain controller", "Secure LDAP", "Standard (Microsoft Graph)", "charges a monthly subscription", // A1-07
		permissionUsers, permissionGroups, permissionApplications, "update_user_details_card_id", "extensionAttribute10", "client_secret_expires",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, name := range plainAttributes {
		if !strings.Contains(text, name) {
			t.Errorf("the page does not say that %s can have a card", name)
		}
	}
}
