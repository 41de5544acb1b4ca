package view_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// berlin is the zone of the tests: one hour before UTC in winter, two in summer.
var berlin = time.FixedZone("CET", 3600)

// now is Saturday 21 November 2026, 10:30 in Berlin.
var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

var yesterday = time.Date(2026, 11, 20, 8, 10, 0, 0, time.UTC)

// localeOf is a locale whose texts are complete: a key that does not exist fails the test.
func localeOf(t *testing.T, name string) view.Locale {
	t.Helper()
	texts, err := assets.LoadTexts(name)
	if err != nil {
		t.Fatal(err)
	}
	return view.NewLocale(name, func(key string, args ...string) string {
		text := texts.Text(key, args...)
		if text == key || strings.Contains(text, "{") {
			t.Errorf("%s: text %q with %v is %q", name, key, args, text)
		}
		return text
	}, berlin)
}

var (
	alex   = &status.User{Username: "alex.test@example.org", DisplayName: "Alex Test"}
	osAlex = status.OSAccount{Name: `EXAMPLE\alex.test`, Short: "alex.test", Domain: "EXAMPLE"}
)

// base is a snapshot as the resident makes it, for the cases to change.
func base(change func(*status.Snapshot)) status.Snapshot {
	s := status.Snapshot{
		Version: status.Version, State: status.StateFollowing, Connection: status.ConnectionStream, AuthMode: "prompt",
		OSAccount: osAlex, User: alex, Balance: &status.Money{Amount: "12.34", Currency: "EUR"}, BalanceAt: now,
		ServerHost: "print.example.org",
	}
	change(&s)
	return s
}

func signedOut(ask status.Ask, change func(*status.Snapshot)) status.Snapshot {
	return base(func(s *status.Snapshot) {
		s.State, s.User, s.Balance, s.Ask, s.Prefill = status.StateSignedOut, nil, nil, ask, "alex.test@example.org"
		s.BalanceAt, s.Offers = time.Time{}, []status.Offer{prompt}
		change(s)
	})
}

// The ways of signing in.
var (
	microsoft = status.Offer{Method: status.MethodMicrosoft}
	google    = status.Offer{Method: status.MethodBrowser, Provider: "google", Name: "Google"}
	okta      = status.Offer{Method: status.MethodBrowser, Provider: "okta", Name: "Okta"}
	prompt    = status.Offer{Method: status.MethodPrompt}
)

func offering(offers ...status.Offer) func(*status.Snapshot) {
	return func(s *status.Snapshot) { s.Offers = offers }
}

// browsing is a sign-in under way in the browser.
func browsing(b status.Browsing) status.Snapshot {
	return signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.State, s.Offers, s.Browsing = status.StateSigningIn, []status.Offer{microsoft, prompt}, b
	})
}

// refused is a try that failed, with the way that works instead.
func refused(code status.ProblemCode, instead status.Method, offers ...status.Offer) status.Snapshot {
	return signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.Offers, s.Problem = offers, &status.Problem{Code: code, Method: instead, Host: "print.example.org"}
	})
}

func nothing(*status.Snapshot) {}

func problem(code status.ProblemCode) func(*status.Snapshot) {
	return func(s *status.Snapshot) { s.Problem = &status.Problem{Code: code, Host: "print.example.org"} }
}

// asked is a start where only the network, or the package's name, names a server.
func asked(where status.Where, rejected bool) status.Snapshot {
	return signedOut(status.AskConfirmServer, func(s *status.Snapshot) {
		s.Offers, s.ServerHost, s.Prefill = nil, "", ""
		s.Server = &status.Server{URL: "https://print.example.org:8443", Host: "print.example.org:8443", Where: where, Rejected: rejected}
		if rejected {
			s.Ask, s.Problem = status.AskNothing, &status.Problem{Code: status.ProblemNotConfigured}
		}
	})
}

