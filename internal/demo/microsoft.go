package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/platenprint/platen/internal/stage"
)

// withMicrosoft presses the one button there is, and goes through the browser as a person does.
func (w *walk) withMicrosoft(ctx context.Context) error {
	if err := w.screen.Keys(ctx, w.window, "key", "Tab", "space", "Tab", "Return"); err != nil { // "Stay signed in" too
		return err
	}
	address, err := w.tenant.Opened(ctx)
	if err != nil {
		return err
	}
	if err := w.show(ctx, "your-turn", "Choose \"Sign in with Microsoft\"", "the browser opens; the window waits for it"); err != nil {
		return err
	}
	page, err := openBrowser(ctx, w.here, w.tenant.Certificate())
	if err != nil {
		return err
	}
	defer page.close()
	picture := func(name string) string {
		w.shots++
		return filepath.Join(w.pictures, fmt.Sprintf("%d-%s.png", w.shots, name))
	}
	steps := []error{
		page.open(address),
		page.typeInto("#passwd", stage.Password), page.picture(picture("microsoft-password")), page.click("#signin"),
		page.typeInto("#otc", stage.SecondFactor), page.picture(picture("microsoft-second-factor")), page.click("#verify"),
	}
	if err := errors.Join(steps...); err != nil {
		return err
	}
	began := time.Now()
	r, err := w.until(ctx, "the first balance", func(r stage.Resident) bool { return r.State == "following" && r.Balance.Amount == "0.00" })
	if err != nil {
		return err
	}
	took := time.Since(began)
	if r.Username != w.who.UPN {
		return fmt.Errorf("signed in as %s, not as %s", r.Username, w.who.UPN)
	}
	if err := page.picture(picture("done")); err != nil {
		return err
	}
	w.did("Type the password there, and the second factor", "signed in as %s, %d ms after the last click; Platen has seen no password", r.Username, took.Milliseconds())
	return nil
}
