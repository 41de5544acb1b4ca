package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/federation"
)

var (
	_ directory.Looker   = (*Source)(nil)
	_ directory.Expiring = (*Source)(nil)

	oneOID = "ABCDEF01-2222-4333-8444-555555555555"
)

func TestRecord(t *testing.T) {
	mia := graph.Person{
		"id": oneOID, "userPrincipalName": "Mia.Wong@example.org", "mailNickname": "mia.wong", "displayName": "Mia Wong", "mail": "mia@mail.example.org",
		"proxyAddresses":           []string{"SMTP:mia@mail.example.org", "smtp:mia.w@example.com", "x500:/o=x/cn=mia", "SIP:mia@example.org"},
		"onPremisesSamAccountName": "mwong", "onPremisesDomainName": "Corp.example.org", "onPremisesSecurityIdentifier": "s-1-5-21-1-2-3-1104",
		"accountEnabled": true, "userType": "Member", "department": "Science", "officeLocation": "B 2",
	}
	want := directory.Record{
		Key: tenantID + "/abcdef01-2222-4333-8444-555555555555", KeyKind: core.IdentityEntraOID, SID: "S-1-5-21-1-2-3-1104",
		Username: "Mia.Wong@example.org", UPN: "Mia.Wong@example.org", SAM: "mwong", Domain: "CORP", Nickname: "mia.wong", Email: "mia@mail.example.org",
		Aliases: []string{"mia.w@example.com"}, DisplayName: "Mia Wong", Department: "Science", Office: "B 2", Where: "Mia.Wong@example.org",
	}
	cloudOnly := graph.Person{"id": graph.GUID("sam"), "userPrincipalName": "sam@example.org", "displayName": "Sam", "accountEnabled": false}
	guest := graph.Person{"id": graph.GUID("eve"), "userPrincipalName": "eve_other.org#EXT#@example.org", "accountEnabled": true, "userType": "Guest"}
	tt := newTenant(t, []graph.Person{mia, cloudOnly, guest})

	cfg := tt.config()
	cfg.NetBIOS = map[string]string{"corp.EXAMPLE.org": "CORP"}
	s, _ := source(t, cfg, t.Output())
	disabled := directory.Record{
		Key: tenantID + "/" + graph.GUID("sam"), KeyKind: core.IdentityEntraOID, Username: "sam@example.org", UPN: "sam@example.org", DisplayName: "Sam", Disabled: true, Where: "sam@example.org",
	}
	if diff := cmp.Diff([]directory.Record{want, disabled}, read(t, s), withoutFingerprints); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}

	for rule, name := range map[directory.UsernameRule]string{
		directory.UsernameUPN: "Mia.Wong@example.org", directory.UsernameSAM: "mwong", directory.UsernameNickname: "mia.wong", directory.UsernameMail: "mia@mail.example.org",
	} {
		cfg := tt.config()
		cfg.Username = rule
		s, _ := source(t, cfg, t.Output())
		got := read(t, s)
		if got[0].Username != name || got[0].Domain != "" {
			t.Errorf("username: %s gives %q in domain %q", rule, got[0].Username, got[0].Domain)
		}
		if rule != directory.UsernameUPN && got[1].Username != "" {
			t.Errorf("username: %s gives %q to somebody without", rule, got[1].Username)
		}
	}

	cfg = tt.config()
	cfg.Guests, cfg.Domain = true, "CORP"
	s, _ = source(t, cfg, t.Output())
	if got := read(t, s); len(got) != 3 || got[0].Domain != "CORP" || got[2].UPN != "eve_other.org#EXT#@example.org" {
		t.Errorf("with guests: %+v", got)
	}
}

