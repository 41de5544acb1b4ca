package google

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
	"github.com/platenprint/platen/server-stub/dirsync"
)

// looked is what Lookup says of people: "Name of ..." or "gone".
func looked(t *testing.T, s *Source, emails ...string) (string, error) {
	t.Helper()
	keys := make([]directory.Key, len(emails))
	for i, email := range emails {
		keys[i] = key(emulator.UserID(email))
	}
	seen := directorytest.NewSeen(nil)
	err := s.Lookup(t.Context(), keys, seen)
	words := make([]string, len(keys))
	for i, k := range keys {
		switch _, there := seen.People[k]; {
		case there:
			words[i] = "there"
		case seen.Left[k]:
			words[i] = "gone"
		default:
			words[i] = "nothing"
		}
	}
	return strings.Join(words, " "), err
}

func TestWhoIsInNoneOfTheUnitsIsGone(t *testing.T) {
	d := school(2)
	for email, unit := range map[string]string{"in": "/Students", "below": "/students/Year 7", "beside": "/Students 2", "above": "/"} {
		d.Users = append(d.Users, emulator.User{"primaryEmail": email + "@example.org", "orgUnitPath": unit})
	}
	c := newCustomer(t, d)
	cfg := c.config()
	cfg.OrgUnits = []string{"/Students"}
	s, _ := source(t, cfg, t.Output())
	got, err := looked(t, s, "in@example.org", "below@example.org", "beside@example.org", "above@example.org", "never@example.org")
	if err != nil || got != "there there gone gone gone" {
		t.Errorf("%s, %v", got, err)
	}
	c.Change("in@example.org", emulator.User{"orgUnitPath": nil})
	if got, err := looked(t, s, "in@example.org"); err == nil || !strings.Contains(err.Error(), "organisational unit") {
		t.Errorf("nobody can tell where they are: %s, %v", got, err)
	}
}

// Only Google's own word says that somebody is gone.
func TestALookupThatFailsSaysOfNobodyThatTheyAreGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault emulator.Fault
	}{
		{"not allowed", emulator.Fault{Status: http.StatusForbidden, Reason: "forbidden"}},
		{"no such address", emulator.Fault{Status: http.StatusNotFound, Reason: "somethingElse"}},
		{"busy", emulator.Fault{Status: http.StatusServiceUnavailable}},
		{"cut off", emulator.Fault{Truncate: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCustomer(t, school(3))
			s, _ := source(t, c.config(), t.Output())
			tt.fault.Endpoint = "user"
			c.SetFault(&tt.fault)
			if got, err := looked(t, s, subject); err == nil || got != "nothing" || !strings.Contains(err.Error(), `"school"`) {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

func TestAPersonWhoIsLookedUpMustBeAllOfThatPerson(t *testing.T) {
	for name, change := range map[string]emulator.User{"somebody else": {"id": "1"}, "suspended or not": {"suspended": nil}} {
		t.Run(name, func(t *testing.T) {
			c := newCustomer(t, school(3))
			s, _ := source(t, c.config(), t.Output())
			c.Change("person2@example.org", change)
			if got, err := looked(t, s, "person2@example.org"); err == nil && got == "there" {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	for _, bad := range []string{"", "{}", `{"kind":"admin#directory#users"}`, `{"kind":"admin#directory#user","id":"1"} {}`, `{"kind":"admin#directory#user","id":"1"`} {
		if u, err := decodeUser(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: %+v", bad, u)
		}
	}
}

// The pages go by address: whoever gets another one in the middle of a reading may be on none of them.
func TestWhomThePagesLackStays(t *testing.T) {
	s := newSite(t, school(30), func(cfg *Config) { cfg.PageSize = 25 })
	s.run(t, dirsync.Settings{})
	s.Remove("person7@example.org")
	s.SetFault(&emulator.Fault{Endpoint: "users", After: 1, Last: true}) // the second page has nobody
	run := s.run(t, dirsync.Settings{Full: true})
	if run.Disabled != 1 || run.Read != 30 {
		t.Errorf("%+v", run)
	}
	s.SetFault(nil)
	if run := s.run(t, dirsync.Settings{Full: true}); run.Disabled+run.Restored+run.Created+run.Updated != 0 || fmt.Sprint(run.Outcome) != dirsync.OutcomeOK {
		t.Errorf("%+v", run)
	}
}
