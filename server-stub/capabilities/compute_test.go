package capabilities

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/internal/api"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	corp      = []Directory{{ID: "corp", Kind: KindLDAP}}
	withMFA   = &Microsoft{MFA: true, Web: true, Match: true, Create: true}
	passwords = &Microsoft{Passwords: true, Web: true, Match: true, Create: true}
)

// sites are the configurations whose whole tables are kept in testdata.
var sites = map[string]Facts{
	"default": {Modes: []string{api.MethodPrompt}, DeviceListener: true, AdminPages: true},
	"ldap": {
		Directories: corp, Modes: []string{api.MethodTrust, api.MethodPrompt}, DeviceListener: true, Devices: 12, AdminPages: true, Owner: true,
	},
	"entra-read": {
		Directories: []Directory{{ID: "cloud", Kind: KindEntra, Cards: true}}, Microsoft: withMFA, Modes: []string{api.MethodMicrosoft}, AdminPages: true, Owner: true,
	},
	"microsoft-mfa-on": {
		Microsoft: withMFA, Modes: []string{api.MethodTrust, api.MethodMicrosoft, api.MethodPrompt}, DeviceListener: true, AdminPages: true, Owner: true,
	},
	"microsoft-passwords-on": {
		Microsoft: passwords, Modes: []string{api.MethodTrust, api.MethodMicrosoft, api.MethodPrompt}, DeviceListener: true, AdminPages: true, Owner: true,
	},
}

func TestWholeTables(t *testing.T) {
	for name, facts := range sites {
		t.Run(name, func(t *testing.T) {
			got := text(Compute(facts))
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the table changed; look at it, then go test -update\n%s", diff)
			}
		})
	}
}

// text is a table for golden files: a line for each cell.
func text(c api.Capabilities) string {
	var b strings.Builder
	fmt.Fprintf(&b, "posture: %s: %s\n", c.Posture.ID, c.Posture.Note)
	for _, col := range c.Columns {
		fmt.Fprintf(&b, "column: %s %q %q current=%v\n", col.ID, col.Title, col.Posture, col.Current)
	}
	for _, r := range c.Rows {
		fmt.Fprintf(&b, "\n%s %s\n", r.ID, r.Feature)
		for i, cell := range r.Cells {
			fmt.Fprintf(&b, "  %-5s | %-7s | %-9s | %s | %s\n", c.Columns[i].ID, cell.Answer, cell.Way, cell.Elsewhere, cell.Reason)
		}
	}
	return b.String()
}

// at finds a cell.
func at(t *testing.T, f Facts, row, column string) api.CapabilityCell {
	t.Helper()
	c := Compute(f)
	for _, r := range c.Rows {
		for i, col := range c.Columns {
			if r.ID == row && col.ID == column {
				return r.Cells[i]
			}
		}
	}
	t.Fatalf("there is no cell %s %s", row, column)
	return api.CapabilityCell{}
}

// everySite is every combination of what a configuration can have.
func everySite() []Facts {
	var list []Facts
	modes := []string{api.MethodTrust, api.MethodMicrosoft, api.MethodBrowser, api.MethodPrompt}
	for bits := range 1 << 12 {
		on := func(n int) bool { return bits&(1<<n) != 0 }
		f := Facts{DeviceListener: on(0), AdminPages: on(1), Owner: on(1)}
		for i, m := range modes {
			if on(2 + i) {
				f.Modes = append(f.Modes, m)
			}
		}
		if on(6) {
			f.Directories, f.Devices = corp, 1
		}
		if on(7) {
			f.Microsoft = &Microsoft{MFA: on(8), Passwords: on(9), Web: on(10), Match: on(11), Create: on(1)}
		}
		list = append(list, f)
	}
	return list
}

