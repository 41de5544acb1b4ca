package ui

import (
	"reflect"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/secret"
	"github.com/platenprint/platen/tray/view"
)

// secondClick is how long buttons that have just appeared take no answer: a double click is meant for the one that was
// there before.
const secondClick = 500 * time.Millisecond

// face is one of the looks of the identification page.
type face int

const (
	faceNone    face = iota
	faceForm         // fields and buttons
	faceBusy         // a sign-in is under way
	faceWaiting      // it is the person's turn in the browser
	faceConfirm      // somebody else than expected signed in there
)

// identify is the identification page. It has one primary button at a time, which Return presses; what is pre-filled is
// never sent by itself.
type identify struct {
	w       *Window
	content fyne.CanvasObject

	heading, intro, known, help  *widget.Label
	helpLine, knownLine          *fyne.Container
	accountLabel, passwordLabel  *widget.Label
	account, password            *entry
	accountBox, passwordBox      *fyne.Container
	stay                         *check
	stayLine                     *fyne.Container
	atAccount, atPassword, below *said
	submit, reveal, again        *button
	ways                         []*button
	waysBox                      *fyne.Container
	opens                        *fyne.Container // said under the first way
	details                      *button

	busy    *fyne.Container // instead of submit while a sign-in is under way
	turning *widget.Activity
	working *widget.Label
	cancel  *button
	waiting *waiting
	confirm *confirm

	model    view.Identify
	face     face
	since    time.Time       // when face came; zero for the first one
	shown    []view.Button   // what ways are
	problem  status.Problem  // the last one that was shown
	stray    *status.Problem // what the resident does not know of: somebody cancelled in the browser
	touched  bool            // the person has typed an account: it is theirs
	revealed bool            // they want to use account and password
	sending  bool            // a sign-in of this window is under way
	tries    int             // of this window; only the last one's answer counts
	stopped  bool            // and they have cancelled it here
	missing  view.Field
}

func newIdentify(w *Window) *identify {
	p := &identify{w: w}
	p.heading, p.intro, p.help = heading.label(""), plain.wrapped().toned(widget.LowImportance).label(""), quiet.wrapped().label("")
	p.known = plain.label("")
	p.helpLine, p.knownLine = flush(p.help), flush(p.known)
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
	p.accountBox = column(gapTight, flush(p.accountLabel), p.account, p.atAccount.box)
	p.passwordBox = column(gapTight, flush(p.passwordLabel), p.password, p.atPassword.box)
	p.stay = newCheck(w.key, "")
	p.stayLine = container.New(outdent{}, p.stay)
	p.buttons()
	p.content = padded(column(gapWide,
		column(gap, flush(p.heading), p.knownLine, flush(p.intro)),
		p.accountBox,
		p.passwordBox,
		p.stayLine,
		p.below.box,
		column(gap, p.submit, p.waysBox, p.again, p.busy, p.waiting.box, p.confirm.box, p.reveal, p.details),
		p.helpLine,
	))
	return p
}

func (p *identify) buttons() {
	w := p.w
	p.submit = newButton(w.key, "", widget.HighImportance, p.send)
	p.waysBox, p.opens = column(gap), flush(quiet.wrapped().label(w.locale().Text("identify.browser_opens")))
	p.reveal = newButton(w.key, "", widget.LowImportance, p.pressReveal)
	p.again = newButton(w.key, "", widget.HighImportance, func() { w.do(p.model.Again.Action, nil) })
	p.details = newButton(w.key, "", widget.LowImportance, p.copyDetails)
	p.cancel = newButton(w.key, "", widget.MediumImportance, p.pressCancel)
	p.turning, p.working = widget.NewActivity(), plain.label("")
	p.busy = container.NewBorder(nil, nil, p.turning, p.cancel, p.working)
	p.waiting = newWaiting(w.key, func() { p.press(p.model.OpenAgain.Action) }, p.pressCancel)
	p.confirm = newConfirm(w.key, func() { p.press(p.model.Continue.Action) }, func() { p.press(p.model.Other.Action) })
}

func (p *identify) object() fyne.CanvasObject { return p.content }
func (p *identify) size() fyne.Size           { return fyne.NewSize(370, 0) }

// focus is on the first empty field. Without fields nothing has it: Return presses the primary button anyway.
func (p *identify) focus() fyne.Focusable {
	switch {
	case p.face != faceForm || !p.fields():
		return nil
	case p.account.Text != "":
		return p.password
	default:
		return p.account
	}
}

