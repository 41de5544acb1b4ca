package view_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

// The snapshots that stories are told with.
var (
	starting  = base(func(s *status.Snapshot) { s.State, s.Balance, s.BalanceAt = status.StateStarting, nil, time.Time{} })
	following = base(nothing)
	waiting   = base(func(s *status.Snapshot) { s.Balance, s.BalanceAt = nil, time.Time{} })
	nobody    = signedOut(status.AskFirstLaunch, nothing)
	proving   = signedOut(status.AskFirstLaunch, func(s *status.Snapshot) { s.State = status.StateSigningIn })
	offline   = base(func(s *status.Snapshot) { s.State, s.Stale, s.BalanceAt = status.StateOffline, true, yesterday })
	ended     = signedOut(status.AskSessionEnded, func(s *status.Snapshot) { s.User = alex })
)

// with is a snapshot with a change.
func with(s status.Snapshot, change func(*status.Snapshot)) status.Snapshot {
	change(&s)
	return s
}

// The snapshots of a shared computer.
var (
	free    = signedOut(status.AskWhoIsPrinting, func(s *status.Snapshot) { s.Shared = true })
	leaving = shared(with(waiting, func(s *status.Snapshot) { s.SignOutAt = now.Add(30 * time.Second) }))
)

func shared(s status.Snapshot) status.Snapshot {
	s.Shared = true
	return s
}

func having(s status.Snapshot, amount string) status.Snapshot {
	s.Balance = &status.Money{Amount: amount, Currency: "EUR"}
	s.Low, s.Empty = amount < "2", amount <= "0"
	return s
}

