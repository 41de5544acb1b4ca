package notify

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image"
	"image/draw"
	"image/png"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/platenprint/platen/assets"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/sessionbus"
	"github.com/platenprint/platen/tray/view"
)

// Supported tells whether this build can show notifications.
const Supported = true

// The service, by the freedesktop.org Desktop Notifications Specification 1.2.
const (
	service = "org.freedesktop.Notifications"
	path    = "/org/freedesktop/Notifications"
)

// patience is how long the desktop may take to accept a notification; the first one may start its service.
const patience = 10 * time.Second

// defaultKey is the specification's name for a click on the notification itself.
const defaultKey = "default"

// Notifier shows notifications. It is safe for concurrent use.
type Notifier struct {
	options Options
	conn    *dbus.Conn
	icon    picture
	done    chan struct{} // closed when the signals have ended

	mu    sync.Mutex // protects the fields below
	shown map[string]shown
}

// shown is a notification that is there, by the ID of its Toast.
type shown struct {
	id      uint32
	actions map[string]status.Action // by key
}

// picture is the specification's raw image: width, height, row stride, alpha, bits per sample, channels, data.
type picture struct {
	Width, Height, Stride int32
	Alpha                 bool
	Bits, Channels        int32
	Data                  []byte
}

// New connects to the desktop's notification service until ctx ends. The service itself may come later.
func New(ctx context.Context, o Options) (*Notifier, error) {
	conn, err := sessionbus.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare notifications: %w", err)
	}
	n := &Notifier{options: o, conn: conn, done: make(chan struct{}), shown: map[string]shown{}}
	if n.icon, err = loadIcon(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	if err := conn.AddMatchSignalContext(ctx, dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(service)); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("listen to the notification service: %w", err)
	}
	go n.follow(ctx, signals)
	return n, nil
}

// Close takes the notifications away that are still shown and waits until no action can come any more.
func (n *Notifier) Close() {
	n.mu.Lock()
	for _, s := range n.shown {
		n.conn.Object(service, path).Go(service+".CloseNotification", dbus.FlagNoReplyExpected|dbus.FlagNoAutoStart, nil, s.id)
	}
	n.mu.Unlock()
	_ = n.conn.Close()
	<-n.done
}

// Send shows a toast, in the place of an earlier one with its ID. The error wraps ErrUnavailable when there is nobody to
// show it.
func (n *Notifier) Send(ctx context.Context, t view.Toast) error {
	if t.Title == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	object := n.conn.Object(service, path)
	var capabilities []string
	if err := object.CallWithContext(ctx, service+".GetCapabilities", 0).Store(&capabilities); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	keys, actions := buttons(t, slices.Contains(capabilities, "actions"))
	body := t.Body
	if slices.Contains(capabilities, "body-markup") {
		body = html.EscapeString(body)
	}
	lasts := int32(-1) // as the desktop likes it
	if t.Lasts > 0 {
		lasts = int32(t.Lasts.Milliseconds())
	}
	hints := map[string]dbus.Variant{
		"desktop-entry": dbus.MakeVariant("platen"),
		"urgency":       dbus.MakeVariant(byte(1)),
		"image-data":    dbus.MakeVariant(n.icon),
	}
	n.mu.Lock()
	defer n.mu.Unlock() // until the ID is known: a button may be pressed before the answer is here
	var id uint32
	err := object.CallWithContext(ctx, service+".Notify", 0,
		"Platen", n.shown[t.ID].id, "platen", t.Title, body, keys, hints, lasts).Store(&id)
	if err != nil {
		return fmt.Errorf("show notification: %w: %w", ErrUnavailable, err)
	}
	n.shown[t.ID] = shown{id: id, actions: actions}
	return nil
}

// buttons are the pairs of key and label that the desktop gets, and what each key does.
func buttons(t view.Toast, possible bool) ([]string, map[string]status.Action) {
	keys, actions := []string{}, map[string]status.Action{}
	if !possible {
		return keys, actions
	}
	if t.Default.Kind != "" {
		keys = append(keys, defaultKey, "")
		actions[defaultKey] = t.Default
	}
	for i, b := range t.Buttons {
		key := "button-" + strconv.Itoa(i)
		keys = append(keys, key, b.Text)
		actions[key] = b.Action
	}
	return keys, actions
}

// follow turns what the desktop tells into actions, until the connection closes.
func (n *Notifier) follow(ctx context.Context, signals <-chan *dbus.Signal) {
	defer close(n.done)
	for signal := range signals {
		if len(signal.Body) < 2 {
			continue
		}
		id, ok := signal.Body[0].(uint32)
		if !ok {
			continue
		}
		switch strings.TrimPrefix(signal.Name, service+".") {
		case "ActionInvoked":
			key, _ := signal.Body[1].(string)
			if action, ok := n.action(id, key); ok {
				n.options.Logger.DebugContext(ctx, "notification pressed", "action", string(action.Kind))
				n.options.OnAction(action)
			}
		case "NotificationClosed":
			n.forget(id)
		}
	}
}

// action finds what a key of a notification does. The IDs are shared with all programs: those of others are not ours.
func (n *Notifier) action(id uint32, key string) (status.Action, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.shown {
		if s.id == id {
			action, ok := s.actions[key]
			return action, ok
		}
	}
	return status.Action{}, false
}

func (n *Notifier) forget(id uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for toast, s := range n.shown {
		if s.id == id {
			delete(n.shown, toast)
		}
	}
}

// loadIcon unpacks the program's icon: it is shown also where Platen's icon theme files are not installed.
func loadIcon() (picture, error) {
	data, err := assets.AppIcon(64)
	if err != nil {
		return picture{}, err
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return picture{}, fmt.Errorf("read the program's icon: %w", err)
	}
	img := image.NewNRGBA(decoded.Bounds())
	draw.Draw(img, img.Bounds(), decoded, decoded.Bounds().Min, draw.Src)
	size := img.Bounds().Size()
	return picture{
		Width: int32(size.X), Height: int32(size.Y), Stride: int32(img.Stride), Alpha: true, Bits: 8, Channels: 4, Data: img.Pix,
	}, nil
}
