package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// ErrSilent is returned by Server.Follow when nothing arrived for api.SilenceLimit: a proxy holds the stream back, or the
// computer was asleep.
var ErrSilent = errors.New("the event stream is silent")

// Server is the print server. Its errors are *Error wherever it can say what is wrong. It must be safe for concurrent use.
type Server interface {
	ClientConfig(ctx context.Context) (api.ClientConfig, error)
	SignIn(ctx context.Context, request api.SignIn, password secret.String) (Tokens, error)
	// SignInToken is SignIn by an identity provider's access token; request has no token.
	SignInToken(ctx context.Context, request api.TokenSignIn, token secret.String) (Tokens, error)
	// SignInCode is SignIn by a one-use code; request has neither code nor verifier.
	SignInCode(ctx context.Context, request api.CodeSignIn, code, verifier secret.String) (Tokens, error)
	// Refresh trades a refresh token for new tokens. The old one stays good for a moment if the answer gets lost.
	Refresh(ctx context.Context, refresh secret.String) (Tokens, error)
	SignOut(ctx context.Context, access secret.String) error
	Balance(ctx context.Context, access secret.String) (api.Balance, error)
	Transactions(ctx context.Context, access secret.String) (api.TransactionList, error)
	BalanceHistory(ctx context.Context, access secret.String) (api.BalanceHistory, error)
	// Follow calls on with a heartbeat once the stream is open, and with every event newer than version until the stream
	// ends, and returns why it did: nil for an orderly end, ErrSilent, an *Error. It must return soon after ctx ends.
	Follow(ctx context.Context, access secret.String, version int64, on func(Event)) error
}

// EventKind says what an Event is.
type EventKind int

// The kinds of events.
const (
	EventHeartbeat EventKind = iota // nothing happened, and the stream is alive
	EventBalance                    // Balance is the newest
	EventSignedOut                  // the server ended the session
)

// Event is one message of the event stream.
type Event struct {
	Kind    EventKind
	Balance api.Balance
}

// Tokens are a session at the server. AccessExpires is in the server's time.
type Tokens struct {
	Access         secret.String
	AccessExpires  time.Time
	Refresh        secret.String
	RefreshExpires time.Time
	User           api.User
}

