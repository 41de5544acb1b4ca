package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/tray/uitest"
)

// The ways of signing in.
var (
	microsoft = status.Offer{Method: status.MethodMicrosoft}
	google    = status.Offer{Method: status.MethodBrowser, Provider: "google", Name: "Google"}
	okta      = status.Offer{Method: status.MethodBrowser, Provider: "okta", Name: "Okta"}
	prompt    = status.Offer{Method: status.MethodPrompt}
)

// offering is nobody signed in, where that can be changed in these ways.
func offering(offers ...status.Offer) status.Snapshot {
	s := nobody()
	s.Offers = offers
	return s
}

// browsing is a sign-in under way in the browser.
func browsing(b status.Browsing) status.Snapshot {
	s := offering(microsoft, prompt)
	s.State, s.Browsing = status.StateSigningIn, b
	return s
}

func hindered(code status.ProblemCode, instead status.Method, offers ...status.Offer) status.Snapshot {
	s := offering(offers...)
	s.Problem = &status.Problem{Code: code, Method: instead, Details: "AADSTS50076"}
	return s
}

// apart lets questions to the resident take their time, as they do; the test runs their answers with answer.
func (s *stage) apart() {
	s.posted = make(chan func(), 10)
	s.spawn = func(f func()) {
		s.spawned++
		go f()
	}
	s.post = func(f func()) { s.posted <- f }
}

func (s *stage) answer() {
	s.t.Helper()
	select {
	case f := <-s.posted:
		f()
	case <-time.After(testenv.Deadline):
		s.t.Fatal("no answer of the resident")
	}
}

// awaitAction waits until the resident was asked n times in all, and shows what it has then.
func (s *stage) awaitAction(n int) status.Action {
	s.t.Helper()
	testenv.Await(s.t, "an action", func() bool { return len(s.resident.Actions()) >= n })
	s.sees()
	return s.last()
}

func (s *stage) types(key fyne.KeyName) {
	if f := s.canvas().Focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: key})
		return
	}
	s.canvas().OnTypedKey()(&fyne.KeyEvent{Name: key})
}

// primary is the text of the one primary button; more than one is wrong.
func (s *stage) primary() string {
	s.t.Helper()
	var all []string
	walk(s.page.object(), func(o fyne.CanvasObject) {
		if b, ok := o.(*button); ok && b.Importance == widget.HighImportance {
			all = append(all, b.Text)
		}
	})
	if len(all) > 1 {
		s.t.Errorf("primary buttons: %q, want one", all)
	}
	return strings.Join(all, ", ")
}

func TestA1_37_MicrosoftIsThePrimaryButtonWhereMFAIsOn(t *testing.T) {
	s := newStage(t, "en", offering(microsoft, prompt), "")
	s.apart()
	p := s.identify()
	if got := s.primary(); got != "Sign in with Microsoft" || !s.reads("Your browser will open.") {
		t.Errorf("primary button %q, window reads %q", got, s.texts())
	}
	if p.accountBox.Visible() || p.passwordBox.Visible() || p.submit.Visible() {
		t.Error("account and password are to be seen before they are wanted")
	}
	test.Tap(p.stay)
	s.types(fyne.KeyReturn)
	if a := s.awaitAction(1); a.Kind != status.ActionSignIn || a.Method != status.MethodMicrosoft || a.Username != "" || !a.StaySignedIn || a.OtherAccount {
		t.Errorf("asked for %+v", a)
	}
	if !s.reads("Finish in your browser.") || s.primary() != "" {
		t.Errorf("window reads %q", s.texts())
	}
	s.resident.Return(nil)
	s.answer()
	s.sees()
	if !s.reads("€12.34") {
		t.Errorf("window reads %q", s.texts())
	}
}

