package configured

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
)

const (
	entraTenant = "11111111-2222-3333-4444-555555555555"
	entraClient = "66666666-7777-8888-9999-000000000000"
)

// entraPeople reads an emulated tenant with an entry that has these lines beside what it must have.
func entraPeople(t *testing.T, lines string) ([]directory.Record, Config) {
	t.Helper()
	ca := testenv.NewCA(t)
	certFile, keyFile := ca.Issue(time.Now().Add(time.Hour), "localhost")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	tenant, err := graph.StartTenant(t.Context(), "127.0.0.1:0", pair, entra.Config{Tenant: entraTenant, Apps: []entra.App{{ID: entraClient, Secret: "secret"}}},
		graph.Options{People: graph.Synced(2), Permissions: []string{graph.PermissionUsers, graph.PermissionGroups}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tenant.Close() })
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := parse(t, fmt.Sprintf("- id: cloud\n  type: entra\n  tenant: %s\n  client_id: %s\n  client_secret_file: %s\n  authority: %s\n  graph_url: %s\n  allow_any_authority: yes\n  ca_file: %s\n%s",
		entraTenant, entraClient, secretFile, tenant.URL(), tenant.URL(), ca.File, lines))
	sources, err := Build(list, nil, slog.New(slog.DiscardHandler), clock.System)
	if err != nil {
		t.Fatal(err)
	}
	var people []directory.Record
	err = directory.People(t.Context(), sources[0], func(r directory.Record) error {
		people = append(people, r)
		return nil
	})
	if err != nil || len(people) != 2 {
		t.Fatalf("%d people, %v", len(people), err)
	}
	return people, list[0]
}

func TestUPNAsUsernameHasNoEffectOnEntra(t *testing.T) {
	for name, line := range map[string]string{"not set": "", "N": "  upn_as_username: N\n", "Y": "  upn_as_username: Y\n"} {
		t.Run("A1_54_TheUsernameIsTheUPN "+name, func(t *testing.T) {
			people, _ := entraPeople(t, line)
			if people[0].Username != "person0@example.org" {
				t.Errorf("%+v", people[0])
			}
		})
		t.Run("A1_55_NothingIsTruncatedWhateverTheKeySays "+name, func(t *testing.T) {
			if _, c := entraPeople(t, line); c.TruncatesUPNs() {
				t.Error("name@suffix would be looked for by its short name")
			}
		})
	}
	t.Run("A1_54_TheOneException", func(t *testing.T) { // a site of mixed usernames chooses the short ones itself
		people, _ := entraPeople(t, "  upn_as_username: N\n  username: sam\n")
		if people[0].Username != "person0" {
			t.Errorf("%+v", people[0])
		}
	})
}

func TestA1_26_UpdateUserDetailsCardID(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "  update_user_details_card_id: N\n": "", "  update_user_details_card_id: Y\n": "100000",
		"  update_user_details_card_id: Y\n  cards: [extensionAttribute1, employeeId]\n": "100000",
	} {
		people, _ := entraPeople(t, line)
		got := ""
		if len(people[0].Cards) > 0 {
			got = people[0].Cards[0].Reveal()
		}
		if got != want || (len(people[0].Credentials) == 1 && people[0].Credentials[0] == core.CredentialCard) != (want != "") {
			t.Errorf("%q: %d cards, the first %q, credentials %v", line, len(people[0].Cards), got, people[0].Credentials)
		}
	}
}

func TestKeysOfEntra(t *testing.T) {
	good := "- {id: cloud, type: entra, tenant: " + entraTenant + ", client_id: " + entraClient + ", client_secret_file: x"
	for line, want := range map[string]string{
		", cards: [employeeId, extensionAttribute15], pin: extensionAttribute2, access_code: employeeType, read_groups: no, client_secret_expires: 2027-01-31}": "",
		", cards: [extensionAttribute16]}":                                  "extensionAttribute16",
		", pin: displayName}":                                               "displayName",
		", client_secret_expires: soon}":                                    "such as 2027-01-31",
		", cards: extensionAttribute3}":                                     "",
		"}\n- {id: hr, type: csv, path: x, pin: y}":                         "pin",
		"}\n- {id: hr, type: csv, path: x, update_user_details_card_id: Y}": "",
	} {
		_, err := Build(parse(t, good+line), nil, slog.New(slog.DiscardHandler), clock.System)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}
