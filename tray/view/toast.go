package view

import (
	"time"

	"github.com/platenprint/platen/client/status"
)

// Toast is one desktop notification.
type Toast struct {
	ID      string // a later toast with the same ID takes the place of the earlier one
	Title   string // "": not to be shown, it only marks the moment (see Toaster.start)
	Body    string
	Buttons []Button
	Default status.Action // a click on the toast itself
	Lasts   time.Duration // how long it stays; 0 is as the desktop does it
}

// Button is something one can press: in a toast or a window. The zero value means "no such button".
type Button struct {
	Text   string
	Action status.Action
}

// Toaster has the manners: it sees every Snapshot and says which of them are worth a notification. Its memory is that of
// one run of the resident. Not safe for concurrent use.
type Toaster struct {
	locale Locale

	state   status.State // of the snapshot before
	silent  bool         // nobody has been asked or told anything yet, the balance is still to come
	user    string       // whose level is known
	level   level        // at the last balance of user
	said    map[string]bool
	newName string // said last
	leaving bool   // it was said that the person will be signed out
	traces  bool   // a shared computer shows a toast about somebody
	vouched bool   // it was said whom the computer vouched for
	browser bool   // the session was proven in a browser
}

// level is how much is left.
type level int

const (
	levelUnknown level = iota
	levelFine
	levelLow
	levelEmpty
)

// The IDs of toasts.
const (
	toastCard    = "card"
	toastBalance = "balance"
	toastAccount = "account"
	toastLeaving = "leaving"
	toastKeyring = "keyring"
	toastNoTray  = "no-tray"
	toastServer  = "server"
)

// NewToaster returns a Toaster for a resident that has just started.
func NewToaster(l Locale) *Toaster {
	return &Toaster{locale: l, silent: true, state: status.StateStarting, said: map[string]bool{}}
}

// Next says what to tell after the Snapshot s, mostly nothing.
func (t *Toaster) Next(s status.Snapshot) []Toast {
	var toasts []Toast
	add := func(more ...Toast) { toasts = append(toasts, more...) }
	add(t.balance(s)...)
	add(t.account(s)...)
	add(t.left(s)...)
	if s.Shared {
		toasts = t.oneSlot(s, toasts)
	}
	add(t.keyring(s)...)
	add(t.noTray(s)...)
	add(t.server(s)...)
	t.state = s.State
	t.browser = s.InBrowser && signedIn(s)
	return toasts
}

// balance shows the card after a silent start, and one toast for each crossing into low or empty.
func (t *Toaster) balance(s status.Snapshot) []Toast {
	switch s.State {
	case status.StateSignedOut, status.StateSigningIn, status.StateShutting:
		// A card is for silent starts, but on a shared computer for everybody: it reminds of signing out.
		t.silent, t.user, t.level, t.vouched = s.Shared, "", levelUnknown, false
		return nil
	case status.StateOffline:
		t.silent = false
	case status.StateStarting, status.StateFollowing:
	}
	if !hasBalance(s) || s.User == nil {
		return nil
	}
	before, now := t.level, levelOf(s)
	if t.user != s.User.Username {
		before = levelUnknown
	}
	t.user, t.level = s.User.Username, now
	if s.State != status.StateFollowing || s.Stale {
		return nil
	}
	if toasts := t.start(s); toasts != nil {
		return toasts
	}
	if before != levelUnknown && now > before {
		return []Toast{t.crossing(s)}
	}
	return nil
}

// hasBalance tells whether a balance is known, also where none may be shown.
func hasBalance(s status.Snapshot) bool {
	return s.Balance != nil || s.HideBalance && !s.BalanceAt.IsZero()
}

func levelOf(s status.Snapshot) level {
	switch {
	case s.Empty:
		return levelEmpty
	case s.Low:
		return levelLow
	default:
		return levelFine
	}
}