func TestEveryCellOfEverySiteSaysWhy(t *testing.T) {
	ids := regexp.MustCompile(`^A2-(0[1-9]|1[0-9]|2[0-2])$`)
	keys := regexp.MustCompile(`(sign_in\.modes|sync add|attributes:|user-source\.|scope:|microsoft[.:]|web_client_secret_file|admin_listen)`)
	for _, f := range everySite() {
		c := Compute(f)
		if len(c.Rows) != 22 || len(c.Columns) != 3 {
			t.Fatalf("%d rows, %d columns, want 22 and 3", len(c.Rows), len(c.Columns))
		}
		seen := map[string]bool{}
		for _, r := range c.Rows {
			if !ids.MatchString(r.ID) || seen[r.ID] || len(r.Cells) != 3 {
				t.Fatalf("row %q: %d cells, seen %v", r.ID, len(r.Cells), seen[r.ID])
			}
			seen[r.ID] = true
			for i, cell := range r.Cells {
				wrong := func(what string) {
					t.Helper()
					t.Fatalf("%s: %+v %+v: %s %s: %+v", what, f, f.Microsoft, r.ID, c.Columns[i].ID, cell)
				}
				switch {
				case cell.Elsewhere == "" || cell.Reason == "" || !strings.HasSuffix(cell.Reason, ".") && !strings.HasSuffix(cell.Reason, ")"):
					wrong("no reason")
				case cell.Way != "" && cell.Answer != api.CapabilityYes:
					wrong("a way in that is none")
				case cell.Answer == api.CapabilityNo && !keys.MatchString(cell.Reason):
					wrong("no says no key")
				case cell.Way != "" && !f.offers(cell.Way) && (r.ID != "A2-05" && r.ID != "A2-06"):
					wrong("a way in that is not offered")
				case cell.Way == api.MethodMicrosoft && f.Microsoft == nil, cell.Way == api.MethodBrowser && (f.Microsoft == nil || !f.Microsoft.Web):
					wrong("a way in that is not configured")
				case strings.Contains(cell.Reason, "  "):
					wrong("a gap")
				}
			}
		}
	}
}

func TestA2_04_NoBarePasswordWhereMFAIsOn(t *testing.T) {
	for _, f := range everySite() {
		for _, r := range Compute(f).Rows {
			if r.Cells[1].Way == api.MethodPrompt {
				t.Fatalf("%+v: %s says that a bare password works with MFA on: %+v", f, r.ID, r.Cells[1])
			}
		}
	}
}

// What a directory brings is answered from how it is configured.
func TestA2_20_to_22_AnswerForTheDirectoriesThereAre(t *testing.T) {
	with := func(d ...Directory) Facts { return Facts{Directories: d, Modes: []string{api.MethodPrompt}} }
	for _, tt := range []struct {
		row, column string
		facts       Facts
		want        api.CapabilityAnswer
		reason      string
	}{
		{"A2-01", EntraMFA, with(), api.CapabilityNo, "sync add entra"},
		{"A2-01", EntraMFA, with(Directory{ID: "cloud", Kind: KindEntra}), api.CapabilityYes, "Graph"},
		{"A2-01", EntraPlain, with(Directory{ID: "cloud", Kind: KindSCIM}), api.CapabilityYes, "SCIM"},
		{"A2-01", SecureLDAP, with(corp...), api.CapabilityYes, "groups"},
		{"A2-18", EntraMFA, with(Directory{ID: "cloud", Kind: KindEntra}), api.CapabilityYes, "mail nickname"},
		{"A2-20", SecureLDAP, with(corp...), api.CapabilityNo, "attributes:"},
		{"A2-20", SecureLDAP, with(Directory{ID: "corp", Kind: KindLDAP, Cards: true}), api.CapabilityYes, "PIN"},
		{"A2-20", EntraMFA, with(corp...), api.CapabilityNo, "sync add"},
		{"A2-20", EntraMFA, with(Directory{ID: "cloud", Kind: KindEntra}), api.CapabilityNo, "user-source.update-user-details-card-id"},
		{"A2-20", EntraMFA, with(Directory{ID: "cloud", Kind: KindEntra, Cards: true}), api.CapabilityYes, "cards"},
		{"A2-21", EntraMFA, with(), api.CapabilityNo, "sync add"},
		{"A2-21", EntraMFA, with(Directory{ID: "cloud", Kind: KindEntra}), api.CapabilityYes, "nickname"},
		{"A2-22", SecureLDAP, with(corp...), api.CapabilityYes, "group why"},
		{"A2-22", SecureLDAP, with(Directory{ID: "corp", Kind: KindLDAP, Direct: true}), api.CapabilityNo, "scope:"},
		{"A2-22", EntraPlain, with(Directory{ID: "cloud", Kind: KindEntra}), api.CapabilityYes, "groups within groups"},
	} {
		if c := at(t, tt.facts, tt.row, tt.column); c.Answer != tt.want || !strings.Contains(c.Reason, tt.reason) {
			t.Errorf("%s %s with %+v: %+v, want %s and %q", tt.row, tt.column, tt.facts.Directories, c, tt.want, tt.reason)
		}
	}
}

