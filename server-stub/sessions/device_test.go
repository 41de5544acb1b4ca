package sessions_test

import (
	"errors"
	"testing"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
)

func TestTheSessionsOfADeviceEndWithIt(t *testing.T) {
	f := newFixture(t)
	mustUpdate(t, f.store, func(tx store.Tx) error {
		return errors.Join(tx.CreateDevice(t.Context(), core.Device{ID: "dev1", Status: core.DeviceEnrolled}),
			tx.CreateDevice(t.Context(), core.Device{ID: "dev2", Status: core.DeviceEnrolled}),
			tx.CreateDevice(t.Context(), core.Device{ID: "dev3", Status: core.DeviceRevoked}))
	})
	for _, device := range []string{"dev3", "dev4"} {
		if _, _, err := f.m.Issue(t.Context(), f.user, sessions.Info{Device: device}); !errors.Is(err, core.ErrUnauthenticated) {
			t.Errorf("a session of %s, which is no device: %v", device, err)
		}
	}
	vouched := map[string]sessions.Tokens{}
	for _, device := range []string{"dev1", "dev2", ""} {
		tokens, s, err := f.m.Issue(t.Context(), f.user, sessions.Info{Device: device, Assurance: core.AssuranceMachine})
		if err != nil || s.Device != device {
			t.Fatalf("Issue: %v, device %q", err, s.Device)
		}
		vouched[device] = tokens
	}
	for _, want := range []int{1, 0} {
		if n, err := f.m.RevokeDevice(t.Context(), "admin", "dev1"); n != want || err != nil {
			t.Errorf("RevokeDevice = %d, %v, want %d", n, err, want)
		}
	}
	for device, tokens := range vouched {
		if err := f.auth(t, tokens.Access); errors.Is(err, core.ErrUnauthenticated) != (device == "dev1") {
			t.Errorf("device %q: %v", device, err)
		}
		if _, _, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{}); errors.Is(err, core.ErrUnauthenticated) != (device == "dev1") {
			t.Errorf("refresh, device %q: %v", device, err)
		}
	}
	if len(f.ended.ids) != 1 {
		t.Errorf("OnEnd was told of %v, want one session", f.ended.ids)
	}
}
