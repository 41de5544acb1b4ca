package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/platenprint/platen/client/ipc"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/tray/uitest"
)

// program is platen-window, built once for all tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "window")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "platen-window")
	build := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-tags", "no_emoji,migrated_fynedo", "-o", program, ".")
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// window is platen-window as a process on a display, with a stand-in for the resident at the other end.
type window struct {
	t        *testing.T
	display  *testenv.Display
	resident *uitest.Resident
	cmd      *exec.Cmd
	log      *bytes.Buffer
	ended    chan error
}

// open starts platen-window and waits until it is to be seen.
func open(t *testing.T, display *testenv.Display, resident *uitest.Resident, env []string, args ...string) (*window, string) {
	t.Helper()
	w := launch(t, resident, append(display.Env(), env...), args...)
	w.display = display
	id := display.Window("Platen")
	testenv.Await(t, "the first frame", func() bool { return w.asked(status.ActionFirstFrame) != nil })
	display.Focus(id)
	return w, id
}

// launch serves the resident and starts platen-window with a clean environment and env.
func launch(t *testing.T, resident *uitest.Resident, env []string, args ...string) *window {
	t.Helper()
	dir, err := os.MkdirTemp("", "pw") //nolint:usetesting // sockets want short paths
	if err != nil {
		t.Fatal(err)
	}
	env = append([]string{
		"HOME=" + dir, "PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=UTC", ipc.EnvRuntimeDir + "=" + filepath.Join(dir, "run"),
	}, env...)
	place, err := ipc.Find(func(name string) string {
		if name == ipc.EnvRuntimeDir {
			return filepath.Join(dir, "run")
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan struct{})
	if resident == nil {
		close(served)
	} else {
		listener, err := ipc.Listen(ctx, place)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer close(served)
			_ = ipc.Serve(ctx, listener, resident, slog.New(slog.DiscardHandler))
		}()
	}
	w := &window{t: t, resident: resident, cmd: exec.CommandContext(ctx, program, args...), log: &bytes.Buffer{}, ended: make(chan error, 1)}
	w.cmd.Env, w.cmd.Stderr, w.cmd.Stdout = env, w.log, w.log
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { w.ended <- w.cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-served
		w.exit()
		if t.Failed() {
			t.Logf("platen-window said:\n%s", w.log)
		}
		_ = os.RemoveAll(dir)
	})
	return w
}

// asked returns the last action of a kind that the resident was asked for.
func (w *window) asked(kind status.ActionKind) *status.Action {
	var last *status.Action
	for _, a := range w.resident.Actions() {
		if a.Kind == kind {
			last = &a
		}
	}
	return last
}

// closed closes the window by Escape, and waits until the program has ended.
func (w *window) closed() int {
	w.display.Key("Escape")
	return w.exit()
}

// until presses a key until something has happened: what has just appeared takes no key yet.
func until(t *testing.T, display *testenv.Display, key, what string, happened func() bool) {
	t.Helper()
	testenv.Await(t, what, func() bool {
		if !happened() {
			display.Key(key)
		}
		return happened()
	})
}

// exit waits until the program has ended and returns its exit code.
func (w *window) exit() int {
	select {
	case err := <-w.ended:
		w.ended <- err
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(testenv.Deadline):
		w.t.Fatalf("platen-window does not end; it said:\n%s", w.log)
		return -1
	}
}

var alex = &status.User{Username: "alex.test@example.org", DisplayName: "Alex Test"}

func signedOut() status.Snapshot {
	return status.Snapshot{
		State: status.StateSignedOut, Ask: status.AskFirstLaunch, Prefill: "alex.test@example.org", AuthMode: "prompt",
		OSAccount: status.OSAccount{Name: "alex.test", Short: "alex.test"}, ServerHost: "print.example.org",
		Offers: []status.Offer{{Method: status.MethodPrompt}},
	}
}

// The ways of signing in.
var (
	microsoft = status.Offer{Method: status.MethodMicrosoft}
	google    = status.Offer{Method: status.MethodBrowser, Provider: "google", Name: "Google"}
	okta      = status.Offer{Method: status.MethodBrowser, Provider: "okta", Name: "Okta"}
	prompt    = status.Offer{Method: status.MethodPrompt}
)

