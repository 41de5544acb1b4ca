package capabilities

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/internal/testenv"
)

const (
	suffix   = "example.org"
	password = "Us3r!Passw0rd"
	code     = "246810" // of the second factor
	patience = time.Minute

	tenantID  = "11111111-2222-3333-4444-555555555555"
	clientID  = "66666666-7777-8888-9999-000000000000"
	apiID     = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	webSecret = "CANARY-web-secret"
)

// person is somebody whom one test is about, with the same name and password in the directory and in the tenant.
type person struct {
	short string // sAMAccountName
	upn   string
}

// site is the server of one column with what it stands between.
type site struct {
	column  string
	way     string // how the client signs in with Microsoft: microsoft, or browser, through the server's pages
	place   *stage.Place
	address string // of the server, host:port
	admin   string // of the administrators' pages, host:port
	data    string
	tenant  *entra.Emulator
	caFile  string // the tenant's certificate, PEM
	trust   []*x509.Certificate
	people  map[string]person // by the test's name
	listed  int               // how many of them the server knows before they come
}

func newSite(t *testing.T, column, way string, names []string) *site {
	t.Helper()
	s := &site{column: column, way: way, people: map[string]person{}, address: freeAddress(t), admin: freeAddress(t)}
	for _, name := range names {
		short := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		s.people[name] = person{short, short + "@" + suffix}
	}
	s.newPlace(t)
	s.newTenant(t)
	config := s.tenantConfig()
	switch column {
	case "O2":
		config += s.newDirectory(t)
	case "O3off":
		config += s.newList(t)
	}
	s.write(t, "web-secret", webSecret)
	s.write(t, "server.yaml", config)
	s.data = s.place.Path("server")
	s.start(t, "platen-server", nil, "serve", "--data", s.data, "--listen", s.address, "--admin-listen", s.admin, "--device-listen", "127.0.0.1:0",
		"--config", s.place.Path("server.yaml"))
	s.await(t, "the server and its people", func() (bool, string) {
		out, err := s.try(t, "user", "list", "--json")
		return err == nil && strings.Count(out, `"username"`) >= s.listed, fmt.Sprint(out, err)
	})
	s.trust = []*x509.Certificate{s.tenant.Certificate(), s.certificate(t)}
	return s
}

func (s *site) newPlace(t *testing.T) {
	t.Helper()
	logs := t.TempDir()
	place, err := stage.NewPlace(bin, logs)
	if err != nil {
		t.Fatal(err)
	}
	s.place = place
	t.Cleanup(func() {
		if err := place.CleanUp(); err != nil {
			t.Error(err)
		}
		files, _ := filepath.Glob(filepath.Join(logs, "*.log"))
		for _, file := range files {
			said, _ := os.ReadFile(file)
			if t.Failed() {
				t.Logf("%s:\n%s", filepath.Base(file), said)
			}
			for _, canary := range []string{password, webSecret} {
				if strings.Contains(string(said), canary) {
					t.Errorf("%s has a secret in it", filepath.Base(file))
				}
			}
		}
	})
}