func TestTheQuietButtonLeadsToAccountAndPassword(t *testing.T) {
	s := newStage(t, "en", offering(microsoft, google, prompt), "")
	s.press("Use account and password")
	p := s.identify()
	if got := s.primary(); got != "Sign in" || s.reads("Use account and password") || s.reads("Your browser will open.") {
		t.Errorf("primary button %q, window reads %q", got, s.texts())
	}
	if !s.reads("Sign in with Microsoft") || !s.reads("Sign in with Google") {
		t.Errorf("the other ways are gone: %q", s.texts())
	}
	if s.canvas().Focused() != p.password {
		t.Errorf("focus is on %T, want the password: the account is there", s.canvas().Focused())
	}
	test.Type(p.password, uitest.Password)
	s.types(fyne.KeyReturn)
	if a := s.last(); a.Method != status.MethodPrompt || a.Username != "alex.test@example.org" {
		t.Errorf("asked for %+v", a)
	}
	s.sees()
	if !s.reads("€12.34") {
		t.Errorf("window reads %q", s.texts())
	}
}

func TestA1_38_APasswordThatMFARefusesLeadsToMicrosoft(t *testing.T) {
	s := newStage(t, "en", offering(prompt, microsoft), "")
	s.apart()
	p := s.identify()
	p.account.SetText("")
	test.Type(p.account, "sam@example.org")
	test.Type(p.password, "right, but not enough")
	s.types(fyne.KeyReturn)
	s.awaitAction(1)
	s.answer()
	s.resident.Set(hindered(status.ProblemMFARequired, status.MethodMicrosoft, prompt, microsoft))
	s.sees()
	if got := s.primary(); got != "Sign in with Microsoft" || p.passwordBox.Visible() {
		t.Errorf("primary button %q, window reads %q", got, s.texts())
	}
	if !p.below.box.Visible() || p.below.text.Text != "This account needs Microsoft sign-in." {
		t.Errorf("said: %q", p.below.text.Text)
	}
	s.canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if a := s.awaitAction(2); a.Method != status.MethodMicrosoft || a.Username != "sam@example.org" || !a.Password.Empty() {
		t.Errorf("asked for %+v", a)
	}
	if s.reads("This account needs") {
		t.Error("still said while the browser is open")
	}
}

func TestAPasswordWasWantedUntilItIsNotEnough(t *testing.T) {
	s := newStage(t, "en", offering(microsoft, prompt), "")
	s.press("Use account and password")
	s.resident.Set(hindered(status.ProblemWrongCredentials, "", microsoft, prompt))
	s.sees()
	if p := s.identify(); s.primary() != "Sign in" || !p.atPassword.box.Visible() {
		t.Errorf("a wrong password: primary button %q, under the password %q", s.primary(), p.atPassword.text.Text)
	}
	s.resident.Set(hindered(status.ProblemMFARequired, status.MethodMicrosoft, microsoft, prompt))
	s.sees()
	if s.primary() != "Sign in with Microsoft" || !s.reads("Use account and password") {
		t.Errorf("not enough: primary button %q, window reads %q", s.primary(), s.texts())
	}
}

func TestUX_3_WaitingForTheBrowser(t *testing.T) {
	s := newStage(t, "en", offering(google, okta), "")
	s.apart()
	at := now
	s.options.Clock = func() time.Time { return at }
	s.press("Sign in with Okta")
	if a := s.awaitAction(1); a.Method != status.MethodBrowser || a.Provider != "okta" {
		t.Errorf("asked for %+v", a)
	}
	s.press("Cancel") // the second click of a double click
	s.types(fyne.KeyReturn)
	if s.spawned != 1 {
		t.Errorf("a double click asked %d times", s.spawned)
	}
	at = at.Add(time.Second)
	s.press("Open again")
	if a := s.awaitAction(2); a.Kind != status.ActionOpenAgain {
		t.Errorf("asked for %s", a.Kind)
	}
	s.types(fyne.KeyReturn)
	if a := s.awaitAction(3); a.Kind != status.ActionOpenAgain {
		t.Errorf("Return asked for %s", a.Kind)
	}
	s.press("Cancel")
	s.awaitAction(4)
	s.answer()
	if s.identify().face != faceForm || s.reads("That can’t be right") || s.reads("was cancelled") || s.primary() != "Sign in with Google" {
		t.Errorf("cancelled, window reads %q", s.texts())
	}
}

