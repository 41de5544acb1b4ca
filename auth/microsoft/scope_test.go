package microsoft_test

import (
	"context"
	"errors"
	"testing"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/internal/api"
)

// A server that somebody has broken into names the client and the scope, and gets the token.
func TestNoTokenForMicrosoftsOwnAPIs(t *testing.T) {
	const azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	for scope, good := range map[string]bool{
		"api://" + server + "/sign-in":                    true,
		"api://example.org/print/sign-in":                 true,
		"https://graph.microsoft.com/.default":            false,
		"https://management.azure.com/user_impersonation": false,
		"00000003-0000-0000-c000-000000000000/.default":   false,
		"User.Read":             false,
		"offline_access":        false,
		"api://sign-in":         false,
		"api:///sign-in":        false,
		"api://" + server + "/": false,
		"API://https://graph.microsoft.com/Mail.Read": false,
		"api://x@graph.microsoft.com/Mail.Read":       false,
	} {
		_, err := microsoft.New(microsoft.Options{
			Config:  api.MicrosoftConfig{Authority: "https://login.microsoftonline.com/organizations", ClientID: azureCLI, Scope: scope},
			OpenURL: func(context.Context, string) error { return nil },
		})
		failure, bad := errors.AsType[*microsoft.Error](err)
		if good == bad || bad && failure.Kind != microsoft.BadConfig {
			t.Errorf("%q: %v", scope, err)
		}
	}
}