// cases are the situations of the design, each a snapshot.
var cases = []struct {
	name string
	s    status.Snapshot
}{
	{"following", base(nothing)},
	{"low", base(func(s *status.Snapshot) {
		s.Balance.Amount, s.Low, s.TopUpURL, s.PortalURL = "0.80", true, "https://pay.example.org", "https://print.example.org"
	})},
	{"empty", base(func(s *status.Snapshot) { s.Balance.Amount, s.Low, s.Empty = "-5", true, true })},
	{"stale while following", base(func(s *status.Snapshot) { s.Stale, s.BalanceAt = true, yesterday })},
	{"hidden balance", base(func(s *status.Snapshot) { s.HideBalance, s.Balance = true, nil })},
	{"waiting for the first balance", base(func(s *status.Snapshot) { s.Balance, s.BalanceAt = nil, time.Time{} })},
	{"offline", base(func(s *status.Snapshot) {
		s.State, s.Stale, s.BalanceAt, s.Connection = status.StateOffline, true, yesterday, status.ConnectionNone
		s.Problem = &status.Problem{Code: status.ProblemUnreachable, Host: "print.example.org"}
	})},
	{"offline for long", base(func(s *status.Snapshot) {
		s.State, s.Stale, s.BalanceAt = status.StateOffline, true, time.Date(2025, 3, 4, 17, 5, 0, 0, time.UTC)
	})},
	{"starting", base(func(s *status.Snapshot) { s.State, s.User, s.Balance = status.StateStarting, nil, nil })},
	{"shared, signed in", base(func(s *status.Snapshot) { s.Shared = true })},
	{"shared, nobody moves", base(func(s *status.Snapshot) { s.Shared, s.SignOutAt = true, now.Add(28500*time.Millisecond) })},
	{"shared, nobody moves, offline", base(func(s *status.Snapshot) {
		s.State, s.Stale, s.BalanceAt, s.Shared, s.SignOutAt = status.StateOffline, true, yesterday, true, now
		s.Problem = &status.Problem{Code: status.ProblemUnreachable, Host: "print.example.org"}
	})},
	{"first launch", signedOut(status.AskFirstLaunch, nothing)},
	{"first launch, offline", signedOut(status.AskNothing, func(s *status.Snapshot) {
		offering()(s)
		problem(status.ProblemUnreachable)(s)
	})},
	{"it is not known yet what is offered", signedOut(status.AskNothing, offering())},
	{"nothing is offered", signedOut(status.AskFirstLaunch, offering())},
	{"UX_3 Microsoft first", signedOut(status.AskFirstLaunch, offering(microsoft, prompt))},
	{"Microsoft only", signedOut(status.AskFirstLaunch, offering(microsoft))},
	{"several providers", signedOut(status.AskFirstLaunch, offering(google, okta, prompt))},
	{"account and password first", signedOut(status.AskFirstLaunch, offering(prompt, microsoft))},
	{"a browser without a name", signedOut(status.AskFirstLaunch, offering(status.Offer{Method: status.MethodBrowser}))},
	{"UX_3 waiting for the browser", browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true})},
	{"the browser came back", browsing(status.Browsing{Method: status.MethodMicrosoft})},
	{"UX_3 another account than expected", browsing(status.Browsing{Method: status.MethodMicrosoft, Confirm: "sam@example.org"})},
	{"UX_3 a password that MFA refuses", refused(status.ProblemMFARequired, status.MethodMicrosoft, prompt, microsoft)},
	{"MFA in the browser", refused(status.ProblemMFARequired, status.MethodBrowser, prompt, google)},
	{"MFA, and no way that has it", refused(status.ProblemMFARequired, "", prompt)},
	{"UX_3 consent missing", refused(status.ProblemConsentRequired, status.MethodPrompt, microsoft, prompt)},
	{"UX_3 device blocked", refused(status.ProblemDeviceBlocked, "", microsoft)},
	{"no account", refused(status.ProblemNoAccount, "", microsoft)},
	{"method off", refused(status.ProblemMethodOff, status.MethodPrompt, prompt)},
	{"trust refused", refused(status.ProblemTrustRefused, "")},
	{"trust refused, others work", refused(status.ProblemTrustRefused, status.MethodPrompt, prompt)},
	{"a sentence of Microsoft's", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.Offers = []status.Offer{microsoft}
		s.Problem = &status.Problem{Code: status.ProblemNoAccount, Sentence: "microsoft.other_tenant", Method: status.MethodMicrosoft}
	})},
	{"no browser", refused(status.ProblemNoBrowser, "", microsoft)},
	{"no browser, but a password", refused(status.ProblemNoBrowser, status.MethodPrompt, microsoft, prompt)},
	{"provider", refused(status.ProblemProvider, "", microsoft)},
	{"provider unreachable", refused(status.ProblemProviderUnreachable, status.MethodPrompt, microsoft, prompt)},
	{"timed out", refused(status.ProblemTimedOut, "", microsoft, prompt)},
	{"account disabled, said by Microsoft", refused(status.ProblemAccountDisabled, "", microsoft)},
	{"UX_4 who is printing, with Microsoft", signedOut(status.AskWhoIsPrinting, func(s *status.Snapshot) {
		s.Shared, s.Offers = true, []status.Offer{microsoft, prompt}
	})},
	{"UX_4 signed out of a browser", signedOut(status.AskWhoIsPrinting, func(s *status.Snapshot) {
		s.Shared, s.InBrowser, s.Offers = true, true, []status.Offer{microsoft}
	})},
	{"session ended, Microsoft", signedOut(status.AskSessionEnded, offering(microsoft))},
	{"names changed, Microsoft", signedOut(status.AskNamesChanged, offering(microsoft))},
	{"first launch, nothing known", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.OSAccount, s.Prefill, s.HelpText = status.OSAccount{}, "", "IT desk, room 101"
	})},
	{"signing in", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) { s.State = status.StateSigningIn })},
	{"names changed", signedOut(status.AskNamesChanged, nothing)},
	{"session ended", signedOut(status.AskSessionEnded, func(s *status.Snapshot) {
		s.User, s.Balance, s.Stale, s.BalanceAt = alex, &status.Money{Amount: "12.34", Currency: "EUR"}, true, yesterday
	})},
	{"who is printing", signedOut(status.AskWhoIsPrinting, func(s *status.Snapshot) { s.Shared = true })},
	{"wrong password", signedOut(status.AskFirstLaunch, problem(status.ProblemWrongCredentials))},
	{"ambiguous name", signedOut(status.AskFirstLaunch, problem(status.ProblemAmbiguousName))},
	{"account disabled", signedOut(status.AskFirstLaunch, problem(status.ProblemAccountDisabled))},
	{"password expired", signedOut(status.AskFirstLaunch, problem(status.ProblemPasswordExpired))},
	{"limited", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.Problem = &status.Problem{Code: status.ProblemLimited, RetryAt: now.Add(12 * time.Minute)}
	})},
	{"limited, no time known", signedOut(status.AskFirstLaunch, problem(status.ProblemLimited))},
	{"invalid", signedOut(status.AskFirstLaunch, problem(status.ProblemInvalid))},
	{"directory unavailable", signedOut(status.AskFirstLaunch, problem(status.ProblemDirectoryUnavailable))},
	{"not configured", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.Problem, s.ServerHost = &status.Problem{Code: status.ProblemNotConfigured}, ""
	})},
	{"certificate", signedOut(status.AskFirstLaunch, problem(status.ProblemCertificate))},
	{"certificate, no host known", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.Problem, s.ServerHost = &status.Problem{Code: status.ProblemCertificate}, ""
	})},
	{"certificate expired", base(problem(status.ProblemCertificateExpired))},
	{"clock", base(problem(status.ProblemClock))},
	{"server", base(problem(status.ProblemServer))},
	{"config", base(problem(status.ProblemConfig))},
	{"E9 a server of the network", asked(status.WhereNetwork, false)},
	{"E9 a server of the package's name", asked(status.WherePackage, false)},
	{"E9 a server that was refused", asked(status.WhereNetwork, true)},
	{"a problem of a later version", base(problem("sunspots"))},
}

