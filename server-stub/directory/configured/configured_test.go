package configured

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/dirsync"
)

func parse(t *testing.T, text string) []Config {
	t.Helper()
	var list []Config
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestYAML(t *testing.T) {
	list := parse(t, `
- id: corp
  type: ldap
  url: [ldaps://dc1.example.org, ldaps://dc2.example.org]
  bind_dn: CN=Platen,DC=example,DC=org
  bind_password_file: password
  base_dn: DC=example,DC=org
  upn_as_username: Y
  upn_suffixes: [example.org]
  interval: 30m
  brake: {disabled_percent: 10, floor: 50}
  lockout: {max_failures: 5, window: 1h}
- {id: lab, type: ldap, url: "ldap://lab.example.org", start_tls: true, upn_as_username: N}
- {id: hr, type: csv, path: /srv/people.csv, username: upn}
- {id: cloud, type: entra, tenant: 11111111-2222-3333-4444-555555555555, client_id: 66666666-7777-8888-9999-000000000000, client_secret_file: secret, guests: yes, username: nickname, netbios_domains: {corp.example.org: CORP}}
`)
	yes, no := true, false
	want := []Config{
		{
			ID: "corp", Type: "ldap", URL: List{"ldaps://dc1.example.org", "ldaps://dc2.example.org"}, BindDN: "CN=Platen,DC=example,DC=org",
			BindPasswordFile: "password", BaseDN: "DC=example,DC=org", UPNAsUsername: &yes, UPNSuffixes: List{"example.org"}, Interval: 30 * time.Minute,
			Brake: Brake{Disabled: 10, Floor: 50}, Lockout: Lockout{MaxFailures: 5, Window: time.Hour},
		},
		{ID: "lab", Type: "ldap", URL: List{"ldap://lab.example.org"}, StartTLS: true, UPNAsUsername: &no},
		{ID: "hr", Type: "csv", Path: "/srv/people.csv", Username: "upn"},
		{
			ID: "cloud", Type: "entra", Tenant: "11111111-2222-3333-4444-555555555555", ClientID: "66666666-7777-8888-9999-000000000000", ClientSecretFile: "secret",
			Guests: true, Username: "nickname", NetBIOSDomains: map[string]string{"corp.example.org": "CORP"},
		},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := dirsync.Brake(list[0].Brake); got.Disabled != 10 || got.Floor != 50 {
		t.Errorf("brake %+v", got)
	}
	if got := list[0].Relative("/etc/platen").BindPasswordFile; got != filepath.Join("/etc/platen", "password") {
		t.Errorf("relative file %q", got)
	}
	sources, err := Build(list, nil, slog.New(slog.DiscardHandler), clock.System)
	if err != nil || len(sources) != 4 || sources[0].ID() != "corp" || sources[2].ID() != "hr" || sources[3].ID() != "cloud" {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	if _, ok := sources[0].(directory.PasswordChecker); !ok {
		t.Error("an ldap source does not check passwords")
	}
	for _, source := range sources[2:] {
		if _, ok := source.(directory.PasswordChecker); ok {
			t.Errorf("%s checks passwords", source.ID())
		}
	}
	if got := list[3].Relative("/etc/platen").ClientSecretFile; got != filepath.Join("/etc/platen", "secret") {
		t.Errorf("relative file %q", got)
	}
}

func TestDefaults(t *testing.T) {
	got := Config{Type: TypeLDAP}.WithDefaults()
	if got.Interval != time.Hour || got.Lockout != (Lockout{MaxFailures: 2, Window: 30 * time.Minute}) {
		t.Errorf("%+v", got)
	}
	if got := (Config{Type: TypeCSV}).WithDefaults().Interval; got != 5*time.Minute {
		t.Errorf("csv every %v", got)
	}
}

func TestErrorsNameSourceKeyAndRemedy(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(notPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	const (
		ad    = "id: corp, type: ldap, url: ldaps://dc.example.org"
		cloud = "id: a, type: entra, tenant: 11111111-2222-3333-4444-555555555555, client_id: 66666666-7777-8888-9999-000000000000"
	)
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"no id", "- {type: csv, path: x}", []string{`source ""`, "id:", "such as corp"}},
		{"bad id", "- {id: Corp AD, type: csv, path: x}", []string{"id:", "small letters"}},
		{"id twice", "- {id: a, type: csv, path: x}\n- {id: a, type: csv, path: y}", []string{"entries 1 and 2", `"a"`}},
		{"no type", "- {id: a, path: x}", []string{`source "a"`, "type:", "csv, ldap, entra, google or scim"}},
		{"unknown type", "- {id: a, type: okta}", []string{"type:", `"okta"`}},
		{"csv without path", "- {id: a, type: csv}", []string{"path:"}},
		{"csv with a key of ldap", "- {id: a, type: csv, path: x, bind_dn: cn=x}", []string{"bind_dn:", "remove it"}},
		{"ldap with a key of csv", "- {" + ad + ", path: x}", []string{"path:", "remove it"}},
		{"ldap without url", "- {id: a, type: ldap}", []string{`"a"`, "url:", "ldaps://"}},
		{"plain ldap", "- {id: a, type: ldap, url: ldap://127.0.0.1}", []string{"in the clear", "start_tls: true"}},
		{"StartTLS on ldaps", "- {" + ad + ", start_tls: true}", []string{"start_tls:", "remove start_tls"}},
		{"another scheme", "- {id: a, type: ldap, url: https://dc.example.org}", []string{"url:", "ldaps://server"}},
		{"password in the url", "- {id: a, type: ldap, url: ldaps://u:p@dc.example.org}", []string{"url:"}},
		{"ca_file that is none", "- {" + ad + ", ca_file: " + notPEM + "}", []string{"ca_file:", "PEM"}},
		{"ca_file missing", "- {" + ad + ", ca_file: /nowhere/ca.pem}", []string{"ca_file:", "/nowhere/ca.pem"}},
		{"bind_dn alone", "- {" + ad + ", bind_dn: cn=x}", []string{"bind_dn", "belong together"}},
		{"base_dn", "- {" + ad + ", base_dn: example.org}", []string{"base_dn:", "dc=example,dc=org"}},
		{"filter", "- {" + ad + ", filter: '(objectClass=person'}", []string{"filter:"}},
		{"product", "- {" + ad + ", product: novell}", []string{"product:", "openldap"}},
		{"attribute", "- {" + ad + ", attributes: {phone: telephoneNumber}}", []string{"attributes:", "display_name"}},
		{"username", "- {" + ad + ", username: cn}", []string{`"corp"`, "username", "nickname"}},
		{"username against upn_as_username", "- {" + ad + ", username: sam, upn_as_username: Y}", []string{"upn_as_username", "contradicts"}},
		{"interval", "- {" + ad + ", interval: 5s}", []string{"interval:", "1m0s or more"}},
		{"brake", "- {" + ad + ", brake: {disabled_percent: 101}}", []string{"brake:"}},
		{"lockout", "- {" + ad + ", lockout: {max_failures: -1}}", []string{"lockout:"}},
		{"page_size", "- {" + ad + ", page_size: -1}", []string{"page_size"}},
		{"ldap with a key of entra", "- {" + ad + ", guests: yes}", []string{"guests:", "type: entra", "remove it"}},
		{"entra with a key of ldap", "- {" + cloud + ", client_secret_file: x, base_dn: dc=x}", []string{"base_dn:", "type: ldap", "remove it"}},
		{"entra with a key of csv", "- {" + cloud + ", client_secret_file: x, path: x}", []string{"path:", "type: csv"}},
		{"entra without tenant", "- {id: a, type: entra}", []string{`"a"`, "tenant:", "11111111-"}},
		{"a tenant's name", "- {id: a, type: entra, tenant: example.org}", []string{"tenant:", "Directory ID"}},
		{"entra without client", "- {id: a, type: entra, tenant: 11111111-2222-3333-4444-555555555555}", []string{"client_id:"}},
		{"no secret", "- {" + cloud + "}", []string{"client_secret_file:", "client_certificate_file"}},
		{"secret and certificate", "- {" + cloud + ", client_secret_file: x, client_certificate_file: y}", []string{"not both"}},
		{"cloud", "- {" + cloud + ", client_secret_file: x, cloud: mars}", []string{"cloud:", "usgov"}},
		{"authority without leave", "- {" + cloud + ", client_secret_file: x, authority: https://login.example.org}", []string{"authority", "allow_any_authority: yes"}},
		{"Graph without leave", "- {" + cloud + ", client_secret_file: x, graph_url: https://graph.example.org}", []string{"graph_url", "allow_any_authority: yes"}},
		{"Graph without TLS", "- {" + cloud + ", client_secret_file: x, allow_any_authority: yes, graph_url: http://graph.example.org}", []string{"graph_url:", "https://HOST"}},
		{"page of 1000", "- {" + cloud + ", client_secret_file: x, page_size: 1000}", []string{"page_size:", "999"}},
		{"NetBIOS name", "- {" + cloud + ", client_secret_file: x, netbios_domains: {corp.example.org: corp.example.org}}", []string{"netbios_domains:", "CORP"}},
		{"ca_file of entra", "- {" + cloud + ", client_secret_file: x, ca_file: /nowhere/ca.pem}", []string{"ca_file:", "/nowhere/ca.pem"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Build(parse(t, tt.yaml), nil, slog.New(slog.DiscardHandler), clock.System)
			if !errors.Is(err, core.ErrInvalid) {
				t.Fatalf("error %v, want core.ErrInvalid", err)
			}
			for _, want := range append(tt.want, "directories:") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}
