// Package mainjob runs the main job with the real programs against a real Active Directory: from the name the computer
// has to a live balance, through wrong passwords, a rename and a disabled account.
package mainjob

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/platenprint/platen/internal/stage"
	"github.com/platenprint/platen/internal/testenv"
)

const (
	people   = "OU=People," + testenv.SambaBase
	service  = "CN=svc platen," + people
	password = "Us3r!Passw0rd"
	patience = time.Minute
)

func TestMainJobAgainstActiveDirectory(t *testing.T) {
	d := newDomain(t)
	d.change(testenv.SambaBase, "lockoutThreshold", "3")
	d.add(service, "svc-platen", "svc-platen@"+testenv.SambaRealm)
	d.add("CN=Alex Test,"+people, "alex.test", "alex.test@example.org")
	d.add("CN=Sam Okafor,"+people, "sam", "sam.okafor@example.org")
	p := newPrograms(t, d)

	t.Run("A1_31 the short name leads to the account", func(t *testing.T) {
		if out, code := p.platen(password+"\n", "sign-in", "--username", "alex.test", "--password-stdin"); code != 0 {
			t.Fatalf("exit code %d: %s", code, out)
		}
		p.untilUser("alex.test@example.org")
	})
	t.Run("A1_63 the balance is live", func(t *testing.T) {
		p.server("user", "credit", "alex.test@example.org", "12.34")
		p.until("the credit", func(s stage.Resident) bool { return s.Balance.Amount == "12.34" && s.Connection == "stream" })
	})
	t.Run("wrong passwords never lock a colleague out of the domain", func(t *testing.T) {
		p.platen("", "sign-out")
		for n := range 6 {
			if out, code := p.platen("wrong\n", "sign-in", "--username", "sam.okafor@example.org", "--password-stdin"); code != 4 {
				t.Fatalf("try %d: exit code %d, want 4: %s", n, code, out)
			}
		}
		if err := d.dial().Bind("sam.okafor@example.org", password); err != nil {
			t.Errorf("the domain has locked sam: %v", err)
		}
	})
	t.Run("A1_48 a rename keeps the balance, and the old name signs in", func(t *testing.T) {
		d.change("CN=Alex Test,"+people, "userPrincipalName", "alex.neu@example.org")
		d.change("CN=Alex Test,"+people, "sAMAccountName", "alex.neu")
		p.server("sync", "run", "corp")
		if out, code := p.platen(password+"\n", "sign-in", "--username", "alex.test@example.org", "--password-stdin"); code != 0 {
			t.Fatalf("sign in by the old name: exit code %d: %s", code, out)
		}
		if s := p.untilUser("alex.neu@example.org"); s.Balance.Amount != "12.34" {
			t.Errorf("balance %s after the rename, want 12.34", s.Balance.Amount)
		}
	})
	t.Run("disabled in the directory, signed out on the desktop", func(t *testing.T) {
		d.change("CN=Alex Test,"+people, "userAccountControl", "514")
		p.server("sync", "run", "corp")
		p.until("the end of the session", func(s stage.Resident) bool { return s.State == "signed-out" })
		if out, code := p.platen(password+"\n", "sign-in", "--username", "alex.neu@example.org", "--password-stdin"); code != 4 {
			t.Errorf("a disabled person signs in: exit code %d: %s", code, out)
		}
	})
	t.Run("the ledger adds up", func(t *testing.T) {
		if out := p.server("ledger", "verify"); !strings.Contains(out, "sound") {
			t.Error(out)
		}
	})
}

// domain is an Active Directory with the administrator signed in.
type domain struct {
	t      *testing.T
	server *testenv.SambaServer
	admin  *goldap.Conn
}

