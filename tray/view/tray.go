package view

import (
	"slices"
	"time"

	"github.com/platenprint/platen/client/status"
)

// Icon names one of the tray icons of package assets.
type Icon string

// The icons.
const (
	IconOK        Icon = "ok"
	IconSignedOut Icon = "signed-out"
	IconOffline   Icon = "offline"
	IconLow       Icon = "low"
	IconEmpty     Icon = "empty"
	IconProblem   Icon = "problem"
)

// Item is a line of the tray menu. A line without an Action is there to be read and cannot be chosen.
type Item struct {
	ID     string // stable, the same in every language: "sign-out"
	Text   string
	Action status.Action
}

// Enabled tells whether the line can be chosen.
func (i Item) Enabled() bool { return i.Action.Kind != "" }

// Tray is everything the tray shows. Groups of the menu are separated by a line; none of them is empty.
type Tray struct {
	Icon    Icon
	Tooltip string
	Menu    [][]Item
	Default status.Action // a click on the icon itself, where the desktop has such a thing
}

// TrayOf says what the tray shows.
func TrayOf(s status.Snapshot, l Locale, now time.Time) Tray {
	return Tray{
		Icon:    iconOf(s),
		Tooltip: l.tooltip(s, now),
		Menu:    l.menu(s, now),
		Default: open(status.PageAuto),
	}
}

func iconOf(s status.Snapshot) Icon {
	switch {
	case hinders(s.Problem), asks(s):
		return IconProblem
	case s.State == status.StateOffline:
		return IconOffline
	case s.State != status.StateFollowing:
		return IconSignedOut
	case s.Empty:
		return IconEmpty
	case s.Low:
		return IconLow
	default:
		return IconOK
	}
}

// signedIn tells whether somebody is, also offline. After an ended session the person is still named, but signed out.
func signedIn(s status.Snapshot) bool {
	return s.User != nil && s.State != status.StateSignedOut && s.State != status.StateSigningIn
}

// shownAmount is the balance in words, or "" where there is none or none may be shown.
func (l Locale) shownAmount(s status.Snapshot) string {
	if s.HideBalance || s.Balance == nil {
		return ""
	}
	return l.amount(*s.Balance)
}

func (l Locale) tooltip(s status.Snapshot, now time.Time) string {
	amount := l.shownAmount(s)
	if hinders(s.Problem) {
		return l.text("tooltip.problem", "problem", l.sentence(s.Problem, s))
	}
	if asks(s) {
		return l.text("tooltip.server", "host", s.Server.Host)
	}
	switch s.State {
	case status.StateFollowing:
		return l.balanceTooltip(s, amount)
	case status.StateOffline:
		if amount == "" || s.BalanceAt.IsZero() {
			return l.text("tooltip.offline")
		}
		return l.text("tooltip.offline_balance", "amount", amount, "age", l.age(s.BalanceAt, now))
	case status.StateSigningIn:
		if s.Browsing.Waiting {
			return l.text("tooltip.browser")
		}
		return l.text("tooltip.signing_in")
	case status.StateSignedOut:
		return l.text("tooltip.signed_out")
	case status.StateStarting, status.StateShutting:
		return l.text("tooltip.starting")
	default:
		return l.text("tooltip.starting")
	}
}

func (l Locale) balanceTooltip(s status.Snapshot, amount string) string {
	switch {
	case s.Empty && amount == "":
		return l.text("tooltip.empty_hidden")
	case s.Empty:
		return l.text("tooltip.empty", "amount", amount)
	case s.Low && amount == "":
		return l.text("tooltip.low_hidden")
	case s.Low:
		return l.text("tooltip.low", "amount", amount)
	case amount == "":
		return l.text("tooltip.signed_in")
	default:
		return l.text("tooltip.balance", "amount", amount)
	}
}

// menu lists only what works now, in the order of MenuIDs. On a shared computer signing out comes first.
func (l Locale) menu(s status.Snapshot, now time.Time) [][]Item {
	tell := l.statusItems(s, now)
	if s.Shared && signedIn(s) {
		first := Item{ID: "sign-out-first", Text: l.text("menu.sign_out"), Action: status.Action{Kind: status.ActionSignOut}}
		tell = append([]Item{first}, tell...)
		if !s.SignOutAt.IsZero() {
			tell = slices.Insert(tell, 1, Item{ID: "stay", Text: l.text("menu.stay"), Action: status.Action{Kind: status.ActionStay}})
		}
	}
	return [][]Item{tell, append(l.placeItems(s), l.signItems(s)...), {
		{ID: "settings", Text: l.text("menu.settings"), Action: open(status.PageSettings)},
		{ID: "quit", Text: l.text("menu.quit"), Action: status.Action{Kind: status.ActionQuit}},
	}}
}

