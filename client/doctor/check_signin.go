package doctor

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/platenprint/platen/auth/microsoft"
	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/ipc"
)

// Deploy asks the service of this computer, platen-deploy, how the computer stands.
type Deploy func(ctx context.Context) (ipc.Status, error)

// Web tells whether a web address answers at all; nil error: it does.
type Web func(ctx context.Context, address string) error

// wanted tells whether people here may be meant to sign in by a method: by AuthMode, or by what the server offers.
func (in Inputs) wanted(method string, v visited) bool {
	mode := string(in.Config.AuthMode)
	return mode == method || (mode == "" || mode == string(config.AuthAuto)) && slices.Contains(v.Config.AuthModes, method)
}

// trust looks whether the computer can vouch for whoever is logged on.
func (in Inputs) trust(ctx context.Context, v visited) Result {
	if in.Deploy == nil {
		return Result{Level: Unknown, Sentence: "Nobody asked platen-deploy."}
	}
	s, err := in.Deploy(ctx)
	level := OK // where nobody is meant to sign in like that, nothing is wrong
	if in.wanted(api.MethodTrust, v) {
		level = Warn
	}
	const remedy = "Install and enrol platen-deploy, if people are to be signed in here without a question."
	switch code := ipc.CodeOf(err); {
	case code == ipc.CodeNotRunning:
		return Result{Level: level, Sentence: "This computer vouches for nobody: platen-deploy does not run.", Remedy: when(level == Warn, remedy), Details: details(err)}
	case err != nil:
		return Result{Level: Warn, Sentence: "platen-deploy cannot be asked.", Remedy: "Restart it; its log has the reason.", Details: details(err)}
	case !s.Enrolled:
		return notEnrolled(s, level)
	}
	return in.enrolled(s)
}

func when(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

func notEnrolled(s ipc.Status, level Level) Result {
	r := Result{Level: level, Sentence: "This computer is not enrolled, so it vouches for nobody.", Remedy: when(level == Warn, "Run platen-deploy enrol, with a token of the server.")}
	switch s.Enrolment {
	case ipc.EnrolmentPending:
		r = Result{Level: Warn, Sentence: "This computer waits for the administrator's approval.", Remedy: "Approve it: platen-server device approve.", Details: []string{"key " + s.Fingerprint}}
	case ipc.EnrolmentRevoked:
		r = Result{Level: Warn, Sentence: "This computer's enrolment was revoked.", Remedy: "Enrol it anew, if that was a mistake: platen-deploy enrol."}
	case ipc.EnrolmentNone, ipc.EnrolmentDone:
	}
	if s.Detail != "" {
		r.Details = append(r.Details, s.Detail)
	}
	return r
}

func (in Inputs) enrolled(s ipc.Status) Result {
	r := Result{Level: OK, Sentence: fmt.Sprintf("This computer is enrolled (group %s) and vouches for whoever is logged on.", s.Group)}
	r.Details = []string{"device " + s.DeviceID, "server " + s.ServerURL, "role " + s.Role, "ways of signing in: " + strings.Join(s.AuthModes, ", ")}
	switch {
	case s.Problem != "":
		r.Level, r.Sentence = Warn, "This computer is enrolled, but platen-deploy cannot use that now."
		r.Remedy = "See the details; the network and the clock are the usual reasons."
		r.Details = append(r.Details, string(s.Problem)+": "+s.Detail)
	case !in.Backed:
		r.Level, r.Sentence = Warn, "This computer is enrolled, but no directory answers for your account, so it is asked who you are."
		r.Remedy = "Log on with an account of the domain."
	}
	return r
}

// browser looks whether people can sign in there.
func (in Inputs) browser(v visited) Result {
	if in.Browser == nil {
		return Result{Level: Unknown, Sentence: "Nobody looked for a browser."}
	}
	switch {
	case in.Browser():
		return Result{Level: OK, Sentence: "A browser can be opened."}
	case in.wanted(api.MethodMicrosoft, v) || in.wanted(api.MethodBrowser, v):
		return Result{Level: Warn, Sentence: "No browser can be opened, so signing in in the browser is not offered.", Remedy: "Install a browser and xdg-utils, and log on to a desktop."}
	}
	return Result{Level: OK, Sentence: "No browser can be opened; nobody needs one here."}
}

// microsoft looks whether Microsoft can be reached where people are to sign in there.
func (in Inputs) microsoft(ctx context.Context, v visited) Result {
	site := v.Config.Microsoft
	switch {
	case v.err != nil || in.Server == nil:
		return Result{Level: Unknown, Sentence: "It is not known whether people sign in with Microsoft: the server could not be asked."}
	case site == nil:
		return Result{Level: OK, Sentence: "Nobody signs in with Microsoft here."}
	}
	r := Result{Details: []string{"authority " + site.Authority, "client " + site.ClientID, "scope " + site.Scope}}
	u, err := url.Parse(site.Authority)
	extra := in.Config.MicrosoftAuthority
	if !microsoft.KnownAuthority(site.Authority) && (err != nil || extra == nil || u.Scheme != extra.Scheme || !strings.EqualFold(u.Host, extra.Host)) {
		r.Level, r.Sentence = Fail, "The server wants to send people to an authority that is not one of Microsoft's clouds; they are not sent there."
		r.Remedy = "If it is right, set MicrosoftAuthority; else put the server's configuration right."
		return r
	}
	if in.Web == nil {
		r.Level, r.Sentence = Unknown, "Nobody asked Microsoft."
		return r
	}
	if err := in.Web(ctx, strings.TrimRight(site.Authority, "/")+"/v2.0/.well-known/openid-configuration"); err != nil {
		r.Level, r.Sentence = Fail, u.Hostname()+" does not answer as it should, so nobody can sign in with Microsoft."
		r.Remedy = "Check the proxy and the firewalls on the way; then the tenant's id at the server."
		r.Details = append(r.Details, err.Error())
		return r
	}
	r.Level, r.Sentence = OK, u.Hostname()+" answers."
	return r
}
