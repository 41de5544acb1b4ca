package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/platenprint/platen/internal/fakedesktop"
	"github.com/platenprint/platen/internal/stage"
)

// swingSource is the peer: the same small window, in Java Swing.
//
//go:embed Balance.java
var swingSource []byte

const (
	java  = "/usr/bin/java"
	javac = "/usr/bin/javac"
)

// rig is what the groups share: a site with a signed-in person, and a screen.
type rig struct {
	options
	here   *stage.Place
	site   *stage.Site
	screen *stage.Screen
	tray   *fakedesktop.Tray
	who    stage.Person
	env    []string // of programs in the person's session
	bin    string
	swing  []string // the command that starts the peer
}

func newRig(ctx context.Context, o options) (r *rig, err error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	r = &rig{options: o, bin: bin}
	if r.here, err = stage.NewPlace(bin, filepath.Join(".cache", "bench-logs")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = r.here.CleanUp()
		}
	}()
	if r.who, err = stage.CurrentPerson(); err != nil {
		return nil, err
	}
	if r.site, err = stage.NewSite(ctx, r.here, r.who, ""); err != nil {
		return nil, err
	}
	if _, err := r.site.Start(ctx); err != nil {
		return nil, err
	}
	if err := r.site.UntilRead(ctx, r.who); err != nil {
		return nil, err
	}
	if err := r.site.SetPassword(ctx, r.who.UPN); err != nil {
		return nil, err
	}
	if r.screen, err = stage.NewScreen(ctx, r.here); err != nil {
		return nil, err
	}
	if r.tray, err = fakedesktop.NewTray(r.screen.Bus, true); err != nil {
		return nil, err
	}
	r.env = append(r.screen.Env, r.site.ClientEnv()...)
	return r, r.compileSwing(ctx)
}

func (r *rig) compileSwing(ctx context.Context) error {
	source := r.here.Path("Balance.java")
	if err := os.WriteFile(source, swingSource, 0o600); err != nil {
		return err
	}
	if _, err := stage.Command(ctx, nil, "", javac, "-d", r.here.Path("swing"), source); err != nil {
		return err
	}
	r.swing = []string{java, "-cp", r.here.Path("swing"), "Balance"}
	return nil
}

// signedIn starts a resident of its own (n tells them apart) and signs it in. It sees the session's tray but no display, or
// it would open its window as on every first launch.
func (r *rig) signedIn(ctx context.Context, n int) (*stage.Program, []string, error) {
	home := r.here.Path(fmt.Sprintf("resident-%d", n))
	env := append(slices.Clone(r.env), "DISPLAY=", "PLATEN_RUNTIME_DIR="+home, "XDG_STATE_HOME="+home, "XDG_CONFIG_HOME="+home)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, nil, err
	}
	platen := filepath.Join(r.bin, "platen")
	prog, err := r.here.Start(ctx, env, fmt.Sprintf("platen-%d", n), platen)
	if err != nil {
		return nil, nil, err
	}
	if _, err := stage.Command(ctx, env, stage.Password+"\n", platen, "sign-in", "--username", r.who.UPN, "--password-stdin"); err != nil {
		return nil, nil, err
	}
	_, err = stage.UntilStatus(ctx, r.here, env, 30*time.Second, "the open stream", func(s stage.Resident) bool {
		return s.State == "following" && s.Connection == "stream"
	})
	return prog, env, err
}