// offering is nobody signed in, where that can be changed in these ways.
func offering(offers ...status.Offer) status.Snapshot {
	s := signedOut()
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
	s.Problem = &status.Problem{Code: code, Method: instead, Host: "print.example.org"}
	return s
}

func following(amount string) status.Snapshot {
	s := signedOut()
	s.State, s.Ask, s.Prefill, s.User, s.Connection = status.StateFollowing, "", "", alex, status.ConnectionStream
	s.Balance, s.BalanceAt = &status.Money{Amount: amount, Currency: "EUR"}, clock.System()
	s.Low, s.Empty = amount == "0.80", amount == "-5.00"
	return s
}

func offline() status.Snapshot {
	s := following("12.34")
	s.State, s.Stale, s.Connection = status.StateOffline, true, status.ConnectionNone
	s.BalanceAt = clock.System().Add(-24 * time.Hour)
	s.Problem = &status.Problem{Code: status.ProblemUnreachable, Host: "print.example.org"}
	return s
}

// statement is what the details pages show.
func statement() status.Details {
	now := clock.System()
	d := status.Details{
		ClientVersion: "1.0.0", ServerVersion: "1.0.0", ServerURL: "https://print.example.org:9443",
		Settings: []status.Setting{
			{Name: "ServerURL", Value: "https://print.example.org:9443", Origin: "policy /etc/platen/policy.conf:3"},
			{Name: "CAFile", Value: "", Origin: "default"},
			{Name: "UPNSuffix", Value: "example.org", Origin: "machine file /etc/platen/platen.conf:7"},
			{Name: "AuthMode", Value: "prompt", Origin: "default"},
			{Name: "ShowBalanceAtStart", Value: "card", Origin: "user file /home/alex/.config/platen/platen.conf:2"},
			{Name: "LowBalance", Value: "2.00", Origin: "environment PLATEN_LOW_BALANCE"},
		},
	}
	balance := []string{"5.00", "4.20", "4.20", "3.90", "3.90", "3.90", "2.40", "1.10", "1.10", "0.60", "20.60", "20.10", "19.30", "19.30", "18.85"}
	balance = append(balance, "18.85", "18.85", "17.20", "16.95", "16.95", "16.95", "16.20", "15.00", "14.95", "14.95", "14.95", "13.10", "12.85", "12.44", "12.34")
	for i, amount := range balance {
		d.History = append(d.History, status.Point{Date: now.AddDate(0, 0, i+1-len(balance)).Format(time.DateOnly), Amount: amount})
	}
	at := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	d.Transactions = []status.Transaction{
		{At: at(1), Kind: "charge", Amount: "-0.10", Balance: "12.34", Note: "lecture notes.pdf"},
		{At: at(26), Kind: "charge", Amount: "-0.41", Balance: "12.44", Note: "A rather long document title that does not fit into one line.docx"},
		{At: at(27), Kind: "refund", Amount: "0.05", Balance: "12.85", Note: "paper jam"},
		{At: at(50), Kind: "charge", Amount: "-1.85", Balance: "12.80"},
		{At: at(480), Kind: "credit", Amount: "20.00", Balance: "20.60", Note: "Semester credit"},
		{At: at(481), Kind: "debit", Amount: "-0.50", Balance: "0.60"},
	}
	return d
}