func TestEveryStateInEveryLanguage(t *testing.T) {
	for _, language := range assets.Languages {
		t.Run(language, func(t *testing.T) {
			l := localeOf(t, language)
			var b strings.Builder
			for _, c := range cases {
				b.WriteString("## " + c.name + "\n\n")
				describe(&b, c.s, l)
			}
			golden(t, language+".txt", b.String())
		})
	}
}

// describe writes what people see, as text.
func describe(b *strings.Builder, s status.Snapshot, l view.Locale) {
	line := func(name string, parts ...string) {
		if text := strings.Join(parts, " | "); strings.Trim(text, " |") != "" {
			b.WriteString(name + ": " + text + "\n")
		}
	}
	tray := view.TrayOf(s, l, now)
	line("icon", string(tray.Icon))
	line("tooltip", tray.Tooltip)
	for _, group := range tray.Menu {
		var texts []string
		for _, item := range group {
			text := item.Text
			if !item.Enabled() {
				text = "(" + text + ")"
			}
			texts = append(texts, text)
		}
		line("menu", texts...)
	}
	switch page := view.PageOf(s, status.PageAuto); page {
	case status.PageSignIn:
		if s.Server != nil {
			m := view.AskServerOf(s, l)
			line("heading", m.Heading)
			line("host", m.Host)
			line("found", m.Found)
			line("buttons", "["+m.Yes.Text+"]", m.No.Text)
			line("unsure", m.Unsure)
			break
		}
		m := view.IdentifyOf(s, l, now)
		line("heading", m.Heading)
		line("intro", m.Intro)
		line("known", m.Known)
		describeWays(line, m)
		line("error", string(m.ErrorField), m.Error)
		line("help", m.Help)
	default:
		m := view.BalanceOf(s, l, now)
		line("balance", m.Name, m.Username, m.Amount)
		line("line", string(m.Tone), m.Line)
		line("buttons", m.Primary.Text, m.Details, m.Sign.Text)
	}
	b.WriteString("\n")
}

