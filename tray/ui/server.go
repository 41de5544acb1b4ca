package ui

import (
	"reflect"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

// pageServer is the page that asks whether a print server is the person's, in the place of identification.
const pageServer status.Page = "server"

// server is that page. Return presses the primary button, but not before there was time to see it.
type server struct {
	w       *Window
	content fyne.CanvasObject

	heading, host, found, unsure *widget.Label
	yes, no                      *button
	below                        *said

	model view.AskServer
	since time.Time
	sent  bool // it was answered, and the resident has not gone on yet
}

func newServer(w *Window) *server {
	p := &server{w: w, since: w.now()}
	p.heading, p.host = plain.wrapped().label(""), heading.label("")
	p.found, p.unsure = plain.wrapped().toned(widget.LowImportance).label(""), quiet.wrapped().label("")
	p.yes = newButton(w.key, "", widget.HighImportance, func() { p.answer(p.model.Yes) })
	p.no = newButton(w.key, "", widget.MediumImportance, func() { p.answer(p.model.No) })
	p.below = newSaid()
	p.content = padded(column(gapWide,
		column(gap, flush(p.heading), flush(p.host), flush(p.found)),
		p.below.box,
		column(gap, p.yes, p.no),
		flush(p.unsure),
	))
	return p
}

func (p *server) object() fyne.CanvasObject { return p.content }
func (p *server) size() fyne.Size           { return fyne.NewSize(370, 0) }

// focus is nowhere: no key that was meant for something else answers.
func (p *server) focus() fyne.Focusable { return nil }

func (p *server) key(e *fyne.KeyEvent) {
	if (e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter) && p.model.No.Text != "" {
		p.yes.OnTapped()
	}
}

func (p *server) update() {
	if p.w.snapshot.Server != nil {
		m := view.AskServerOf(p.w.snapshot, p.w.locale())
		if !reflect.DeepEqual(m, p.model) { // another question, or another way of asking: it wants to be read first
			p.model, p.sent, p.since = m, false, p.w.now()
		}
	}
	m := p.model
	p.heading.SetText(m.Heading)
	p.host.SetText(m.Host)
	p.found.SetText(m.Found)
	p.unsure.SetText(m.Unsure)
	p.yes.SetText(m.Yes.Text)
	p.no.SetText(m.No.Text)
	show(p.no, m.No.Text != "")
	importance := widget.HighImportance
	if m.No.Text == "" { // they have said no: nothing presses this one by itself
		importance = widget.MediumImportance
	}
	if p.yes.Importance != importance {
		p.yes.Importance = importance
		p.yes.Refresh()
	}
	for _, b := range []*button{p.yes, p.no} {
		if p.sent {
			b.Disable()
		} else {
			b.Enable()
		}
	}
}

// answer says yes or no. A second click is one too many, and so is one that was meant for what was here before.
func (p *server) answer(b view.Button) {
	if p.sent || b.Text == "" || p.w.now().Sub(p.since) < secondClick {
		return
	}
	p.sent = true
	p.below.set("", widget.DangerImportance, nil)
	p.update()
	p.w.do(b.Action, func(r status.Result, err error) {
		if err == nil && r.OK {
			return // the next snapshot shows what comes
		}
		p.sent = false
		p.below.set(p.w.locale().Text("problem.other"), widget.DangerImportance, theme.ErrorIcon())
		p.update()
		p.w.fit()
	})
}