func TestToasts(t *testing.T) {
	keyring := func(k status.Keyring) func(*status.Snapshot) { return func(s *status.Snapshot) { s.Keyring = k } }
	for _, tc := range []struct {
		name  string
		story []status.Snapshot
		want  []string // titles, with the body where there is one
	}{
		{"A1_63 a silent start shows one card", []status.Snapshot{starting, waiting, following, following}, []string{"Alex Test · €12.34"}},
		{"no card when the server came late", []status.Snapshot{starting, offline, following}, nil},
		{"no card after signing in by hand", []status.Snapshot{starting, nobody, proving, following}, nil},
		{"no toast for a flapping network", []status.Snapshot{starting, following, offline, following, offline, following}, []string{"Alex Test · €12.34"}},
		{"a change of the balance is no news", []status.Snapshot{starting, following, having(following, "9.00")}, []string{"Alex Test · €12.34"}},
		{
			"one toast per crossing into low and into empty",
			[]status.Snapshot{
				starting, following, having(following, "1.90"), having(following, "0.80"), having(following, "0"),
				having(following, "5.00"), having(following, "1.50"),
			},
			[]string{"Alex Test · €12.34", "€1.90 left.", "No credit left.", "€1.50 left."},
		},
		{"a low balance at the start is said on the card", []status.Snapshot{starting, having(following, "0.80")}, []string{"Alex Test · €0.80 / Low balance"}},
		{
			"still low after being offline is no crossing",
			[]status.Snapshot{starting, having(following, "0.80"), having(offline, "0.80"), having(following, "0.80")},
			[]string{"Alex Test · €0.80 / Low balance"},
		},
		{
			"spent elsewhere while offline is a crossing",
			[]status.Snapshot{starting, following, offline, having(following, "0.80")},
			[]string{"Alex Test · €12.34", "€0.80 left."},
		},
		{
			"another person's balance is no crossing",
			[]status.Snapshot{starting, following, nobody, proving, having(with(following, func(s *status.Snapshot) {
				s.User = &status.User{Username: "sam@example.org"}
			}), "0.80")},
			[]string{"Alex Test · €12.34"},
		},
		{
			"UX_2 who was vouched for is told, once and with the balance",
			[]status.Snapshot{starting, with(waiting, vouched), with(following, vouched), with(offline, vouched), with(following, vouched)},
			[]string{"Signed in as alex.test@example.org · €12.34", ""},
		},
		{
			"vouched for after a moment in which a sign-in was under way",
			[]status.Snapshot{starting, with(proving, vouched), with(following, vouched), with(having(following, "0.80"), vouched)},
			[]string{"Signed in as alex.test@example.org · €12.34", "€0.80 left."},
		},
		{
			"vouched for again after a sign-out",
			[]status.Snapshot{starting, with(following, vouched), nobody, proving, with(following, vouched)},
			[]string{"Signed in as alex.test@example.org · €12.34", "", "Signed in as alex.test@example.org · €12.34"},
		},
		{
			"vouched for, and low",
			[]status.Snapshot{starting, with(having(following, "0.80"), vouched)},
			[]string{"Signed in as alex.test@example.org · €0.80 / Low balance", ""},
		},
		{
			"vouched for, where balances are hidden",
			[]status.Snapshot{starting, with(with(following, hidden), vouched)},
			[]string{"Signed in as alex.test@example.org", ""},
		},
		{
			"UX_4 vouched for on a shared computer",
			[]status.Snapshot{starting, shared(with(following, vouched)), free},
			[]string{"Signed in as alex.test@example.org · €12.34 / Sign out when you leave.", "Signed out"},
		},
		{
			"UX_4 the browser has to be closed, too",
			[]status.Snapshot{free, shared(proving), shared(with(following, inBrowser)), shared(with(offline, inBrowser)), free, free},
			[]string{"Alex Test · €12.34 / Sign out when you leave.", "Signed out / Close the browser too."},
		},
		{
			"UX_4 also when nothing was shown of them",
			[]status.Snapshot{free, shared(proving), shared(with(waiting, inBrowser)), with(free, inBrowser), with(free, inBrowser)},
			[]string{"Signed out / Close the browser too."},
		},
		{"one's own browser stays open", []status.Snapshot{nobody, proving, with(following, inBrowser), nobody}, nil},
		{
			"a missing keyring is said once",
			[]status.Snapshot{nobody, proving, with(following, keyring(status.KeyringMissing)), with(offline, keyring(status.KeyringMissing)), with(following, keyring(status.KeyringMissing))},
			[]string{"This computer can’t store your sign-in safely. / You’ll be asked after each restart."},
		},
		{
			"a locked keyring is said once",
			[]status.Snapshot{nobody, with(following, keyring(status.KeyringLocked)), with(following, keyring(status.KeyringLocked))},
			[]string{"Unlock your keyring to stay signed in."},
		},
		{
			"a shared computer keeps nothing, so its keyring is no news",
			[]status.Snapshot{nobody, with(following, func(s *status.Snapshot) { s.Shared, s.Keyring = true, status.KeyringMissing })},
			nil,
		},
		{
			"a shared computer reminds of signing out",
			[]status.Snapshot{starting, with(following, func(s *status.Snapshot) { s.Shared = true })},
			[]string{"Alex Test · €12.34 / Sign out when you leave."},
		},
		{
			"UX_4 a shared computer reminds everybody who signs in",
			[]status.Snapshot{starting, free, shared(proving), shared(following), free, shared(proving), shared(following)},
			[]string{"Alex Test · €12.34 / Sign out when you leave.", "Signed out", "Alex Test · €12.34 / Sign out when you leave."},
		},
		{
			"UX_4 who seems to have left is told, once, and again when they are back",
			[]status.Snapshot{free, shared(waiting), leaving, leaving, with(leaving, renamed), shared(waiting), shared(waiting), leaving},
			[]string{
				"Signing out in 30\u00a0s", "Your account is now alex.test@example.org. / Balance and cards are unchanged.",
				"You’re still signed in. / Sign out when you leave.", "Signing out in 30\u00a0s",
			},
		},
		{
			"UX_4 signed out, nothing of the person remains",
			[]status.Snapshot{free, shared(waiting), leaving, free, free},
			[]string{"Signing out in 30\u00a0s", "Signed out"},
		},
		{"nothing was shown of them, so nothing has to go", []status.Snapshot{free, shared(proving), shared(waiting), free}, nil},
		{
			"a new name is said once",
			[]status.Snapshot{nobody, with(following, renamed), with(following, renamed)},
			[]string{"Your account is now alex.test@example.org. / Balance and cards are unchanged."},
		},
		{
			"a session that ends is asked for once",
			[]status.Snapshot{nobody, proving, following, offline, ended, ended},
			[]string{"Your sign-in has ended. / Sign in again to see your balance."},
		},
		{"a stored session that was over at the start is no news: the window asks", []status.Snapshot{starting, ended}, nil},
		{"signing out oneself is no news", []status.Snapshot{nobody, proving, following, nobody}, nil},
		{
			"a desktop without tray is said once",
			[]status.Snapshot{with(nobody, noTray), with(proving, noTray), with(following, noTray)},
			[]string{"This desktop shows no tray icon. / Open Platen from your applications."},
		},
		{
			"a hidden balance is greeted without amount",
			[]status.Snapshot{starting, with(following, func(s *status.Snapshot) { s.HideBalance, s.Balance = true, nil })},
			[]string{"Alex Test / Signed in"},
		},
		{
			"a hidden balance crosses without amount",
			[]status.Snapshot{nobody, with(following, hidden), with(having(following, "0.80"), hidden)},
			[]string{"Your balance is low."},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			toaster := view.NewToaster(localeOf(t, "en"))
			var got []string
			for _, s := range tc.story {
				for _, toast := range toaster.Next(s) {
					text := toast.Title
					if toast.Body != "" {
						text += " / " + toast.Body
					}
					got = append(got, text)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("toasts (-want +got):\n%s", diff)
			}
		})
	}
}

