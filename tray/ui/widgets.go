package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Distances, in device-independent dots.
const (
	margin   = 18 // around a page
	gapTight = 3  // between a label and its field
	gap      = 8  // between lines that belong together
	gapWide  = 14 // between groups
)

// look is how a text is written.
type look struct {
	size       fyne.ThemeSizeName
	importance widget.Importance
	bold       bool
	wrap       bool
	align      fyne.TextAlign
}

var (
	plain   = look{size: sizeText}
	quiet   = look{size: sizeSmall, importance: widget.LowImportance}
	heading = look{size: sizeHeading, bold: true, wrap: true}
)

func (l look) wrapped() look                        { l.wrap = true; return l }
func (l look) strong() look                         { l.bold = true; return l }
func (l look) right() look                          { l.align = fyne.TextAlignTrailing; return l }
func (l look) toned(i widget.Importance) look       { l.importance = i; return l }
func (l look) label(text string) *widget.Label      { return newLabel(text, l) }
func (l look) object(text string) fyne.CanvasObject { return flush(newLabel(text, l)) }

func newLabel(text string, l look) *widget.Label {
	label := widget.NewLabel(text)
	label.SizeName, label.Importance, label.Alignment = l.size, l.importance, l.align
	label.TextStyle.Bold = l.bold
	if l.wrap {
		label.Wrapping = fyne.TextWrapWord
	} else {
		label.Truncation = fyne.TextTruncateEllipsis
	}
	return label
}

// whole lets a label take the width of its text rather than be shortened.
func whole(label *widget.Label) *widget.Label {
	label.Truncation = fyne.TextTruncateOff
	return label
}

// flush takes the inner padding of a label away, so that its letters begin where fields and buttons do.
func flush(label *widget.Label) *fyne.Container { return container.New(bleed{}, label) }

// bleed lays its objects out larger than itself by the inner padding, at all sides.
type bleed struct{}

func (bleed) padding() float32 {
	return fyne.CurrentApp().Settings().Theme().Size(theme.SizeNameInnerPadding)
}

// MinSize implements fyne.Layout.
func (b bleed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var most fyne.Size
	for _, o := range objects {
		if o.Visible() {
			most = most.Max(o.MinSize())
		}
	}
	return most.SubtractWidthHeight(2*b.padding(), 2*b.padding()).Max(fyne.Size{})
}

// Layout implements fyne.Layout.
func (b bleed) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(-b.padding(), -b.padding()))
		o.Resize(size.AddWidthHeight(2*b.padding(), 2*b.padding()))
	}
}

func column(space float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(below{space: space}, objects...)
}

// below lays objects out one below the other. Fyne's own box does so with the heights that wrapped labels had at the width
// before; this one gives each its width first and asks then.
type below struct{ space float32 }

// MinSize implements fyne.Layout.
func (b below) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		least := o.MinSize()
		if size.Height > 0 {
			size.Height += b.space
		}
		size = fyne.NewSize(max(size.Width, least.Width), size.Height+least.Height)
	}
	return size
}

// Layout implements fyne.Layout.
func (b below) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		if y > 0 {
			y += b.space
		}
		o.Resize(fyne.NewSize(size.Width, o.Size().Height))
		height := o.MinSize().Height
		o.Resize(fyne.NewSize(size.Width, height))
		o.Move(fyne.NewPos(0, y))
		y += height
	}
}

func row(space float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedHBoxLayout(space), objects...)
}

// atLeast keeps its object from becoming narrower than width.
type atLeast struct{ width float32 }

// MinSize implements fyne.Layout.
func (a atLeast) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().Max(fyne.NewSize(a.width, 0))
}

// Layout implements fyne.Layout.
func (a atLeast) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.Position{})
	objects[0].Resize(size)
}

// figures writes an amount with the signs that the font has: its minus is an en dash.
func figures(amount string) string { return strings.ReplaceAll(amount, "\u2212", "\u2013") }

// outdent lays its object out further left by the inner padding, so that the box of a Check stands under the fields.
type outdent struct{ bleed }

// MinSize implements fyne.Layout.
func (o outdent) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().SubtractWidthHeight(o.padding(), 2*o.padding())
}

