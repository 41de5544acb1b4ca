package ipc

import (
	"errors"
	"slices"

	"github.com/platenprint/platen/client/status"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/internal/secret"
)

// hello is the first frame in each direction.
type hello struct {
	Platen  int    `json:"platen"`  // status.Version
	Program string `json:"program"` // "platen-window 1.2.3", for the log
}

// verb is what a conversation is about. The list is closed.
type verb string

const (
	verbDo    verb = "do"
	verbWatch verb = "watch"
)

// request is the client's second and last frame.
type request struct {
	Verb   verb        `json:"verb"`
	After  uint64      `json:"after,omitempty"`  // watch: the newest Seq the client has seen
	Action *wireAction `json:"action,omitempty"` // do
}

// wireAction is an Action with its password in the open, for the moment of the crossing.
type wireAction struct {
	status.Action
	Text string `json:"password,omitempty"`
}

// reveal puts an action on the wire. It is the one place where a password leaves its type.
func reveal(a status.Action) *wireAction {
	return &wireAction{Action: a, Text: a.Password.Reveal()}
}

// conceal takes it off again.
func (w *wireAction) conceal() status.Action {
	a := w.Action
	a.Password, w.Text = secret.New(w.Text), ""
	return a
}

// reply is every frame of the resident after its hello.
type reply struct {
	Snapshot *status.Snapshot `json:"snapshot,omitempty"`
	Result   *status.Result   `json:"result,omitempty"`
}

// maxServer is the longest address of a server, in bytes: a host name has at most 253.
const maxServer = 300

var errAction = errors.New("not an action of this protocol")

// check tells whether the resident may be asked for a. Its lists are closed, its texts have an end.
func check(a status.Action) error {
	kinds := []status.ActionKind{
		status.ActionSignIn, status.ActionCancelSignIn, status.ActionSignOut, status.ActionOpen, status.ActionDetails,
		status.ActionRetry, status.ActionOpenPortal, status.ActionOpenTopUp, status.ActionFirstFrame, status.ActionDismiss,
		status.ActionStay, status.ActionOpenAgain, status.ActionContinue, status.ActionNotMe, status.ActionQuit,
		status.ActionConfirmServer, status.ActionRejectServer, status.ActionPurge,
	}
	pages := []status.Page{status.PageAuto, status.PageBalance, status.PageDetails, status.PageSettings, status.PageSignIn}
	if !slices.Contains(kinds, a.Kind) || !slices.Contains(pages, a.Page) {
		return errAction
	}
	if a.Kind == status.ActionSignIn {
		return checkSignIn(a)
	}
	aboutServer := a.Kind == status.ActionConfirmServer || a.Kind == status.ActionRejectServer
	if aboutServer != (a.Server != "") || len(a.Server) > maxServer {
		return errAction
	}
	if a.Username != "" || !a.Password.Empty() || a.Method != "" || a.Provider != "" || a.OtherAccount || a.StaySignedIn {
		return errAction
	}
	return nil
}

// checkSignIn wants of a sign-in that each field is one of its method: a password never travels with another.
func checkSignIn(a status.Action) error {
	const maxUsername, maxProvider = 320, 64
	methods := []status.Method{"", status.MethodPrompt, status.MethodTrust, status.MethodMicrosoft, status.MethodBrowser}
	prompt := a.Method == "" || a.Method == status.MethodPrompt
	switch {
	case !slices.Contains(methods, a.Method),
		len(a.Username) > maxUsername, len(a.Password.Reveal()) > api.MaxPassword, len(a.Provider) > maxProvider,
		!prompt && !a.Password.Empty(), a.Server != "",
		a.Provider != "" && a.Method != status.MethodBrowser:
		return errAction
	}
	return nil
}
