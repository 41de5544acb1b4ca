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

// drive starts the server of a column and goes through every cell in which it says yes.
func drive(t *testing.T, column string) {
	t.Parallel()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(cells)), func(name string) bool { return !strings.HasSuffix(name, "_"+column) })
	s := newSite(t, column, names)
	t.Run("every yes has its test", func(t *testing.T) { s.compare(t, names) })
	for _, name := range names {
		t.Run(name, func(t *testing.T) { cells[name](&cell{T: t, site: s, who: s.people[name]}) })
	}
}

// compare holds the names of the tests against what the running server says of itself.
func (s *site) compare(t *testing.T, names []string) {
	var table api.Capabilities
	if err := json.Unmarshal([]byte(s.server(t, "capabilities", "--json")), &table); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(table.Columns, func(c api.CapabilityColumn) bool { return c.ID == s.column })
	if at < 0 || !table.Columns[at].Current {
		t.Fatalf("the server does not know that it is configured as %s: %+v", s.column, table.Columns)
	}
	tested := map[string]bool{}
	for _, name := range names {
		tested[name] = true
	}
	for _, row := range table.Rows {
		name, c := strings.ReplaceAll(row.ID, "-", "_")+"_"+s.column, row.Cells[at]
		switch {
		case c.Answer == api.CapabilityYes && !tested[name]:
			t.Errorf("%s (%s) says yes, and nothing goes there: %s", name, row.Feature, c.Reason)
		case c.Answer != api.CapabilityYes && tested[name]:
			t.Errorf("%s (%s) has a test, and says %s: %s", name, row.Feature, c.Answer, c.Reason)
		}
		delete(tested, name)
	}
	for name := range tested {
		t.Errorf("%s is no cell of the table", name)
	}
}