// describeWays writes what can be done in the identification window; the primary button is in brackets.
func describeWays(line func(name string, parts ...string), m view.Identify) {
	switch {
	case m.Confirm != "":
		line("question", m.Confirm)
		line("buttons", "["+m.Continue.Text+"]", m.Other.Text)
		return
	case m.Busy:
		line("buttons", m.Working, m.OpenAgain.Text, m.Cancel)
		return
	}
	var ways []string
	for i, way := range m.Ways {
		text := way.Text
		if i == 0 && !m.Fields {
			text = "[" + text + "]"
		}
		if way.Action.OtherAccount {
			text += " (asks which account)"
		}
		ways = append(ways, text)
	}
	if m.Fields {
		line("account", m.AccountLabel, m.Account)
		line("password", m.PasswordLabel)
	}
	line("stay", m.Stay)
	if m.Fields {
		line("buttons", "["+m.Submit+"]")
	} else if len(ways) > 0 {
		line("under the first button", m.Opens)
	}
	line("ways", ways...)
	line("quiet", m.Reveal)
	line("again", m.Again.Text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not what it was (-before +now); look at it, then run with -update:\n%s", name, diff)
	}
}

func TestHiddenBalanceShowsNoAmountAnywhere(t *testing.T) {
	details := &status.Details{
		Transactions: []status.Transaction{{At: now, Kind: "charge", Amount: "-7.65", Balance: "7654.32"}},
		History:      []status.Point{{Date: "2026-11-20", Amount: "7654.32"}, {Date: "2026-11-21", Amount: "7654.32"}},
	}
	for _, language := range assets.Languages {
		l := localeOf(t, language)
		for _, c := range cases {
			s := c.s
			// A resident of our version leaves the balance out; the view does not rely on it.
			s.HideBalance, s.Balance = true, &status.Money{Amount: "7654.32", Currency: "EUR"}
			toaster := view.NewToaster(l)
			everything, err := json.Marshal([]any{
				view.TrayOf(s, l, now), view.IdentifyOf(s, l, now), view.BalanceOf(s, l, now),
				view.DetailsOf(s, details, l, now), view.SettingsOf(s, details, l),
				toaster.Next(s), toaster.Next(low(s)), toaster.Next(empty(s)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(everything), "7") && strings.Contains(strings.NewReplacer(".", "", ",", "", "\u00a0", "").Replace(string(everything)), "765") {
				t.Errorf("%s, %s: an amount shows: %s", language, c.name, everything)
			}
			if strings.Contains(string(everything), "€") {
				t.Errorf("%s, %s: a currency shows: %s", language, c.name, everything)
			}
		}
	}
}

func low(s status.Snapshot) status.Snapshot {
	s.Low = true
	return s
}

func empty(s status.Snapshot) status.Snapshot {
	s.Low, s.Empty = true, true
	return s
}

func TestMenuLeadsOnlyWhereThereIsSomething(t *testing.T) {
	l := localeOf(t, "en")
	has := func(s status.Snapshot, id string) bool {
		for _, group := range view.TrayOf(s, l, now).Menu {
			for _, item := range group {
				if item.ID == id {
					return item.Enabled()
				}
			}
		}
		return false
	}
	for _, tc := range []struct {
		id   string
		s    status.Snapshot
		want bool
	}{
		{"portal", base(nothing), false},
		{"portal", base(func(s *status.Snapshot) { s.PortalURL = "https://p" }), true},
		{"top-up", base(nothing), false},
		{"top-up", base(func(s *status.Snapshot) { s.TopUpURL = "https://p" }), true},
		{"top-up", signedOut(status.AskFirstLaunch, func(s *status.Snapshot) { s.TopUpURL = "https://p" }), false},
		{"sign-out", base(nothing), true},
		{"sign-in", base(nothing), false},
		{"sign-out", signedOut(status.AskFirstLaunch, nothing), false},
		{"sign-in", signedOut(status.AskFirstLaunch, nothing), true},
		{"open-again", browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true}), true},
		{"cancel", browsing(status.Browsing{Method: status.MethodMicrosoft, Waiting: true}), true},
		{"open-again", browsing(status.Browsing{Method: status.MethodMicrosoft}), false},
		{"retry", base(nothing), false},
		{"state", base(nothing), false}, // is there to be read
		{"stay", base(func(s *status.Snapshot) { s.Shared = true }), false},
		{"stay", base(func(s *status.Snapshot) { s.Shared, s.SignOutAt = true, now }), true},
	} {
		if got := has(tc.s, tc.id); got != tc.want {
			t.Errorf("%s can be chosen: %v, want %v", tc.id, got, tc.want)
		}
	}
	for _, c := range cases {
		for i, group := range view.TrayOf(c.s, l, now).Menu {
			known, at := view.MenuIDs()[i], -1
			for _, item := range group {
				place := slices.Index(known, item.ID)
				if place <= at {
					t.Errorf("%s: line %q is not where MenuIDs has it", c.name, item.ID)
				}
				at = place
			}
			if len(group) == 0 {
				t.Errorf("%s: group %d of the menu is empty", c.name, i)
			}
		}
	}
	shared := view.TrayOf(base(func(s *status.Snapshot) { s.Shared = true }), l, now)
	if first := shared.Menu[0][0].ID; first != "sign-out-first" {
		t.Errorf("first line on a shared computer is %s, want sign-out-first", first)
	}
}

