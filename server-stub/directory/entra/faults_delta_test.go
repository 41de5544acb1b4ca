package entra

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/emulator/graph"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/directory"
	"github.com/platenprint/platen/server-stub/directory/directorytest"
)

// touchAll changes something of everybody there, so that changes fill several pages and batches.
func (tt *tenant) touchAll(people []graph.Person, value string) {
	for _, p := range people {
		tt.Graph.Change(p.ID(), graph.Person{"department": value})
	}
}

// deltaFault is a fault of a reading of changes.
type deltaFault struct {
	name  string
	fault graph.Fault
	want  string // in the error; "": the reading starts over and ends well
}

func deltaFaults(address string) []deltaFault {
	foreign := "https://graph.example.com/v1.0/users/delta"
	return []deltaFault{
		{"429 without end", graph.Fault{Endpoint: "delta", After: 1, Status: http.StatusTooManyRequests, RetryAfter: time.Second}, "tried 6 times"},
		{"429 with an endless Retry-After", graph.Fault{Endpoint: "delta", Status: http.StatusTooManyRequests, RetryAfter: 24 * time.Hour}, "waited longer than 30m"},
		{"429 for groups", graph.Fault{Endpoint: "groups/delta", Status: http.StatusTooManyRequests}, "read changed groups"},
		{"429 for each of a batch", graph.Fault{Endpoint: "user", After: 30, Status: http.StatusTooManyRequests, RetryAfter: time.Second}, "look people up"},
		{"503", graph.Fault{Endpoint: "delta", After: 1, Status: http.StatusServiceUnavailable}, "HTTP 503"},
		{"503 for a batch", graph.Fault{Endpoint: "batch", After: 1, Status: http.StatusServiceUnavailable}, "HTTP 503"},
		{"504", graph.Fault{Endpoint: "delta", Status: http.StatusGatewayTimeout}, "HTTP 504"},
		{"500", graph.Fault{Endpoint: "groups/delta", Status: http.StatusInternalServerError}, "HTTP 500"},
		{"403", graph.Fault{Endpoint: "delta", Status: http.StatusForbidden}, "User.Read.All"},
		{"403 for groups", graph.Fault{Endpoint: "groups/delta", Status: http.StatusForbidden}, "GroupMember.Read.All"},
		{"403 for one of a batch", graph.Fault{Endpoint: "user", After: 30, Times: 1, Status: http.StatusForbidden}, "User.Read.All"},
		{"401", graph.Fault{Endpoint: "delta", Status: http.StatusUnauthorized}, "HTTP 401"},
		{"truncated JSON", graph.Fault{Endpoint: "delta", After: 1, Truncate: true}, "ends early"},
		{"truncated JSON of groups", graph.Fault{Endpoint: "groups/delta", Truncate: true}, "ends early"},
		{"truncated JSON of a batch", graph.Fault{Endpoint: "batch", After: 1, Truncate: true}, "ends early"},
		{"a batch without answers", graph.Fault{Endpoint: "batch", After: 1, Empty: true}, "not answered whole"},
		{"cyclic nextLink", graph.Fault{Endpoint: "delta", Cycle: true}, "circle"},
		{"cyclic nextLink of groups", graph.Fault{Endpoint: "groups/delta", Cycle: true}, "circle"},
		{"nextLink to a foreign host", graph.Fault{Endpoint: "delta", NextLink: foreign}, "not followed"},
		{"nextLink of groups to a foreign host", graph.Fault{Endpoint: "groups/delta", NextLink: foreign}, "not followed"},
		{"nextLink without TLS", graph.Fault{Endpoint: "delta", NextLink: strings.Replace(address, "https", "http", 1)}, "not followed"},
		{"deltaLink to a foreign host", graph.Fault{Endpoint: "delta", DeltaLink: foreign}, "not followed"},
		{"neither nextLink nor deltaLink", graph.Fault{Endpoint: "delta", After: 1, Endless: true}, "does not say where changes go on"},
		{"duplicate pages without end", graph.Fault{Endpoint: "delta", Duplicate: true}, "nothing new"},
		{"duplicate pages of groups without end", graph.Fault{Endpoint: "groups/delta", Duplicate: true}, "nothing new"},
		{"empty pages without end", graph.Fault{Endpoint: "delta", Empty: true}, "nothing new"},
		{"a property is hidden", graph.Fault{Endpoint: "user", Hide: "accountEnabled"}, "accountEnabled"},
		{"410", graph.Fault{Endpoint: "delta", Times: 1, Status: http.StatusGone}, ""},
		{"400 syncStateNotFound", graph.Fault{Endpoint: "delta", After: 1, Times: 1, Status: http.StatusBadRequest, Code: "syncStateNotFound"}, ""},
		{"400 syncStateNotFound of groups", graph.Fault{Endpoint: "groups/delta", Times: 1, Status: http.StatusBadRequest, Code: "syncStateNotFound"}, ""},
	}
}

func TestFault_F12_AReadingOfChangesThatFailsCanBeRepeated(t *testing.T) {
	people := graph.Synced(250)
	groups := graph.Nested(4, people)
	tt := newTenant(t, people, groups...)
	s, _ := source(t, tt.config(), t.Output())
	for i, test := range deltaFaults(tt.URL()) {
		t.Run(test.name, func(t *testing.T) {
			next := begin(t, s)
			tt.touchAll(people, fmt.Sprint("department ", i))
			tt.Graph.Join(groups[i%4].ID, []string{graph.GUID(fmt.Sprint("nobody ", i))}, nil)
			pages := tt.Graph.Calls()["users"]
			tt.Graph.SetFault(&test.fault)
			reading, err := s.Read(t.Context(), directory.Request{Since: next, Groups: true}, directorytest.NewSeen(nil))
			tt.Graph.SetFault(nil)
			if err == nil || reading.Next != nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), `entra directory "cloud"`) {
				t.Errorf("%+v, %v", reading, err)
			}
			if errors.Is(err, directory.ErrStartOver) != (test.want == "") || errors.Is(err, core.ErrUnavailable) != (test.want != "") {
				t.Errorf("another kind: %v", err)
			}
			if n := tt.Graph.Calls()["users"] - pages; n != 0 {
				t.Errorf("%d pages of everybody were read", n)
			}
			if seen, _ := changesSince(t, s, next); len(seen.People) != len(people) || len(seen.Groups) != 1 {
				t.Errorf("the next reading: %d people, %d groups", len(seen.People), len(seen.Groups))
			}
		})
	}
}