func TestTheColumnOfTheSiteIsMarked(t *testing.T) {
	tests := []struct {
		name  string
		facts Facts
		want  string
	}{
		{"people kept here", Facts{}, ""},
		{"a file", Facts{Directories: []Directory{{ID: "hr", Kind: KindCSV}}}, ""},
		{"LDAP", Facts{Directories: corp}, SecureLDAP},
		{"LDAP, signed in with Microsoft", Facts{Directories: corp, Microsoft: withMFA}, SecureLDAP},
		{"Entra ID, MFA on", Facts{Microsoft: withMFA}, EntraMFA},
		{"Entra ID and a file", Facts{Microsoft: withMFA, Directories: []Directory{{ID: "hr", Kind: KindCSV}}}, EntraMFA},
		{"Entra ID, MFA off", Facts{Microsoft: &Microsoft{}}, EntraPlain},
		{"Entra ID, bare passwords", Facts{Microsoft: passwords}, EntraPlain},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, c := range Compute(tt.facts).Columns {
				if c.Current {
					got += c.ID
				}
			}
			if got != tt.want {
				t.Errorf("marked %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPostures(t *testing.T) {
	prompt := []string{api.MethodMicrosoft, api.MethodPrompt}
	tests := []struct {
		name  string
		facts Facts
		want  string
		note  string
	}{
		{"nothing", Facts{}, PostureNone, "configure microsoft:"},
		{"LDAP alone", Facts{Directories: corp, Modes: prompt}, PostureNone, "configure microsoft:"},
		{"another provider", Facts{Providers: []string{"Acme"}}, PostureNone, "up to Acme"},
		{"A1_18 MFA on", Facts{Microsoft: withMFA, Modes: prompt}, PostureCompliance, "no password of theirs"},
		{"MFA on, but LDAP takes passwords", Facts{Microsoft: withMFA, Directories: corp, Modes: prompt}, PostureCompatibility, "people of the directory corp"},
		{"MFA on, LDAP without prompt", Facts{Microsoft: withMFA, Directories: corp, Modes: prompt[:1]}, PostureCompliance, ""},
		{"A1_20 MFA off", Facts{Microsoft: &Microsoft{}, Modes: prompt}, PostureCompatibility, "trades security away"},
		{"A1_20 bare passwords", Facts{Microsoft: passwords, Modes: prompt}, PostureCompatibility, "trades security away"},
		{"A1_10 both at once", Facts{Microsoft: &Microsoft{MFA: true, Passwords: true}, Modes: prompt}, PostureCompatibility, "trades security away"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Compute(tt.facts).Posture
			if p.ID != tt.want || !strings.Contains(p.Note, tt.note) {
				t.Errorf("%s: %s", p.ID, p.Note)
			}
		})
	}
}

func TestNoNamesWhatToConfigure(t *testing.T) {
	prompt, both := []string{api.MethodPrompt}, []string{api.MethodMicrosoft, api.MethodPrompt}
	tests := []struct {
		name        string
		facts       Facts
		row, column string
		want        string
	}{
		{"no Microsoft", Facts{Modes: prompt}, "A2-09", SecureLDAP, "entra setup"},
		{"Microsoft is not offered", Facts{Modes: prompt, Microsoft: withMFA}, "A2-09", EntraMFA, "Put microsoft into sign_in.modes"},
		{"prompt is not offered", Facts{Directories: corp, Modes: []string{api.MethodTrust}}, "A2-08", SecureLDAP, "Put prompt into sign_in.modes"},
		{"a bare password with MFA", Facts{Modes: prompt}, "A2-08", EntraMFA, "on its own page only"},
		{"bare passwords switched off", Facts{Modes: prompt, Microsoft: &Microsoft{Match: true}}, "A2-12", EntraPlain, "microsoft.passwords"},
		{"no client secret", Facts{Modes: both, Microsoft: &Microsoft{MFA: true, Match: true}}, "A2-06", EntraMFA, "web_client_secret_file"},
		{"nobody could be found", Facts{Modes: both, Microsoft: &Microsoft{MFA: true}}, "A2-09", EntraMFA, "microsoft.match"},
		{"the tenant asks for no second factor", Facts{Modes: both, Microsoft: &Microsoft{Match: true}}, "A2-19", SecureLDAP, "microsoft.mfa"},
		{"no account with the UPN", Facts{Modes: both, Microsoft: &Microsoft{Match: true}}, "A2-18", EntraPlain, "sync add entra"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if c := at(t, tt.facts, tt.row, tt.column); c.Answer != api.CapabilityNo || !strings.Contains(c.Reason, tt.want) {
				t.Errorf("%+v, want no and %q", c, tt.want)
			}
		})
	}
}

func TestA2_13_SignInIsIndependentOfTheDirectory(t *testing.T) {
	f := Facts{Directories: corp, Microsoft: withMFA, Modes: []string{api.MethodMicrosoft}}
	for _, row := range []string{"A2-06", "A2-09", "A2-13"} {
		for _, c := range columns {
			if got := at(t, f, row, c.id); got.Answer != api.CapabilityYes {
				t.Errorf("%s %s: %+v", row, c.id, got)
			}
		}
	}
}