func TestIdentificationIsClickedAndTyped(t *testing.T) {
	display := testenv.NewDisplay(t)
	w, id := open(t, display, uitest.NewResident(signedOut(), following("12.34"), statement()), nil)
	small := shows(t, display, id, identifyWide)
	before := display.Picture(id)

	display.Type("wrong") // the account is filled in, so typing goes into the password
	display.Key("Return")
	testenv.Await(t, "the refused sign-in", func() bool { return w.asked(status.ActionSignIn) != nil })
	if a := w.asked(status.ActionSignIn); a.Username != "alex.test@example.org" || a.Password.Reveal() != "wrong" {
		t.Errorf("asked for %q with another password than typed", a.Username)
	}
	testenv.Await(t, "room for the error", func() bool { return display.Bounds(id).Dy() > small.Dy() })
	if same(before, display.Picture(id)) {
		t.Error("nothing is to be seen of the refusal")
	}

	display.Type(uitest.Password) // the password is empty again and has the focus
	display.Key("Tab")
	display.Key("space") // stay signed in
	display.Key("Tab")
	display.Key("Return")
	testenv.Await(t, "the right sign-in", func() bool { return w.asked(status.ActionSignIn).Password.Reveal() == uitest.Password })
	if !w.asked(status.ActionSignIn).StaySignedIn {
		t.Error("the box was chosen by the keyboard, yet not asked for")
	}
	testenv.Await(t, "the small balance window", func() bool { return display.Bounds(id).Dy() < small.Dy() })
	if size := display.Bounds(id).Size(); size.X > 400 || size.Y > 220 {
		t.Errorf("the balance window has %v dots", size)
	}

	display.Key("Escape")
	if code := w.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if w.asked(status.ActionDismiss) != nil {
		t.Error("closing the balance dismissed something")
	}
}

func TestBalanceFollowsAndLeadsToTheDetails(t *testing.T) {
	display := testenv.NewDisplay(t)
	w, id := open(t, display, uitest.NewResident(following("12.34"), following("12.34"), statement()), nil)
	shows(t, display, id, balanceWide)
	before := display.Picture(id)
	w.resident.Set(following("7.65"))
	testenv.Await(t, "another amount on the screen", func() bool { return !same(before, display.Picture(id)) })

	size := settled(t, display, id).Size()
	display.Click(id, 50, size.Y-32) // Details
	testenv.Await(t, "the details", func() bool { return w.asked(status.ActionDetails) != nil && display.Bounds(id).Dy() > 400 })
	display.Key("Tab")
	display.Key("Return") // Back
	testenv.Await(t, "the balance again", func() bool { return display.Bounds(id).Dy() < 220 })

	gone := following("7.65")
	gone.State = status.StateShutting
	w.resident.Set(gone)
	if code := w.exit(); code != 0 {
		t.Errorf("exit code %d when the resident quits, want 0", code)
	}
}

func TestAnotherRequestTurnsThePage(t *testing.T) {
	display := testenv.NewDisplay(t)
	w, id := open(t, display, uitest.NewResident(following("12.34"), following("12.34"), statement()), nil)
	small := shows(t, display, id, balanceWide)
	asked := following("12.34")
	asked.Opened, asked.OpenPage = 1, status.PageSettings
	w.resident.Set(asked)
	testenv.Await(t, "the settings", func() bool { return display.Bounds(id).Dy() > small.Dy()+100 })
	asked.Opened, asked.OpenPage = 2, status.PageAuto
	w.resident.Set(asked)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("it was %v, it is %v", small, display.Bounds(id))
		}
	})
	testenv.Await(t, "the balance", func() bool { return display.Bounds(id).Dy() == small.Dy() })
}

