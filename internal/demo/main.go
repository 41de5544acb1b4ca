// Command demo runs Platen's main job on this computer, with real programs and a throwaway server: somebody is logged
// on, is recognised, signs in, and sees a balance that changes when the server's does. -auth says how they sign in:
//
//	prompt     by account and password
//	microsoft  in the browser, with a second factor; an emulator stands in for Microsoft Entra ID
//	trust      not at all: the computer has joined a directory and is enrolled, and vouches for them (root only)
//
// On a desktop, started from a terminal, it stays up and says what to try. Anywhere else it makes itself a screen (Xvfb),
// walks through the job by itself, saves a picture of every step and fails if any step does not show what it must.
//
// The server and the resident are up while the window's toolkit still compiles, which takes minutes the first time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/stage"
)

func main() {
	auth := flag.String("auth", "prompt", "how people sign in: prompt, microsoft or trust")
	tags := flag.String("tags", "", "build tags of the window")
	pictures := flag.String("pictures", "demo", "folder for the pictures of an unattended run, and for the programs' logs")
	unattended := flag.Bool("unattended", false, "walk through by itself also on a desktop")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, *auth, *tags, *pictures, *unattended); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo:", err)
		os.Exit(1)
	}
}

// demo is one run.
type demo struct {
	*narrator
	auth     string
	here     *stage.Place
	site     *stage.Site
	who      stage.Person
	window   *building
	pictures string
	platen   string        // the resident's program
	tenant   *stage.Tenant // with -auth microsoft
}

func run(ctx context.Context, auth, tags, pictures string, unattended bool) (err error) {
	switch auth {
	case api.MethodPrompt, api.MethodMicrosoft:
	case api.MethodTrust:
		if err := ownMounts(); err != nil {
			return fmt.Errorf("AUTH=trust: %w", err)
		}
		unattended = true // it is another computer's screen
	default:
		return fmt.Errorf("AUTH=%s: there is prompt, microsoft and trust", auth)
	}
	d := &demo{narrator: &narrator{w: os.Stdout, started: time.Now()}, auth: auth}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Dir(self)
	d.platen = filepath.Join(bin, "platen")
	if d.pictures, err = filepath.Abs(pictures); err != nil {
		return err
	}
	logs := filepath.Join(d.pictures, "logs")
	if err := os.RemoveAll(logs); err != nil { // of the run before
		return err
	}
	if d.here, err = stage.NewPlace(bin, logs); err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, d.here.CleanUp()); err != nil {
			d.say("What the programs said is in %s", d.here.Logs)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.window = buildWindow(ctx, d.narrator, filepath.Join(bin, "platen-window"), tags)
	if d.auth == api.MethodTrust {
		return d.vouched(ctx)
	}
	if err := d.startSite(ctx); err != nil {
		return err
	}
	hasScreen := os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
	if !unattended && hasScreen && term.IsTerminal(int(os.Stdin.Fd())) {
		return d.onDesktop(ctx)
	}
	return d.walkThrough(ctx)
}

// startSite starts the server and waits until it has read the sample organisation.
func (d *demo) startSite(ctx context.Context) (err error) {
	if d.who == (stage.Person{}) {
		if d.who, err = stage.CurrentPerson(); err != nil {
			return err
		}
	}
	more := ""
	if d.auth == api.MethodMicrosoft {
		if d.tenant, err = stage.NewTenant(ctx, d.here, d.who); err != nil {
			return err
		}
		d.did("Start an emulator of Microsoft Entra ID", "a tenant in which %s must pass a second factor, at %s", d.who.UPN, d.tenant.Authority())
		more = d.tenant.Config()
	}
	if d.site, err = stage.NewSite(ctx, d.here, d.who, more); err != nil {
		return err
	}
	took, err := d.site.Start(ctx)
	if err != nil {
		return err
	}
	d.did("Start platen-server with an embedded database", "ready at https://%s after %d ms", d.site.Address, took.Milliseconds())
	if err := d.site.UntilRead(ctx, d.who); err != nil {
		return err
	}
	d.did("Read the sample organisation, a CSV directory", "3 people, among them %s <%s>, whom this computer calls %q", d.who.Full, d.who.UPN, d.who.OSName)
	if d.auth == api.MethodMicrosoft {
		return nil // nobody has a password here
	}
	return d.site.SetPassword(ctx, d.who.UPN)
}