// signItems is the line for signing in or out.
func (l Locale) signItems(s status.Snapshot) []Item {
	switch {
	case s.State == status.StateSigningIn:
		cancel := Item{ID: "cancel", Text: l.text("menu.cancel"), Action: status.Action{Kind: status.ActionCancelSignIn}}
		if !s.Browsing.Waiting {
			return []Item{cancel}
		}
		again := Item{ID: "open-again", Text: l.text("menu.open_again"), Action: status.Action{Kind: status.ActionOpenAgain}}
		return []Item{again, cancel}
	case signedIn(s) && !s.Shared:
		return []Item{{ID: "sign-out", Text: l.text("menu.sign_out"), Action: status.Action{Kind: status.ActionSignOut}}}
	case s.Server != nil:
		return []Item{{ID: "sign-in", Text: l.text("menu.server"), Action: open(status.PageSignIn)}}
	case s.State == status.StateSignedOut, s.State == status.StateOffline && !signedIn(s):
		return []Item{{ID: "sign-in", Text: l.text("menu.sign_in"), Action: open(status.PageSignIn)}}
	default:
		return nil
	}
}

// statusItems are the lines that tell rather than do.
func (l Locale) statusItems(s status.Snapshot, now time.Time) []Item {
	var items []Item
	if amount := l.shownAmount(s); amount != "" {
		items = append(items, Item{
			ID: "balance", Text: l.text("menu.balance", "amount", amount),
			Action: open(status.PageBalance),
		})
	}
	return append(items, Item{ID: "state", Text: l.stateLine(s, now)})
}

// placeItems are the lines that lead somewhere.
func (l Locale) placeItems(s status.Snapshot) []Item {
	items := []Item{{ID: "open", Text: l.text("menu.open"), Action: open(status.PageAuto)}}
	if worthRetrying(s) {
		items = append(items, Item{ID: "retry", Text: l.text("menu.retry"), Action: status.Action{Kind: status.ActionRetry}})
	}
	if s.TopUpURL != "" && signedIn(s) {
		items = append(items, Item{ID: "top-up", Text: l.text("menu.top_up"), Action: status.Action{Kind: status.ActionOpenTopUp}})
	}
	if s.PortalURL != "" {
		items = append(items, Item{ID: "portal", Text: l.text("menu.portal"), Action: status.Action{Kind: status.ActionOpenPortal}})
	}
	return items
}

// worthRetrying tells whether trying the server again may help.
func worthRetrying(s status.Snapshot) bool {
	switch {
	case s.State == status.StateOffline:
		return true
	case s.Problem == nil || s.Problem.Code == status.ProblemNotConfigured:
		return false
	default:
		return hinders(s.Problem) || s.Problem.Code == status.ProblemUnreachable
	}
}

// stateLine says in a line where things stand.
func (l Locale) stateLine(s status.Snapshot, now time.Time) string {
	if hinders(s.Problem) {
		return l.sentence(s.Problem, s)
	}
	if asks(s) {
		return l.text("state.server", "host", s.Server.Host)
	}
	switch s.State {
	case status.StateFollowing:
		level := ""
		switch {
		case s.Empty:
			level = l.text("state.empty") + " · "
		case s.Low:
			level = l.text("state.low") + " · "
		}
		if s.User == nil {
			return level + l.text("state.signed_in")
		}
		return level + l.text("state.signed_in_as", "name", s.User.Username)
	case status.StateOffline:
		if l.shownAmount(s) == "" || s.BalanceAt.IsZero() {
			return l.text("state.offline")
		}
		return l.text("state.offline_age", "age", l.age(s.BalanceAt, now))
	case status.StateSigningIn:
		if s.Browsing.Waiting {
			return l.text("identify.waiting")
		}
		return l.text("state.signing_in")
	case status.StateSignedOut:
		if l.shownAmount(s) == "" || s.BalanceAt.IsZero() {
			return l.text("state.signed_out")
		}
		return l.text("state.signed_out_age", "age", l.age(s.BalanceAt, now))
	case status.StateStarting, status.StateShutting:
		return l.text("state.starting")
	default:
		return l.text("state.starting")
	}
}
