package ldap

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

const (
	readerDN       = "cn=reader," + testenv.SlapdBase
	readerPassword = "R3ader-of-the-test"
)

// slapdPeople is a directory of n people uid=user0 ... with the password "pw-userN", and the service account.
func slapdPeople(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: %s\n\n", readerDN, readerPassword)
	fmt.Fprintf(&b, "dn: ou=people,%s\nobjectClass: organizationalUnit\nou: people\n\n", testenv.SlapdBase)
	for i := range n {
		fmt.Fprintf(&b, "dn: uid=user%d,ou=people,%s\nobjectClass: inetOrgPerson\nuid: user%d\ncn: User %d\nsn: %d\nmail: user%d@example.org\n"+
			"ou: Library\nphysicalDeliveryOfficeName: B %d\nuserPassword: pw-user%d\n\n", i, testenv.SlapdBase, i, i, i, i, i, i)
	}
	return b.String()
}

func password(t *testing.T, text string) directory.Secret {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return directory.SecretFile(path)
}

// slapdConfig reads server as the service account.
func slapdConfig(t *testing.T, server *testenv.SlapdServer) Config {
	t.Helper()
	return Config{ID: "lab", URLs: []string{server.LDAPS}, CAFile: server.CAFile, BindDN: readerDN, BindPassword: password(t, readerPassword+"\n")}
}

