package doctor

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/platenprint/platen/client/config"
	"github.com/platenprint/platen/internal/api"
	"github.com/platenprint/platen/printqueue/ipc"
)

func TestWaysOfSigningIn(t *testing.T) {
	offering := func(modes ...string) visited {
		v := visited{}
		v.Config.AuthModes = modes
		v.Config.Microsoft = &api.MicrosoftConfig{Authority: "https://login.microsoftonline.com/t", ClientID: "c", Scope: "s"}
		return v
	}
	everything := offering("trust", "microsoft", "prompt")
	nothing := visited{}
	nothing.Config.AuthModes = []string{"prompt"}
	strange := offering("microsoft")
	strange.Config.Microsoft.Authority = "https://login.example.org/t"
	deploy := func(s ipc.Status, err error) func(*Inputs) {
		return func(in *Inputs) { in.Deploy = func(context.Context) (ipc.Status, error) { return s, err } }
	}
	for name, test := range map[string]struct {
		change func(*Inputs)
		v      visited
		check  func(Inputs, visited) Result
		level  Level
		says   string
	}{
		"trust: can vouch":           {deploy(ipc.Status{Enrolled: true, Group: "offices"}, nil), everything, trustOf, OK, "enrolled (group offices)"},
		"trust: a local account":     {func(in *Inputs) { in.Backed = false }, everything, trustOf, Warn, "no directory answers for your account"},
		"trust: no network":          {deploy(ipc.Status{Enrolled: true, Problem: ipc.CodeUnreachable, Detail: "no route"}, nil), everything, trustOf, Warn, "cannot use that now"},
		"trust: not there, wanted":   {deploy(ipc.Status{}, &ipc.Error{Code: ipc.CodeNotRunning}), everything, trustOf, Warn, "platen-deploy does not run"},
		"trust: not there, unwanted": {deploy(ipc.Status{}, &ipc.Error{Code: ipc.CodeNotRunning}), nothing, trustOf, OK, "vouches for nobody"},
		"trust: an impostor":         {deploy(ipc.Status{}, &ipc.Error{Code: ipc.CodeImpostor}), nothing, trustOf, Warn, "cannot be asked"},
		"trust: not enrolled":        {deploy(ipc.Status{Enrolment: ipc.EnrolmentNone}, nil), everything, trustOf, Warn, "not enrolled"},
		"trust: not approved":        {deploy(ipc.Status{Enrolment: ipc.EnrolmentPending}, nil), everything, trustOf, Warn, "waits for the administrator"},
		"trust: revoked":             {deploy(ipc.Status{Enrolment: ipc.EnrolmentRevoked}, nil), nothing, trustOf, Warn, "was revoked"},
		"browser: there":             {func(*Inputs) {}, everything, Inputs.browser, OK, "can be opened"},
		"browser: none, wanted":      {func(in *Inputs) { in.Browser = func() bool { return false } }, everything, Inputs.browser, Warn, "not offered"},
		"browser: none, unwanted":    {func(in *Inputs) { in.Browser = func() bool { return false } }, nothing, Inputs.browser, OK, "nobody needs one"},
		"browser: none, AuthMode": {func(in *Inputs) {
			in.Browser, in.Config.AuthMode = func() bool { return false }, config.AuthBrowser
		}, nothing, Inputs.browser, Warn, "not offered"},
		"microsoft: answers":      {func(*Inputs) {}, everything, microsoftOf, OK, "login.microsoftonline.com answers"},
		"microsoft: not used":     {func(*Inputs) {}, nothing, microsoftOf, OK, "Nobody signs in with Microsoft"},
		"microsoft: unreachable":  {func(in *Inputs) { in.Web = func(context.Context, string) error { return errors.New("no route") } }, everything, microsoftOf, Fail, "does not answer"},
		"microsoft: strange":      {func(*Inputs) {}, strange, microsoftOf, Fail, "not one of Microsoft's clouds"},
		"microsoft: named":        {func(in *Inputs) { in.Config.MicrosoftAuthority = &url.URL{Scheme: "https", Host: "login.example.org"} }, strange, microsoftOf, OK, "login.example.org answers"},
		"microsoft: server down":  {func(*Inputs) {}, visited{err: errors.New("no route")}, microsoftOf, Unknown, "not known"},
		"microsoft: nobody asked": {func(in *Inputs) { in.Web = nil }, everything, microsoftOf, Unknown, "Nobody asked"},
	} {
		t.Run(name, func(t *testing.T) {
			in := Inputs{
				Server: &fakeServer{}, Backed: true, Browser: func() bool { return true },
				Web: func(_ context.Context, address string) error {
					if !strings.HasSuffix(address, "/t/v2.0/.well-known/openid-configuration") {
						return errors.New("asked for " + address)
					}
					return nil
				},
				Deploy: func(context.Context) (ipc.Status, error) { return ipc.Status{Enrolled: true}, nil },
			}
			test.change(&in)
			got := test.check(in, test.v)
			if got.Level != test.level || !strings.Contains(got.Sentence, test.says) {
				t.Errorf("got %s %q, want %s with %q", got.Level, got.Sentence, test.level, test.says)
			}
			if got.Level != OK && got.Level != Unknown && got.Remedy == "" {
				t.Error("there is no remedy")
			}
		})
	}
}

func trustOf(in Inputs, v visited) Result     { return in.trust(context.Background(), v) }
func microsoftOf(in Inputs, v visited) Result { return in.microsoft(context.Background(), v) }