func newDomain(t *testing.T) *domain {
	d := &domain{t: t, server: testenv.Samba(t)}
	d.admin = d.dial()
	if err := d.admin.Bind(testenv.SambaAdmin, testenv.SambaAdminPassword); err != nil {
		t.Fatal(err)
	}
	unit := goldap.NewAddRequest(people, nil)
	unit.Attribute("objectClass", []string{"organizationalUnit"})
	if err := d.admin.Add(unit); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *domain) dial() *goldap.Conn {
	d.t.Helper()
	pem, err := os.ReadFile(d.server.CAFile)
	if err != nil {
		d.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := goldap.DialURL(d.server.LDAPS, goldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (d *domain) add(dn, sam, upn string) {
	d.t.Helper()
	var quoted []byte // MS-ADTS 3.1.1.3.1.5: in quotes, UTF-16, little end first
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		quoted = append(quoted, byte(u), byte(u>>8))
	}
	user := goldap.NewAddRequest(dn, nil)
	for name, value := range map[string]string{
		"objectClass": "user", "sAMAccountName": sam, "userPrincipalName": upn, "unicodePwd": string(quoted), "userAccountControl": "512",
	} {
		user.Attribute(name, []string{value})
	}
	if err := d.admin.Add(user); err != nil {
		d.t.Fatalf("add %s: %v", dn, err)
	}
}

func (d *domain) change(dn, attribute, value string) {
	d.t.Helper()
	request := goldap.NewModifyRequest(dn, nil)
	request.Replace(attribute, []string{value})
	if err := d.admin.Modify(request); err != nil {
		d.t.Fatalf("set %s of %s: %v", attribute, dn, err)
	}
}

// programs are a server that reads the domain, and a resident that nobody is signed in at.
type programs struct {
	t     *testing.T
	place *stage.Place
	data  string
	env   []string
}

func newPrograms(t *testing.T, d *domain) *programs {
	t.Helper()
	bin := t.TempDir()
	for name, path := range map[string]string{"platen": "./client", "platen-server": "./server-stub"} {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, name), path)
		build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	logs := t.TempDir()
	place, err := stage.NewPlace(bin, logs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := place.CleanUp(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			for _, name := range []string{"platen-server", "platen"} {
				said, _ := os.ReadFile(filepath.Join(logs, name+".log"))
				t.Logf("%s:\n%s", name, said)
			}
		}
	})
	p := &programs{t: t, place: place, data: place.Path("server")}
	address := freeAddress(t)
	p.write("bind-password", password)
	p.write("server.yaml", fmt.Sprintf("upn_suffix: example.org\ndirectories:\n  - id: corp\n    type: ldap\n    url: %s\n    ca_file: %s\n    bind_dn: %s\n"+
		"    bind_password_file: bind-password\n    upn_suffixes: [example.org]\n    interval: 1h\n", d.server.LDAPS, d.server.CAFile, service))
	p.start("platen-server", nil, "serve", "--data", p.data, "--listen", address, "--admin-listen", "off", "--device-listen", "off", "--config", place.Path("server.yaml"))
	p.await("the people of the domain", func() (bool, string) {
		out, err := stage.Command(t.Context(), nil, "", filepath.Join(bin, "platen-server"), "--data", p.data, "user", "list", "--json")
		return err == nil && strings.Contains(out, "alex.test@example.org"), fmt.Sprint(out, err)
	})
	run := place.Path("run")
	server := (&url.URL{Scheme: "https", Host: address}).String()
	p.env = []string{
		"PLATEN_SERVER_URL=" + server, "PLATEN_CA_FILE=" + filepath.Join(p.data, "ca.pem"), "PLATEN_UPN_SUFFIX=example.org", "PLATEN_RUNTIME_DIR=" + run,
		"HOME=" + place.Path("home"), "XDG_RUNTIME_DIR=" + run, "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=",
	}
	p.start("platen", p.env, "run")
	p.until("the resident", func(s stage.Resident) bool { return s.State == "signed-out" })
	return p
}

func (p *programs) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.place.Path(name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *programs) start(name string, env []string, args ...string) {
	p.t.Helper()
	if _, err := p.place.Start(p.t.Context(), env, name, filepath.Join(p.place.Bin, name), args...); err != nil {
		p.t.Fatal(err)
	}
}

// server runs an administrator's command, which must succeed.
func (p *programs) server(args ...string) string {
	p.t.Helper()
	out, err := stage.Command(p.t.Context(), nil, "", filepath.Join(p.place.Bin, "platen-server"), append([]string{"--data", p.data}, args...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// platen runs a command of the client and returns what it said and its exit code.
func (p *programs) platen(stdin string, args ...string) (out string, code int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(p.place.Bin, "platen"), args...)
	cmd.Env, cmd.Stdin = append(os.Environ(), p.env...), strings.NewReader(stdin)
	said, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return string(said), cmd.ProcessState.ExitCode()
}

// until waits until the resident's status is what is wanted.
func (p *programs) until(what string, want func(stage.Resident) bool) (last stage.Resident) {
	p.t.Helper()
	p.await(what, func() (bool, string) {
		out, err := stage.Command(p.t.Context(), p.env, "", filepath.Join(p.place.Bin, "platen"), "status", "--json")
		var s stage.Resident
		if err != nil || json.Unmarshal([]byte(out), &s) != nil {
			return false, fmt.Sprint(out, err)
		}
		last = s
		return want(s), out
	})
	return last
}

func (p *programs) untilUser(username string) stage.Resident {
	p.t.Helper()
	return p.until(username, func(s stage.Resident) bool { return s.State == "following" && s.Username == username })
}

func (p *programs) await(what string, seen func() (bool, string)) {
	p.t.Helper()
	if err := stage.Until(p.t.Context(), patience, what, seen); err != nil {
		p.t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
