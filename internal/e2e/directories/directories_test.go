package directories

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/testenv"
)

const (
	count    = 60
	reader   = "cn=reader," + testenv.SlapdBase
	password = "a-password-that-reads"
)

// openLDAP has 60 people with cards, all of them in the group All, which is made of Staff (5 people) and Students (55).
func openLDAP(t *testing.T) *testenv.SlapdServer {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "dn: %s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\nuserPassword: %s\n\n", reader, password)
	for _, unit := range []string{"people", "groups"} {
		fmt.Fprintf(&b, "dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n", unit, testenv.SlapdBase, unit)
	}
	person := func(i int) string { return fmt.Sprintf("uid=user%d,ou=people,%s", i, testenv.SlapdBase) }
	for i := range count {
		fmt.Fprintf(&b, "dn: %s\nobjectClass: inetOrgPerson\nuid: user%d\ncn: User %d\nsn: %d\nmail: user%d@example.org\nemployeeNumber: %d\nuserPassword: pw-user%d\n\n",
			person(i), i, i, i, i, 500000+i, i)
	}
	group := func(name string, members ...string) {
		fmt.Fprintf(&b, "dn: cn=%s,ou=groups,%s\nobjectClass: groupOfNames\ncn: %s\n", name, testenv.SlapdBase, name)
		for _, m := range members {
			fmt.Fprintf(&b, "member: %s\n", m)
		}
		b.WriteString("\n")
	}
	var staff, students []string
	for i := range count {
		if i < 5 {
			staff = append(staff, person(i))
		} else {
			students = append(students, person(i))
		}
	}
	group("Staff", staff...)
	group("Students", students...)
	group("All", "cn=Staff,ou=groups,"+testenv.SlapdBase, "cn=Students,ou=groups,"+testenv.SlapdBase)
	return testenv.Slapd(t, testenv.SlapdOptions{LDIF: b.String()})
}

func addLDAP(server *testenv.SlapdServer, more ...string) []string {
	return append([]string{
		"sync", "add", "ldap", "--id", "corp", "--url", server.LDAPS, "--ca-file", server.CAFile, "--bind-dn", reader, "--bind-password-stdin",
		"--set", "attributes={card: employeeNumber}",
	}, more...)
}