// Error says what went wrong with the server.
type Error struct {
	// Code is the server's own word, empty when no proper answer came (no network, wrong certificate, not our server).
	Code api.Code
	// Problem is the same for people and the helpdesk.
	Problem status.Problem
	Err     error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Problem.Code, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Machine is this computer, as far as it is enrolled at the server (platen-deploy). Errors are *Error wherever they can say
// what is wrong. It must be safe for concurrent use.
type Machine interface {
	// Policy tells what the administrators decided for computers like this one. A computer that is not enrolled, or has no
	// such service, has the zero Policy and no error; an error says that it may be known later.
	Policy(ctx context.Context) (Policy, error)
	// Vouch asks the computer to vouch for the OS account of this process. The code is redeemed with the verifier that the
	// challenge (api.Challenge) was made of.
	Vouch(ctx context.Context, challenge string) (secret.String, error)
}

// Policy is what was decided for this computer. The zero value: nothing.
type Policy struct {
	Enrolled  bool
	AuthModes []string // the ways of signing in, best first; empty: the site's
}

// Browser is the system browser, and the way of signing in that needs nothing else. It must be safe for concurrent use.
type Browser interface {
	// Usable tells whether a browser can be opened here, as far as can be told without opening one.
	Usable() bool
	// Open opens a web page. It does not wait for the person, but may take some seconds to see whether there is a browser.
	Open(ctx context.Context, address string) error
	// SignIn opens the server's page for signing in, by open, and waits for what it brings back, as long as ctx lets it.
	SignIn(ctx context.Context, site api.BrowserConfig, how Browse) (code, verifier secret.String, err error)
}

// Browse says how to sign in by a browser.
type Browse struct {
	Provider      string // of AuthMode browser; empty: the usual one
	Hint          string // who is expected; empty: nobody in particular
	SelectAccount bool   // let the page ask which account
	// Open opens an address in the browser. It returns at once; when there turns out to be no browser, the context ends.
	Open func(ctx context.Context, address string) error
}

// Microsoft is Microsoft Entra ID. It keeps what it learns in memory, until Keep or Forget, and where it has kept it before. It must be safe for
// concurrent use.
type Microsoft interface {
	// Allowed tells whether people may be sent to this site's authority at all.
	Allowed(site api.MicrosoftConfig) bool
	// Silent gets a token without the person, if they have signed in here before. account is who it must be (Proof.Username);
	// empty: whoever it was. An error means no more than that the person must be asked.
	Silent(ctx context.Context, site api.MicrosoftConfig, account string) (Proof, error)
	// SignIn opens the browser and waits for the person, as long as ctx lets it.
	SignIn(ctx context.Context, site api.MicrosoftConfig, how Browse) (Proof, error)
	// Keep keeps what is in memory over restarts, encrypted, from now on.
	Keep(ctx context.Context) error
	// Release takes Keep back: what is on disk is forgotten, what is in memory stays.
	Release(ctx context.Context) error
	// Forget forgets everything, in memory and on disk.
	Forget(ctx context.Context) error
}

// Proof is what Microsoft says about somebody; only the server believes it, after a look of its own.
type Proof struct {
	Token    secret.String // an access token for the server's API
	Username string        // who signed in, to show
}

// Kept is what a session leaves on this computer, encrypted.
type Kept struct {
	Refresh        secret.String
	RefreshExpires time.Time
	User           api.User
}

// Note is what is remembered about the last session, to show something without a server. It holds no token.
type Note struct {
	User    api.User         `json:"user"`
	Balance api.Balance      `json:"balance"`
	At      time.Time        `json:"at"` // when the balance was last known to be right
	Site    api.ClientConfig `json:"site"`
	Method  status.Method    `json:"method,omitempty"`  // how they signed in
	Account string           `json:"account,omitempty"` // with Microsoft: who they are there
	// NotMe: somebody said that they are not who this computer vouches for. It counts until somebody has signed in.
	NotMe bool `json:"not_me,omitempty"`
}

// Vault keeps a session between two runs. What it answers with belongs to the server this client is configured for; a
// session of another server is nothing. Every call must come back within seconds, also with a keyring that hangs. The
// session never makes two calls at once.
type Vault interface {
	// Load returns what is kept, nil when there is nothing. Keyring is KeyringLocked when something may be kept but
	// cannot be read now.
	Load(ctx context.Context) (*Kept, status.Keyring, error)
	// Save keeps the session instead of the one before. Anything but KeyringOK means that it is not kept.
	Save(ctx context.Context, kept Kept) (status.Keyring, error)
	// LoadNote returns the note, nil when there is none.
	LoadNote(ctx context.Context) (*Note, error)
	SaveNote(ctx context.Context, note Note) error
	// Clear forgets the session and the note. Nothing being there is no error.
	Clear(ctx context.Context) error
}

// Who is the person in front of this computer, as far as it can tell.
type Who struct {
	Account status.OSAccount
	Facts   api.OSAccount // what the server is told at sign-in
	Prefill string        // the name to put into the account field
	// Shared means that several people use this OS account one after the other: nothing is kept, nothing is pre-filled.
	Shared bool
	// Backed means that a directory answers for this OS account: the computer may vouch for it.
	Backed bool
}

// Identity tells who is logged on. suffix is the UPN suffix the server suggests, for when the computer has no rule.
type Identity interface {
	Identify(ctx context.Context, suffix string) (Who, error)
}

// Presence tells whether somebody is in front of this computer. Read may take some seconds.
type Presence interface {
	Read(ctx context.Context) (Reading, error)
}

// Reading is what Presence tells (that of client/presence).
type Reading struct {
	Idle        time.Duration // since somebody moved; it counts only when IdleKnown
	IdleKnown   bool
	Locked      bool // the screen is locked; it counts only when LockedKnown
	LockedKnown bool
}

// Settings are the settings of the client that concern the session.
type Settings struct {
	AuthMode    string // as configured: "auto", or the one method that people are restricted to; empty: "auto"
	Client      string // what the person sees in their list of sessions: "platen 1.0.0 (linux)"
	ServerHost  string
	HideBalance bool
	LowBalance  string // empty: the server's word counts
	TopUpURL    string // empty: the server's word counts
	// Problem says why no server can be asked at all: none is configured, or a setting is wrong. Then Server may be nil.
	Problem *status.Problem
	// Unconfirmed is the server that only the network or the package's file name names. With it Problem is set, and nothing
	// is sent to anybody, until the person has confirmed it (Servers). Nil: there is none.
	Unconfirmed *status.Server
}

// code returns the server's word in err, or "".
func code(err error) api.Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// problemOf says err for people.
func problemOf(err error, host string) *status.Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		p := e.Problem
		if p.Code == status.ProblemNone {
			p.Code = status.ProblemServer
		}
		if p.Host == "" {
			p.Host = host
		}
		return &p
	}
	return &status.Problem{Code: status.ProblemUnreachable, Host: host, Details: err.Error()}
}
