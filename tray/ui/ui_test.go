package ui

import (
	"image/color"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/tray/uitest"
	"github.com/platenprint/platen/tray/view"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

// stage is a window on a canvas in memory, its resident beside it. Everything happens in the test's own goroutine.
type stage struct {
	*Window
	t        *testing.T
	resident *uitest.Resident
	ended    bool
	second   func()      // what waits for the next second
	moment   []func()    // what waits for a moment
	posted   chan func() // answers of the resident that wait for their turn
	spawned  int         // questions to it
}

func newStage(t *testing.T, language string, s status.Snapshot, page status.Page) *stage {
	t.Helper()
	texts, err := assets.LoadTexts(language)
	if err != nil {
		t.Fatal(err)
	}
	app := test.NewTempApp(t)
	app.Settings().SetTheme(NewTheme())
	resident := uitest.NewResident(s, following("12.34"), someDetails())
	st := &stage{t: t, resident: resident, Window: New(t.Context(), app, Options{
		Agent: uitest.Direct{Resident: resident}, Locale: view.NewLocale(language, texts.Text, time.UTC),
		Clock: clock.Fixed(now), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Page: page,
	})}
	st.spawn = func(f func()) { f() }
	st.post = func(f func()) { f() }
	st.quit = func() { st.ended = true }
	st.tick = func(f func()) { st.second = f }
	st.soon = func(f func()) { st.moment = append(st.moment, f) }
	st.look(t.Context())
	st.Show()
	return st
}

// sees shows the window what the resident has now.
func (s *stage) sees() {
	s.t.Helper()
	now, err := s.resident.Watch(s.t.Context(), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Update(now)
}

// asked are the kinds of all actions.
func (s *stage) asked() []status.ActionKind {
	var kinds []status.ActionKind
	for _, a := range s.resident.Actions() {
		kinds = append(kinds, a.Kind)
	}
	return kinds
}

func (s *stage) last() status.Action {
	s.t.Helper()
	all := s.resident.Actions()
	if len(all) == 0 {
		s.t.Fatal("nothing was asked")
	}
	return all[len(all)-1]
}

func (s *stage) canvas() fyne.Canvas { return s.window.Canvas() }

func (s *stage) identify() *identify {
	s.t.Helper()
	p, ok := s.page.(*identify)
	if !ok {
		s.t.Fatalf("the page is %T, want identification", s.page)
	}
	return p
}

// texts is everything that can be read in the window.
func (s *stage) texts() []string {
	var all []string
	walk(s.page.object(), func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			all = append(all, o.Text)
		case *button:
			all = append(all, o.Text)
		case *check:
			all = append(all, o.Text)
		case *chart:
			all = append(all, o.model.Top, o.model.Bottom, o.model.FirstDay, o.model.LastDay)
		}
	})
	return all
}

func (s *stage) reads(want string) bool {
	return strings.Contains(strings.Join(s.texts(), "\n"), want)
}

// press taps the button with a text.
func (s *stage) press(text string) {
	s.t.Helper()
	found := false
	walk(s.page.object(), func(o fyne.CanvasObject) {
		if b, ok := o.(*button); ok && b.Text == text && !found {
			found = true
			test.Tap(b)
		}
	})
	if !found {
		s.t.Fatalf("no button %q among %q", text, s.texts())
	}
}

// walk visits what is visible below o.
func walk(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	visit(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			walk(child, visit)
		}
	case *button, *check, *widget.Label, *entry, *chart:
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			walk(child, visit)
		}
	}
}

var alex = &status.User{Username: "alex.test@example.org", DisplayName: "Alex Test"}

func nobody() status.Snapshot {
	return status.Snapshot{
		State: status.StateSignedOut, Ask: status.AskFirstLaunch, Prefill: "alex.test@example.org", AuthMode: "prompt",
		OSAccount: status.OSAccount{Name: "alex.test", Short: "alex.test"}, ServerHost: "print.example.org",
		Offers: []status.Offer{{Method: status.MethodPrompt}},
	}
}

func following(amount string) status.Snapshot {
	s := nobody()
	s.State, s.Ask, s.Prefill, s.User = status.StateFollowing, "", "", alex
	s.Balance, s.BalanceAt = &status.Money{Amount: amount, Currency: "EUR"}, now
	return s
}

