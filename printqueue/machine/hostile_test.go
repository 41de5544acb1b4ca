package machine

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/printqueue/ipc"
	"github.com/platenprint/platen/printqueue/machine/machinetest"
)

// What a server says is shown to administrators, who are root, and to every user in one frame.
func TestAHostileServerIsNotQuoted(t *testing.T) {
	const escape = "\x1b]0;owned\x07\nOK"
	for name, change := range map[string]func(*api.DeviceState){
		"a group for the terminal":    func(s *api.DeviceState) { s.Group = escape },
		"a way of signing in":         func(s *api.DeviceState) { s.AuthModes = []string{"trust", escape} },
		"an account":                  func(s *api.DeviceState) { s.SharedOSUsers = []string{escape} },
		"more accounts than can be":   func(s *api.DeviceState) { s.SharedOSUsers = strings.Split(strings.Repeat("student ", 10000), " ") },
		"a role that reads backwards": func(s *api.DeviceState) { s.Role = "\u202edekorev" },
	} {
		t.Run(name, func(t *testing.T) {
			s := machinetest.New(t)
			_, m := enrolled(t, s)
			before := m.Status()
			s.Change(func(s *machinetest.Server) { change(&s.State) })
			if err := m.Once(t.Context()); ipc.CodeOf(err) != ipc.CodeServer {
				t.Errorf("got %v", err)
			}
			now := m.Status()
			if text, err := json.Marshal(now); err != nil || len(text) > ipc.MaxFrame || strings.Contains(now.Detail, "owned") {
				t.Errorf("%d bytes, %v, %q", len(text), err, now.Detail)
			}
			if !now.Enrolled || now.Group != before.Group || now.Role != before.Role {
				t.Errorf("it counts: %+v", now)
			}
		})
	}
	for _, code := range []api.Code{escape, api.Code(strings.Repeat("x", 70000)), "Two words", ""} {
		l := &link{address: "print.example.org:8445", clock: clock.System}
		body, err := json.Marshal(api.Problem{Code: code, Detail: escape, RequestID: escape})
		if err != nil {
			t.Fatal(err)
		}
		refusal := l.refused("report", &http.Response{
			StatusCode: http.StatusBadGateway, Status: "502 " + escape + strings.Repeat("y", 30000),
			Header: http.Header{"Content-Type": {api.ContentTypeProblem}},
		}, body)
		if text := refusal.Error(); ipc.CodeOf(refusal) != ipc.CodeServer || len(text) > 1000 || strings.ContainsAny(text, "\x1b\x07\n") {
			t.Errorf("%.20q: %d characters: %.300q", code, len(text), text)
		}
	}
}