func TestCheck(t *testing.T) {
	tt := newTenant(t, graph.Synced(40))
	s, _ := source(t, tt.config(), t.Output())
	text, err := s.Check(t.Context())
	if err != nil || !strings.Contains(text, tenantID) || !strings.Contains(text, clientID) || !strings.Contains(text, "netbios_domains") {
		t.Errorf("%q, %v", text, err)
	}
	cfg := tt.config()
	cfg.Domain = "CORP"
	s, _ = source(t, cfg, t.Output())
	if text, err := s.Check(t.Context()); err != nil || strings.Contains(text, "NetBIOS") {
		t.Errorf("%q, %v", text, err)
	}
	if n := tt.Graph.Calls()["users"]; n != 2 {
		t.Errorf("%d pages for two checks", n)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	tt := newTenant(t, graph.Synced(3))
	fault := func(f graph.Fault) func(*Config) { return func(*Config) { tt.Graph.SetFault(&f) } }
	tests := []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"permission missing", func(*Config) { tt.Graph.Grant("Directory.Nothing.All") }, []string{"User.Read.All", "consent", "HTTP 403"}},
		{"permission missing, in Graph's own words", fault(graph.Fault{Status: http.StatusForbidden}), []string{"Insufficient privileges", "User.Read.All"}},
		{"a lesser permission", fault(graph.Fault{Hide: "accountEnabled"}), []string{"accountEnabled", "User.Read.All"}},
		{"token refused", fault(graph.Fault{Status: http.StatusUnauthorized}), []string{"tenant and cloud", "HTTP 401"}},
		{"wrong secret", func(c *Config) { c.ClientSecret = directory.SecretFile(write(t, "CANARY-wrong")) }, []string{"AADSTS7000215", "secret's value"}},
		{"no secret file", func(c *Config) { c.ClientSecret = directory.SecretFile("/nowhere/secret") }, []string{"client_secret_file", "/nowhere/secret"}},
		{"empty secret file", func(c *Config) { c.ClientSecret = directory.SecretFile(write(t, "\n")) }, []string{"client_secret_file", "one line"}},
		{"unknown client", func(c *Config) { c.ClientID = tenantID }, []string{"AADSTS700016", "client_id"}},
		{"unknown tenant", func(c *Config) { c.Tenant = clientID }, []string{"tenant"}},
		{"another authority's certificate", func(c *Config) { c.CAFile = testenv.NewCA(t).File }, []string{"certificate"}},
		{"no certificate in the file", func(c *Config) { c.ClientSecret, c.ClientCertificate = nil, directory.SecretFile(write(t, "hello")) }, []string{"client_certificate_file", "PEM"}},
		{"nobody has such a name", func(c *Config) {
			c.Username = directory.UsernameSAM
			tt.Graph.SetFault(&graph.Fault{Hide: "onPremisesSamAccountName"})
		}, []string{"username", "nickname"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tt.Graph.Grant(graph.PermissionUsers, graph.PermissionGroups)
			tt.Graph.SetFault(nil)
			cfg := tt.config()
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
			for _, want := range append(test.want, `"cloud"`) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if !errors.Is(err, core.ErrUnavailable) && !errors.Is(err, core.ErrInvalid) {
				t.Errorf("no kind: %v", err)
			}
			if all := err.Error() + log.String(); strings.Contains(all, "CANARY") || strings.Contains(all, "eyJ") {
				t.Errorf("a secret is told: %s", all)
			}
			t.Log(err)
		})
	}
}

func TestSecretsAreNeverTold(t *testing.T) {
	tt := newTenant(t, graph.Synced(5))
	var log strings.Builder
	s, _ := source(t, tt.config(), &log)
	said := fmt.Sprintf("%+v %v", s.cfg, s.ID())
	for _, f := range []graph.Fault{
		{}, {Status: 429, Times: 2}, {Status: 503}, {Status: 403}, {Status: 401}, {Truncate: true}, {NextLink: "https://elsewhere.example.org/x"}, {Cycle: true},
	} {
		tt.Graph.SetFault(&f)
		if err := directory.People(t.Context(), s, func(directory.Record) error { return nil }); err != nil {
			said += err.Error()
		}
	}
	if len(log.String()) == 0 {
		t.Error("nothing was logged, so this shows nothing")
	}
	if all := said + log.String(); strings.Contains(all, "CANARY") || strings.Contains(all, "eyJ") {
		t.Errorf("a secret is told: %s", all)
	}
}