func TestA1_37_MicrosoftIsOneKeyAway(t *testing.T) {
	display := testenv.NewDisplay(t)
	w, id := open(t, display, uitest.NewResident(offering(microsoft, prompt), following("12.34"), statement()), nil)
	form := shows(t, display, id, identifyWide)
	display.Key("Return")
	testenv.Await(t, "the sign-in", func() bool { return w.asked(status.ActionSignIn) != nil })
	if a := w.asked(status.ActionSignIn); a.Method != status.MethodMicrosoft || !a.Password.Empty() {
		t.Errorf("asked for %+v", a)
	}
	testenv.Await(t, "the smaller page that waits", func() bool { return display.Bounds(id).Dy() < form.Dy() })
	until(t, display, "Return", "the browser opened again", func() bool { return w.asked(status.ActionOpenAgain) != nil })

	w.resident.Confirm("sam@example.org")
	until(t, display, "Return", "yes, that account", func() bool { return w.asked(status.ActionContinue) != nil })
	testenv.Await(t, "the balance", func() bool { return display.Bounds(id).Dx() == balanceWide })
	if code := w.closed(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, kind := range []status.ActionKind{status.ActionCancelSignIn, status.ActionDismiss} {
		if w.asked(kind) != nil {
			t.Errorf("asked for %s", kind)
		}
	}
}

func TestAccountAndPasswordAreThreeTabsAway(t *testing.T) {
	display := testenv.NewDisplay(t)
	w, id := open(t, display, uitest.NewResident(offering(microsoft, prompt), following("12.34"), statement()), nil)
	form := shows(t, display, id, identifyWide)
	for range 3 { // stay signed in, Microsoft, account and password
		display.Key("Tab")
	}
	display.Key("Return")
	testenv.Await(t, "room for the fields", func() bool { return display.Bounds(id).Dy() > form.Dy()+80 })
	display.Type(uitest.Password) // the account is filled in
	display.Key("Return")
	testenv.Await(t, "the sign-in", func() bool { return w.asked(status.ActionSignIn) != nil })
	if a := w.asked(status.ActionSignIn); a.Method != status.MethodPrompt || a.Password.Reveal() != uitest.Password {
		t.Errorf("asked for a sign-in by %q, or with another password than typed", a.Method)
	}
	testenv.Await(t, "the balance", func() bool { return display.Bounds(id).Dx() == balanceWide })
}

func TestASignInInTheBrowserIsCancelledByAClick(t *testing.T) {
	display := testenv.NewDisplay(t)
	w, id := open(t, display, uitest.NewResident(offering(google, okta), following("12.34"), statement()), nil)
	form := shows(t, display, id, identifyWide)
	display.Key("Return")
	testenv.Await(t, "the page that waits", func() bool { return display.Bounds(id).Dy() < form.Dy() })
	waits := settled(t, display, id)
	testenv.Await(t, "a click on Cancel", func() bool {
		if w.asked(status.ActionCancelSignIn) == nil {
			display.Click(id, waits.Dx()-40, waits.Dy()-32)
		}
		return w.asked(status.ActionCancelSignIn) != nil
	})
	testenv.Await(t, "both providers again", func() bool { return display.Bounds(id).Dy() == form.Dy() })
}

func TestUX_3_ASecondClickOnTheTrayBringsTheWindowToTheFront(t *testing.T) {
	display := testenv.NewDisplay(t)
	waits := browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true})
	w, id := open(t, display, uitest.NewResident(waits, following("12.34"), statement()), nil)
	shows(t, display, id, identifyWide)
	heading := func() image.Image { // something turns in the window
		picture := display.Picture(id)
		corner := picture.Bounds().Min
		return picture.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rectangle{Min: corner, Max: corner.Add(image.Pt(200, 50))})
	}
	before := heading()
	launch(t, uitest.NewResident(following("7.65"), following("7.65"), statement()), display.Env(), "--page", "settings")
	testenv.Await(t, "another window before it", func() bool { return !same(before, heading()) })
	waits.Opened = 1
	w.resident.Set(waits)
	testenv.Await(t, "the window before the other one", func() bool { return same(before, heading()) })
}

func TestADesktopThatDoesNotSayGetsALightWindow(t *testing.T) {
	display := testenv.NewDisplay(t)
	_, id := open(t, display, uitest.NewResident(following("12.34"), following("12.34"), statement()), nil)
	testenv.Await(t, "a white corner", func() bool {
		picture := display.Picture(id)
		corner := picture.Bounds().Min.Add(image.Pt(3, 3))
		r, g, b, _ := picture.At(corner.X, corner.Y).RGBA()
		return r == 0xffff && g == 0xffff && b == 0xffff
	})
}

func TestTwiceTheScaleIsTwiceTheSize(t *testing.T) {
	display := testenv.NewDisplay(t)
	_, id := open(t, display, uitest.NewResident(following("12.34"), following("12.34"), statement()), []string{"FYNE_SCALE=2"})
	testenv.Await(t, "a large window", func() bool { return display.Bounds(id).Dx() >= 640 })
}