// leaving is a shared computer at which nobody has moved for long.
func leaving(in time.Duration) status.Snapshot {
	s := following("12.34")
	s.Shared, s.SignOutAt = true, now.Add(in)
	return s
}

func someDetails() status.Details {
	return status.Details{
		ClientVersion: "1.0.0", ServerURL: "https://print.example.org",
		Settings:     []status.Setting{{Name: "UPNSuffix", Value: "example.org", Origin: "machine file /etc/platen/platen.conf:7"}},
		Transactions: []status.Transaction{{At: now, Kind: "charge", Amount: "-0.10", Balance: "12.34", Note: "a rather long title of a document.pdf"}},
		History:      []status.Point{{Date: "2026-11-20", Amount: "12.44"}, {Date: "2026-11-21", Amount: "12.34"}},
	}
}

func TestA1_64_FirstLaunchIsPrefilledAndWaits(t *testing.T) {
	s := newStage(t, "en", nobody(), "")
	p := s.identify()
	if p.account.Text != "alex.test@example.org" || p.password.Text != "" {
		t.Errorf("account %q, password %q", p.account.Text, p.password.Text)
	}
	if s.canvas().Focused() != p.password {
		t.Errorf("focus is on %T, want the password: the account is there", s.canvas().Focused())
	}
	if !s.reads("Sign in to print") || !s.reads("This computer knows you as alex.test.") {
		t.Errorf("window reads %q", s.texts())
	}
	if p.stay.Checked {
		t.Error("staying signed in is chosen by itself")
	}
	for _, kind := range s.asked() {
		if kind == status.ActionSignIn {
			t.Error("the pre-filled name was submitted by itself")
		}
	}
}

func TestARefusalKeepsTheNameAndClearsThePassword(t *testing.T) {
	s := newStage(t, "en", nobody(), "")
	p := s.identify()
	test.Type(p.password, "wrong")
	p.password.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	s.sees()
	a := s.last()
	if a.Kind != status.ActionSignIn || a.Username != "alex.test@example.org" || a.Password.Reveal() != "wrong" || a.StaySignedIn {
		t.Errorf("asked %s for %q, stay %v", a.Kind, a.Username, a.StaySignedIn)
	}
	if p.account.Text != "alex.test@example.org" || p.password.Text != "" {
		t.Errorf("account %q, password %q", p.account.Text, p.password.Text)
	}
	if !p.atPassword.box.Visible() || p.atPassword.text.Text != "Account or password is wrong. Check the part after @." {
		t.Errorf("under the password: %q", p.atPassword.text.Text)
	}
	if p.atAccount.box.Visible() || p.below.box.Visible() {
		t.Error("the error shows in more than one place")
	}
	if s.canvas().Focused() != p.password {
		t.Errorf("focus is on %T, want the password", s.canvas().Focused())
	}
	s.press("Copy details")
	if got := s.app.Clipboard().Content(); !strings.Contains(got, "wrong_credentials") || strings.Contains(got, "wrong\n") {
		t.Errorf("clipboard has %q", got)
	}
	if !s.reads("Copied") {
		t.Error("nothing says that it was copied")
	}
}

func TestA1_65_TheRightPasswordLeadsToTheBalance(t *testing.T) {
	s := newStage(t, "en", nobody(), "")
	p := s.identify()
	test.Type(p.password, uitest.Password)
	test.Tap(p.stay)
	test.Tap(p.submit)
	if a := s.last(); !a.StaySignedIn {
		t.Error("staying signed in was not asked for")
	}
	s.sees()
	if !s.reads("€12.34") || !s.reads("Alex Test") || !s.reads("alex.test@example.org") {
		t.Errorf("window reads %q", s.texts())
	}
}

