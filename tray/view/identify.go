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

// Identify is the model of the identification window.
type Identify struct {
	Heading string
	Intro   string
	Known   string // the last known balance after a session has ended; "" where there is none to show
	Help    string // whom to ask, in the site's words; "" where unknown

	AccountLabel  string
	Account       string // to be pre-filled, never to be submitted by itself
	PasswordLabel string
	Stay          string // "" where a sign-in cannot or must not be kept

	Submit  string
	Cancel  string
	Busy    bool // a sign-in is under way: fields are locked, Cancel is offered
	Working string

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
	if !s.Shared && s.Keyring != status.KeyringMissing {
		m.Stay = l.text("identify.stay")
	}
	m.Heading, m.Intro = l.question(s)
	if amount := l.shownAmount(s); amount != "" && s.State == status.StateSignedOut && !s.BalanceAt.IsZero() {
		m.Known = amount + " · " + l.text("state.stale_age", "age", l.age(s.BalanceAt, now))
	}
	if s.Ask == status.AskWhoIsPrinting {
		m.Account = ""
	}
	if m.Error = l.sentence(s.Problem, s); m.Error != "" && !m.Busy {
		m.ErrorField = fieldOf(s.Problem.Code)
		m.Details = forHelpdesk(s.Problem, s, now)
	} else {
		m.Error = ""
	}
	return m
}

// question is the heading and the line under it.
func (l Locale) question(s status.Snapshot) (heading, intro string) {
	switch s.Ask {
	case status.AskNamesChanged:
		return l.text("identify.title.names_changed"), l.text("identify.intro.names_changed")
	case status.AskSessionEnded:
		return l.text("identify.title.session_ended"), l.text("identify.intro.session_ended")
	case status.AskWhoIsPrinting:
		return l.text("identify.title.who_is_printing"), l.text("identify.intro.who_is_printing")
	case status.AskNothing, status.AskFirstLaunch:
	}
	heading = l.text("identify.title.first_launch")
	if name := firstOf(s.OSAccount.Short, s.OSAccount.Name); name != "" && !s.Shared {
		return heading, l.text("identify.intro.known", "name", name)
	}
	return heading, l.text("identify.intro.plain")
}

func fieldOf(code status.ProblemCode) Field {
	switch code {
	case status.ProblemAmbiguousName, status.ProblemAccountDisabled:
		return FieldAccount
	case status.ProblemWrongCredentials, status.ProblemPasswordExpired:
		return FieldPassword
	case status.ProblemNone:
		return FieldNone
	case status.ProblemLimited, status.ProblemInvalid, status.ProblemDirectoryUnavailable, status.ProblemUnreachable,
		status.ProblemNotConfigured, status.ProblemCertificate, status.ProblemCertificateExpired, status.ProblemClock,
		status.ProblemServer, status.ProblemConfig:
		return FieldForm
	default:
		return FieldForm
	}
}
