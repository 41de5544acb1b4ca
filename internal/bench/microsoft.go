package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/platenprint/platen/internal/emulator/entra/person"
	"github.com/platenprint/platen/internal/stage"
)

// signIns is how many sign-ins with Microsoft are timed.
const signIns = 20

// microsoft measures from the wish to sign in with Microsoft to the first balance, without the time that a person takes:
// somebody who types infinitely fast goes through the emulator's pages. It is all of it: the desktop's way of opening a
// browser, MSAL, the loopback address, the server's checks and sessions, the balance.
func (r *rig) microsoft(ctx context.Context) (err error) {
	here, err := stage.NewPlace(r.bin, filepath.Join(".cache", "bench-logs", "microsoft"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, here.CleanUp()) }()
	tenant, err := stage.NewTenant(ctx, here, r.who)
	if err != nil {
		return err
	}
	defer func() { _ = tenant.Close() }()
	site, err := stage.NewSite(ctx, here, r.who, tenant.Config())
	if err != nil {
		return err
	}
	if _, err := site.Start(ctx); err != nil {
		return err
	}
	if err := site.UntilRead(ctx, r.who); err != nil {
		return err
	}
	env := slices.Concat(site.ClientEnv(), tenant.Env(), []string{
		"HOME=" + here.Path("home"), "PLATEN_RUNTIME_DIR=" + here.Path("run"), "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "XDG_DATA_HOME=",
		"DISPLAY=", "WAYLAND_DISPLAY=", "DBUS_SESSION_BUS_ADDRESS=", "BROWSER=" + here.Path("browser"),
	})
	platen := filepath.Join(r.bin, "platen")
	if _, err := here.Start(ctx, env, "platen", platen); err != nil {
		return err
	}
	if _, err := stage.UntilStatus(ctx, here, env, 30*time.Second, "the resident", func(s stage.Resident) bool { return s.State == "signed-out" }); err != nil {
		return err
	}
	var times []time.Duration
	for range signIns {
		took, err := r.signInWithMicrosoft(ctx, tenant, env, platen)
		if err != nil {
			return err
		}
		times = append(times, took)
		if _, err := stage.Command(ctx, env, "", platen, "sign-out"); err != nil {
			return err
		}
	}
	quartiles("from the wish to the first balance", "%.0f ms", inMs(times))
	goal("<= 1.5 s", quantile(times, 0.99) <= 1500*time.Millisecond, "the slowest took %.0f ms", ms(quantile(times, 1)))
	return nil
}

func (r *rig) signInWithMicrosoft(ctx context.Context, tenant *stage.Tenant, env []string, platen string) (time.Duration, error) {
	began := time.Now()
	done := make(chan error, 1)
	go func() {
		_, err := stage.Command(ctx, env, "", platen, "sign-in", "--method", "microsoft")
		done <- err
	}()
	address, err := tenant.Opened(ctx)
	if err != nil {
		return 0, errors.Join(err, <-done)
	}
	somebody := (&person.Person{UPN: r.who.UPN, Password: stage.Password, Code: stage.SecondFactor}).Use(tenant.Client())
	if page, err := somebody.Visit(ctx, address); err != nil {
		return 0, errors.Join(fmt.Errorf("at %s: %w", page.URL, err), <-done)
	}
	if err := <-done; err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

func inMs(times []time.Duration) []float64 {
	var list []float64
	for _, t := range times {
		list = append(list, ms(t))
	}
	return list
}
