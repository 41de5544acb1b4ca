// Package status is the contract between the resident program and everything that shows or steers it: the tray, the
// window, the command line. Out goes a Snapshot, in comes an Action. A Snapshot is a whole and replaces the one before;
// it holds no token and no password.
//
// The wire form (client/ipc) is the JSON of these types, one frame each. Version is raised when a field changes its
// meaning; a window of another version says so and closes.
package status

import (
	"time"

	"github.com/platenprint/platen/internal/secret"
)

// Version is the version of this contract.
const Version = 1

// State is where the session stands (client/session draws the machine).
type State string

// The states.
const (
	StateStarting  State = "starting"   // finding out who this is
	StateSignedOut State = "signed-out" // nobody; Ask says what the window should show
	StateSigningIn State = "signing-in" // a sign-in is under way
	StateFollowing State = "following"  // signed in, the balance is live
	StateOffline   State = "offline"    // somebody is known, but the server cannot be reached
	StateShutting  State = "shutting-down"
)

// Connection says how balances arrive.
type Connection string

// The kinds of connection.
const (
	ConnectionNone    Connection = "none"
	ConnectionStream  Connection = "stream"  // the event stream is open
	ConnectionPolling Connection = "polling" // a proxy buffers the stream
)

// Ask says what the identification window is for.
type Ask string

// What the window may ask.
const (
	AskNothing       Ask = ""
	AskFirstLaunch   Ask = "first-launch"    // "Sign in to print"
	AskNamesChanged  Ask = "names-changed"   // "Account names have changed"
	AskSessionEnded  Ask = "session-ended"   // signed in before, must prove it again
	AskWhoIsPrinting Ask = "who-is-printing" // shared computer, generic OS account: nothing pre-filled
	AskConfirmServer Ask = "confirm-server"  // "Is this your print server?" (Snapshot.Server)
)

// Where says who names a server that no administrator and no setting of the person names.
type Where string

// Where servers come from that a person must confirm.
const (
	WhereNetwork Where = "network" // the DNS or a web page of the network: whoever runs it may have written it
	WherePackage Where = "package" // the file name of the installation package
)

// Server is a print server that only the network or the package's file name names. Nothing about the person is sent to it,
// and nobody is asked for a password, before ActionConfirmServer.
type Server struct {
	URL   string `json:"url"`
	Host  string `json:"host"` // with the port, unless it is 443: what people compare
	Where Where  `json:"where"`
	// Source is Where for the helpdesk: "_platen._tcp.example.org", "platen--print.example.org.msi".
	Source string `json:"source,omitempty"`
	Pin    string `json:"pin,omitempty"` // of its certificate authority, from the package's file name
	// Rejected: the person has said that it is not theirs. It is not asked again by itself.
	Rejected bool `json:"rejected,omitempty"`
}

// Method is a way of signing in (those of internal/api).
type Method string

// The methods.
const (
	MethodTrust     Method = "trust"
	MethodMicrosoft Method = "microsoft"
	MethodBrowser   Method = "browser"
	MethodPrompt    Method = "prompt"
)

// Offer is a way of signing in that the window offers: one button, or the two fields.
type Offer struct {
	Method   Method `json:"method"`             // never MethodTrust: that needs no window
	Provider string `json:"provider,omitempty"` // with MethodBrowser: the id for Action.Provider
	Name     string `json:"name,omitempty"`     // with MethodBrowser: what people call it, "Google"
}

// Browsing says how far a sign-in in the browser is. The zero value: none is under way.
type Browsing struct {
	Method Method `json:"method,omitempty"`
	// Waiting: the browser is open, and it is the person's turn.
	Waiting bool `json:"waiting,omitempty"`
	// Confirm is who signed in there, when it is not who was expected: nothing happens until ActionContinue.
	Confirm string `json:"confirm,omitempty"`
}

// ProblemCode says what is wrong right now; tray/view has a sentence for each. Codes of internal/api keep their names.
type ProblemCode string

