package stage

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
)

// What the sample tenant is called, and the factor beside the password.
const (
	tenantID    = "11111111-2222-4333-8444-555555555555"
	clientID    = "22222222-3333-4444-8555-666666666666"
	apiClientID = "33333333-4444-4555-8666-777777777777"

	SecondFactor = "123456"
)

// Tenant is the sample organisation's tenant: an emulator that stands in for Microsoft Entra ID.
type Tenant struct {
	*entra.Emulator

	here        *Place
	certificate string // file, PEM
	opened      string // file: the addresses that were to be seen in the browser, one a line
}

// NewTenant starts a tenant in which the person must pass a second factor. What the programs of this place open in the
// browser from then on is found by Opened.
func NewTenant(ctx context.Context, here *Place, who Person) (*Tenant, error) {
	emulator, err := entra.Start(ctx, entra.Options{Config: entra.Config{
		Tenant: tenantID, Name: "Example University", Domains: []string{Suffix},
		Apps: []entra.App{
			{ID: clientID, Name: "Platen", RedirectURIs: []string{"http://localhost"}, PublicFlows: true},
			{ID: apiClientID, Name: "Platen server", Scopes: []string{"sign-in"}, AccessTokenVersion: 2},
		},
		Users: []entra.User{{UPN: who.UPN, Name: who.Full, Email: who.UPN, Password: Password, MFA: entra.MFARequired, Code: SecondFactor}},
	}})
	if err != nil {
		return nil, err
	}
	t := &Tenant{Emulator: emulator, here: here, certificate: here.Path("entra.pem"), opened: here.Path("opened")}
	return t, errors.Join(
		os.WriteFile(t.certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: emulator.Certificate().Raw}), 0o600),
		os.WriteFile(t.opened, nil, 0o600),
		t.makeBrowser(),
	)
}

// makeBrowser writes a browser into the throwaway home that does no more than note what it is asked to open.
func (t *Tenant) makeBrowser() error {
	browser := t.here.Path("browser")
	applications, config := t.here.Path("home", ".local", "share", "applications"), t.here.Path("home", ".config")
	desktop := "[Desktop Entry]\nType=Application\nName=Browser\nExec=" + browser + " %u\nMimeType=x-scheme-handler/https;\n"
	return errors.Join(
		os.WriteFile(browser, []byte("#!/bin/sh\nprintf '%s\\n' \"$1\" >> "+t.opened+"\n"), 0o700), //nolint:gosec // a program
		os.MkdirAll(applications, 0o700), os.MkdirAll(config, 0o700),
		os.WriteFile(filepath.Join(applications, "browser.desktop"), []byte(desktop), 0o600),
		os.WriteFile(filepath.Join(config, "mimeapps.list"), []byte("[Default Applications]\nx-scheme-handler/https=browser.desktop\n"), 0o600),
	)
}

// Config is the tenant's part of the server's configuration.
func (t *Tenant) Config() string {
	return fmt.Sprintf("microsoft:\n  tenant: %s\n  client_id: %s\n  api_client_id: %s\n  authority: %s\n  allow_any_authority: yes\n  ca_file: %s\n  mfa: yes\n  match: upn\n",
		tenantID, clientID, apiClientID, t.URL(), t.certificate)
}

// Env is what makes a client trust an emulator, which nobody else should.
func (t *Tenant) Env() []string {
	return []string{"SSL_CERT_FILE=" + t.certificate, "PLATEN_MICROSOFT_AUTHORITY=" + t.URL()}
}

// Opened waits for the next address that a program opens in the browser.
func (t *Tenant) Opened(ctx context.Context) (address string, err error) {
	err = Until(ctx, 30*time.Second, "the browser", func() (bool, string) {
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
