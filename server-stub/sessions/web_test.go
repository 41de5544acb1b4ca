package sessions_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/server-stub/core"
	"github.com/platenprint/platen/server-stub/sessions"
	"github.com/platenprint/platen/server-stub/store"
)

func (f *fixture) startWeb(t *testing.T, kind core.SessionKind) (secret.String, core.Session) {
	t.Helper()
	token, s, err := f.m.StartWeb(t.Context(), f.user, sessions.WebInfo{Kind: kind, Assurance: core.AssurancePassword, Client: "Firefox", Address: "192.0.2.1"}, secret.String{})
	if err != nil {
		t.Fatal(err)
	}
	return token, s
}

func (f *fixture) web(t *testing.T, kind core.SessionKind, token secret.String) error {
	t.Helper()
	_, _, err := f.m.AuthenticateWeb(t.Context(), kind, token)
	return err
}

func TestABrowsersSessionEndsWhenIdleAndAfterTwelveHours(t *testing.T) {
	for kind, idle := range map[core.SessionKind]time.Duration{core.SessionWeb: time.Hour, core.SessionAdmin: 15 * time.Minute} {
		t.Run(string(kind), func(t *testing.T) {
			f := newFixture(t)
			token, _ := f.startWeb(t, kind)
			for range int(12*time.Hour/(idle-time.Minute)) + 1 {
				f.advance(idle - time.Minute)
				if f.now().Sub(start) >= 12*time.Hour {
					break
				}
				if err := f.web(t, kind, token); err != nil {
					t.Fatalf("used within its time after %v: %v", f.now().Sub(start), err)
				}
			}
			if err := f.web(t, kind, token); !errors.Is(err, core.ErrUnauthenticated) {
				t.Errorf("after %v: %v", f.now().Sub(start), err)
			}
			f = newFixture(t)
			token, _ = f.startWeb(t, kind)
			f.advance(idle)
			if err := f.web(t, kind, token); !errors.Is(err, core.ErrUnauthenticated) {
				t.Errorf("idle for %v: %v", idle, err)
			}
			if list, err := f.m.List(t.Context(), f.user); err != nil || len(list) != 0 {
				t.Errorf("idle, still listed: %v, %v", list, err)
			}
		})
	}
}

func TestASecretIsGoodForItsKindOnly(t *testing.T) {
	f := newFixture(t)
	token, s := f.startWeb(t, core.SessionWeb)
	if !strings.HasPrefix(token.Reveal(), sessions.WebPrefix) || s.Kind != core.SessionWeb || !s.ProvenAt.Equal(start) || s.AccessHash != [32]byte{} {
		t.Errorf("session %+v", s)
	}
	if err := f.web(t, core.SessionAdmin, token); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("a page's secret at the administrators' pages: %v", err)
	}
	if err := f.auth(t, token); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("a page's secret as an access token: %v", err)
	}
	client, _ := f.issue(t, false)
	for _, wrong := range []secret.String{client.Access, client.Refresh, secret.New(""), secret.New(sessions.WebPrefix), secret.New(sessions.WebPrefix + strings.Repeat("x", 500))} {
		if err := f.web(t, core.SessionWeb, wrong); !errors.Is(err, core.ErrUnauthenticated) {
			t.Errorf("%d characters: %v", len(wrong.Reveal()), err)
		}
	}
}

// C3: a machine that vouches for its person signs nobody in to pages.
func TestTrustStartsNoSessionInABrowser(t *testing.T) {
	f := newFixture(t)
	for _, info := range []sessions.WebInfo{
		{Kind: core.SessionWeb, Assurance: core.AssuranceMachine},
		{Kind: core.SessionAdmin, Assurance: core.AssuranceMachine},
		{Kind: core.SessionWeb},
		{Kind: core.SessionClient, Assurance: core.AssurancePassword},
	} {
		if _, _, err := f.m.StartWeb(t.Context(), f.user, info, secret.String{}); !errors.Is(err, core.ErrForbidden) {
			t.Errorf("%+v: %v", info, err)
		}
	}
}

func TestSigningInAndSteppingUpChangeTheSecret(t *testing.T) {
	f := newFixture(t)
	first, s1 := f.startWeb(t, core.SessionWeb)
	second, s2, err := f.m.StartWeb(t.Context(), f.user, sessions.WebInfo{Kind: core.SessionWeb, Assurance: core.AssuranceOIDC}, first)
	if err != nil || s1.ID == s2.ID {
		t.Fatal(err)
	}
	if err := f.web(t, core.SessionWeb, first); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("the secret of before: %v", err)
	}
	f.advance(10 * time.Minute)
	third, s3, err := f.m.StepUp(t.Context(), core.SessionWeb, second, core.AssuranceStepUp)
	if err != nil || s3.ID != s2.ID || s3.Assurance != core.AssuranceStepUp || !s3.ProvenAt.Equal(f.now()) {
		t.Fatalf("step-up: %+v, %v", s3, err)
	}
	if err := f.web(t, core.SessionWeb, second); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("the secret of before the step-up: %v", err)
	}
	if err := f.web(t, core.SessionWeb, third); err != nil {
		t.Errorf("the secret of the step-up: %v", err)
	}
	if _, _, err := f.m.StepUp(t.Context(), core.SessionWeb, second, core.AssuranceStepUp); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("a step-up by the old secret: %v", err)
	}
}

func TestBrowsersSessionsEndLikeOthers(t *testing.T) {
	f := newFixture(t)
	token, s := f.startWeb(t, core.SessionWeb)
	admin, _ := f.startWeb(t, core.SessionAdmin)
	list, err := f.m.List(t.Context(), f.user)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d listed, %v", len(list), err)
	}
	if err := f.m.EndKind(t.Context(), "admin", f.user, core.SessionAdmin); err != nil {
		t.Fatal(err)
	}
	if err := f.web(t, core.SessionAdmin, admin); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("after the roles changed: %v", err)
	}
	if err := f.m.EndWeb(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := f.web(t, core.SessionWeb, token); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("after signing out: %v", err)
	}
	if err := f.m.EndWeb(t.Context(), token); err != nil {
		t.Errorf("signing out twice: %v", err)
	}
	if len(f.ended.ids) != 2 || f.ended.ids[1] != s.ID {
		t.Errorf("told of %v", f.ended.ids)
	}
	token, _ = f.startWeb(t, core.SessionWeb)
	disable(t, f.store, f.user)
	if err := f.web(t, core.SessionWeb, token); !errors.Is(err, core.ErrDisabled) {
		t.Errorf("a disabled person: %v", err)
	}
	f.m.UserChanged(t.Context(), f.user)
	setDisabled(t, f.store, f.user, false)
	if err := f.web(t, core.SessionWeb, token); !errors.Is(err, core.ErrUnauthenticated) {
		t.Errorf("after the person was disabled and enabled: %v", err)
	}
}

func TestABrowsersSecretIsStoredAsItsHash(t *testing.T) {
	f := newFixture(t)
	token, s := f.startWeb(t, core.SessionWeb)
	if err := f.store.View(t.Context(), func(tx store.Tx) error {
		kept, err := tx.Session(t.Context(), s.ID)
		if strings.Contains(string(kept.AccessHash[:]), token.Reveal()[len(sessions.WebPrefix):]) || kept.AccessHash == [32]byte{} {
			t.Errorf("kept as %x", kept.AccessHash)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
