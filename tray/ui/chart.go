package ui

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/platenprint/platen/tray/view"
)

// chart draws the balance of the last days: a curve, the area under it, a zero line where there was a minus, and the dot of
// today.
type chart struct {
	widget.BaseWidget
	model view.Chart
}

func newChart(m view.Chart) *chart {
	c := &chart{model: m}
	c.ExtendBaseWidget(c)
	return c
}

// CreateRenderer implements fyne.Widget.
func (c *chart) CreateRenderer() fyne.WidgetRenderer {
	r := &chartRenderer{chart: c, axis: canvas.NewLine(color.Transparent), zero: canvas.NewLine(color.Transparent), today: canvas.NewCircle(color.Transparent)}
	r.area = canvas.NewRaster(r.drawArea)
	for range c.model.Points[1:] {
		r.curve = append(r.curve, canvas.NewLine(color.Transparent))
	}
	for _, text := range []string{c.model.Top, c.model.Bottom, c.model.FirstDay, c.model.LastDay} {
		r.texts = append(r.texts, canvas.NewText(figures(text), color.Transparent))
	}
	r.Refresh()
	return r
}

type chartRenderer struct {
	chart      *chart
	axis, zero *canvas.Line
	area       *canvas.Raster
	fill       color.NRGBA
	curve      []*canvas.Line
	today      *canvas.Circle
	texts      []*canvas.Text // top, bottom, first day, last day
}

const (
	chartHeight = 150
	dotSize     = 7
)

// drawArea fills what lies between the curve and the line of nothing.
func (r *chartRenderer) drawArea(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	points := r.chart.model.Points
	ground := float64(h) * (1 - r.chart.model.Zero)
	next := 1
	for x := range w {
		at := (float64(x) + 0.5) / float64(w)
		for next < len(points)-1 && points[next].X < at {
			next++
		}
		a, b := points[next-1], points[next]
		share := min(max((at-a.X)/max(b.X-a.X, 1e-9), 0), 1)
		curve := float64(h) * (1 - a.Y - share*(b.Y-a.Y))
		for y := int(min(curve, ground)); y < int(max(curve, ground)); y++ {
			img.SetNRGBA(x, y, r.fill)
		}
	}
	return img
}

// MinSize implements fyne.WidgetRenderer.
func (r *chartRenderer) MinSize() fyne.Size { return fyne.NewSize(200, chartHeight) }

// Layout implements fyne.WidgetRenderer.
func (r *chartRenderer) Layout(size fyne.Size) {
	high := r.texts[0].MinSize().Height
	top, bottom := high+gapTight, size.Height-high-gap
	left, right := float32(0), size.Width-dotSize
	at := func(p view.ChartPoint) fyne.Position {
		return fyne.NewPos(left+float32(p.X)*(right-left), bottom-float32(p.Y)*(bottom-top))
	}
	ground := bottom
	if r.chart.model.HasZero {
		ground = at(view.ChartPoint{Y: r.chart.model.Zero}).Y
	}
	points := r.chart.model.Points
	for i, to := range points[1:] {
		r.curve[i].Position1, r.curve[i].Position2 = at(points[i]), at(to)
	}
	r.area.Move(fyne.NewPos(left, top))
	r.area.Resize(fyne.NewSize(right-left, bottom-top))
	end := at(points[len(points)-1])
	r.today.Resize(fyne.NewSquareSize(dotSize))
	r.today.Move(end.SubtractXY(dotSize/2., dotSize/2.))
	r.axis.Position1, r.axis.Position2 = fyne.NewPos(left, bottom), fyne.NewPos(size.Width, bottom)
	r.zero.Position1, r.zero.Position2 = fyne.NewPos(left, ground), fyne.NewPos(size.Width, ground)
	r.texts[0].Move(fyne.NewPos(left, 0))
	r.texts[1].Move(fyne.NewPos(left, bottom-high))
	r.texts[2].Move(fyne.NewPos(left, bottom+gapTight))
	r.texts[3].Move(fyne.NewPos(size.Width-r.texts[3].MinSize().Width, bottom+gapTight))
}

// Refresh implements fyne.WidgetRenderer: it takes the colours of the theme.
func (r *chartRenderer) Refresh() {
	settings := fyne.CurrentApp().Settings()
	colour := func(name fyne.ThemeColorName) color.Color {
		return settings.Theme().Color(name, settings.ThemeVariant())
	}
	primary := color.NRGBAModel.Convert(colour(theme.ColorNamePrimary)).(color.NRGBA)
	r.fill = primary
	r.fill.A = 0x26
	for _, l := range r.curve {
		l.StrokeColor, l.StrokeWidth = primary, 2
	}
	r.today.FillColor = primary
	r.axis.StrokeColor, r.axis.StrokeWidth = colour(theme.ColorNameSeparator), 1
	r.zero.StrokeColor, r.zero.StrokeWidth = colour(theme.ColorNameInputBorder), 1
	r.zero.Hidden = !r.chart.model.HasZero
	for _, t := range r.texts {
		t.Color, t.TextSize = colour(theme.ColorNameDisabled), settings.Theme().Size(sizeSmall)
		t.Refresh()
	}
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

// Objects implements fyne.WidgetRenderer.
func (r *chartRenderer) Objects() []fyne.CanvasObject {
	objects := []fyne.CanvasObject{r.area, r.axis, r.zero}
	for _, l := range r.curve {
		objects = append(objects, l)
	}
	objects = append(objects, r.today)
	for _, t := range r.texts {
		objects = append(objects, t)
	}
	return objects
}

// Destroy implements fyne.WidgetRenderer.
func (r *chartRenderer) Destroy() {}