func TestPeopleAreFoundByTheirObjectIDAtSignIn(t *testing.T) {
	tt := newTenant(t, graph.Synced(3))
	s, _ := source(t, tt.config(), t.Output())
	b := newBench(t, s)
	people := federation.New(federation.Deps{Store: b.store, Clock: s.now, Policies: []federation.Policy{
		{Provider: "microsoft", Tenant: tenantID, Match: federation.MatchNone, Source: "cloud"},
	}})
	claims := federation.Claims{Provider: "microsoft", Issuer: "https://login/v2.0", Subject: "x", TenantID: strings.ToUpper(tenantID), ObjectID: strings.ToUpper(graph.GUID("person1"))}
	u, err := people.Person(t.Context(), claims)
	if err != nil || u.Username != "person1@example.org" || u.Source != "cloud" {
		t.Errorf("%+v, %v", u, err)
	}
	claims.ObjectID = graph.GUID("nobody")
	if u, err := people.Person(t.Context(), claims); !errors.Is(err, federation.ErrNoAccount) {
		t.Errorf("%+v, %v", u, err)
	}

	// A rename and a lock-out there are the same person here.
	tt.Graph.Change(graph.GUID("person1"), graph.Person{"userPrincipalName": "renamed@example.org"})
	tt.Graph.Change(graph.GUID("person2"), graph.Person{"accountEnabled": false})
	if run, err := b.run(t, s, whole); err != nil || run.Renamed != 1 || run.Disabled != 1 || run.Created != 0 {
		t.Fatalf("%+v, %v", run, err)
	}
	claims.ObjectID = graph.GUID("person1")
	if again, err := people.Person(t.Context(), claims); err != nil || again.ID != u.ID || again.Username != "renamed@example.org" {
		t.Errorf("%+v, %v", again, err)
	}
	claims.ObjectID = graph.GUID("person2")
	if _, err := people.Person(t.Context(), claims); !errors.Is(err, core.ErrDisabled) {
		t.Errorf("%v", err)
	}
	// Who went to the bin, and came back.
	tt.Graph.Remove(graph.GUID("person0"), false)
	if run, err := b.run(t, s, whole); err != nil || run.Disabled != 1 {
		t.Fatalf("%+v, %v", run, err)
	}
	tt.Graph.Restore(graph.GUID("person0"))
	if run, err := b.run(t, s, whole); err != nil || run.Restored != 1 {
		t.Fatalf("%+v, %v", run, err)
	}
}

func TestAWholeTenantIsNeverInMemory(t *testing.T) {
	const people = 10_000
	tt := newTenant(t, graph.Synced(people))
	s, _ := source(t, tt.config(), t.Output())
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
	if err != nil || n != people {
		t.Fatalf("%d people, %v", n, err)
	}
	if calls := tt.Graph.Calls()["users"]; calls != 11 {
		t.Errorf("%d pages", calls)
	}
	// All records together would be several times as much: about 1 kB each.
	grown := max(int64(most)-int64(before), 0)
	t.Logf("%d people in %d pages: live heap grew by at most %d kB", n, tt.Graph.Calls()["users"], grown/1024)
	if grown > 6<<20 {
		t.Errorf("the live heap grew by %d kB", grown/1024)
	}
}

func TestLongPagesAreAskedForInSmallerOnes(t *testing.T) {
	people := graph.Synced(500)
	for _, p := range people[100:] {
		p["proxyAddresses"] = []string{"x500:" + strings.Repeat("x", 4000)}
	}
	tt := newTenant(t, people)
	s, _ := source(t, tt.config(), t.Output())
	seen := map[string]int{}
	for _, r := range read(t, s) {
		seen[r.Key]++
	}
	if len(seen) != 500 {
		t.Errorf("%d people", len(seen))
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%s was given %d times", key, n)
		}
	}
}

func TestTheCallerCanEndARead(t *testing.T) {
	tt := newTenant(t, graph.Synced(50))
	cfg := tt.config()
	cfg.PageSize = 10
	s, _ := source(t, cfg, t.Output())
	stop := errors.New("stop")
	if err := directory.People(t.Context(), s, func(directory.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
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