// key takes Return for the primary button.
func (p *identify) key(e *fyne.KeyEvent) {
	if e.Name != fyne.KeyReturn && e.Name != fyne.KeyEnter {
		return
	}
	switch p.face {
	case faceForm:
		switch {
		case p.fields():
			p.send()
		case len(p.ways) > 0:
			p.ways[0].OnTapped()
		case p.again.Visible():
			p.again.OnTapped()
		}
	case faceWaiting:
		p.waiting.again.OnTapped()
	case faceConfirm:
		p.confirm.yes.OnTapped()
	case faceNone, faceBusy:
	}
}

// fields tells whether account and password are to be seen.
func (p *identify) fields() bool { return p.model.Fields || p.revealed && p.model.Reveal != "" }

func (p *identify) update() {
	s := p.w.snapshot
	if s.Problem == nil {
		s.Problem = p.stray
	}
	p.look(s.Problem)
	m := view.IdentifyOf(s, p.w.locale(), p.w.now())
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
	p.submit.SetText(m.Submit)
	p.reveal.SetText(m.Reveal)
	p.again.SetText(m.Again.Text)
	p.cancel.SetText(m.Cancel)
	p.working.SetText(m.Working)
	p.waiting.set(m)
	p.confirm.set(m)
	if p.details.Text != m.Copied {
		p.details.SetText(m.Copy)
	}
	p.drawWays()
	p.turn()
	p.say()
}

// look hides the fields again when a new problem says that something else is needed.
func (p *identify) look(problem *status.Problem) {
	now := status.Problem{}
	if problem != nil {
		now = *problem
	}
	if now == p.problem {
		return
	}
	p.problem = now
	p.details.Text = "" // of the one before
	if now.Method != "" && now.Method != status.MethodPrompt {
		p.revealed = false
	}
}