func TestWithoutAResidentTheWindowSaysSo(t *testing.T) {
	display := testenv.NewDisplay(t)
	w := launch(t, nil, display.Env())
	display.Focus(display.Window("Platen"))
	display.Key("Return") // Close
	if code := w.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestWithoutADisplayItEndsClearly(t *testing.T) {
	for name, env := range map[string][]string{"none": nil, "not there": {"DISPLAY=:9999"}} {
		w := launch(t, uitest.NewResident(following("12.34"), following("12.34"), statement()), env)
		if code := w.exit(); code != 3 {
			t.Errorf("%s: exit code %d, want 3; it said:\n%s", name, code, w.log)
		}
		if !strings.Contains(w.log.String(), "platen-window: ") {
			t.Errorf("%s: it said only:\n%s", name, w.log)
		}
		if w.asked(status.ActionFirstFrame) != nil {
			t.Errorf("%s: a first frame was reported", name)
		}
	}
}

func TestWithoutOpenGLItEndsClearly(t *testing.T) {
	display := testenv.NewDisplay(t)
	w := launch(t, uitest.NewResident(following("12.34"), following("12.34"), statement()),
		append(display.Env(), "MESA_GL_VERSION_OVERRIDE=1.4"))
	if code := w.exit(); code != 4 {
		t.Errorf("exit code %d, want 4; it said:\n%s", code, w.log)
	}
	if w.asked(status.ActionFirstFrame) != nil {
		t.Error("a first frame was reported")
	}
}

func TestWrongArgumentsAreUsage(t *testing.T) {
	for _, args := range [][]string{{"--page", "payroll"}, {"surplus"}, {"--no-such-flag"}} {
		if code := launch(t, nil, nil, args...).exit(); code != 2 {
			t.Errorf("%q: exit code %d, want 2", args, code)
		}
	}
}

// same compares two pictures.
func same(a, b image.Image) bool {
	if a.Bounds().Size() != b.Bounds().Size() {
		return false
	}
	shift := b.Bounds().Min.Sub(a.Bounds().Min)
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x+shift.X, y+shift.Y) {
				return false
			}
		}
	}
	return true
}

// asked is a start where only the network, or the package's name, names a server.
func asked(host string, where status.Where) status.Snapshot {
	s := signedOut()
	s.Ask, s.Offers, s.Prefill, s.ServerHost = status.AskConfirmServer, nil, "", ""
	s.Server = &status.Server{URL: "https://" + host, Host: host, Where: where}
	return s
}

