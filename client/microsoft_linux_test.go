package main

import (
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/entra/person"
	"github.com/platenprint/platen/internal/testenv"
)

const (
	miaUPN      = "mia@example.org"
	miaPassword = "CANARY correct horse"
	miaCode     = "246810"
)

// tenantOffice is an office of people with MFA, who sign in with Microsoft.
type tenantOffice struct {
	*office
	tenant *entra.Emulator
	opened string // the file that gets the address that the browser is to open
	mia    *person.Person
}

func newTenantOffice(t *testing.T, env ...string) *tenantOffice {
	t.Helper()
	const (
		tenant = "11111111-2222-3333-4444-555555555555"
		client = "66666666-7777-8888-9999-000000000000"
		api    = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	)
	emulator, err := entra.Start(t.Context(), entra.Options{Config: entra.Config{
		Tenant: tenant, Domains: []string{"example.org"},
		Apps: []entra.App{
			{ID: client, Name: "Platen", RedirectURIs: []string{"http://localhost"}},
			{ID: api, Name: "Platen server", Scopes: []string{"sign-in"}, AccessTokenVersion: 2},
		},
		Users: []entra.User{{UPN: miaUPN, Name: "Mia Wong", Password: miaPassword, Code: miaCode, MFA: entra.MFARequired}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Close() })
	o := &tenantOffice{tenant: emulator, mia: (&person.Person{UPN: miaUPN, Password: miaPassword, Code: miaCode}).Use(emulator.Client())}
	o.office = newOffice(t, func(f *office) {
		write := func(name, text string, mode fs.FileMode) string {
			path := filepath.Join(f.dir, name)
			if err := os.WriteFile(path, []byte(text), mode); err != nil {
				t.Fatal(err)
			}
			return path
		}
		certificate := write("tenant.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: emulator.Certificate().Raw})), 0o600)
		config := write("server.yaml", fmt.Sprintf("microsoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n  authority: %s\n"+
			"  allow_any_authority: yes\n  ca_file: tenant.pem\n  mfa: yes\n  match: upn\n  create: yes\n  domains: [example.org]\n",
			tenant, client, api, emulator.URL()), 0o600)
		o.opened = filepath.Join(f.dir, "opened")
		// xdg-open starts it in the place of a browser. It only notes the address: the test is the person.
		browser := write("browser", "#!/bin/sh\nprintf %s \"$1\" > "+o.opened+".part && mv "+o.opened+".part "+o.opened+"\n", 0o700)
		f.config = []string{"--config", config}
		f.env = append(f.env, "PLATEN_MICROSOFT_AUTHORITY="+emulator.URL(), "SSL_CERT_FILE="+certificate, "BROWSER="+browser)
		f.env = append(f.env, env...)
	})
	return o
}

// visit waits until the browser is opened, and is Mia there.
func (o *tenantOffice) visit() time.Duration {
	o.t.Helper()
	testenv.Await(o.t, "the browser", func() bool { _, err := os.Stat(o.opened); return err == nil })
	address, err := os.ReadFile(o.opened)
	if err == nil {
		err = os.Remove(o.opened)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	began := time.Now()
	at, err := o.mia.Visit(o.t.Context(), string(address))
	if err != nil || at.Problem != "" {
		o.t.Fatalf("in the browser: %v, %q", err, at.Text)
	}
	if !strings.Contains(at.Text, "close this tab") {
		o.t.Errorf("the last page says %q", at.Text)
	}
	return time.Since(began)
}

// signIn signs Mia in and returns how long it took beside what she did in the browser.
func (o *tenantOffice) signIn(args ...string) time.Duration {
	o.t.Helper()
	said := &lockedBuffer{}
	began := time.Now()
	cmd := exec.CommandContext(o.t.Context(), filepath.Join(o.bin, "platen"), append([]string{"sign-in", "--method", "microsoft"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = o.env, said, said
	if err := cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	visit := o.visit()
	if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), "Finish in your browser.") {
		o.t.Fatalf("sign-in: %v\n%s", err, said.String())
	}
	return time.Since(began) - visit
}

// awaitMia waits until she is signed in, with her balance.
func (o *tenantOffice) awaitMia() {
	o.t.Helper()
	testenv.Await(o.t, "Mia to be signed in", func() bool {
		said := o.run("", "platen", "status", "--json")
		return strings.Contains(said, `"state": "following"`) && strings.Contains(said, `"username": "`+miaUPN+`"`) && strings.Contains(said, `"12.34"`)
	})
}

// sealed are the files that Microsoft's library keeps.
func (o *tenantOffice) sealed() []string {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.dir, "platen", "microsoft-*"))
	if err != nil {
		o.t.Fatal(err)
	}
	return files
}

// clean fails the test if anything that the client has written shows who signed in, and how.
func (o *tenantOffice) clean() {
	o.t.Helper()
	err := filepath.WalkDir(filepath.Join(o.dir, "platen"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, canary := range []string{miaPassword, miaCode, "eyJ", "code_challenge", "refresh_token"} {
			if strings.Contains(string(text), canary) {
				o.t.Errorf("%s holds %q", path, canary)
			}
		}
		return err
	})
	if err != nil {
		o.t.Error(err)
	}
}

// The day of somebody with MFA: once in the browser, then never again until they sign out (pain 4).
func TestA2_09_O3on_SignInWithMicrosoftOnce(t *testing.T) {
	o := newTenantOffice(t)
	platen := o.start(&lockedBuffer{}, "platen", "run")
	t.Logf("sign-in with Microsoft, click to balance, without the human: %s", o.signIn("--username", miaUPN, "--stay").Round(time.Millisecond))
	o.admin("", "user", "credit", miaUPN, "12.34")
	o.awaitTooltip("€12.34")
	testenv.Await(t, "Microsoft's part to be kept", func() bool { return len(o.sealed()) == 1 })
	o.end(platen)

	platen = o.start(&lockedBuffer{}, "platen", "run") // the next log-on is silent
	o.awaitMia()
	o.end(platen)

	o.admin("", "user", "sessions", miaUPN, "--revoke-all") // and so is one after the session has ended meanwhile
	platen = o.start(&lockedBuffer{}, "platen", "run")
	o.awaitMia()
	if _, err := os.Stat(o.opened); err == nil {
		t.Error("the browser was opened although Microsoft remembers Mia")
	}
	testenv.Await(t, "Microsoft's part to be kept again", func() bool { return len(o.sealed()) == 1 })
	o.clean()

	o.run("", "platen", "sign-out")
	if left := o.sealed(); len(left) != 0 {
		t.Errorf("after the sign-out there is %q", left)
	}
	o.signIn("--username", miaUPN) // in the browser again
	o.run("", "platen", "sign-out")
	o.end(platen)
	o.clean()
}

// Somebody else came back from the browser than was expected, and nobody can be asked: nothing is left of it.
func TestAnotherAccountThanExpectedIsNotSignedInUnasked(t *testing.T) {
	o := newTenantOffice(t)
	platen := o.start(&lockedBuffer{}, "platen", "run")
	said := &lockedBuffer{}
	cmd := exec.CommandContext(t.Context(), filepath.Join(o.bin, "platen"), "sign-in", "--method", "microsoft", "--username", "sam@example.org", "--stay")
	cmd.Env, cmd.Stdout, cmd.Stderr = o.env, said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o.visit()
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 4 || !strings.Contains(said.String(), "you signed in as "+miaUPN) {
		t.Errorf("%v: %s", err, said.String())
	}
	testenv.Await(t, "nobody signed in", func() bool { return strings.Contains(o.run("", "platen", "status"), "signed-out") })
	if left := o.sealed(); len(left) != 0 {
		t.Errorf("there is %q", left)
	}
	if list := o.run("", "platen-server", "user", "list", "--json", "--data", filepath.Join(o.dir, "data")); strings.Contains(list, miaUPN) {
		t.Errorf("the server has heard of her:\n%s", list)
	}
	o.end(platen)
	o.clean()
}

// UX 4: on a shared computer Microsoft is forgotten with the person.
func TestUX_4_MicrosoftOnASharedComputer(t *testing.T) {
	o := newTenantOffice(t, "PLATEN_DEVICE_ROLE=shared")
	platen := o.start(&lockedBuffer{}, "platen", "run")
	o.mia.Other = true // the account picker is there, whoever is signed in in the browser
	o.signIn("--stay")
	if said := o.run("", "platen", "sign-out"); !strings.Contains(said, "Close the browser too.") {
		t.Errorf("the sign-out says %q", said)
	}
	if left, err := filepath.Glob(filepath.Join(o.dir, "platen", "*.sealed")); err != nil || len(left) != 0 {
		t.Errorf("there is %q, %v", left, err)
	}
	o.end(platen)
	o.clean()
}
