package session_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/session"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// desk starts a session at the site.
func (s *site) desk(t *testing.T) *desk {
	t.Helper()
	return deskWith(t, s.server, s.vault, s.who, s.wire)
}

// bubble runs a test with a clock of its own.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// start begins an action and returns where its result will be.
func (d *desk) start(action status.Action) <-chan status.Result {
	result := make(chan status.Result, 1)
	go func() { result <- d.Do(d.t.Context(), action) }()
	synctest.Wait()
	return result
}

// is fails the test unless somebody is signed in by the method.
func (d *desk) is(state status.State, username string, method status.Method) {
	d.t.Helper()
	s := d.at(time.Second)
	name := ""
	if s.User != nil {
		name = s.User.Username
	}
	if s.State != state || name != username || s.AuthMode != string(method) {
		d.t.Fatalf("%s, %q by %s; want %s, %q by %s (problem %+v, ask %q)", s.State, name, s.AuthMode, state, username, method, s.Problem, s.Ask)
	}
}

func problemCode(p *status.Problem) status.ProblemCode {
	if p == nil {
		return ""
	}
	return p.Code
}

func methods(s status.Snapshot) []status.Method {
	var list []status.Method
	for _, o := range s.Offers {
		list = append(list, o.Method)
	}
	return list
}

const alexUPN, samUPN = "alex.test@example.org", "sam@example.org"

func TestA2_12_AnEnrolledMachineSignsInWithoutAQuestion(t *testing.T) {
	bubble(t, "at the first start", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		d := s.desk(t)
		asked := false
		go func() {
			var seq uint64
			for {
				shown, err := d.Watch(t.Context(), seq)
				if err != nil || shown.State == status.StateFollowing {
					return
				}
				seq = shown.Seq
				asked = asked || shown.Ask != "" || shown.State == status.StateSignedOut || shown.State == status.StateSigningIn
			}
		}()
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		shown := d.Snapshot()
		if asked || !shown.Vouched || shown.InBrowser || shown.Ask != "" || shown.Offers != nil || shown.Problem != nil {
			t.Errorf("asked %v: %+v", asked, shown)
		}
		if diff := cmp.Diff([]string{"code stay=true shared=false"}, s.server.asked); diff != "" {
			t.Error(diff)
		}
	})
	bubble(t, "the group decides before the site has answered", func(t *testing.T) {
		s := siteWith("prompt")
		s.machine.policy.AuthModes = []string{"trust"}
		s.desk(t).is(status.StateFollowing, alexUPN, status.MethodTrust)
	})
	bubble(t, "a kept session goes first, and nobody is told again", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		d := s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		time.Sleep(10 * time.Second) // the note is written
		d.quit()
		d = s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		if s.machine.vouched() != 1 || d.Snapshot().Vouched {
			t.Errorf("vouched %d times, %+v", s.machine.vouched(), d.Snapshot())
		}
	})
	bubble(t, "a keyring that is missing is no matter", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.vault.keyring = status.KeyringMissing
		d := s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		if k := d.Snapshot().Keyring; k != status.KeyringUnknown {
			t.Errorf("people are told that the keyring is %s", k)
		}
	})
	bubble(t, "the site does not want it: asked, not shown", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		d := s.desk(t)
		d.is(status.StateSignedOut, "", status.MethodMicrosoft)
		if shown := d.Snapshot(); shown.Ask != status.AskFirstLaunch || shown.Problem != nil || len(s.server.asked) != 0 {
			t.Errorf("%+v, asked %v", shown, s.server.asked)
		}
	})
	for name, change := range map[string]func(*site){
		"a local account":   func(s *site) { s.who.backed = false },
		"a generic account": func(s *site) { s.who.shared = true },
		"not enrolled":      func(s *site) { s.machine.policy = session.Policy{} },
		"AuthMode prompt":   func(s *site) { s.mode = "prompt" },
	} {
		bubble(t, "never: "+name, func(t *testing.T) {
			s := siteWith("trust", "prompt")
			change(s)
			d := s.desk(t)
			d.is(status.StateSignedOut, "", status.MethodPrompt)
			if s.machine.vouched() != 0 || d.Snapshot().Problem != nil {
				t.Errorf("vouched %d times, problem %+v", s.machine.vouched(), d.Snapshot().Problem)
			}
		})
	}
	bubble(t, "no service on this computer at all", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		d := deskWith(t, s.server, s.vault, s.who, func(deps *session.Deps) { deps.Browser = s.browser })
		d.is(status.StateSignedOut, "", status.MethodPrompt)
		if r := d.Do(t.Context(), status.Action{Kind: status.ActionSignIn, Method: status.MethodTrust}); problemCode(r.Problem) != status.ProblemTrustRefused {
			t.Errorf("got %+v", r.Problem)
		}
	})
}

