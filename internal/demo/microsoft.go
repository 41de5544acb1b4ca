package main

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/platenprint/platen/internal/emulator/entra"
	"github.com/platenprint/platen/internal/stage"
)

// What the emulated tenant is called, and the factor beside the password.
const (
	tenantID    = "11111111-2222-4333-8444-555555555555"
	clientID    = "22222222-3333-4444-8555-666666666666"
	apiClientID = "33333333-4444-4555-8666-777777777777"
	secondCode  = "123456"
)

// tenant is the emulator that stands in for Microsoft Entra ID, and how programs are made to trust it.
type tenant struct {
	*entra.Emulator
	certificate string // file, PEM
	opened      string // file: the addresses that the client wanted to see in the browser, one a line
	browser     string // the program that writes them there: the browser of the throwaway home
}

// startTenant starts a tenant in which the person must pass a second factor.
func (d *demo) startTenant(ctx context.Context) (*tenant, error) {
	emulator, err := entra.Start(ctx, entra.Options{Config: entra.Config{
		Tenant: tenantID, Name: "Example University", Domains: []string{stage.Suffix},
		Apps: []entra.App{
			{ID: clientID, Name: "Platen", RedirectURIs: []string{"http://localhost"}, PublicFlows: true},
			{ID: apiClientID, Name: "Platen server", Scopes: []string{"sign-in"}, AccessTokenVersion: 2},
		},
		Users: []entra.User{{UPN: d.who.UPN, Name: d.who.Full, Email: d.who.UPN, Password: stage.Password, MFA: entra.MFARequired, Code: secondCode}},
	}})
	if err != nil {
		return nil, err
	}
	t := &tenant{Emulator: emulator, certificate: d.here.Path("entra.pem"), opened: d.here.Path("opened"), browser: d.here.Path("browser")}
	applications, config := d.here.Path("home", ".local", "share", "applications"), d.here.Path("home", ".config")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: emulator.Certificate().Raw}
	err = errors.Join(
		os.WriteFile(t.certificate, pem.EncodeToMemory(block), 0o600),
		os.WriteFile(t.opened, nil, 0o600),
		os.MkdirAll(applications, 0o700), os.MkdirAll(config, 0o700),
		os.WriteFile(filepath.Join(applications, "demo.desktop"), []byte("[Desktop Entry]\nType=Application\nName=Demo\nExec="+t.browser+" %u\nMimeType=x-scheme-handler/https;\n"), 0o600),
		os.WriteFile(filepath.Join(config, "mimeapps.list"), []byte("[Default Applications]\nx-scheme-handler/https=demo.desktop\n"), 0o600),
		os.WriteFile(t.browser, []byte("#!/bin/sh\nprintf '%s\\n' \"$1\" >> "+t.opened+"\n"), 0o700), //nolint:gosec // a program
	)
	if err != nil {
		return nil, err
	}
	d.did("Start an emulator of Microsoft Entra ID", "a tenant in which %s must pass a second factor, at %s", d.who.UPN, t.Authority())
	return t, nil
}

// config is the tenant's part of the server's configuration.
func (t *tenant) config() string {
	return fmt.Sprintf("microsoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n  authority: %s\n  allow_any_authority: yes\n  ca_file: %s\n  mfa: yes\n  match: upn\n",
		tenantID, clientID, apiClientID, t.URL(), t.certificate)
}

// env is what makes the client trust an emulator, which nobody else should.
func (t *tenant) env() []string {
	return []string{"SSL_CERT_FILE=" + t.certificate, "PLATEN_MICROSOFT_AUTHORITY=" + t.URL()}
}

// address waits for the next address that the client opens in the browser.
func (t *tenant) address(ctx context.Context) (address string, err error) {
	err = stage.Until(ctx, patience, "the browser", func() (bool, string) {
		text, err := os.ReadFile(t.opened)
		if err != nil {
			return false, err.Error()
		}
		lines := strings.Fields(string(text))
		if len(lines) == 0 {
			return false, "nothing was opened"
		}
		address = lines[len(lines)-1]
		return true, ""
	})
	return address, errors.Join(err, os.Truncate(t.opened, 0))
}

// withMicrosoft presses the one button there is, and goes through the browser as a person does.
func (w *walk) withMicrosoft(ctx context.Context) error {
	if err := w.screen.Keys(ctx, w.window, "key", "Tab", "space", "Tab", "Return"); err != nil { // "Stay signed in" too
		return err
	}
	address, err := w.tenant.address(ctx)
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
		page.typeInto("#otc", secondCode), page.picture(picture("microsoft-second-factor")), page.click("#verify"),
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
