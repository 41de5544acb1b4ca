package testenv

import (
	"slices"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

const (
	notifications     = "org.freedesktop.Notifications"
	notificationsPath = "/org/freedesktop/Notifications"
)

// Notification is one that a program sent.
type Notification struct {
	ID, Replaces uint32
	App          string
	Title, Body  string
	Actions      []string // pairs of key and label
	Hints        map[string]dbus.Variant
	Timeout      int32 // milliseconds, -1 for the desktop's own
}

// Notifications stands in for a desktop's notification service (freedesktop.org Desktop Notifications 1.2).
type Notifications struct {
	t            testing.TB
	conn         *dbus.Conn
	capabilities []string

	mu   sync.Mutex // protects the fields below
	sent []Notification
	last uint32
}

// NewNotifications puts a notification service with the capabilities ("actions", "body-markup" ...) on the bus.
func NewNotifications(t testing.TB, address string, capabilities ...string) *Notifications {
	t.Helper()
	n := &Notifications{t: t, conn: Dial(t, address), capabilities: capabilities}
	if err := n.conn.Export(notificationServer{n}, notificationsPath, notifications); err != nil {
		t.Fatal(err)
	}
	if reply, err := n.conn.RequestName(notifications, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: reply %d, %v", notifications, reply, err)
	}
	return n
}

// notificationServer has the methods that programs call.
type notificationServer struct{ n *Notifications }

// GetCapabilities says what the service can do.
func (s notificationServer) GetCapabilities() ([]string, *dbus.Error) { return s.n.capabilities, nil }

// Notify takes a notification.
func (s notificationServer) Notify(app string, replaces uint32, _ string, title, body string, actions []string,
	hints map[string]dbus.Variant, timeout int32,
) (uint32, *dbus.Error) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	id := replaces
	if id == 0 {
		s.n.last++
		id = s.n.last
	}
	s.n.sent = append(s.n.sent, Notification{
		ID: id, Replaces: replaces, App: app, Title: title, Body: body, Actions: actions, Hints: hints, Timeout: timeout,
	})
	return id, nil
}

// CloseNotification takes a notification away.
func (s notificationServer) CloseNotification(id uint32) *dbus.Error {
	_ = s.n.closed(id) // the test may be over
	return nil
}

// Sent are all notifications so far, the oldest first.
func (n *Notifications) Sent() []Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.sent)
}

// Await waits until count notifications were sent, and returns them all.
func (n *Notifications) Await(count int) []Notification {
	n.t.Helper()
	Await(n.t, "a notification", func() bool { return len(n.Sent()) >= count })
	return n.Sent()
}

// Press presses a button of a notification; the key "default" is a click on the notification itself.
func (n *Notifications) Press(id uint32, key string) {
	n.t.Helper()
	if err := n.conn.Emit(notificationsPath, notifications+".ActionInvoked", id, key); err != nil {
		n.t.Fatal(err)
	}
}

// Close tells that a notification is gone.
func (n *Notifications) Close(id uint32) {
	n.t.Helper()
	if err := n.closed(id); err != nil {
		n.t.Fatal(err)
	}
}

func (n *Notifications) closed(id uint32) error {
	return n.conn.Emit(notificationsPath, notifications+".NotificationClosed", id, uint32(2))
}