func TestA2_13_RefusedTrustLeadsToTheWayThatWorks(t *testing.T) {
	refused := fault(api.CodeTrustRefused, status.ProblemTrustRefused)
	bubble(t, "auto: no error is shown", func(t *testing.T) {
		s := siteWith("trust", "microsoft", "prompt")
		s.server.refuses = refused
		d := s.desk(t)
		d.is(status.StateSignedOut, "", status.MethodMicrosoft)
		shown := d.Snapshot()
		if shown.Problem != nil || shown.Ask != status.AskFirstLaunch {
			t.Errorf("%+v", shown)
		}
		if diff := cmp.Diff([]status.Method{status.MethodMicrosoft, status.MethodPrompt}, methods(shown)); diff != "" {
			t.Error(diff)
		}
		if d.at(time.Hour); s.machine.vouched() != 1 {
			t.Errorf("vouched %d times after a refusal for good", s.machine.vouched())
		}
		s.server.set(func() { s.server.refuses = nil })
		d.do(status.ActionRetry)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
	})
	bubble(t, "AuthMode trust: says so, and what works", func(t *testing.T) {
		s := siteWith("trust", "microsoft", "prompt")
		s.mode, s.server.refuses = "trust", refused
		d := s.desk(t)
		d.is(status.StateSignedOut, "", status.MethodTrust)
		shown := d.Snapshot()
		if problemCode(shown.Problem) != status.ProblemTrustRefused || shown.Problem.Method != status.MethodMicrosoft || shown.Ask != status.AskFirstLaunch {
			t.Errorf("%+v, %+v", shown, shown.Problem)
		}
		if diff := cmp.Diff([]status.Method{status.MethodMicrosoft, status.MethodPrompt}, methods(shown)); diff != "" {
			t.Error(diff)
		}
		if r := d.signIn(alexUPN, "right", false); !r.OK {
			t.Errorf("the way that was offered: %+v", r.Problem)
		}
	})
	bubble(t, "the service starts after us", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.machine.starts = 3
		d := s.desk(t)
		if shown := d.at(time.Second); shown.State != status.StateSignedOut || shown.Problem != nil {
			t.Errorf("%s, %+v", shown.State, shown.Problem)
		}
		d.at(time.Minute)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
	})
	bubble(t, "a service that fails is left alone in the end", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.machine.refuses = errors.New("broken")
		d := s.desk(t)
		d.at(24 * time.Hour)
		if n := s.machine.vouched(); n < 2 || n > 8 {
			t.Errorf("asked %d times in a day", n)
		}
		if shown := d.Snapshot(); shown.State != status.StateSignedOut || shown.Problem != nil {
			t.Errorf("%s, %+v", shown.State, shown.Problem)
		}
	})
	bubble(t, "no network at the first start: silent once there is", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.server.down = errNoNetwork
		d := s.desk(t)
		if shown := d.at(time.Second); shown.State != status.StateSignedOut || problemCode(shown.Problem) != status.ProblemUnreachable || shown.Ask != "" {
			t.Errorf("%s, %+v, ask %q", shown.State, shown.Problem, shown.Ask)
		}
		s.server.set(func() { s.server.down = nil })
		d.at(2 * time.Minute)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
	})
	bubble(t, "the answer got lost: a new code", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.server.lose = true
		d := s.desk(t)
		d.at(time.Minute)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		if s.machine.vouched() != 2 {
			t.Errorf("vouched %d times", s.machine.vouched())
		}
	})
	bubble(t, "whoever is quicker wins, and one session is left", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		s.vault.slow = time.Second // the sign-in comes while the vault is read
		d := s.desk(t)
		r := d.start(status.Action{Kind: status.ActionSignIn, Username: alexUPN, Password: secret.New("right")})
		d.at(5 * time.Second)
		if !(<-r).OK {
			t.Error("refused")
		}
		d.is(status.StateFollowing, alexUPN, status.MethodPrompt)
	})
}