func newSource(t *testing.T, cfg Config) *Source {
	t.Helper()
	s, err := New(cfg, slog.New(slog.NewTextHandler(t.Output(), nil)), clock.System)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readAll(t *testing.T, s *Source) ([]directory.Record, error) {
	t.Helper()
	var all []directory.Record
	err := directory.People(t.Context(), s, func(r directory.Record) error { all = append(all, r); return nil })
	return all, err
}

func byName(t *testing.T, all []directory.Record, username string) directory.Record {
	t.Helper()
	for _, r := range all {
		if r.Username == username {
			return r
		}
	}
	t.Fatalf("%q is not among %d records", username, len(all))
	return directory.Record{}
}

func TestOpenLDAP(t *testing.T) {
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(25)})
	cfg := slapdConfig(t, server)
	source := newSource(t, cfg)

	t.Run("check", func(t *testing.T) {
		got, err := source.Check(t.Context())
		if err != nil || !strings.Contains(got, "(openldap) lists 25 people below "+testenv.SlapdBase) || !strings.Contains(got, "usernames like user") {
			t.Errorf("Check = %q, %v", got, err)
		}
	})
	t.Run("read in pages", func(t *testing.T) {
		cfg := cfg
		cfg.PageSize = 4
		all, err := readAll(t, newSource(t, cfg))
		if err != nil || len(all) != 25 {
			t.Fatalf("%d people, %v", len(all), err)
		}
		dn := "uid=user7,ou=people," + testenv.SlapdBase
		want := directory.Record{
			KeyKind: core.IdentityEntryUUID, Username: "user7", SAM: "user7", Email: "user7@example.org", DisplayName: "User 7", Department: "Library", Office: "B 7",
			Locator: dn, Where: dn,
		}
		got := byName(t, all, "user7")
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(directory.Record{}, "Key", "Fingerprint")); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if _, err := uuidBytes(got.Key); err != nil {
			t.Error(err)
		}
	})
	t.Run("StartTLS", func(t *testing.T) {
		cfg := cfg
		cfg.URLs, cfg.StartTLS = []string{server.LDAP}, true
		if all, err := readAll(t, newSource(t, cfg)); err != nil || len(all) != 25 {
			t.Errorf("%d people, %v", len(all), err)
		}
	})
	t.Run("the next server when one cannot be reached", func(t *testing.T) {
		cfg := cfg
		cfg.URLs = []string{"ldaps://127.0.0.1:1", server.LDAPS}
		if all, err := readAll(t, newSource(t, cfg)); err != nil || len(all) != 25 {
			t.Errorf("%d people, %v", len(all), err)
		}
	})
	t.Run("own filter, base and attributes", func(t *testing.T) {
		cfg := cfg
		cfg.Filter, cfg.BaseDN, cfg.Username = "(|(uid=user1)(uid=user2))", "ou=people,"+testenv.SlapdBase, directory.UsernameUPN
		cfg.Attributes, cfg.Domain = map[string][]string{"upn": {"mail"}, "office": {""}}, "LAB"
		all, err := readAll(t, newSource(t, cfg))
		if err != nil || len(all) != 2 {
			t.Fatalf("%d people, %v", len(all), err)
		}
		if r := byName(t, all, "user1@example.org"); r.Domain != "LAB" || r.Office != "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("nobody matches", func(t *testing.T) {
		cfg := cfg
		cfg.Filter = "(uid=nobody)"
		if _, err := newSource(t, cfg).Check(t.Context()); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), "correct base_dn or filter") {
			t.Errorf("Check: %v", err)
		}
	})
	t.Run("passwords", func(t *testing.T) {
		all, err := readAll(t, source)
		if err != nil {
			t.Fatal(err)
		}
		r := byName(t, all, "user3")
		outside := cfg
		outside.Filter = "(uid=user1)"
		tests := []struct {
			name, password, key string
			kind                core.IdentityKind
			source              *Source
			want                error
		}{
			{"right", "pw-user3", r.Key, r.KeyKind, source, nil},
			{"wrong", "pw-user4", r.Key, r.KeyKind, source, core.ErrWrongCredentials},
			{"empty", "", r.Key, r.KeyKind, source, core.ErrWrongCredentials},
			{"cut by a NUL", "pw-user3\x00", r.Key, r.KeyKind, source, core.ErrWrongCredentials},
			{"an id that is nobody's", "pw-user3", "00000000-0000-0000-0000-000000000000", r.KeyKind, source, core.ErrWrongCredentials},
			{"an id that is a filter", "pw-user3", "*", r.KeyKind, source, core.ErrWrongCredentials},
			{"an id of another kind", "pw-user3", r.Key, core.IdentityObjectGUID, source, core.ErrUnavailable},
			{"outside of the filter", "pw-user3", r.Key, r.KeyKind, newSource(t, outside), core.ErrWrongCredentials},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				if err := tt.source.CheckPassword(t.Context(), tt.kind, tt.key, secret.New(tt.password)); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("CheckPassword = %v, want %v", err, tt.want)
				}
			})
		}
	})
	t.Run("the password never shows in errors", func(t *testing.T) {
		cfg := cfg
		cfg.BindPassword = password(t, "CANARY-1")
		s := newSource(t, cfg)
		_, err1 := readAll(t, s)
		err2 := s.CheckPassword(t.Context(), core.IdentityEntryUUID, "00000000-0000-0000-0000-000000000000", secret.New("CANARY-2"))
		for _, err := range []error{err1, err2} {
			if !errors.Is(err, core.ErrUnavailable) || strings.Contains(fmt.Sprintf("%v %+v", err, err), "CANARY") || !strings.Contains(err.Error(), "bind_password_file") {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestOpenLDAPPasswordPolicy(t *testing.T) {
	ldif := slapdPeople(3) + "dn: cn=policy," + testenv.SlapdBase + "\nobjectClass: person\nobjectClass: pwdPolicy\ncn: policy\nsn: policy\n" +
		"pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 2\npwdLockoutDuration: 3600\npwdMustChange: TRUE\n\n"
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: ldif, Database: "overlay ppolicy\nppolicy_default cn=policy," + testenv.SlapdBase + "\nppolicy_use_lockout\n"})
	source := newSource(t, slapdConfig(t, server))
	all, err := readAll(t, source)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name, password string, want error) {
		t.Helper()
		r := byName(t, all, name)
		if err := source.CheckPassword(t.Context(), r.KeyKind, r.Key, secret.New(password)); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s with %s: %v, want %v", name, password, err, want)
		}
	}
	check("user0", "wrong", core.ErrWrongCredentials)
	check("user0", "wrong", core.ErrWrongCredentials)
	check("user0", "pw-user0", core.ErrLimited)

	admin := dialAdmin(t, server.LDAPS, testenv.SlapdAdmin, testenv.SlapdAdminPassword, source)
	modify(t, admin, byName(t, all, "user1").Locator, "pwdReset", "TRUE")
	check("user1", "pw-user1", core.ErrPasswordExpired)

	modify(t, admin, byName(t, all, "user2").Locator, "pwdAccountLockedTime", "000001010000Z")
	check("user2", "pw-user2", core.ErrLimited)
	if all, err = readAll(t, source); err != nil || !byName(t, all, "user2").Disabled || byName(t, all, "user0").Disabled {
		t.Errorf("disabled: %+v, %v", all, err)
	}
}

