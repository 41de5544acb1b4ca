package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/platenprint/platen/internal/stage"
)

// onDesktop starts the resident in the person's own session and stays until they have seen enough.
func (d *demo) onDesktop(ctx context.Context) error {
	env := append(d.site.ClientEnv(),
		"PLATEN_RUNTIME_DIR="+d.here.Path("run"), "XDG_CONFIG_HOME="+d.here.Path("home"), "XDG_STATE_HOME="+d.here.Path("home"))
	how := fmt.Sprintf("Sign in with the password %q.", stage.Password)
	if d.tenant != nil {
		env = append(env, d.tenant.Env()...)
		how = fmt.Sprintf("Choose \"Sign in with Microsoft\". Your browser warns of the emulator's certificate, which was\n"+
			"       made just now: go on. The password there is %q, the second factor %s.", stage.Password, stage.SecondFactor)
	}
	client, err := d.here.Start(ctx, env, "platen", d.platen)
	if err != nil {
		return err
	}
	if _, err := stage.UntilStatus(ctx, d.here, env, patience, "the resident", func(r stage.Resident) bool { return r.State != "" }); err != nil {
		return err
	}
	d.did("Start platen, the resident", "it runs in your session; look for its icon in the tray")
	if err := d.window.wait(ctx); err != nil {
		return err
	}
	if _, err := stage.Command(ctx, env, "", d.platen, "open"); err != nil {
		return err
	}
	d.say(`The window is open: it knows you as %[1]s. %[2]s

       Then try, in another terminal (the balance on your screen changes at once):
         %[3]s user credit %[1]s 5 --data %[4]s
         %[3]s user credit %[1]s --data %[4]s -- -4.50
         %[3]s user list --data %[4]s
         %[3]s ledger verify --data %[4]s

       Server:  https://%[5]s   (its CA: %[4]s/ca.pem)
       Press Ctrl+C to end; everything the demo made is removed then.`,
		d.who.UPN, how, filepath.Join(d.here.Bin, "platen-server"), d.site.Data, d.site.Address)
	select {
	case <-ctx.Done():
	case <-client.Done:
		d.say("The resident was quit.")
		return nil
	}
	// So that nothing stays in the person's keyring.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	_, err = stage.Command(ctx, env, "", d.platen, "sign-out")
	return err
}
