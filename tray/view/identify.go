package view

import (
	"time"

	"github.com/platenprint/platen/client/status"
)

// Field is a place in the identification window where an error is shown.
type Field string

// The fields.
const (
	FieldNone     Field = ""
	FieldAccount  Field = "account"
	FieldPassword Field = "password"
	FieldForm     Field = "form" // concerns no field: under all of them
)

// Identify is the model of the identification window. It is one of three: the ways of signing in, a sign-in under way
// (Busy), or the question whether another account than expected is meant (Confirm).
type Identify struct {
	Heading string
	Intro   string
	Known   string // the last known balance after a session has ended; "" where there is none to show
	Help    string // whom to ask, in the site's words; "" where unknown

	Ways   []Button // signing in with Microsoft or another provider, best first; the first is primary, unless Fields are
	Opens  string   // said under the first of Ways while it is primary: the browser will open
	Fields bool     // account and password are the best way: shown at once, Submit is primary
	Reveal string   // the quiet button that shows them instead; "" where they are shown already, or no way to sign in
	Again  Button   // where nothing is offered: try again

	AccountLabel  string
	Account       string // to be pre-filled, never to be submitted by itself
	PasswordLabel string
	Stay          string // "" where a sign-in cannot or must not be kept

	Submit  string
	Cancel  string
	Busy    bool // a sign-in is under way: fields are locked, Cancel is offered
	Working string

	Waiting   bool   // Busy, and it is the person's turn in the browser: Working says so
	OpenAgain Button // with Waiting

	Confirm  string // who signed in in the browser, as a question; "" unless it is not who was expected
	Continue Button
	Other    Button

	Error      string
	ErrorField Field
	Details    string // what "Copy details" copies
	Copy       string
	Copied     string
}

// IdentifyOf says what the identification window shows. A problem of the last try belongs into s.Problem.
func IdentifyOf(s status.Snapshot, l Locale, now time.Time) Identify {
	m := Identify{
		AccountLabel:  l.text("identify.account"),
		PasswordLabel: l.text("identify.password"),
		Submit:        l.text("identify.submit"),
		Cancel:        l.text("button.cancel"),
		Working:       l.text("state.signing_in"),
		Busy:          s.State == status.StateSigningIn,
		Account:       s.Prefill,
		Copy:          l.text("button.copy_details"),
		Copied:        l.text("button.copied"),
	}
	if s.HelpText != "" {
		m.Help = l.text("identify.help", "help", s.HelpText)
	}
	l.offer(&m, s)
	m.Heading, m.Intro = l.question(s, m)
	if amount := l.shownAmount(s); amount != "" && s.State == status.StateSignedOut && !s.BalanceAt.IsZero() {
		m.Known = amount + " · " + l.text("state.stale_age", "age", l.age(s.BalanceAt, now))
	}
	if s.Ask == status.AskWhoIsPrinting {
		m.Account = ""
	}
	l.browsing(&m, s)
	if m.Error = l.sentence(s.Problem, s); m.Error != "" && !m.Busy {
		m.ErrorField = fieldOf(s.Problem.Code)
		m.Details = forHelpdesk(s.Problem, s, now)
	} else {
		m.Error = ""
	}
	return m
}

// offer says which ways of signing in there are.
func (l Locale) offer(m *Identify, s status.Snapshot) {
	for i, o := range offered(s) {
		switch {
		case o.Method != status.MethodPrompt:
			m.Ways = append(m.Ways, l.way(o, s))
		case i == 0:
			m.Fields = true
		default:
			m.Reveal = l.text("identify.use_password")
		}
	}
	if len(m.Ways) > 0 {
		m.Opens = l.text("identify.browser_opens")
	}
	offers := len(m.Ways) > 0 || m.Fields
	if offers && !s.Shared && s.Keyring != status.KeyringMissing {
		m.Stay = l.text("identify.stay")
	}
	notSet := s.Problem != nil && s.Problem.Code == status.ProblemNotConfigured
	if !offers && !notSet && !m.Busy && !findingOut(s) {
		m.Again = Button{l.text("button.try_again"), status.Action{Kind: status.ActionRetry}}
	}
}

// findingOut tells whether it is not known yet which ways there are.
func findingOut(s status.Snapshot) bool {
	return s.State == status.StateSignedOut && len(s.Offers) == 0 && s.Problem == nil && s.Ask == status.AskNothing
}

// browsing says what there is to do while a sign-in is under way in the browser: nothing else.
func (l Locale) browsing(m *Identify, s status.Snapshot) {
	if !m.Busy || s.Browsing.Method == "" || s.Browsing.Method == status.MethodPrompt {
		return
	}
	m.Ways, m.Opens, m.Fields, m.Reveal, m.Stay, m.Again = nil, "", false, "", "", Button{}
	switch {
	case s.Browsing.Confirm != "":
		m.Confirm = l.text("identify.confirm", "name", s.Browsing.Confirm)
		m.Continue = Button{l.text("button.continue"), status.Action{Kind: status.ActionContinue}}
		m.Other = l.otherAccount(s)
	case s.Browsing.Waiting:
		m.Waiting, m.Working = true, l.text("identify.waiting")
		m.OpenAgain = Button{l.text("button.open_again"), status.Action{Kind: status.ActionOpenAgain}}
	}
}

// question is the heading and the line under it.
func (l Locale) question(s status.Snapshot, m Identify) (heading, intro string) {
	switch s.Ask {
	case status.AskNamesChanged:
		heading, intro = l.text("identify.title.names_changed"), l.text("toast.new_name_body")
		if m.Fields {
			intro = l.text("identify.intro.names_changed")
		}
		return heading, intro
	case status.AskSessionEnded:
		heading, intro = l.text("identify.title.session_ended"), l.text("toast.session_ended")
		if m.Fields {
			intro = l.text("identify.intro.session_ended")
		}
		return heading, intro
	case status.AskWhoIsPrinting:
		heading, intro = l.text("identify.title.who_is_printing"), l.text("identify.intro.who_is_printing")
		if s.InBrowser && s.State == status.StateSignedOut { // the person before
			intro = l.text("toast.close_browser")
		}
		return heading, intro
	case status.AskNothing, status.AskFirstLaunch, status.AskConfirmServer:
	}
	heading = l.text("identify.title.first_launch")
	if findingOut(s) {
		return heading, l.text("state.starting")
	}
	if m.Again.Text != "" && s.Problem == nil {
		return heading, l.text("identify.intro.no_way")
	}
	if name := firstOf(s.OSAccount.Short, s.OSAccount.Name); name != "" && !s.Shared {
		return heading, l.text("identify.intro.known", "name", name)
	}
	return heading, l.text("identify.intro.plain")
}

// fieldOf is where a problem is said; a window that does not show the field says it with the rest.
func fieldOf(code status.ProblemCode) Field {
	switch code {
	case status.ProblemAmbiguousName, status.ProblemAccountDisabled:
		return FieldAccount
	case status.ProblemWrongCredentials, status.ProblemPasswordExpired:
		return FieldPassword
	case status.ProblemNone:
		return FieldNone
	default:
		return FieldForm
	}
}