// From a bare server to people, through a wrong scope and the brake, and back by one command.
func TestFromABareServerToPeopleAndBack(t *testing.T) {
	server := openLDAP(t)
	s := newSite(t, "currency: EUR\n")
	s.does(t, "", []string{"sync", "list"}, "There is no directory yet")
	s.ends(t, 3, "", []string{"sync", "plan"}, "add one with: platen-server sync add")

	t.Run("what does not answer is not kept", func(t *testing.T) {
		s.ends(t, 1, "not the password\n", addLDAP(server), "nothing was changed", "corp")
		s.does(t, "", []string{"sync", "list"}, "There is no directory yet")
	})
	t.Run("A1_01 a directory is added by one command, and changes nobody", func(t *testing.T) {
		s.does(t, password+"\n", addLDAP(server), "corp is added", "more than 50 people", "platen-server sync plan corp")
		if n := s.people("corp"); n != 0 {
			t.Errorf("%d people came without a plan", n)
		}
		s.ends(t, 3, password+"\n", addLDAP(server), `there is a directory "corp" already`)
		if shown := s.does(t, "", []string{"sync", "show", "corp"}, "bind_password", "Every:"); strings.Contains(shown, password) {
			t.Errorf("the password is shown:\n%s", shown)
		}
	})
	t.Run("A2_01 people and groups come as the plan says", func(t *testing.T) {
		s.does(t, "", []string{"sync", "plan", "corp"}, "New: 60", "user0", "and 40 more", "sync apply --plan p-")
		s.does(t, "", []string{"sync", "apply", "corp"}, "ok", "60", "sync undo")
		if n := s.people("corp"); n != count {
			t.Errorf("%d people, want %d", n, count)
		}
		s.does(t, "", []string{"group", "list"}, "Staff", "Students", "All")
		s.does(t, "", []string{"sync", "plan", "corp", "--full"}, "There is nothing to apply")
	})

	// What somebody has, which no mistake may take.
	s.does(t, "", []string{"user", "credit", "user30", "12.34"})
	token := s.signIn("user30", "pw-user30")
	expect := func(t *testing.T, wantCode int) {
		t.Helper()
		amount, code := s.balance(token)
		if code != wantCode || code == http.StatusOK && amount != "12.34" {
			t.Errorf("the session shows %q, %d; want 12.34 and %d", amount, code, wantCode)
		}
	}
	expect(t, http.StatusOK)
	before := s.does(t, "", []string{"user", "show", "user30"})

	t.Run("a wrong scope is stopped by the brake", func(t *testing.T) {
		s.does(t, "", []string{"sync", "set", "corp", "scope.groups=Staff"}, "corp is changed")
		s.ends(t, 3, "", []string{"sync", "apply", "corp"}, "the brake stopped it", "55 of 60", "--reason")
		if n := s.people("corp"); n != count {
			t.Errorf("%d people after a run that was stopped", n)
		}
		expect(t, http.StatusOK)
		s.ends(t, 3, "", []string{"sync", "apply", "--plan", s.lastRun("corp").Plan}, "the brake stopped it")
		s.ends(t, 2, "", []string{"sync", "apply", "corp", "--reason", "because"}, "give --plan too")
	})
	t.Run("whoever looked at the plan may let it pass", func(t *testing.T) {
		plan := s.lastRun("corp").Plan
		s.does(t, "", []string{"sync", "plan", "--plan", plan}, "No longer listed", "55", "The brake stops this")
		s.does(t, "", []string{"sync", "apply", "--plan", plan, "--reason", "only staff prints"}, "ok", "55", "only staff prints")
		if n := s.people("corp"); n != 5 {
			t.Errorf("%d people, want the 5 of Staff", n)
		}
		expect(t, http.StatusForbidden) // the session is kept for when they are back, and good for nothing until then
		s.does(t, "", []string{"sync", "why", "user30"}, "deleted", "Runs that changed this person")
	})
	t.Run("one command brings everybody back, with everything", func(t *testing.T) {
		s.does(t, "", []string{"sync", "undo", strconv.FormatInt(s.lastRun("corp").ID, 10), "--reason", "wrong group", "--yes"}, "55 people", "corp is paused", "--resume")
		if n := s.people("corp"); n != count {
			t.Errorf("%d people after the undo, want %d", n, count)
		}
		expect(t, http.StatusOK)
		if after := s.does(t, "", []string{"user", "show", "user30"}); after != before {
			t.Errorf("user30 is not as before:\n%s\n%s", before, after)
		}
		s.does(t, "", []string{"ledger", "verify"}, "sound")
	})
	t.Run("A1_28 with the scope put right it goes on, nested groups included", func(t *testing.T) {
		s.does(t, "", []string{"sync", "set", "corp", "scope.groups=All"})
		s.does(t, "", []string{"sync", "plan", "corp"}, "There is nothing to apply")
		s.does(t, "", []string{"sync", "schedule", "corp", "--resume"}, "every 1h.")
	})
	t.Run("A3_24 A3_40 by hand", func(t *testing.T) {
		s.does(t, "", []string{"sync", "schedule", "corp", "--manual"}, "by hand")
		if shown := s.does(t, "", []string{"sync", "show", "corp"}, "by hand"); strings.Contains(shown, "Next run:") {
			t.Errorf("it is said to run by itself:\n%s", shown)
		}
		s.does(t, "", []string{"sync", "apply", "corp"}, "ok")
	})
	t.Run("A3_38 people who left are kept where the site wants that", func(t *testing.T) {
		s.does(t, "", []string{"sync", "set", "corp", "scope.groups=Staff", "auto_delete=no"})
		s.does(t, "", []string{"sync", "apply", "corp"}, "ok")
		if n := s.people("corp"); n != count {
			t.Errorf("%d people, want all %d kept", n, count)
		}
		expect(t, http.StatusOK)
	})
	t.Run("removed, and found again", func(t *testing.T) {
		s.does(t, "", []string{"sync", "remove", "corp", "--yes"}, "people stay: 60")
		s.ends(t, 3, "", []string{"sync", "apply", "corp"}, `there is no directory "corp"`)
		s.does(t, password+"\n", addLDAP(server, "--apply"), "ok")
		if n := s.people("corp"); n != count {
			t.Errorf("%d people, want %d", n, count)
		}
		expect(t, http.StatusOK)
	})
}

