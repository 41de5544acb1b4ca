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
`)
	yes, no := true, false
	want := []Config{
		{
			ID: "corp", Type: "ldap", URL: URLs{"ldaps://dc1.example.org", "ldaps://dc2.example.org"}, BindDN: "CN=Platen,DC=example,DC=org",
			BindPasswordFile: "password", BaseDN: "DC=example,DC=org", UPNAsUsername: &yes, UPNSuffixes: []string{"example.org"}, Interval: 30 * time.Minute,
			Brake: Brake{Disabled: 10, Floor: 50}, Lockout: Lockout{MaxFailures: 5, Window: time.Hour},
		},
		{ID: "lab", Type: "ldap", URL: URLs{"ldap://lab.example.org"}, StartTLS: true, UPNAsUsername: &no},
		{ID: "hr", Type: "csv", Path: "/srv/people.csv", Username: "upn"},
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
	sources, err := Build(list, slog.New(slog.DiscardHandler), clock.System)
	if err != nil || len(sources) != 3 || sources[0].ID() != "corp" || sources[2].ID() != "hr" {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	if _, ok := sources[0].(directory.PasswordChecker); !ok {
		t.Error("an ldap source does not check passwords")
	}
	if _, ok := sources[2].(directory.PasswordChecker); ok {
		t.Error("a csv source checks passwords")
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
	const ad = "id: corp, type: ldap, url: ldaps://dc.example.org"
	tests := []struct {
		name, yaml string
		want       []string
	}{
		{"no id", "- {type: csv, path: x}", []string{`source ""`, "id:", "such as corp"}},
		{"bad id", "- {id: Corp AD, type: csv, path: x}", []string{"id:", "small letters"}},
		{"id twice", "- {id: a, type: csv, path: x}\n- {id: a, type: csv, path: y}", []string{"entries 1 and 2", `"a"`}},
		{"no type", "- {id: a, path: x}", []string{`source "a"`, "type:", "csv or ldap"}},
		{"unknown type", "- {id: a, type: entra}", []string{"type:", `"entra"`}},
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Build(parse(t, tt.yaml), slog.New(slog.DiscardHandler), clock.System)
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