func TestCancelledInTheBrowserIsSaidUntilTheNextTry(t *testing.T) {
	s := newStage(t, "en", offering(microsoft), "")
	s.apart()
	s.press("Sign in with Microsoft")
	s.awaitAction(1)
	s.resident.Do(t.Context(), status.Action{Kind: status.ActionCancelSignIn}) // somebody else than this window
	s.answer()
	s.sees()
	if !s.reads("The sign-in was cancelled.") || s.primary() != "Sign in with Microsoft" {
		t.Errorf("window reads %q", s.texts())
	}
	at := now
	s.options.Clock = func() time.Time { return at }
	s.press("Sign in with Microsoft")
	s.awaitAction(3)
	at = at.Add(time.Second)
	s.press("Cancel")
	s.awaitAction(4)
	s.answer()
	if s.reads("The sign-in was cancelled.") {
		t.Errorf("cancelled here, window reads %q", s.texts())
	}
}

func TestKeysGoToWhatIsToBeSeen(t *testing.T) {
	s := newStage(t, "en", offering(google, okta), "")
	s.apart()
	at := now
	s.options.Clock = func() time.Time { return at }
	s.canvas().Focus(s.identify().ways[1])
	s.types(fyne.KeyReturn)
	if a := s.awaitAction(1); a.Provider != "okta" {
		t.Errorf("asked for %+v", a)
	}
	at = at.Add(time.Second)
	s.types(fyne.KeyReturn) // the button that had the focus is gone
	if a := s.awaitAction(2); a.Kind != status.ActionOpenAgain {
		t.Errorf("asked for %+v", a)
	}
}

func TestWithoutFieldsEveryProblemIsSaidAboveTheButtons(t *testing.T) {
	for _, code := range []status.ProblemCode{status.ProblemAccountDisabled, status.ProblemPasswordExpired, status.ProblemTimedOut} {
		s := newStage(t, "en", hindered(code, "", microsoft), "")
		if p := s.identify(); !p.below.box.Visible() || p.below.text.Text == "" || p.below.text.Text != p.model.Error {
			t.Errorf("%s: said %q, want %q", code, p.below.text.Text, p.model.Error)
		}
	}
}

func TestClosingTheWindowLeavesTheBrowserAlone(t *testing.T) {
	s := newStage(t, "en", browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true}), "")
	s.types(fyne.KeyEscape)
	if !s.ended || len(s.asked()) != 0 {
		t.Errorf("ended: %v, asked: %v; want only the end", s.ended, s.asked())
	}
	s = newStage(t, "en", browsing(status.Browsing{Method: status.MethodMicrosoft, Confirm: "sam@example.org"}), "")
	s.types(fyne.KeyEscape)
	if !s.ended || !slices.Equal(s.asked(), []status.ActionKind{status.ActionDismiss}) {
		t.Errorf("a question: ended: %v, asked: %v; want it dismissed", s.ended, s.asked())
	}
}

func TestUX_3_AnotherAccountThanExpectedIsAskedFor(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(*stage)
		want status.ActionKind
	}{
		{"Return", func(s *stage) { s.types(fyne.KeyReturn) }, status.ActionContinue},
		{"a click", func(s *stage) { s.press("Continue") }, status.ActionContinue},
		{"another account", func(s *stage) { s.press("Use another account") }, status.ActionSignIn},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStage(t, "en", offering(microsoft, prompt), "")
			s.apart()
			at := now
			s.options.Clock = func() time.Time { return at }
			test.Tap(s.identify().stay)
			s.press("Sign in with Microsoft")
			s.awaitAction(1)
			s.resident.Confirm("sam@example.org")
			s.sees()
			if !s.reads("You signed in as sam@example.org. Continue?") || s.primary() != "Continue" || s.reads("Finish in your browser.") {
				t.Errorf("window reads %q", s.texts())
			}
			tc.do(s)
			if s.spawned != 1 {
				t.Error("answered before it could be read")
			}
			at = at.Add(time.Second)
			tc.do(s)
			a := s.awaitAction(2)
			if a.Kind != tc.want {
				t.Errorf("asked for %+v", a)
			}
			if tc.want == status.ActionSignIn && (!a.OtherAccount || !a.StaySignedIn || a.Method != status.MethodMicrosoft || a.Username != "") {
				t.Errorf("asked for %+v", a)
			}
			if tc.want == status.ActionSignIn {
				s.answer() // of the sign-in before, which ended
				if !s.reads("Finish in your browser.") {
					t.Errorf("window reads %q", s.texts())
				}
			}
		})
	}
}

