package entra

import (
	"fmt"
	"testing"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

func TestRules(t *testing.T) {
	// The failing one reads another tenant with the same people, from the third page on.
	other := newTenant(t, graph.Synced(450))
	other.Graph.SetFault(&graph.Fault{Endpoint: "users", After: 2, Status: 404})
	directorytest.Run(t, func(t *testing.T) directorytest.Directory {
		people := graph.Synced(450)
		groups := graph.Nested(7, people[:400])
		groups[0].Members = append(groups[0].Members, groups[6].ID)
		groups[6].Members = append(groups[6].Members, groups[0].ID) // in a circle
		tt := newTenant(t, people, groups...)
		cfg := tt.config()
		cfg.PageSize, cfg.Cards, cfg.PIN = 100, []string{"employeeId", "extensionAttribute10"}, "extensionAttribute11"
		s, _ := source(t, cfg, t.Output())
		oid := func(k directory.Key) string {
			id, ok := s.objectID(k)
			if !ok {
				t.Fatalf("%v is nobody's key", k)
			}
			return id.String()
		}
		failing := other.config()
		failing.PageSize = 100
		bad, _ := source(t, failing, t.Output())
		nowhere := tt.config()
		nowhere.Authority, nowhere.GraphURL = "https://localhost:1", "https://localhost:1"
		unreachable, _ := source(t, nowhere, t.Output())
		added := 0
		return directorytest.Directory{
			Source: s, People: 450, Groups: 7, Failing: bad, Unreachable: unreachable,
			Add: func() (directory.Key, error) {
				added++
				p := graph.Person{"id": graph.GUID(fmt.Sprint("added", added)), "userPrincipalName": fmt.Sprintf("added%d@example.org", added), "accountEnabled": true}
				tt.Graph.Add(p)
				id, _ := parseGUID(p.ID())
				return s.key(id), nil
			},
			Change: func(k directory.Key) error {
				tt.Graph.Change(oid(k), graph.Person{"displayName": "Changed", "onPremisesExtensionAttributes": map[string]any{"extensionAttribute10": "A1"}})
				return nil
			},
			Remove: func(k directory.Key) error {
				tt.Graph.Remove(oid(k), added%2 == 0)
				return nil
			},
			Join: func(group, person directory.Key) error {
				tt.Graph.Join(oid(group), []string{oid(person)}, nil)
				return nil
			},
		}
	})
}

// reveal makes cards comparable.
func reveal(list []secret.String) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, s.Reveal())
	}
	return texts
}