func TestWhatIsLeftOutIsSaidAtItsField(t *testing.T) {
	empty := nobody()
	empty.Prefill = ""
	s := newStage(t, "en", empty, "")
	p := s.identify()
	if s.canvas().Focused() != p.account {
		t.Errorf("focus is on %T, want the account", s.canvas().Focused())
	}
	test.Tap(p.submit)
	if !p.atAccount.box.Visible() || p.atAccount.text.Text != "Type your account." {
		t.Errorf("under the account: %q", p.atAccount.text.Text)
	}
	test.Type(p.account, "  alex ")
	if p.atAccount.box.Visible() {
		t.Error("still said when it is there")
	}
	p.account.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnter})
	if !p.atPassword.box.Visible() || s.canvas().Focused() != p.password {
		t.Errorf("under the password: %q, focus on %T", p.atPassword.text.Text, s.canvas().Focused())
	}
	if got := s.asked(); len(got) != 0 && got[len(got)-1] == status.ActionSignIn {
		t.Error("a sign-in without password was sent")
	}
	test.Type(p.password, "x")
	test.Tap(p.submit)
	if a := s.last(); a.Username != "alex" {
		t.Errorf("asked for %q, want the name without the spaces around it", a.Username)
	}
}

func TestTypedNamesAreNotOverwritten(t *testing.T) {
	s := newStage(t, "en", nobody(), "")
	p := s.identify()
	p.account.SetText("")
	test.Type(p.account, "sam")
	changed := nobody()
	changed.Prefill = "other@example.org"
	s.resident.Set(changed)
	s.sees()
	if p.account.Text != "sam" {
		t.Errorf("account %q, want what was typed", p.account.Text)
	}
}

func TestTabOrder(t *testing.T) {
	s := newStage(t, "en", nobody(), "")
	p := s.identify()
	s.canvas().Focus(p.account)
	for _, want := range []fyne.Focusable{p.password, p.stay, p.submit} {
		s.canvas().FocusNext()
		if s.canvas().Focused() != want {
			t.Fatalf("focus is on %T %v, want %T", s.canvas().Focused(), s.canvas().Focused(), want)
		}
	}
	test.Type(p.password, "x")
	p.submit.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if a := s.last(); a.Kind != status.ActionSignIn {
		t.Errorf("Enter on the button asked for %s", a.Kind)
	}
}

func TestEscapeClosesFromEverywhere(t *testing.T) {
	escape := &fyne.KeyEvent{Name: fyne.KeyEscape}
	s := newStage(t, "en", nobody(), "")
	s.identify().password.TypedKey(escape)
	if !s.ended || s.last().Kind != status.ActionDismiss {
		t.Errorf("ended: %v, asked: %v; want a dismissed question", s.ended, s.asked())
	}
	s = newStage(t, "en", following("12.34"), "")
	s.canvas().OnTypedKey()(escape)
	if !s.ended || len(s.resident.Actions()) != 0 {
		t.Errorf("ended: %v, asked: %v; want only the end", s.ended, s.asked())
	}
	s = newStage(t, "en", following("12.34"), status.PageDetails)
	s.page.(*details).back.TypedKey(escape)
	if !s.ended {
		t.Error("not from a button")
	}
}

