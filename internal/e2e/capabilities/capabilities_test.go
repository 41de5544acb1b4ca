package capabilities

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/api"
)

// bin is where the programs are that TestMain has built.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if bin, err = os.MkdirTemp("", "platen-bin-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(bin) }()
		for name, path := range map[string]string{"platen": "./client", "platen-server": "./server-stub"} {
			build := exec.Command("go", "build", "-o", filepath.Join(bin, name), path)
			build.Dir, build.Env = "../../..", append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "build %s: %v\n%s", name, err, out)
				return 1
			}
		}
		return m.Run()
	}())
}

// TestSecureLDAP has Active Directory as Entra Domain Services shows it, over LDAPS, beside a tenant that asks for a second factor.
func TestSecureLDAP(t *testing.T) { drive(t, "O2") }

// TestEntraWithMFA has a tenant that asks for a second factor, and no directory.
func TestEntraWithMFA(t *testing.T) { drive(t, "O3on") }

// TestEntraWithoutMFA has a tenant that asks for none and lets the server check passwords.
func TestEntraWithoutMFA(t *testing.T) { drive(t, "O3off") }

// TestEntraThroughTheServer has the same tenant where the client does not speak to it: the server's own pages lead there.
func TestEntraThroughTheServer(t *testing.T) {
	t.Parallel()
	names := []string{"A2_08_O3on", "A2_09_O3on", "A2_12_O3on", "A2_13_O3on"}
	s := newSite(t, "O3on", api.MethodBrowser, names)
	for _, name := range names {
		if c := s.table(t)[name]; c.Answer != api.CapabilityYes || c.Way != api.MethodBrowser {
			t.Errorf("%s says %+v, want yes by browser", name, c)
		}
	}
	s.drive(t, names)
}

// drive starts the server of a column and goes through every cell in which it says yes.
func drive(t *testing.T, column string) {
	t.Parallel()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(cells)), func(name string) bool { return !strings.HasSuffix(name, "_"+column) })
	s := newSite(t, column, api.MethodMicrosoft, names)
	t.Run("every yes has its test", func(t *testing.T) { s.compare(t, names) })
	s.drive(t, names)
}

func (s *site) drive(t *testing.T, names []string) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) { cells[name](&cell{T: t, site: s, who: s.people[name]}) })
	}
}

// table is what the running server says of its column, by the names of the tests.
func (s *site) table(t *testing.T) map[string]api.CapabilityCell {
	t.Helper()
	var table api.Capabilities
	if err := json.Unmarshal([]byte(s.server(t, "capabilities", "--json")), &table); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(table.Columns, func(c api.CapabilityColumn) bool { return c.ID == s.column })
	if at < 0 || !table.Columns[at].Current {
		t.Fatalf("the server does not know that it is configured as %s: %+v", s.column, table.Columns)
	}
	cells := map[string]api.CapabilityCell{}
	for _, row := range table.Rows {
		cells[strings.ReplaceAll(row.ID, "-", "_")+"_"+s.column] = row.Cells[at]
	}
	return cells
}

// compare holds the names of the tests against what the running server says of itself.
func (s *site) compare(t *testing.T, names []string) {
	table := s.table(t)
	for name, c := range table {
		switch tested := slices.Contains(names, name); {
		case c.Answer == api.CapabilityYes && !tested:
			t.Errorf("%s says yes, and nothing goes there: %s", name, c.Reason)
		case c.Answer != api.CapabilityYes && tested:
			t.Errorf("%s has a test, and says %s: %s", name, c.Answer, c.Reason)
		}
	}
	for _, name := range names {
		if _, ok := table[name]; !ok {
			t.Errorf("%s is no cell of the table", name)
		}
	}
}
