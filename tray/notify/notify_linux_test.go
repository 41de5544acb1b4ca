package notify_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/sessionbus"
	"github.com/platenprint/platen/internal/testenv"
	"github.com/platenprint/platen/tray/notify"
	"github.com/platenprint/platen/tray/view"
)

var toast = view.Toast{
	ID: "balance", Title: "€0.80 left.", Body: "Tom & Alex", Lasts: 8 * time.Second,
	Buttons: []view.Button{{Text: "Add credit", Action: status.Action{Kind: status.ActionOpenTopUp}}},
	Default: status.Action{Kind: status.ActionOpen},
}

// newNotifier connects to a private bus and collects the actions.
func newNotifier(t *testing.T, address string) (*notify.Notifier, chan status.Action) {
	t.Helper()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	actions := make(chan status.Action, 10)
	n, err := notify.New(t.Context(), notify.Options{
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
		OnAction: func(a status.Action) { actions <- a },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n, actions
}

func send(t *testing.T, n *notify.Notifier, toast view.Toast) {
	t.Helper()
	if err := n.Send(t.Context(), toast); err != nil {
		t.Fatal(err)
	}
}

func awaitAction(t *testing.T, actions chan status.Action, want status.ActionKind) {
	t.Helper()
	select {
	case got := <-actions:
		if got.Kind != want {
			t.Errorf("action %q, want %q", got.Kind, want)
		}
	case <-time.After(testenv.Deadline):
		t.Fatalf("no action, want %q", want)
	}
}

func TestNotificationsCarryTextButtonsAndIcon(t *testing.T) {
	address := testenv.SessionBus(t)
	desktop := testenv.NewNotifications(t, address, "actions", "body", "body-markup")
	n, actions := newNotifier(t, address)
	send(t, n, toast)
	got := desktop.Await(1)[0]
	if got.App != "Platen" || got.Title != "€0.80 left." || got.Body != "Tom &amp; Alex" || got.Timeout != 8000 || got.Replaces != 0 {
		t.Errorf("sent %+v", got)
	}
	if diff := cmp.Diff([]string{"default", "", "button-0", "Add credit"}, got.Actions); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	if urgency := got.Hints["urgency"].Value(); urgency != byte(1) {
		t.Errorf("urgency %v: it must not interrupt", urgency)
	}
	if _, ok := got.Hints["image-data"]; !ok {
		t.Error("no icon")
	}

	desktop.Press(got.ID+7, "button-0") // of another program
	desktop.Press(got.ID, "no-such-button")
	desktop.Press(got.ID, "button-0")
	awaitAction(t, actions, status.ActionOpenTopUp)
	desktop.Press(got.ID, "default")
	awaitAction(t, actions, status.ActionOpen)
}

func TestANotificationTakesThePlaceOfItsForerunner(t *testing.T) {
	address := testenv.SessionBus(t)
	desktop := testenv.NewNotifications(t, address, "actions")
	n, actions := newNotifier(t, address)
	send(t, n, toast)
	send(t, n, view.Toast{ID: "keyring", Title: "Unlock your keyring to stay signed in."})
	second := toast
	second.Title = "No credit left."
	send(t, n, second)
	sent := desktop.Await(3)
	if sent[1].Replaces != 0 || sent[2].Replaces != sent[0].ID {
		t.Errorf("replaced: %d and %d, want 0 and %d", sent[1].Replaces, sent[2].Replaces, sent[0].ID)
	}
	if sent[0].Body != "Tom & Alex" {
		t.Errorf("body %q: this desktop reads no markup", sent[0].Body)
	}

	desktop.Close(sent[0].ID) // gone: the next one is new again
	desktop.Press(sent[0].ID, "default")
	testenv.Await(t, "a notification of its own", func() bool {
		send(t, n, toast)
		all := desktop.Sent()
		return all[len(all)-1].Replaces == 0
	})
	if len(actions) != 0 {
		t.Errorf("a notification that was gone led to %v", <-actions)
	}
}

func TestAToastThatSaysNothingIsNotShown(t *testing.T) {
	address := testenv.SessionBus(t)
	desktop := testenv.NewNotifications(t, address)
	n, _ := newNotifier(t, address)
	send(t, n, view.Toast{ID: "card"})
	send(t, n, toast)
	if got := desktop.Await(1)[0]; got.Title != toast.Title || len(desktop.Sent()) != 1 {
		t.Errorf("sent %+v", desktop.Sent())
	}
}

func TestADesktopWithoutButtonsGetsNone(t *testing.T) {
	address := testenv.SessionBus(t)
	desktop := testenv.NewNotifications(t, address, "body")
	n, _ := newNotifier(t, address)
	send(t, n, toast)
	if got := desktop.Await(1)[0]; len(got.Actions) != 0 {
		t.Errorf("actions %q", got.Actions)
	}
}

func TestADesktopWithoutNotificationsSaysSo(t *testing.T) {
	address := testenv.SessionBus(t)
	n, _ := newNotifier(t, address)
	if err := n.Send(t.Context(), toast); !errors.Is(err, notify.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	desktop := testenv.NewNotifications(t, address) // it starts later
	send(t, n, toast)
	desktop.Await(1)
}

func TestWithoutASessionBusThereAreNoNotifications(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, err := notify.New(t.Context(), notify.Options{}); !errors.Is(err, sessionbus.ErrNone) {
		t.Errorf("error %v, want ErrNone", err)
	}
}
