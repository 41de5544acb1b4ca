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

// details is the statement with its chart, one click away from the balance.
type details struct {
	w       *Window
	content fyne.CanvasObject
	scroll  *container.Scroll
	body    *fyne.Container
	back    *button

	data    *status.Details
	asked   bool         // an answer is under way
	shownAt status.Money // the balance that data belongs to
}

func newDetails(w *Window) *details {
	p := &details{w: w, body: column(gapWide)}
	p.back = newBack(w)
	p.scroll = newScroll(p.body)
	p.content = paged(container.NewBorder(
		column(gap, head(p.back, w.locale().Text("details.title")), line()), nil, nil, nil, p.scroll))
	return p
}

// newBack is the way back to the first view.
func newBack(w *Window) *button {
	b := newButton(w.key, w.locale().Text("button.back"), widget.LowImportance, func() { w.Open(status.PageAuto) })
	b.SetIcon(theme.NavigateBackIcon())
	return b
}

// head is the top of a page with a way back.
func head(back *button, title string) fyne.CanvasObject {
	return container.NewBorder(nil, nil, back, nil, container.NewCenter(whole(look{size: theme.SizeNameSubHeadingText, bold: true}.label(title))))
}

func (p *details) object() fyne.CanvasObject { return p.content }
func (p *details) size() fyne.Size           { return fyne.NewSize(460, 560) }
func (p *details) focus() fyne.Focusable     { return nil }
func (p *details) key(e *fyne.KeyEvent)      { scrollBy(p.scroll, e.Name) }

func (p *details) update() {
	s := p.w.snapshot
	if s.HideBalance {
		p.draw()
		return
	}
	if b := s.Balance; p.data == nil || b != nil && *b != p.shownAt {
		p.fetch()
	}
	p.draw()
}

// fetch asks for the statement, one question at a time.
func (p *details) fetch() {
	if p.asked {
		return
	}
	p.asked = true
	if b := p.w.snapshot.Balance; b != nil {
		p.shownAt = *b
	}
	p.w.do(status.Action{Kind: status.ActionDetails}, func(r status.Result, err error) {
		p.asked = false
		switch {
		case err != nil:
			p.data = &status.Details{Problem: &status.Problem{Code: "no_answer"}}
		case r.Details != nil:
			p.data = r.Details
		default:
			p.data = &status.Details{Problem: r.Problem}
		}
		p.draw()
	})
}

func (p *details) draw() {
	m := view.DetailsOf(p.w.snapshot, p.data, p.w.locale(), p.w.now())
	p.body.RemoveAll()
	if m.Problem != "" {
		problem := newSaid()
		problem.set(m.Problem, widget.LowImportance, theme.InfoIcon())
		p.body.Add(problem.box)
	}
	if m.ChartTitle != "" && (len(m.Chart.Points) > 0 || m.NoChart != "") && p.data != nil {
		p.body.Add(plain.strong().object(m.ChartTitle))
		if len(m.Chart.Points) > 0 {
			p.body.Add(newChart(m.Chart))
		} else {
			p.body.Add(plain.wrapped().toned(widget.LowImportance).object(m.NoChart))
		}
	}
	if len(m.Rows) > 0 {
		p.body.Add(plain.strong().object(m.Transactions))
		p.body.Add(statement(m.Rows))
	}
	if m.NoRows != "" {
		p.body.Add(plain.wrapped().toned(widget.LowImportance).object(m.NoRows))
	}
	p.scroll.Refresh()
}

// statement is the rows: what and when at the left, amount and balance at the right.
func statement(rows []view.Row) fyne.CanvasObject {
	all := column(gap)
	for i, r := range rows {
		if i > 0 {
			all.Add(line())
		}
		amount := plain.strong().right()
		if r.In {
			amount = amount.toned(widget.SuccessImportance)
		}
		all.Add(container.NewBorder(nil, nil, nil,
			column(gapTight, flush(whole(amount.label(figures(r.Amount)))), flush(whole(quiet.right().label(figures(r.Balance))))),
			column(gapTight, plain.object(r.What), quiet.object(r.When))))
	}
	return all
}

// newScroll scrolls a body, with room for the bar at its right.
func newScroll(body fyne.CanvasObject) *container.Scroll {
	return container.NewVScroll(container.New(layout.NewCustomPaddedLayout(gap, gap, 0, margin-2), body))
}

// scrollBy moves a scrolled page by keys.
func scrollBy(s *container.Scroll, key fyne.KeyName) {
	const step = 40
	move := map[fyne.KeyName]float32{
		fyne.KeyUp: -step, fyne.KeyDown: step, fyne.KeyPageUp: -s.Size().Height + step, fyne.KeyPageDown: s.Size().Height - step,
	}
	switch key {
	case fyne.KeyHome:
		s.ScrollToTop()
	case fyne.KeyEnd:
		s.ScrollToBottom()
	default:
		most := max(s.Content.MinSize().Height-s.Size().Height, 0)
		s.ScrollToOffset(fyne.NewPos(s.Offset.X, min(max(s.Offset.Y+move[key], 0), most)))
	}
}
