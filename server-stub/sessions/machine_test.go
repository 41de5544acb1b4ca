package sessions_test

import (
	"errors"
	"testing"
	"time"

	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
)

// Whoever rules a machine may have it vouch for a few people a day. If those sessions lasted for months there would soon be one for
// everybody, and the number a day would hold nobody up.
func TestASessionThatAMachineVouchedForEndsTheSameDay(t *testing.T) {
	f := newFixture(t)
	mustUpdate(t, f.store, func(tx store.Tx) error {
		return tx.CreateDevice(t.Context(), core.Device{ID: "dev1", Status: core.DeviceEnrolled})
	})
	begun := f.clock()()
	tokens, s, err := f.m.Issue(t.Context(), f.user, sessions.Info{Device: "dev1", Assurance: core.AssuranceMachine, StaySignedIn: true})
	if err != nil {
		t.Fatal(err)
	}
	for hours := 0; ; hours++ {
		if hours > 48 {
			t.Fatal("refreshing keeps it for ever")
		}
		next, again, err := f.m.Refresh(t.Context(), tokens.Refresh, sessions.Info{})
		if errors.Is(err, core.ErrUnauthenticated) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if again.Assurance != core.AssuranceMachine || again.Device != "dev1" || again.ID != s.ID {
			t.Fatalf("refreshing made it %+v", again)
		}
		if end := next.RefreshExpires.Sub(begun); end > sessions.DefaultShort {
			t.Fatalf("it lasts %v", end)
		}
		tokens = next
		f.advance(time.Hour)
	}
}