func TestNotMe(t *testing.T) {
	bubble(t, "asks, and vouches no more", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		d := s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		if r := d.do(status.ActionNotMe); !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		shown := d.at(time.Second)
		if shown.State != status.StateSignedOut || shown.Ask != status.AskFirstLaunch || shown.User != nil || s.server.count("sign-out") != 1 {
			t.Errorf("%s, ask %q, %d sign-outs", shown.State, shown.Ask, s.server.count("sign-out"))
		}
		d.do(status.ActionRetry)
		if d.at(time.Hour); s.machine.vouched() != 1 {
			t.Errorf("vouched %d times", s.machine.vouched())
		}
		d.quit()
		d = s.desk(t) // and not after a restart
		d.is(status.StateSignedOut, "", status.MethodPrompt)
		if s.machine.vouched() != 1 {
			t.Errorf("vouched %d times", s.machine.vouched())
		}
		if r := d.signIn(alexUPN, "right", false); !r.OK { // until somebody has signed in
			t.Fatalf("%+v", r.Problem)
		}
		d.at(time.Second)
		d.quit()
		s.desk(t).is(status.StateFollowing, alexUPN, status.MethodTrust)
	})
	bubble(t, "AuthMode trust: the others are offered instead", func(t *testing.T) {
		s := siteWith("trust", "microsoft", "prompt")
		s.mode = "trust"
		d := s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		d.do(status.ActionNotMe)
		if diff := cmp.Diff([]status.Method{status.MethodMicrosoft, status.MethodPrompt}, methods(d.at(time.Second))); diff != "" {
			t.Error(diff)
		}
		if p := d.Snapshot().Problem; p != nil {
			t.Errorf("%+v", p)
		}
	})
	bubble(t, "is for whom the computer vouched only", func(t *testing.T) {
		s := siteWith("prompt")
		d := signedIn(t, s.server, s.vault)
		if r := d.do(status.ActionNotMe); r.OK || d.Snapshot().State != status.StateFollowing {
			t.Errorf("%+v, %s", r, d.Snapshot().State)
		}
	})
	bubble(t, "signed out: not by itself again", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		d := s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		d.do(status.ActionSignOut)
		d.do(status.ActionRetry)
		d.at(time.Hour)
		if d.Snapshot().State != status.StateSignedOut || s.machine.vouched() != 1 {
			t.Errorf("%s, vouched %d times", d.Snapshot().State, s.machine.vouched())
		}
		if r := d.Do(t.Context(), status.Action{Kind: status.ActionSignIn, Method: status.MethodTrust}); !r.OK { // but when asked
			t.Errorf("%+v", r.Problem)
		}
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
	})
}

