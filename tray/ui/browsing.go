package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/tray/view"
)

// waiting is what is to be seen while it is the person's turn in the browser.
type waiting struct {
	box           *fyne.Container
	turning       *widget.Activity
	text          *widget.Label
	again, cancel *button
}

func newWaiting(k keys, again, cancel func()) *waiting {
	w := &waiting{turning: widget.NewActivity(), text: plain.wrapped().label("")}
	w.again = newButton(k, "", widget.MediumImportance, again)
	w.cancel = newButton(k, "", widget.LowImportance, cancel)
	sign := container.New(atTop{size: 18}, w.turning)
	w.box = column(gapWide,
		container.New(layout.NewBorderLayout(nil, nil, sign, nil), sign, flush(w.text)),
		row(gap, w.again, layout.NewSpacer(), w.cancel),
	)
	return w
}

func (w *waiting) set(m view.Identify) {
	w.text.SetText(m.Working)
	w.again.SetText(m.OpenAgain.Text)
	w.cancel.SetText(m.Cancel)
}

func (w *waiting) show(visible bool) {
	show(w.box, visible)
	running(w.turning, visible)
}

// confirm is the question whether somebody else than expected is meant.
type confirm struct {
	box        *fyne.Container
	text       *widget.Label
	yes, other *button
}

func newConfirm(k keys, yes, other func()) *confirm {
	c := &confirm{text: plain.wrapped().label("")}
	c.yes = newButton(k, "", widget.HighImportance, yes)
	c.other = newButton(k, "", widget.MediumImportance, other)
	c.box = column(gapWide, flush(c.text), column(gap, c.yes, c.other))
	return c
}

func (c *confirm) set(m view.Identify) {
	c.text.SetText(m.Confirm)
	c.yes.SetText(m.Continue.Text)
	c.other.SetText(m.Other.Text)
}

// running lets a sign of work turn or stand.
func running(a *widget.Activity, on bool) {
	if on {
		a.Start()
	} else {
		a.Stop()
	}
}
