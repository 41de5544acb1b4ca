package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/fakedesktop"
	"github.com/platenprint/platen/internal/stage"
)

func ownMounts() error { return stage.OwnMounts() }

// The accounts of the computer's directory.
var (
	alex = stage.Account{Name: "alex.test", Full: "Alex Test", UID: 471100}
	sam  = stage.Account{Name: "sam.okafor", Full: "Sam Okafor", UID: 471101}
)

// vouching is the walk on a computer that vouches for who is logged on.
type vouching struct {
	*walk
	login stage.Login // alex's
}

// vouched is the run in which nobody is asked anything.
func (d *demo) vouched(ctx context.Context) error {
	if err := d.here.Workstation(ctx, alex, sam); err != nil {
		return err
	}
	d.did("Join this computer to a directory, for this demo only", "SSSD says who %s and %s are; /etc/passwd knows neither", alex.Name, sam.Name)
	d.who = stage.Person{OSName: alex.Name, UPN: alex.Name + "@" + stage.Suffix, Full: alex.Full}
	if err := d.startSite(ctx); err != nil {
		return err
	}
	if err := d.window.wait(ctx); err != nil {
		return err
	}
	if err := d.sharePrograms(); err != nil {
		return err
	}
	login, err := d.here.Login(alex)
	if err != nil {
		return err
	}
	screen, err := login.Screen(ctx)
	if err != nil {
		return err
	}
	tray, err := fakedesktop.NewTray(screen.Bus, true)
	if err != nil {
		return err
	}
	defer func() { _ = tray.Close() }()
	env, err := d.clientEnv()
	if err != nil {
		return err
	}
	v := &vouching{walk: &walk{demo: d, screen: screen, tray: tray, env: append(screen.Env, env...), command: login.Command}, login: login}
	return v.take(ctx, v.enrol, v.silentStart, v.credit, v.colleague, v.revoke, v.verify)
}

// sharePrograms copies the programs to where everybody on this computer may start them.
func (d *demo) sharePrograms() error {
	bin := d.here.Path("bin")
	if err := os.Mkdir(bin, 0o755); err != nil { //nolint:gosec // for everybody
		return err
	}
	for _, name := range []string{"platen", "platen-window", "platen-server", "platen-deploy"} {
		program, err := os.ReadFile(filepath.Join(d.here.Bin, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(bin, name), program, 0o755); err != nil { //nolint:gosec // a program for everybody
			return err
		}
	}
	d.here.Bin, d.platen = bin, filepath.Join(bin, "platen")
	return nil
}

// clientEnv is what IT would set, with the CA where everybody may read it.
func (d *demo) clientEnv() ([]string, error) {
	ca, err := os.ReadFile(filepath.Join(d.site.Data, "ca.pem"))
	if err != nil {
		return nil, err
	}
	file := d.here.Path("bin", "ca.pem")
	return append(d.site.ClientEnv(), "PLATEN_CA_FILE="+file), os.WriteFile(file, ca, 0o644) //nolint:gosec // for everybody
}

// enrol makes the computer one of the organisation's, by a token that is good once.
func (v *vouching) enrol(ctx context.Context) error {
	created, err := v.site.Admin(ctx, "", "enrolment", "create", "--json")
	if err != nil {
		return err
	}
	token, err := tokenOf(created)
	if err != nil {
		return err
	}
	deploy := filepath.Join(v.here.Bin, "platen-deploy")
	if _, err := stage.Command(ctx, nil, token+"\n", deploy, "enrol", "--token-file", "-"); err != nil {
		return err
	}
	if _, err := v.here.Start(ctx, nil, "platen-deploy", deploy, "run-service"); err != nil {
		return err
	}
	var said string
	err = stage.Until(ctx, patience, "the service", func() (bool, string) {
		said, err = v.login.Command(ctx, nil, "", deploy, "status")
		return err == nil, fmt.Sprint(said, err)
	})
	if err != nil {
		return err
	}
	v.did("Enrol this computer with a token, and start platen-deploy", "%s", strings.Join(strings.Fields(said), " "))
	return nil
}

// silentStart is the whole sign-in: nobody is asked.
func (v *vouching) silentStart(ctx context.Context) (err error) {
	began := time.Now()
	if v.client, err = v.login.Start(ctx, v.env, "platen", v.platen); err != nil {
		return err
	}
	r, err := v.silently(ctx, v.login, v.env, v.who.UPN)
	if err != nil {
		return err
	}
	took := time.Since(began)
	v.did("Log on as alex.test; platen starts", "signed in as %s without a question, %d ms later; balance %s %s", r.Username, took.Milliseconds(), r.Balance.Amount, r.Balance.Currency)
	if _, err := v.login.Command(ctx, v.env, "", v.platen, "open"); err != nil {
		return err
	}
	v.window, err = v.screen.Window(ctx, "platen")
	return err
}

// colleague logs on to the same computer at the same time.
func (v *vouching) colleague(ctx context.Context) error {
	login, err := v.here.Login(sam)
	if err != nil {
		return err
	}
	env := append(v.site.ClientEnv(), "PLATEN_CA_FILE="+v.here.Path("bin", "ca.pem"), "DISPLAY=", "WAYLAND_DISPLAY=", "DBUS_SESSION_BUS_ADDRESS=")
	if _, err := login.Start(ctx, env, "platen", v.platen); err != nil {
		return err
	}
	r, err := v.silently(ctx, login, env, sam.Name+"@"+stage.Suffix)
	if err != nil {
		return err
	}
	v.did("Sam logs on to the same computer", "signed in as %s; each has their own session and balance", r.Username)
	return nil
}

// revoke takes the computer's word away.
func (v *vouching) revoke(ctx context.Context) error {
	list, err := v.site.Admin(ctx, "", "device", "list", "--json")
	if err != nil {
		return err
	}
	id, err := deviceOf(list)
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := v.site.Admin(ctx, "", "device", "revoke", id, "--yes"); err != nil {
		return err
	}
	if _, err := v.until(ctx, "the end of the session", func(r stage.Resident) bool { return r.State == "signed-out" }); err != nil {
		return err
	}
	return v.show(ctx, "revoked", "Revoke the computer on the server", "%d ms later its people are signed out, and are asked as anywhere else", time.Since(began).Milliseconds())
}

// silently waits until somebody is signed in without a question.
func (v *vouching) silently(ctx context.Context, login stage.Login, env []string, upn string) (stage.Resident, error) {
	return v.untilFor(ctx, login.Command, env, "a balance without a question", func(r stage.Resident) bool { return r.State == "following" && r.Username == upn })
}

// tokenOf and deviceOf read what the server's commands answered.
func tokenOf(created string) (string, error) {
	var answer struct{ Token string }
	err := json.Unmarshal([]byte(created), &answer)
	return answer.Token, err
}

func deviceOf(list string) (string, error) {
	var answer struct{ Devices []struct{ ID string } }
	if err := json.Unmarshal([]byte(list), &answer); err != nil {
		return "", err
	}
	if len(answer.Devices) != 1 {
		return "", fmt.Errorf("%d devices, where one was enrolled", len(answer.Devices))
	}
	return answer.Devices[0].ID, nil
}