func TestA2_09_Microsoft(t *testing.T) {
	bubble(t, "once, and kept", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		d := s.desk(t)
		shown := d.at(time.Second)
		if diff := cmp.Diff([]status.Method{status.MethodMicrosoft, status.MethodPrompt}, methods(shown)); diff != "" || shown.Ask != status.AskFirstLaunch {
			t.Errorf("ask %q; %s", shown.Ask, diff)
		}
		r := d.start(microsoft)
		if diff := cmp.Diff(status.Browsing{Method: status.MethodMicrosoft, Waiting: true}, d.Snapshot().Browsing); diff != "" {
			t.Error(diff)
		}
		if how := s.browser.last(); how.Hint != alexUPN || how.SelectAccount {
			t.Errorf("%+v", how)
		}
		if d.Snapshot().State != status.StateSigningIn {
			t.Errorf("%s", d.Snapshot().State)
		}
		s.browser.visits <- visit{username: alexUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.is(status.StateFollowing, alexUPN, status.MethodMicrosoft)
		shown = d.Snapshot()
		if shown.Browsing != (status.Browsing{}) || !shown.InBrowser || shown.Vouched {
			t.Errorf("%+v", shown)
		}
		if diff := cmp.Diff([2]string{alexUPN, alexUPN}, s.microsoft.holds()); diff != "" {
			t.Error(diff)
		}
		time.Sleep(10 * time.Second)
		d.quit()

		// Kept. And when the session has ended meanwhile, Microsoft is asked before the person is (pain 4).
		d = s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodMicrosoft)
		time.Sleep(10 * time.Minute)
		s.server.expel()
		d.is(status.StateFollowing, alexUPN, status.MethodMicrosoft)
		if s.browser.times() != 1 || s.server.count("token") != 2 {
			t.Errorf("the browser was opened %d times, %d tokens", s.browser.times(), s.server.count("token"))
		}

		d.do(status.ActionSignOut)
		if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" {
			t.Errorf("after the sign-out Microsoft remembers:\n%s", diff)
		}
		d.is(status.StateSignedOut, "", status.MethodMicrosoft)
	})
	bubble(t, "the kept session ended while the computer was off", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		s.browser.visits <- visit{username: alexUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		time.Sleep(10 * time.Second)
		d.quit()
		s.microsoft.cached = "" // another program
		s.server.expel()
		s.desk(t).is(status.StateFollowing, alexUPN, status.MethodMicrosoft)
		if diff := cmp.Diff([2]string{alexUPN, alexUPN}, s.microsoft.holds()); diff != "" || s.browser.times() != 1 {
			t.Errorf("the browser was opened %d times; %s", s.browser.times(), diff)
		}
	})
	bubble(t, "not to stay: nothing on disk", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		once := microsoft
		once.StaySignedIn = false
		r := d.start(once)
		s.browser.visits <- visit{username: alexUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.at(time.Second)
		if diff := cmp.Diff([2]string{alexUPN, ""}, s.microsoft.holds()); diff != "" {
			t.Error(diff)
		}
	})
	bubble(t, "a second click does not begin a second one", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		first, second := d.start(microsoft), d.start(microsoft)
		if r := d.do(status.ActionOpenAgain); !r.OK {
			t.Errorf("%+v", r.Problem)
		}
		synctest.Wait()
		if s.browser.times() != 3 || len(s.browser.how) != 1 {
			t.Errorf("opened %d times for %d sign-ins", s.browser.times(), len(s.browser.how))
		}
		s.browser.visits <- visit{username: alexUPN}
		if !(<-first).OK || !(<-second).OK {
			t.Error("one of the two was refused")
		}
		if r := d.do(status.ActionOpenAgain); r.OK {
			t.Error("opened again after it was over")
		}
	})
	bubble(t, "another account: go on", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		s.browser.visits <- visit{username: samUPN}
		synctest.Wait()
		if diff := cmp.Diff(status.Browsing{Method: status.MethodMicrosoft, Confirm: samUPN}, d.Snapshot().Browsing); diff != "" || s.server.count("token") != 0 {
			t.Errorf("%d tokens; %s", s.server.count("token"), diff)
		}
		if r := d.do(status.ActionContinue); !r.OK {
			t.Errorf("%+v", r.Problem)
		}
		if !(<-r).OK {
			t.Error("refused")
		}
		d.is(status.StateFollowing, samUPN, status.MethodMicrosoft)
		if r := d.do(status.ActionContinue); r.OK {
			t.Error("nothing was asked any more")
		}
	})
	bubble(t, "another account: use another one", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		first := d.start(microsoft)
		s.browser.visits <- visit{username: samUPN}
		synctest.Wait()
		again := microsoft
		again.OtherAccount = true
		second := d.start(again)
		if r := <-first; r.OK {
			t.Error("the first one went on")
		}
		if how := s.browser.last(); !how.SelectAccount || how.Hint != "" {
			t.Errorf("%+v", how)
		}
		s.browser.visits <- visit{username: samUPN} // chosen by hand: not asked again
		if r := <-second; !r.OK {
			t.Errorf("%+v", r.Problem)
		}
		d.is(status.StateFollowing, samUPN, status.MethodMicrosoft)
	})
	bubble(t, "another account: no answer", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		s.browser.visits <- visit{username: samUPN}
		d.at(11 * time.Minute)
		if r := <-r; problemCode(r.Problem) != status.ProblemTimedOut {
			t.Errorf("%+v", r.Problem)
		}
		if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" || s.server.count("token") != 0 {
			t.Errorf("half signed in: %s", diff)
		}
	})
	bubble(t, "a colleague who came back instead is not remembered in her place", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		s.browser.visits <- visit{username: alexUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.at(2 * time.Minute)
		other := microsoft
		other.Username, other.StaySignedIn = "lee@example.org", true
		r = d.start(other) // no one of that name: Sam comes back, and is not wanted
		s.browser.visits <- visit{username: samUPN}
		synctest.Wait()
		d.do(status.ActionCancelSignIn)
		<-r
		d.is(status.StateFollowing, alexUPN, status.MethodMicrosoft)
		s.server.expel()
		d.is(status.StateSignedOut, alexUPN, status.MethodMicrosoft)
		if d.Snapshot().Ask != status.AskSessionEnded || s.server.count("token") != 1 {
			t.Errorf("ask %q, %d tokens", d.Snapshot().Ask, s.server.count("token"))
		}
		if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" {
			t.Error(diff)
		}
	})
	bubble(t, "cancelled while signed in: still remembered", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		s.browser.visits <- visit{username: alexUPN}
		<-r
		d.at(2 * time.Minute)
		other := microsoft
		other.OtherAccount = true
		r = d.start(other)
		d.do(status.ActionCancelSignIn)
		<-r
		s.server.expel()
		d.is(status.StateFollowing, alexUPN, status.MethodMicrosoft)
	})
	bubble(t, "a shared computer: the account picker, nothing kept, close the browser", func(t *testing.T) {
		s := siteWith("trust", "microsoft", "prompt")
		s.who = person{name: "kiosk", shared: true}
		d := s.desk(t)
		if shown := d.at(time.Second); shown.Ask != status.AskWhoIsPrinting || shown.Prefill != "" {
			t.Errorf("%+v", shown)
		}
		r := d.start(microsoft)
		if how := s.browser.last(); how.Hint != "" || !how.SelectAccount {
			t.Errorf("%+v", how)
		}
		s.browser.visits <- visit{username: samUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		shown := d.at(time.Second)
		if !shown.InBrowser || !shown.Shared {
			t.Errorf("%+v", shown)
		}
		if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" || s.microsoft.silent != 0 || s.vault.refresh() != "" {
			t.Errorf("silent %d, kept %q, %s", s.microsoft.silent, s.vault.refresh(), diff)
		}
		if diff := cmp.Diff([]string{"token stay=false shared=true"}, s.server.asked); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFaultsInTheBrowser(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*site)
		visit  *visit
		act    status.ActionKind
		wait   time.Duration
		want   status.ProblemCode
		lead   status.Method
		shown  bool
	}{
		"no browser after all": {func(s *site) { s.browser.openErr = errors.New("no xdg-open") }, nil, "", 0, status.ProblemNoBrowser, status.MethodPrompt, true},
		"closed tab":           {nil, nil, "", 11 * time.Minute, status.ProblemTimedOut, "", true},
		"cancelled here":       {nil, nil, status.ActionCancelSignIn, 0, status.ProblemInvalid, "", false},
		"cancelled there":      {nil, &visit{err: context.Canceled}, "", 0, status.ProblemInvalid, "", false},
		"window closed, tab left": {
			nil, nil, status.ActionDismiss, 11 * time.Minute, status.ProblemTimedOut, "", true,
		},
		"provider down":   {func(s *site) { s.microsoft.down = fault("", status.ProblemProviderUnreachable) }, nil, "", 0, status.ProblemProviderUnreachable, "", true},
		"consent missing": {nil, &visit{err: fault("", status.ProblemConsentRequired)}, "", 0, status.ProblemConsentRequired, "", true},
		"device blocked":  {nil, &visit{err: fault("", status.ProblemDeviceBlocked)}, "", 0, status.ProblemDeviceBlocked, "", true},
		"nobody here":     {nil, &visit{username: "stranger@example.org"}, "", 0, status.ProblemNoAccount, "", true},
		"disabled meanwhile": {
			func(s *site) { s.server.disabled = true }, &visit{username: alexUPN}, "", 0, status.ProblemAccountDisabled, "", true,
		},
		"network lost meanwhile": {
			func(s *site) { s.server.refuses = errNoNetwork }, &visit{username: alexUPN}, "", 0, status.ProblemUnreachable, "", true,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			s := siteWith("microsoft", "prompt")
			if test.visit != nil && test.visit.username != "" && test.visit.username != alexUPN {
				s.who.suffix = "" // nobody is expected
			}
			if test.change != nil {
				test.change(s)
			}
			d := s.desk(t)
			d.at(time.Second)
			r := d.start(microsoft)
			if test.visit != nil {
				s.browser.visits <- *test.visit
			}
			if test.act != "" {
				d.do(test.act)
			}
			d.at(test.wait)
			got := <-r
			if problemCode(got.Problem) != test.want || got.Problem.Method != test.lead {
				t.Errorf("got %+v, want %s and %q instead", got.Problem, test.want, test.lead)
			}
			shown := d.at(time.Second)
			if (shown.Problem != nil) != test.shown || shown.State != status.StateSignedOut || shown.Browsing != (status.Browsing{}) {
				t.Errorf("%s, %+v, %+v", shown.State, shown.Problem, shown.Browsing)
			}
			if diff := cmp.Diff([2]string{}, s.microsoft.holds()); diff != "" {
				t.Errorf("half signed in: Microsoft remembers\n%s", diff)
			}
			if s.server.count("sign-out") != 0 || s.vault.refresh() != "" {
				t.Errorf("half signed in: %d sign-outs, kept %q", s.server.count("sign-out"), s.vault.refresh())
			}
			// And the way that works works.
			s.server.set(func() { s.server.disabled, s.server.refuses = false, nil })
			if r := d.signIn(alexUPN, "right", false); !r.OK {
				t.Errorf("the password: %+v", r.Problem)
			}
		})
	}
	bubble(t, "cancelled while the server decides: no session is left", func(t *testing.T) {
		s := siteWith("microsoft")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		s.browser.visits <- visit{username: alexUPN}
		time.Sleep(5 * time.Millisecond) // the server takes 10
		d.do(status.ActionCancelSignIn)
		if (<-r).OK {
			t.Error("signed in")
		}
		d.at(time.Minute)
		if s.server.count("token") != 1 || s.server.count("sign-out") != 1 {
			t.Errorf("%d sessions begun, %d ended", s.server.count("token"), s.server.count("sign-out"))
		}
	})
	bubble(t, "a password instead", func(t *testing.T) {
		s := siteWith("microsoft", "prompt")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(microsoft)
		if got := d.signIn(alexUPN, "right", false); !got.OK {
			t.Errorf("%+v", got.Problem)
		}
		if (<-r).OK {
			t.Error("both")
		}
		d.is(status.StateFollowing, alexUPN, status.MethodPrompt)
	})
}