func (t *Toaster) card(s status.Snapshot) Toast {
	l, name := t.locale, firstOf(s.User.DisplayName, s.User.Username)
	toast := Toast{ID: toastCard, Title: name, Default: open(status.PageAuto), Lasts: 8 * time.Second}
	if amount := l.shownAmount(s); amount != "" {
		toast.Title = l.text("toast.card", "name", name, "amount", amount)
	}
	switch {
	case s.Shared:
		toast.Body = l.text("toast.sign_out_reminder")
		toast.Buttons = []Button{{l.text("button.sign_out"), status.Action{Kind: status.ActionSignOut}}}
		return toast
	case s.Empty:
		toast.Body = l.text("toast.empty")
	case s.Low && s.HideBalance:
		toast.Body = l.text("toast.low_hidden")
	case s.Low:
		toast.Body = l.text("state.low")
	case s.HideBalance:
		toast.Body = l.text("state.signed_in")
	}
	toast.Buttons = []Button{{l.text("button.open"), open(status.PageAuto)}}
	return toast
}

// start is what the first balance of a session brings: after a silent start the card, and where the computer vouched, whom
// it took the person for. The card then says nothing of its own, but still is there for who wants a window at log-on.
func (t *Toaster) start(s status.Snapshot) []Toast {
	silent := t.silent
	t.silent = false
	switch {
	case s.Vouched && !t.vouched:
		t.vouched = true
		toasts := []Toast{t.signedIn(s)}
		if silent && !s.Shared {
			toasts = append(toasts, Toast{ID: toastCard, Default: open(status.PageAuto)})
		}
		return toasts
	case silent:
		return []Toast{t.card(s)}
	default:
		return nil
	}
}

// signedIn says whom the computer vouched for, so that a mistake can be undone.
func (t *Toaster) signedIn(s status.Snapshot) Toast {
	l, toast := t.locale, t.card(s)
	toast.ID, toast.Title = toastAccount, l.text("toast.signed_in_as", "name", s.User.Username)
	if amount := l.shownAmount(s); amount != "" {
		toast.Title = l.text("toast.card", "name", toast.Title, "amount", amount)
	}
	if toast.Body == l.text("state.signed_in") {
		toast.Body = ""
	}
	notMe := Button{l.text("button.not_me"), status.Action{Kind: status.ActionNotMe}}
	if s.Shared {
		toast.Buttons = append(toast.Buttons, notMe)
	} else {
		toast.Buttons = []Button{notMe} // a click on the toast opens the window
	}
	return toast
}

func (t *Toaster) crossing(s status.Snapshot) Toast {
	l, amount := t.locale, t.locale.shownAmount(s)
	toast := Toast{ID: toastBalance, Default: open(status.PageAuto)}
	switch {
	case s.Empty:
		toast.Title = l.text("toast.empty")
	case amount == "":
		toast.Title = l.text("toast.low_hidden")
	default:
		toast.Title = l.text("toast.left", "amount", amount)
	}
	if s.TopUpURL != "" {
		toast.Buttons = []Button{{l.text("button.add_credit"), status.Action{Kind: status.ActionOpenTopUp}}}
	}
	return toast
}

// account tells of a renamed account and of a session that ended while the person was signed in.
func (t *Toaster) account(s status.Snapshot) []Toast {
	l := t.locale
	if s.NewName != "" && s.NewName != t.newName {
		t.newName = s.NewName
		return []Toast{{
			ID: toastAccount, Title: l.text("toast.new_name", "name", s.NewName), Body: l.text("toast.new_name_body"),
			Default: open(status.PageAuto),
		}}
	}
	was := t.state == status.StateFollowing || t.state == status.StateOffline
	if was && s.State == status.StateSignedOut && s.Ask == status.AskSessionEnded {
		return []Toast{{
			ID: toastAccount, Title: l.text("toast.session_ended"), Body: l.text("toast.session_ended_body"),
			Buttons: []Button{{l.text("button.sign_in"), open(status.PageSignIn)}}, Default: open(status.PageSignIn),
		}}
	}
	return nil
}

// signOutGrace is what the resident gives people to say that they are still there (client/session). The toast cannot
// count down, and goes when it is over.
const signOutGrace = 30 * time.Second