// dialAdmin connects as an administrator of the directory under test, with the CA of source.
func dialAdmin(t *testing.T, url, dn, password string, source *Source) *goldap.Conn {
	t.Helper()
	cfg := source.cfg
	cfg.URLs, cfg.StartTLS = []string{url}, false
	c, err := newSource(t, cfg).dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn := goldap.NewConn(c, true)
	conn.Start()
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.Bind(dn, password); err != nil {
		t.Fatal(err)
	}
	return conn
}

func modify(t *testing.T, admin *goldap.Conn, dn, attribute, value string) {
	t.Helper()
	request := goldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, []string{value})
	if err := admin.Modify(request); err != nil {
		t.Fatalf("set %s of %s: %v", attribute, dn, err)
	}
}

func TestConnectionsThatAreNotMade(t *testing.T) {
	server := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(2)})
	elsewhere := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(2), Names: []string{"dc1.example.org"}})
	expired := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(2), Until: time.Now().Add(-time.Hour)})
	plain := testenv.Slapd(t, testenv.SlapdOptions{LDIF: slapdPeople(2), NoTLS: true})
	tests := []struct {
		name   string
		server *testenv.SlapdServer
		edit   func(c *Config)
		want   string
	}{
		{"wrong CA", server, func(c *Config) { c.CAFile = elsewhere.CAFile }, "set ca_file"},
		{"wrong CA, StartTLS", server, func(c *Config) { c.CAFile, c.URLs, c.StartTLS = elsewhere.CAFile, []string{server.LDAP}, true }, "set ca_file"},
		{"no CA: the system's", server, func(c *Config) { c.CAFile = "" }, "set ca_file"},
		{"wrong host name", elsewhere, func(*Config) {}, "server_name"},
		{"wrong host name, StartTLS", elsewhere, func(c *Config) { c.URLs, c.StartTLS = []string{elsewhere.LDAP}, true }, "server_name"},
		{"wrong server_name", server, func(c *Config) { c.ServerName = "dc1.example.org" }, "server_name"},
		{"expired certificate", expired, func(*Config) {}, "renew"},
		{"StartTLS is refused", plain, func(c *Config) { c.CAFile, c.URLs, c.StartTLS = server.CAFile, []string{plain.LDAP}, true }, "try ldaps://"},
		{"no TLS at that port", plain, func(c *Config) {
			c.CAFile, c.URLs = server.CAFile, []string{"ldaps" + strings.TrimPrefix(plain.LDAP, "ldap")}
		}, "LDAPS port"},
		{"nobody listens", server, func(c *Config) { c.URLs = []string{"ldaps://127.0.0.1:1"} }, "check that url is right"},
		{"password file missing", server, func(c *Config) { c.BindPassword = directory.SecretFile("/nowhere/password") }, "bind_password_file"},
		{"password file empty", server, func(c *Config) { c.BindPassword = password(t, "\n") }, "bind_password_file"},
		{"wrong service password", server, func(c *Config) { c.BindPassword = password(t, "wrong") }, "check bind_dn, bind_password_file"},
		{"base that is not there", server, func(c *Config) { c.BaseDN = "dc=other,dc=org" }, "correct base_dn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := slapdConfig(t, tt.server)
			tt.edit(&cfg)
			all, err := readAll(t, newSource(t, cfg))
			if err == nil || len(all) > 0 {
				t.Fatalf("%d people were read, %v", len(all), err)
			}
			for _, want := range []string{tt.want, `ldap directory "lab"`} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
	t.Run("the server's own name, checked by server_name", func(t *testing.T) {
		cfg := slapdConfig(t, elsewhere)
		cfg.ServerName = "dc1.example.org"
		if all, err := readAll(t, newSource(t, cfg)); err != nil || len(all) != 2 {
			t.Errorf("%d people, %v", len(all), err)
		}
	})
}