func TestA2_08_APasswordThatMFARefusesLeadsToMicrosoft(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		s := siteWith("prompt", "microsoft")
		d := s.desk(t)
		d.at(time.Second)
		s.server.set(func() {
			s.server.down = &session.Error{
				Code: api.CodeMFARequired, Problem: status.Problem{Code: status.ProblemMFARequired, Method: status.MethodMicrosoft}, Err: errors.New("MFA"),
			}
		})
		r := d.signIn(alexUPN, "right", true)
		s.server.set(func() { s.server.down = nil })
		if problemCode(r.Problem) != status.ProblemMFARequired || r.Problem.Method != status.MethodMicrosoft {
			t.Fatalf("%+v", r.Problem)
		}
		shown := d.at(time.Second)
		if diff := cmp.Diff([]status.Method{status.MethodMicrosoft, status.MethodPrompt}, methods(shown)); diff != "" || shown.Prefill != alexUPN {
			t.Errorf("prefill %q; %s", shown.Prefill, diff)
		}
		done := d.start(microsoft)
		s.browser.visits <- visit{username: alexUPN}
		if r := <-done; !r.OK {
			t.Errorf("%+v", r.Problem)
		}
	})
}

func TestAuthModeBrowser(t *testing.T) {
	google := status.Action{Kind: status.ActionSignIn, Method: status.MethodBrowser, Provider: "google", StaySignedIn: true}
	bubble(t, "the provider that was chosen", func(t *testing.T) {
		s := siteWith("browser", "prompt")
		d := s.desk(t)
		shown := d.at(time.Second)
		want := []status.Offer{
			{Method: status.MethodBrowser, Provider: "google", Name: "Google"}, {Method: status.MethodBrowser, Provider: "okta", Name: "Okta"}, {Method: status.MethodPrompt},
		}
		if diff := cmp.Diff(want, shown.Offers); diff != "" {
			t.Error(diff)
		}
		r := d.start(google)
		if how := s.browser.last(); how.Provider != "google" || how.Hint != alexUPN {
			t.Errorf("%+v", how)
		}
		s.browser.visits <- visit{username: alexUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.is(status.StateFollowing, alexUPN, status.MethodBrowser)
		if !d.Snapshot().InBrowser || s.microsoft.forgot != 0 {
			t.Errorf("%+v", d.Snapshot())
		}
	})
	bubble(t, "another account: no, and its session is ended", func(t *testing.T) {
		s := siteWith("browser")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(google)
		s.browser.visits <- visit{username: samUPN}
		if shown := d.at(time.Second); shown.Browsing.Confirm != samUPN || shown.State != status.StateSigningIn {
			t.Errorf("%s, %+v", shown.State, shown.Browsing)
		}
		d.do(status.ActionDismiss)
		if (<-r).OK {
			t.Error("signed in")
		}
		d.at(time.Minute)
		if s.server.count("sign-out") != 1 || s.server.count("balance") != 0 {
			t.Errorf("%d sign-outs, %d balances", s.server.count("sign-out"), s.server.count("balance"))
		}
	})
	bubble(t, "another account, please: at the same provider, kept as was wanted", func(t *testing.T) {
		s := siteWith("browser")
		d := s.desk(t)
		d.at(time.Second)
		okta := google
		okta.Provider = "okta" // the second one of two
		first := d.start(okta)
		s.browser.visits <- visit{username: samUPN}
		d.at(time.Second)
		r := d.start(status.Action{Kind: status.ActionSignIn, Method: status.MethodBrowser, OtherAccount: true})
		<-first
		if how := s.browser.last(); how.Provider != "okta" || !how.SelectAccount {
			t.Errorf("%+v", how)
		}
		s.browser.visits <- visit{username: alexUPN}
		if r := <-r; !r.OK {
			t.Fatalf("%+v", r.Problem)
		}
		d.is(status.StateFollowing, alexUPN, status.MethodBrowser)
		if kept, _, _ := s.vault.Load(t.Context()); kept == nil {
			t.Error("it is not kept, though staying signed in was chosen")
		}
	})
	bubble(t, "another account: yes", func(t *testing.T) {
		s := siteWith("browser")
		d := s.desk(t)
		d.at(time.Second)
		r := d.start(google)
		s.browser.visits <- visit{username: samUPN}
		d.at(time.Second)
		if r := d.do(status.ActionContinue); !r.OK {
			t.Errorf("%+v", r.Problem)
		}
		if !(<-r).OK {
			t.Error("refused")
		}
		d.is(status.StateFollowing, samUPN, status.MethodBrowser)
	})
	bubble(t, "a provider that is not offered", func(t *testing.T) {
		s := siteWith("browser", "prompt")
		d := s.desk(t)
		d.at(time.Second)
		evil := google
		evil.Provider = "evil"
		if r := d.Do(t.Context(), evil); problemCode(r.Problem) != status.ProblemMethodOff || s.browser.times() != 0 {
			t.Errorf("%+v", r.Problem)
		}
	})
	bubble(t, "a method that is not offered", func(t *testing.T) {
		s := siteWith("prompt")
		d := s.desk(t)
		d.at(time.Second)
		if r := d.Do(t.Context(), microsoft); problemCode(r.Problem) != status.ProblemMethodOff || r.Problem.Method != status.MethodPrompt || s.browser.times() != 0 {
			t.Errorf("%+v", r.Problem)
		}
	})
	bubble(t, "before the site is known", func(t *testing.T) {
		s := siteWith("browser")
		s.server.down = errNoNetwork
		d := s.desk(t)
		r := d.Do(t.Context(), google)
		if problemCode(r.Problem) != status.ProblemUnreachable || s.browser.times() != 0 {
			t.Errorf("%+v", r.Problem)
		}
		s.server.set(func() { s.server.down = nil })
		d.at(time.Minute)
		ok := d.start(google)
		s.browser.visits <- visit{username: alexUPN}
		if r := <-ok; !r.OK {
			t.Errorf("%+v", r.Problem)
		}
	})
	bubble(t, "the program ends while somebody is at it", func(t *testing.T) {
		s := siteWith("browser")
		d := s.desk(t)
		d.at(time.Second)
		d.start(google)
		s.browser.visits <- visit{username: samUPN}
		d.at(time.Second)
		d.quit()
		if s.server.count("sign-out") != 1 {
			t.Errorf("%d sign-outs", s.server.count("sign-out"))
		}
	})
}

func TestASessionThatEndsAtOnceIsNotBegunAgain(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		s := siteWith("trust", "prompt")
		d := s.desk(t)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust)
		time.Sleep(2 * time.Minute)
		s.server.expel()
		d.at(time.Minute - time.Second)
		d.is(status.StateFollowing, alexUPN, status.MethodTrust) // once more: the computer still vouches
		s.server.expel()
		d.at(time.Hour)
		if shown := d.Snapshot(); s.machine.vouched() != 2 || shown.State != status.StateSignedOut || shown.Ask != status.AskSessionEnded {
			t.Errorf("vouched %d times, %s, ask %q", s.machine.vouched(), shown.State, shown.Ask)
		}
	})
}
