package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/tray/view"
)

// identify is the identification page. Its one primary button is Sign in; what is pre-filled is never sent by itself.
type identify struct {
	w       *Window
	content fyne.CanvasObject

	heading, intro, known, help  *widget.Label
	helpLine, knownLine          *fyne.Container
	accountLabel, passwordLabel  *widget.Label
	account, password            *entry
	stay                         *check
	atAccount, atPassword, below *said
	submit, cancel, details      *button
	busy                         *fyne.Container // instead of submit while a sign-in is under way
	turning                      *widget.Activity
	working                      *widget.Label
	stayLine                     *fyne.Container

	model   view.Identify
	touched bool // the person has typed an account: it is theirs
	sending bool // a sign-in of this window is under way
	missing view.Field
}

func newIdentify(w *Window) *identify {
	p := &identify{w: w}
	p.heading, p.intro, p.help = heading.label(""), plain.wrapped().toned(widget.LowImportance).label(""), quiet.wrapped().label("")
	p.accountLabel, p.passwordLabel = plain.strong().label(""), plain.strong().label("")
	p.account, p.password = newEntry(w.key, false), newEntry(w.key, true)
	p.account.OnChanged = func(text string) {
		p.touched = p.touched || text != p.model.Account
		p.clearMissing(view.FieldAccount)
	}
	p.password.OnChanged = func(string) { p.clearMissing(view.FieldPassword) }
	p.account.OnSubmitted = func(string) { p.send() }
	p.password.OnSubmitted = func(string) { p.send() }
	p.atAccount, p.atPassword, p.below = newSaid(), newSaid(), newSaid()
	p.stay = newCheck(w.key, "")
	p.submit = newButton(w.key, "", widget.HighImportance, p.send)
	p.cancel = newButton(w.key, "", widget.MediumImportance, func() {
		w.do(status.Action{Kind: status.ActionCancelSignIn}, nil)
	})
	p.details = newButton(w.key, "", widget.LowImportance, p.copyDetails)
	p.turning, p.working = widget.NewActivity(), plain.label("")
	p.busy = container.NewBorder(nil, nil, p.turning, p.cancel, p.working)
	p.stayLine = container.New(outdent{}, p.stay)
	p.known = plain.label("")
	p.helpLine, p.knownLine = flush(p.help), flush(p.known)
	p.content = padded(column(gapWide,
		column(gap, flush(p.heading), p.knownLine, flush(p.intro)),
		column(gapTight, flush(p.accountLabel), p.account, p.atAccount.box),
		column(gapTight, flush(p.passwordLabel), p.password, p.atPassword.box),
		p.stayLine,
		p.below.box,
		column(gap, p.submit, p.busy, p.details),
		p.helpLine,
	))
	return p
}

func (p *identify) object() fyne.CanvasObject { return p.content }
func (p *identify) size() fyne.Size           { return fyne.NewSize(370, 0) }
func (p *identify) key(*fyne.KeyEvent)        {}

func (p *identify) focus() fyne.Focusable {
	if p.account.Disabled() {
		return nil
	}
	if p.account.Text != "" {
		return p.password
	}
	return p.account
}

func (p *identify) update() {
	m := view.IdentifyOf(p.w.snapshot, p.w.locale(), p.w.now())
	p.model = m
	p.heading.SetText(m.Heading)
	p.intro.SetText(m.Intro)
	p.known.SetText(figures(m.Known))
	show(p.knownLine, m.Known != "")
	p.accountLabel.SetText(m.AccountLabel)
	p.passwordLabel.SetText(m.PasswordLabel)
	p.help.SetText(m.Help)
	show(p.helpLine, m.Help != "")
	if !p.touched && p.account.Text != m.Account {
		p.account.SetText(m.Account)
	}
	p.stay.SetText(m.Stay)
	show(p.stayLine, m.Stay != "")
	p.submit.SetText(m.Submit)
	p.cancel.SetText(m.Cancel)
	p.working.SetText(m.Working)
	if p.details.Text != m.Copied {
		p.details.SetText(m.Copy)
	}
	p.say()
	p.lock(m.Busy || p.sending)
}

// say shows the problem under the field it concerns, or what the person left out.
func (p *identify) say() {
	l := p.w.locale()
	texts := map[view.Field]string{p.model.ErrorField: p.model.Error}
	if p.sending {
		texts = nil
	}
	switch p.missing {
	case view.FieldAccount:
		texts = map[view.Field]string{p.missing: l.Text("identify.account_missing")}
	case view.FieldPassword:
		texts = map[view.Field]string{p.missing: l.Text("identify.password_missing")}
	case view.FieldNone, view.FieldForm:
	}
	for field, line := range map[view.Field]*said{
		view.FieldAccount: p.atAccount, view.FieldPassword: p.atPassword, view.FieldForm: p.below,
	} {
		line.set(texts[field], widget.DangerImportance, theme.ErrorIcon())
	}
	show(p.details, p.missing == view.FieldNone && !p.sending && p.model.Details != "")
}

// lock is the page while a sign-in is under way.
func (p *identify) lock(busy bool) {
	for _, w := range []fyne.Disableable{p.account, p.password, p.stay} {
		if busy != w.Disabled() {
			if busy {
				w.Disable()
			} else {
				w.Enable()
			}
		}
	}
	show(p.submit, !busy)
	show(p.busy, busy)
	if busy {
		p.turning.Start()
	} else {
		p.turning.Stop()
	}
}

func (p *identify) clearMissing(field view.Field) {
	if p.missing == field && field != view.FieldNone {
		p.missing = view.FieldNone
		p.say()
		p.w.fit()
	}
}

// send signs in with what stands in the fields.
func (p *identify) send() {
	if p.sending || p.account.Disabled() {
		return
	}
	account := strings.TrimSpace(p.account.Text)
	switch {
	case account == "":
		p.leftOut(view.FieldAccount, p.account)
		return
	case p.password.Text == "":
		p.leftOut(view.FieldPassword, p.password)
		return
	}
	p.missing, p.sending = view.FieldNone, true
	p.update()
	p.w.fit()
	p.w.window.Canvas().Unfocus()
	p.w.do(status.Action{
		Kind: status.ActionSignIn, Username: account, Password: secret.New(p.password.Text),
		StaySignedIn: p.stay.Checked && p.stayLine.Visible(),
	}, p.answered)
}

func (p *identify) leftOut(field view.Field, where *entry) {
	p.missing = field
	p.say()
	p.w.fit()
	p.w.window.Canvas().Focus(where)
}

// answered is the end of a sign-in. After a refusal the name stays and the password goes.
func (p *identify) answered(result status.Result, err error) {
	p.sending = false
	p.password.SetText("")
	if p.w.page != p { // signed in: another page is shown already
		return
	}
	s := p.w.snapshot
	switch {
	case err != nil:
		s.Problem = &status.Problem{Code: "no_answer", Details: err.Error()}
	case !result.OK && result.Problem != nil:
		s.Problem = result.Problem
	case result.OK:
		p.update()
		return
	}
	if s.State == status.StateSigningIn { // its snapshot may come after its answer
		s.State = status.StateSignedOut
	}
	p.w.snapshot = s
	p.update()
	p.w.fit()
	where := p.password
	if p.model.ErrorField == view.FieldAccount {
		where = p.account
	}
	p.w.window.Canvas().Focus(where)
}

// copyDetails puts what a helpdesk needs on the clipboard.
func (p *identify) copyDetails() {
	p.w.app.Clipboard().SetContent(p.model.Details)
	p.details.SetText(p.model.Copied)
}
