package view

import (
	"strconv"
	"time"

	"github.com/platenprint/platen/client/status"
)

// Tone says how a line is meant. The window shows it by a sign and a colour, the words carry it alone.
type Tone string

// The tones.
const (
	ToneQuiet   Tone = "quiet"
	ToneLow     Tone = "low"
	ToneEmpty   Tone = "empty"
	ToneOffline Tone = "offline"
	ToneProblem Tone = "problem"
)

// Balance is the model of the balance window.
type Balance struct {
	Name     string // the person
	Username string // "" where it says no more than Name
	Amount   string // "" when there is none to show
	Line     string // under the amount; may be ""
	Tone     Tone   // of Line
	Primary  Button // the one thing worth doing now: Stay, Add credit, Try again; mostly none
	Details  string // label of the way to the details; "" where there are none to show
	Sign     Button // sign in, sign out or cancel
}

// BalanceOf says what the balance window shows.
func BalanceOf(s status.Snapshot, l Locale, now time.Time) Balance {
	b := Balance{Amount: l.shownAmount(s)}
	if s.User != nil {
		b.Name = firstOf(s.User.DisplayName, s.User.Username)
		if b.Name != s.User.Username {
			b.Username = s.User.Username
		}
	}
	if signedIn(s) && !s.HideBalance {
		b.Details = l.text("button.details")
	}
	switch {
	case s.State == status.StateSigningIn:
		b.Sign = Button{l.text("button.cancel"), status.Action{Kind: status.ActionCancelSignIn}}
	case signedIn(s):
		b.Sign = Button{l.text("button.sign_out"), status.Action{Kind: status.ActionSignOut}}
	case s.State == status.StateSignedOut:
		b.Sign = Button{l.text("button.sign_in"), open(status.PageSignIn)}
	}
	b.Line, b.Tone = l.balanceLine(s, now)
	b.Primary = l.primary(s, b.Tone)
	return b
}

func (l Locale) balanceLine(s status.Snapshot, now time.Time) (string, Tone) {
	amount := l.shownAmount(s)
	switch {
	case leaving(s):
		return l.signingOutIn(s.SignOutAt.Sub(now)), ToneLow
	case hinders(s.Problem):
		return l.sentence(s.Problem, s), ToneProblem
	case s.State == status.StateOffline && (amount == "" || s.BalanceAt.IsZero()):
		if s.User == nil && s.Problem != nil {
			return l.sentence(s.Problem, s), ToneOffline
		}
		return l.text("state.offline"), ToneOffline
	case s.State == status.StateOffline:
		return l.text("state.offline_age", "age", l.age(s.BalanceAt, now)), ToneOffline
	case s.State == status.StateSigningIn, s.State == status.StateSignedOut:
		return l.stateLine(s, now), ToneQuiet
	case s.State != status.StateFollowing:
		return l.text("state.starting"), ToneQuiet
	case s.Empty:
		return l.text("state.empty"), ToneEmpty
	case s.Low:
		return l.text("state.low"), ToneLow
	case s.HideBalance:
		return l.text("state.signed_in"), ToneQuiet
	case amount == "":
		return l.text("state.waiting"), ToneQuiet
	case s.Stale && !s.BalanceAt.IsZero():
		return l.text("state.stale_age", "age", l.age(s.BalanceAt, now)), ToneQuiet
	default:
		return "", ToneQuiet
	}
}

func (l Locale) primary(s status.Snapshot, tone Tone) Button {
	notSet := s.Problem != nil && s.Problem.Code == status.ProblemNotConfigured
	switch {
	case leaving(s):
		return Button{l.text("button.stay"), status.Action{Kind: status.ActionStay}}
	case tone == ToneOffline, tone == ToneProblem && !notSet:
		return Button{l.text("button.try_again"), status.Action{Kind: status.ActionRetry}}
	case s.TopUpURL != "" && (tone == ToneLow || tone == ToneEmpty):
		return Button{l.text("button.add_credit"), status.Action{Kind: status.ActionOpenTopUp}}
	default:
		return Button{}
	}
}

// leaving tells whether the person is about to be signed out because nobody seems to be there.
func leaving(s status.Snapshot) bool { return signedIn(s) && !s.SignOutAt.IsZero() }

// signingOutIn counts down. The last second is 1: at 0 it has happened.
func (l Locale) signingOutIn(left time.Duration) string {
	seconds := max(1, (left+time.Second-1)/time.Second)
	return l.text("state.signing_out_in", "seconds", strconv.Itoa(int(seconds)))
}

// PageOf says which page a window shows that was asked for the page wanted: identification as long as nobody is signed
// in, the balance as long as it is still being found out.
func PageOf(s status.Snapshot, wanted status.Page) status.Page {
	switch {
	case wanted == status.PageSettings:
		return wanted
	case signedIn(s) && wanted == status.PageDetails:
		return wanted
	case s.State == status.StateSignedOut, s.State == status.StateSigningIn, s.State == status.StateOffline && !signedIn(s):
		return status.PageSignIn
	default:
		return status.PageBalance
	}
}
