package deviceauth_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
)

func TestGroups(t *testing.T) {
	g := parse(t, groups)
	for name, want := range map[string]struct {
		role  string
		users int
	}{"lab": {"shared", 200}, "few": {"personal", 2}, "": {"personal", 5}, "default": {"personal", 5}} {
		if got, ok := g.Get(name); !ok || got.Role != want.role || got.UsersPerDay != want.users {
			t.Errorf("%q: %+v, %v", name, got, ok)
		}
	}
	if _, ok := g.Get("nope"); ok {
		t.Error("there is a group nope")
	}
	own := parse(t, "- {name: default, role: shared}")
	if got, _ := own.Get(""); got.Role != "shared" {
		t.Errorf("the configured default group: %+v", got)
	}
}

func TestWhatIsWrongWithAGroupIsSaidWithItsPlace(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no name":       {"- {name: a}\n- {role: shared}", "server.yaml:2: device_groups"},
		"twice":         {"- {name: a}\n- {name: A}", "already"},
		"unknown key":   {"- {name: a, rolle: shared}", "rolle"},
		"role":          {"- {name: a, role: public}", "personal or shared"},
		"mode":          {"- {name: a, auth_modes: [kerberos]}", "kerberos"},
		"users":         {"- {name: a, users_per_day: -1}", "users_per_day"},
		"network":       {"- {name: a, networks: [x]}", "server.yaml:1"},
		"local account": {"- {name: a, local_accounts: {teacher: alex}}", "NAME@DOMAIN"},
		"a space":       {"- {name: a b}", "write letters"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseText(tt.text)
			if !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