func TestPageOf(t *testing.T) {
	offlineUnknown := signedOut(status.AskNothing, func(s *status.Snapshot) { s.State = status.StateOffline })
	ended := signedOut(status.AskSessionEnded, func(s *status.Snapshot) { s.User = alex })
	for _, tc := range []struct {
		s            status.Snapshot
		wanted, want status.Page
	}{
		{base(nothing), status.PageAuto, status.PageBalance},
		{base(nothing), status.PageDetails, status.PageDetails},
		{base(nothing), status.PageSignIn, status.PageBalance},
		{base(nothing), status.PageSettings, status.PageSettings},
		{ended, status.PageBalance, status.PageSignIn},
		{ended, status.PageSettings, status.PageSettings},
		{offlineUnknown, status.PageAuto, status.PageSignIn},
		{status.Snapshot{State: status.StateStarting}, status.PageAuto, status.PageBalance},
	} {
		if got := view.PageOf(tc.s, tc.wanted); got != tc.want {
			t.Errorf("state %s, asked for %q: page %q, want %q", tc.s.State, tc.wanted, got, tc.want)
		}
	}
}

func TestIdentificationPrefillsButNeverOnSharedComputers(t *testing.T) {
	l := localeOf(t, "en")
	m := view.IdentifyOf(signedOut(status.AskFirstLaunch, nothing), l, now)
	if m.Account != "alex.test@example.org" || m.Stay == "" {
		t.Errorf("A1_64 first launch: account %q, stay %q", m.Account, m.Stay)
	}
	m = view.IdentifyOf(signedOut(status.AskWhoIsPrinting, func(s *status.Snapshot) { s.Shared = true }), l, now)
	if m.Account != "" || m.Stay != "" {
		t.Errorf("shared: account %q, stay %q; want nothing", m.Account, m.Stay)
	}
	m = view.IdentifyOf(signedOut(status.AskFirstLaunch, func(s *status.Snapshot) { s.Keyring = status.KeyringMissing }), l, now)
	if m.Stay != "" {
		t.Errorf("no keyring, yet offered: %q", m.Stay)
	}
}

