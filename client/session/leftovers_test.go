package session_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/secret"
)

// kiosk is an account of which is known from a moment on that several people use it.
type kiosk struct {
	person

	mu     sync.Mutex
	shared bool
}

func (k *kiosk) Identify(ctx context.Context, suffix string) (session.Who, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.person
	p.shared = k.shared
	return p.Identify(ctx, suffix)
}

func (k *kiosk) turnsOut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shared = true
}

func TestSignOutForgetsWhatAnEarlierRunLeft(t *testing.T) {
	bubble(t, "Microsoft's memory, of which no note tells", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		s.vault.kept = &session.Kept{Refresh: s.server.issue().Refresh, User: userOf(alexUPN)}
		s.microsoft.kept = alexUPN
		d := s.desk(t)
		d.at(2 * time.Second)
		d.do(status.ActionSignOut)
		if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" {
			t.Errorf("after the sign-out Microsoft remembers:\n%s", diff)
		}
	})
}

func TestAComputerThatTurnsOutToBeShared(t *testing.T) {
	for name, late := range map[string]int{"when the site answers": 0, "when its service has started": 3} {
		bubble(t, name+": the colleague before is signed out, and nothing of them stays", func(t *testing.T) {
			s := siteWith("prompt")
			s.machine.starts = late
			who := &kiosk{person: person{name: "student", suffix: "example.org"}}
			s.vault.kept = &session.Kept{Refresh: s.server.issue().Refresh, User: userOf(samUPN)}
			s.microsoft.kept = samUPN
			d := deskWith(t, s.server, s.vault, who, s.wire)
			time.Sleep(time.Millisecond)
			who.turnsOut()
			shown := d.at(time.Minute)
			if !shown.Shared || shown.State != status.StateSignedOut || shown.User != nil || shown.Prefill != "" || shown.Ask != status.AskWhoIsPrinting {
				t.Errorf("%+v", shown)
			}
			if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" || s.vault.refresh() != "" {
				t.Errorf("kept %q, Microsoft %s", s.vault.refresh(), diff)
			}
			d.Do(t.Context(), status.Action{Kind: status.ActionSignIn, Username: alexUPN, Password: secret.New("right"), StaySignedIn: true})
			if d.at(time.Second); s.vault.refresh() != "" {
				t.Error("the next one is kept")
			}
		})
	}
}

func TestASlowKeyringAndALateServiceLockNobodyOut(t *testing.T) {
	bubble(t, "sign-ins are heard", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.machine.policy.AuthModes = []string{"trust", "prompt"}
		s.machine.starts, s.vault.slow = 1, 15*time.Second
		d := s.desk(t)
		d.is(status.StateStarting, "", "auto")
		d.at(time.Minute)
		if r := d.do(status.ActionSignOut); !r.OK {
			t.Errorf("%+v", r.Problem)
		}
	})
}

func TestMicrosoftIsKeptOnlyForWhoWantsToStay(t *testing.T) {
	bubble(t, "and no more when they change their mind", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		s.microsoft.kept = alexUPN // of the time before
		d := s.desk(t)
		d.at(time.Second)
		once := microsoft
		once.StaySignedIn = false
		if r := <-d.start(once); !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.at(time.Second)
		if diff := cmp.Diff([2]string{alexUPN, ""}, s.microsoft.holds()); diff != "" || s.vault.refresh() != "" {
			t.Errorf("kept %q, Microsoft %s", s.vault.refresh(), diff)
		}
	})
}

func TestASharedComputerThatWasSomebodysOwn(t *testing.T) {
	bubble(t, "nothing of theirs stays on disk", func(t *testing.T) {
		s := siteWith("prompt")
		s.vault.kept, s.vault.note = &session.Kept{Refresh: s.server.issue().Refresh, User: userOf(samUPN)}, &session.Note{User: userOf(samUPN)}
		s.who = person{name: "student", suffix: "example.org", shared: true}
		s.desk(t).at(time.Second)
		if s.vault.refresh() != "" || s.vault.note != nil {
			t.Errorf("kept %q, note %+v", s.vault.refresh(), s.vault.note)
		}
	})
}