// emulatorCA writes the certificate of an emulator to a file.
func emulatorCA(t *testing.T, s *site, name string, der []byte) string {
	t.Helper()
	return s.write(name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
}

const (
	tenantID = "11111111-2222-3333-4444-555555555555"
	clientID = "66666666-7777-8888-9999-000000000000"
)

func TestA1_26_TheCompatibleKeyOfTheWholeSiteReachesEntra(t *testing.T) {
	tenant, err := graph.StartTenant(t.Context(), "127.0.0.1:0", tls.Certificate{}, entra.Config{Tenant: tenantID, Apps: []entra.App{{ID: clientID, Secret: "the-client-secret"}}},
		graph.Options{People: graph.Synced(15), Permissions: []string{graph.PermissionUsers, graph.PermissionGroups}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tenant.Close() })
	s := newSite(t, "user-source.update-user-details-card-id: Y\nuser-source.ad.upn-as-username: N\n")
	ca := emulatorCA(t, s, "entra.pem", tenant.Certificate().Raw)
	s.does(t, "the-client-secret\n", []string{
		"sync", "add", "entra", "--id", "cloud", "--tenant", tenantID, "--client-id", clientID, "--client-secret-stdin",
		"--set", "authority=" + tenant.URL(), "--set", "graph_url=" + tenant.URL(), "--set", "allow_any_authority=yes", "--set", "ca_file=" + ca,
	}, "cloud is added")
	s.does(t, "", []string{"sync", "plan", "cloud"}, "New: 15", "person0@example.org", "card ending in")
	s.does(t, "", []string{"sync", "apply", "cloud"}, "ok")
	s.does(t, "", []string{"sync", "apply", "cloud"}, "changes") // only what changed is asked for
	if n := s.people("cloud"); n != 15 {
		t.Errorf("%d people", n)
	}
	s.does(t, "", []string{"config", "show"}, "user-source.update-user-details-card-id", "user-source.ad.upn-as-username")
}

// "Save and sync": the directory is added and its people are there.
func TestA3_39_AddAndSynchroniseAtOnce(t *testing.T) {
	ca := testenv.NewCA(t)
	certFile, keyFile := ca.Issue(time.Now().Add(time.Hour), "localhost")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	customer, err := google.Start(t.Context(), "127.0.0.1:0", pair, google.Options{Directory: google.Directory{Users: []google.User{
		{"id": "1001", "primaryEmail": "alex@example.org"}, {"id": "1002", "primaryEmail": "sam@example.org"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = customer.Close() })
	key, err := customer.KeyFile()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "")
	keyName := s.write("key.json", string(key))
	s.does(t, "", []string{
		"sync", "add", "google", "--id", "school", "--subject", customer.Admin(), "--key-file", keyName, "--apply",
		"--set", "api_url=" + customer.URL(), "--set", "allow_any_authority=yes", "--set", "ca_file=" + ca.File,
	}, "school is added", "ok")
	s.does(t, "", []string{"user", "list"}, "alex@example.org", "sam@example.org")
	if err := os.Remove(keyName); err != nil { // it is kept sealed
		t.Fatal(err)
	}
	s.does(t, "", []string{"sync", "test", "school"}, "school:")
}

// The primary source is switched: people keep everything and their usernames.
func TestA1_02_AnotherDirectoryTakesOver(t *testing.T) {
	server := openLDAP(t)
	s := newSite(t, "")
	var b strings.Builder
	b.WriteString("id,sam,username,email\n")
	for i := range count {
		fmt.Fprintf(&b, "%d,u%d,u%d,user%d@example.org\n", i, i, i, i)
	}
	file := s.write("people.csv", b.String())
	s.does(t, "", []string{"sync", "add", "csv", "--id", "hr", "--path", file, "--apply"}, "ok")
	s.does(t, "", []string{"user", "credit", "u30", "5"})
	s.does(t, password+"\n", addLDAP(server, "--replaces", "hr"), "corp is added")
	s.does(t, "", []string{"sync", "plan", "corp"}, "Linked")
	s.does(t, "", []string{"sync", "apply", "corp"}, "ok")
	if hr, corp := s.people("hr"), s.people("corp"); hr != 0 || corp != count {
		t.Errorf("%d people of hr, %d of corp; want 0 and %d", hr, corp, count)
	}
	s.does(t, "", []string{"user", "show", "u30"}, "corp", "5.00")
}

// What `sync add scim` shows is all that the other side needs, and it opens nothing but its own door.
func TestA3_43_TenantURLAndTokenAreShownOnceAndWork(t *testing.T) {
	s := newSite(t, "")
	said := s.does(t, "", []string{"sync", "add", "scim", "--id", "entra"}, "Tenant URL    "+s.address+"/scim/v2", "Secret Token  pp_scim_", "not shown again")
	_, token, _ := strings.Cut(said, "Secret Token  ")
	token, _, _ = strings.Cut(token, "\n")
	if shown := s.does(t, "", []string{"sync", "show", "entra"}, s.address+"/scim/v2", "sends by itself", "Ends:"); strings.Contains(shown, token) {
		t.Error("the token is shown again")
	}
	person := map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "alex@example.org", "externalId": "1", "displayName": "Alex Test", "active": true,
	}
	if code := s.ask("not-the-token", http.MethodPost, "/scim/v2/Users", person, nil); code != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", code)
	}
	if code := s.ask(token, http.MethodPost, "/scim/v2/Users", person, nil); code != http.StatusCreated {
		t.Errorf("the right token: %d", code)
	}
	s.does(t, "", []string{"user", "list", "--source", "entra"}, "alex@example.org")
	s.does(t, "", []string{"sync", "log", "entra"}, "alex@example.org")
	if code := s.ask(token, http.MethodGet, "/api/v1/me/balance", nil, nil); code != http.StatusUnauthorized {
		t.Errorf("the token opens the API: %d", code)
	}
	s.ends(t, 3, "", []string{"sync", "schedule", "entra", "--every", "30m"}, "sends its changes by itself")
	s.does(t, "", []string{"sync", "remove", "entra", "--yes"}, "people stay: 1")
	if code := s.ask(token, http.MethodGet, "/scim/v2/Users", nil, nil); code != http.StatusUnauthorized {
		t.Errorf("the token of a directory that was removed: %d", code)
	}
}