// drawWays makes a button for each way of signing in elsewhere. Those that stay keep the focus.
func (p *identify) drawWays() {
	if !reflect.DeepEqual(p.shown, p.model.Ways) {
		p.shown = p.model.Ways
		p.ways = nil
		p.waysBox.RemoveAll()
		for i, way := range p.shown {
			b := newButton(p.w.key, way.Text, widget.MediumImportance, func() { p.start(way.Action) })
			p.ways = append(p.ways, b)
			p.waysBox.Add(b)
			if i == 0 {
				p.waysBox.Add(p.opens)
			}
		}
	}
	primary := !p.fields()
	show(p.opens, primary)
	for i, b := range p.ways {
		want := widget.MediumImportance
		if i == 0 && primary {
			want = widget.HighImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
}

// turn shows the face that fits.
func (p *identify) turn() {
	want := faceForm
	switch {
	case p.model.Confirm != "":
		want = faceConfirm
	case p.model.Waiting:
		want = faceWaiting
	case p.model.Busy || p.sending:
		want = faceBusy
	}
	form, fields := want == faceForm, p.fields()
	for _, w := range []fyne.Disableable{p.account, p.password, p.stay} {
		if form == w.Disabled() {
			if form {
				w.Enable()
			} else {
				w.Disable()
			}
		}
	}
	show(p.accountBox, fields)
	show(p.passwordBox, fields)
	show(p.stayLine, p.model.Stay != "" && (form || fields))
	show(p.submit, form && fields)
	show(p.waysBox, form && len(p.ways) > 0)
	show(p.again, form && p.model.Again.Text != "")
	show(p.reveal, form && p.model.Reveal != "" && !fields)
	show(p.busy, want == faceBusy)
	running(p.turning, want == faceBusy)
	p.waiting.show(want == faceWaiting)
	show(p.confirm.box, want == faceConfirm)
	if want == p.face {
		return
	}
	before := p.face
	p.face = want
	if before != faceNone {
		p.since = p.w.now()
		p.refocus()
	}
}

// refocus puts the focus where typing belongs: what had it may be hidden by now, and would still take keys.
func (p *identify) refocus() {
	if f := p.focus(); f != nil {
		p.w.window.Canvas().Focus(f)
		return
	}
	p.w.window.Canvas().Unfocus()
}

// say shows the problem under the field it concerns, or what the person left out.
func (p *identify) say() {
	l, form := p.w.locale(), p.face == faceForm
	texts := map[view.Field]string{}
	if form {
		texts[p.model.ErrorField] = p.model.Error
	}
	switch p.missing {
	case view.FieldAccount:
		texts = map[view.Field]string{p.missing: l.Text("identify.account_missing")}
	case view.FieldPassword:
		texts = map[view.Field]string{p.missing: l.Text("identify.password_missing")}
	case view.FieldNone, view.FieldForm:
	}
	if !p.fields() { // one place for all
		texts = map[view.Field]string{view.FieldForm: texts[view.FieldForm] + texts[view.FieldAccount] + texts[view.FieldPassword]}
	}
	for field, line := range map[view.Field]*said{
		view.FieldAccount: p.atAccount, view.FieldPassword: p.atPassword, view.FieldForm: p.below,
	} {
		line.set(texts[field], widget.DangerImportance, theme.ErrorIcon())
	}
	show(p.details, form && p.missing == view.FieldNone && p.model.Details != "")
}

func (p *identify) clearMissing(field view.Field) {
	if p.missing == field && field != view.FieldNone {
		p.missing = view.FieldNone
		p.say()
		p.w.fit()
	}
}

// pressReveal shows account and password.
func (p *identify) pressReveal() {
	p.revealed = true
	p.update()
	p.w.fit()
	p.refocus()
}

// send signs in with what stands in the fields.
func (p *identify) send() {
	if p.face != faceForm {
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
	p.ask(status.Action{Kind: status.ActionSignIn, Method: status.MethodPrompt, Username: account, Password: secret.New(p.password.Text)})
}

// start signs in elsewhere. An account that was typed here is whom to expect there.
func (p *identify) start(a status.Action) {
	if p.face != faceForm {
		return
	}
	if p.touched && !a.OtherAccount {
		a.Username = strings.TrimSpace(p.account.Text)
	}
	p.ask(a)
}

func (p *identify) ask(a status.Action) {
	a.StaySignedIn = p.stay.Checked && p.stayLine.Visible()
	if a.Method != status.MethodPrompt {
		p.password.SetText("")
	}
	p.missing, p.sending, p.stopped, p.stray = view.FieldNone, true, false, nil
	p.tries++
	try := p.tries
	p.update()
	p.w.fit()
	p.w.signIn(a, func(result status.Result, err error) {
		if try == p.tries {
			p.answered(a, result, err)
		}
	})
}

func (p *identify) leftOut(field view.Field, where *entry) {
	p.missing = field
	p.say()
	p.w.fit()
	p.w.window.Canvas().Focus(where)
}

// press does what a button says that came while a sign-in was under way.
func (p *identify) press(a status.Action) {
	if p.tooEarly() {
		return
	}
	if a.Kind == status.ActionSignIn { // ends the one under way
		a.StaySignedIn, p.sending = p.stay.Checked, false
		p.tries++
	}
	p.w.do(a, nil)
}

func (p *identify) pressCancel() {
	if p.tooEarly() {
		return
	}
	p.stopped = true
	p.w.do(status.Action{Kind: status.ActionCancelSignIn}, nil)
}

func (p *identify) tooEarly() bool { return !p.since.IsZero() && p.w.now().Sub(p.since) < secondClick }

// answered is the end of a sign-in. After a refusal the name stays and the password goes.
func (p *identify) answered(a status.Action, result status.Result, err error) {
	p.sending = false
	p.password.SetText("")
	if p.w.page != p { // signed in: another page is shown already
		return
	}
	s := p.w.snapshot
	switch {
	case err != nil:
		s.Problem = &status.Problem{Code: "no_answer", Details: err.Error()}
	case p.stopped, result.OK, result.Problem == nil:
	case a.Method != status.MethodPrompt && result.Problem.Code == status.ProblemInvalid:
		// Nothing was typed that could be invalid: it was cancelled in the browser, or by the tray.
		p.stray = &status.Problem{Code: result.Problem.Code, Sentence: "microsoft.cancelled", Details: result.Problem.Details}
	default:
		s.Problem = result.Problem
	}
	if !result.OK && s.State == status.StateSigningIn { // its snapshot may come after its answer
		s.State, s.Browsing = status.StateSignedOut, status.Browsing{}
	}
	p.w.snapshot = s
	p.update()
	p.w.fit()
	if p.face != faceForm || result.OK {
		return
	}
	if p.fields() && p.model.ErrorField == view.FieldAccount {
		p.w.window.Canvas().Focus(p.account)
		return
	}
	p.refocus()
}

// leaves tells whether closing the window leaves a sign-in alone: the person goes on in the browser.
func (p *identify) leaves() bool { return p.face == faceWaiting }

// copyDetails puts what a helpdesk needs on the clipboard.
func (p *identify) copyDetails() {
	p.w.app.Clipboard().SetContent(p.model.Details)
	p.details.SetText(p.model.Copied)
}