// newTenant starts the emulator of Entra ID, in which everybody has an account.
func (s *site) newTenant(t *testing.T) {
	t.Helper()
	config := entra.Config{
		Tenant: tenantID, Name: "Northwind School", Domains: []string{suffix},
		Apps: []entra.App{
			{ID: clientID, Name: "Platen", RedirectURIs: []string{"http://localhost"}, PublicFlows: true},
			{
				ID: apiID, Name: "Platen server", Scopes: []string{"sign-in"}, AccessTokenVersion: 2, Secret: webSecret,
				OptionalClaims:  []string{"acct", "onprem_sid", "auth_time", "email"}, // as `platen-server entra setup` registers it
				WebRedirectURIs: []string{"https://" + s.address + "/sign-in/callback/microsoft", "https://" + s.admin + "/sign-in/callback/microsoft"},
			},
		},
	}
	for _, who := range s.people {
		user := entra.User{UPN: who.upn, Name: who.short, Email: who.upn, Password: password, Code: code, MFA: entra.MFARequired}
		if s.column == "O3off" {
			user.MFA = entra.MFAOff
		}
		config.Users = append(config.Users, user)
	}
	emulator, err := entra.Start(t.Context(), entra.Options{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Close() })
	s.tenant, s.caFile = emulator, s.place.Path("tenant.pem")
	s.write(t, "tenant.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: emulator.Certificate().Raw})))
}

func (s *site) tenantConfig() string {
	more := "  mfa: yes\n  match: upn\n"
	if s.column != "O2" {
		more += "  create: yes\n  domains: [" + suffix + "]\n"
	}
	if s.column == "O3off" {
		more = strings.Replace(more, "mfa: yes", "mfa: no\n  passwords: yes\n  source: list", 1)
	}
	if s.way == api.MethodBrowser {
		more += "sign_in: {modes: [browser]}\n"
	}
	return fmt.Sprintf("organisation: Northwind School\nupn_suffix: %s\npublic_url: https://%s\nmicrosoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n"+
		"  authority: %s\n  allow_any_authority: yes\n  ca_file: tenant.pem\n  web_client_secret_file: web-secret\n%s",
		suffix, s.address, tenantID, clientID, apiID, s.tenant.URL(), more)
}

const (
	people  = "OU=People," + testenv.SambaBase
	guests  = "OU=Guests," + testenv.SambaBase // whose usernames are their UPNs
	service = "CN=svc platen," + testenv.SambaBase
)

// innerGroup has everybody, outerGroup only innerGroup.
const innerGroup, outerGroup = "Inner Group", "Outer Group"

// The schema of Samba has no mailNickname (Exchange brings it), so that another attribute stands for it.
//
// newDirectory starts an Active Directory and returns its part of the configuration: two parts of the same directory, of
// which one gives the username that Entra Domain Services gives and the other the UPN.
func (s *site) newDirectory(t *testing.T) (config string) {
	t.Helper()
	d := testenv.Samba(t)
	raw, err := os.ReadFile(d.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	admin, err := goldap.DialURL(d.LDAPS, goldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	if err := admin.Bind(testenv.SambaAdmin, testenv.SambaAdminPassword); err != nil {
		t.Fatal(err)
	}
	add := func(dn string, attributes map[string]string) {
		request := goldap.NewAddRequest(dn, nil)
		for name, value := range attributes {
			request.Attribute(name, []string{value})
		}
		if err := admin.Add(request); err != nil {
			t.Fatalf("add %s: %v", dn, err)
		}
	}
	account := func(who person, more map[string]string) map[string]string {
		attributes := map[string]string{
			"objectClass": "user", "sAMAccountName": who.short, "userPrincipalName": who.upn, "unicodePwd": quoted(password), "userAccountControl": "512",
		}
		for name, value := range more {
			attributes[name] = value
		}
		return attributes
	}
	for _, unit := range []string{people, guests} {
		add(unit, map[string]string{"objectClass": "organizationalUnit"})
	}
	add(service, account(person{"svc-platen", "svc-platen@" + testenv.SambaRealm}, nil))
	number := 700_000
	for _, who := range s.people {
		number++
		add("CN="+who.short+","+people, account(who, map[string]string{"employeeNumber": fmt.Sprint(number), "displayNamePrintable": who.short + ".nick", "otherMailbox": who.short + ".other@" + suffix}))
	}
	add("CN=Guest Test,"+guests, account(guest, nil))
	group := func(name string, members ...string) {
		request := goldap.NewAddRequest("CN="+name+","+people, nil)
		request.Attribute("objectClass", []string{"group"})
		request.Attribute("sAMAccountName", []string{name})
		request.Attribute("member", members)
		if err := admin.Add(request); err != nil {
			t.Fatalf("add the group %s: %v", name, err)
		}
	}
	var members []string
	for _, who := range s.people {
		members = append(members, "CN="+who.short+","+people)
	}
	group(innerGroup, members...)
	group(outerGroup, "CN="+innerGroup+","+people)
	s.listed = len(s.people) + 1
	s.write(t, "bind-password", password)
	common := fmt.Sprintf("    type: ldap\n    product: entra-ds\n    url: %s\n    ca_file: %s\n    bind_dn: %s\n    bind_password_file: bind-password\n", d.LDAPS, d.CAFile, service)
	return "directories:\n  - id: corp\n" + common + "    base_dn: " + people + "\n    upn_suffixes: [" + suffix + "]\n    attributes: {card: employeeNumber, aliases: otherMailbox, nickname: displayNamePrintable}\n" +
		"  - id: guests\n" + common + "    base_dn: " + guests + "\n    group_base_dn: " + guests + "\n    username: upn\n"
}

// newList writes the people of the tenant into a file, but for the one who is to come unexpected, and returns its part of the
// configuration: passwords of people whom nobody knows are not sent to Microsoft.
func (s *site) newList(t *testing.T) (config string) {
	t.Helper()
	list := "id,upn,display_name\n"
	for name, who := range s.people {
		if name != unexpected {
			list += fmt.Sprintf("%s,%s,%s\n", who.short, who.upn, who.short)
			s.listed++
		}
	}
	s.write(t, "people.csv", list)
	return "directories:\n  - id: list\n    type: csv\n    path: people.csv\n    upn_suffixes: [" + suffix + "]\n"
}

// unexpected is the test whose person has no account before they come.
const unexpected = "A2_18_O3off"

// guest is somebody in the part of the directory that gives the UPN as the username.
var guest = person{"guest.test", "guest.test@" + suffix}

// quoted is a password as Active Directory takes it (MS-ADTS 3.1.1.3.1.5): in quotes, UTF-16, little end first.
func quoted(text string) string {
	var raw []byte
	for _, u := range utf16.Encode([]rune(`"` + text + `"`)) {
		raw = append(raw, byte(u), byte(u>>8))
	}
	return string(raw)
}

func (s *site) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(s.place.Path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *site) start(t *testing.T, name string, env []string, args ...string) *stage.Program {
	t.Helper()
	program, _, _ := strings.Cut(name, " ")
	p, err := s.place.Start(t.Context(), env, strings.ReplaceAll(name, " ", "-"), filepath.Join(bin, program), args...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// try runs an administrator's command.
func (s *site) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return stage.Command(t.Context(), nil, "", filepath.Join(bin, "platen-server"), append([]string{"--data", s.data}, args...)...)
}

// server runs an administrator's command, which must succeed.
func (s *site) server(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.try(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// account is what the server knows of somebody.
type account struct {
	Username string `json:"username"`
	Source   string `json:"source"`
	Names    []struct {
		Name string `json:"name"`
	} `json:"names"`
	Sessions []struct {
		Client string `json:"client"`
	} `json:"sessions"`
}

func (s *site) account(t *testing.T, name string) (a account) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.server(t, "user", "show", name, "--json")), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (s *site) await(t *testing.T, what string, seen func() (bool, string)) {
	t.Helper()
	if err := stage.Until(t.Context(), patience, what, seen); err != nil {
		t.Fatal(err)
	}
}

// certificate is the one that the server presents.
func (s *site) certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.data, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0] // a tls.Dialer dials nothing else
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