func TestA1_63_BalanceIsLive(t *testing.T) {
	s := newStage(t, "en", following("12.34"), "")
	low := following("0.80")
	low.Low, low.TopUpURL = true, "https://pay.example.org"
	s.resident.Set(low)
	s.sees()
	if !s.reads("€0.80") || !s.reads("Low balance") || s.reads("€12.34") {
		t.Errorf("window reads %q", s.texts())
	}
	s.press("Add credit")
	off := following("0.80")
	off.State, off.Stale, off.BalanceAt = status.StateOffline, true, now.Add(-25*time.Hour)
	s.resident.Set(off)
	s.sees()
	if !s.reads("Offline. Balance as of yesterday 08:30.") {
		t.Errorf("window reads %q", s.texts())
	}
	s.press("Try again")
	s.press("Sign out")
	s.sees()
	if diff := cmp.Diff([]status.ActionKind{status.ActionOpenTopUp, status.ActionRetry, status.ActionSignOut}, s.asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	s.identify()
}

func TestDetailsAreOneClickAway(t *testing.T) {
	s := newStage(t, "en", following("12.34"), "")
	s.press("Details")
	for _, want := range []string{"Last 30 days", "Printing · a rather long", "–€0.10", "today 09:30", "€12.44", "20 Nov"} {
		if !s.reads(want) {
			t.Errorf("no %q in %q", want, s.texts())
		}
	}
	s.resident.Set(following("12.34")) // nothing new
	s.sees()
	s.resident.Set(following("12.24"))
	s.sees()
	if diff := cmp.Diff([]status.ActionKind{status.ActionDetails, status.ActionDetails}, s.asked()); diff != "" {
		t.Errorf("one question for each balance (-want +got):\n%s", diff)
	}
	s.press("Back")
	if !s.reads("€12.24") || s.reads("Last 30 days") {
		t.Errorf("back at %q", s.texts())
	}
}

func TestSettingsNameTheirOrigin(t *testing.T) {
	for name, snapshot := range map[string]status.Snapshot{"signed in": following("12.34"), "signed out": nobody()} {
		s := newStage(t, "en", snapshot, status.PageSettings)
		for _, want := range []string{"UPNSuffix", "settings of this computer (/etc/platen/platen.conf:7)", "1.0.0", "https://print.example.org"} {
			if !s.reads(want) {
				t.Errorf("%s: no %q in %q", name, want, s.texts())
			}
		}
	}
}

func TestSharedComputersOfferNothingToKeep(t *testing.T) {
	who := nobody()
	who.Ask, who.Shared = status.AskWhoIsPrinting, true
	s := newStage(t, "en", who, "")
	p := s.identify()
	if p.account.Text != "" || p.stayLine.Visible() || s.canvas().Focused() != p.account {
		t.Errorf("account %q, stay offered %v, focus on %T", p.account.Text, p.stayLine.Visible(), s.canvas().Focused())
	}
}

func TestWindowCountsDownToTheSignOut(t *testing.T) {
	s := newStage(t, "en", leaving(30*time.Second), "")
	at := now
	s.options.Clock = func() time.Time { return at }
	for _, want := range []string{"Signing out in 30\u00a0s", "Signing out in 29\u00a0s", "Signing out in 28\u00a0s"} {
		if !s.reads(want) {
			t.Errorf("window reads %q, want %q", s.texts(), want)
		}
		at = at.Add(time.Second)
		s.second()
	}
	s.sees() // one count-down, however often the resident says it
	s.press("Stay")
	if s.last().Kind != status.ActionStay {
		t.Errorf("asked for %s", s.last().Kind)
	}
	s.resident.Set(following("12.34"))
	s.sees()
	last := s.second
	s.second = nil
	last()
	if s.reads("Signing out") || s.second != nil {
		t.Errorf("window reads %q, counts on: %v", s.texts(), s.second != nil)
	}
}

func TestASignInThatIsUnderWayCanBeCancelled(t *testing.T) {
	busy := nobody()
	busy.State = status.StateSigningIn
	s := newStage(t, "en", busy, "")
	p := s.identify()
	if !p.account.Disabled() || p.submit.Visible() || !s.reads("Signing in…") {
		t.Errorf("account locked: %v, window reads %q", p.account.Disabled(), s.texts())
	}
	s.press("Cancel")
	if s.last().Kind != status.ActionCancelSignIn {
		t.Errorf("asked %v", s.asked())
	}
}

func TestHiddenBalanceShowsNoAmount(t *testing.T) {
	hidden := following("12.34")
	hidden.HideBalance, hidden.Balance = true, nil
	for _, page := range []status.Page{status.PageBalance, status.PageDetails, status.PageSettings} {
		s := newStage(t, "en", hidden, page)
		if s.reads("12.34") || s.reads("€") {
			t.Errorf("%s reads %q", page, s.texts())
		}
	}
}

func TestWindowOfAnotherVersionSaysSo(t *testing.T) {
	s := newStage(t, "en", following("12.34"), "")
	s.Update(status.Snapshot{Version: status.Version + 1})
	if !s.reads("Platen was updated.") || s.reads("€12.34") {
		t.Errorf("window reads %q", s.texts())
	}
}

func TestWindowEndsWithItsResident(t *testing.T) {
	s := newStage(t, "en", following("12.34"), "")
	s.Gone()
	if !s.ended {
		t.Error("still there")
	}
	s = newStage(t, "en", status.Snapshot{}, "")
	s.known = false // never heard of it
	s.Gone()
	if s.ended || !s.reads("Platen isn’t running.") {
		t.Errorf("ended: %v, reads %q", s.ended, s.texts())
	}
	s.press("Close")
	if !s.ended {
		t.Error("does not close")
	}
}

func TestAnotherRequestTurnsThePage(t *testing.T) {
	s := newStage(t, "en", following("12.34"), "")
	s.Open(status.PageSettings)
	if !s.reads("Settings and about") {
		t.Errorf("window reads %q", s.texts())
	}
	s.Open(status.PageAuto)
	if !s.reads("€12.34") {
		t.Errorf("window reads %q", s.texts())
	}
}

// Every text has the room it needs, in all languages and on all pages: labels that may be shortened are not, and nothing
// is smaller than it must be.
func TestNoTextIsClipped(t *testing.T) {
	refused := nobody()
	refused.Problem, refused.HelpText = &status.Problem{Code: status.ProblemWrongCredentials}, "IT desk, room 101"
	unsafe := nobody()
	unsafe.Problem = &status.Problem{Code: status.ProblemCertificate, Host: "print.example.org"}
	changed := nobody()
	changed.Ask = status.AskNamesChanged
	busy := nobody()
	busy.State = status.StateSigningIn
	low := following("1234.80")
	low.Low, low.TopUpURL = true, "https://pay.example.org"
	off := following("12.34")
	off.State, off.Stale, off.BalanceAt = status.StateOffline, true, now.Add(-25*time.Hour)
	broken := following("12.34")
	broken.Problem = &status.Problem{Code: status.ProblemClock}
	for name, s := range map[string]status.Snapshot{
		"first launch": nobody(), "refused": refused, "unsafe": unsafe, "names changed": changed, "busy": busy,
		"balance": following("12.34"), "low": low, "offline": off, "clock": broken, "leaving": leaving(30 * time.Second),
		"Microsoft": offering(microsoft, prompt), "providers": offering(google, okta, microsoft, prompt), "nothing": offering(),
		"waiting": browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true}),
		"confirm": browsing(status.Browsing{Method: status.MethodMicrosoft, Confirm: "sam.with.a.long.name@students.example.org"}),
		"MFA":     hindered(status.ProblemMFARequired, status.MethodMicrosoft, microsoft, prompt),
		"consent": hindered(status.ProblemConsentRequired, status.MethodPrompt, microsoft, prompt),
		"blocked": hindered(status.ProblemDeviceBlocked, "", microsoft), "provider": hindered(status.ProblemProvider, "", microsoft),
	} {
		for _, page := range []status.Page{status.PageAuto, status.PageDetails, status.PageSettings} {
			for _, language := range assets.Languages {
				t.Run(name+"/"+string(page)+"/"+language, func(t *testing.T) {
					st := newStage(t, language, s, page)
					st.window.Resize(fyne.NewSize(250, 300)) // texts wrapped at another width before
					st.window.Resize(st.fitted)
					if page == status.PageAuto { // these pages are as high as they need, and no higher
						if got, want := st.canvas().Size().Height, st.page.object().MinSize().Height; got != want {
							t.Errorf("window is %v high, its page wants %v", got, want)
						}
						walk(st.page.object(), func(o fyne.CanvasObject) { inside(t, st.canvas(), o) })
					}
					walk(st.page.object(), func(o fyne.CanvasObject) {
						if textOf(o) == "" {
							return
						}
						if got, least := o.Size(), o.MinSize(); got.Width+0.5 < least.Width || got.Height+0.5 < least.Height {
							t.Errorf("%T %q is %v, needs %v", o, textOf(o), got, least)
						}
						if l, ok := o.(*widget.Label); ok && l.Truncation == fyne.TextTruncateEllipsis && !strings.Contains(l.Text, "a rather long title") {
							size := l.Theme().Size(l.SizeName)
							need := fyne.MeasureText(l.Text, size, l.TextStyle).Width + 2*l.Theme().Size(theme.SizeNameInnerPadding)
							if l.Size().Width+0.5 < need {
								t.Errorf("%q has %v of the %v it needs", l.Text, l.Size().Width, need)
							}
						}
					})
				})
			}
		}
	}
}

