package fakedesktop

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Item is a program's icon in the tray.
type Item struct {
	conn  *dbus.Conn
	owner string
}

// Line is a line of an icon's menu.
type Line struct {
	ID        int32
	Label     string // without the doubling of underscores
	Enabled   bool
	Separator bool
}

// Labels are the texts of a menu: separators are "-", lines that cannot be chosen are in brackets.
func Labels(lines []Line) []string {
	var labels []string
	for _, line := range lines {
		switch {
		case line.Separator:
			labels = append(labels, "-")
		case !line.Enabled:
			labels = append(labels, "("+line.Label+")")
		default:
			labels = append(labels, line.Label)
		}
	}
	return labels
}

// property reads one property of the icon; the zero Variant when the program is not ready. All at once would be the
// picture each time, too.
func (i *Item) property(ctx context.Context, name string) dbus.Variant {
	var value dbus.Variant
	object := i.conn.Object(i.owner, "/StatusNotifierItem")
	_ = object.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, trayItem, name).Store(&value)
	return value
}

// Text returns a text property such as "Title", or "".
func (i *Item) Text(ctx context.Context, name string) string {
	text, _ := i.property(ctx, name).Value().(string)
	return text
}

// Tooltip returns the title of the tooltip.
func (i *Item) Tooltip(ctx context.Context) string {
	var tip struct {
		Icon   string
		Pixmap []pixmap
		Title  string
		Text   string
	}
	if err := dbus.Store([]any{i.property(ctx, "ToolTip").Value()}, &tip); err != nil {
		return ""
	}
	return tip.Title
}

type pixmap struct {
	Width, Height int32
	ARGB          []byte
}

// Picture returns the icon as it would be drawn, nil when there is none.
func (i *Item) Picture(ctx context.Context) image.Image {
	var maps []pixmap
	if err := dbus.Store([]any{i.property(ctx, "IconPixmap").Value()}, &maps); err != nil || len(maps) == 0 {
		return nil
	}
	m := maps[0]
	w, h := int(m.Width), int(m.Height)
	if w == 0 || len(m.ARGB) != 4*w*h {
		return nil
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for p := range w * h {
		argb := m.ARGB[4*p : 4*p+4]
		img.SetNRGBA(p%w, p/w, color.NRGBA{A: argb[0], R: argb[1], G: argb[2], B: argb[3]})
	}
	return img
}

// Activate is a click on the icon itself.
func (i *Item) Activate(ctx context.Context) error {
	object := i.conn.Object(i.owner, "/StatusNotifierItem")
	if err := object.CallWithContext(ctx, trayItem+".Activate", 0, int32(0), int32(0)).Err; err != nil {
		return fmt.Errorf("click the tray icon: %w", err)
	}
	return nil
}

// Menu reads the lines of the menu that are to be seen, top to bottom.
func (i *Item) Menu(ctx context.Context) ([]Line, error) {
	type layout struct {
		ID         int32
		Properties map[string]dbus.Variant
		Children   []dbus.Variant
	}
	menu, err := i.menu(ctx)
	if err != nil {
		return nil, err
	}
	var revision uint32
	var root layout
	call := menu.CallWithContext(ctx, trayMenu+".GetLayout", 0, int32(0), int32(-1), []string{})
	if err := call.Store(&revision, &root); err != nil {
		return nil, fmt.Errorf("read the tray menu: %w", err)
	}
	var lines []Line
	for _, child := range root.Children {
		var l layout
		if err := dbus.Store([]any{child.Value()}, &l); err != nil {
			return nil, fmt.Errorf("read the tray menu: %w", err)
		}
		if visible, given := l.Properties["visible"].Value().(bool); given && !visible {
			continue
		}
		line := Line{ID: l.ID, Enabled: true}
		if enabled, given := l.Properties["enabled"].Value().(bool); given {
			line.Enabled = enabled
		}
		line.Separator = l.Properties["type"].Value() == "separator"
		text, _ := l.Properties["label"].Value().(string)
		line.Label = strings.ReplaceAll(text, "__", "_")
		lines = append(lines, line)
	}
	return lines, nil
}

// Click chooses a line of the menu by its id.
func (i *Item) Click(ctx context.Context, id int32) error {
	menu, err := i.menu(ctx)
	if err != nil {
		return err
	}
	if err := menu.CallWithContext(ctx, trayMenu+".Event", 0, id, "clicked", dbus.MakeVariant(int32(0)), uint32(0)).Err; err != nil {
		return fmt.Errorf("click in the tray menu: %w", err)
	}
	return nil
}

func (i *Item) menu(ctx context.Context) (dbus.BusObject, error) {
	path, ok := i.property(ctx, "Menu").Value().(dbus.ObjectPath)
	if !ok {
		return nil, errors.New("the tray icon has no menu")
	}
	return i.conn.Object(i.owner, path), nil
}