// TestGallery makes pictures of every page, in the languages and colours that PLATEN_SCREENSHOTS asks for, into that
// folder. Without it there is nothing to make.
func TestGallery(t *testing.T) {
	folder := os.Getenv("PLATEN_SCREENSHOTS")
	if folder == "" {
		t.Skip("PLATEN_SCREENSHOTS names no folder for the pictures")
	}
	display := testenv.NewDisplay(t)
	refused := signedOut()
	refused.Problem = &status.Problem{Code: status.ProblemWrongCredentials, Host: "print.example.org"}
	unsafe := signedOut()
	unsafe.Problem, unsafe.HelpText = &status.Problem{Code: status.ProblemCertificate, Host: "print.example.org"}, "IT desk, room 101, tel. 4444"
	who := signedOut()
	who.Ask, who.Shared = status.AskWhoIsPrinting, true
	ended := following("12.34")
	ended.State, ended.Ask, ended.Prefill, ended.Stale = status.StateSignedOut, status.AskSessionEnded, alex.Username, true
	changed := signedOut()
	changed.Ask = status.AskNamesChanged
	whoElsewhere := who
	whoElsewhere.Offers = []status.Offer{microsoft, prompt}
	endedElsewhere := ended
	endedElsewhere.Offers = []status.Offer{microsoft}
	unreachable := hindered(status.ProblemUnreachable, "")
	unreachable.State = status.StateOffline
	low := following("0.80")
	low.TopUpURL = "https://pay.example.org"
	busy := signedOut()
	busy.State = status.StateSigningIn
	found := asked("print.example.org:8443", status.WhereNetwork)
	refusedServer := asked("print.example.org:8443", status.WhereNetwork)
	refusedServer.Ask, refusedServer.Server.Rejected = status.AskNothing, true
	refusedServer.Problem = &status.Problem{Code: status.ProblemNotConfigured}
	for _, shot := range []struct {
		name string
		s    status.Snapshot
		page string
	}{
		{"server", found, ""},
		{"server-package", asked("print.example.org", status.WherePackage), ""},
		{"server-long", asked("printing-services.faculty-of-natural-sciences.campus-north.university.example.org:8443", status.WhereNetwork), ""},
		{"server-refused", refusedServer, ""},
		{"sign-in", signedOut(), ""},
		{"refused", refused, ""},
		{"unsafe", unsafe, ""},
		{"who", who, ""},
		{"busy", busy, ""},
		{"session-ended", ended, ""},
		{"names-changed", changed, ""},
		{"microsoft", offering(microsoft, prompt), ""},
		{"providers", offering(google, okta, prompt), ""},
		{"prompt-first", offering(prompt, microsoft), ""},
		{"waiting", browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true}), ""},
		{"confirm", browsing(status.Browsing{Method: status.MethodMicrosoft, Confirm: "sam@example.org"}), ""},
		{"mfa", hindered(status.ProblemMFARequired, status.MethodMicrosoft, microsoft, prompt), ""},
		{"consent", hindered(status.ProblemConsentRequired, "", microsoft), ""},
		{"device-blocked", hindered(status.ProblemDeviceBlocked, "", microsoft, prompt), ""},
		{"no-account", hindered(status.ProblemNoAccount, "", google, okta), ""},
		{"no-browser", hindered(status.ProblemNoBrowser, status.MethodPrompt, prompt), ""},
		{"provider", hindered(status.ProblemProvider, status.MethodPrompt, prompt, microsoft), ""},
		{"trust-refused", hindered(status.ProblemTrustRefused, ""), ""},
		{"timed-out", hindered(status.ProblemTimedOut, "", microsoft), ""},
		{"who-microsoft", whoElsewhere, ""},
		{"ended-microsoft", endedElsewhere, ""},
		{"unreachable", unreachable, ""},
		{"balance", following("12.34"), ""},
		{"low", low, ""},
		{"empty", following("-5.00"), ""},
		{"offline", offline(), ""},
		{"details", following("12.34"), "details"},
		{"settings", following("12.34"), "settings"},
	} {
		for _, language := range list("PLATEN_SCREENSHOT_LANGUAGES", "en") {
			for _, colours := range list("PLATEN_SCREENSHOT_COLOURS", "light") {
				t.Run(shot.name+"-"+language+"-"+colours, func(t *testing.T) {
					w, id := open(t, display, uitest.NewResident(shot.s, following("12.34"), statement()),
						[]string{"FYNE_THEME=" + colours, "FYNE_SCALE=" + os.Getenv("FYNE_SCALE")}, "--page", shot.page, "--lang", language)
					display.Point(1279, 999)
					settled(t, display, id)
					display.Save(display.Picture(id), filepath.Join(folder, fmt.Sprintf("%s-%s-%s.png", shot.name, language, colours)))
					_ = w.cmd.Process.Kill()
				})
			}
		}
	}
}

func list(name, otherwise string) []string {
	if value := os.Getenv(name); value != "" {
		return filepath.SplitList(value)
	}
	return []string{otherwise}
}

// What the pages want at least, in dots. A window that has not heard of its resident yet is narrower.
const (
	balanceWide  = 320
	identifyWide = 370
)

// shows waits until the window has the width of a page and keeps its size.
func shows(t *testing.T, display *testenv.Display, id string, wide int) image.Rectangle {
	t.Helper()
	testenv.Await(t, "the page", func() bool { return display.Bounds(id).Dx() == wide })
	return settled(t, display, id)
}

// settled waits until the window keeps its size and its place: a page may get its own after the first frame.
func settled(t *testing.T, display *testenv.Display, id string) image.Rectangle {
	t.Helper()
	before, same := image.Rectangle{}, 0
	last := time.Time{}
	testenv.Await(t, "a window that keeps its size", func() bool {
		if clock.System().Sub(last) < 200*time.Millisecond {
			return false
		}
		last = clock.System()
		now := display.Bounds(id)
		if now != before {
			before, same = now, 0
			return false
		}
		same++
		return same == 3
	})
	return before
}