// The problems.
const (
	ProblemNone                 ProblemCode = ""
	ProblemWrongCredentials     ProblemCode = "wrong_credentials"
	ProblemAmbiguousName        ProblemCode = "ambiguous_name"
	ProblemAccountDisabled      ProblemCode = "account_disabled"
	ProblemPasswordExpired      ProblemCode = "password_expired"
	ProblemLimited              ProblemCode = "limited"
	ProblemInvalid              ProblemCode = "invalid"
	ProblemDirectoryUnavailable ProblemCode = "directory_unavailable"
	ProblemUnreachable          ProblemCode = "unreachable"    // no connection to the server
	ProblemNotConfigured        ProblemCode = "not_configured" // no ServerURL
	ProblemCertificate          ProblemCode = "certificate"    // unknown CA, wrong host or wrong pin
	ProblemCertificateExpired   ProblemCode = "certificate_expired"
	ProblemClock                ProblemCode = "clock"            // this computer's clock is wrong
	ProblemServer               ProblemCode = "server"           // it answered, but not as it should
	ProblemConfig               ProblemCode = "config"           // a setting has a bad value
	ProblemMethodOff            ProblemCode = "method_off"       // this way of signing in is not offered here
	ProblemMFARequired          ProblemCode = "mfa_required"     // a password alone is not enough: Problem.Method is
	ProblemNoAccount            ProblemCode = "no_account"       // proven, but nobody at this server
	ProblemConsentRequired      ProblemCode = "consent_required" // the tenant has not approved Platen
	ProblemDeviceBlocked        ProblemCode = "device_blocked"   // the tenant wants a managed device or browser
	ProblemTrustRefused         ProblemCode = "trust_refused"    // this computer could not vouch: said only to whoever set AuthMode trust
	ProblemNoBrowser            ProblemCode = "no_browser"       // no browser can be opened here
	ProblemProvider             ProblemCode = "provider"         // the identity provider answers, but not as it should
	ProblemProviderUnreachable  ProblemCode = "provider_unreachable"
	ProblemTimedOut             ProblemCode = "timed_out" // nobody finished in the browser
)

// Problem is what is wrong, with what a person or the helpdesk needs.
type Problem struct {
	Code    ProblemCode `json:"code"`
	RetryAt time.Time   `json:"retry_at,omitzero"`
	Host    string      `json:"host,omitempty"`   // the server's name, for "Can't reach print.example.org."
	Method  Method      `json:"method,omitempty"` // the way of signing in that works instead
	// Sentence is the key of a sentence that says more than Code's, "microsoft.other_tenant" (auth/aadsts). One that a window
	// does not have counts for nothing.
	Sentence string `json:"sentence,omitempty"`
	Details  string `json:"details,omitempty"` // technical, for the helpdesk: what "Copy details" copies
}

// Keyring says whether a sign-in can be kept.
type Keyring string

// The states of the keyring.
const (
	KeyringUnknown Keyring = ""
	KeyringOK      Keyring = "ok"
	KeyringMissing Keyring = "missing"
	KeyringLocked  Keyring = "locked"
)

// Money is an amount as the server wrote it: a decimal with a dot.
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// User is who is signed in.
type User struct {
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
}

// Candidate is a name this person may have, and why.
type Candidate struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// OSAccount is who the operating system says is logged on.
type OSAccount struct {
	Name   string `json:"name"`            // as the OS writes it
	Short  string `json:"short,omitempty"` // without domain, as people read it
	Domain string `json:"domain,omitempty"`
}

// Snapshot is everything there is to show. The zero value is "starting".
type Snapshot struct {
	Version    int        `json:"version"`
	Seq        uint64     `json:"seq"` // grows with every change
	State      State      `json:"state"`
	Connection Connection `json:"connection"`
	AuthMode   string     `json:"auth_mode"`
	Ask        Ask        `json:"ask,omitempty"`
	Prefill    string     `json:"prefill,omitempty"` // for the account field; never submitted by itself
	OSAccount  OSAccount  `json:"os_account"`
	User       *User      `json:"user,omitempty"`

	// Offers are the ways of signing in that work here and now, best first; the first is the primary button.
	Offers   []Offer  `json:"offers,omitempty"`
	Browsing Browsing `json:"browsing,omitzero"`
	// Vouched: the session came about without a question, because this computer vouched for the OS account. It is said once
	// ("Signed in as ..." with ActionNotMe).
	Vouched bool `json:"vouched,omitempty"`
	// InBrowser: the session was proven in a browser, which may still be signed in: said at sign-out on shared computers.
	InBrowser bool `json:"in_browser,omitempty"`

	Balance     *Money    `json:"balance,omitempty"`
	BalanceAt   time.Time `json:"balance_at,omitzero"`
	Stale       bool      `json:"stale"` // the balance is from before; BalanceAt says when
	Low         bool      `json:"low"`
	Empty       bool      `json:"empty"` // zero or below
	HideBalance bool      `json:"hide_balance,omitempty"`

	Problem *Problem `json:"problem,omitempty"`
	Keyring Keyring  `json:"keyring,omitempty"`
	Shared  bool     `json:"shared,omitempty"`   // a shared computer: sign-out first in the menu, nothing is kept
	NewName string   `json:"new_name,omitempty"` // said once after a migration: "Your account is now ..."
	NoTray  bool     `json:"no_tray,omitempty"`  // this desktop shows no tray icons

	// SignOutAt is when the person will be signed out of a shared computer because nobody seems to be there, unless
	// somebody moves or says ActionStay. Zero: nothing of that kind is about to happen.
	SignOutAt time.Time `json:"sign_out_at,omitzero"`

	// Opened counts how often the window was asked for, OpenPage is the page asked for last: a window that is open already
	// turns to it and comes to the front when the count grows.
	Opened   uint64 `json:"opened,omitempty"`
	OpenPage Page   `json:"open_page,omitempty"`

	// Server is the server that waits for the person's word. Nil: none does.
	Server *Server `json:"server,omitempty"`

	Organisation string `json:"organisation,omitempty"`
	ServerHost   string `json:"server_host,omitempty"`
	PortalURL    string `json:"portal_url,omitempty"`
	TopUpURL     string `json:"top_up_url,omitempty"`
	HelpText     string `json:"help_text,omitempty"`
}

