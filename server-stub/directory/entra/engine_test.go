package entra

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/server-stub/core"
)

func TestFault_F12_ChangesFromGraphChangeNobodyUnlessAllWereRead(t *testing.T) {
	people := graph.Synced(250)
	groups := graph.Nested(4, people)
	tt := newTenant(t, people, groups...)
	s, pauses := source(t, tt.config(), t.Output())
	b := newBench(t, s)
	for i, test := range deltaFaults(tt.URL()) {
		t.Run(test.name, func(t *testing.T) {
			tt.touchAll(people, fmt.Sprint("department ", i))
			tt.Graph.Join(groups[i%4].ID, []string{graph.GUID(fmt.Sprint("nobody ", i))}, nil)
			*pauses = nil
			pages := tt.Graph.Calls()["users"]
			tt.Graph.SetFault(&test.fault)
			if test.want != "" {
				err := b.failsHarmlessly(t, s, changes)
				if !errors.Is(err, core.ErrUnavailable) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `entra directory "cloud"`) {
					t.Errorf("%v", err)
				}
				if n := tt.Graph.Calls()["users"] - pages; n != 0 {
					t.Errorf("%d pages of everybody were read, so this shows nothing of changes", n)
				}
				for _, d := range *pauses {
					if d > maxPause || d < test.fault.RetryAfter && d < maxPause {
						t.Errorf("waited %v, asked for %v", d, test.fault.RetryAfter)
					}
				}
				tt.Graph.SetFault(nil)
			}
			run, err := b.run(t, s, changes)
			if err != nil || run.Updated != len(people) || run.Disabled+run.Created+run.Renamed+run.Conflicts != 0 {
				t.Errorf("the next run: %+v, %v", run, err)
			}
			if read := tt.Graph.Calls()["users"] > pages; read != (test.want == "") {
				t.Errorf("everybody was read: %t", read)
			}
			tt.Graph.SetFault(nil)
		})
	}
}

