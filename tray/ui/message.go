package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// message is a page that says one thing.
type message struct {
	content fyne.CanvasObject
	close   *button
}

func newMessage(w *Window, text, closing string) *message {
	m := &message{}
	parts := []fyne.CanvasObject{plain.wrapped().object(text)}
	if closing != "" {
		m.close = newButton(w.key, closing, widget.HighImportance, w.Close)
		parts = append(parts, container.NewHBox(m.close))
	}
	m.content = padded(column(gapWide, parts...))
	return m
}

func (m *message) object() fyne.CanvasObject { return m.content }
func (m *message) update()                   {}
func (m *message) key(*fyne.KeyEvent)        {}
func (m *message) size() fyne.Size           { return fyne.NewSize(300, 0) }

func (m *message) focus() fyne.Focusable {
	if m.close == nil {
		return nil
	}
	return m.close
}