func TestTheWindowOffersExactlyWhatTheResidentOffers(t *testing.T) {
	l := localeOf(t, "en")
	for _, tc := range []struct {
		name    string
		offers  []status.Offer
		problem status.Problem
		want    string // best first
	}{
		{"A1_37 Microsoft first where MFA is on", []status.Offer{microsoft, prompt}, status.Problem{}, "microsoft, prompt later"},
		{"A2_08 a password where it is enough", []status.Offer{prompt, microsoft}, status.Problem{}, "prompt, microsoft"},
		{"A1_13 providers in their order", []status.Offer{okta, google}, status.Problem{}, "okta, google"},
		{"nothing", nil, status.Problem{}, ""},
		{"trust needs no window", []status.Offer{{Method: status.MethodTrust}, prompt}, status.Problem{}, "prompt"},
		{"a way of a later version", []status.Offer{{Method: "telepathy"}, google}, status.Problem{}, "google"},
		{"one twice", []status.Offer{google, google}, status.Problem{}, "google"},
		{
			"A1_38 after a refusal the way that works is first",
			[]status.Offer{prompt, google, microsoft},
			status.Problem{Code: status.ProblemMFARequired, Method: status.MethodMicrosoft},
			"microsoft, google, prompt later",
		},
		{
			"also when that is the password",
			[]status.Offer{microsoft, prompt},
			status.Problem{Code: status.ProblemNoBrowser, Method: status.MethodPrompt},
			"prompt, microsoft",
		},
		{
			"but never one that is not offered",
			[]status.Offer{prompt},
			status.Problem{Code: status.ProblemMFARequired, Method: status.MethodMicrosoft},
			"prompt",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := view.IdentifyOf(signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
				s.Offers = tc.offers
				if tc.problem.Code != "" {
					s.Problem = &tc.problem
				}
			}), l, now)
			var got []string
			if m.Fields {
				got = append(got, "prompt")
			}
			for _, way := range m.Ways {
				if way.Action.Kind != status.ActionSignIn || way.Action.OtherAccount {
					t.Errorf("%q asks for %+v", way.Text, way.Action)
				}
				if way.Action.Method == status.MethodMicrosoft {
					got = append(got, "microsoft")
				} else {
					got = append(got, way.Action.Provider)
				}
			}
			if m.Reveal != "" {
				got = append(got, "prompt later")
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
			if again := m.Again.Action.Kind == status.ActionRetry; again != (tc.want == "") {
				t.Errorf("trying again is offered: %v", again)
			}
		})
	}
}