func vouched(s *status.Snapshot)   { s.Vouched = true }
func inBrowser(s *status.Snapshot) { s.InBrowser = true }
func renamed(s *status.Snapshot)   { s.NewName = "alex.test@example.org" }
func noTray(s *status.Snapshot)    { s.NoTray = true }
func hidden(s *status.Snapshot)    { s.HideBalance, s.Balance = true, nil }

func TestE9_AServerIsAskedAboutOnce(t *testing.T) {
	toaster := view.NewToaster(localeOf(t, "en"))
	found := asked(status.WhereNetwork, false)
	first := toaster.Next(found)
	if len(first) != 1 || first[0].Title != "Is print.example.org:8443 your print server?" {
		t.Fatalf("said %+v", first)
	}
	for _, a := range []status.Action{first[0].Default, first[0].Buttons[0].Action} {
		if a.Kind != status.ActionOpen || a.Page != status.PageSignIn {
			t.Errorf("a click does %+v; the answer needs a look", a)
		}
	}
	found.Seq++
	if again := toaster.Next(found); len(again) > 0 {
		t.Errorf("said again: %+v", again)
	}
	if said := view.NewToaster(localeOf(t, "en")).Next(asked(status.WhereNetwork, true)); len(said) > 0 {
		t.Errorf("said of a server that was refused: %+v", said)
	}
}

func TestToastsOfferWhatHelps(t *testing.T) {
	topUp := func(s *status.Snapshot) { s.TopUpURL = "https://pay.example.org" }
	for _, tc := range []struct {
		name  string
		story []status.Snapshot
		want  []status.ActionKind
	}{
		{"card", []status.Snapshot{starting, following}, []status.ActionKind{status.ActionOpen}},
		{"low, credit can be bought", []status.Snapshot{nobody, following, with(having(following, "0.80"), topUp)}, []status.ActionKind{status.ActionOpenTopUp}},
		{"low, it cannot", []status.Snapshot{nobody, following, having(following, "0.80")}, nil},
		{"vouched for", []status.Snapshot{with(proving, vouched), with(following, vouched)}, []status.ActionKind{status.ActionNotMe}},
		{
			"vouched for on a shared computer",
			[]status.Snapshot{starting, shared(with(following, vouched))},
			[]status.ActionKind{status.ActionSignOut, status.ActionNotMe},
		},
		{"about to be signed out", []status.Snapshot{leaving}, []status.ActionKind{status.ActionStay}},
		{"still there", []status.Snapshot{leaving, shared(waiting)}, []status.ActionKind{status.ActionSignOut}},
		{
			"locked keyring",
			[]status.Snapshot{nobody, with(following, func(s *status.Snapshot) { s.Keyring = status.KeyringLocked })},
			[]status.ActionKind{status.ActionRetry, status.ActionDismiss},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			toaster := view.NewToaster(localeOf(t, "fr"))
			var last []view.Toast
			for _, s := range tc.story {
				last = toaster.Next(s)
			}
			if len(last) != 1 {
				t.Fatalf("%d toasts, want 1", len(last))
			}
			var got []status.ActionKind
			for _, b := range last[0].Buttons {
				got = append(got, b.Action.Kind)
				if b.Text == "" {
					t.Error("a button without text")
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("buttons (-want +got):\n%s", diff)
			}
		})
	}
}

// What a shared computer says about a person has one place, so that the last word takes all of it away.
func TestSharedComputersKeepNoToastOfAnybody(t *testing.T) {
	toaster := view.NewToaster(localeOf(t, "de"))
	shown := map[string]string{}
	for _, s := range []status.Snapshot{
		free, shared(proving), shared(following), shared(having(following, "0.80")), shared(with(having(following, "0.80"), renamed)),
		with(shared(having(following, "0.80")), func(s *status.Snapshot) { s.SignOutAt = now }), free,
	} {
		for _, toast := range toaster.Next(s) {
			shown[toast.ID] = toast.Title + toast.Body
		}
	}
	if diff := cmp.Diff(map[string]string{"card": "Abgemeldet"}, shown); diff != "" {
		t.Errorf("what remains (-want +got):\n%s", diff)
	}
}