// inside checks that a text or button lies within the canvas, and under what was before it.
func inside(t *testing.T, c fyne.Canvas, o fyne.CanvasObject) {
	t.Helper()
	if textOf(o) == "" {
		return
	}
	top := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	if bottom := top.Y + o.Size().Height; bottom > c.Size().Height-gap {
		t.Errorf("%T %q reaches down to %v of %v", o, textOf(o), bottom, c.Size().Height)
	}
	if l, ok := o.(*widget.Label); ok && l.Wrapping == fyne.TextWrapWord && o.Size().Height > o.MinSize().Height+0.5 {
		t.Errorf("%q is %v high, it needs %v", l.Text, o.Size().Height, o.MinSize().Height)
	}
}

func textOf(o fyne.CanvasObject) string {
	switch o := o.(type) {
	case *widget.Label:
		return o.Text
	case *button:
		return o.Text
	case *check:
		return o.Text
	case *canvas.Text:
		return o.Text
	default:
		return ""
	}
}

func TestColoursHaveEnoughContrast(t *testing.T) {
	look := NewTheme()
	for _, variant := range []fyne.ThemeVariant{theme.VariantLight, theme.VariantDark} {
		for _, tc := range []struct {
			on, text fyne.ThemeColorName
			least    float64
		}{
			{theme.ColorNameBackground, theme.ColorNameForeground, 7},
			{theme.ColorNameBackground, theme.ColorNameDisabled, 4.5},
			{theme.ColorNameBackground, theme.ColorNameError, 4.5},
			{theme.ColorNameBackground, theme.ColorNameWarning, 4.5},
			{theme.ColorNameBackground, theme.ColorNameSuccess, 4.5},
			{theme.ColorNameInputBackground, theme.ColorNameForeground, 7},
			{theme.ColorNameInputBackground, theme.ColorNameDisabled, 4.5},
			{theme.ColorNamePrimary, theme.ColorNameForegroundOnPrimary, 4.5},
			{theme.ColorNameButton, theme.ColorNameForeground, 4.5},
			{theme.ColorNameDisabledButton, theme.ColorNameDisabled, 4.5},
			{theme.ColorNameBackground, theme.ColorNamePrimary, 3},     // focus, the curve
			{theme.ColorNameBackground, theme.ColorNameInputBorder, 3}, // where a field is
		} {
			if got := contrast(look.Color(tc.on, variant), look.Color(tc.text, variant)); got < tc.least {
				t.Errorf("variant %d: %s on %s has a contrast of %.2f, want %.1f", variant, tc.text, tc.on, got, tc.least)
			}
		}
	}
}