// left tells that the person will be signed out, for they seem to have left; and when that is off, because somebody is
// there, it takes it back in the same place.
func (t *Toaster) left(s status.Snapshot) []Toast {
	l, before := t.locale, t.leaving
	t.leaving = leaving(s)
	switch {
	case t.leaving && !before:
		stay := status.Action{Kind: status.ActionStay}
		return []Toast{{
			ID: toastLeaving, Title: l.signingOutIn(signOutGrace), Buttons: []Button{{l.text("button.stay"), stay}}, Default: stay,
			Lasts: signOutGrace,
		}}
	case before && !t.leaving && signedIn(s):
		return []Toast{{
			ID: toastLeaving, Title: l.text("toast.stayed"), Body: l.text("toast.sign_out_reminder"),
			Buttons: []Button{{l.text("button.sign_out"), status.Action{Kind: status.ActionSignOut}}}, Default: open(status.PageAuto),
			Lasts: 5 * time.Second,
		}}
	default:
		return nil
	}
}

// oneSlot gives everything that a shared computer says about a person one place, where the next toast takes it away: when
// nobody is signed in any more, no name and no amount stays on the screen or in the desktop's list.
func (t *Toaster) oneSlot(s status.Snapshot, toasts []Toast) []Toast {
	for i := range toasts {
		toasts[i].ID, t.traces = toastCard, true
	}
	if s.State != status.StateSignedOut || !t.traces && !t.browser {
		return toasts
	}
	t.traces = false
	gone := Toast{ID: toastCard, Title: t.locale.text("state.signed_out"), Default: open(status.PageSignIn), Lasts: 5 * time.Second}
	if t.browser { // which may still be signed in
		gone.Body, gone.Lasts = t.locale.text("toast.close_browser"), 10*time.Second
	}
	return []Toast{gone}
}

// keyring says once that a sign-in cannot be kept. On a shared computer none is meant to be.
func (t *Toaster) keyring(s status.Snapshot) []Toast {
	if s.User == nil || s.Shared {
		return nil
	}
	l := t.locale
	switch s.Keyring {
	case status.KeyringMissing:
		return t.once(Toast{
			ID: toastKeyring, Title: l.text("toast.keyring_missing"), Body: l.text("toast.keyring_missing_body"),
			Buttons: []Button{{l.text("button.ok"), status.Action{Kind: status.ActionDismiss}}},
		}, "missing")
	case status.KeyringLocked:
		return t.once(Toast{
			ID: toastKeyring, Title: l.text("toast.keyring_locked"),
			Buttons: []Button{
				{l.text("button.try_again"), status.Action{Kind: status.ActionRetry}},
				{l.text("button.just_this_time"), status.Action{Kind: status.ActionDismiss}},
			},
		}, "locked")
	case status.KeyringOK, status.KeyringUnknown:
		return nil
	default:
		return nil
	}
}

func (t *Toaster) noTray(s status.Snapshot) []Toast {
	if !s.NoTray {
		return nil
	}
	return t.once(Toast{
		ID: toastNoTray, Title: t.locale.text("toast.no_tray"), Body: t.locale.text("toast.no_tray_body"),
		Buttons: []Button{{t.locale.text("button.open"), open(status.PageAuto)}}, Default: open(status.PageAuto),
	}, "no-tray")
}

// server says once that a server waits for the person's word. It is answered in the window, where there is room to look.
func (t *Toaster) server(s status.Snapshot) []Toast {
	if s.Ask != status.AskConfirmServer || s.Server == nil {
		return nil
	}
	l := t.locale
	return t.once(Toast{
		ID: toastServer, Title: l.text("toast.server", "host", s.Server.Host), Body: l.text("toast.server_body"),
		Buttons: []Button{{l.text("button.open"), open(status.PageSignIn)}}, Default: open(status.PageSignIn),
	}, "server")
}

func (t *Toaster) once(toast Toast, what string) []Toast {
	if t.said[what] {
		return nil
	}
	t.said[what] = true
	return []Toast{toast}
}

func open(page status.Page) status.Action { return status.Action{Kind: status.ActionOpen, Page: page} }
