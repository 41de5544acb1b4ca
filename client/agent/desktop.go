package agent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/clock"
	"github.com/platenprint/platen/tray/view"
)

const (
	// ageRefresh is how often "today 09:10" is looked at again while nothing happens.
	ageRefresh = time.Hour
	// waitingToasts is how many notifications may wait for a slow desktop; more are dropped.
	waitingToasts = 8
	// cardToast is the ID of the card with the balance at log-on (tray/view).
	cardToast = "card"
)

// desktop shows the session on the person's desktop: it turns snapshots into the icon, notifications, and the one window
// that opens uninvited.
type desktop struct {
	watch  func(ctx context.Context, after uint64) (status.Snapshot, error)
	icon   func(view.Tray)
	toast  func(context.Context, view.Toast) error // nil: this desktop shows none
	window func(status.Page)
	start  config.StartView
	locale view.Locale
	clock  clock.Clock
	logger *slog.Logger

	toasts chan view.Toast // on their way to the desktop, waitingToasts at most
}

// run works until ctx ends.
func (d *desktop) run(ctx context.Context) {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		d.send(ctx)
	}()
	defer func() { <-sent }()
	guest := guest{toasts: d.toast != nil}
	toaster := view.NewToaster(d.locale)
	var s status.Snapshot
	for {
		next, err := d.next(ctx, s.Seq)
		if err != nil {
			return
		}
		if next.Seq > s.Seq {
			if next.Browsing.Confirm != "" && s.Browsing.Confirm == "" { // they began it, and must answer
				d.window(status.PageSignIn)
			}
			s = next
			for _, t := range toaster.Next(s) {
				d.tell(t, s.Shared)
			}
			if guest.invited(s) {
				d.window(status.PageSignIn)
			}
		}
		d.icon(view.TrayOf(s, d.locale, d.clock()))
	}
}

// next waits for a newer snapshot, or for the time to look at the old one again; then its Seq is 0.
func (d *desktop) next(ctx context.Context, after uint64) (status.Snapshot, error) {
	patience, cancel := context.WithTimeout(ctx, ageRefresh)
	defer cancel()
	s, err := d.watch(patience, after)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return status.Snapshot{}, nil
	}
	return s, err
}

// tell shows a toast. The card at log-on gives way to the window where the settings say so; on a shared computer it
// stays, for it reminds of signing out.
func (d *desktop) tell(t view.Toast, shared bool) {
	if t.ID == cardToast && !shared {
		switch d.start {
		case config.StartWindow:
			d.window(status.PageBalance)
			return
		case config.StartNothing:
			return
		case config.StartNotification:
		}
	}
	select {
	case d.toasts <- t:
	default:
		d.logger.Warn("notification dropped", "id", t.ID)
	}
}

// send hands the toasts to the desktop one after the other, which may take its time.
func (d *desktop) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-d.toasts:
			if d.toast == nil {
				continue
			}
			if err := d.toast(ctx, t); err != nil && ctx.Err() == nil {
				d.logger.InfoContext(ctx, "notification not shown", "id", t.ID, "error", err)
			}
		}
	}
}

// guest opens the identification window uninvited, at most once in the life of the resident, which is that of a log-on
// (UX, rules). A session that ends before the person's eyes is told by a notification instead.
type guest struct {
	came   bool
	worked bool // somebody has been signed in since the log-on
	toasts bool // this desktop shows notifications: one asks about a server, not the window
}

func (g *guest) invited(s status.Snapshot) bool {
	if s.State == status.StateFollowing || s.State == status.StateOffline {
		g.worked = true
	}
	if s.Ask == status.AskNothing || g.came || g.worked || s.State != status.StateSignedOut {
		return false
	}
	if s.Ask == status.AskConfirmServer && g.toasts {
		return false
	}
	g.came = true
	return true
}
