package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

// balance is the small page of every day.
type balance struct {
	w       *Window
	content fyne.CanvasObject

	name, amount, username *widget.Label
	amountLine, userLine   *fyne.Container
	line                   *said
	primary, details, sign *button
	settings               *button
	model                  view.Balance
}

func newBalance(w *Window) *balance {
	p := &balance{w: w}
	p.name, p.username = plain.strong().label(""), quiet.label("")
	p.amount = whole(look{size: sizeAmount, bold: true}.label(""))
	p.amountLine, p.userLine = flush(p.amount), flush(p.username)
	p.line = newSaid()
	p.primary = newButton(w.key, "", widget.HighImportance, func() { w.do(p.model.Primary.Action, nil) })
	p.details = newButton(w.key, "", widget.MediumImportance, func() { w.Open(status.PageDetails) })
	p.sign = newButton(w.key, "", widget.LowImportance, p.pressSign)
	p.settings = newButton(w.key, "", widget.LowImportance, func() { w.Open(status.PageSettings) })
	p.settings.SetIcon(theme.SettingsIcon())
	top := container.NewBorder(nil, nil, nil, p.settings, container.New(layout.NewCustomPaddedLayout(5, 0, 0, 0), flush(p.name)))
	p.content = container.New(layout.NewCustomPaddedLayout(margin-6, margin-4, margin, margin-4), column(2,
		top,
		p.amountLine,
		p.userLine,
		p.line.box,
		spacer(10),
		row(gap, p.primary, p.details, layout.NewSpacer(), p.sign),
	))
	return p
}

func (p *balance) object() fyne.CanvasObject { return p.content }
func (p *balance) size() fyne.Size           { return fyne.NewSize(320, 0) }
func (p *balance) key(*fyne.KeyEvent)        {}
func (p *balance) focus() fyne.Focusable     { return nil }

func (p *balance) update() {
	m := view.BalanceOf(p.w.snapshot, p.w.locale(), p.w.now())
	p.model = m
	p.name.SetText(m.Name)
	p.amount.SetText(figures(m.Amount))
	show(p.amountLine, m.Amount != "")
	p.username.SetText(m.Username)
	show(p.userLine, m.Username != "" && m.Line == "")
	importance, icon := toneOf(m.Tone)
	p.line.set(m.Line, importance, icon)
	p.primary.SetText(m.Primary.Text)
	show(p.primary, m.Primary.Text != "")
	p.details.SetText(m.Details)
	show(p.details, m.Details != "")
	p.sign.SetText(m.Sign.Text)
	show(p.sign, m.Sign.Text != "")
	p.content.Refresh()
}

// toneOf says by colour and sign how a line is meant; the words say it, too.
func toneOf(tone view.Tone) (widget.Importance, fyne.Resource) {
	switch tone {
	case view.ToneLow:
		return widget.WarningImportance, theme.WarningIcon()
	case view.ToneEmpty, view.ToneProblem:
		return widget.DangerImportance, theme.ErrorIcon()
	case view.ToneOffline:
		return widget.LowImportance, theme.InfoIcon()
	case view.ToneQuiet:
		return widget.LowImportance, nil
	default:
		return widget.MediumImportance, nil
	}
}

// pressSign signs out, or leads to where one signs in.
func (p *balance) pressSign() {
	if p.model.Sign.Action.Kind == status.ActionOpen {
		p.w.Open(p.model.Sign.Action.Page)
		return
	}
	p.w.do(p.model.Sign.Action, nil)
}
