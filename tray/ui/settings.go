package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/tray/view"
)

// settings shows every setting with its origin, and the versions. It changes nothing: settings come from files and
// policy.
type settings struct {
	w       *Window
	content fyne.CanvasObject
	scroll  *container.Scroll
	body    *fyne.Container
	back    *button
	data    *status.Details
	asked   bool
}

func newSettings(w *Window) *settings {
	p := &settings{w: w, body: column(gapWide)}
	p.back = newBack(w)
	p.scroll = newScroll(p.body)
	p.content = paged(container.NewBorder(
		column(gap, head(p.back, w.locale().Text("settings.title")), line()), nil, nil, nil, p.scroll))
	return p
}

func (p *settings) object() fyne.CanvasObject { return p.content }
func (p *settings) size() fyne.Size           { return fyne.NewSize(500, 560) }
func (p *settings) focus() fyne.Focusable     { return nil }
func (p *settings) key(e *fyne.KeyEvent)      { scrollBy(p.scroll, e.Name) }

func (p *settings) update() {
	if p.data == nil && !p.asked {
		p.asked = true
		p.w.do(status.Action{Kind: status.ActionDetails}, func(r status.Result, err error) {
			p.asked = false
			if err == nil && r.Details != nil {
				p.data = r.Details
			} else {
				p.data = &status.Details{}
			}
			p.draw()
		})
	}
	p.draw()
}

func (p *settings) draw() {
	m := view.SettingsOf(p.w.snapshot, p.data, p.w.locale())
	p.body.RemoveAll()
	about := column(gapTight)
	for _, f := range m.About {
		about.Add(fact(f))
	}
	p.body.Add(about)
	if m.Help != "" {
		p.body.Add(plain.wrapped().object(m.Help))
	}
	if m.Loading != "" {
		p.body.Add(plain.toned(widget.LowImportance).object(m.Loading))
	}
	for _, f := range m.Settings {
		p.body.Add(line())
		p.body.Add(column(gapTight, fact(f), quiet.wrapped().object(f.Origin)))
	}
	p.scroll.Refresh()
}

// fact is a name at the left and its value at the right of it.
func fact(f view.Fact) fyne.CanvasObject {
	return container.New(twoColumns{left: 190}, plain.strong().object(f.Name), plain.wrapped().object(f.Value))
}

// twoColumns gives its first object a fixed width and the second the rest.
type twoColumns struct{ left float32 }

// MinSize implements fyne.Layout.
func (t twoColumns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(t.left+b.Width, max(a.Height, b.Height))
}

// Layout implements fyne.Layout.
func (t twoColumns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(t.left-gap, objects[0].MinSize().Height))
	objects[1].Move(fyne.NewPos(t.left, 0))
	objects[1].Resize(fyne.NewSize(size.Width-t.left, size.Height))
}
