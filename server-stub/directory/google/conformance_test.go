package google

import (
	"fmt"
	"testing"

	emulator "github.com/platenprint/platen/internal/emulator/google"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

func TestConformance(t *testing.T) {
	directorytest.Run(t, func(t *testing.T) directorytest.Directory {
		c := newCustomer(t, school(40))
		cfg := c.config()
		cfg.PageSize = 10
		s, _ := source(t, cfg, t.Output())
		failing := newCustomer(t, school(40))
		failing.SetFault(&emulator.Fault{Endpoint: "users", After: 2, Status: 403, Reason: "forbidden"})
		cfg = failing.config()
		cfg.PageSize = 10
		broken, _ := source(t, cfg, t.Output())
		gone := newCustomer(t, school(1))
		unreachable, _ := source(t, gone.config(), t.Output())
		_ = gone.Close()
		n := 0
		missing := func(key directory.Key, ok bool) error {
			if !ok {
				return fmt.Errorf("there is no %v", key)
			}
			return nil
		}
		return directorytest.Directory{
			Source: s, People: 41, Groups: 2, Failing: broken, Unreachable: unreachable,
			Add: func() (directory.Key, error) {
				n++
				email := fmt.Sprintf("new%d@example.org", n)
				c.Add(emulator.User{"primaryEmail": email})
				return key(emulator.UserID(email)), nil
			},
			Change: func(k directory.Key) error {
				n++
				return missing(k, c.Change(k.ID, emulator.User{"name": map[string]any{"fullName": fmt.Sprintf("Renamed %d", n)}}))
			},
			Remove: func(k directory.Key) error { return missing(k, c.Remove(k.ID)) },
			Join: func(group, person directory.Key) error {
				c.SetGroup(emulator.Group{ID: group.ID, Email: "science@example.org", Members: []emulator.Member{{ID: person.ID}}})
				return nil
			},
		}
	})
}