// ActionKind says what is to be done. The list is closed: what is not in it is refused.
type ActionKind string

// The actions.
const (
	ActionSignIn       ActionKind = "sign-in" // Method; with prompt Username and Password; with browser Provider; StaySignedIn
	ActionCancelSignIn ActionKind = "cancel-sign-in"
	ActionSignOut      ActionKind = "sign-out"
	ActionOpen         ActionKind = "open"    // show the window (Page)
	ActionDetails      ActionKind = "details" // answer with Details
	ActionRetry        ActionKind = "retry"   // try the server (or the keyring) again now
	ActionOpenPortal   ActionKind = "open-portal"
	ActionOpenTopUp    ActionKind = "open-top-up"
	ActionFirstFrame   ActionKind = "first-frame" // the window has drawn itself
	ActionDismiss      ActionKind = "dismiss"     // closed without an answer: "not now"
	ActionOpenAgain    ActionKind = "open-again"  // open the browser again for the sign-in under way
	ActionContinue     ActionKind = "continue"    // yes, that other account (Browsing.Confirm)
	ActionNotMe        ActionKind = "not-me"      // the computer vouched for somebody else than who sits here: sign out and ask
	ActionStay         ActionKind = "stay"        // somebody is here: do not sign out (Snapshot.SignOutAt)
	ActionQuit         ActionKind = "quit"

	ActionConfirmServer ActionKind = "confirm-server" // Server: yes, that is my print server; remembered from now on
	ActionRejectServer  ActionKind = "reject-server"  // Server: no, it is not
	// ActionPurge signs out, here and at the server, removes everything that is kept of this person on this computer, but
	// their settings file, and ends the resident.
	ActionPurge ActionKind = "purge"
)

// Page is a page of the window.
type Page string

// The pages.
const (
	PageAuto     Page = "" // identification when signed out, else the balance
	PageBalance  Page = "balance"
	PageDetails  Page = "details"
	PageSettings Page = "settings"
	PageSignIn   Page = "sign-in"
)

// Action is a request to the resident.
type Action struct {
	Kind         ActionKind    `json:"kind"`
	Page         Page          `json:"page,omitempty"`
	Method       Method        `json:"method,omitempty"` // empty: prompt
	Provider     string        `json:"provider,omitempty"`
	OtherAccount bool          `json:"other_account,omitempty"` // let the browser ask which account
	Username     string        `json:"username,omitempty"`
	Password     secret.String `json:"-"` // client/ipc alone writes it to the wire, by Reveal
	StaySignedIn bool          `json:"stay_signed_in,omitempty"`
	// Server is the URL of the server that was shown (Snapshot.Server); the answer counts for no other.
	Server string `json:"server,omitempty"`
}

// Transaction is one line of the statement.
type Transaction struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"` // credit, debit, charge, refund
	Amount  string    `json:"amount"`
	Balance string    `json:"balance"`
	Note    string    `json:"note,omitempty"`
}

// Point is the balance at the end of a day.
type Point struct {
	Date   string `json:"date"` // 2026-11-21
	Amount string `json:"amount"`
}

// Setting is one setting with where its value comes from.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // "policy", "user file /home/alex/.config/platen/platen.conf", "default" ...
}

// Details is what the details and settings pages show beyond the Snapshot.
type Details struct {
	Transactions  []Transaction `json:"transactions"`
	History       []Point       `json:"history"`
	Settings      []Setting     `json:"settings"`
	ClientVersion string        `json:"client_version"`
	ServerVersion string        `json:"server_version,omitempty"`
	ServerURL     string        `json:"server_url,omitempty"`
	Problem       *Problem      `json:"problem,omitempty"` // why transactions or history are missing
}

// Result answers an Action.
type Result struct {
	OK      bool     `json:"ok"`
	Problem *Problem `json:"problem,omitempty"`
	Details *Details `json:"details,omitempty"`
}
