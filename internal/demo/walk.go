package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/fakedesktop"
	"github.com/platenprint/platen/internal/stage"
)

// patience is how long a step may take on a busy computer.
const patience = 30 * time.Second

// walk is the unattended run on a screen without a monitor.
type walk struct {
	*demo
	screen *stage.Screen
	tray   *fakedesktop.Tray
	env    []string // of the programs in the person's session
	client *stage.Program
	window string // the id of the open window
	shots  int

	command commander // of the person at the screen
}

// commander is stage.Command, or the same as somebody else.
type commander func(ctx context.Context, env []string, stdin, path string, args ...string) (string, error)

// walkThrough runs the main job by itself. Every step checks what it says it saw.
func (d *demo) walkThrough(ctx context.Context) error {
	screen, err := stage.NewScreen(ctx, d.here)
	if err != nil {
		return err
	}
	tray, err := fakedesktop.NewTray(screen.Bus, true)
	if err != nil {
		return err
	}
	defer func() { _ = tray.Close() }()
	w := &walk{demo: d, screen: screen, tray: tray, env: append(screen.Env, d.site.ClientEnv()...), command: stage.Command}
	steps := []func(context.Context) error{w.whoami, w.firstLaunch, w.identification}
	if d.auth == api.MethodMicrosoft {
		w.env = append(w.env, d.tenant.Env()...)
		steps = append(steps, w.withMicrosoft)
	} else {
		steps = append(steps, w.wrongPassword, w.signIn)
	}
	return w.take(ctx, append(steps, w.credit, w.lowBalance, w.offline, w.nextMorning, w.directory, w.verify)...)
}

// take takes the steps one after the other.
func (w *walk) take(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	w.say("The main job works. Pictures: %s", w.pictures)
	return nil
}

func (w *walk) whoami(ctx context.Context) error {
	said, err := stage.Command(ctx, w.env, "", w.platen, "whoami")
	if err != nil {
		return err
	}
	if !strings.Contains(said, w.who.UPN) {
		return fmt.Errorf("whoami does not map %s to %s:\n%s", w.who.OSName, w.who.UPN, said)
	}
	w.did("Ask the client who is logged on", "the computer says %q; the suffix %q makes it %s", w.who.OSName, stage.Suffix, w.who.UPN)
	return nil
}

func (w *walk) firstLaunch(ctx context.Context) (err error) {
	if w.client, err = w.here.Start(ctx, w.env, "platen", w.platen); err != nil {
		return err
	}
	if _, err := w.until(ctx, "the question who this is", func(r stage.Resident) bool { return r.State == "signed-out" }); err != nil {
		return err
	}
	if err := w.tray.UntilMenu(ctx, patience, "Sign in"); err != nil {
		return err
	}
	w.did("Start platen, the resident", "nobody has signed in here before; its icon in the tray offers to")
	return nil
}

func (w *walk) identification(ctx context.Context) (err error) {
	if err := w.demo.window.wait(ctx); err != nil {
		return err
	}
	if _, err := stage.Command(ctx, w.env, "", w.platen, "open"); err != nil {
		return err
	}
	if w.window, err = w.screen.Window(ctx, "platen"); err != nil {
		return err
	}
	return w.show(ctx, "sign-in", "Open the identification window", "pre-filled with %s", w.who.UPN)
}

// The cursor stands in the password field, because the account is filled in.
func (w *walk) wrongPassword(ctx context.Context) error {
	if err := w.typePassword(ctx, "not-the-password"); err != nil {
		return err
	}
	_, err := w.until(ctx, "the refusal", func(r stage.Resident) bool { return r.State == "signed-out" && r.Problem.Code == "wrong_credentials" })
	if err != nil {
		return err
	}
	return w.show(ctx, "wrong-password", "Type a wrong password", "refused; the account name stays")
}

func (w *walk) signIn(ctx context.Context) error {
	if err := w.screen.Keys(ctx, w.window, "key", "Tab", "space", "shift+Tab"); err != nil { // "Stay signed in on this computer"
		return err
	}
	if err := w.typePassword(ctx, stage.Password); err != nil {
		return err
	}
	r, err := w.until(ctx, "the first balance", func(r stage.Resident) bool { return r.State == "following" && r.Balance.Amount == "0.00" })
	if err != nil {
		return err
	}
	if r.Username != w.who.UPN {
		return fmt.Errorf("signed in as %s, not as %s", r.Username, w.who.UPN)
	}
	w.did("Tick \"Stay signed in\", type the right one", "signed in as %s; balance %s %s, over the %s", r.Username, r.Balance.Amount, r.Balance.Currency, r.Connection)
	return nil
}