// Layout implements fyne.Layout.
func (o outdent) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(-o.padding(), -o.padding()))
	objects[0].Resize(size.AddWidthHeight(o.padding(), 2*o.padding()))
}

func padded(object fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(margin, margin, margin, margin), object)
}

// paged is padded for a page that scrolls: the bar stands at the edge.
func paged(object fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(gap, gap, margin, 2), object)
}

// show shows an object or hides it.
func show(object fyne.CanvasObject, visible bool) {
	if visible {
		object.Show()
	} else {
		object.Hide()
	}
}

// said is a line with a sign before it: what is wrong or worth knowing, by shape and text, not by colour alone.
type said struct {
	box  *fyne.Container
	icon *widget.Icon
	text *widget.Label
}

func newSaid() *said {
	s := &said{icon: widget.NewIcon(nil), text: plain.wrapped().label("")}
	sign := container.New(atTop{size: 18}, s.icon)
	s.box = container.New(layout.NewBorderLayout(nil, nil, sign, nil), sign, flush(s.text))
	s.box.Hide()
	return s
}

// set shows a text in a tone; without text the line is gone.
func (s *said) set(text string, importance widget.Importance, icon fyne.Resource) {
	s.text.Importance = importance
	s.text.SetText(text)
	show(s.icon, icon != nil)
	if icon != nil {
		s.icon.SetResource(tinted(icon, importance))
	}
	show(s.box, text != "")
	s.box.Refresh()
}

func tinted(icon fyne.Resource, importance widget.Importance) fyne.Resource {
	switch importance {
	case widget.DangerImportance:
		return theme.NewErrorThemedResource(icon)
	case widget.WarningImportance:
		return theme.NewWarningThemedResource(icon)
	case widget.LowImportance:
		return theme.NewColoredResource(icon, theme.ColorNameDisabled)
	default:
		return theme.NewThemedResource(icon)
	}
}

// atTop lays an icon out at the top of its place, in its own size, with a little room after it.
type atTop struct{ size float32 }

// MinSize implements fyne.Layout.
func (a atTop) MinSize(objects []fyne.CanvasObject) fyne.Size {
	if !objects[0].Visible() {
		return fyne.Size{}
	}
	return fyne.NewSize(a.size+2, a.size)
}

// Layout implements fyne.Layout.
func (a atTop) Layout(objects []fyne.CanvasObject, _ fyne.Size) {
	objects[0].Move(fyne.NewPos(0, 1))
	objects[0].Resize(fyne.NewSquareSize(a.size))
}

// keys is what every widget that can have the focus does with keys it has no use for itself.
type keys func(*fyne.KeyEvent)

// button is a Button that also takes Enter.
type button struct {
	widget.Button
	keys keys
}

func newButton(k keys, text string, importance widget.Importance, tapped func()) *button {
	b := &button{keys: k}
	b.Text, b.Importance, b.OnTapped = text, importance, tapped
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey implements fyne.Focusable.
func (b *button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if !b.Disabled() {
			b.OnTapped()
		}
	case fyne.KeySpace:
		b.Button.TypedKey(e)
	default:
		b.keys(e)
	}
}

// entry is an Entry that hands Escape on.
type entry struct {
	widget.Entry
	keys keys
}

func newEntry(k keys, password bool) *entry {
	e := &entry{keys: k}
	e.Password = password
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey implements fyne.Focusable.
func (e *entry) TypedKey(key *fyne.KeyEvent) {
	if key.Name == fyne.KeyEscape {
		e.keys(key)
		return
	}
	e.Entry.TypedKey(key)
}

// check is a Check that hands keys on.
type check struct {
	widget.Check
	keys keys
}

func newCheck(k keys, text string) *check {
	c := &check{keys: k}
	c.Text = text
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey implements fyne.Focusable.
func (c *check) TypedKey(e *fyne.KeyEvent) { c.keys(e) }

// line is a thin line between parts.
func line() fyne.CanvasObject { return widget.NewSeparator() }

// spacer takes a fixed height.
func spacer(height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(1, height))
	return r
}