// contrast is the ratio of WCAG 2.2.
func contrast(a, b color.Color) float64 {
	luminance := func(c color.Color) float64 {
		r, g, b, _ := c.RGBA()
		linear := func(v uint32) float64 {
			f := float64(v) / 0xffff
			if f <= 0.04045 {
				return f / 12.92
			}
			return math.Pow((f+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestLocaleName(t *testing.T) {
	env := func(values map[string]string) func(string) string {
		return func(name string) string { return values[name] }
	}
	for _, tc := range []struct {
		chosen string
		env    map[string]string
		want   string
	}{
		{"fr", map[string]string{"LANG": "de_DE.UTF-8"}, "fr"},
		{"", map[string]string{"LANG": "de_DE.UTF-8"}, "de_DE.UTF-8"},
		{"", map[string]string{"LANG": "de_DE.UTF-8", "LC_MESSAGES": "es_ES.UTF-8"}, "es_ES.UTF-8"},
		{"", map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "C"},
	} {
		if got := LocaleName(tc.chosen, env(tc.env)); got != tc.want {
			t.Errorf("LocaleName(%q, %v) = %q, want %q", tc.chosen, tc.env, got, tc.want)
		}
	}
}

func TestASizeThatComesLateDoesNotStay(t *testing.T) {
	st := newStage(t, "en", following("12.34"), status.PageSettings)
	before := st.window.Canvas().Size()
	st.Open(status.PageBalance)
	if st.window.Canvas().Size() == before {
		t.Fatal("the pages have one size: nothing is tested")
	}
	st.window.Resize(before) // the window system tells the size of the page before
	for _, later := range st.moment {
		later()
	}
	if got := st.window.Canvas().Size(); got != st.fitted {
		t.Errorf("the window has %v, its page wants %v", got, st.fitted)
	}

	st.moment = nil
	st.Open(status.PageSettings)
	chosen := fyne.NewSize(700, 600)
	st.window.Resize(chosen)
	for _, later := range st.moment {
		later()
	}
	if got := st.window.Canvas().Size(); got != chosen {
		t.Errorf("the person chose %v and has %v", chosen, got)
	}
}