func TestTheBrowserIsToldToAskWhichAccount(t *testing.T) {
	l := localeOf(t, "en")
	for name, tc := range map[string]struct {
		change func(*status.Snapshot)
		want   bool
	}{
		"own computer":         {nothing, false},
		"shared computer":      {func(s *status.Snapshot) { s.Shared = true }, true},
		"account not known":    {problem(status.ProblemNoAccount), true},
		"account switched off": {problem(status.ProblemAccountDisabled), true},
		"nobody came":          {problem(status.ProblemTimedOut), false},
		"of another tenant": {func(s *status.Snapshot) {
			s.Problem = &status.Problem{Code: status.ProblemMethodOff, Sentence: "microsoft.other_tenant"}
		}, true},
		"the generic account's": {func(s *status.Snapshot) { s.Ask = status.AskWhoIsPrinting }, true},
	} {
		m := view.IdentifyOf(signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
			s.Offers = []status.Offer{microsoft}
			tc.change(s)
		}), l, now)
		if got := m.Ways[0].Action.OtherAccount; got != tc.want {
			t.Errorf("%s: asks which account: %v, want %v", name, got, tc.want)
		}
	}
	for name, tc := range map[string]struct {
		offers []status.Offer
		method status.Method
		want   status.Action
	}{
		"Microsoft": {
			[]status.Offer{microsoft, google},
			status.MethodMicrosoft,
			status.Action{Kind: status.ActionSignIn, Method: status.MethodMicrosoft, OtherAccount: true},
		},
		"the one provider": {
			[]status.Offer{microsoft, google},
			status.MethodBrowser,
			status.Action{Kind: status.ActionSignIn, Method: status.MethodBrowser, Provider: "google", OtherAccount: true},
		},
		"one of several": {
			[]status.Offer{okta, google},
			status.MethodBrowser,
			status.Action{Kind: status.ActionSignIn, Method: status.MethodBrowser, OtherAccount: true},
		},
	} {
		s := browsing(status.Browsing{Method: tc.method, Confirm: "sam@example.org"})
		s.Offers = tc.offers
		if got := view.IdentifyOf(s, l, now).Other.Action; !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: another account is %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestASentenceThatTheWindowDoesNotHaveCountsForNothing(t *testing.T) {
	texts, err := assets.LoadTexts("en")
	if err != nil {
		t.Fatal(err)
	}
	l := view.NewLocale("en", texts.Text, berlin)
	for _, sentence := range []string{"microsoft.of_tomorrow", "menu.quit", "", "microsoft."} {
		m := view.IdentifyOf(signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
			s.Problem = &status.Problem{Code: status.ProblemTimedOut, Sentence: sentence}
		}), l, now)
		if want := "The sign-in took too long. Try again."; m.Error != want {
			t.Errorf("%q leads to %q, want %q", sentence, m.Error, want)
		}
	}
}

func TestLongNamesOfProvidersAreShortened(t *testing.T) {
	long := status.Offer{Method: status.MethodBrowser, Provider: "x", Name: "Zweckverband Kommunale Informationsverarbeitung Süd"}
	m := view.IdentifyOf(signedOut(status.AskFirstLaunch, offering(long)), localeOf(t, "en"), now)
	if got, want := m.Ways[0].Text, "Sign in with Zweckverband Kommunale Informat…"; got != want {
		t.Errorf("button says %q, want %q", got, want)
	}
}

func TestDetailsForTheHelpdesk(t *testing.T) {
	s := signedOut(status.AskFirstLaunch, func(s *status.Snapshot) {
		s.Problem = &status.Problem{Code: status.ProblemCertificate, Host: "print.example.org", Details: "x509: unknown authority"}
	})
	want := "platen: certificate at 2026-11-21T09:30:00Z\nserver: print.example.org\ncomputer account: EXAMPLE\\alex.test\nx509: unknown authority"
	if diff := cmp.Diff(want, view.IdentifyOf(s, localeOf(t, "de"), now).Details); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsNameTheirOrigin(t *testing.T) {
	d := &status.Details{
		ClientVersion: "1.2.3", ServerVersion: "1.2.0", ServerURL: "https://print.example.org",
		Settings: []status.Setting{
			{Name: "ServerURL", Value: "https://print.example.org", Origin: "policy /etc/platen/policy.conf:3"},
			{Name: "HideBalance", Value: "", Origin: "default"},
			{Name: "AutoStart", Value: "yes", Origin: "defaulted elsewhere"},
		},
	}
	got := view.SettingsOf(base(nothing), d, localeOf(t, "en"))
	want := []view.Fact{
		{Name: "ServerURL", Value: "https://print.example.org", Origin: "set by your organisation (/etc/platen/policy.conf:3)"},
		{Name: "HideBalance", Value: "not set", Origin: "built-in default"},
		{Name: "AutoStart", Value: "yes", Origin: "defaulted elsewhere"},
	}
	if diff := cmp.Diff(want, got.Settings); diff != "" {
		t.Error(diff)
	}
	if loading := view.SettingsOf(base(nothing), nil, localeOf(t, "en")); loading.Loading == "" || loading.Settings != nil {
		t.Errorf("without details: %+v", loading)
	}
}
