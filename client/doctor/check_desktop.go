package doctor

import (
	"context"
	"errors"

	"github.com/platenprint/platen/auth/tokenstore"
	"github.com/platenprint/platen/internal/sessionbus"
)

func (in Inputs) resident(ctx context.Context) Result {
	if in.Resident == nil {
		return Result{Level: Unknown, Sentence: "Nobody asked the resident."}
	}
	if err := in.Resident(ctx); err != nil {
		return Result{Level: Warn, Sentence: "Platen is not running.", Remedy: "Start platen, or log on again.", Details: details(err)}
	}
	return Result{Level: OK, Sentence: "Platen is running."}
}

func (in Inputs) keyring(ctx context.Context) Result {
	if in.Keyring == nil {
		return Result{Level: Unknown, Sentence: "The keyring was not asked."}
	}
	found := in.Keyring.Probe(ctx)
	r := Result{Level: Warn}
	if found.Reason != "" {
		r.Details = []string{found.Reason}
	}
	switch found.State {
	case tokenstore.Available:
		r.Level, r.Sentence = OK, "The keyring can keep your sign-in."
	case tokenstore.Locked:
		r.Sentence, r.Remedy = "The keyring is locked.", "Unlock it to stay signed in."
	case tokenstore.Missing:
		r.Sentence, r.Remedy = "This computer has no keyring: you sign in again after each restart.", "Install and start a keyring, such as GNOME Keyring or KWallet."
	case tokenstore.Unresponsive:
		r.Sentence, r.Remedy = "The keyring does not answer.", "Look for a window that asks for the keyring's password."
	default:
		r.Sentence, r.Remedy = "The keyring answers with errors.", "Log off and on again."
	}
	return r
}

// Desk is what a desktop offers to programs without a window.
type Desk struct {
	Tray          bool // it shows tray icons
	Notifications bool // it shows notifications
}

// TrayProbe asks the desktop. It returns sessionbus.ErrNone where there is nobody to ask.
type TrayProbe func(ctx context.Context) (Desk, error)

func (in Inputs) tray(ctx context.Context) Result {
	if in.Tray == nil {
		return Result{Level: OK, Sentence: "This system always has a place for the icon."}
	}
	desk, err := in.Tray(ctx)
	const instead = "Open Platen from the list of programs, or use platen status."
	switch {
	case errors.Is(err, sessionbus.ErrNone):
		return Result{Level: Warn, Sentence: "There is no session bus, so no icon and no notifications.", Remedy: "Log on to a desktop, or use the platen commands.", Details: details(err)}
	case err != nil:
		return Result{Level: Warn, Sentence: "The session bus does not answer.", Remedy: instead, Details: details(err)}
	case !desk.Tray && in.Env["XDG_CURRENT_DESKTOP"] != "" && !desk.Notifications:
		return Result{Level: Warn, Sentence: "This desktop shows neither tray icons nor notifications.", Remedy: instead}
	case !desk.Tray:
		return Result{Level: Warn, Sentence: "This desktop shows no tray icons.", Remedy: "On GNOME, install the AppIndicator extension. " + instead}
	case !desk.Notifications:
		return Result{Level: Warn, Sentence: "The tray icon can be shown, but this desktop shows no notifications.", Remedy: "Install a notification service."}
	default:
		return Result{Level: OK, Sentence: "The tray icon and notifications can be shown."}
	}
}

// display looks at the environment only. Whether OpenGL works is known for sure only by drawing; the window reports that
// itself, and without it people are sent to notifications and the portal.
func (in Inputs) display(context.Context) Result {
	if in.GOOS == "windows" || in.GOOS == "darwin" {
		return Result{Level: OK, Sentence: "Windows can be opened."}
	}
	r := Result{Details: []string{"XDG_SESSION_TYPE=" + in.Env["XDG_SESSION_TYPE"], "XDG_CURRENT_DESKTOP=" + in.Env["XDG_CURRENT_DESKTOP"]}}
	switch {
	case in.Env["WAYLAND_DISPLAY"] != "":
		r.Level, r.Sentence = OK, "There is a Wayland display."
		if in.Env["DISPLAY"] == "" {
			r.Level, r.Sentence = Warn, "There is a Wayland display, but no X11 one, which the window needs."
			r.Remedy = "Install Xwayland."
		}
	case in.Env["DISPLAY"] != "":
		r.Level, r.Sentence = OK, "There is an X11 display."
	default:
		r.Level, r.Sentence = Warn, "There is no display: windows cannot be opened."
		r.Remedy = "Use platen sign-in, platen status and the other commands."
	}
	return r
}
