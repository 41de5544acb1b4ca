package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/store/sqlstore"
)

// Whoever is looked up by a value is found by it, however many people there are: no resource of the connection is read in vain.
func TestA3_53_SCIMResourcesAreFoundByTheirValues(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, deleted := range []bool{false, true} {
		t.Run(fmt.Sprintf("deleted %v", deleted), func(t *testing.T) {
			rows, err := sqlstore.ReadDB(s).QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+sqlstore.SCIMSearch(deleted), "entra", "username", "alex")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var steps []string
			for rows.Next() {
				var id, parent, unused int
				var step string
				if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
					t.Fatal(err)
				}
				steps = append(steps, step)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			if len(steps) < 2 || !strings.Contains(steps[0], "scim_values_value (path=? AND value=?)") || !strings.Contains(steps[1], "(key=?)") {
				t.Errorf("the database goes this way: %q", steps)
			}
		})
	}
}
