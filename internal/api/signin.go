package api

import (
	"crypto/sha256"
	"encoding/base64"
)

// The ways of signing in, as they stand in ClientConfig.AuthModes, in Problem.Method and in the client's AuthMode.
const (
	MethodTrust     = "trust"     // an enrolled machine vouches for the OS account
	MethodMicrosoft = "microsoft" // MSAL in the system browser, an access token for our API
	MethodBrowser   = "browser"   // the server brokers OpenID Connect in the system browser
	MethodPrompt    = "prompt"    // account and password
)

// MicrosoftConfig is what a client needs to ask Microsoft Entra ID for an access token for this server.
type MicrosoftConfig struct {
	Authority string `json:"authority" doc:"With the tenant's id as its path." example:"https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555"`
	ClientID  string `json:"client_id" doc:"The public client that the tenant knows as Platen." example:"66666666-7777-8888-9999-000000000000"`
	Scope     string `json:"scope" doc:"The server's own API scope." example:"api://aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/sign-in"`
}

// BrowserConfig is what a client needs to sign in by the system browser. It opens
//
//	SignInURL?challenge=CHALLENGE&port=PORT&state=STATE[&login_hint=NAME][&provider=ID][&prompt=select_account]
//
// and the browser ends at http://127.0.0.1:PORT/ with a form post of code and state (or error and state, see
// BrowserError...). The code is redeemed at PathSessionCode with the verifier that the challenge was made of.
type BrowserConfig struct {
	SignInURL string     `json:"sign_in_url" example:"https://print.example.org/sign-in/client"`
	Providers []Provider `json:"providers" nullable:"false" doc:"The identity providers to choose from, the first is the usual one."`
}

// Provider is an identity provider as people know it.
type Provider struct {
	ID   string `json:"id" example:"google"`
	Name string `json:"name" example:"Google"`
}

// What the browser brings back as error instead of a code.
const (
	BrowserErrorCancelled   = "access_denied"           // the person said no
	BrowserErrorNoAccount   = "no_account"              // proven, but nobody here
	BrowserErrorDisabled    = "account_disabled"        // proven, but may not sign in
	BrowserErrorUnavailable = "temporarily_unavailable" // the provider does not answer
	BrowserErrorFailed      = "server_error"
)

// VerifierBytes is how many random bytes a verifier is made of.
const VerifierBytes = 32

// Challenge is what binds a one-use code to the program that asked for it: BASE64URL(SHA-256(verifier)), RFC 7636 section 4.2.
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// TokenSignIn asks for a session by an identity provider's access token for this server.
type TokenSignIn struct {
	Provider     string    `json:"provider" enum:"microsoft"`
	AccessToken  string    `json:"access_token" minLength:"1" maxLength:"32768" doc:"Never logged, stored or echoed."`
	StaySignedIn bool      `json:"stay_signed_in,omitempty"`
	Shared       bool      `json:"shared_computer,omitempty" doc:"Many people use the computer: its account says nothing about who this is."`
	Client       string    `json:"client,omitempty" maxLength:"128" example:"platen 1.0.0 (linux)"`
	OSAccount    OSAccount `json:"os_account,omitempty"`
}

// CodeSignIn asks for a session by a one-use code: from the browser, or from platen-deploy, which got it for the person
// logged on.
type CodeSignIn struct {
	Code         string    `json:"code" minLength:"1" maxLength:"256"`
	Verifier     string    `json:"verifier" minLength:"43" maxLength:"128" doc:"What the challenge was made of (RFC 7636)."`
	StaySignedIn bool      `json:"stay_signed_in,omitempty"`
	Shared       bool      `json:"shared_computer,omitempty"`
	Client       string    `json:"client,omitempty" maxLength:"128"`
	OSAccount    OSAccount `json:"os_account,omitempty"`
}