func TestTheBrowsersProblemIsSaidWithTheWayThatWorks(t *testing.T) {
	s := newStage(t, "en", offering(microsoft, prompt), "")
	s.apart()
	s.press("Sign in with Microsoft")
	s.awaitAction(1)
	s.resident.Return(&status.Problem{Code: status.ProblemConsentRequired, Method: status.MethodPrompt, Details: "AADSTS65001"})
	s.answer()
	p := s.identify()
	if !s.reads("Your IT team must approve Platen first.") || s.primary() != "Sign in" || s.canvas().Focused() != p.password {
		t.Errorf("primary button %q, focus on %T, window reads %q", s.primary(), s.canvas().Focused(), s.texts())
	}
	s.press("Copy details")
	if got := s.app.Clipboard().Content(); !strings.Contains(got, "AADSTS65001") {
		t.Errorf("clipboard has %q", got)
	}
	s.resident.Set(hindered(status.ProblemDeviceBlocked, "", microsoft))
	s.sees()
	if !s.reads("Your organisation requires a managed device or browser.") || !s.reads("Copy details") {
		t.Errorf("window reads %q", s.texts())
	}
}

func TestWhereNothingIsOfferedReturnTriesAgain(t *testing.T) {
	off := offering()
	off.State, off.Problem = status.StateOffline, &status.Problem{Code: status.ProblemUnreachable, Host: "print.example.org"}
	s := newStage(t, "en", off, "")
	if !s.reads("Can’t reach print.example.org. Connect to the network or VPN.") || s.primary() != "Try again" || s.reads("Stay signed in") {
		t.Errorf("window reads %q", s.texts())
	}
	s.types(fyne.KeyReturn)
	if s.last().Kind != status.ActionRetry {
		t.Errorf("asked for %s", s.last().Kind)
	}
}

func TestEveryWayIsReachedByTab(t *testing.T) {
	s := newStage(t, "en", offering(microsoft, google, prompt), "")
	var got []string
	for range 4 {
		s.canvas().FocusNext()
		switch f := s.canvas().Focused().(type) {
		case *button:
			got = append(got, f.Text)
		case *check:
			got = append(got, f.Text)
		}
	}
	want := []string{"Stay signed in on this computer", "Sign in with Microsoft", "Sign in with Google", "Use account and password"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tab order (-want +got):\n%s", diff)
	}
	s.types(fyne.KeyReturn)
	if s.primary() != "Sign in" {
		t.Errorf("Return on the quiet button: primary button %q", s.primary())
	}
}

func TestButtonsKeepTheFocusWhileTheyAreOffered(t *testing.T) {
	s := newStage(t, "en", offering(microsoft, google), "")
	first := s.identify().ways[1]
	s.canvas().Focus(first)
	again := offering(microsoft, google)
	again.Organisation = "Example University"
	s.resident.Set(again)
	s.sees()
	if s.canvas().Focused() != first || s.identify().ways[1] != first {
		t.Errorf("focus is on %T, or on a button that is gone", s.canvas().Focused())
	}
	s.resident.Set(offering(google))
	s.sees()
	if got := s.primary(); got != "Sign in with Google" || s.reads("Microsoft") {
		t.Errorf("primary button %q, window reads %q", got, s.texts())
	}
}

func TestUX_4_SharedComputersAskWhichAccount(t *testing.T) {
	who := offering(microsoft, prompt)
	who.Ask, who.Shared = status.AskWhoIsPrinting, true
	s := newStage(t, "en", who, "")
	s.apart()
	if !s.reads("Who is printing?") || s.reads("Stay signed in") || s.reads("alex") {
		t.Errorf("window reads %q", s.texts())
	}
	s.types(fyne.KeyReturn)
	if a := s.awaitAction(1); !a.OtherAccount || a.StaySignedIn || a.Username != "" {
		t.Errorf("asked for %+v", a)
	}
}