func (w *walk) credit(ctx context.Context) error {
	if _, err := w.site.Admin(ctx, "", "user", "credit", w.who.UPN, "12.34", "--comment", "Semester credit"); err != nil {
		return err
	}
	began := time.Now()
	if _, err := w.until(ctx, "12.34", func(r stage.Resident) bool { return r.Balance.Amount == "12.34" }); err != nil {
		return err
	}
	took := time.Since(began)
	if err := w.tray.UntilMenu(ctx, patience, "€12.34"); err != nil {
		return err
	}
	return w.show(ctx, "balance", "Credit 12.34 on the server", "the client knows it at most %d ms after the command came back; the tray says €12.34", took.Milliseconds())
}

func (w *walk) lowBalance(ctx context.Context) error {
	if _, err := w.site.Admin(ctx, "", "user", "credit", w.who.UPN, "--comment", "Printing", "--", "-11.54"); err != nil {
		return err
	}
	if _, err := w.until(ctx, "0.80", func(r stage.Resident) bool { return r.Balance.Amount == "0.80" }); err != nil {
		return err
	}
	return w.show(ctx, "low-balance", "Take 11.54 off again", "0.80 is left, shown as low")
}

func (w *walk) offline(ctx context.Context) error {
	if err := w.site.Program.Stop(); err != nil {
		return err
	}
	if _, err := w.until(ctx, "offline", func(r stage.Resident) bool { return r.State == "offline" && r.Stale && r.Balance.Amount == "0.80" }); err != nil {
		return err
	}
	return w.show(ctx, "offline", "Stop the server", "offline; the last known balance stays, with its age")
}

func (w *walk) nextMorning(ctx context.Context) (err error) {
	if err := w.client.Stop(); err != nil {
		return err
	}
	if _, err := w.site.Start(ctx); err != nil {
		return err
	}
	if w.client, err = w.here.Start(ctx, w.env, "platen", w.platen); err != nil {
		return err
	}
	r, err := w.until(ctx, "the silent start", func(r stage.Resident) bool { return r.State == "following" && !r.Stale })
	if err != nil {
		return err
	}
	w.did("Start server and client again, as on the next morning", "signed in silently as %s; balance %s %s", r.Username, r.Balance.Amount, r.Balance.Currency)
	return nil
}

func (w *walk) verify(ctx context.Context) error {
	said, err := w.site.Admin(ctx, "", "ledger", "verify")
	if err != nil {
		return err
	}
	w.did("Verify the ledger", "%s", strings.Join(strings.Fields(said), " "))
	return nil
}

// typePassword types into the window's password field and presses Enter.
func (w *walk) typePassword(ctx context.Context, password string) error {
	if err := w.screen.Keys(ctx, w.window, "type", "--delay", "20", password); err != nil {
		return err
	}
	return w.screen.Keys(ctx, w.window, "key", "Return")
}

// until waits until the resident's status is what is wanted.
func (w *walk) until(ctx context.Context, what string, want func(stage.Resident) bool) (stage.Resident, error) {
	return w.untilFor(ctx, w.command, w.env, what, want)
}

// untilFor is until for somebody else at this computer.
func (w *walk) untilFor(ctx context.Context, command commander, env []string, what string, want func(stage.Resident) bool) (r stage.Resident, err error) {
	err = stage.Until(ctx, patience, what, func() (bool, string) {
		raw, err := command(ctx, env, "", w.platen, "status", "--json")
		if err == nil {
			r, err = stage.ParseResident(raw)
		}
		return err == nil && want(r), fmt.Sprint(raw, err)
	})
	return r, err
}

// show takes a picture of the window and tells the step. There is no event for "the screen looks as it will", so it
// waits a moment first.
func (w *walk) show(ctx context.Context, name, what, seen string, args ...any) error {
	select {
	case <-time.After(1500 * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	w.shots++
	file := fmt.Sprintf("%d-%s.png", w.shots, name)
	if err := w.screen.Picture(ctx, w.window, filepath.Join(w.pictures, file)); err != nil {
		return err
	}
	w.did(what, "%s [%s]", fmt.Sprintf(seen, args...), file)
	return nil
}
