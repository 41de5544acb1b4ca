package notify

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/platenprint/platen/tray/view"
)

// Supported tells whether this build can show notifications.
const Supported = true

// Notifier shows balloons at the tray icon of this process. They have no buttons.
type Notifier struct {
	options Options
	shell   *windows.LazyProc
	find    *windows.LazyProc
}

// New returns a Notifier. The tray icon (tray/icon) has to be there when something is sent.
func New(_ context.Context, o Options) (*Notifier, error) {
	return &Notifier{
		options: o,
		shell:   windows.NewLazySystemDLL("shell32.dll").NewProc("Shell_NotifyIconW"),
		find:    windows.NewLazySystemDLL("user32.dll").NewProc("FindWindowExW"),
	}, nil
}

// Close does nothing: balloons go by themselves.
func (n *Notifier) Close() {}

// What fyne.io/systray v1.12.2 calls its window and its icon (systray_windows.go, initInstance).
const (
	systrayClass = "SystrayClass"
	systrayIcon  = 100
)

// From the Windows SDK (shellapi.h, winuser.h).
const (
	nimModify        = 1
	nifInfo          = 0x10
	niifRespectQuiet = 0x80 // not in the first hour of a new account, not in a presentation
)

// notifyIconData is NOTIFYICONDATAW.
type notifyIconData struct {
	Size             uint32
	Window           windows.HWND
	ID, Flags        uint32
	CallbackMessage  uint32
	Icon             windows.Handle
	Tip              [128]uint16
	State, StateMask uint32
	Info             [256]uint16
	Version          uint32
	InfoTitle        [64]uint16
	InfoFlags        uint32
	GUID             windows.GUID
	BalloonIcon      windows.Handle
}

// Send shows a toast as a balloon; texts are cut at what a balloon takes (63 and 255 UTF-16 units).
func (n *Notifier) Send(_ context.Context, t view.Toast) error {
	if t.Title == "" {
		return nil
	}
	window, err := n.trayWindow()
	if err != nil {
		return err
	}
	data := notifyIconData{Window: window, ID: systrayIcon, Flags: nifInfo, InfoFlags: niifRespectQuiet}
	data.Size = uint32(unsafe.Sizeof(data))
	title, body := t.Title, t.Body
	if body == "" { // Windows shows no balloon without text
		title, body = "Platen", t.Title
	}
	put(data.InfoTitle[:], title)
	put(data.Info[:], body)
	if ok, _, err := n.shell.Call(nimModify, uintptr(unsafe.Pointer(&data))); ok == 0 {
		return fmt.Errorf("show notification: %w: %w", ErrUnavailable, err)
	}
	return nil
}

// trayWindow finds the hidden window of this process's own tray icon.
func (n *Notifier) trayWindow() (windows.HWND, error) {
	class, err := windows.UTF16PtrFromString(systrayClass)
	if err != nil {
		return 0, fmt.Errorf("find the tray icon: %w", err)
	}
	own := windows.GetCurrentProcessId()
	for after := uintptr(0); ; {
		found, _, _ := n.find.Call(0, after, uintptr(unsafe.Pointer(class)), 0)
		if found == 0 {
			return 0, errors.Join(ErrUnavailable, errors.New("this process has no tray icon"))
		}
		var process uint32
		if _, err := windows.GetWindowThreadProcessId(windows.HWND(found), &process); err == nil && process == own {
			return windows.HWND(found), nil
		}
		after = found
	}
}

// put writes text into a field that ends with a zero.
func put(field []uint16, text string) {
	copy(field[:len(field)-1], utf16.Encode([]rune(text)))
}
